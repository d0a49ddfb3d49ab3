//! What an agency has to pay for a cycle that is closed, and how far it has come with it. The amount is read from the records whenever it is asked for;
//! the row keeps the terms, and the state that was last looked at, so that a change of it is told once.

use super::allocation::{CarryError, carry_credit};
use super::cycles::{CycleStanding, all_cycles};
use super::default::default_of;
use crate::agencies::Cycle;
use crate::audit::Actor;
use crate::credit::score::score_agency;
use crate::db::schema::obligation;
use crate::db::{Change, Contended, Db, DbError, Window, WriteTx, lock, rows, stored_currency, update, windowed};
use crate::ids::{AgencyId, Id, ObligationId};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit_all};
use crate::risk::{RiskEventKind, note_risk};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct ObligationRow in obligation {
        id: i64,
        agency_id: i64,
        currency: String,
        cycle: String,
        /// Whose terms these are; none where the agency never signed one.
        contract_id: Option<i64>,
        statement_id: i64,
        /// What the statement says is to be remitted; a credit is negative.
        billed_minor: i64,
        closed_on: NaiveDate,
        due_on: NaiveDate,
        /// Per day of what is overdue, in units of 1e-8.
        late_rate_e8: i64,
        /// Per year of 360 days of what is not remitted, from `free_days` after the end of the cycle on.
        financing_rate_e8: i64,
        free_days: i64,
        state: String,
        /// The ledger date on which it was first seen so.
        state_since: NaiveDate,
        /// The last day that charges were looked at for.
        charged_through: Option<NaiveDate>,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObligationState {
    /// The cycle runs, or is not billed yet.
    Open,
    NotYetDue,
    Due,
    Overdue,
    Defaulted,
    Paid,
    WrittenOff,
}

/// How it stands with the agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debtor {
    Trading,
    InDefault,
}

/// What decides the state.
#[derive(Clone, Copy, Debug)]
pub struct ObligationFacts {
    /// Still to be paid, after what was written off; none while the cycle is not billed.
    pub open: Option<Money>,
    pub written_off: Money,
    pub due_on: NaiveDate,
    /// The ledger date.
    pub today: NaiveDate,
    pub debtor: Debtor,
}

impl ObligationState {
    pub const ALL: [ObligationState; 7] = [
        ObligationState::Open,
        ObligationState::NotYetDue,
        ObligationState::Due,
        ObligationState::Overdue,
        ObligationState::Defaulted,
        ObligationState::Paid,
        ObligationState::WrittenOff,
    ];

    pub fn text(self) -> &'static str {
        match self {
            ObligationState::Open => "open",
            ObligationState::NotYetDue => "not_yet_due",
            ObligationState::Due => "due",
            ObligationState::Overdue => "overdue",
            ObligationState::Defaulted => "defaulted",
            ObligationState::Paid => "paid",
            ObligationState::WrittenOff => "written_off",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ObligationState::ALL.into_iter().find(|state| state.text() == text)
    }

    /// Paid from any state, written off from a default only.
    pub fn on(self, facts: &ObligationFacts) -> Self {
        let ObligationFacts { open, written_off, due_on, today, debtor } = *facts;
        match (open, self) {
            (None, _) => ObligationState::Open,
            (Some(open), ObligationState::Defaulted | ObligationState::WrittenOff)
                if open.minor <= 0 && written_off.minor > 0 =>
            {
                ObligationState::WrittenOff
            }
            (Some(open), _) if open.minor <= 0 => ObligationState::Paid,
            (Some(_), _) if debtor == Debtor::InDefault => ObligationState::Defaulted,
            (Some(_), _) => match today.cmp(&due_on) {
                std::cmp::Ordering::Less => ObligationState::NotYetDue,
                std::cmp::Ordering::Equal => ObligationState::Due,
                std::cmp::Ordering::Greater => ObligationState::Overdue,
            },
        }
    }

    pub fn is_settled(self) -> bool {
        matches!(self, ObligationState::Paid | ObligationState::WrittenOff)
    }
}

impl From<diesel::result::Error> for ObligationError {
    fn from(error: diesel::result::Error) -> Self {
        ObligationError::Db(error.into())
    }
}

impl ObligationRow {
    pub fn cycle(&self) -> Result<Cycle, DbError> {
        Cycle::stored(&self.cycle)
    }

    pub fn state(&self) -> Result<ObligationState, DbError> {
        ObligationState::parse(&self.state).ok_or_else(|| DbError::Corrupt(format!("state of obligation {}", self.id)))
    }

