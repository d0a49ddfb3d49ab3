//! Interest of days that are over, put right. A draw or a repayment with a value date in the past, or a rate that was published late, changes what days
//! have cost; the difference is booked today, once, with its reason. The days themselves stay as they were accrued.
//!
//! A day is accrued with the balance of its ledger date. A movement of m that is booked on day b with value date v therefore owes m x rate for
//! each day from v until before b, whether those days are accrued already or will be. The caller has locked the facility.

use super::cost::{DailyCost, Sums, times};
use super::facility::{Facility, FacilityError, interest_account};
use super::interest::last_accrual;
use super::movements::{Movements, loan_row};
use crate::audit::Actor;
use crate::db::schema::facility_correction;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AdvanceId, BankPaymentId, BaseRateId, CorrectionId, FacilityId, Id};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError};
use crate::money::{Currency, Money, Rate};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct CorrectionRow in facility_correction {
        id: i64,
        facility_id: i64,
        /// 1, 2, 3 … of the facility.
        number: i64,
        cause: String,
        /// The advance, the payment or the published rate.
        reference_id: i64,
        /// What the loan moved by: positive where more is drawn.
        moved_minor: i64,
        from_day: NaiveDate,
        /// The first day that it does not concern.
        until_day: NaiveDate,
        scaled: String,
        total_scaled: String,
        commitment_scaled: String,
        commitment_total_scaled: String,
        booked_minor: i64,
        commitment_booked_minor: i64,
        posting_id: Option<i64>,
        created_at: NaiveDateTime,
    }
}

/// Why days are put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    text: &'static str,
    reference: i64,
}

impl Cause {
    pub fn draw(advance: AdvanceId) -> Self {
        Cause { text: "draw", reference: advance.raw() }
    }

    pub fn repayment(payment: BankPaymentId) -> Self {
        Cause { text: "repayment", reference: payment.raw() }
    }

    pub(super) fn rate(published: BaseRateId) -> Self {
        Cause { text: "rate", reference: published.raw() }
    }
}

/// A movement that counts from an earlier day than it is booked on.
#[derive(Clone, Copy, Debug)]
struct Shift {
    moved: i64,
    from: NaiveDate,
    until: NaiveDate,
}

impl Shift {
    fn covers(self, day: NaiveDate) -> bool {
        self.from <= day && day < self.until
    }
}

/// The days of a facility from one on, and what becomes of them. Nothing is written before `post`.
pub struct Corrector {
    facility: FacilityId,
    currency: Currency,
    cost: DailyCost,
    loan_minor: i64,
    movements: Movements,
    last_accrued: Option<NaiveDate>,
    accrued: Sums,
    shifts: Vec<Shift>,
    number: i64,
    corrected: Sums,
    planned: Vec<CorrectionRow>,
}

impl Corrector {
    pub fn read(tx: &mut WriteTx, facility: &Facility, since: NaiveDate) -> Result<Self, FacilityError> {
        let (id, currency) = (facility.id, facility.limit.currency);
        let loan = loan_row(tx.db, id, currency)?;
        let mut movements = Movements::default();
        movements.add(tx.db, &loan, since.pred_opt())?;
        let last = last_accrual(tx.db, id)?;
        let accrued = last.as_ref().map(|row| Sums::parse(&row.total_scaled, &row.commitment_scaled)).transpose()?;
        let (number, corrected) = corrected(tx.db, id)?;
        let late = facility_correction::table
            .filter(facility_correction::facility_id.eq(id.raw()))
            .filter(facility_correction::until_day.gt(since))
            .filter(facility_correction::moved_minor.ne(0))
            .select((facility_correction::moved_minor, facility_correction::from_day, facility_correction::until_day));
        let shifts: Vec<(i64, NaiveDate, NaiveDate)> = late.load(&mut *tx.db).map_err(DbError::from)?;
        Ok(Corrector {
            facility: id,
            currency,
            cost: DailyCost::read(tx.db, facility, since)?,
            loan_minor: loan.balance_minor,
            movements,
            last_accrued: last.map(|row| row.day),
            accrued: accrued.unwrap_or_default(),
            shifts: shifts.into_iter().map(|(moved, from, until)| Shift { moved, from, until }).collect(),
            number,
            corrected,
            planned: Vec::new(),
        })
    }

    fn shifted(&self, day: NaiveDate) -> i64 {
        self.shifts.iter().filter(|shift| shift.covers(day)).map(|shift| shift.moved).sum()
    }

    /// What was drawn at the close of a day by value date.
    fn drawn(&self, day: NaiveDate) -> Result<i64, FacilityError> {
        let booked = self.movements.drawn_at(day, self.loan_minor);
        booked.and_then(|drawn| drawn.checked_add(self.shifted(day))).ok_or(FacilityError::Overflow)
    }

    /// The least that was drawn by value date at the close of a day from `since` until before `until`: no more can have been repaid then.
    pub fn least_drawn(&self, since: NaiveDate, until: NaiveDate) -> Result<Option<Money>, FacilityError> {
        let mut least: Option<i64> = None;
        for day in since.iter_days().take_while(|day| *day < until) {
            let drawn = self.drawn(day)?;
            least = Some(least.map_or(drawn, |least| least.min(drawn)));
        }
        Ok(least.map(|minor| Money::new(minor, self.currency)))
    }

