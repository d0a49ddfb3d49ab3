//! What an agency owes in a remittance cycle: its credit tickets of the cycle less voids, the refunds and the tickets given in that were credited in it,
//! incentives that were settled and memos that were posted in it, and what settles the rest: remittances, security that was applied, credit carried or paid out, a write-off.

use crate::agencies::Cycle;
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, Id};
use crate::money::{Currency, Money, MoneyError, divide_half_even};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

/// Amounts of one cycle; all in the agency's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CycleStanding {
    pub cycle: Cycle,
    /// Gross price and commission of the tickets issued, penalties of exchanges included.
    pub sold: Money,
    pub commission: Money,
    /// The same of those that were voided.
    pub voided: Money,
    pub voided_commission: Money,
    /// R of the refunds that were credited in this cycle and of the tickets given in for others, and the commission that they took back; these
    /// tickets may be of an earlier one.
    pub refunded: Money,
    pub refunded_commission: Money,
    /// Money that came for this cycle.
    pub remitted: Money,
    /// The commission that was netted, by remittances and by everything else.
    pub netted: Money,
    /// Of the agency's wallet and deposit, after a default, and what guarantors paid then.
    pub applied: Money,
    /// Credit that came from another cycle; negative where credit of this one went to another or was paid out.
    pub carried: Money,
    pub written_off: Money,
    /// Incentives that lowered what is owed.
    pub incentive: Money,
    /// Memos that were posted: what airlines claimed, and what they granted.
    pub debited: Money,
    pub credited: Money,
}

/// How a remittance is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    pub commission: Money,
    /// What leaves `agency.receivable`: the money and the commission.
    pub receivable: Money,
}

impl CycleStanding {
    pub(super) fn nothing(cycle: Cycle, currency: Currency) -> Self {
        let zero = Money::zero(currency);
        CycleStanding {
            cycle,
            sold: zero,
            commission: zero,
            voided: zero,
            voided_commission: zero,
            refunded: zero,
            refunded_commission: zero,
            remitted: zero,
            netted: zero,
            applied: zero,
            carried: zero,
            written_off: zero,
            incentive: zero,
            debited: zero,
            credited: zero,
        }
    }

    pub fn open_gross(&self) -> Result<Money, MoneyError> {
        let given_back = self.voided.checked_add(self.refunded)?.checked_add(self.incentive)?.checked_add(self.credited)?;
        let settled = self.remitted.checked_add(self.netted)?.checked_add(self.settled_otherwise()?)?;
        self.sold.checked_add(self.debited)?.checked_sub(given_back)?.checked_sub(settled)
    }

    fn settled_otherwise(&self) -> Result<Money, MoneyError> {
        self.applied.checked_add(self.carried)?.checked_add(self.written_off)
    }

    pub fn open_commission(&self) -> Result<Money, MoneyError> {
        self.commission.checked_sub(self.voided_commission)?.checked_sub(self.refunded_commission)?.checked_sub(self.netted)
    }

    /// What is still to be remitted; negative is a credit.
    pub fn open_net(&self) -> Result<Money, MoneyError> {
        self.open_gross()?.checked_sub(self.open_commission()?)
    }

    /// A payment of all that is open nets all commission, a part of it the same part, rounded half to even. What is paid beyond stays as a credit in
    /// the cycle. A credit that is used up is the same with the other sign.
    pub fn allocate(&self, paid: Money) -> Result<Allocation, MoneyError> {
        let (net, commission) = (self.open_net()?, self.open_commission()?);
        let is_one_way = paid.minor.signum() == net.minor.signum() && net.minor.signum() == commission.minor.signum();
        let netted = if !is_one_way {
            0
        } else if paid.minor.unsigned_abs() >= net.minor.unsigned_abs() {
            commission.minor
        } else {
            let product = i128::from(commission.minor).checked_mul(i128::from(paid.minor)).ok_or(MoneyError::Overflow)?;
            let part = divide_half_even(product, i128::from(net.minor)).ok_or(MoneyError::Overflow)?;
            i64::try_from(part).map_err(|_| MoneyError::Overflow)?
        };
        let commission = Money::new(netted, paid.currency);
        Ok(Allocation { commission, receivable: paid.checked_add(commission)? })
    }
}

#[derive(QueryableByName)]
struct Sums {
    #[diesel(sql_type = Text)]
    cycle: String,
    #[diesel(sql_type = BigInt)]
    sold: i64,
    #[diesel(sql_type = BigInt)]
    commission: i64,
    #[diesel(sql_type = BigInt)]
    voided: i64,
    #[diesel(sql_type = BigInt)]
    voided_commission: i64,
    #[diesel(sql_type = BigInt)]
    refunded: i64,
    #[diesel(sql_type = BigInt)]
    refunded_commission: i64,
    #[diesel(sql_type = BigInt)]
    remitted: i64,
    #[diesel(sql_type = BigInt)]
    netted: i64,
    #[diesel(sql_type = BigInt)]
    applied: i64,
    #[diesel(sql_type = BigInt)]
    carried: i64,
    #[diesel(sql_type = BigInt)]
    written_off: i64,
    #[diesel(sql_type = BigInt)]
    incentive: i64,
    #[diesel(sql_type = BigInt)]
    debited: i64,
    #[diesel(sql_type = BigInt)]
    credited: i64,
}

