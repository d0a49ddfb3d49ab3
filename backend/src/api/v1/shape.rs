//! Forms that many answers share.

use crate::audit::ActorId;
use crate::clock::Timestamp;
use chrono::NaiveDateTime;
use utoipa::IntoParams;

/// RFC 3339 in UTC.
pub fn time(at: NaiveDateTime) -> String {
    Timestamp::from(at).to_string()
}

/// The key that did something, where a key did.
pub fn by_key(stored: i64) -> Option<String> {
    ActorId::of(stored).key().map(|key| key.to_string())
}

/// The person who did something, where a person did.
pub fn by_user(stored: i64) -> Option<String> {
    ActorId::of(stored).user().map(|user| user.to_string())
}

/// How a list is read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by name from the query; here for the description")]
pub struct PageParams {
    /// Rows of a page: 1 to 200, 50 if not given.
    limit: Option<u16>,
    /// The cursor `meta.after` of a page: what follows it.
    after: Option<String>,
    /// The cursor `meta.before` of a page: what stands in front of it.
    before: Option<String>,
}

/// A closed choice of the API with its two conversions from and to the domain's. The words are the domain's own.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident = $domain:ty { $($variant:ident),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),+ }

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                type Domain = $domain;
                match value { $(Domain::$variant => $name::$variant),+ }
            }
        }

        impl From<$name> for $domain {
            fn from(value: $name) -> Self {
                type Domain = $domain;
                match value { $($name::$variant => Domain::$variant),+ }
            }
        }
    };
}

pub(super) use choice;
