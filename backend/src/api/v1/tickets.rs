//! `/v1/tickets`: one ticket with everything that its sale decided and moved.

use super::coupons::CouponChange;
use super::disbursements::{Disbursement, with_attempts};
use super::postings::{LedgerPosting, with_entries};
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, not_found, require_one};
use crate::agencies::{agency, contract};
use crate::airlines::{TicketNumber, airline, check_digit};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Countdown, DataForNow, Page, ok_for_now, page};
use crate::api::error::{Amount, ApiError};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::catalogue::{AirportCode, Catalogue};
use crate::clock::Timestamp;
use crate::commission::{CommissionRule, rules_by_id};
use crate::credit::{advance_of_ticket, settlement_references};
use crate::db::{Db, DbError, stored_currency};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, ContractId, Id, OrderChangeId, OrderId, PassengerId, TicketId};
use crate::ledger::{Event, PostingRow, postings_about};
use crate::money::{Currency, Money};
use crate::ordering::{self, OrderRow, order};
use crate::ticketing::exchange::{TicketExchangeRow, exchanges_of, order_change};
use crate::ticketing::{
    CouponEventRow, CouponRow, IssuedOrder, TaxRow, TicketFilter, TicketRow, coupon_events_of, issued_orders, refund_references,
    ticket_by_number, ticket_numbers, tickets, void_window_ends_at,
};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

choice! {
    /// What paid: the agency's credit or its wallet.
    Tender = ordering::Tender { Credit, Wallet }
}

/// Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketSummary {
    #[schema(example = "tkt_0000000000001")]
    pub id: String,
    /// Thirteen digits: accounting code and document number.
    #[schema(example = "7812100000001")]
    pub number: String,
    /// The thirteen digits modulo 7; never a part of the number.
    #[schema(example = 3)]
    pub check_digit: u8,
    pub order_id: String,
    pub agency_id: String,
    pub airline_id: String,
    /// RFC 3339, UTC.
    pub issued_at: String,
    /// In the zone of the point of sale.
    #[schema(example = "2026-11-01")]
    pub issue_date: String,
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "950.00")]
    pub base_amount: String,
    #[schema(example = "50.00")]
    pub tax_amount: String,
    /// Base + taxes.
    #[schema(example = "1000.00")]
    pub total_amount: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ticket {
    #[serde(flatten)]
    pub ticket: TicketSummary,
    pub booking_reference: String,
    /// As in the order.
    pub passenger_id: String,
    pub tender: Tender,
    pub contract: TicketContract,
    pub fare_calculation: String,
    /// The numbers behind its first one, of a ticket with more than four coupons.
    pub conjunction_numbers: Vec<String>,
    /// Until when its order can be voided, RFC 3339 in UTC; null where it never could.
    pub void_window_ends_at: Option<String>,
    pub taxes: Vec<TicketTax>,
    pub coupons: Vec<TicketCoupon>,
    /// Who gets which part of the price. The parts add up to it exactly.
    pub split: Vec<SplitLeg>,
    /// Every posting about the ticket, oldest first.
    /// The exchanges that it was given in or issued in.
    pub exchanges: Vec<TicketExchange>,
    pub journal: Vec<LedgerPosting>,
    /// The payment of the airline's share; null if there is nothing to pay.
    pub disbursement: Option<Disbursement>,
}

/// The terms that it was sold under.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketContract {
    pub id: String,
    pub version: i64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketTax {
    #[schema(example = "CN")]
    pub code: String,
    #[schema(example = "50.00")]
    pub amount: String,
    /// Who it is for.
    pub payee: String,
    /// Who pays it over: `platform` or `airline`.
    #[schema(example = "platform")]
    pub remitter: String,
}

/// One flight. Its times are local, with the airport's IANA zone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketCoupon {
    /// The number that it is on.
    #[schema(example = "7812100000001")]
    pub ticket_number: String,
    /// 1 to 4, on its number.
    pub number: i64,
    /// The letter of the trade; `O`: open for use.
    #[schema(example = "O")]
    pub status: String,
    /// Every change since the issue, oldest first.
    pub history: Vec<CouponChange>,
    #[schema(example = "MU5101")]
    pub flight: String,
    pub origin: String,
    pub origin_time_zone: Option<String>,
    pub destination: String,
    pub destination_time_zone: Option<String>,
    #[schema(example = "2026-12-01T08:00:00")]
    pub departing_at: String,
    pub arriving_at: String,
    pub booking_class: String,
    pub cabin: String,
    pub fare_basis: String,
    /// Its share of the base fare.
    pub base_amount: String,
    pub checked_bag_kg: i64,
    /// Its share of the ticket's commission; the coupons' add up to it.
    pub commission_amount: String,
    /// The rule that it was earned under; null: the contract's own rate.
    pub commission_rule: Option<TicketRule>,
}

