//! The sales limit of an agency with everything that it is made of, as people read it: for showing, never for deciding. The sale decides
//! from accounts that it has locked.

use super::alerts::Usage;
use super::exposure::{Standing, standings};
use super::limit::{LimitPolicy, RhcPeriod, policies_in_force, remittance_holding_capacity, turnover_by_cycle};
use super::limit_terms::{Derived, LimitTerms, derive};
use super::room::Room;
use crate::agencies::{Agency, Cycle, CycleRule, contracts_of};
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, Id};
use crate::ledger::{AccountCode, totals};
use crate::money::{Currency, Money, MoneyError};
use chrono::{Months, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// Percentages of the limit that people are told about.
pub const BANDS: [u8; 4] = [50, 75, 90, 100];
const MONTHS: Months = Months::new(12);

#[derive(Clone, Debug)]
pub struct AgencyLimit {
    pub agency: AgencyId,
    pub standing: Standing,
    pub policy: Option<LimitPolicy>,
    pub terms: LimitTerms,
    pub derived: Derived,
    pub exposure: Money,
    pub room: Room,
    /// Exposure as a share of the limit in per cent, two decimals; none where nothing may be owed at all.
    pub percent_used: Option<Decimal>,
}

/// The Remittance Holding Capacity with what it is made of.
#[derive(Clone, Debug)]
pub struct Capacity {
    pub amount: Money,
    /// The longest cycle of the contracts in force.
    pub reporting_days: u32,
    /// The longest of the contracts in force.
    pub remittance_days: u32,
    pub periods: Vec<CapacityPeriod>,
}

#[derive(Clone, Debug)]
pub struct CapacityPeriod {
    pub cycle: String,
    pub days: u32,
    pub turnover: Money,
}

#[derive(Debug, thiserror::Error)]
pub enum LimitViewError {
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl AgencyLimit {
    pub(super) fn of(
        agency: AgencyId,
        standing: Standing,
        policy: Option<LimitPolicy>,
        terms: LimitTerms,
        date: NaiveDate,
    ) -> Result<Self, MoneyError> {
        let derived = derive(standing.deposit, policy.as_ref(), &terms, date)?;
        let exposure = standing.exposure()?;
        let room = Room::of(derived.limit, exposure)?;
        let percent_used = percent(exposure, derived.limit);
        Ok(AgencyLimit { agency, standing, policy, terms, derived, exposure, room, percent_used })
    }

    /// Whether exposure has come up to this percentage of the limit.
    pub fn has_reached(&self, band: u8) -> bool {
        Usage { exposure: self.exposure, limit: self.derived.limit }.has_reached(i64::from(band))
    }
}

/// Rounded down, so that 100 is shown only when nothing is left.
fn percent(part: Money, whole: Money) -> Option<Decimal> {
    let share = Decimal::from(part.minor).checked_mul(Decimal::ONE_HUNDRED)?.checked_div(Decimal::from(whole.minor))?;
    Some(share.round_dp_with_strategy(2, RoundingStrategy::ToNegativeInfinity))
}

/// The limits of these agencies on a date, in their order: three reads, whatever their number.
pub fn agency_limits(db: &mut Db, agencies: &[Agency], date: NaiveDate) -> Result<Vec<AgencyLimit>, LimitViewError> {
    let mut currencies: Vec<Currency> = agencies.iter().map(|agency| agency.currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let policies = policies_in_force(db, &currencies, date)?;
    let keys: Vec<(AgencyId, Currency)> = agencies.iter().map(|agency| (agency.id, agency.currency)).collect();
    let mut limits = Vec::with_capacity(agencies.len());
    for (agency, standing) in agencies.iter().zip(standings(db, &keys)?) {
        let policy = policies.iter().find(|policy| policy.cap.currency == agency.currency).cloned();
        limits.push(AgencyLimit::of(agency.id, standing, policy, LimitTerms::of(agency)?, date)?);
    }
    Ok(limits)
}

/// What these agencies owe, have prepaid and have lodged together, per currency; of all agencies where none are named.
pub fn agency_totals(db: &mut Db, of: Option<&[AgencyId]>) -> Result<Vec<Standing>, DbError> {
    use AccountCode::{AgencyCharges, AgencyCommission, AgencyDeposit, AgencyReceivable, AgencyWallet};
    let owners: Option<Vec<i64>> = of.map(|ids| ids.iter().map(|id| id.raw()).collect());
    let codes = [AgencyDeposit, AgencyWallet, AgencyReceivable, AgencyCharges, AgencyCommission];
    let mut by_currency: BTreeMap<Currency, Standing> = BTreeMap::new();
    for (code, currency, total) in totals(db, &codes, owners.as_deref())? {
        let zero = Money::zero(currency);
        let nothing = Standing { deposit: zero, wallet: zero, receivable: zero, charges: zero, commission: zero };
        let standing = by_currency.entry(currency).or_insert(nothing);
        match code {
            AgencyDeposit => standing.deposit = total,
            AgencyWallet => standing.wallet = total,
            AgencyReceivable => standing.receivable = total,
            AgencyCharges => standing.charges = total,
            AgencyCommission => standing.commission = total,
            _ => {}
        }
    }
    Ok(by_currency.into_values().collect())
}

/// From the agency's sales on credit by cycle in the last twelve months, the running cycle included.
pub fn holding_capacity(db: &mut Db, agency: &Agency, date: NaiveDate) -> Result<Capacity, LimitViewError> {
    let first = date.checked_sub_months(MONTHS).unwrap_or(date);
    let mut periods = Vec::new();
    for (cycle, turnover) in turnover_by_cycle(db, agency.id, agency.currency, &first.format("%Y-%m").to_string())? {
        let known = Cycle::stored(&cycle)?;
        if known.last_day() >= first {
            periods.push(CapacityPeriod { cycle, days: known.days(), turnover });
        }
    }
    periods.sort_by(|one, other| one.cycle.cmp(&other.cycle));
    let signed = contracts_of(db, agency.id)?;
    let in_force = || signed.iter().filter(|known| known.currency == agency.currency && known.effective_from <= date);
    let remittance_days = in_force().filter_map(|known| u32::try_from(known.payment_days).ok()).max().unwrap_or(0);
    let longest = in_force().map(|known| known.payment.cycle_rule.reporting_days()).max();
    let reporting_days = longest.unwrap_or_else(|| CycleRule::default().reporting_days());
    let counted: Vec<RhcPeriod> =
        periods.iter().map(|period| RhcPeriod { turnover: period.turnover, days: period.days }).collect();
    let amount = remittance_holding_capacity(&counted, reporting_days, remittance_days, agency.currency)?;
    Ok(Capacity { amount, reporting_days, remittance_days, periods })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ids::LimitPolicyId;
    use crate::money::Rate;

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    fn limit(deposit: &str, receivable: &str, commission: &str) -> AgencyLimit {
        let policy = LimitPolicy {
            id: LimitPolicyId::of(1),
            version: 1,
            effective_from: NaiveDate::MIN,
            deposit_multiplier: Rate::parse("2").unwrap(),
            cap: cny("1500.00"),
        };
        let standing = Standing {
            deposit: cny(deposit),
            wallet: cny("0"),
            receivable: cny(receivable),
            charges: cny("0"),
            commission: cny(commission),
        };
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        AgencyLimit::of(AgencyId::of(1), standing, Some(policy), LimitTerms::default(), today).unwrap()
    }

    #[test]
    fn the_worked_ticket_uses_its_net_price() {
        let shown = limit("1000.00", "1000.00", "30.00");
        assert_eq!((shown.derived.multiplied, shown.derived.limit), (cny("2000.00"), cny("1500.00")));
        assert_eq!((shown.exposure, shown.room.available), (cny("970.00"), cny("530.00")));
        assert_eq!(shown.percent_used.unwrap().to_string(), "64.66");
        assert_eq!(BANDS.map(|band| shown.has_reached(band)), [true, false, false, false]);
    }

    #[test]
    fn the_last_band_is_reached_at_the_limit_and_not_a_minor_unit_before() {
        assert!(!limit("750.00", "1499.99", "0").has_reached(100));
        assert!(limit("750.00", "1500.00", "0").has_reached(100));
        assert_eq!(limit("750.00", "1600.00", "0").room.over, cny("100.00"));
    }

    #[test]
    fn what_a_sale_would_need_is_what_lets_it_pass() {
        use super::super::what_if::{Addition, Needed};
        let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let zero = cny("0");
        let nothing = Addition { deposit: zero, guarantee: zero, remittance: zero, temporary: zero };
        // A limit of 1000.00 of which 970.00 is used.
        let now = limit("500.00", "1000.00", "30.00");
        let needed = now.needed_for(cny("100.01"), today).unwrap();
        let expected = Needed {
            short: cny("70.01"),
            remittance: cny("70.01"),
            // Twice 35.01 is 70.02: half a minor unit does not exist.
            deposit: Some(cny("35.01")),
            guarantee: Some(cny("70.01")),
            temporary: Some(cny("70.01")),
            wallet: cny("100.01"),
        };
        assert_eq!(needed, expected);
        for added in [
            Addition { deposit: cny("35.01"), ..nothing },
            Addition { guarantee: cny("70.01"), ..nothing },
            Addition { remittance: cny("70.01"), ..nothing },
            Addition { temporary: cny("70.01"), ..nothing },
        ] {
            assert!(now.with(added, today).unwrap().room.available.minor >= cny("100.01").minor, "{added:?}");
        }
        assert!(
            now.with(Addition { deposit: cny("35.00"), ..nothing }, today).unwrap().room.available.minor < cny("100.01").minor
        );
        // Above the cap of 1500.00 neither deposit nor guarantee helps.
        let beyond = now.needed_for(cny("600.00"), today).unwrap();
        assert_eq!((beyond.deposit, beyond.guarantee, beyond.temporary), (None, None, Some(cny("570.00"))));
        let inside = now.needed_for(cny("30.00"), today).unwrap();
        assert_eq!((inside.short, inside.remittance, inside.deposit), (zero, zero, Some(zero)));
    }

    #[test]
    fn without_a_limit_there_is_no_percentage_and_any_debt_is_beyond_it() {
        let idle = limit("0", "0", "0");
        assert_eq!((idle.percent_used, idle.has_reached(50)), (None, false));
        assert!(limit("0", "0.01", "0").has_reached(100));
    }
}
