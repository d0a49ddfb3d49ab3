//! Who follows a feed while it grows: a bounded number, each woken when there is news in its feed. Waiting costs neither a thread nor a connection to
//! the database; what is new is read from the feed, never carried by the waking.

use super::feed::{feed_head, feeds_with_news, operator_feed};
use crate::db::{DbError, Store};
use crate::ids::{Id, OrganisationId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Of one organisation on one node: more desks than stand open at once in any.
pub const MOST_OF_ONE: usize = 200;
/// On one node.
pub const MOST_OF_ALL: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefusal {
    #[error("the organisation has {MOST_OF_ONE} streams open")]
    OfOrganisation,
    #[error("{MOST_OF_ALL} streams are open")]
    OfAll,
}

/// A feed that somebody follows.
struct Followed {
    followers: usize,
    news: watch::Sender<()>,
}

pub struct Streams {
    feeds: Mutex<HashMap<i64, Followed>>,
    closing: watch::Sender<bool>,
    /// Up to which place of the operator's feed followers were woken; `None` while nobody follows.
    woken_to: Mutex<Option<i64>>,
}

impl Default for Streams {
    fn default() -> Self {
        Streams { feeds: Mutex::default(), closing: watch::Sender::new(false), woken_to: Mutex::default() }
    }
}

/// One follower; gives its place back when it goes.
pub struct Follower {
    streams: Arc<Streams>,
    feed: OrganisationId,
    news: watch::Receiver<()>,
    closing: watch::Receiver<bool>,
}

/// Why a follower stopped waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    ByNews,
    /// The server stops.
    ByEnd,
}

impl Streams {
    pub fn follow(self: &Arc<Self>, feed: OrganisationId) -> Result<Follower, StreamRefusal> {
        let mut feeds = self.feeds.lock();
        if feeds.values().map(|one| one.followers).sum::<usize>() >= MOST_OF_ALL {
            return Err(StreamRefusal::OfAll);
        }
        let followed = feeds.entry(feed.raw()).or_insert_with(|| Followed { followers: 0, news: watch::Sender::new(()) });
        if followed.followers >= MOST_OF_ONE {
            return Err(StreamRefusal::OfOrganisation);
        }
        followed.followers += 1;
        let (news, closing) = (followed.news.subscribe(), self.closing.subscribe());
        Ok(Follower { streams: self.clone(), feed, news, closing })
    }

    /// Wakes those whose feeds have grown, by whichever node; reads only while somebody follows.
    pub fn wake(&self, store: &Store) -> Result<(), DbError> {
        let followed: Vec<i64> = self.feeds.lock().keys().copied().collect();
        let known = *self.woken_to.lock();
        if followed.is_empty() {
            *self.woken_to.lock() = None;
            return Ok(());
        }
        let (head, grown) = store.read(|db| {
            let head = feed_head(db, operator_feed())?;
            // Who began to follow since may have read before this head: all of them look once.
            let grown = match known {
                Some(known) if known == head => Vec::new(),
                Some(known) => feeds_with_news(db, &followed, known)?,
                None => followed,
            };
            Ok::<_, DbError>((head, grown))
        })?;
        let feeds = self.feeds.lock();
        grown.iter().filter_map(|feed| feeds.get(feed)).for_each(|one| one.news.send_replace(()));
        *self.woken_to.lock() = Some(head);
        Ok(())
    }

    /// The server stops: every stream ends.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}

impl Follower {
    /// What is read from now on counts as read: only later news wakes.
    pub fn reads(&mut self) {
        self.news.borrow_and_update();
    }

    pub fn is_over(&self) -> bool {
        *self.closing.borrow()
    }

    pub async fn woken(&mut self) -> Woken {
        tokio::select! {
            changed = self.news.changed() => if changed.is_ok() { Woken::ByNews } else { Woken::ByEnd },
            _ = self.closing.wait_for(|closing| *closing) => Woken::ByEnd,
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut feeds = self.streams.feeds.lock();
        if let Some(followed) = feeds.get_mut(&self.feed.raw()) {
            followed.followers = followed.followers.saturating_sub(1);
            if followed.followers == 0 {
                feeds.remove(&self.feed.raw());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let streams = Arc::new(Streams::default());
        let own = OrganisationId::of(1);
        let mut followers: Vec<Follower> = (0..MOST_OF_ONE).map(|_| streams.follow(own).unwrap()).collect();
        assert_eq!(streams.follow(own).err(), Some(StreamRefusal::OfOrganisation));
        let others = (2..).take(MOST_OF_ALL / MOST_OF_ONE - 1).map(OrganisationId::of);
        let others: Vec<Follower> =
            others.flat_map(|other| (0..MOST_OF_ONE).map(move |_| other)).map(|other| streams.follow(other).unwrap()).collect();
        assert_eq!(streams.follow(OrganisationId::of(99)).err(), Some(StreamRefusal::OfAll));
        drop(others);
        followers.pop();
        assert!(streams.follow(own).is_ok());
    }

    #[tokio::test]
    async fn a_stop_wakes_everybody() {
        let streams = Arc::new(Streams::default());
        let mut follower = streams.follow(OrganisationId::of(1)).unwrap();
        streams.close();
        assert_eq!((follower.woken().await, follower.is_over()), (Woken::ByEnd, true));
    }
}