    /// The loan moves by `moved` today (positive: drawn), with a value date in the past. Answers what that books.
    pub fn moves(&mut self, tx: &WriteTx, cause: Cause, moved: Money, value_date: NaiveDate) -> Result<Money, FacilityError> {
        let shift = Shift { moved: moved.minor, from: value_date, until: tx.ledger_date };
        let mut sums = Sums::default();
        for day in shift.from.iter_days().take_while(|day| *day < shift.until) {
            let before = self.drawn(day)?;
            let after = before.checked_add(shift.moved).ok_or(FacilityError::Overflow)?;
            let fee = times(self.cost.undrawn(day, after), self.cost.commitment_e8())
                - times(self.cost.undrawn(day, before), self.cost.commitment_e8());
            sums = sums.plus(Sums { interest: times(shift.moved, self.cost.rate_e8(day)?), commitment: fee })?;
        }
        let booked = self.plan(tx, cause, shift, sums)?;
        self.shifts.push(shift);
        Ok(booked)
    }

    /// From `from` on, days that are over cost this base instead. Answers whether any did cost something else.
    pub(super) fn rate_changes(
        &mut self,
        tx: &WriteTx,
        cause: Cause,
        from: NaiveDate,
        base: Rate,
    ) -> Result<bool, FacilityError> {
        let mut sums = Sums::default();
        for day in from.iter_days().take_while(|day| *day < tx.ledger_date) {
            let accrued = self.last_accrued.is_some_and(|last| day <= last);
            let booked = self.movements.drawn_at(day, self.loan_minor).ok_or(FacilityError::Overflow)?;
            // Days that are not accrued yet will be with the new rate.
            let counted = self.shifted(day).checked_add(if accrued { booked } else { 0 }).ok_or(FacilityError::Overflow)?;
            if counted != 0 {
                let change = self.cost.with_base(base).checked_sub(self.cost.rate_e8(day)?).ok_or(FacilityError::Overflow)?;
                sums = sums.plus(Sums { interest: times(counted, change), commitment: 0 })?;
            }
        }
        if sums == Sums::default() {
            return Ok(false);
        }
        self.plan(tx, cause, Shift { moved: 0, from, until: tx.ledger_date }, sums)?;
        Ok(true)
    }

    fn plan(&mut self, tx: &WriteTx, cause: Cause, shift: Shift, sums: Sums) -> Result<Money, FacilityError> {
        let after = self.corrected.plus(sums)?;
        let (booked, commitment) = self.cost.booked(self.accrued.plus(self.corrected)?, self.accrued.plus(after)?)?;
        self.number += 1;
        self.corrected = after;
        self.planned.push(CorrectionRow {
            id: tx.ids.next::<CorrectionId>().raw(),
            facility_id: self.facility.raw(),
            number: self.number,
            cause: cause.text.to_owned(),
            reference_id: cause.reference,
            moved_minor: shift.moved,
            from_day: shift.from,
            until_day: shift.until,
            scaled: sums.interest.to_string(),
            total_scaled: after.interest.to_string(),
            commitment_scaled: sums.commitment.to_string(),
            commitment_total_scaled: after.commitment.to_string(),
            booked_minor: booked,
            commitment_booked_minor: commitment,
            posting_id: None,
            created_at: tx.now.naive(),
        });
        let total = booked.checked_add(commitment).ok_or(FacilityError::Overflow)?;
        Ok(Money::new(total, self.currency))
    }

    /// The accounts that `post` touches.
    pub fn accounts(&self) -> [AccountKey; 2] {
        accounts(self.facility, self.currency)
    }

    /// Books what was planned; the rows are to be inserted after those of the book.
    pub fn post(self, tx: &mut WriteTx, actor: Actor, book: &mut Book) -> Result<Vec<CorrectionRow>, PostError> {
        let [expense, interest] = self.accounts();
        let mut rows = self.planned;
        for row in &mut rows {
            let amount = Money::new(row.booked_minor.saturating_add(row.commitment_booked_minor), self.currency);
            if amount.minor == 0 {
                continue;
            }
            let legs = vec![Leg::debit(expense.clone(), amount), Leg::credit(interest.clone(), amount)?];
            let draft = Draft { event: Event::InterestCorrected, reference: row.id, contract: None, actor, legs };
            row.posting_id = Some(book.post(tx, &draft)?.raw());
        }
        Ok(rows)
    }
}

pub(super) fn accounts(facility: FacilityId, currency: Currency) -> [AccountKey; 2] {
    [AccountKey::platform(AccountCode::PlatformInterestExpense, currency), interest_account(facility, currency)]
}

pub fn insert_corrections(tx: &mut WriteTx, rows: &[CorrectionRow]) -> Result<(), DbError> {
    insert(tx, &[RowSet::of(rows)])
}

/// How many corrections a facility has, and what they sum up to.
pub(super) fn corrected(db: &mut Db, facility: FacilityId) -> Result<(i64, Sums), FacilityError> {
    let of_facility = facility_correction::table.filter(facility_correction::facility_id.eq(facility.raw()));
    let last = of_facility.order(facility_correction::number.desc()).select(CorrectionRow::as_select());
    let last: Option<CorrectionRow> = last.first(db).optional().map_err(DbError::from)?;
    Ok(match last {
        Some(row) => (row.number, Sums::parse(&row.total_scaled, &row.commitment_total_scaled)?),
        None => (0, Sums::default()),
    })
}

/// The corrections of a facility, newest first.
pub fn corrections(db: &mut Db, facility: FacilityId, window: Window, limit: i64) -> Result<Vec<CorrectionRow>, DbError> {
    let of_facility = facility_correction::table.filter(facility_correction::facility_id.eq(facility.raw())).into_boxed();
    Ok(windowed!(of_facility, facility_correction::id, window, limit).select(CorrectionRow::as_select()).load(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_covers_the_days_before_it_was_booked() {
        let day = |day| NaiveDate::from_ymd_opt(2028, 2, day).unwrap_or_default();
        let shift = Shift { moved: 1, from: day(27), until: day(29) };
        let covered: Vec<u32> = (26..=29).filter(|one| shift.covers(day(*one))).collect();
        assert_eq!(covered, [27, 28]);
    }
}
