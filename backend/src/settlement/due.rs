//! When a cycle has to be paid: payment days after its last day, moved over holidays of the agency's country as its contracts say. And when an airline is to be
//! paid for a ticket, by the terms that it was sold on.

use crate::agencies::{Agency, AirlinePayment, Contract, Cycle, DueRule, PaymentTerms};
use crate::catalogue::calendar::Calendar;
use chrono::{Days, NaiveDate};

/// The terms that a cycle is paid under.
#[derive(Clone, Debug)]
pub struct DueTerms<'c> {
    pub due_on: NaiveDate,
    /// The contract that decided it.
    pub contract: Option<&'c Contract>,
}

/// An agency has a contract with each airline and pays a cycle once: the terms in force on its last day that fall due first. Versions that were replaced
/// by then, and contracts that bill by another rule, decide only where nothing else does.
pub fn due_terms<'c>(calendar: &Calendar, agency: &Agency, cycle: Cycle, contracts: &'c [Contract]) -> DueTerms<'c> {
    let last_day = cycle.last_day();
    let signed = contracts.iter().filter(|known| known.currency == agency.currency);
    let begun: Vec<&Contract> = signed.filter(|known| known.effective_from <= last_day).collect();
    let is_replaced = |one: &Contract| begun.iter().any(|other| other.airline == one.airline && other.version > one.version);
    let current = || begun.iter().copied().filter(|one| !is_replaced(one));
    let of_rule = current().filter(|one| one.payment.cycle_rule == cycle.rule());
    let dated = |one: &'c Contract| (due_date(calendar, &agency.country, last_day, one), one);
    let first = of_rule.map(dated).min_by_key(|(due, one)| (*due, one.id));
    let first = first.or_else(|| current().map(dated).min_by_key(|(due, one)| (*due, one.id)));
    let first = first.or_else(|| contracts.iter().map(dated).min_by_key(|(due, one)| (*due, one.id)));
    match first {
        Some((due_on, contract)) => DueTerms { due_on, contract: Some(contract) },
        None => DueTerms { due_on: last_day, contract: None },
    }
}

fn due_date(calendar: &Calendar, country: &str, last_day: NaiveDate, contract: &Contract) -> NaiveDate {
    let days = u64::try_from(contract.payment_days).unwrap_or(0);
    let due = last_day.checked_add_days(Days::new(days)).unwrap_or(last_day);
    let is_worked = |day: &NaiveDate| calendar.is_working_day(country, *day);
    let moved = match contract.payment.due_rule {
        DueRule::Unmoved => Some(due),
        DueRule::NextWorkingDay => due.iter_days().take(LONGEST_HOLIDAY).find(is_worked),
        // Not before the cycle is over.
        DueRule::PreviousWorkingDay => {
            std::iter::successors(Some(due), NaiveDate::pred_opt).take_while(|day| *day > last_day).find(is_worked)
        }
    };
    moved.unwrap_or(due)
}

/// When an airline is to be paid for a ticket that was sold on one ledger date and issued on one of the point of sale.
pub fn airline_due(
    calendar: &Calendar,
    country: &str,
    terms: &PaymentTerms,
    sold_on: NaiveDate,
    issued_on: NaiveDate,
) -> NaiveDate {
    match terms.airline {
        AirlinePayment::Instant => sold_on,
        AirlinePayment::NextWorkingDay => calendar.working_day_after(country, sold_on, 1),
        AirlinePayment::AfterCycle { days } => {
            let last_day = terms.cycle_rule.cycle_of(issued_on).last_day();
            let due = last_day.checked_add_days(Days::new(u64::try_from(days).unwrap_or(0))).unwrap_or(last_day);
            let is_worked = |day: &NaiveDate| calendar.is_working_day(country, *day);
            due.iter_days().take(LONGEST_HOLIDAY).find(is_worked).unwrap_or(due)
        }
    }
}

/// Days in a row of which one is worked in every country.
const LONGEST_HOLIDAY: usize = 60;
