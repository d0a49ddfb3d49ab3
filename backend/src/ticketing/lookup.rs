//! What somebody at a desk types, and the orders and tickets that it may mean. What it can be is a pure decision; each meaning is one look into an index.

use super::ticket::{TicketRow, tickets_by_number};
use crate::airlines::TicketNumber;
use crate::db::schema::{air_order, ticket};
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, AirlineId, Id, OrderId, TicketId};
use crate::money::{Currency, Money};
use crate::notify::events_of_request;
use crate::ordering::{Likeness, NameQuery, OrderRow, Vault, orders_by_id, people_named};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use std::collections::{BTreeMap, HashSet};

/// What is answered at most: a list that is looked over, not read.
pub const MOST: usize = 20;
/// Of one meaning, newest first, before it is known whose they are.
const READ_AT_MOST: i64 = 200;
/// Fewer digits than this end a hundred thousand numbers of a million.
const ENDING: usize = 4;
const REFERENCE: usize = 6;
const SERIAL: usize = 10;
const LONGEST: usize = 100;

/// Why something was found; the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    TicketNumber,
    OrderId,
    TicketId,
    BookingReference,
    RequestId,
    Name,
    TicketEnding,
    Amount,
    NameBeginning,
    NameInitials,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupRefusal {
    #[error("two characters at least, one of Hanzi, or four digits of a ticket number")]
    TooShort,
    #[error("100 characters at most")]
    TooLong,
    #[error("it is no ticket number, record locator, name, amount or id")]
    Nothing,
}

/// Everything that was typed may mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    number: Option<TicketNumber>,
    order: Option<OrderId>,
    ticket: Option<TicketId>,
    reference: Option<String>,
    request: Option<String>,
    ending: Option<String>,
    amount: Option<TypedAmount>,
    name: Option<NameQuery>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TypedAmount {
    text: String,
    currency: Option<Currency>,
}

/// Whose things are looked through; `None` in a field: all.
#[derive(Clone, Debug)]
pub struct LookupSight {
    pub agencies: Option<Vec<AgencyId>>,
    pub airlines: Option<Vec<AirlineId>>,
    /// Whether passengers are found by name: by those who may read the orders that they are on.
    pub names: NameSight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSight {
    Readable,
    Hidden,
}

/// An order, or one ticket of it.
#[derive(Clone, Debug)]
pub struct Found {
    pub by: Match,
    pub order: OrderRow,
    pub ticket: Option<TicketRow>,
    /// The row of the passenger who was found by name.
    pub passenger: Option<i64>,
}

impl Lookup {
    pub fn parse(typed: &str) -> Result<Self, LookupRefusal> {
        let typed = typed.trim();
        if typed.chars().count() > LONGEST {
            return Err(LookupRefusal::TooLong);
        }
        let (plain, is_word) = (typed.to_ascii_uppercase(), !typed.contains(char::is_whitespace));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_locator = plain.len() == REFERENCE && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_request = is_word && typed.is_ascii() && (typed.starts_with("req_") || typed.len() >= 16);
        let lookup = Lookup {
            number: TicketNumber::parse(typed),
            order: OrderId::parse(typed).ok(),
            ticket: TicketId::parse(typed).ok(),
            reference: is_locator.then_some(plain),
            request: is_request.then(|| typed.to_owned()),
            ending: (digits(typed) && (ENDING..=SERIAL).contains(&typed.len())).then(|| typed.to_owned()),
            amount: TypedAmount::parse(typed),
            name: NameQuery::parse(typed),
        };
        match lookup {
            _ if lookup != Lookup::default() => Ok(lookup),
            _ if typed.chars().count() < ENDING => Err(LookupRefusal::TooShort),
            _ => Err(LookupRefusal::Nothing),
        }
    }
}

impl TypedAmount {
    /// `1234.50`, `1,234.50`, `CNY 1234.50`, `cny1234.50`; a number of three digits or less needs its decimals or its currency.
    fn parse(typed: &str) -> Option<Self> {
        let (code, rest) = match typed.char_indices().find(|(_, c)| !c.is_ascii_alphabetic()) {
            Some((3, _)) => (Some(typed.get(..3)?.to_ascii_uppercase()), typed.get(3..)?.trim()),
            Some((0, _)) => (None, typed),
            _ => return None,
        };
        let text = rest.replace(',', "");
        let currency = code.map(|code| Currency::parse(&code)).transpose().ok()?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_telling = currency.is_some() || text.contains('.') || text.len() >= ENDING;
        let amount = TypedAmount { text, currency };
        (is_number && is_telling && !amount.minors().is_empty()).then_some(amount)
    }

