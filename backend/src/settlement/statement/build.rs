//! Writing and closing a statement. Every step may be tried again: a statement is begun once, a page goes on where the last one ended, and a
//! statement that is closed stays as it is. Locks: the agency.

use super::letter::SEND_STATEMENT;
use super::lines::{Place, SourceLine, source_page};
use super::{StatementLineRow, StatementRow, statement};
use crate::agencies::{Agency, Cycle, agency, contracts_of, lock_agency};
use crate::catalogue::calendar::Calendar;
use crate::clock::Timestamp;
use crate::db::schema::billing_statement;
use crate::db::{Change, Contended, Db, DbError, RowSet, WriteTx, insert, lock, update};
use crate::ids::{AgencyId, BillingStatementId, Id, ObligationId, StatementLineId};
use crate::interchange::statement::Written;
use crate::money::{Currency, MoneyError, Rate};
use crate::notify::{EventType, NewEvent, OutboxRow, emit};
use crate::settlement::due::due_terms;
use crate::settlement::dunning::billing_contact_of;
use crate::settlement::obligation::{ObligationError, ObligationRow, ObligationState, look_again, obligations_of};
use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Orders or lines of one page.
pub const PAGE: i64 = 2_000;
/// A commit carries the time at which it began, and nodes' clocks differ: a cycle is closed a minute after its last day.
const COMMITS_END_WITHIN: Duration = Duration::seconds(60);

#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    #[error("there is no such agency")]
    NoAgency,
    #[error("there is no such statement")]
    NoStatement,
    #[error("cycle {0} is not over")]
    NotOver(Cycle),
    #[error("the statement is not written to its end")]
    NotWritten,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ObligationError> for CloseError {
    fn from(error: ObligationError) -> Self {
        match error {
            ObligationError::Money(error) => error.into(),
            ObligationError::Db(error) => error.into(),
        }
    }
}

impl From<diesel::result::Error> for CloseError {
    fn from(error: diesel::result::Error) -> Self {
        CloseError::Db(error.into())
    }
}

/// Whether a cycle is over at the agency's point of sale.
pub(in crate::settlement) fn is_over(agency: &Agency, cycle: Cycle, now: Timestamp) -> bool {
    now.plus(-COMMITS_END_WITHIN).date_in(agency.zone) > cycle.last_day()
}

#[derive(QueryableByName)]
struct Unbilled {
    #[diesel(sql_type = BigInt)]
    agency_id: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    cycle: String,
}

/// Everything that may belong to a cycle, less what is billed.
const UNBILLED: &str = "SELECT k.agency_id AS agency_id, k.currency AS currency, k.cycle AS cycle FROM (
        SELECT agency_id, currency, cycle FROM air_order WHERE tender = 'credit' AND cycle IS NOT NULL GROUP BY agency_id, currency, cycle
        UNION SELECT f.agency_id, f.currency, b.cycle FROM refund_application f JOIN refund_ticket b ON b.application_id = f.id
            WHERE b.cycle IS NOT NULL
        UNION SELECT h.agency_id, h.currency, x.cycle FROM order_change h JOIN ticket_exchange x ON x.order_change_id = h.id
            WHERE x.cycle IS NOT NULL
        UNION SELECT agency_id, currency, cycle FROM incentive_period WHERE cycle IS NOT NULL
        UNION SELECT agency_id, currency, cycle FROM memo WHERE cycle IS NOT NULL) k
    WHERE NOT EXISTS (SELECT 1 FROM obligation b WHERE b.agency_id = k.agency_id AND b.currency = k.currency AND b.cycle = k.cycle)
    ORDER BY k.agency_id, k.cycle, k.currency";

