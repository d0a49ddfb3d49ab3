//! The decision of a sale from facts read under lock: pure, in arrival order, each decision seeing the ones before it.

use super::held::{HeldFacts, check_held, check_hold_limit};
use super::plan::{Intent, IssueOrder, TicketPlan};
use super::refusal::Refusal;
use super::velocity::admit;
use crate::agencies::{Agency, AgencyStatus, AirlinePayment, FreezeScope, TenderOrder};
use crate::airlines::{AirlineStatus, StockRow};
use crate::clock::Timestamp;
use crate::credit::{Alerts, FacilityState, Funding, Standing, Usage, gate};
use crate::db::WriteTx;
use crate::ids::{AgencyId, AirlineId, FacilityId, OrderId};
use crate::money::{Money, MoneyError};
use crate::ordering::{HeldState, Tender, TenderWish};
use crate::risk::velocity::Watch;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// An agency as this batch has left it so far.
#[derive(Clone, Debug)]
pub struct AgencyFacts {
    pub agency: Agency,
    pub standing: Standing,
    pub limit: Money,
    /// How much of the limit was used before this batch.
    pub before: Usage,
}

impl AgencyFacts {
    pub fn of(agency: Agency, standing: Standing, limit: Money) -> Result<Self, MoneyError> {
        let before = Usage { exposure: standing.exposure()?, limit };
        Ok(AgencyFacts { agency, standing, limit, before })
    }
}

#[derive(Clone, Debug)]
pub struct AirlineFacts {
    pub status: AirlineStatus,
    pub stock: Vec<StockRow>,
}

#[derive(Clone, Copy, Debug)]
pub struct SeatFacts {
    pub capacity: i64,
    pub sold: i64,
    /// The last change of the departure; zero where it flies as scheduled.
    pub schedule_change: i64,
}

/// Everything that a batch decides from.
#[derive(Clone, Debug)]
pub struct Facts {
    pub now: Timestamp,
    pub agencies: BTreeMap<AgencyId, AgencyFacts>,
    pub airlines: BTreeMap<AirlineId, AirlineFacts>,
    pub facilities: Vec<FacilityState>,
    pub seats: BTreeMap<i64, SeatFacts>,
    /// Those that are being paid.
    pub held: BTreeMap<OrderId, HeldFacts>,
    /// Of agencies that want to hold another one.
    pub unpaid_holds: BTreeMap<AgencyId, i64>,
    /// What velocity rules look at, where there are any.
    pub watch: Option<Watch>,
    /// Agencies that a velocity rule has frozen in this batch, with its code.
    pub to_freeze: Vec<(AgencyId, String)>,
}

impl Facts {
    /// The limits that this batch has crossed, of those whose exposure it has changed: a refusal leaves no trace.
    pub fn alerts(&self, tx: &WriteTx) -> Result<Alerts, MoneyError> {
        let mut alerts = Alerts::default();
        for facts in self.agencies.values() {
            let after = Usage { exposure: facts.standing.exposure()?, limit: facts.limit };
            if after != facts.before {
                alerts.observe(tx, &facts.agency, facts.before, after);
            }
        }
        Ok(alerts)
    }
}

/// What a sale may do: who pays, which line, which documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// `None` for an order that is only held: nothing pays for it yet.
    pub tender: Option<Tender>,
    /// The line that the airline's share is held on; `None` for a wallet sale, where the airline is owed nothing, or is not paid at once.
    pub facility: Option<FacilityId>,
    /// The first document number of each ticket; those with more than four coupons have the next ones too. None for an order that is only held.
    pub documents: Vec<i64>,
}

impl Decision {
    /// Who pays an airline of this order: the line that its share is held on, if one is.
    pub(super) fn funding(&self, line: Option<FacilityId>) -> Funding {
        match (line, self.tender) {
            (Some(_), _) => Funding::Line,
            (None, Some(Tender::Wallet)) => Funding::Client,
            (None, _) => Funding::Own,
        }
    }
}

/// What an order adds to what the limits count. An exchange adds the difference to the tickets that are given in.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub price: Money,
    pub commission: Money,
    /// To be held on a line.
    pub airline: Money,
    pub advances: i64,
    /// Holds that end with it.
    pub released: Vec<Released>,
}