    /// In minor units, for each number of decimals that currencies have.
    fn minors(&self) -> Vec<i64> {
        let codes = ["JPY", "CNY", "KWD"].into_iter().filter_map(|code| Currency::parse(code).ok());
        let currencies: Vec<Currency> = self.currency.map_or_else(|| codes.collect(), |one| vec![one]);
        let read = |currency: Currency| Money::parse(&self.text, currency).ok().map(|money| money.minor);
        currencies.into_iter().filter_map(read).collect()
    }

    fn is(&self, minor: i64, currency: &str) -> bool {
        let Ok(of) = Currency::parse(currency) else { return false };
        let is_meant = self.currency.is_none_or(|meant| meant == of);
        is_meant && Money::parse(&self.text, of).is_ok_and(|money| money.minor == minor)
    }
}

/// What is found on the way: an order and perhaps one of its tickets, why, and who.
#[derive(Default)]
struct Finds {
    orders: Vec<(Match, i64)>,
    tickets: Vec<(Match, TicketRow)>,
    /// Order, passenger.
    people: Vec<(Match, i64, i64)>,
}

/// What is meant by it and may be seen, the surest first and of those the newest.
pub fn look_up(db: &mut Db, vault: &Vault, asked: &Lookup, sight: &LookupSight) -> Result<Vec<Found>, DbError> {
    let mut finds = Finds::default();
    by_number(db, asked, sight, &mut finds)?;
    by_order(db, asked, &mut finds)?;
    by_amount(db, asked, sight, &mut finds)?;
    if let Some(name) = asked.name.as_ref().filter(|_| sight.names == NameSight::Readable) {
        let people = people_named(db, vault, name, sight.agencies.as_deref())?;
        finds.people.extend(people.into_iter().map(|one| (Match::of(one.likeness), one.order.raw(), one.passenger_id)));
    }
    ranked(db, sight, finds)
}

impl Match {
    fn of(likeness: Likeness) -> Self {
        match likeness {
            Likeness::Whole => Match::Name,
            Likeness::Beginning => Match::NameBeginning,
            Likeness::Initials => Match::NameInitials,
        }
    }
}

fn raws<T: Id>(ids: &[T]) -> Vec<i64> {
    ids.iter().map(|id| id.raw()).collect()
}

fn by_number(db: &mut Db, asked: &Lookup, sight: &LookupSight, finds: &mut Finds) -> Result<(), DbError> {
    if let Some(number) = &asked.number {
        let found = tickets_by_number(db, std::slice::from_ref(number))?;
        finds.tickets.extend(found.into_iter().map(|(_, _, row)| (Match::TicketNumber, row)));
    }
    if let Some(id) = asked.ticket {
        let row: Option<TicketRow> = ticket::table.find(id.raw()).select(TicketRow::as_select()).first(db).optional()?;
        finds.tickets.extend(row.map(|row| (Match::TicketId, row)));
    }
    if let Some(ending) = &asked.ending {
        let last = ending.get(ending.len() - ENDING..).unwrap_or(ending).to_owned();
        let mut query = ticket::table.filter(sql::<Bool>("substr(number, 10) = ").bind::<Text, _>(last)).into_boxed();
        query = query.filter(ticket::number.like(format!("%{ending}")));
        if let Some(own) = own_parties(sight) {
            query = query.filter(ticket::agency_id.eq_any(own.0).or(ticket::airline_id.eq_any(own.1)));
        }
        let rows: Vec<TicketRow> = query.order(ticket::id.desc()).limit(READ_AT_MOST).select(TicketRow::as_select()).load(db)?;
        finds.tickets.extend(rows.into_iter().map(|row| (Match::TicketEnding, row)));
    }
    Ok(())
}

/// Agencies and airlines; `None`: everybody's.
fn own_parties(sight: &LookupSight) -> Option<(Vec<i64>, Vec<i64>)> {
    match (&sight.agencies, &sight.airlines) {
        (None, _) | (_, None) => None,
        (Some(agencies), Some(airlines)) => Some((raws(agencies), raws(airlines))),
    }
}

fn by_order(db: &mut Db, asked: &Lookup, finds: &mut Finds) -> Result<(), DbError> {
    finds.orders.extend(asked.order.map(|id| (Match::OrderId, id.raw())));
    if let Some(reference) = &asked.reference {
        let found = air_order::table.filter(air_order::booking_reference.eq(reference.clone()));
        let ids: Vec<i64> = found.order(air_order::id.desc()).limit(READ_AT_MOST).select(air_order::id).load(db)?;
        finds.orders.extend(ids.into_iter().map(|id| (Match::BookingReference, id)));
    }
    if let Some(request) = &asked.request {
        for event in events_of_request(db, request, READ_AT_MOST)? {
            let refs = event.object();
            let named = ["id", "order_id"].into_iter().filter_map(|name| refs.get(name)?.as_str().map(str::to_owned));
            let order = named.chain([event.object_id.clone()]).find_map(|text| OrderId::parse(&text).ok());
            finds.orders.extend(order.map(|id| (Match::RequestId, id.raw())));
        }
    }
    Ok(())
}

fn by_amount(db: &mut Db, asked: &Lookup, sight: &LookupSight, finds: &mut Finds) -> Result<(), DbError> {
    let Some(amount) = &asked.amount else { return Ok(()) };
    let own = own_parties(sight);
    let (mut tickets, mut orders): (Vec<TicketRow>, Vec<OrderRow>) = Default::default();
    // One after the other, each in the order of its index: an order by the id alone would be read from the id.
    for minor in amount.minors() {
        let mut of_tickets = ticket::table.filter(ticket::price_minor.eq(minor)).into_boxed();
        let mut of_orders = air_order::table.filter(air_order::total_minor.eq(minor)).into_boxed();
        if let Some((agencies, airlines)) = own.clone() {
            of_tickets = of_tickets.filter(ticket::agency_id.eq_any(agencies.clone()).or(ticket::airline_id.eq_any(airlines)));
            of_orders = of_orders.filter(air_order::agency_id.eq_any(agencies));
        }
        let newest = (ticket::price_minor.desc(), ticket::id.desc());
        tickets.extend(of_tickets.order(newest).limit(READ_AT_MOST).select(TicketRow::as_select()).load::<TicketRow>(db)?);
        let newest = (air_order::total_minor.desc(), air_order::agency_id.desc(), air_order::id.desc());
        orders.extend(of_orders.order(newest).limit(READ_AT_MOST).select(OrderRow::as_select()).load::<OrderRow>(db)?);
    }
    let tickets = tickets.into_iter().filter(|row| amount.is(row.price_minor, &row.currency));
    finds.tickets.extend(tickets.map(|row| (Match::Amount, row)));
    let orders = orders.into_iter().filter(|row| amount.is(row.total_minor, &row.currency));
    finds.orders.extend(orders.map(|row| (Match::Amount, row.id)));
    Ok(())
}

/// Brings what was found together: every ticket once, by what is surest, and an order by itself only where none of its tickets is there.
fn ranked(db: &mut Db, sight: &LookupSight, finds: Finds) -> Result<Vec<Found>, DbError> {
    let of_tickets = finds.tickets.iter().map(|(_, row)| row.order_id);
    let ids = finds.orders.iter().map(|(_, id)| *id).chain(of_tickets).chain(finds.people.iter().map(|(_, id, _)| *id));
    let ids: Vec<OrderId> = ids.collect::<HashSet<_>>().into_iter().map(OrderId::of).collect();
    let orders: BTreeMap<i64, OrderRow> = orders_by_id(db, &ids)?.into_iter().map(|order| (order.id, order)).collect();
    let named: Vec<i64> = finds.people.iter().map(|(_, order, _)| *order).chain(finds.orders.iter().map(|(_, id)| *id)).collect();
    let tickets = ticket::table.filter(ticket::order_id.eq_any(named));
    let tickets: Vec<TicketRow> = tickets.select(TicketRow::as_select()).load(db)?;
    let mut found: Vec<Found> = Vec::new();
    let mut add = |by: Match, order: i64, ticket: Option<TicketRow>, passenger: Option<i64>| {
        let seen = orders.get(&order).filter(|order| sight.sees(order));
        found.extend(seen.map(|order| Found { by, order: order.clone(), ticket, passenger }));
    };
    for (by, row) in finds.tickets {
        add(by, row.order_id, Some(row), None);
    }
    for (by, id) in finds.orders {
        // Of one ticket it is that ticket that is looked for.
        let mut of_order = tickets.iter().filter(|ticket| ticket.order_id == id);
        let only = of_order.next().filter(|_| of_order.next().is_none());
        add(by, id, only.cloned(), None);
    }
    for (by, id, passenger) in finds.people {
        let own = tickets.iter().filter(|ticket| ticket.passenger_id == passenger).max_by_key(|ticket| ticket.id);
        add(by, id, own.cloned(), Some(passenger));
    }
    found.sort_by_key(|one| (one.by, std::cmp::Reverse((one.order.id, one.ticket.as_ref().map(|ticket| ticket.id)))));
    let mut known = HashSet::new();
    found.retain(|one| known.insert((one.order.id, one.ticket.as_ref().map(|ticket| ticket.id))));
    found.truncate(MOST);
    Ok(found)
}

impl LookupSight {
    fn sees(&self, order: &OrderRow) -> bool {
        let by_agency = self.agencies.as_ref().is_none_or(|own| own.contains(&AgencyId::of(order.agency_id)));
        let is_sold = order.issued_at.is_some();
        by_agency || (is_sold && self.airlines.as_ref().is_none_or(|own| own.contains(&AirlineId::of(order.airline_id))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_may_mean_several_things() {
        let of = |typed: &str| Lookup::parse(typed).unwrap();
        for typed in ["7812100000001", "781-2100000001"] {
            assert!(of(typed).number.is_some() && of(typed).ending.is_none(), "{typed}");
        }
        assert_eq!((of("0001").ending.as_deref(), of("0001").number), (Some("0001"), None));
        assert_eq!(of("2100000001").ending.as_deref(), Some("2100000001"), "all of a serial");
        let locator = of("zhangw");
        assert_eq!((locator.reference.as_deref(), locator.name.is_some()), (Some("ZHANGW"), true));
        assert!(of(&OrderId::of(7).to_string()).order.is_some() && of(&TicketId::of(7).to_string()).ticket.is_some());
        assert_eq!(of("req_0d3k8w2m5q7ha").request.as_deref(), Some("req_0d3k8w2m5q7ha"));
        assert!(of("张").name.is_some() && of("zh").name.is_some());
    }

    #[test]
    fn an_amount_is_typed_with_or_without_its_currency() {
        let minors = |typed: &str| Lookup::parse(typed).ok().and_then(|asked| asked.amount).map(|amount| amount.minors());
        for typed in ["CNY 1234.50", "cny1234.50", "CNY 1,234.5"] {
            assert_eq!(minors(typed), Some(vec![123_450]), "{typed}");
        }
        assert_eq!(minors("1234.50"), Some(vec![123_450, 1_234_500]), "of two decimals or of three");
        assert_eq!(minors("JPY 1234"), Some(vec![1_234]));
        assert_eq!((minors("XYZ 12.00"), minors("12.34.5"), minors("1234x")), (None, None, None));
    }

    #[test]
    fn too_little_too_much_and_nonsense_are_told_apart() {
        for short in ["", "z", "12", "123", "-"] {
            assert_eq!(Lookup::parse(short), Err(LookupRefusal::TooShort), "{short}");
        }
        assert_eq!(Lookup::parse(&"z".repeat(101)), Err(LookupRefusal::TooLong));
        assert_eq!(Lookup::parse("a@b.example"), Err(LookupRefusal::Nothing));
    }
}
