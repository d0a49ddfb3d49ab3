//! Incentives are accrued behind the sale, never in it: a job reads what was sold, voided and refunded from the journal and books what it earns.
//!
//! Exactly once: within a node postings lie in commit order, and a node's seals say up to where that order is final, also for a node that stopped; so a
//! programme has one place per node up to which it has counted, and the place moves in the commit that books what was counted. A commit of another node
//! that ends late is sealed late and is therefore never passed by. What is read outside the transaction is checked by the place, under the programme's
//! lock. The order in which nodes are read does not matter for any sum (`reward.rs`). Bounds: at most `BATCH` tickets per commit. Locks: the programme,
//! then the accounts.

use super::programme::{Funder, Measure, Period, Programme};
use super::reward::{Progress, Step, part_of, sold, taken_back};
use crate::agencies::AirlineReturn;
use crate::audit::Actor;
use crate::db::schema::{incentive_accrual, incentive_cursor, incentive_period};
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, update, windowed};
use crate::ids::{AgencyId, Id, IncentiveLineId, IncentivePeriodId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, open_accounts};
use crate::money::{Money, MoneyError};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text};
use diesel::{QueryableByName, sql_query};
use std::collections::{BTreeMap, BTreeSet, HashMap};

rows! {
    /// How far one agency has come in one period.
    pub struct PeriodRow in incentive_period {
        id: i64,
        programme_id: i64,
        agency_id: i64,
        currency: String,
        starts_on: NaiveDate,
        /// Minor units of fare, or tickets; net of voids and refunds, and below zero where more was given back than sold.
        measured: i64,
        accrued_minor: i64,
        /// Of the settlement: the cycle whose receivable it lowered.
        cycle: Option<String>,
        posting_id: Option<i64>,
        created_at: NaiveDateTime,
        settled_at: Option<NaiveDateTime>,
    }

    /// A line of a period: what a ticket earned or gave back, or what a tier that was reached or lost changed for the others.
    pub struct LineRow in incentive_accrual {
        id: i64,
        period_id: i64,
        ticket_id: i64,
        kind: String,
        measured: i64,
        amount_minor: i64,
        /// The posting of the sale, void or refund.
        caused_by_id: i64,
        /// None where nothing was to be booked.
        posting_id: Option<i64>,
        created_at: NaiveDateTime,
    }

    pub struct CursorRow in incentive_cursor {
        id: i64,
        programme_id: i64,
        node: i64,
        last_posting_id: i64,
    }
}

#[derive(Debug, thiserror::Error)]
pub enum IncentiveError {
    /// Something was booked for a period after it had been settled: never while seals are what they should be.
    #[error("posting {posting} belongs to a period that is settled")]
    PeriodSettled { posting: i64 },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for IncentiveError {
    fn from(error: diesel::result::Error) -> Self {
        IncentiveError::Db(error.into())
    }
}

/// What a line is about. The texts are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    Issue,
    Void,
    /// Of all coupons or of some.
    Refund,
    TrueUp,
}

impl LineKind {
    pub fn text(self) -> &'static str {
        match self {
            LineKind::Issue => "issue",
            LineKind::Void => "void",
            LineKind::Refund => "refund",
            LineKind::TrueUp => "true_up",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [LineKind::Issue, LineKind::Void, LineKind::Refund, LineKind::TrueUp].into_iter().find(|kind| kind.text() == text)
    }

    fn event(self) -> Event {
        match self {
            LineKind::Issue => Event::IncentiveAccrued,
            LineKind::Void | LineKind::Refund => Event::IncentiveReversed,
            LineKind::TrueUp => Event::IncentiveTrueUp,
        }
    }
}

/// A posting that changes what is measured.
#[derive(Clone, Debug, QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    posting_id: i64,
    #[diesel(sql_type = Text)]
    event: String,
    #[diesel(sql_type = Date)]
    ledger_date: NaiveDate,
    /// Ledger date of the sale.
    #[diesel(sql_type = Date)]
    sold_on: NaiveDate,
    #[diesel(sql_type = BigInt)]
    ticket_id: i64,
    #[diesel(sql_type = BigInt)]
    agency_id: i64,
    #[diesel(sql_type = Text)]
    agency_tier: String,
    /// Of the ticket.
    #[diesel(sql_type = BigInt)]
    base_minor: i64,
    /// What is sold or given back of it.
    #[diesel(sql_type = BigInt)]
    fare_minor: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

