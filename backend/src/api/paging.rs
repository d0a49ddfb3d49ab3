//! Pages by key, not by offset: a cursor names the row at which a page ended, so that rows inserted meanwhile neither repeat nor hide
//! others. Lists run from the newest id to the oldest unless they are small sorted tables ([`of_sorted`]).
//!
//! A cursor is opaque: version, checksum and key in hexadecimal. The checksum covers the list's name, so that a cursor that was
//! changed or belongs to another list is refused instead of silently showing the wrong page. It is no secret and grants nothing.

use super::code::Code;
use super::envelope::{Page, PageMeta};
use super::error::ApiError;
use super::query::Query;
use crate::db::Window;
use sha2::{Digest, Sha256};

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
const MAX_CURSOR_LENGTH: usize = 256;

/// What a key of a list can be: an id, or a short text such as an IATA code.
pub trait Key: Sized + Clone {
    fn to_text(&self) -> String;
    fn from_text(text: &str) -> Option<Self>;
}

impl Key for i64 {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Key for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// Which page of the list called `list` the client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K = i64> {
    list: &'static str,
    pub limit: u16,
    pub anchor: Anchor<K>,
}

/// Where a page begins, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor<K> {
    Start,
    /// Behind this key. By id: `id < key ORDER BY id DESC`.
    After(K),
    /// In front of this key, nearest first. By id: `id > key ORDER BY id ASC`; [`PageRequest::page`] turns the rows round.
    Before(K),
}

impl PageRequest<i64> {
    /// The rows to read for a list by id; read [`fetch`](Self::fetch) of them.
    pub fn window(&self) -> Window {
        match self.anchor {
            Anchor::Start => Window::NEWEST,
            Anchor::After(id) => Window::OlderThan(id),
            Anchor::Before(id) => Window::NewerThan(id),
        }
    }
}

impl PageRequest<i64> {
    /// Of a list that never changes: the positions to show, whose keys they are.
    pub fn of_positions(&self, count: usize) -> Vec<i64> {
        let wanted = |place: &i64| match self.window() {
            crate::db::Window::OlderThan(i64::MAX) => true,
            crate::db::Window::OlderThan(key) => *place > key,
            crate::db::Window::NewerThan(key) => *place < key,
        };
        let mut places: Vec<i64> = (0i64..).take(count).filter(wanted).collect();
        if matches!(self.window(), crate::db::Window::NewerThan(_)) {
            places.reverse();
        }
        places.truncate(usize::try_from(self.fetch()).unwrap_or(usize::MAX));
        places
    }
}

impl<K: Key> PageRequest<K> {
    /// Reads `limit`, `after` and `before`.
    pub fn read(query: &Query, list: &'static str) -> Result<Self, ApiError> {
        let limit = match query.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => limit(text).ok_or_else(|| ApiError::of(Code::InvalidLimit).parameter("limit"))?,
        };
        let key = |name: &str| match query.get(name) {
            None => Ok(None),
            Some(text) => {
                let key = decode(list, text).and_then(|text| K::from_text(&text));
                key.map(Some).ok_or_else(|| ApiError::of(Code::InvalidCursor).parameter(name))
            }
        };
        let anchor = match (key("after")?, key("before")?) {
            (None, None) => Anchor::Start,
            (Some(key), None) => Anchor::After(key),
            (None, Some(key)) => Anchor::Before(key),
            (Some(_), Some(_)) => return Err(ApiError::of(Code::InvalidCursor).parameter("before")),
        };
        Ok(PageRequest { list, limit, anchor })
    }

    /// How many rows to fetch: one more than the page holds, which tells whether there is another page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Makes the page of up to [`fetch`](Self::fetch) rows, in the order in which [`Anchor`] says to read them.
    pub fn page<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = usize::from(self.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let (before, after) = match &self.anchor {
            Anchor::Start => (false, more),
            Anchor::After(_) => (true, more),
            Anchor::Before(_) => {
                rows.reverse();
                (more, true)
            }
        };
        let cursor = |row: Option<&T>| row.map(|row| encode(self.list, &key(row).to_text()));
        let after = after.then(|| cursor(rows.last())).flatten();
        let before = before.then(|| cursor(rows.first())).flatten();
        Page { data: rows, meta: PageMeta { limit: self.limit, after, before } }
    }
}

