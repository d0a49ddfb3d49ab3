//! `/v1/events/stream`: the feed as it grows.

use crate::platform::{BEIJING, SHANGHAI, World};
use crate::v1::{events::awaited, sold, text};
use reqwest::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// A stream that is open, and what came of it that was not looked at yet.
struct Listening {
    response: Response,
    waiting: String,
    /// The id of the last message.
    last: String,
}

fn ask(world: &World, who: (&str, &str), more: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::new();
    let mut request = client.get(format!("{}/v1/events/stream", world.url)).header(who.0, who.1);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    world.block_on(request.send()).unwrap()
}

impl Listening {
    fn to(world: &World, who: (&str, &str), last: Option<&str>) -> Self {
        let mut more = vec![("accept", "text/event-stream")];
        more.extend(last.map(|last| ("last-event-id", last)));
        let response = ask(world, who, &more);
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        let mut listening = Listening { response, waiting: String::new(), last: String::new() };
        assert_eq!(listening.next(world, 5), None, "the first line has a cursor and no data");
        assert!(!listening.last.is_empty());
        listening
    }

    fn by_key(world: &World, of: &str, last: Option<&str>) -> Self {
        Self::to(world, ("authorization", &format!("Bearer {}", world.key(of))), last)
    }

    /// The data of the next message; `None`: it had none, or none came in this time.
    fn next(&mut self, world: &World, seconds: u64) -> Option<Value> {
        while !self.waiting.contains("\n\n") {
            let piece = world.block_on(async { tokio::time::timeout(Duration::from_secs(seconds), self.response.chunk()).await });
            let piece = piece.ok()?.unwrap()?;
            self.waiting.push_str(std::str::from_utf8(&piece).unwrap());
        }
        let (message, rest) = self.waiting.split_once("\n\n").map(|(one, rest)| (one.to_owned(), rest.to_owned())).unwrap();
        self.waiting = rest;
        let line = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        if let Some(id) = line("id: ") {
            self.last = id;
        }
        line("data: ").map(|data| serde_json::from_str(&data).unwrap())
    }

    /// Messages until one is about this object, all of them.
    fn until(&mut self, world: &World, object: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|event: &Value| event["object_id"] != object) {
            heard.push(self.next(world, 20).unwrap_or_else(|| panic!("nothing about {object} in {heard:?}")));
        }
        heard
    }

    fn is_over(&mut self, world: &World) -> bool {
        loop {
            match world.block_on(async { tokio::time::timeout(Duration::from_secs(40), self.response.chunk()).await }) {
                Ok(Ok(Some(_))) => {}
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["id"])).collect()
}

on_both_engines! {
    fn a_sale_arrives_at_its_agency_and_at_no_other(world) {
        let (mut own, mut other) = (Listening::by_key(world, BEIJING, None), Listening::by_key(world, SHANGHAI, None));
        let order = sold(world, &world.key(BEIJING), "Zhang", "arc_bsp_cash");
        let heard = own.until(world, &text(&order["id"])).pop().unwrap();
        assert_eq!((&heard["type"], &heard["object_id"]), (&json!("order.created"), &order["id"]));
        let listed = world.get(&world.key(BEIJING), &format!("/v1/events/{}", text(&heard["id"]))).expect(200);
        assert_eq!(listed.data(), &heard, "the same as in the list");
        let theirs = sold(world, &world.key(SHANGHAI), "Wang", "arc_bsp_cash");
        let heard = other.until(world, &text(&theirs["id"]));
        assert!(heard.iter().all(|event| event["data"]["object"]["agency_id"] == heard[0]["data"]["object"]["agency_id"]));
        assert!(!heard.iter().any(|event| event["object_id"] == order["id"]), "another's sale is not heard of");
    }

    fn who_comes_back_misses_nothing_and_hears_nothing_twice(world) {
        let key = world.key(BEIJING);
        let mut first = Listening::by_key(world, BEIJING, None);
        let begins_at = first.last.clone();
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let mut heard = first.until(world, &text(&order["id"]));
        let last = first.last.clone();
        drop(first);
        let missed = sold(world, &key, "Wang", "arc_bsp_cash");
        awaited(world, &key, "order.created", &text(&missed["id"]));
        let mut second = Listening::by_key(world, BEIJING, Some(&last));
        heard.extend(second.until(world, &text(&missed["id"])));
        let later = sold(world, &key, "Li", "arc_bsp_cash");
        heard.extend(second.until(world, &text(&later["id"])));
        let list = world.get(&key, &format!("/v1/events?limit=200&after={begins_at}")).expect(200);
        let listed = ids(list.data().as_array().unwrap());
        assert_eq!(ids(&heard)[..], listed[..heard.len()], "each once, in the order of the feed");
    }

    fn a_stream_ends_with_its_session_and_is_asked_for_by_name(world) {
        let desk = world.desk(BEIJING, "agent");
        let mut listening = Listening::to(world, ("cookie", &desk.cookie), None);
        desk.delete("/v1/session").expect(204);
        assert!(listening.is_over(world), "it ends with the session");
        let bearer = format!("Bearer {}", world.key(BEIJING));
        let who = ("authorization", bearer.as_str());
        assert_eq!(ask(world, who, &[]).status(), 406, "who does not wait for a stream gets none");
        let stream = ("accept", "text/event-stream");
        assert_eq!(ask(world, who, &[stream, ("last-event-id", "abc")]).status(), 422);
        assert_eq!(ask(world, ("x-nobody", "1"), &[stream]).status(), 401);
        let open: Vec<Listening> = (0..20).map(|_| Listening::by_key(world, BEIJING, None)).collect();
        let order = sold(world, &world.key(BEIJING), "Zhang", "arc_bsp_cash");
        for mut one in open {
            one.until(world, &text(&order["id"]));
        }
    }

    fn a_stop_ends_what_waits(world) {
        let mut listening = Listening::by_key(world, BEIJING, None);
        world.platform.live.streams.close();
        assert!(listening.is_over(world));
    }
}