/// Cycles that are over and not billed, oldest first within each agency.
pub fn cycles_to_bill(db: &mut Db, now: Timestamp) -> Result<Vec<(AgencyId, Currency, Cycle)>, CloseError> {
    let found: Vec<Unbilled> = sql_query(UNBILLED).load(db)?;
    let (mut agencies, mut over): (HashMap<i64, Agency>, Vec<_>) = (HashMap::new(), Vec::new());
    for row in found {
        let id = AgencyId::of(row.agency_id);
        let agency = match agencies.entry(row.agency_id) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(agency(db, id)?.ok_or(CloseError::NoAgency)?),
        };
        let cycle = Cycle::stored(&row.cycle)?;
        let currency = Currency::parse(&row.currency)?;
        if is_over(agency, cycle, now) {
            over.push((id, currency, cycle));
        }
    }
    over.sort_by_key(|(agency, _, cycle)| (*agency, cycle.last_day(), *cycle));
    Ok(over)
}

/// Begins the statement of a cycle that is over, or answers the one that was begun.
pub fn begin_statement(tx: &mut WriteTx, id: AgencyId, currency: Currency, cycle: Cycle) -> Result<StatementRow, CloseError> {
    let agency = lock_agency(tx, id)?.ok_or(CloseError::NoAgency)?;
    if !is_over(&agency, cycle, tx.now) {
        return Err(CloseError::NotOver(cycle));
    }
    let begun = billing_statement::table
        .filter(billing_statement::agency_id.eq(id.raw()))
        .filter(billing_statement::currency.eq(currency.code()))
        .filter(billing_statement::cycle.eq(cycle.to_string()));
    let begun: Option<StatementRow> = begun.select(StatementRow::as_select()).first(&mut *tx.db).optional()?;
    if let Some(begun) = begun {
        return Ok(begun);
    }
    let row = StatementRow {
        id: tx.ids.next::<BillingStatementId>().raw(),
        agency_id: id.raw(),
        currency: currency.code().to_owned(),
        cycle: cycle.to_string(),
        place: Place::Tickets.text().to_owned(),
        place_id: 0,
        line_count: 0,
        gross_minor: 0,
        commission_minor: 0,
        byte_count: None,
        sha256: None,
        created_at: tx.now.naive(),
        closed_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(row)
}

/// Whether a statement goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paged {
    More,
    Written,
}

/// Writes the next page of a statement.
pub fn statement_page(tx: &mut WriteTx, id: BillingStatementId, size: i64) -> Result<Paged, CloseError> {
    let known = statement(tx.db, id)?.ok_or(CloseError::NoStatement)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    let row = statement(tx.db, id)?.ok_or(CloseError::NoStatement)?;
    let place = Place::parse(&row.place).ok_or_else(|| DbError::Corrupt(format!("place of statement {}", row.id)))?;
    if place == Place::Done {
        return Ok(Paged::Written);
    }
    let agency = agency(tx.db, AgencyId::of(row.agency_id))?.ok_or(CloseError::NoAgency)?;
    let (lines, next, next_id) = match source_page(tx.db, &row, place, size)? {
        Some((lines, last)) => (lines, place, last),
        None => (Vec::new(), place.next(), 0),
    };
    let lines: Vec<StatementLineRow> = lines.iter().flat_map(|line| billed(tx, &agency, row.id, line)).collect();
    let sum = |start: i64, of: fn(&StatementLineRow) -> i64| {
        lines.iter().map(of).try_fold(start, i64::checked_add).ok_or(MoneyError::Overflow)
    };
    let values = vec![
        next.text().into(),
        next_id.into(),
        sum(row.line_count, |_| 1)?.into(),
        sum(row.gross_minor, |line| line.gross_minor)?.into(),
        sum(row.commission_minor, |line| line.commission_minor)?.into(),
    ];
    insert(tx, &[RowSet::of(&lines)])?;
    let columns = &["place", "place_id", "line_count", "gross_minor", "commission_minor"];
    update(tx, "billing_statement", columns, &[Change { id: row.id, values }])?;
    Ok(if next == Place::Done { Paged::Written } else { Paged::More })
}

