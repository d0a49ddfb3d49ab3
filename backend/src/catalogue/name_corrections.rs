//! Name corrections: how much of a name may be corrected once it stands on a ticket. More than that is another person, who needs a ticket of
//! their own.

use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{CarrierCode, CatalogueError, Period};
use chrono::NaiveDate;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameCorrection {
    carrier: Option<CarrierCode>,
    period: Period,
    /// Letters of each name that are added, left out or replaced.
    pub letters_at_most: usize,
    /// The same as a share of the name on the ticket: a short name is not corrected into another one.
    pub percent_at_most: usize,
}

#[derive(Debug)]
pub struct NameCorrections(Vec<NameCorrection>);

impl NameCorrections {
    pub(super) fn read(table: Table) -> Result<Self, CatalogueError> {
        table.rows(correction).map(NameCorrections)
    }

    /// The rule for a ticket issued on this date: the carrier's own, else that of all.
    pub fn of(&self, carrier: CarrierCode, issued_on: NaiveDate) -> Option<&NameCorrection> {
        let applies = |rule: &&NameCorrection| rule.period.contains(issued_on) && rule.carrier.is_none_or(|own| own == carrier);
        self.0.iter().filter(applies).max_by_key(|rule| rule.carrier.is_some())
    }
}

impl NameCorrection {
    /// Whether `name` is still the name on the ticket. Capital and small letters are the same.
    pub fn allows(&self, ticketed: &str, name: &str) -> bool {
        let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
        let (ticketed, name) = (letters(ticketed), letters(name));
        let changed = edits(&ticketed, &name);
        changed <= self.letters_at_most && changed * 100 <= self.percent_at_most * ticketed.len()
    }
}

/// The fewest letters to add, leave out or replace to make one name of the other.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.iter().enumerate() {
        let mut above_left = index;
        let mut left = index + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(to) {
            let replaced = above_left + usize::from(letter != other);
            above_left = *cell;
            left = replaced.min(left + 1).min(above_left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn correction(row: &Row<'_>) -> Result<NameCorrection, CatalogueError> {
    Ok(NameCorrection {
        carrier: carrier_or_all(row)?,
        period: row.period()?,
        letters_at_most: row.parsed("letters_at_most")?,
        percent_at_most: row.with("percent_at_most", |text| text.parse().ok().filter(|percent| *percent <= 100))?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;
    use proptest::prelude::*;

    fn allows(carrier: &str, ticketed: &str, name: &str) -> bool {
        let rule = catalogue().name_corrections.of(CarrierCode::parse(carrier).unwrap(), date("2026-11-22")).unwrap();
        rule.allows(ticketed, name)
    }

    #[test]
    fn slips_of_the_pen_are_corrected() {
        for (ticketed, name) in [
            ("Zhang", "Zhang"),
            ("Zhnag", "Zhang"),
            ("ZHAN", "Zhang"),
            ("Xiaoming", "Xiaomei"),
            ("Jonson", "Johnsson"),
            ("伟民", "伟明"),
        ] {
            assert!(allows("CA", ticketed, name), "{ticketed} {name}");
        }
    }

    #[test]
    fn another_person_is_not_a_correction() {
        // The last two: few letters, but most of the name.
        for (ticketed, name) in [("Zhang", "Ouyang"), ("Christopher", "Christ"), ("Li", "Wu"), ("张", "李")] {
            assert!(!allows("CA", ticketed, name), "{ticketed} {name}");
        }
    }

    #[test]
    fn a_carrier_may_correct_nothing() {
        assert!(allows("9C", "Zhang", "ZHANG"));
        assert!(!allows("9C", "Zhnag", "Zhang"));
    }

    proptest! {
        #[test]
        fn edits_are_a_distance(one in "[a-d]{0,8}", other in "[a-d]{0,8}", third in "[a-d]{0,8}") {
            let of = |from: &str, to: &str| edits(&from.chars().collect::<Vec<_>>(), &to.chars().collect::<Vec<_>>());
            prop_assert_eq!(of(&one, &other) == 0, one == other);
            prop_assert_eq!(of(&one, &other), of(&other, &one));
            prop_assert!(of(&one, &third) <= of(&one, &other) + of(&other, &third));
            prop_assert!(of(&one, &other) >= one.len().abs_diff(other.len()));
        }
    }
}