/// Of the airline, in the currency of the programme, on one node. A refund gives back the fare of its coupons, and the ticket with the last of them.
const COUNTED: &str = "SELECT p.id AS posting_id, p.event AS event, p.ledger_date AS ledger_date, s.ledger_date AS sold_on,
        t.id AS ticket_id, t.agency_id AS agency_id, o.agency_tier AS agency_tier, t.base_minor AS base_minor,
        COALESCE(r.fare_minor, t.base_minor) AS fare_minor,
        CAST(CASE WHEN r.id IS NULL THEN 1
            WHEN NOT EXISTS (SELECT 1 FROM refund_coupon y JOIN refund_ticket z ON z.id = y.refund_id
                JOIN refund_application a ON a.id = z.application_id WHERE z.id = r.id AND a.kind <> 'tax_only') THEN 0
            WHEN EXISTS (SELECT 1 FROM coupon c WHERE c.ticket_id = t.id AND NOT EXISTS (
                SELECT 1 FROM refund_coupon y JOIN refund_ticket z ON z.id = y.refund_id
                JOIN refund_application a ON a.id = z.application_id AND a.kind <> 'tax_only'
                JOIN posting q ON q.reference_id = z.id AND q.event = 'ticket_refund' AND q.id <= p.id WHERE y.coupon_id = c.id)) THEN 0
            ELSE 1 END AS BIGINT) AS tickets
    FROM posting p LEFT JOIN refund_ticket r ON r.id = p.reference_id AND p.event = 'ticket_refund'
    JOIN ticket t ON t.id = COALESCE(r.ticket_id, p.reference_id) JOIN air_order o ON o.id = t.order_id
    JOIN posting s ON s.reference_id = t.id AND s.event = 'ticket_sale'
    WHERE p.id > $1 AND p.id <= $2 AND ((p.id >> 12) & 1023) = $3 AND p.event IN ('ticket_sale', 'ticket_void', 'ticket_refund')
      AND t.airline_id = $4 AND t.currency = $5
    ORDER BY p.id LIMIT $6";

/// Tickets in one commit at most: bounds how long a sale waits for the writer.
const BATCH: i64 = 200;

/// What is to be counted next of one node, from one place to the next.
#[derive(Clone, Debug)]
pub struct Batch {
    node: i64,
    after: i64,
    until: i64,
    counted: Vec<Counted>,
}

fn cursor(db: &mut Db, programme: &Programme, node: i64) -> Result<Option<CursorRow>, DbError> {
    let of = incentive_cursor::table.filter(incentive_cursor::programme_id.eq(programme.id.raw()));
    Ok(of.filter(incentive_cursor::node.eq(node)).select(CursorRow::as_select()).first(db).optional()?)
}

/// Up to where this programme has counted, by node.
pub(super) fn cursors(db: &mut Db, programme: &Programme) -> Result<HashMap<i64, i64>, DbError> {
    let of = incentive_cursor::table.filter(incentive_cursor::programme_id.eq(programme.id.raw()));
    Ok(of.select((incentive_cursor::node, incentive_cursor::last_posting_id)).load(db)?.into_iter().collect())
}

/// The next batch of a node that is sealed up to `sealed`; `None` where everything is counted.
pub fn next_batch(db: &mut Db, programme: &Programme, node: i64, sealed: i64) -> Result<Option<Batch>, DbError> {
    let after = cursor(db, programme, node)?.map_or(0, |row| row.last_posting_id);
    if after >= sealed {
        return Ok(None);
    }
    let query = sql_query(COUNTED).bind::<BigInt, _>(after).bind::<BigInt, _>(sealed).bind::<BigInt, _>(node);
    let query = query.bind::<BigInt, _>(programme.airline.raw()).bind::<Text, _>(programme.currency.code());
    let mut counted: Vec<Counted> = query.bind::<BigInt, _>(BATCH).load(db)?;
    let full = i64::try_from(counted.len()).is_ok_and(|count| count == BATCH);
    let until = counted.last().filter(|_| full).map_or(sealed, |last| last.posting_id);
    // What is given back counts where its sale did.
    let counts = |one: &Counted| programme.counts(one.ledger_date) && programme.counts(one.sold_on);
    counted.retain(|one| counts(one) && programme.is_for(AgencyId::of(one.agency_id), &one.agency_tier));
    Ok(Some(Batch { node, after, until, counted }))
}

/// Whose period it is and when it begins.
type Place = (i64, NaiveDate);

/// The periods that a batch touches, and what is to be written.
struct Accrual<'p> {
    programme: &'p Programme,
    periods: BTreeMap<Place, PeriodRow>,
    known: BTreeSet<i64>,
    /// Of tickets that were counted: by period and ticket.
    issued: HashMap<(i64, i64), Money>,
    lines: Vec<LineRow>,
}