/// Sales, refunds, incentives and memos by cycle, of which each may have none of the others.
const SUMS: &str =
    "SELECT s.cycle AS cycle, CAST(SUM(s.sold) AS BIGINT) AS sold, CAST(SUM(s.commission) AS BIGINT) AS commission,
        CAST(SUM(s.voided) AS BIGINT) AS voided, CAST(SUM(s.voided_commission) AS BIGINT) AS voided_commission,
        CAST(SUM(s.refunded) AS BIGINT) AS refunded, CAST(SUM(s.refunded_commission) AS BIGINT) AS refunded_commission,
        COALESCE((SELECT CAST(SUM(k.amount_minor) AS BIGINT) FROM cycle_settlement k
            WHERE k.agency_id = $1 AND k.cycle = s.cycle AND k.currency = $2 AND k.kind = 'remittance'), 0) AS remitted,
        COALESCE((SELECT CAST(SUM(k.commission_minor) AS BIGINT) FROM cycle_settlement k
            WHERE k.agency_id = $1 AND k.cycle = s.cycle AND k.currency = $2), 0) AS netted,
        COALESCE((SELECT CAST(SUM(k.amount_minor) AS BIGINT) FROM cycle_settlement k
            WHERE k.agency_id = $1 AND k.cycle = s.cycle AND k.currency = $2 AND k.kind IN ('wallet', 'deposit', 'guarantee')), 0) AS applied,
        COALESCE((SELECT CAST(SUM(k.amount_minor) AS BIGINT) FROM cycle_settlement k
            WHERE k.agency_id = $1 AND k.cycle = s.cycle AND k.currency = $2 AND k.kind IN ('carried', 'paid_out')), 0) AS carried,
        COALESCE((SELECT CAST(SUM(k.amount_minor) AS BIGINT) FROM cycle_settlement k
            WHERE k.agency_id = $1 AND k.cycle = s.cycle AND k.currency = $2 AND k.kind = 'written_off'), 0) AS written_off,
        COALESCE((SELECT CAST(SUM(d.accrued_minor) AS BIGINT) FROM incentive_period d
            WHERE d.agency_id = $1 AND d.cycle = s.cycle AND d.currency = $2), 0) AS incentive,
        COALESCE((SELECT CAST(SUM(m.decided_minor) AS BIGINT) FROM memo m
            WHERE m.agency_id = $1 AND m.cycle = s.cycle AND m.currency = $2 AND m.kind = 'adm'), 0) AS debited,
        COALESCE((SELECT CAST(SUM(m.decided_minor) AS BIGINT) FROM memo m
            WHERE m.agency_id = $1 AND m.cycle = s.cycle AND m.currency = $2 AND m.kind = 'acm'), 0) AS credited
    FROM (SELECT COALESCE(x.cycle, o.cycle) AS cycle, t.price_minor + COALESCE(x.penalty_minor, 0) AS sold, t.commission_minor AS commission,
            CASE WHEN COALESCE(o.cancelled_at, h.voided_at) IS NULL THEN 0 ELSE t.price_minor + COALESCE(x.penalty_minor, 0) END AS voided,
            CASE WHEN COALESCE(o.cancelled_at, h.voided_at) IS NULL THEN 0 ELSE t.commission_minor END AS voided_commission,
            0 AS refunded, 0 AS refunded_commission
        FROM air_order o JOIN ticket t ON t.order_id = o.id
        LEFT JOIN ticket_exchange x ON x.ticket_id = t.id LEFT JOIN order_change h ON h.id = x.order_change_id
        WHERE o.agency_id = $1 AND o.currency = $2 AND o.tender = 'credit'
        UNION ALL SELECT b.cycle, 0, 0, 0, 0, b.fare_minor + b.tax_minor - b.penalty_minor, b.commission_minor
        FROM refund_application f JOIN refund_ticket b ON b.application_id = f.id
        WHERE f.agency_id = $1 AND f.currency = $2 AND b.cycle IS NOT NULL
        UNION ALL SELECT x.given_in_cycle, 0, 0, 0, 0, x.given_in_minor, x.commission_minor
        FROM order_change h JOIN ticket_exchange x ON x.order_change_id = h.id
        WHERE h.agency_id = $1 AND h.currency = $2 AND h.voided_at IS NULL AND x.given_in_cycle IS NOT NULL
        UNION ALL SELECT d.cycle, 0, 0, 0, 0, 0, 0 FROM incentive_period d
        WHERE d.agency_id = $1 AND d.currency = $2 AND d.cycle IS NOT NULL
        UNION ALL SELECT m.cycle, 0, 0, 0, 0, 0, 0 FROM memo m
        WHERE m.agency_id = $1 AND m.currency = $2 AND m.cycle IS NOT NULL) s";