/// How a feed is read on: oldest first, with a cursor that stays good at the end of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRequest {
    list: &'static str,
    pub limit: u16,
    /// The position that was read up to.
    pub after: i64,
}

impl FeedRequest {
    /// Reads `limit` and `after`.
    pub fn read(query: &Query, list: &'static str) -> Result<Self, ApiError> {
        match PageRequest::<i64>::read(query, list)? {
            PageRequest { anchor: Anchor::Before(_), .. } => Err(ApiError::of(Code::InvalidCursor).parameter("before")),
            PageRequest { limit, anchor: Anchor::Start, .. } => Ok(FeedRequest { list, limit, after: 0 }),
            PageRequest { limit, anchor: Anchor::After(after), .. } => Ok(FeedRequest { list, limit, after }),
        }
    }

    /// The cursor behind a position.
    pub fn cursor(position: i64, list: &str) -> String {
        encode(list, &position.to_text())
    }

    /// The position that a cursor of the feed stands for.
    pub fn position(cursor: &str, list: &str) -> Option<i64> {
        decode(list, cursor).and_then(|text| i64::from_text(&text)).filter(|position| *position >= 0)
    }

    /// Rows with their positions, in order.
    pub fn page<T>(&self, rows: Vec<(i64, T)>) -> Page<T> {
        let reached = rows.last().map_or(self.after, |(position, _)| *position);
        let meta = PageMeta { limit: self.limit, after: Some(Self::cursor(reached, self.list)), before: None };
        Page { data: rows.into_iter().map(|(_, row)| row).collect(), meta }
    }
}

/// A page of a table that is in memory and sorted by ascending key.
pub fn of_sorted<T: Clone, K: Key + Ord>(rows: &[T], request: &PageRequest<K>, key: impl Fn(&T) -> K) -> Page<T> {
    let fetch = usize::from(request.limit) + 1;
    let taken: Vec<T> = match &request.anchor {
        Anchor::Start => rows.iter().take(fetch).cloned().collect(),
        Anchor::After(start) => {
            let behind = rows.partition_point(|row| key(row) <= *start);
            rows.iter().skip(behind).take(fetch).cloned().collect()
        }
        Anchor::Before(end) => {
            let in_front = rows.partition_point(|row| key(row) < *end);
            rows.iter().take(in_front).rev().take(fetch).cloned().collect()
        }
    };
    request.page(taken, key)
}

fn limit(text: &str) -> Option<u16> {
    let plain = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|limit| plain && (1..=MAX_LIMIT).contains(limit))
}

fn encode(list: &str, key: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&checksum(list, key));
    bytes.extend_from_slice(key.as_bytes());
    hex::encode(bytes)
}

fn decode(list: &str, cursor: &str) -> Option<String> {
    if cursor.len() > MAX_CURSOR_LENGTH {
        return None;
    }
    let bytes = hex::decode(cursor).ok()?;
    let (version, rest) = bytes.split_first()?;
    let (sum, key) = rest.split_at_checked(CHECKSUM_BYTES)?;
    let key = std::str::from_utf8(key).ok()?;
    // Upper-case digits would be a second spelling of the same cursor.
    let spelt_once = cursor == encode(list, key);
    (*version == VERSION && sum == checksum(list, key) && spelt_once).then(|| key.to_owned())
}