/// A version of a commission rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketRule {
    #[schema(example = "cru_0000000000001")]
    pub id: String,
    #[schema(example = "CA-DOMESTIC")]
    pub code: String,
    pub version: i64,
}

/// Where a part of the price goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitLegKind {
    Airline,
    Authority,
    Commission,
    Fee,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SplitLeg {
    pub kind: SplitLegKind,
    /// An airline, an authority, an agency or the platform.
    pub payee: String,
    /// Of an authority's leg.
    pub tax_code: Option<String>,
    #[schema(example = "915.00")]
    pub amount: String,
}

impl TicketSummary {
    fn of(row: &TicketRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("number of ticket {}", row.id));
        let number = TicketNumber::parse(&row.number).ok_or_else(corrupt)?;
        let currency = currency_of(row)?;
        Ok(TicketSummary {
            id: TicketId::of(row.id).to_string(),
            check_digit: check_digit(&number),
            number: number.to_string(),
            order_id: OrderId::of(row.order_id).to_string(),
            agency_id: AgencyId::of(row.agency_id).to_string(),
            airline_id: AirlineId::of(row.airline_id).to_string(),
            issued_at: time(row.issued_at),
            issue_date: row.issue_date.to_string(),
            currency: row.currency.clone(),
            base_amount: Money::new(row.base_minor, currency).to_string(),
            tax_amount: Money::new(row.tax_minor, currency).to_string(),
            total_amount: Money::new(row.price_minor, currency).to_string(),
        })
    }
}

impl From<&CommissionRule> for TicketRule {
    fn from(version: &CommissionRule) -> Self {
        TicketRule { id: version.id.to_string(), code: version.rule.code.clone(), version: version.version }
    }
}

fn currency_of(row: &TicketRow) -> Result<Currency, DbError> {
    stored_currency(&row.currency)
}

fn tax(row: &TaxRow, currency: Currency) -> TicketTax {
    TicketTax {
        code: row.code.clone(),
        amount: Money::new(row.minor, currency).to_string(),
        payee: row.payee.clone(),
        remitter: row.remitter.clone(),
    }
}

/// What a coupon is shown with.
#[derive(Clone, Copy)]
struct CouponContext<'a> {
    number: &'a str,
    history: &'a [CouponEventRow],
    currency: Currency,
    catalogue: &'a Catalogue,
    rules: &'a [CommissionRule],
}

fn coupon(row: &CouponRow, shown: &CouponContext<'_>) -> TicketCoupon {
    let CouponContext { number, history, currency, catalogue, rules } = *shown;
    let zone = |code: &str| {
        let airport = catalogue.airports.get(AirportCode::parse(code)?)?;
        Some(airport.zone.name().to_owned())
    };
    let local = |at: chrono::NaiveDateTime| at.format("%Y-%m-%dT%H:%M:%S").to_string();
    TicketCoupon {
        ticket_number: number.to_owned(),
        number: row.number_on_document(),
        status: row.status.clone(),
        history: history.iter().filter(|event| event.coupon_id == row.id).map(CouponChange::of).collect(),
        flight: format!("{}{}", row.carrier, row.flight_number),
        origin_time_zone: zone(&row.origin),
        origin: row.origin.clone(),
        destination_time_zone: zone(&row.destination),
        destination: row.destination.clone(),
        departing_at: local(row.departing_at),
        arriving_at: local(row.arriving_at),
        booking_class: row.booking_class.clone(),
        cabin: row.cabin.clone(),
        fare_basis: row.fare_basis.clone(),
        base_amount: Money::new(row.base_minor, currency).to_string(),
        checked_bag_kg: row.checked_bag_kg,
        commission_amount: Money::new(row.commission_minor, currency).to_string(),
        commission_rule: rules.iter().find(|version| Some(version.id.raw()) == row.commission_rule_id).map(TicketRule::from),
    }
}

