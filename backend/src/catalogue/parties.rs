//! Who may travel with whom: children and infants are accompanied by somebody old enough.

use super::records::{Row, Table};
use super::{CatalogueError, PassengerKind, Period};
use chrono::NaiveDate;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyRule {
    period: Period,
    /// Years on the first day of travel from which somebody may accompany children and infants.
    pub accompanying_age: u8,
}

#[derive(Debug)]
pub struct Parties(Vec<PartyRule>);

impl Parties {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        table.rows(rule).map(Parties)
    }

    /// The rule that is in force on this day of issue.
    pub fn rule(&self, issued_on: NaiveDate) -> Option<&PartyRule> {
        self.0.iter().find(|rule| rule.period.contains(issued_on))
    }
}

impl PartyRule {
    /// Whether those who need company have it. Who did not say an age may be old enough: the order asks for the date of birth.
    pub fn is_accompanied(&self, party: impl IntoIterator<Item = (PassengerKind, Option<u8>)> + Clone) -> bool {
        let needs_company = party.clone().into_iter().any(|(kind, _)| kind != PassengerKind::Adult);
        let old_enough = |age: Option<u8>| age.is_none_or(|age| age >= self.accompanying_age);
        !needs_company || party.into_iter().any(|(kind, age)| kind == PassengerKind::Adult && old_enough(age))
    }
}

fn rule(row: &Row<'_>) -> Result<PartyRule, CatalogueError> {
    Ok(PartyRule { period: row.period()?, accompanying_age: row.parsed("accompanying_age")? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    #[test]
    fn a_child_travels_with_somebody_of_eighteen() {
        let rule = catalogue().parties.rule(date("2026-11-22")).unwrap();
        use PassengerKind::{Adult, Child, Infant};
        assert!(rule.is_accompanied([(Adult, None), (Child, Some(8))]));
        assert!(rule.is_accompanied([(Adult, Some(18)), (Infant, None)]));
        assert!(
            !rule.is_accompanied([(Adult, Some(12)), (Child, Some(8))]),
            "a 12-year-old pays the adult fare and is no company"
        );
        assert!(!rule.is_accompanied([(Child, Some(8))]));
        assert!(rule.is_accompanied([(Adult, Some(12))]));
    }
}
