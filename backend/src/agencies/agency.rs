//! An agency (or a branch): who sells, in which zone and currency, and whether it may.

use super::freeze::{FreezeScope, FrozenScopes};
use crate::db::schema::agency;
use crate::db::{Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, windowed};
use crate::ids::{AgencyId, Id, OrganisationId};
use crate::money::Currency;
use crate::notify::{EventType, NewEvent, emit};
use chrono::NaiveDateTime;
use chrono_tz::Tz;
use diesel::prelude::*;
use std::fmt;

rows! {
    pub struct AgencyRow in agency {
        id: i64,
        organisation_id: i64,
        parent_id: Option<i64>,
        numeric_code: String,
        name: String,
        country: String,
        zone: String,
        currency: String,
        status: String,
        tender_order: String,
        created_at: NaiveDateTime,
        tier: String,
        max_unpaid_holds: i64,
        caution: String,
        limit_terms: String,
        frozen_scopes: String,
        alerted_percent: i64,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgencyStatus {
    Active,
    Frozen,
    Closed,
}

impl AgencyStatus {
    pub fn text(self) -> &'static str {
        match self {
            AgencyStatus::Active => "active",
            AgencyStatus::Frozen => "frozen",
            AgencyStatus::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [AgencyStatus::Active, AgencyStatus::Frozen, AgencyStatus::Closed].into_iter().find(|status| status.text() == text)
    }
}

/// What pays for an order whose payment says `balance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenderOrder {
    CreditThenWallet,
    WalletOnly,
}

impl TenderOrder {
    pub fn text(self) -> &'static str {
        match self {
            TenderOrder::CreditThenWallet => "credit_then_wallet",
            TenderOrder::WalletOnly => "wallet_only",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [TenderOrder::CreditThenWallet, TenderOrder::WalletOnly].into_iter().find(|order| order.text() == text)
    }
}

/// The class of its terms, which commission rules and incentives match on: 1 to 20 lower-case letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tier(String);

impl Tier {
    /// Of an agency that was given no other.
    pub fn standard() -> Self {
        Tier("standard".to_owned())
    }

    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        ((1..=20).contains(&text.len()) && text.bytes().all(allowed)).then(|| Tier(text.to_owned()))
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many orders an agency may hold at a time without having paid them: they keep seats from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldLimit(i64);

impl HoldLimit {
    /// Of an agency that was given no other.
    pub const STANDARD: HoldLimit = HoldLimit(50);
    pub const MOST: i64 = 10_000;

    /// 0 to 10,000; none: the agency holds nothing.
    pub fn of(orders: i64) -> Option<Self> {
        (0..=Self::MOST).contains(&orders).then_some(HoldLimit(orders))
    }

    pub fn orders(self) -> i64 {
        self.0
    }
}

#[derive(Clone, Debug)]
pub struct Agency {
    pub id: AgencyId,
    pub organisation: OrganisationId,
    pub parent: Option<AgencyId>,
    pub numeric_code: String,
    pub name: String,
    pub country: String,
    /// The zone of the point of sale: it decides a ticket's date of issue and its cycle.
    pub zone: Tz,
    pub currency: Currency,
    pub status: AgencyStatus,
    pub tender_order: TenderOrder,
    pub created_at: NaiveDateTime,
    pub tier: Tier,
    /// What its limit is made of beside deposit and policy, as `credit` reads it.
    pub limit_terms: String,
    pub frozen: FrozenScopes,
    /// The part of its limit in per cent that it was last told about.
    pub alerted_percent: i64,
    pub max_unpaid_holds: HoldLimit,
    /// What its score takes from its limit, as `credit` reads it.
    pub caution: String,
}

impl TryFrom<AgencyRow> for Agency {
    type Error = DbError;

    fn try_from(row: AgencyRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of agency {}", row.id));
        Ok(Agency {
            id: AgencyId::of(row.id),
            organisation: OrganisationId::of(row.organisation_id),
            parent: row.parent_id.map(AgencyId::of),
            zone: row.zone.parse().map_err(|_| corrupt("zone"))?,
            currency: Currency::parse(&row.currency).map_err(|_| corrupt("currency"))?,
            status: AgencyStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            tender_order: TenderOrder::parse(&row.tender_order).ok_or_else(|| corrupt("tender order"))?,
            tier: Tier::parse(&row.tier).ok_or_else(|| corrupt("tier"))?,
            caution: row.caution,
            frozen: FrozenScopes::parse(&row.frozen_scopes).ok_or_else(|| corrupt("frozen scopes"))?,
            limit_terms: row.limit_terms,
            alerted_percent: row.alerted_percent,
            max_unpaid_holds: HoldLimit::of(row.max_unpaid_holds).ok_or_else(|| corrupt("limit of holds"))?,
            numeric_code: row.numeric_code,
            name: row.name,
            country: row.country,
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AgencyError {
    #[error("{0} is not an agency code: 8 digits, the eighth is the first seven mod 7")]
    NumericCode(String),
    #[error("agency code {0} belongs to another agency")]
    NumericCodeTaken(String),
    #[error("no such agency")]
    NotFound,
    #[error("a closed agency stays closed")]
    Closed,
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewAgency {
    pub organisation: OrganisationId,
    pub numeric_code: String,
    pub name: String,
    pub country: String,
    pub zone: Tz,
    pub currency: Currency,
    pub tender_order: TenderOrder,
}

/// IATA's rule: the eighth digit is the number of the first seven modulo 7.
pub fn numeric_code_is_valid(code: &str) -> bool {
    let digits = code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit());
    let (Some(head), Some(check)) = (code.get(..7), code.get(7..)) else { return false };
    digits && head.parse::<u32>().map(|number| (number % 7).to_string()).as_deref() == Ok(check)
}

pub fn open_agency(tx: &mut WriteTx, new: NewAgency) -> Result<Agency, AgencyError> {
    if !numeric_code_is_valid(&new.numeric_code) {
        return Err(AgencyError::NumericCode(new.numeric_code));
    }
    let taken = agency::table.filter(agency::numeric_code.eq(&new.numeric_code)).count();
    if taken.get_result::<i64>(&mut *tx.db).map_err(DbError::from)? > 0 {
        return Err(AgencyError::NumericCodeTaken(new.numeric_code));
    }
    let row = AgencyRow {
        id: tx.ids.next::<AgencyId>().raw(),
        organisation_id: new.organisation.raw(),
        parent_id: None,
        numeric_code: new.numeric_code,
        name: new.name,
        country: new.country,
        zone: new.zone.name().to_owned(),
        currency: new.currency.code().to_owned(),
        status: AgencyStatus::Active.text().to_owned(),
        tender_order: new.tender_order.text().to_owned(),
        created_at: tx.now.naive(),
        tier: Tier::standard().0,
        limit_terms: String::new(),
        frozen_scopes: String::new(),
        alerted_percent: 0,
        max_unpaid_holds: HoldLimit::STANDARD.0,
        caution: String::new(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(Agency::try_from(row)?)
}

/// Freezes, unfreezes or closes; from the next commit on the sale sees it.
pub fn set_status(tx: &mut WriteTx, id: AgencyId, status: AgencyStatus) -> Result<Agency, AgencyError> {
    let current = lock_agency(tx, id)?.ok_or(AgencyError::NotFound)?;
    if current.status == AgencyStatus::Closed && status != AgencyStatus::Closed {
        return Err(AgencyError::Closed);
    }
    let row = agency::table.find(id.raw());
    diesel::update(row).set(agency::status.eq(status.text())).execute(&mut *tx.db).map_err(DbError::from)?;
    if status != current.status {
        let kind = match status {
            AgencyStatus::Active => EventType::AgencyActivated,
            AgencyStatus::Frozen => EventType::AgencyFrozen,
            AgencyStatus::Closed => EventType::AgencyClosed,
        };
        emit(tx, NewEvent::new(kind, id).of_agency(id))?;
    }
    Ok(Agency { status, ..current })
}

/// What of its doings stands still from the next commit on. The caller holds its lock. One that may not sell is shown as frozen.
pub fn set_frozen(tx: &mut WriteTx, current: &Agency, frozen: &FrozenScopes) -> Result<(), AgencyError> {
    let status = if frozen.has(FreezeScope::Issue) { AgencyStatus::Frozen } else { AgencyStatus::Active };
    if current.status != AgencyStatus::Closed {
        set_status(tx, current.id, status)?;
    }
    let row = agency::table.find(current.id.raw());
    diesel::update(row).set(agency::frozen_scopes.eq(frozen.text())).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(())
}

/// What its limit is made of, from the next commit on. The caller holds its lock.
pub fn set_limit_terms(tx: &mut WriteTx, id: AgencyId, terms: &str) -> Result<(), DbError> {
    diesel::update(agency::table.find(id.raw())).set(agency::limit_terms.eq(terms)).execute(&mut *tx.db)?;
    Ok(())
}

/// Puts an agency into another tier; sales from the next commit on are on its terms.
pub fn set_tier(tx: &mut WriteTx, id: AgencyId, tier: Tier) -> Result<Agency, AgencyError> {
    let current = lock_agency(tx, id)?.ok_or(AgencyError::NotFound)?;
    let row = agency::table.find(id.raw());
    diesel::update(row).set(agency::tier.eq(tier.text())).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(Agency { tier, ..current })
}

/// Sets how many orders it may hold; those that it holds stay.
pub fn set_hold_limit(tx: &mut WriteTx, id: AgencyId, max_unpaid_holds: HoldLimit) -> Result<Agency, AgencyError> {
    let current = lock_agency(tx, id)?.ok_or(AgencyError::NotFound)?;
    let row = agency::table.find(id.raw());
    let limited = diesel::update(row).set(agency::max_unpaid_holds.eq(max_unpaid_holds.orders()));
    limited.execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(Agency { max_unpaid_holds, ..current })
}

/// Locks an agency and reads it as it is then.
pub fn lock_agency(tx: &mut WriteTx, id: AgencyId) -> Result<Option<Agency>, DbError> {
    lock(tx, Contended::Agency, &[id.raw()])?;
    agency(tx.db, id)
}

pub fn agency(db: &mut Db, id: AgencyId) -> Result<Option<Agency>, DbError> {
    let row: Option<AgencyRow> = agency::table.find(id.raw()).select(AgencyRow::as_select()).first(db).optional()?;
    row.map(Agency::try_from).transpose()
}

pub fn agencies_by_id(db: &mut Db, ids: &[AgencyId]) -> Result<Vec<Agency>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<AgencyRow> = agency::table.filter(agency::id.eq_any(raw)).select(AgencyRow::as_select()).load(db)?;
    rows.into_iter().map(Agency::try_from).collect()
}

/// Of one organisation, or of all.
pub fn agencies(db: &mut Db, organisation: Option<OrganisationId>, window: Window, limit: i64) -> Result<Vec<Agency>, DbError> {
    let mut query = windowed!(agency::table.into_boxed(), agency::id, window, limit);
    if let Some(organisation) = organisation {
        query = query.filter(agency::organisation_id.eq(organisation.raw()));
    }
    let rows: Vec<AgencyRow> = query.select(AgencyRow::as_select()).load(db)?;
    rows.into_iter().map(Agency::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::numeric_code_is_valid;

    #[test]
    fn the_eighth_digit_checks_the_first_seven() {
        for valid in ["57231064", "77200771", "91200001", "08301241", "08123452", "33000004"] {
            assert!(numeric_code_is_valid(valid), "{valid}");
        }
        for wrong in ["57231065", "5723106", "572310640", "5723106a", "", "５7231064"] {
            assert!(!numeric_code_is_valid(wrong), "{wrong}");
        }
    }
}