/// The airline's leg, the authorities' that the platform pays over, the agency's commission and the platform's fee.
fn split(row: &TicketRow, taxes: &[&TaxRow], airline: &str, agency: &str) -> Result<Vec<SplitLeg>, DbError> {
    let currency = currency_of(row)?;
    let leg = |kind, payee: &str, tax_code: Option<&str>, minor| SplitLeg {
        kind,
        payee: payee.to_owned(),
        tax_code: tax_code.map(str::to_owned),
        amount: Money::new(minor, currency).to_string(),
    };
    let mut legs = vec![leg(SplitLegKind::Airline, airline, None, row.airline_minor)];
    let remitted = taxes.iter().filter(|tax| tax.remitter == "platform");
    legs.extend(remitted.map(|tax| leg(SplitLegKind::Authority, &tax.payee, Some(&tax.code), tax.minor)));
    legs.push(leg(SplitLegKind::Commission, agency, None, row.commission_minor));
    legs.push(leg(SplitLegKind::Fee, "Airsettle", None, row.fee_minor));
    Ok(legs)
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TicketExchange {
    pub order_change_id: String,
    /// The number of the ticket that was given in.
    pub given_in: String,
    pub issued: String,
    /// What the airline got on top of the new ticket's share.
    pub penalty: Amount,
    pub at: String,
    /// When it was taken back.
    pub voided_at: Option<String>,
}

fn tender(row: &OrderRow) -> Result<Tender, ApiError> {
    match row.tender()? {
        Some(ordering::Tender::Credit) => Ok(Tender::Credit),
        Some(ordering::Tender::Wallet) => Ok(Tender::Wallet),
        None => Err(ApiError::internal(format!("order {} has a ticket and no tender", row.id))),
    }
}

/// Both ends of every exchange that the ticket was a part of.
fn shown_exchanges(db: &mut Db, row: &TicketRow, exchanges: &[TicketExchangeRow]) -> Result<Vec<TicketExchange>, ApiError> {
    let ids: Vec<TicketId> = exchanges.iter().flat_map(|one| [one.ticket_id, one.given_in_ticket_id]).map(TicketId::of).collect();
    let numbers = ticket_numbers(db, &ids)?;
    let number = |id: i64| numbers.get(&TicketId::of(id)).cloned().unwrap_or_default();
    let currency = currency_of(row)?;
    let mut shown = Vec::with_capacity(exchanges.len());
    for one in exchanges {
        let change = OrderChangeId::of(one.order_change_id);
        let voided_at = order_change(db, change)?.and_then(|change| change.voided_at);
        shown.push(TicketExchange {
            order_change_id: change.to_string(),
            given_in: number(one.given_in_ticket_id),
            issued: number(one.ticket_id),
            penalty: Money::new(one.penalty_minor, currency).into(),
            at: Timestamp::from(one.created_at).to_string(),
            voided_at: voided_at.map(|at| Timestamp::from(at).to_string()),
        });
    }
    Ok(shown)
}

/// Every posting about a ticket, its refunds, its exchange and what was set off against claims, oldest first.
fn journal(db: &mut Db, row: &TicketRow, exchanges: &[TicketExchangeRow]) -> Result<Vec<PostingRow>, DbError> {
    let mut journal = postings_about(db, row.id)?;
    for refund in refund_references(db, TicketId::of(row.id))? {
        journal.extend(postings_about(db, refund)?);
    }
    for settlement in settlement_references(db, TicketId::of(row.id))? {
        journal.extend(postings_about(db, settlement)?);
    }
    for exchange in exchanges.iter().filter(|exchange| exchange.given_in_ticket_id == row.id) {
        let about = postings_about(db, exchange.ticket_id)?;
        let swaps = [Event::TicketExchange.text(), Event::ExchangeVoid.text()];
        journal.extend(about.into_iter().filter(|posting| swaps.contains(&posting.event.as_str())));
    }
    journal.sort_by_key(|posting| posting.id);
    Ok(journal)
}

fn shown(db: &mut Db, row: &TicketRow, catalogue: &Catalogue, now: Timestamp) -> Result<(Ticket, Countdown), ApiError> {
    let missing = |what: &str| ApiError::internal(format!("ticket {} has no {what}", row.number));
    let orders = order(db, OrderId::of(row.order_id))?.into_iter().collect();
    let issued: IssuedOrder = issued_orders(db, orders)?.pop().ok_or_else(|| missing("order"))?;
    let contract = contract(db, ContractId::of(row.contract_id))?.ok_or_else(|| missing("contract"))?;
    let airline = airline(db, AirlineId::of(row.airline_id))?.ok_or_else(|| missing("airline"))?;
    let agency = agency(db, AgencyId::of(row.agency_id))?.ok_or_else(|| missing("agency"))?;
    let passenger = issued.passengers.iter().find(|(passenger, _)| passenger.id == row.passenger_id);
    let (passenger, _) = passenger.ok_or_else(|| missing("passenger"))?;
    let taxes: Vec<&TaxRow> = issued.taxes.iter().filter(|tax| tax.ticket_id == row.id).collect();
    let coupons: Vec<&CouponRow> = issued.coupons.iter().filter(|coupon| coupon.ticket_id == row.id).collect();
    let history = coupon_events_of(db, &[row.id])?;
    let void_ends_at = void_window_ends_at(catalogue, &agency, &issued);
    let rules: Vec<CommissionRuleId> =
        coupons.iter().filter_map(|coupon| coupon.commission_rule_id).map(CommissionRuleId::of).collect();
    let rules = rules_by_id(db, &rules)?;
    let currency = currency_of(row)?;
    let exchanges = exchanges_of(db, &[TicketId::of(row.id)])?;
    let journal = journal(db, row, &exchanges)?;
    let advance = advance_of_ticket(db, TicketId::of(row.id))?;
    let shown = Ticket {
        ticket: TicketSummary::of(row)?,
        booking_reference: issued.order.booking_reference.clone(),
        passenger_id: PassengerId::of(passenger.offer_passenger_id).to_string(),
        tender: tender(&issued.order)?,
        contract: TicketContract { id: contract.id.to_string(), version: contract.version },
        fare_calculation: row.fare_calculation.clone(),
        conjunction_numbers: issued.numbers_of(row).split_off(1),
        void_window_ends_at: void_ends_at.map(|ends| ends.to_string()),
        exchanges: shown_exchanges(db, row, &exchanges)?,
        coupons: coupons
            .into_iter()
            .map(|row| {
                let number = issued.number_of(row);
                coupon(row, &CouponContext { number, history: &history, currency, catalogue, rules: &rules })
            })
            .collect(),
        split: split(row, &taxes, &airline.name, &agency.name)?,
        taxes: taxes.into_iter().map(|row| tax(row, currency)).collect(),
        journal: with_entries(db, journal)?,
        disbursement: advance.map(|advance| with_attempts(db, advance)).transpose()?,
    };
    Ok((shown, Countdown::to(void_ends_at, now)))
}

/// Those that the caller sold, or that are on its stock.
async fn visible_tickets(caller: &Caller) -> Result<TicketFilter, ApiError> {
    let sight = Sight::of(caller).await?;
    let all = TicketFilter::default();
    Ok(match caller.key.kind {
        OrganisationKind::Operator => all,
        OrganisationKind::Airline => TicketFilter { airlines: sight.airlines, ..all },
        OrganisationKind::Agency | OrganisationKind::Bank => TicketFilter { agencies: sight.agencies, ..all },
    })
}

pub(super) const SCOPES: [Scope; 2] = [Scope::AirRead, Scope::FinanceRead];

/// Tickets, newest first: an agency's own, those on an airline's stock, or for the operator all.
#[utoipa::path(get, path = "/v1/tickets", tag = "Tickets", operation_id = "list_tickets",
    params(PageParams, ("order_id" = Option<String>, Query, description = "Only of this order"),
        ("number" = Option<String>, Query, description = "Only this one: 13 digits, with or without a hyphen behind the third")),
    responses((status = 200, body = Page<TicketSummary>)))]