/// A hold of a ticket that is given in, whose airline is not paid for it any more.
#[derive(Clone, Debug)]
pub(super) struct Released {
    pub facility: FacilityId,
    pub airline: AirlineId,
    pub amount: Money,
    /// Advances that are not in flight any more.
    pub advances: i64,
}

impl Totals {
    fn of(order: &IssueOrder) -> Result<Self, MoneyError> {
        let splits = || order.tickets.iter().map(|ticket| &ticket.split);
        let sum = |leg: fn(&crate::catalogue::split::Split) -> Money| Money::sum(order.currency, splits().map(leg));
        Ok(Totals {
            price: sum(|split| split.price)?,
            commission: sum(|split| split.commission)?,
            airline: sum(|split| split.airline)?,
            advances: i64::try_from(splits().filter(|split| split.airline.minor > 0).count()).unwrap_or(i64::MAX),
            released: Vec::new(),
        })
    }

    /// What the agency owes or pays: the price less its commission.
    fn net(&self) -> Result<Money, MoneyError> {
        self.price.checked_sub(self.commission)
    }
}

/// Checks every rule, then changes the facts. A refusal leaves them as they were.
pub fn decide(facts: &mut Facts, order: &IssueOrder) -> Result<Result<Decision, Refusal>, MoneyError> {
    let totals = Totals::of(order)?;
    decide_on(facts, order, &totals)
}

/// The same with totals of the caller's.
pub(super) fn decide_on(facts: &mut Facts, order: &IssueOrder, totals: &Totals) -> Result<Result<Decision, Refusal>, MoneyError> {
    let checked = check(facts, order, totals)?;
    let checked = checked.and_then(|decision| admit(facts, order).map(|()| decision));
    if let Ok(decision) = &checked {
        apply(facts, order, totals, decision)?;
    }
    Ok(checked)
}

