//! Events are given their places in the feeds, and the passengers of orders that are in them become findable by name.

use crate::app::App;
use crate::notify::{FULL_PASS, publish};
use crate::ordering::{FULL_ROUND, index_names};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(200);

pub(super) fn run(app: &App) {
    let mut unread = true;
    loop {
        let published = publish(&app.store).unwrap_or_else(|error| {
            tracing::error!(%error, "events were not published; it is tried again");
            0
        });
        if let Err(error) = app.streams.wake(&app.store) {
            tracing::error!(%error, "who follows the feeds was not woken; it is tried again");
        }
        // Without news there is nothing to look for; another node's are found with one's own next ones, or below.
        unread |= published > 0;
        let indexed = if unread { index(app) } else { Some(0) };
        unread = indexed.is_none_or(|read| read > 0);
        if published < FULL_PASS && indexed.is_none_or(|read| read < FULL_ROUND) {
            std::thread::sleep(PAUSE);
        }
    }
}

fn index(app: &App) -> Option<usize> {
    let indexed = app.store.write(|tx| index_names(tx, &app.vault));
    indexed.inspect_err(|error| tracing::error!(%error, "names were not indexed; it is tried again")).ok()
}