fn checksum(list: &str, key: &str) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::new().chain_update([VERSION]).chain_update(list).chain_update([0]).chain_update(key).finalize();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.iter_mut().zip(digest).for_each(|(place, byte)| *place = byte);
    sum
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(query: &str) -> Result<PageRequest, ApiError> {
        PageRequest::read(&Query::read(query).unwrap(), "orders")
    }

    /// What a database would answer, newest first.
    fn fetch(table: &[i64], request: &PageRequest) -> Page<i64> {
        let mut rows: Vec<i64> = table.to_vec();
        rows.sort_unstable();
        match request.anchor {
            Anchor::Start => rows.reverse(),
            Anchor::After(key) => {
                rows.retain(|id| *id < key);
                rows.reverse();
            }
            Anchor::Before(key) => rows.retain(|id| *id > key),
        }
        rows.truncate(usize::try_from(request.fetch()).unwrap());
        request.page(rows, |id| *id)
    }

    #[test]
    fn the_limit_has_bounds_and_a_default() {
        assert_eq!(request("").unwrap().limit, 50);
        assert_eq!(request("limit=200").unwrap().limit, 200);
        for wrong in ["0", "201", "-1", "1.5", "+5", "x", "0001", "99999999999"] {
            assert_eq!(request(&format!("limit={wrong}")).unwrap_err().code(), Code::InvalidLimit, "{wrong}");
        }
    }

    #[test]
    fn a_cursor_that_was_changed_or_is_another_lists_is_refused() {
        let cursor = encode("orders", "123456789");
        assert_eq!(request(&format!("after={cursor}")).unwrap().anchor, Anchor::After(123_456_789));
        for place in 0..cursor.len() {
            let mut forged = cursor.clone();
            let flipped = if forged.as_bytes()[place] == b'0' { "1" } else { "0" };
            forged.replace_range(place..=place, flipped);
            assert_eq!(request(&format!("after={forged}")).unwrap_err().code(), Code::InvalidCursor, "{forged}");
        }
        let foreign = encode("tickets", "123456789");
        let text = encode("orders", "not an id");
        for wrong in [foreign.as_str(), text.as_str(), "00", "zz", &cursor.to_uppercase(), &"ab".repeat(1_000)] {
            assert_eq!(request(&format!("before={wrong}")).unwrap_err().code(), Code::InvalidCursor, "{wrong}");
        }
        assert_eq!(request(&format!("after={cursor}&before={cursor}")).unwrap_err().code(), Code::InvalidCursor);
    }

    #[test]
    fn inserts_while_reading_neither_repeat_nor_hide_a_row() {
        let mut table: Vec<i64> = (1..=10).collect();
        let first = fetch(&table, &request("limit=4").unwrap());
        assert_eq!((first.data.as_slice(), &first.meta.before), ([10, 9, 8, 7].as_slice(), &None));
        table.extend([11, 12]);
        let second = fetch(&table, &request(&format!("limit=4&after={}", first.meta.after.unwrap())).unwrap());
        assert_eq!(second.data, [6, 5, 4, 3]);
        let back = fetch(&table, &request(&format!("limit=4&before={}", second.meta.before.unwrap())).unwrap());
        assert_eq!(back.data, [10, 9, 8, 7]);
        let newest = fetch(&table, &request(&format!("limit=4&before={}", back.meta.before.unwrap())).unwrap());
        assert_eq!((newest.data.as_slice(), newest.meta.before), ([12, 11].as_slice(), None));
    }

    #[test]
    fn a_sorted_table_is_paged_by_its_codes() {
        let codes: Vec<String> = ["CAN", "PEK", "PVG", "SHA", "SZX"].map(str::to_owned).to_vec();
        let read = |text: &str| {
            let request = PageRequest::<String>::read(&Query::read(text).unwrap(), "airports").unwrap();
            of_sorted(&codes, &request, String::clone)
        };
        let first = read("limit=2");
        assert_eq!(first.data, ["CAN", "PEK"]);
        let second = read(&format!("limit=2&after={}", first.meta.after.unwrap()));
        assert_eq!(second.data, ["PVG", "SHA"]);
        let last = read(&format!("limit=2&after={}", second.meta.after.unwrap()));
        assert_eq!((last.data.as_slice(), last.meta.after), (["SZX".to_owned()].as_slice(), None));
        assert_eq!(read(&format!("limit=2&before={}", second.meta.before.unwrap())).data, ["CAN", "PEK"]);
    }

    proptest! {
        #[test]
        fn reading_on_visits_every_row_once(mut table in prop::collection::hash_set(1..i64::MAX, 0..60), limit in 1u16..9) {
            let rows: Vec<i64> = table.iter().copied().collect();
            let mut next = Some(String::new());
            let mut pages = 0;
            while let Some(after) = next {
                let page = fetch(&rows, &request(&format!("limit={limit}&after={after}")).unwrap());
                for id in page.data {
                    prop_assert!(table.remove(&id));
                }
                next = page.meta.after;
                pages += 1;
                prop_assert!(pages < 100);
            }
            prop_assert!(table.is_empty());
        }
    }
}
