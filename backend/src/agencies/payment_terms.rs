//! When an agency pays, and when an airline is paid: a part of their contracts.

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

/// When an airline is paid for a ticket. At once it is paid ahead from a bank line; else with own money, on a day that is worked in the agency's country.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AirlinePayment {
    #[default]
    Instant,
    /// On the next working day.
    NextWorkingDay,
    /// So many days after the last day of the ticket's cycle.
    AfterCycle { days: i64 },
}

impl AirlinePayment {
    pub fn text(self) -> &'static str {
        match self {
            AirlinePayment::Instant => "instant",
            AirlinePayment::NextWorkingDay => "t_plus_1",
            AirlinePayment::AfterCycle { .. } => "cycle",
        }
    }

    /// Of the cycle's; zero for the others.
    pub fn days(self) -> i64 {
        if let AirlinePayment::AfterCycle { days } = self { days } else { 0 }
    }

    pub fn parse(text: &str, days: i64) -> Option<Self> {
        match text {
            "instant" => Some(AirlinePayment::Instant),
            "t_plus_1" => Some(AirlinePayment::NextWorkingDay),
            "cycle" => Some(AirlinePayment::AfterCycle { days }),
            _ => None,
        }
    }
}

/// The default is what every contract had before these could be chosen: half-monthly, due when it is due, and the airline paid at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentTerms {
    pub cycle_rule: CycleRule,
    pub due_rule: DueRule,
    pub airline: AirlinePayment,
}
