//! What a page of agencies is measured by: one statement per kind of record, whatever the number of agencies.

use super::characteristic::Characteristic as Of;
use super::days::COUNTED_DAYS;
use super::inputs::Inputs;
use crate::clock::Timestamp;
use crate::db::schema::{agency_day, financial_review};
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, Id};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text, Timestamp as SqlTimestamp};
use diesel::{QueryableByName, sql_query};
use std::collections::BTreeMap;

const YEAR_DAYS: u64 = 365;
const WEEKS: usize = 13;
const WHOLE: i128 = 10_000;

/// The moment and the day that records are read as of: of days only those before it, of everything else what there was at the moment.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    pub date: NaiveDate,
    pub at: Timestamp,
}

impl AsOf {
    pub(super) fn sales_from(&self) -> NaiveDate {
        self.date.checked_sub_days(Days::new(COUNTED_DAYS)).unwrap_or(self.date)
    }

    fn year_from(&self) -> NaiveDate {
        self.date.checked_sub_days(Days::new(YEAR_DAYS)).unwrap_or(self.date)
    }
}

/// What records say about one agency, before it is made comparable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// Sales of the weeks before the day, the last one first.
    weeks: [i64; WEEKS],
    credit: i64,
    tickets: i64,
    night: i64,
    same_day: i64,
    voided: i64,
    refunded: i64,
    top_airline: i64,
    top_route: i64,
    due: i64,
    late: i64,
    short: i64,
    defaults: i64,
    deposit: i64,
    review: Option<bool>,
}

/// One ticket, or what was counted of a day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub tickets: i64,
    pub sold: i64,
    pub credit: i64,
    pub night: i64,
    pub same_day: i64,
    pub voided: i64,
    pub refunded: i64,
}

fn share(part: i64, whole: i64) -> Option<i64> {
    let share = i128::from(part).checked_mul(WHOLE)?.checked_div(i128::from(whole))?;
    i64::try_from(share).ok()
}

fn sum(values: &[i64]) -> i128 {
    values.iter().map(|value| i128::from(*value)).sum()
}

