//! What a score takes from a limit. A copy stands in the agency's own row, which a sale locks and reads anyway.

use super::assess::{Assessment, RiskStatus};
use crate::db::DbError;
use crate::money::{Currency, Money, MoneyError, Rate};
use rust_decimal::Decimal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caution {
    /// Of an agency that has a score.
    pub grade: Option<String>,
    pub multiplier: Rate,
    pub cap: Option<Money>,
    pub status: RiskStatus,
}

impl Caution {
    /// Of an agency without a score.
    pub fn none() -> Self {
        Caution { grade: None, multiplier: Rate::from(Decimal::ONE), cap: None, status: RiskStatus::A }
    }

    pub(super) fn of(assessment: &Assessment) -> Self {
        Caution {
            grade: Some(assessment.grade.clone()),
            multiplier: assessment.multiplier,
            cap: assessment.cap,
            status: assessment.status,
        }
    }

    /// As the agency's row has it.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, DbError> {
        if text.is_empty() {
            return Ok(Caution::none());
        }
        let corrupt = || DbError::Corrupt(format!("caution {text}"));
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or_else(corrupt);
        let (grade, multiplier, cap, status) = (next()?, next()?, next()?, next()?);
        let cap = match cap {
            "-" => None,
            minor => Some(Money::new(minor.parse().map_err(|_| corrupt())?, currency)),
        };
        Ok(Caution {
            grade: Some(grade.to_owned()),
            multiplier: Rate::parse(multiplier).map_err(|_| corrupt())?,
            cap,
            status: RiskStatus::parse(status).ok_or_else(corrupt)?,
        })
    }

    pub fn text(&self) -> String {
        let Some(grade) = &self.grade else { return String::new() };
        let cap = self.cap.map_or_else(|| "-".to_owned(), |cap| cap.minor.to_string());
        format!("{grade}/{}/{cap}/{}", self.multiplier, self.status.text())
    }

    /// What is left of an amount that policy, baseline and security allow; never more than that. Of an agency in status C it is no more than its security.
    pub fn lower(&self, allowed: Money, security: Money) -> Result<Money, MoneyError> {
        let factor = self.multiplier.decimal().clamp(Decimal::ZERO, Decimal::ONE);
        let lowered = allowed.portion(Rate::from(factor))?;
        let secured = (self.status == RiskStatus::C).then_some(security);
        let bounds = [self.cap, secured].into_iter().flatten();
        Ok(bounds.fold(lowered, |least, bound| if bound.minor < least.minor { bound } else { least }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_caution() -> impl Strategy<Value = Caution> {
        let status = prop_oneof![Just(RiskStatus::A), Just(RiskStatus::B), Just(RiskStatus::C)];
        // Also what no card can say.
        (-20_000i64..30_000, proptest::option::of(0..i64::MAX), status).prop_map(|(multiplier, cap, status)| Caution {
            grade: Some("B".into()),
            multiplier: Rate::from(Decimal::new(multiplier, 4)),
            cap: cap.map(|minor| Money::new(minor, Currency::CNY)),
            status,
        })
    }

    proptest! {
        #[test]
        fn a_score_only_lowers(caution in any_caution(), allowed in 0..i64::MAX, security in 0..i64::MAX) {
            let cny = |minor| Money::new(minor, Currency::CNY);
            let lowered = caution.lower(cny(allowed), cny(security)).unwrap();
            prop_assert!(lowered.minor <= allowed && lowered.minor >= 0, "{lowered}");
            prop_assert!(caution.status != RiskStatus::C || lowered.minor <= security);
            prop_assert!(caution.cap.is_none_or(|cap| lowered.minor <= cap.minor));
            prop_assert_eq!(Caution::none().lower(cny(allowed), cny(0)).unwrap(), cny(allowed));
        }

        #[test]
        fn it_is_stored_as_text_and_read_again(caution in any_caution()) {
            prop_assert_eq!(Caution::parse(&caution.text(), Currency::CNY).unwrap(), caution);
        }
    }

    #[test]
    fn an_agency_without_a_score_has_no_text() {
        assert_eq!((Caution::none().text(), Caution::parse("", Currency::CNY).unwrap()), (String::new(), Caution::none()));
        for text in ["B", "B/1/-", "B/x/-/A", "B/1/-/D", "B/1/a/A"] {
            assert!(Caution::parse(text, Currency::CNY).is_err(), "{text}");
        }
    }
}