fn check(facts: &Facts, order: &IssueOrder, totals: &Totals) -> Result<Result<Decision, Refusal>, MoneyError> {
    // An id that was valid when the order was built and is gone now can only have been closed.
    let Some(agency) = facts.agencies.get(&order.agency) else { return Ok(Err(Refusal::AgencyClosed)) };
    let Some(airline) = facts.airlines.get(&order.airline) else {
        return Ok(Err(Refusal::AirlineStopped { carrier: order.carrier.clone() }));
    };
    let parties = check_parties(agency, airline, order).and_then(|()| check_hold_limit(facts, &agency.agency, order));
    let parties = parties.and_then(|()| check_held(facts, order));
    let parties = parties.and_then(|()| check_seats(facts, order));
    if let Intent::Hold(_) = order.intent {
        return Ok(parties.map(|()| Decision { tender: None, facility: None, documents: Vec::new() }));
    }
    let documents = match parties.and_then(|()| take_documents(airline, order)) {
        Ok(documents) => documents,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let tender = match (order.tender, agency.agency.tender_order) {
        (TenderWish::Credit, _) => check_credit(facts, agency, order, totals)?,
        (TenderWish::Wallet, _) | (TenderWish::AgencyOrder, TenderOrder::WalletOnly) => check_wallet(agency, totals)?,
        (TenderWish::AgencyOrder, TenderOrder::CreditThenWallet) => match check_credit(facts, agency, order, totals)? {
            Ok(credit) => Ok(credit),
            // The wallet is the second choice: when it cannot pay either, the first refusal is what the agent needs to read.
            Err(refusal) => check_wallet(agency, totals)?.map_err(|_| refusal),
        },
    };
    Ok(tender.map(|(tender, facility)| Decision { tender: Some(tender), facility, documents }))
}

fn check_parties(agency: &AgencyFacts, airline: &AirlineFacts, order: &IssueOrder) -> Result<(), Refusal> {
    if agency.agency.frozen.has(FreezeScope::Api) {
        return Err(Refusal::AgencyApiFrozen);
    }
    // A frozen agency is one whose sales are.
    match agency.agency.status {
        AgencyStatus::Active => {}
        AgencyStatus::Frozen => return Err(Refusal::AgencyFrozen),
        AgencyStatus::Closed => return Err(Refusal::AgencyClosed),
    }
    if agency.agency.currency != order.currency {
        return Err(Refusal::CurrencyMismatch { agency_currency: agency.agency.currency.to_string() });
    }
    match airline.status {
        AirlineStatus::Active => Ok(()),
        AirlineStatus::Stopped => Err(Refusal::AirlineStopped { carrier: order.carrier.clone() }),
    }
}

fn check_seats(facts: &Facts, order: &IssueOrder) -> Result<(), Refusal> {
    for demand in &order.seats {
        let bucket = facts.seats.get(&demand.bucket).copied();
        let unsold = SeatFacts { capacity: demand.capacity, sold: 0, schedule_change: 0 };
        let bucket = bucket.unwrap_or(unsold);
        // What an exchange gives back is given back whatever became of the flight.
        if demand.seats > 0 && bucket.schedule_change != demand.schedule_change {
            return Err(Refusal::ScheduleChanged { flight: demand.flight.clone() });
        }
        let left = bucket.capacity - bucket.sold;
        if left < demand.seats {
            let (flight, booking_class) = (demand.flight.clone(), demand.booking_class);
            return Err(Refusal::SeatsSoldOut { flight, booking_class, left, asked: demand.seats });
        }
    }
    Ok(())
}

/// The next free numbers, from as many ranges as it takes; those of one ticket follow each other in one range. A range that has too few left for a
/// long ticket is passed over and keeps them for short ones.
fn take_documents(airline: &AirlineFacts, order: &IssueOrder) -> Result<Vec<i64>, Refusal> {
    let mut free: Vec<(i64, i64)> = airline.stock.iter().map(|range| (range.next_document, range.last_document)).collect();
    let take = |ticket: &TicketPlan| {
        let (next, _) = free.iter_mut().find(|(next, last)| last - *next + 1 >= ticket.documents())?;
        let first = *next;
        *next += ticket.documents();
        Some(first)
    };
    let taken: Option<Vec<i64>> = order.tickets.iter().map(take).collect();
    taken.ok_or_else(|| Refusal::StockExhausted { carrier: order.carrier.clone() })
}

type Paid = Result<(Tender, Option<FacilityId>), Refusal>;

fn check_credit(facts: &Facts, agency: &AgencyFacts, order: &IssueOrder, totals: &Totals) -> Result<Paid, MoneyError> {
    let exposure = agency.standing.exposure()?;
    let after = exposure.checked_add(totals.net()?)?;
    // What adds nothing passes: a limit that was lowered since stops only new exposure.
    if after.minor > exposure.minor && after.minor > agency.limit.minor {
        return Ok(Err(Refusal::LimitExceeded {
            short_minor: after.checked_sub(agency.limit)?.minor,
            limit_minor: agency.limit.minor,
            exposure_minor: exposure.minor,
            currency: after.currency.to_string(),
        }));
    }
    // On its own terms the airline is paid later, with own money: no line is needed.
    if totals.airline.minor == 0 || order.airline_payment != AirlinePayment::Instant {
        return Ok(Ok((Tender::Credit, None)));
    }
    let line = check_facilities(facts, order.airline, totals)?;
    Ok(line.map(|facility| (Tender::Credit, Some(facility))))
}

/// Of the open lines of the currency that have room, also for this airline, the cheapest; then the one with most headroom; then the oldest. Where none
/// has, an exhausted line is named before a closed one, because it says how much is short: the least.
fn check_facilities(facts: &Facts, airline: AirlineId, totals: &Totals) -> Result<Result<FacilityId, Refusal>, MoneyError> {
    let currency = totals.airline.currency;
    let (mut best, mut least_short, mut closed) = (None, None, None);
    for state in facts.facilities.iter().filter(|state| state.facility.limit.currency == currency) {
        if let Err(reason) = gate(state, totals.advances, facts.now) {
            closed = Some(reason);
            continue;
        }
        let short = short_on(state, airline, totals)?;
        if short.minor > 0 {
            least_short = Some(least_short.map_or(short.minor, |least: i64| least.min(short.minor)));
            continue;
        }
        let headroom = state.facility.limit.checked_sub(state.drawn.checked_add(state.held)?)?;
        let order = (state.facility.cost(), Reverse(headroom.minor), state.facility.id);
        if best.as_ref().is_none_or(|known| order < *known) {
            best = Some(order);
        }
    }
    Ok(match (best, least_short, closed) {
        (Some((_, _, id)), ..) => Ok(id),
        (None, Some(short_minor), _) => Err(Refusal::FacilityExhausted { short_minor, currency: currency.to_string() }),
        (None, None, Some(closed)) => Err(Refusal::FacilityClosed { reason: closed.reason().to_owned() }),
        (None, None, None) => Err(Refusal::NoFacility { currency: currency.to_string() }),
    })
}

/// What a line, or an airline's part of it, lacks for this; not more than zero where it has room.
fn short_on(state: &FacilityState, airline: AirlineId, totals: &Totals) -> Result<Money, MoneyError> {
    let released = totals.released.iter().filter(|one| one.facility == state.facility.id);
    let own = Money::sum(totals.airline.currency, released.map(|one| one.amount))?;
    let adds = totals.airline.checked_sub(own)?;
    let short = state.drawn.checked_add(state.held)?.checked_add(adds)?.checked_sub(state.facility.limit)?;
    let Some(part) = state.facility.sublimits.iter().find(|part| part.airline == airline) else { return Ok(short) };
    let short_of_part = part.used.checked_add(adds)?.checked_sub(part.limit)?;
    Ok(if short_of_part.minor > short.minor { short_of_part } else { short })
}

fn check_wallet(agency: &AgencyFacts, totals: &Totals) -> Result<Paid, MoneyError> {
    let short = totals.net()?.checked_sub(agency.standing.wallet)?;
    if short.minor > 0 {
        let balance_minor = agency.standing.wallet.minor;
        let currency = short.currency.to_string();
        return Ok(Err(Refusal::WalletInsufficient { short_minor: short.minor, balance_minor, currency }));
    }
    Ok(Ok((Tender::Wallet, None)))
}

/// From here on the sale must succeed: nothing below refuses.
fn apply(facts: &mut Facts, order: &IssueOrder, totals: &Totals, decision: &Decision) -> Result<(), MoneyError> {
    if let Some(agency) = facts.agencies.get_mut(&order.agency) {
        let standing = &mut agency.standing;
        match decision.tender {
            Some(Tender::Credit) => {
                standing.receivable = standing.receivable.checked_add(totals.price)?;
                standing.commission = standing.commission.checked_add(totals.commission)?;
            }
            Some(Tender::Wallet) => standing.wallet = standing.wallet.checked_sub(totals.net()?)?,
            None => {}
        }
    }
    let line = facts.facilities.iter_mut().find(|state| Some(state.facility.id) == decision.facility);
    if let Some(state) = line {
        state.held = state.held.checked_add(totals.airline)?;
        state.facility.unconfirmed += totals.advances;
        if let Some(part) = state.facility.sublimits.iter_mut().find(|part| part.airline == order.airline) {
            part.used = part.used.checked_add(totals.airline)?;
        }
    }
    for released in &totals.released {
        let line = facts.facilities.iter_mut().find(|state| state.facility.id == released.facility);
        if let Some(state) = line {
            state.held = state.held.checked_sub(released.amount)?;
            state.facility.unconfirmed -= released.advances;
            if let Some(part) = state.facility.sublimits.iter_mut().find(|part| part.airline == released.airline) {
                part.used = part.used.checked_sub(released.amount)?;
            }
        }
    }
    let now = facts.now;
    if let Some(paid) = order.pays().and_then(|id| facts.held.get_mut(&id)) {
        paid.held.state = HeldState::Paid;
        paid.held.ended_at = Some(now);
    }
    if let Some(unpaid) = facts.unpaid_holds.get_mut(&order.agency) {
        *unpaid += match order.intent {
            Intent::Hold(_) => 1,
            Intent::Pay(_) => -1,
            Intent::Issue => 0,
        };
    }
    for demand in &order.seats {
        let unsold = SeatFacts { capacity: demand.capacity, sold: 0, schedule_change: demand.schedule_change };
        facts.seats.entry(demand.bucket).or_insert(unsold).sold += demand.seats;
    }
    let stock = facts.airlines.get_mut(&order.airline).map(|airline| airline.stock.as_mut_slice()).unwrap_or_default();
    for (first, ticket) in decision.documents.iter().zip(&order.tickets) {
        let range = stock.iter_mut().find(|range| (range.next_document..=range.last_document).contains(first));
        if let Some(range) = range {
            range.next_document = first + ticket.documents();
        }
    }
    Ok(())
}
