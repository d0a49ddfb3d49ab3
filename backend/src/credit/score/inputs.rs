//! What a decision is made from, as it is stored with it: names and whole numbers.

use super::characteristic::Characteristic;
use crate::db::DbError;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// What there is nothing to measure by is not there.
    pub values: BTreeMap<Characteristic, i64>,
    /// In the last year, for the risk history.
    pub defaults: i64,
    pub late: i64,
}

const DEFAULTS: &str = "history_defaults";
const LATE: &str = "history_late";

impl Inputs {
    pub fn value(&self, of: Characteristic) -> Option<i64> {
        self.values.get(&of).copied()
    }

    pub(super) fn parse(text: &str) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("inputs of a score: {text}"));
        let mut inputs = Inputs::default();
        for part in text.split(' ') {
            let (name, number) = part.split_once('=').ok_or_else(corrupt)?;
            let number = number.parse().map_err(|_| corrupt())?;
            match name {
                DEFAULTS => inputs.defaults = number,
                LATE => inputs.late = number,
                name => drop(inputs.values.insert(Characteristic::parse(name).ok_or_else(corrupt)?, number)),
            }
        }
        Ok(inputs)
    }

    /// Where two differ: the name, with what one and the other say.
    pub fn differences(&self, other: &Inputs) -> Vec<(String, Option<i64>, Option<i64>)> {
        let named = |name: &str, one: i64, other: i64| (name.to_owned(), Some(one), Some(other));
        let mut all: Vec<(String, Option<i64>, Option<i64>)> =
            Characteristic::ALL.iter().map(|of| (of.to_string(), self.value(*of), other.value(*of))).collect();
        all.extend([named(DEFAULTS, self.defaults, other.defaults), named(LATE, self.late, other.late)]);
        all.retain(|(_, one, other)| one != other);
        all
    }
}

/// As it is stored.
impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.values {
            write!(f, "{name}={value} ")?;
        }
        write!(f, "{DEFAULTS}={} {LATE}={}", self.defaults, self.late)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inputs_are_stored_as_text_and_read_again(values in proptest::collection::vec(any::<Option<i64>>(), 14), history in any::<(i64, i64)>()) {
            let values = Characteristic::ALL.iter().zip(values).filter_map(|(of, value)| Some((*of, value?))).collect();
            let inputs = Inputs { values, defaults: history.0, late: history.1 };
            prop_assert_eq!(Inputs::parse(&inputs.to_string()).unwrap(), inputs);
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_input() {
        for text in ["", "tenure", "tenure=x", "colour=1"] {
            assert!(Inputs::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn differences_are_named() {
        let one = Inputs::parse("tenure=3 voids=10 history_defaults=0 history_late=1").unwrap();
        let other = Inputs::parse("voids=10 history_defaults=0 history_late=2").unwrap();
        let expected = [("tenure".to_owned(), Some(3), None), ("history_late".to_owned(), Some(1), Some(2))];
        assert_eq!(one.differences(&other), expected);
        assert!(one.differences(&one).is_empty());
    }
}
