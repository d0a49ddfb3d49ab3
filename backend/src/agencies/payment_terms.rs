//! When an agency pays: a part of its contracts.

use super::CycleRule;

/// What becomes of a due date that is not worked in the agency's country.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DueRule {
    #[default]
    Unmoved,
    NextWorkingDay,
    PreviousWorkingDay,
}

impl DueRule {
    pub fn text(self) -> &'static str {
        match self {
            DueRule::Unmoved => "unmoved",
            DueRule::NextWorkingDay => "next_working_day",
            DueRule::PreviousWorkingDay => "previous_working_day",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [DueRule::Unmoved, DueRule::NextWorkingDay, DueRule::PreviousWorkingDay].into_iter().find(|rule| rule.text() == text)
    }
}

/// The default is what every contract had before these could be chosen: half-monthly, and due when it is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentTerms {
    pub cycle_rule: CycleRule,
    pub due_rule: DueRule,
}