pub async fn list_tickets(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &SCOPES)?;
    let request = PageRequest::<i64>::read(&query, "/v1/tickets")?;
    let (window, limit) = (request.window(), request.fetch());
    let mut filter = visible_tickets(&caller).await?;
    filter.order = query.id("order_id")?;
    if let Some(text) = query.get("number") {
        let message = "`number` is 13 digits, with or without a hyphen behind the third.";
        let number = TicketNumber::parse(text);
        filter.number = Some(number.ok_or_else(|| ApiError::new(Code::InvalidValue, message).parameter("number"))?);
    }
    let found = caller.read(move |db| tickets(db, &filter, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| TicketSummary::of(&row))?))
}

/// One ticket: price, coupons, taxes, split, journal and the payment of the airline's share.
#[utoipa::path(get, path = "/v1/tickets/{number}", tag = "Tickets", operation_id = "get_ticket",
    params(("number" = String, Path, description = "Any number of the ticket: 13 digits, with or without a hyphen behind the third")),
    responses((status = 200, body = DataForNow<Ticket>)))]
pub async fn get_ticket(caller: Caller, number: web::Path<String>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &SCOPES)?;
    let number = TicketNumber::parse(&number).ok_or_else(not_found)?;
    let sight = Sight::of(&caller).await?;
    let (catalogue, now) = (caller.app.catalogue.clone(), caller.app.now());
    let (found, countdown) = caller
        .read(move |db| {
            let row = ticket_by_number(db, &number)?.ok_or_else(not_found)?;
            if !sight.sees_agency(AgencyId::of(row.agency_id)) && !sight.sees_airline(AirlineId::of(row.airline_id)) {
                return Err(not_found());
            }
            shown(db, &row, &catalogue, now)
        })
        .await?;
    Ok(ok_for_now(found, countdown))
}