fn standing(row: &Sums, currency: Currency) -> Result<CycleStanding, DbError> {
    let of = |minor| Money::new(minor, currency);
    Ok(CycleStanding {
        cycle: Cycle::stored(&row.cycle)?,
        sold: of(row.sold),
        commission: of(row.commission),
        voided: of(row.voided),
        voided_commission: of(row.voided_commission),
        refunded: of(row.refunded),
        refunded_commission: of(row.refunded_commission),
        remitted: of(row.remitted),
        netted: of(row.netted),
        applied: of(row.applied),
        carried: of(row.carried),
        written_off: of(row.written_off),
        incentive: of(row.incentive),
        debited: of(row.debited),
        credited: of(row.credited),
    })
}

/// One cycle of an agency; `None` where it sold nothing on credit, was refunded nothing and got no incentive or memo in it.
pub fn cycle_standing(db: &mut Db, agency: AgencyId, currency: Currency, cycle: Cycle) -> Result<Option<CycleStanding>, DbError> {
    let text = format!("{SUMS} WHERE s.cycle = $3 GROUP BY s.cycle");
    let query = sql_query(text).bind::<BigInt, _>(agency.raw()).bind::<Text, _>(currency.code());
    let rows: Vec<Sums> = query.bind::<Text, _>(cycle.to_string()).load(db)?;
    rows.first().map(|row| standing(row, currency)).transpose()
}

/// All cycles of an agency, the newest first.
pub(super) fn all_cycles(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Vec<CycleStanding>, DbError> {
    agency_cycles(db, agency, currency, None, i64::MAX)
}

/// The cycles of an agency, the newest first; those older than `before`, where it is given.
pub fn agency_cycles(
    db: &mut Db,
    agency: AgencyId,
    currency: Currency,
    before: Option<Cycle>,
    limit: i64,
) -> Result<Vec<CycleStanding>, DbError> {
    // The texts of the cycles of one rule sort like their dates, and those of several like their months.
    let before = before.map_or_else(|| "9999-13".to_owned(), |cycle| cycle.to_string());
    let text = format!("{SUMS} WHERE s.cycle < $3 GROUP BY s.cycle ORDER BY s.cycle DESC LIMIT $4");
    let query = sql_query(text).bind::<BigInt, _>(agency.raw()).bind::<Text, _>(currency.code()).bind::<Text, _>(before);
    let rows: Vec<Sums> = query.bind::<BigInt, _>(limit).load(db)?;
    rows.iter().map(|row| standing(row, currency)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn sold(price: i64, commission: i64) -> CycleStanding {
        let cycle = Cycle::parse("2026-11-H1").unwrap();
        CycleStanding { sold: cny(price), commission: cny(commission), ..CycleStanding::nothing(cycle, Currency::CNY) }
    }

    #[test]
    fn the_worked_cycle_nets_all_its_commission() {
        let paid = sold(100_000, 3_000).allocate(cny(97_000)).unwrap();
        assert_eq!((paid.commission, paid.receivable), (cny(3_000), cny(100_000)));
    }

    #[test]
    fn what_is_paid_beyond_stays_as_a_credit() {
        let paid = sold(100_000, 3_000).allocate(cny(98_000)).unwrap();
        assert_eq!((paid.commission, paid.receivable), (cny(3_000), cny(101_000)));
        let all_voided = CycleStanding { voided: cny(100_000), voided_commission: cny(3_000), ..sold(100_000, 3_000) };
        assert_eq!(all_voided.allocate(cny(1)).unwrap(), Allocation { commission: cny(0), receivable: cny(1) });
    }

    proptest! {
        #[test]
        fn however_a_cycle_is_paid_in_parts_it_ends_at_zero(
            commission in 0i64..5_000, rest in 1i64..100_000, parts in prop::collection::vec(1i64..40_000, 0..9),
        ) {
            let mut cycle = sold(commission + rest, commission);
            for part in parts {
                let part = part.min(cycle.open_net().unwrap().minor - 1);
                if part <= 0 { continue; }
                let booked = cycle.allocate(cny(part)).unwrap();
                prop_assert!(booked.commission.minor <= cycle.open_commission().unwrap().minor);
                cycle.remitted = cycle.remitted.checked_add(cny(part)).unwrap();
                cycle.netted = cycle.netted.checked_add(booked.commission).unwrap();
                prop_assert!(cycle.open_net().unwrap().minor > 0);
            }
            let last = cycle.open_net().unwrap();
            let booked = cycle.allocate(last).unwrap();
            prop_assert_eq!(booked.receivable, cycle.open_gross().unwrap());
            prop_assert_eq!(booked.commission, cycle.open_commission().unwrap());
        }
    }
}