fn whole_number(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl Evidence {
    pub fn count(&mut self, date: NaiveDate, day: NaiveDate, counted: Counted) {
        // The day itself is in none of the weeks before it.
        let before = date.signed_duration_since(day).num_days().checked_sub(1).and_then(|days| usize::try_from(days).ok());
        let week = before.map(|days| days / 7);
        if let Some(sold) = week.and_then(|week| self.weeks.get_mut(week)) {
            *sold = sold.saturating_add(counted.sold);
        }
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut self.credit, counted.credit);
        add(&mut self.tickets, counted.tickets);
        add(&mut self.night, counted.night);
        add(&mut self.same_day, counted.same_day);
        add(&mut self.voided, counted.voided);
        add(&mut self.refunded, counted.refunded);
    }

    pub fn top(&mut self, airline: i64, route: i64) {
        (self.top_airline, self.top_route) = (airline, route);
    }

    pub fn inputs(&self, tenure_days: i64) -> Inputs {
        let sold = sum(&self.weeks);
        let counted_days = tenure_days.clamp(1, i64::try_from(COUNTED_DAYS).unwrap_or(1));
        let is_known = tenure_days >= i64::try_from(COUNTED_DAYS).unwrap_or(i64::MAX);
        let failed_to_pay = self.late.saturating_add(self.short);
        let of_due = |number: i64| match (self.due, number) {
            (0, 0) => None,
            (due, number) => share(number.min(due.max(1)), due.max(1)),
        };
        // Thirty days' average: credit x 30 / 91.
        let covered = i128::from(self.deposit)
            .checked_mul(WHOLE * i128::from(COUNTED_DAYS))
            .and_then(|deposit| deposit.checked_div(i128::from(self.credit).checked_mul(30)?));
        let values = [
            (Of::AirlineConcentration, share(self.top_airline, self.tickets)),
            (Of::DepositCoverage, covered.map(whole_number)),
            (Of::FinancialReview, self.review.map(i64::from)),
            (Of::LateRemittances, of_due(failed_to_pay)),
            (Of::NightSales, share(self.night, self.tickets)),
            (Of::Refunds, share(self.refunded, self.tickets)),
            (Of::RouteConcentration, share(self.top_route, self.tickets)),
            (Of::SalesGrowth, self.growth().filter(|_| is_known)),
            (Of::SalesLevel, Some(whole_number(sold / i128::from(counted_days)))),
            (Of::SalesVolatility, self.volatility().filter(|_| is_known)),
            (Of::SameDayDepartures, share(self.same_day, self.tickets)),
            (Of::ShortRemittances, of_due(self.short)),
            (Of::Tenure, Some(tenure_days)),
            (Of::Voids, share(self.voided, self.tickets)),
        ];
        let values = values.into_iter().filter_map(|(of, value)| Some((of, value?))).collect();
        Inputs { values, defaults: self.defaults, late: failed_to_pay }
    }

    /// The last four weeks against the nine before.
    fn growth(&self) -> Option<i64> {
        let (last, before) = self.weeks.split_at_checked(4)?;
        let grown = sum(last).checked_mul(9 * WHOLE)?.checked_div(sum(before).checked_mul(4)?)?;
        Some(whole_number(grown))
    }

    fn volatility(&self) -> Option<i64> {
        let (weeks, total) = (i128::try_from(WEEKS).ok()?, sum(&self.weeks));
        let square = |week: &i64| {
            let off = weeks.checked_mul(i128::from(*week))?.checked_sub(total)?;
            off.checked_mul(off)
        };
        let squares = self.weeks.iter().map(square).try_fold(0i128, |sum, square| sum.checked_add(square?))?;
        let deviation = squares.checked_div(weeks)?.checked_isqrt()?;
        Some(whole_number(deviation.checked_mul(WHOLE)?.checked_div(total)?))
    }
}

/// Agencies by id: all from the first to the last one of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub first: i64,
    pub last: i64,
}

impl Span {
    pub fn one(agency: AgencyId) -> Self {
        Span { first: agency.raw(), last: agency.raw() }
    }
}

pub(super) type Evidences = BTreeMap<i64, Evidence>;

/// Everything that is known of a page of agencies.
pub(super) fn evidence(db: &mut Db, span: Span, as_of: AsOf) -> Result<Evidences, DbError> {
    let mut all = Evidences::new();
    read_days(db, span, as_of, &mut all)?;
    read_parts(db, span, as_of, &mut all)?;
    read_payments(db, span, as_of, &mut all)?;
    Ok(all)
}

fn read_days(db: &mut Db, span: Span, as_of: AsOf, all: &mut Evidences) -> Result<(), DbError> {
    use agency_day as d;
    let of = d::table.filter(d::agency_id.between(span.first, span.last));
    let days = of.filter(d::day.ge(as_of.sales_from())).filter(d::day.lt(as_of.date));
    type Row = (i64, NaiveDate, i64, i64, i64, (i64, i64, i64, i64));
    let rows: Vec<Row> = days
        .select((
            d::agency_id,
            d::day,
            d::tickets,
            d::sold_minor,
            d::credit_minor,
            (d::night, d::near_departure, d::voided, d::refunded),
        ))
        .load(db)?;
    for (agency, day, tickets, sold, credit, (night, same_day, voided, refunded)) in rows {
        let counted = Counted { tickets, sold, credit, night, same_day, voided, refunded };
        all.entry(agency).or_default().count(as_of.date, day, counted);
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = BigInt)]
    agency_id: i64,
    #[diesel(sql_type = BigInt)]
    airline: i64,
    #[diesel(sql_type = BigInt)]
    route: i64,
}

