//! What settles what is owed in a cycle: money goes to the cycle that it names, or else to the oldest first, and what is paid beyond everything stays as a
//! credit in the newest. Credit of a closed cycle pays what is owed in others.

use super::cycles::{CycleStanding, all_cycles};
use crate::agencies::Cycle;
use crate::audit::Actor;
use crate::db::schema::cycle_settlement;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{AgencyId, BankReceiptId, CycleSettlementId, Id, PostingId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, post_all};
use crate::money::{Currency, Money, MoneyError};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct CycleSettlementRow in cycle_settlement {
        id: i64,
        agency_id: i64,
        currency: String,
        cycle: String,
        kind: String,
        amount_minor: i64,
        commission_minor: i64,
        receipt_id: Option<i64>,
        day: NaiveDate,
        posting_id: i64,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledBy {
    Remittance(BankReceiptId),
    /// Commission alone.
    Netting,
    Wallet,
    Deposit,
    /// What a guarantor paid.
    Guarantee(BankReceiptId),
    Carrying,
    Payout,
    WriteOff,
}

impl SettledBy {
    pub fn text(self) -> &'static str {
        match self {
            SettledBy::Remittance(_) => "remittance",
            SettledBy::Netting => "netted",
            SettledBy::Wallet => "wallet",
            SettledBy::Deposit => "deposit",
            SettledBy::Guarantee(_) => "guarantee",
            SettledBy::Carrying => "carried",
            SettledBy::Payout => "paid_out",
            SettledBy::WriteOff => "written_off",
        }
    }

    fn receipt(self) -> Option<BankReceiptId> {
        if let SettledBy::Remittance(receipt) | SettledBy::Guarantee(receipt) = self { Some(receipt) } else { None }
    }
}

/// What of an amount goes to one cycle, and the commission that it nets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub cycle: Cycle,
    pub amount: Money,
    pub commission: Money,
}

impl Share {
    pub(super) fn of(standing: &CycleStanding, amount: Money) -> Result<Self, MoneyError> {
        Ok(Share { cycle: standing.cycle, amount, commission: standing.allocate(amount)?.commission })
    }

    /// Its legs on the agency's accounts; what pays is the caller's.
    pub(super) fn legs(&self, agency: AgencyId) -> Result<[Leg; 2], MoneyError> {
        let account = |code| AccountKey::agency(code, agency, self.amount.currency);
        let receivable = self.amount.checked_add(self.commission)?;
        Ok([
            Leg::debit(account(AccountCode::AgencyCommission), self.commission),
            Leg::credit(account(AccountCode::AgencyReceivable), receivable)?.in_cycle(&self.cycle.to_string()),
        ])
    }
}

/// By the last day of the cycle; where two end on the same day, by name.
fn by_age(standings: &[CycleStanding]) -> Vec<&CycleStanding> {
    let mut sorted: Vec<&CycleStanding> = standings.iter().collect();
    sorted.sort_by_key(|one| (one.cycle.last_day(), one.cycle));
    sorted
}

/// A cycle and what of an amount it gets.
type Part<'s> = (&'s CycleStanding, Money);

/// Of an amount, what pays what is owed, oldest cycle first, and what is left.
fn spread<'s>(sorted: &[&'s CycleStanding], paid: Money) -> Result<(Vec<Part<'s>>, Money), MoneyError> {
    let (mut parts, mut left) = (Vec::new(), paid);
    for standing in sorted {
        let owed = standing.open_net()?;
        if owed.minor > 0 && left.minor > 0 {
            let part = if owed.minor < left.minor { owed } else { left };
            left = left.checked_sub(part)?;
            parts.push((*standing, part));
        }
    }
    Ok((parts, left))
}

/// What is owed, oldest first, up to an amount.
pub(super) fn owed_up_to(standings: &[CycleStanding], most: Money) -> Result<Vec<Share>, MoneyError> {
    let (parts, _) = spread(&by_age(standings), most)?;
    parts.into_iter().map(|(standing, part)| Share::of(standing, part)).collect()
}

/// Oldest first; what is left goes to the newest. Nothing where there is no cycle at all.
pub(super) fn oldest_first(standings: &[CycleStanding], paid: Money) -> Result<Vec<Share>, MoneyError> {
    let sorted = by_age(standings);
    let (mut parts, left) = spread(&sorted, paid)?;
    if let Some(newest) = sorted.last().filter(|_| left.minor > 0) {
        match parts.last_mut().filter(|(last, _)| last.cycle == newest.cycle) {
            Some((_, part)) => *part = part.checked_add(left)?,
            None => parts.push((newest, left)),
        }
    }
    parts.into_iter().map(|(standing, part)| Share::of(standing, part)).collect()
}

pub(super) struct Settlement<'s> {
    pub agency: AgencyId,
    pub by: SettledBy,
    pub day: NaiveDate,
    pub posting: PostingId,
    pub shares: &'s [Share],
}

/// Keeps how a posting settled cycles.
pub(super) fn keep(tx: &mut WriteTx, settlement: &Settlement) -> Result<(), DbError> {
    let row = |share: &Share| CycleSettlementRow {
        id: tx.ids.next::<CycleSettlementId>().raw(),
        agency_id: settlement.agency.raw(),
        currency: share.amount.currency.code().to_owned(),
        cycle: share.cycle.to_string(),
        kind: settlement.by.text().to_owned(),
        amount_minor: share.amount.minor,
        commission_minor: share.commission.minor,
        receipt_id: settlement.by.receipt().map(Id::raw),
        day: settlement.day,
        posting_id: settlement.posting.raw(),
        created_at: tx.now.naive(),
    };
    let rows: Vec<CycleSettlementRow> = settlement.shares.iter().map(row).collect();
    insert(tx, &[RowSet::of(&rows)])
}