/// Counts a batch. Answers how many lines it made; none if another node has counted it already.
pub fn accrue_batch(tx: &mut WriteTx, programme: &Programme, batch: &Batch) -> Result<usize, IncentiveError> {
    lock(tx, Contended::IncentiveProgramme, &[programme.id.raw()])?;
    let place = cursor(tx.db, programme, batch.node)?;
    if place.as_ref().map_or(0, |row| row.last_posting_id) != batch.after {
        return Ok(0);
    }
    let mut accrual = Accrual::read(tx, programme, batch)?;
    for one in &batch.counted {
        accrual.count(tx, one)?;
    }
    let lines = accrual.lines.len();
    accrual.write(tx)?;
    match place {
        Some(row) => {
            update(tx, "incentive_cursor", &["last_posting_id"], &[Change { id: row.id, values: vec![batch.until.into()] }])?;
        }
        None => {
            let (id, programme_id) = (tx.ids.block(1), programme.id.raw());
            insert(tx, &[RowSet::of(&[CursorRow { id, programme_id, node: batch.node, last_posting_id: batch.until }])])?;
        }
    }
    Ok(lines)
}

impl<'p> Accrual<'p> {
    fn read(tx: &mut WriteTx, programme: &'p Programme, batch: &Batch) -> Result<Self, IncentiveError> {
        let starts: BTreeSet<NaiveDate> =
            batch.counted.iter().map(|one| Period::of(one.ledger_date, programme.period).starts_on).collect();
        let agencies: BTreeSet<i64> = batch.counted.iter().map(|one| one.agency_id).collect();
        let of = incentive_period::table
            .filter(incentive_period::programme_id.eq(programme.id.raw()))
            .filter(incentive_period::agency_id.eq_any(agencies.into_iter().collect::<Vec<_>>()))
            .filter(incentive_period::starts_on.eq_any(starts.into_iter().collect::<Vec<_>>()));
        let periods: Vec<PeriodRow> = of.select(PeriodRow::as_select()).load(&mut *tx.db)?;
        let given_back: Vec<i64> =
            batch.counted.iter().filter(|one| one.kind() != LineKind::Issue).map(|one| one.ticket_id).collect();
        let ids: Vec<i64> = periods.iter().map(|row| row.id).collect();
        let issued = incentive_accrual::table
            .filter(incentive_accrual::ticket_id.eq_any(given_back))
            .filter(incentive_accrual::period_id.eq_any(ids.clone()))
            .filter(incentive_accrual::kind.eq(LineKind::Issue.text()))
            .select((incentive_accrual::period_id, incentive_accrual::ticket_id, incentive_accrual::amount_minor));
        let issued: Vec<(i64, i64, i64)> = issued.load(&mut *tx.db)?;
        let money = |minor| Money::new(minor, programme.currency);
        Ok(Accrual {
            programme,
            periods: periods.into_iter().map(|row| ((row.agency_id, row.starts_on), row)).collect(),
            known: ids.into_iter().collect(),
            issued: issued.into_iter().map(|(period, ticket, minor)| ((period, ticket), money(minor))).collect(),
            lines: Vec::new(),
        })
    }

    fn count(&mut self, tx: &WriteTx, one: &Counted) -> Result<(), IncentiveError> {
        let programme = self.programme;
        let starts_on = Period::of(one.ledger_date, programme.period).starts_on;
        let row = self.periods.entry((one.agency_id, starts_on)).or_insert_with(|| PeriodRow {
            id: tx.ids.next::<IncentivePeriodId>().raw(),
            programme_id: programme.id.raw(),
            agency_id: one.agency_id,
            currency: programme.currency.code().to_owned(),
            starts_on,
            measured: 0,
            accrued_minor: 0,
            cycle: None,
            posting_id: None,
            created_at: tx.now.naive(),
            settled_at: None,
        });
        if row.settled_at.is_some() {
            return Err(IncentiveError::PeriodSettled { posting: one.posting_id });
        }
        let (size, whole) = match programme.measure {
            Measure::Fare => (one.fare_minor, one.base_minor),
            Measure::Tickets => (one.tickets, 1),
        };
        let before = Progress { measured: row.measured, accrued: Money::new(row.accrued_minor, programme.currency) };
        let (tiers, method, of) = (&programme.tiers, programme.method, (row.id, one.ticket_id));
        let kind = one.kind();
        let (change, step) = if kind == LineKind::Issue {
            let step = sold(tiers, method, before, size)?;
            self.issued.insert(of, step.own);
            (size, step)
        } else {
            // A ticket of an earlier period was accrued there and is only left out here.
            let own = self.issued.get(&of).copied().unwrap_or(Money::zero(programme.currency));
            let step = taken_back(tiers, method, before, size, part_of(own, size, whole)?)?;
            (size.checked_neg().ok_or(MoneyError::Overflow)?, step)
        };
        let Step { own, true_up, after } = step;
        (row.measured, row.accrued_minor) = (after.measured, after.accrued.minor);
        let line = |kind: LineKind, measured, amount: Money| LineRow {
            id: tx.ids.next::<IncentiveLineId>().raw(),
            period_id: of.0,
            ticket_id: one.ticket_id,
            kind: kind.text().to_owned(),
            measured,
            amount_minor: amount.minor,
            caused_by_id: one.posting_id,
            posting_id: None,
            created_at: tx.now.naive(),
        };
        self.lines.push(line(kind, change, own));
        if true_up.minor != 0 {
            self.lines.push(line(LineKind::TrueUp, 0, true_up));
        }
        Ok(())
    }