/// A sale that was voided is two lines.
fn billed(tx: &WriteTx, agency: &Agency, statement: i64, line: &SourceLine) -> Vec<StatementLineRow> {
    let on = |at| Timestamp::from(at).date_in(agency.zone);
    let day = line.issued_on.or(line.happened_at.map(on)).unwrap_or(tx.ledger_date);
    let row = |kind: &str, day, [gross_minor, commission_minor]: [i64; 2]| StatementLineRow {
        id: tx.ids.next::<StatementLineId>().raw(),
        statement_id: statement,
        kind: kind.to_owned(),
        document: line.document.clone(),
        booking_reference: line.booking_reference.clone(),
        day,
        gross_minor,
        commission_minor,
    };
    let mut rows = vec![row(&line.kind, day, [line.gross, line.commission])];
    // An amount of a ticket is never i64::MIN: its posting would have been refused.
    let back = [line.gross, line.commission].map(i64::saturating_neg);
    rows.extend(line.voided_at.map(|at| row("void", on(at), back)));
    rows
}

/// A rate in units of 1e-8; a finer one is cut.
fn in_units(rate: Rate) -> Result<i64, MoneyError> {
    let scaled = rate.decimal().checked_mul(Decimal::from(100_000_000i64)).ok_or(MoneyError::Overflow)?;
    i64::try_from(scaled.trunc()).map_err(|_| MoneyError::Overflow)
}

/// Closes a statement that is written, with the digest of its file, and bills the obligation. Closed before, it answers that obligation.
pub fn close_statement(
    tx: &mut WriteTx,
    calendar: &Calendar,
    id: BillingStatementId,
    file: &Written,
) -> Result<ObligationRow, CloseError> {
    let known = statement(tx.db, id)?.ok_or(CloseError::NoStatement)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    let row = statement(tx.db, id)?.ok_or(CloseError::NoStatement)?;
    let (agency_id, currency, cycle) = (AgencyId::of(row.agency_id), row.money_currency()?, row.cycle()?);
    let billed = obligations_of(tx.db, agency_id, currency)?.into_iter().find(|one| one.statement_id == row.id);
    if let Some(billed) = billed {
        return Ok(billed);
    }
    if row.place != Place::Done.text() || file.rows != row.line_count {
        return Err(CloseError::NotWritten);
    }
    let agency = agency(tx.db, agency_id)?.ok_or(CloseError::NoAgency)?;
    let contracts = contracts_of(tx.db, agency_id)?;
    let terms = due_terms(calendar, &agency, cycle, &contracts);
    let costs = terms.contract.map(|contract| contract.costs.clone()).unwrap_or_default();
    let obligation = ObligationRow {
        id: tx.ids.next::<ObligationId>().raw(),
        agency_id: row.agency_id,
        currency: row.currency.clone(),
        cycle: row.cycle.clone(),
        contract_id: terms.contract.map(|contract| contract.id.raw()),
        statement_id: row.id,
        billed_minor: row.to_remit()?.minor,
        closed_on: tx.ledger_date,
        due_on: terms.due_on,
        late_rate_e8: in_units(costs.late_fee_rate)?,
        financing_rate_e8: in_units(costs.financing_rate)?,
        free_days: costs.free_days,
        state: ObligationState::NotYetDue.text().to_owned(),
        state_since: tx.ledger_date,
        charged_through: None,
        created_at: tx.now.naive(),
    };
    let values = vec![Some(file.bytes).into(), Some(file.sha256.clone()).into(), Some(tx.now.naive()).into()];
    update(tx, "billing_statement", &["byte_count", "sha256", "closed_at"], &[Change { id: row.id, values }])?;
    insert(tx, &[RowSet::of(std::slice::from_ref(&obligation))])?;
    if billing_contact_of(tx.db, agency_id)?.is_some() {
        let outbox = OutboxRow::new(tx, SEND_STATEMENT, row.id);
        insert(tx, &[RowSet::of(std::slice::from_ref(&outbox))])?;
    }
    let event = NewEvent::new(EventType::ObligationBilled, ObligationId::of(obligation.id)).of_agency(agency_id);
    emit(tx, event.naming("statement_id", id))?;
    look_again(tx, agency_id, currency, &[cycle])?;
    Ok(obligation)
}
