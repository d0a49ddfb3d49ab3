//! What a name, a contact and a document must look like to be put on a ticket.

use super::create_order::{Gender, Title};
use super::offer_request::{date, kind_of_age};
use crate::ordering;
use crate::shopping::offer::PassengerKind;
use chrono::{Datelike, NaiveDate};

const MAX_NAME_LENGTH: usize = 40;
const MAX_AGE: i32 = 120;

/// Letters of any script, spaces, hyphens, apostrophes and the dot that Chinese puts between the parts of a foreign name.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    let allowed = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '·');
    let begins_and_ends = |test: fn(char) -> bool| name.chars().next().is_some_and(test) && name.chars().last().is_some_and(test);
    if length == 0 || length > MAX_NAME_LENGTH || !name.chars().all(allowed) || !begins_and_ends(|c| c.is_alphabetic()) {
        return Err(format!("A name is 1 to {MAX_NAME_LENGTH} letters, with spaces, hyphens and apostrophes only between them."));
    }
    Ok(())
}

/// Enough to be deliverable in form: one `@`, a domain with a dot, no spaces.
pub fn check_email(email: &str) -> Result<(), String> {
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
        edge(label.chars().next()) && edge(label.chars().last()) && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let visible = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"' | ',' | ';' | '@');
    let fits = match email.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && local.len() <= 64
                && local.chars().all(visible)
                && domain.contains('.')
                && domain.split('.').all(label)
        }
        None => false,
    };
    if fits && email.len() <= 254 { Ok(()) } else { Err("This is not an e-mail address.".to_owned()) }
}

/// E.164: `+`, a country code that does not begin with 0, at most 15 digits.
pub fn check_phone(phone: &str) -> Result<(), String> {
    let digits = phone.strip_prefix('+').unwrap_or_default();
    let fits = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if fits { Ok(()) } else { Err("A phone number is in E.164 form, such as `+8613800138000`.".to_owned()) }
}

macro_rules! same_words {
    ($name:ident { $($variant:ident),+ }) => {
        impl From<ordering::$name> for $name {
            fn from(value: ordering::$name) -> Self { match value { $(ordering::$name::$variant => $name::$variant),+ } }
        }
        impl From<$name> for ordering::$name {
            fn from(value: $name) -> Self { match value { $($name::$variant => ordering::$name::$variant),+ } }
        }
    };
}

same_words!(Title { Mr, Ms, Mrs, Miss, Dr });
same_words!(Gender { M, F });

/// Full years lived on a day; someone born on 29 February has a birthday on 1 March in common years.
pub fn age_on(day: NaiveDate, born_on: NaiveDate) -> i32 {
    let had_birthday = (day.month(), day.day()) >= (born_on.month(), born_on.day());
    day.year() - born_on.year() - i32::from(!had_birthday)
}

/// The days of an itinerary that a passenger's age is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TravelDates {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// Whether someone born on this date is what was priced. Clients know the age on the first or on the last day of travel, so either
/// will do, but whoever sits on a lap must be under two to the end.
pub fn check_birth(text: &str, priced: PassengerKind, declared: Option<u8>, travel: TravelDates) -> Result<NaiveDate, String> {
    let born_on = date(text).ok_or("A date of birth is written as `1990-12-31`.")?;
    let (first, last) = (age_on(travel.first, born_on), age_on(travel.last, born_on));
    if first < 0 || last > MAX_AGE {
        return Err(format!("The passenger would be {first} years old on the first day of travel."));
    }
    let ages = [first, last].map(|age| u8::try_from(age).unwrap_or(u8::MAX));
    if declared.is_some_and(|declared| !ages.contains(&declared)) {
        let declared = declared.unwrap_or_default();
        return Err(format!("The price is for an age of {declared}; this passenger is {first} on the first day of travel."));
    }
    let fits = match priced {
        PassengerKind::Infant => ages.iter().all(|age| kind_of_age(*age) == PassengerKind::Infant),
        PassengerKind::Child | PassengerKind::Adult => ages.iter().any(|age| kind_of_age(*age) == priced),
    };
    if fits {
        return Ok(born_on);
    }
    let kind = match priced {
        PassengerKind::Adult => "an adult (12 years or more)",
        PassengerKind::Child => "a child (2 to 11 years)",
        PassengerKind::Infant => "an infant (under 2 years to the end of travel)",
    };
    Err(format!("The price is for {kind}; this passenger is {first} on the first day of travel and {last} on the last."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        date(text).unwrap()
    }

    #[test]
    fn names_of_many_scripts_fit_and_other_signs_do_not() {
        for name in ["Li", "O'Brien", "Anna-Maria", "José Ángel", "Müller", "张", "欧阳", "买买提·艾力", "Łukasz", "X"]
        {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", " ", "-", "Li2", "Li ", " Li", "A/B", "A\tB", "Mr.", "<b>", "😀", &"a".repeat(41), "O’Brien"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn contacts_are_checked_for_their_form() {
        for email in ["a@b.cn", "first.last+tag@mail.example.com", "李@例子.中国", "a@x-y.co"] {
            assert_eq!(check_email(email), Ok(()), "{email}");
        }
        let long = format!("{}@b.cn", "a".repeat(65));
        for email in ["", "a", "a@", "@b.cn", "a@b", "a@b..cn", "a b@c.cn", "a@b@c.cn", "a@-b.cn", "a\n@b.cn", &long] {
            assert!(check_email(email).is_err(), "{email:?}");
        }
        assert_eq!(check_phone("+8613800138000"), Ok(()));
        for phone in [
            "",
            "13800138000",
            "+0613800138000",
            "+86 138",
            "+1234567",
            "+1234567890123456",
            "+8613800-8000",
            "+１２３４５６７８",
        ] {
            assert!(check_phone(phone).is_err(), "{phone}");
        }
    }

    #[test]
    fn age_counts_birthdays() {
        assert_eq!(age_on(day("2026-12-10"), day("2014-12-10")), 12);
        assert_eq!(age_on(day("2026-12-09"), day("2014-12-10")), 11);
        assert_eq!(age_on(day("2026-02-28"), day("2024-02-29")), 1);
        assert_eq!(age_on(day("2026-03-01"), day("2024-02-29")), 2);
    }

    #[test]
    fn the_age_must_fit_what_was_priced() {
        use PassengerKind::{Adult, Child, Infant};
        let travel = TravelDates { first: day("2026-12-10"), last: day("2026-12-20") };
        let check = |born: &str, kind, declared| check_birth(born, kind, declared, travel).is_ok();
        assert!(check("1990-05-01", Adult, None));
        assert!(!check("1990-05-01", Child, None) && !check("1990-05-01", Infant, None));
        assert!(check("2014-12-10", Adult, None) && !check("2014-12-10", Child, None), "twelve is an adult");
        assert!(check("2014-12-15", Child, None) && check("2014-12-15", Adult, None), "twelve during the journey may be either");
        assert!(check("2024-12-21", Infant, None), "under two on the last day");
        assert!(!check("2024-12-15", Infant, None), "two before the way back");
        assert!(check("2024-12-15", Child, None));
        assert!(check("2015-06-01", Child, Some(11)) && !check("2015-06-01", Child, Some(9)));
        assert!(!check("1990-05-01", Adult, Some(12)), "a grown-up does not travel free of a tax as a twelve-year-old");
        assert!(!check("2027-01-01", Infant, None) && !check("1890-01-01", Adult, None) && !check("1990-5-1", Adult, None));
    }
}