/// Credit of cycles that are over pays what is owed in others that are, oldest first; answers the cycles that it touched. The caller holds the agency's lock.
pub(super) fn carry_credit(
    tx: &mut WriteTx,
    actor: Actor,
    agency: AgencyId,
    currency: Currency,
    is_over: impl Fn(Cycle) -> bool,
) -> Result<Vec<Cycle>, CarryError> {
    let mut touched = Vec::new();
    loop {
        let standings = all_cycles(tx.db, agency, currency)?;
        let over: Vec<CycleStanding> = standings.into_iter().filter(|one| is_over(one.cycle)).collect();
        let mut nets = Vec::with_capacity(over.len());
        for standing in by_age(&over) {
            nets.push((standing, standing.open_net()?));
        }
        let from = nets.iter().find(|(_, net)| net.is_negative());
        let to = nets.iter().find(|(_, net)| net.minor > 0);
        let Some(((from, credit), (to, owed))) = from.zip(to) else { return Ok(touched) };
        let credit = credit.checked_neg()?;
        let amount = if owed.minor < credit.minor { *owed } else { credit };
        let shares = [Share::of(from, amount.checked_neg()?)?, Share::of(to, amount)?];
        let mut legs = Vec::new();
        for share in &shares {
            legs.extend(share.legs(agency)?);
        }
        let draft = Draft { event: Event::CreditCarried, reference: tx.ids.block(1), contract: None, actor, legs };
        let posted = post_all(tx, &[draft])?;
        let posting = posted.first().copied().ok_or(PostError::Empty)?;
        keep(tx, &Settlement { agency, by: SettledBy::Carrying, day: tx.ledger_date, posting, shares: &shares })?;
        touched.extend(shares.iter().map(|share| share.cycle));
    }
}

impl From<super::obligation::ObligationError> for CarryError {
    fn from(error: super::obligation::ObligationError) -> Self {
        match error {
            super::obligation::ObligationError::Money(error) => error.into(),
            super::obligation::ObligationError::Db(error) => error.into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What settled a cycle, in that order.
pub fn settlements_of_cycle(
    db: &mut Db,
    agency: AgencyId,
    currency: Currency,
    cycle: Cycle,
) -> Result<Vec<CycleSettlementRow>, DbError> {
    let of = cycle_settlement::table.filter(cycle_settlement::agency_id.eq(agency.raw()));
    let of = of.filter(cycle_settlement::currency.eq(currency.code())).filter(cycle_settlement::cycle.eq(cycle.to_string()));
    Ok(of.order(cycle_settlement::id).select(CycleSettlementRow::as_select()).load(db)?)
}

/// How a receipt was spread, oldest cycle first.
pub fn settlements_of_receipts(db: &mut Db, receipts: &[BankReceiptId]) -> Result<Vec<CycleSettlementRow>, DbError> {
    let receipts: Vec<Option<i64>> = receipts.iter().map(|id| Some(id.raw())).collect();
    let of = cycle_settlement::table.filter(cycle_settlement::receipt_id.eq_any(receipts));
    Ok(of.order(cycle_settlement::id).select(CycleSettlementRow::as_select()).load(db)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn cycles(sold: &[(&str, i64, i64)]) -> Vec<CycleStanding> {
        let of = |(name, gross, commission): &(&str, i64, i64)| CycleStanding {
            sold: cny(*gross),
            commission: cny(*commission),
            ..CycleStanding::nothing(Cycle::parse(name).unwrap(), Currency::CNY)
        };
        sold.iter().map(of).collect()
    }

    #[test]
    fn the_oldest_cycle_is_paid_first_and_what_is_over_stays_in_the_newest() {
        let owed = cycles(&[("2026-11-H2", 50_000, 0), ("2026-11-H1", 100_000, 3_000), ("2026-10-M", 20_000, 600)]);
        let spread = |paid| {
            let shares = oldest_first(&owed, cny(paid)).unwrap();
            shares.iter().map(|one| (one.cycle.to_string(), one.amount.minor, one.commission.minor)).collect::<Vec<_>>()
        };
        let part = |cycle: &str, amount, commission| (cycle.to_owned(), amount, commission);
        assert_eq!(spread(19_400), [part("2026-10-M", 19_400, 600)]);
        assert_eq!(spread(19_401), [part("2026-10-M", 19_400, 600), part("2026-11-H1", 1, 0)]);
        let all = [part("2026-10-M", 19_400, 600), part("2026-11-H1", 97_000, 3_000), part("2026-11-H2", 50_000 + 7, 0)];
        assert_eq!(spread(19_400 + 97_000 + 50_000 + 7), all);
        assert!(oldest_first(&[], cny(1)).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn nothing_of_a_payment_is_lost(gross in prop::collection::vec(0i64..90_000, 1..6), paid in 1i64..400_000) {
            let names = ["2026-09-H1", "2026-09-H2", "2026-10-H1", "2026-10-H2", "2026-11-H1", "2026-11-H2"];
            let owed: Vec<_> = gross.iter().zip(names).map(|(gross, name)| (name, *gross, gross / 30)).collect();
            let shares = oldest_first(&cycles(&owed), cny(paid)).unwrap();
            prop_assert_eq!(shares.iter().map(|one| one.amount.minor).sum::<i64>(), paid);
            prop_assert!(shares.iter().all(|one| one.amount.minor > 0 && one.commission.minor >= 0));
        }
    }
}