const PARTS: &str =
    "SELECT s.agency_id AS agency_id, CAST(MAX(CASE WHEN s.kind = 'airline' THEN s.tickets ELSE 0 END) AS BIGINT) AS airline,
        CAST(MAX(CASE WHEN s.kind = 'route' THEN s.tickets ELSE 0 END) AS BIGINT) AS route
    FROM (SELECT p.agency_id AS agency_id, p.kind AS kind, p.part AS part, SUM(p.tickets) AS tickets FROM agency_day_part p
        WHERE p.agency_id BETWEEN $1 AND $2 AND p.day >= $3 AND p.day < $4 GROUP BY p.agency_id, p.kind, p.part) s
    GROUP BY s.agency_id";

fn read_parts(db: &mut Db, span: Span, as_of: AsOf, all: &mut Evidences) -> Result<(), DbError> {
    let parts = sql_query(PARTS).bind::<BigInt, _>(span.first).bind::<BigInt, _>(span.last);
    let parts: Vec<Part> = parts.bind::<Date, _>(as_of.sales_from()).bind::<Date, _>(as_of.date).load(db)?;
    for part in parts {
        all.entry(part.agency_id).or_default().top(part.airline, part.route);
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    agency_id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Cycles that fell due in the year, what became of them, defaults, and the deposit: lodged less applied and returned.
const PAYMENTS: &str = "SELECT o.agency_id AS agency_id, 'due' AS kind, COUNT(*) AS number FROM obligation o
        WHERE o.agency_id BETWEEN $1 AND $2 AND o.due_on >= $3 AND o.due_on < $4 AND o.billed_minor > 0 AND o.created_at <= $5 GROUP BY o.agency_id
    UNION ALL
    SELECT e.agency_id, e.kind, COUNT(DISTINCT e.subject_id) FROM risk_event e
        WHERE e.agency_id BETWEEN $1 AND $2 AND e.day >= $3 AND e.created_at <= $5 GROUP BY e.agency_id, e.kind
    UNION ALL
    SELECT r.agency_id, 'lodged', CAST(SUM(r.amount_minor) AS BIGINT) FROM bank_receipt r
        WHERE r.agency_id BETWEEN $1 AND $2 AND r.purpose = 'deposit' AND r.created_at <= $5 GROUP BY r.agency_id
    UNION ALL
    SELECT k.agency_id, 'taken', CAST(SUM(k.amount_minor) AS BIGINT) FROM cycle_settlement k
        WHERE k.agency_id BETWEEN $1 AND $2 AND k.kind = 'deposit' AND k.created_at <= $5 GROUP BY k.agency_id
    UNION ALL
    SELECT p.agency_id, 'returned', CAST(SUM(p.amount_minor) AS BIGINT) FROM payout p
        WHERE p.agency_id BETWEEN $1 AND $2 AND p.purpose = 'deposit_return' AND p.created_at <= $5 GROUP BY p.agency_id";

/// What an agency pays and has lodged, and what was found in its statements.
pub(super) fn read_payments(db: &mut Db, span: Span, as_of: AsOf, all: &mut Evidences) -> Result<(), DbError> {
    let numbers = sql_query(PAYMENTS).bind::<BigInt, _>(span.first).bind::<BigInt, _>(span.last);
    let numbers = numbers.bind::<Date, _>(as_of.year_from()).bind::<Date, _>(as_of.date);
    let numbers: Vec<Number> = numbers.bind::<SqlTimestamp, _>(as_of.at.naive()).load(db)?;
    for Number { agency_id, kind, number } in numbers {
        let of = all.entry(agency_id).or_default();
        match kind.as_str() {
            "due" => of.due = number,
            "late_remittance" => of.late = number,
            "short_remittance" => of.short = number,
            "default" => of.defaults = number,
            "lodged" => of.deposit = of.deposit.saturating_add(number),
            "taken" | "returned" => of.deposit = of.deposit.saturating_sub(number),
            other => return Err(DbError::Corrupt(format!("a payment of the kind {other}"))),
        }
    }
    use financial_review as f;
    let reviews = f::table.filter(f::agency_id.between(span.first, span.last)).filter(f::created_at.le(as_of.at.naive()));
    let reviews: Vec<(i64, String, NaiveDate)> =
        reviews.order(f::id).select((f::agency_id, f::result, f::valid_until)).load(db)?;
    for (agency, result, valid_until) in reviews {
        // The last one counts; one that has run out is as none.
        all.entry(agency).or_default().review = (valid_until >= as_of.date).then_some(result == "passed");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn value(evidence: &Evidence, tenure: i64, of: Of) -> Option<i64> {
        evidence.inputs(tenure).value(of)
    }

    #[test]
    fn steady_sales_do_not_grow_and_do_not_vary() {
        let steady = Evidence { weeks: [700; WEEKS], tickets: 91, ..Evidence::default() };
        assert_eq!(value(&steady, 91, Of::SalesGrowth), Some(10_000));
        assert_eq!(value(&steady, 91, Of::SalesVolatility), Some(0));
        assert_eq!(value(&steady, 91, Of::SalesLevel), Some(100));
        assert_eq!(value(&steady, 90, Of::SalesGrowth), None, "it has no usual yet");
    }

    #[test]
    fn a_bust_out_grows_and_varies() {
        let mut evidence = Evidence { weeks: [100; WEEKS], ..Evidence::default() };
        evidence.weeks[0] = 1_300;
        // (1,600 / 4) / (900 / 9)
        assert_eq!(value(&evidence, 400, Of::SalesGrowth), Some(40_000));
        // Mean 192.3, deviation 319.7.
        assert_eq!(value(&evidence, 400, Of::SalesVolatility), Some(16_624));
        let first = Evidence { weeks: [[500, 0, 0, 0].as_slice(), &[0; 9]].concat().try_into().unwrap(), ..Evidence::default() };
        assert_eq!(value(&first, 400, Of::SalesGrowth), None, "there is nothing to compare with");
    }

    #[test]
    fn a_day_counts_in_its_week() {
        let date = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        let mut evidence = Evidence::default();
        let one = Counted { tickets: 1, sold: 10, ..Counted::default() };
        for days in [0, 1, 7, 8, 91, 92] {
            evidence.count(date, date - Days::new(days), one);
        }
        assert_eq!((evidence.weeks[0], evidence.weeks[1], evidence.weeks[12]), (20, 10, 10));
    }

    #[test]
    fn shares_are_of_what_there_is() {
        let evidence =
            Evidence { due: 4, late: 1, short: 2, credit: 9_100, deposit: 1_500, tickets: 3, voided: 1, ..Evidence::default() };
        assert_eq!(value(&evidence, 10, Of::LateRemittances), Some(7_500));
        assert_eq!(value(&evidence, 10, Of::ShortRemittances), Some(5_000));
        // 30 days of 100 a day.
        assert_eq!(value(&evidence, 10, Of::DepositCoverage), Some(5_000));
        assert_eq!(value(&evidence, 10, Of::Voids), Some(3_333));
        let nothing = Evidence::default();
        let measured = [Of::LateRemittances, Of::DepositCoverage, Of::Voids, Of::FinancialReview, Of::AirlineConcentration];
        assert_eq!(measured.map(|of| value(&nothing, 10, of)), [None; 5]);
        let overdue_before_due = Evidence { late: 3, ..Evidence::default() };
        assert_eq!(value(&overdue_before_due, 10, Of::LateRemittances), Some(10_000));
    }

    #[test]
    fn what_does_not_fit_is_the_most_there_is() {
        let huge = Evidence { weeks: [i64::MAX; WEEKS], deposit: i64::MAX, credit: 1, tickets: 1, ..Evidence::default() };
        assert_eq!(value(&huge, 400, Of::DepositCoverage), Some(i64::MAX));
        assert!(value(&huge, 400, Of::SalesLevel).unwrap() > 0);
    }
}
