//! Reads the fields of a body that are text outside and something stricter inside. Every field is read before anything is answered, so that
//! the client sees all that is wrong at once.

use crate::api::code::Code;
use crate::api::error::{ApiError, Item, Problems};
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::money::{Currency, Money, Rate};
use chrono::{DateTime, NaiveDate};
use std::net::IpAddr;

#[derive(Default)]
pub struct Input(Problems);

impl Input {
    pub fn fail(&mut self, code: Code, field: &str, message: impl Into<String>) {
        self.0.add(code, pointer(field), message);
    }

    fn invalid<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.fail(Code::InvalidValue, field, message);
        None
    }

    /// What was read, or everything that stood in the way.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, ApiError> {
        self.0.finish()?;
        read.ok_or_else(|| ApiError::internal("a field was not read and no reason given"))
    }

    /// 1 to `most` characters, none of them a control character, no blank at either end.
    pub fn text(&mut self, field: &str, text: &str, most: usize) -> Option<String> {
        let fits = (1..=most).contains(&text.chars().count());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            return Some(text.to_owned());
        }
        self.invalid(field, format!("`{field}` is 1 to {most} printable characters without blanks around them."))
    }

    pub fn id<T: Id>(&mut self, field: &str, text: &str) -> Option<T> {
        self.0.check(T::parse(text).map_err(|error| Item::bad_id(&error, pointer(field))))
    }

    /// The inner `None` is a field that was left out.
    pub fn optional_id<T: Id>(&mut self, field: &str, text: Option<&str>) -> Option<Option<T>> {
        match text {
            None => Some(None),
            Some(text) => self.id(field, text).map(Some),
        }
    }

    /// A field that has to be there for this kind of request, and for no other.
    pub fn only_if<'t>(&mut self, field: &str, text: Option<&'t str>, wanted: bool) -> Option<&'t str> {
        match (text, wanted) {
            (None, true) => self.fail(Code::MissingField, field, format!("`{field}` is missing.")),
            (Some(_), false) => {
                self.fail(Code::InvalidValue, field, format!("`{field}` has no meaning here: leave it out."));
            }
            _ => {}
        }
        text.filter(|_| wanted)
    }

    /// ISO 3166 alpha-2.
    pub fn country(&mut self, field: &str, text: &str) -> Option<String> {
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(text.to_owned());
        }
        self.invalid(field, format!("`{field}` is two capital letters, as in ISO 3166."))
    }

    pub fn currency(&mut self, field: &str, text: &str) -> Option<Currency> {
        self.0.check(Currency::parse(text).map_err(|error| Item::money(&error, pointer(field))))
    }

    /// An amount with its currency, which are two fields.
    pub fn money(&mut self, (field, text): (&str, &str), (currency_field, code): (&str, &str)) -> Option<Money> {
        let currency = self.currency(currency_field, code)?;
        self.0.check(Money::parse(text, currency).map_err(|error| Item::money(&error, pointer(field))))
    }

    /// A decimal factor of at most 12 decimals; its range is the domain's to say.
    pub fn rate(&mut self, field: &str, text: &str) -> Option<Rate> {
        let plain = text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        match Rate::parse(text) {
            Ok(rate) if plain => Some(rate),
            _ => self.invalid(field, format!("`{field}` is a decimal number such as \"0.005\".")),
        }
    }

    /// `2026-11-01`
    pub fn date(&mut self, field: &str, text: &str) -> Option<NaiveDate> {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) if text.len() == 10 => Some(date),
            _ => self.invalid(field, format!("`{field}` is a date such as \"2026-11-01\".")),
        }
    }

    /// RFC 3339, in any offset.
    pub fn time(&mut self, field: &str, text: &str) -> Option<Timestamp> {
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Some(Timestamp::from(time.to_utc())),
            Err(_) => self.invalid(field, format!("`{field}` is a time such as \"2026-11-01T08:00:00Z\".")),
        }
    }

    pub fn ip_addresses(&mut self, field: &str, texts: &[String]) -> Option<Vec<IpAddr>> {
        let read: Vec<Option<IpAddr>> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let address = text.parse().ok();
                address.or_else(|| self.invalid(&format!("{field}/{index}"), "An IPv4 or IPv6 address, without a mask."))
            })
            .collect();
        read.into_iter().collect()
    }

    /// A whole number within bounds.
    pub fn whole(&mut self, field: &str, value: i64, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        if bounds.contains(&value) {
            return Some(value);
        }
        self.invalid(field, format!("`{field}` is a whole number from {} to {}.", bounds.start(), bounds.end()))
    }

    /// Ten digits: the part of a ticket number behind the accounting code.
    pub fn document(&mut self, field: &str, text: &str) -> Option<i64> {
        let digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Some(number),
            _ => self.invalid(field, format!("`{field}` is ten digits, as text.")),
        }
    }
}

/// A field that turns out to be wrong when everything else is read.
pub fn invalid(field: &str, error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::InvalidValue, format!("{error}.")).at(pointer(field))
}

fn pointer(field: &str) -> String {
    format!("/data/{field}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ids::AgencyId;

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let mut input = Input::default();
        assert_eq!(input.text("name", " Wei", 10), None);
        assert_eq!(input.country("country", "cn"), None);
        assert_eq!(input.money(("amount", "1.001"), ("currency", "CNY")), None);
        assert_eq!(input.money(("limit_amount", "1"), ("limit_currency", "RMB")), None);
        assert_eq!(input.id::<AgencyId>("agency_id", "org_1"), None);
        assert_eq!(input.date("value_date", "2026-2-1"), None);
        assert_eq!(input.ip_addresses("allowed_ips", &["127.0.0.1".to_owned(), "here".to_owned()]), None);
        let error = input.finish(None::<()>).unwrap_err();
        let found: Vec<(Code, &str)> = error.items().iter().map(|item| (item.code, item.pointer().unwrap())).collect();
        let expected = [
            (Code::InvalidValue, "/data/name"),
            (Code::InvalidValue, "/data/country"),
            (Code::TooManyDecimals, "/data/amount"),
            (Code::UnknownCurrency, "/data/limit_currency"),
            (Code::InvalidValue, "/data/agency_id"),
            (Code::InvalidValue, "/data/value_date"),
            (Code::InvalidValue, "/data/allowed_ips/1"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_right_is_read() {
        let mut input = Input::default();
        assert_eq!(input.rate("fee_rate", "0.005").unwrap().to_string(), "0.005");
        assert_eq!(input.time("now", "2026-11-01T08:00:00+08:00").unwrap().to_string(), "2026-11-01T00:00:00.000000Z");
        assert_eq!(input.document("first_document", "2100000001"), Some(2_100_000_001));
        assert_eq!(input.optional_id::<AgencyId>("agency_id", None), Some(None));
        assert!(input.finish(Some(())).is_ok());
        let mut wrong = Input::default();
        assert_eq!((wrong.rate("r", "1e3"), wrong.document("d", "210000001"), wrong.whole("w", 0, 1..=3)), (None, None, None));
    }
}