    /// The posting of a line: the funder owes it and the agency is owed it, or the other way round.
    fn draft(&self, line: &LineRow, agency: AgencyId) -> Result<Draft, IncentiveError> {
        let (programme, currency) = (self.programme, self.programme.currency);
        let amount = Money::new(line.amount_minor, currency);
        let funder = match programme.funder {
            Funder::Airline => AccountKey::airline(AccountCode::AirlineReceivable, programme.airline, currency),
            Funder::Platform => AccountKey::platform(AccountCode::PlatformIncentiveExpense, currency),
        };
        let owed = AccountKey::agency(AccountCode::AgencyIncentive, agency, currency);
        let kind = LineKind::parse(&line.kind).ok_or_else(|| DbError::Corrupt(format!("kind of incentive line {}", line.id)))?;
        let legs = vec![Leg::debit(funder, amount), Leg::credit(owed, amount)?];
        Ok(Draft { event: kind.event(), reference: line.id, contract: None, actor: Actor::platform(), legs })
    }

    fn write(mut self, tx: &mut WriteTx) -> Result<(), IncentiveError> {
        let agencies: HashMap<i64, AgencyId> = self.periods.values().map(|row| (row.id, AgencyId::of(row.agency_id))).collect();
        let agency = |line: &LineRow| agencies.get(&line.period_id).copied().unwrap_or(AgencyId::of(0));
        let mut drafts = Vec::new();
        for (place, line) in self.lines.iter().enumerate().filter(|(_, line)| line.amount_minor != 0) {
            drafts.push((place, self.draft(line, agency(line))?));
        }
        let keys: Vec<AccountKey> = drafts.iter().flat_map(|(_, draft)| &draft.legs).map(|leg| leg.account.clone()).collect();
        let ids = open_accounts(tx, &keys)?;
        let mut book = Book::new();
        book.load(tx, &ids)?;
        // What is given back may be more than there is until the line beside it is booked: what is added comes first.
        drafts.sort_by_key(|(place, draft)| {
            let caused_by = self.lines.get(*place).map_or(0, |line| line.caused_by_id);
            (caused_by, draft.legs.first().is_some_and(|leg| leg.amount.is_negative()))
        });
        for (place, draft) in &drafts {
            let posting = book.post(tx, draft)?;
            if let Some(line) = self.lines.get_mut(*place) {
                line.posting_id = Some(posting.raw());
            }
        }
        let (old, new): (Vec<PeriodRow>, Vec<PeriodRow>) =
            self.periods.into_values().partition(|row| self.known.contains(&row.id));
        let mut sets = vec![RowSet::of(&new), RowSet::of(&self.lines)];
        sets.extend(book.new_rows());
        insert(tx, &sets)?;
        book.finish(tx)?;
        let changes: Vec<Change> =
            old.iter().map(|row| Change { id: row.id, values: vec![row.measured.into(), row.accrued_minor.into()] }).collect();
        update(tx, "incentive_period", &["measured", "accrued_minor"], &changes)?;
        Ok(())
    }
}

impl Counted {
    fn kind(&self) -> LineKind {
        match self.event.as_str() {
            event if event == Event::TicketVoid.text() => LineKind::Void,
            event if event == Event::TicketRefund.text() => LineKind::Refund,
            _ => LineKind::Issue,
        }
    }
}

/// Lines of a period.
pub fn lines_of(db: &mut Db, period: IncentivePeriodId, window: Window, limit: i64) -> Result<Vec<LineRow>, DbError> {
    let of = incentive_accrual::table.filter(incentive_accrual::period_id.eq(period.raw())).into_boxed();
    let query = windowed!(of, incentive_accrual::id, window, limit);
    Ok(query.select(LineRow::as_select()).load(db)?)
}

impl Programme {
    /// On which terms a claim on the airline is settled.
    pub(super) fn terms(&self) -> AirlineReturn {
        self.airline_return.unwrap_or(AirlineReturn::SetOff)
    }
}