    pub fn money_currency(&self) -> Result<Currency, DbError> {
        stored_currency(&self.currency)
    }

    /// What it is now.
    pub fn seen(&self, standing: &CycleStanding, today: NaiveDate, debtor: Debtor) -> Result<ObligationState, ObligationError> {
        let facts = ObligationFacts {
            open: Some(standing.open_net()?),
            written_off: standing.written_off,
            due_on: self.due_on,
            today,
            debtor,
        };
        Ok(self.state()?.on(&facts))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ObligationError {
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Brings the states of an agency's obligations up to date: of these cycles, and of everything that is not settled. The caller holds the agency's lock.
pub fn look_again(
    tx: &mut WriteTx,
    agency: AgencyId,
    currency: Currency,
    cycles: &[Cycle],
) -> Result<Vec<ObligationRow>, ObligationError> {
    let names: Vec<String> = cycles.iter().map(Cycle::to_string).collect();
    let of = obligation::table.filter(obligation::agency_id.eq(agency.raw())).filter(obligation::currency.eq(currency.code()));
    let of = of.filter(obligation::state.ne_all(["paid", "written_off"]).or(obligation::cycle.eq_any(names)));
    let rows: Vec<ObligationRow> = of.order(obligation::id).select(ObligationRow::as_select()).load(&mut *tx.db)?;
    if rows.is_empty() {
        return Ok(rows);
    }
    let standings = all_cycles(tx.db, agency, currency)?;
    let debtor = debtor(tx.db, agency)?;
    let (mut changed, mut overdue) = (Vec::new(), Vec::new());
    for mut row in rows {
        let cycle = row.cycle()?;
        let nothing = CycleStanding::nothing(cycle, currency);
        let standing = standings.iter().find(|one| one.cycle == cycle).unwrap_or(&nothing);
        let state = row.seen(standing, tx.ledger_date, debtor)?;
        if state.text() != row.state {
            (row.state, row.state_since) = (state.text().to_owned(), tx.ledger_date);
            if state == ObligationState::Overdue {
                let kind =
                    if standing.remitted.minor > 0 { RiskEventKind::ShortRemittance } else { RiskEventKind::LateRemittance };
                overdue.push((row.id, kind));
            }
            changed.push((row, state));
        }
    }
    tell(tx, &changed)?;
    for (obligation, kind) in &overdue {
        note_risk(tx, agency, *kind, *obligation)?;
    }
    if let Some((_, kind)) = overdue.last() {
        score_agency(tx, agency, *kind)?;
    }
    Ok(changed.into_iter().map(|(row, _)| row).collect())
}

fn tell(tx: &mut WriteTx, changed: &[(ObligationRow, ObligationState)]) -> Result<(), DbError> {
    let change =
        |(row, _): &(ObligationRow, _)| Change { id: row.id, values: vec![row.state.as_str().into(), row.state_since.into()] };
    update(tx, "obligation", &["state", "state_since"], &changed.iter().map(change).collect::<Vec<_>>())?;
    let event = |(row, state): &(ObligationRow, ObligationState)| {
        let kind = match state {
            ObligationState::Due => EventType::ObligationDue,
            ObligationState::Overdue => EventType::ObligationOverdue,
            ObligationState::Defaulted => EventType::ObligationDefaulted,
            ObligationState::Paid => EventType::ObligationPaid,
            ObligationState::WrittenOff => EventType::ObligationWrittenOff,
            ObligationState::Open | ObligationState::NotYetDue => EventType::ObligationReopened,
        };
        NewEvent::new(kind, ObligationId::of(row.id)).of_agency(AgencyId::of(row.agency_id))
    };
    emit_all(tx, changed.iter().map(event).collect())
}

/// The daily look at an agency: what became due, overdue or paid. Locks: the agency.
pub fn review_agency(tx: &mut WriteTx, agency: AgencyId, currency: Currency) -> Result<Vec<ObligationRow>, ObligationError> {
    lock(tx, Contended::Agency, &[agency.raw()])?;
    look_again(tx, agency, currency, &[])
}

/// Credit of billed cycles pays what is owed in others. Locks: the agency, accounts.
pub fn settle_from_credit(
    tx: &mut WriteTx,
    actor: Actor,
    agency: AgencyId,
    currency: Currency,
) -> Result<Vec<Cycle>, CarryError> {
    lock(tx, Contended::Agency, &[agency.raw()])?;
    let billed: Vec<String> = obligations_of(tx.db, agency, currency)?.into_iter().map(|row| row.cycle).collect();
    let touched = carry_credit(tx, actor, agency, currency, |cycle| billed.contains(&cycle.to_string()))?;
    if !touched.is_empty() {
        look_again(tx, agency, currency, &touched)?;
    }
    Ok(touched)
}

/// Whether an agency is in default.
pub fn debtor(db: &mut Db, agency: AgencyId) -> Result<Debtor, DbError> {
    Ok(if default_of(db, agency)?.is_some() { Debtor::InDefault } else { Debtor::Trading })
}

/// Which obligations; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct ObligationFilter {
    pub agencies: Option<Vec<AgencyId>>,
    pub state: Option<ObligationState>,
}

pub fn obligations(db: &mut Db, filter: &ObligationFilter, window: Window, limit: i64) -> Result<Vec<ObligationRow>, DbError> {
    let mut query = windowed!(obligation::table.into_boxed(), obligation::id, window, limit);
    if let Some(agencies) = &filter.agencies {
        query = query.filter(obligation::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(state) = filter.state {
        query = query.filter(obligation::state.eq(state.text()));
    }
    Ok(query.select(ObligationRow::as_select()).load(db)?)
}

pub fn obligation(db: &mut Db, id: ObligationId) -> Result<Option<ObligationRow>, DbError> {
    Ok(obligation::table.find(id.raw()).select(ObligationRow::as_select()).first(db).optional()?)
}

/// Of these agencies' cycles.
pub fn obligations_of(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Vec<ObligationRow>, DbError> {
    let of = obligation::table.filter(obligation::agency_id.eq(agency.raw())).filter(obligation::currency.eq(currency.code()));
    Ok(of.order(obligation::id).select(ObligationRow::as_select()).load(db)?)
}

/// Agencies with something unsettled.
pub fn owing_agencies(db: &mut Db) -> Result<Vec<(AgencyId, Currency)>, DbError> {
    let unsettled = obligation::table.filter(obligation::state.ne_all(["paid", "written_off"]));
    let of = unsettled.select((obligation::agency_id, obligation::currency)).distinct();
    let rows: Vec<(i64, String)> = of.order((obligation::agency_id, obligation::currency)).load(db)?;
    let parsed = |(agency, currency): (i64, String)| {
        let currency = stored_currency(&currency)?;
        Ok((AgencyId::of(agency), currency))
    };
    rows.into_iter().map(parsed).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::ObligationState::{Defaulted, Due, NotYetDue, Open, Overdue, Paid, WrittenOff};
    use super::*;

    fn state(from: ObligationState, open: Option<i64>, day: &str, debtor: Debtor, written_off: i64) -> ObligationState {
        let cny = |minor| Money::new(minor, Currency::CNY);
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (due_on, today) = (date("2026-12-07"), date(day));
        from.on(&ObligationFacts { open: open.map(cny), written_off: cny(written_off), due_on, today, debtor })
    }

    #[test]
    fn an_obligation_becomes_due_and_overdue_by_the_calendar() {
        use Debtor::Trading;
        assert_eq!(state(Open, None, "2026-12-08", Trading, 0), Open);
        assert_eq!(state(Open, Some(1), "2026-12-06", Trading, 0), NotYetDue);
        assert_eq!(state(NotYetDue, Some(1), "2026-12-07", Trading, 0), Due);
        assert_eq!(state(Due, Some(1), "2026-12-08", Trading, 0), Overdue);
    }

    #[test]
    fn it_is_paid_from_any_state_and_written_off_from_a_default_only() {
        for from in ObligationState::ALL.into_iter().filter(|from| *from != WrittenOff) {
            assert_eq!(state(from, Some(0), "2026-12-08", Debtor::InDefault, 0), Paid, "{from:?}");
            assert_eq!(state(from, Some(1), "2026-12-08", Debtor::InDefault, 0), Defaulted, "{from:?}");
            let expected = if from == Defaulted { WrittenOff } else { Paid };
            assert_eq!(state(from, Some(0), "2026-12-08", Debtor::InDefault, 5), expected, "{from:?}");
        }
        assert_eq!(state(WrittenOff, Some(0), "2027-01-01", Debtor::Trading, 5), WrittenOff);
        assert_eq!(state(Paid, Some(1), "2026-12-08", Debtor::Trading, 0), Overdue, "a sale that was cancelled by mistake");
    }
}
