//! All connections for reading are taken: whoever comes is answered in bounded time, and when there is one again it goes on.

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR};
use airsettle::db::DbError;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// As many as a mode has.
const READERS: usize = 8;

on_both_engines! {
    fn whoever_finds_all_readers_busy_is_told_when_to_come_back(world) {
        let key = world.key(BEIJING);
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        let store = &world.platform.live.store;
        std::thread::scope(|scope| {
            let (taken, takes) = channel();
            let releases: Vec<_> = (0..READERS)
                .map(|_| {
                    let (release, released) = channel::<()>();
                    let taken = taken.clone();
                    scope.spawn(move || {
                        store.read(|_| {
                            taken.send(()).unwrap();
                            let _ = released.recv();
                            Ok::<_, DbError>(())
                        })
                    });
                    release
                })
                .collect();
            (0..READERS).for_each(|_| takes.recv().unwrap());
            let began = Instant::now();
            let refused = world.get(&world.key(OPERATOR), "/v1/facilities").expect_error(503, "database_unavailable");
            assert_eq!(refused.header("retry-after"), Some("1"));
            assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
            world.post(&key, "/air/orders", &order).expect_error(503, "database_unavailable");
            drop(releases);
        });
        world.get(&world.key(OPERATOR), "/v1/facilities").expect(200);
        world.post(&key, "/air/orders", &order).expect(201);
        world.prove();
    }
}
