//! `/v1/ledger/accounts` and `/v1/ledger/trial_balance`: accounts, their statements, and the proof that all of it balances.

use super::postings::{LedgerPosting, OwnerNames, owner_id};
use super::shape::PageParams;
use super::sight::{Sight, narrowed, not_found, require_operator};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::ApiError;
use crate::api::paging::{Anchor, PageRequest};
use crate::api::query::{Query, path_id};
use crate::db::{Db, DbError};
use crate::identity::Scope;
use crate::ids::{AccountId, AgencyId, AirlineId, EntryId, FacilityId, Id};
use crate::ledger::{self, AccountCode, AccountRow, StatementLine, accounts, statement, trial_balance};
use crate::money::{Currency, Money};
use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LedgerAccount {
    #[schema(example = "acc_0000000000001")]
    pub id: String,
    #[schema(example = "agency.receivable")]
    pub code: String,
    /// The code with whose account it is.
    #[schema(example = "agency.receivable: Wuhan Travel")]
    pub name: String,
    /// An agency, an airline or a facility; null: the platform.
    pub owner_id: Option<String>,
    /// A second dimension: `CAAC/CN` of a tax, `own` or `client` of cash.
    pub detail: Option<String>,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Positive on the side where this kind of account normally stands.
    #[schema(example = "1000.00")]
    pub balance_amount: String,
    /// Pending holds.
    pub pending_amount: String,
    /// Entries so far.
    pub version: i64,
}

impl LedgerAccount {
    fn of(row: &AccountRow, names: &OwnerNames) -> Result<Self, DbError> {
        Ok(LedgerAccount {
            id: AccountId::of(row.id).to_string(),
            code: row.code.clone(),
            name: names.account_name(row),
            owner_id: owner_id(row),
            detail: (!row.detail.is_empty()).then(|| row.detail.clone()),
            currency: row.currency.clone(),
            balance_amount: row.balance()?.to_string(),
            pending_amount: Money::new(row.pending_minor, row.money_currency()?).to_string(),
            version: row.version,
        })
    }

    fn all(db: &mut Db, rows: &[AccountRow]) -> Result<Vec<Self>, DbError> {
        let names = OwnerNames::of(db, rows.iter())?;
        rows.iter().map(|row| LedgerAccount::of(row, &names)).collect()
    }
}

/// One line of an account's statement: exactly one of debit and credit is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatementEntry {
    #[schema(example = "ent_0000000000001")]
    pub id: String,
    /// The posting that it is part of, without its entries.
    pub posting: LedgerPosting,
    #[schema(example = "1000.00")]
    pub debit_amount: Option<String>,
    pub credit_amount: Option<String>,
    /// The account's balance after it, on the account's normal side.
    pub balance_after_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The remittance cycle of an open item.
    pub cycle: Option<String>,
}

impl StatementEntry {
    fn of(line: StatementLine, code: AccountCode, currency: Currency) -> Self {
        let (debit, credit) = line.entry.columns(currency);
        let balance_after = Money::new(code.normal_side(line.entry.balance_after_minor), currency);
        StatementEntry {
            id: EntryId::of(line.entry.id).to_string(),
            posting: line.posting.into(),
            debit_amount: debit.map(|amount| amount.to_string()),
            credit_amount: credit.map(|amount| amount.to_string()),
            balance_after_amount: balance_after.to_string(),
            currency: currency.to_string(),
            cycle: line.entry.cycle,
        }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrialBalance {
    /// Everything booked up to this ledger date, in the operator's zone.
    #[schema(example = "2026-11-01")]
    pub as_of: String,
    /// True, or the ledger is wrong.
    pub balanced: bool,
    pub lines: Vec<TrialBalanceLine>,
    /// Debits less credits, per currency: all zero.
    pub differences: Vec<TrialBalanceDifference>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrialBalanceLine {
    /// The account code; own and client cash apart.
    #[schema(example = "platform.cash[client]")]
    pub account: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub debit_amount: String,
    pub credit_amount: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrialBalanceDifference {
    pub currency: String,
    #[schema(example = "0.00")]
    pub amount: String,
}

impl TrialBalance {
    fn of(trial: &ledger::TrialBalance) -> Result<Self, DbError> {
        let text = |code: &str, minor: i128| {
            let currency = Currency::parse(code).map_err(|error| DbError::Corrupt(error.to_string()))?;
            Ok::<_, DbError>(currency.decimal(minor))
        };
        let line = |line: &ledger::TrialLine| {
            Ok(TrialBalanceLine {
                account: line.account.clone(),
                currency: line.currency.clone(),
                debit_amount: text(&line.currency, line.debit_minor)?,
                credit_amount: text(&line.currency, line.credit_minor)?,
            })
        };
        let difference = |(currency, minor): (&String, &i128)| {
            Ok(TrialBalanceDifference { currency: currency.clone(), amount: text(currency, *minor)? })
        };
        Ok(TrialBalance {
            as_of: trial.as_of.to_string(),
            balanced: trial.is_balanced(),
            lines: trial.lines.iter().map(line).collect::<Result<_, DbError>>()?,
            differences: trial.differences.iter().map(difference).collect::<Result<_, DbError>>()?,
        })
    }
}

fn asked_owner(query: &Query) -> Result<Option<i64>, ApiError> {
    let Some(text) = query.get("owner_id") else { return Ok(None) };
    let raw = AgencyId::parse(text).map(Id::raw);
    let raw = raw.or_else(|_| AirlineId::parse(text).map(Id::raw)).or_else(|_| FacilityId::parse(text).map(Id::raw));
    let message = "`owner_id` is the id of an agency, an airline or a facility.";
    raw.map(Some).map_err(|_| ApiError::new(Code::InvalidValue, message).parameter("owner_id"))
}

/// Accounts with their balances, newest first. The operator sees all, others their own.
#[utoipa::path(get, path = "/v1/ledger/accounts", tag = "Ledger", operation_id = "list_accounts",
    params(PageParams,
        ("code" = Option<String>, Query, description = "Only of this code, such as `agency.receivable`"),
        ("owner_id" = Option<String>, Query, description = "Only of this agency, airline or facility")),
    responses((status = 200, body = Page<LedgerAccount>)))]
pub async fn list_accounts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/ledger/accounts")?;
    let (window, limit) = (request.window(), request.fetch());
    let code = match query.get("code") {
        None => None,
        Some(text) => Some(AccountCode::parse(text).ok_or_else(|| {
            ApiError::new(Code::InvalidValue, "`code` is an account code such as `agency.receivable`.").parameter("code")
        })?),
    };
    let owners = narrowed(asked_owner(&query)?, Sight::of(&caller).await?.owners());
    let found = caller
        .read(move |db| {
            let rows = accounts(db, owners.as_deref(), code, window, limit)?;
            let found = request.page(rows, |row| row.id);
            let data = LedgerAccount::all(db, &found.data)?;
            Ok::<_, DbError>(Page { data, meta: found.meta })
        })
        .await?;
    Ok(page(&found))
}

fn visible_account(db: &mut Db, id: AccountId, owners: Option<&Vec<i64>>) -> Result<AccountRow, ApiError> {
    let found = ledger::account(db, id)?;
    let own = |row: &AccountRow| owners.is_none_or(|own| row.owner_id != 0 && own.contains(&row.owner_id));
    found.filter(own).ok_or_else(not_found)
}

/// One account.
#[utoipa::path(get, path = "/v1/ledger/accounts/{id}", tag = "Ledger", operation_id = "get_account",
    params(("id" = String, Path, description = "`acc_…`")), responses((status = 200, body = Data<LedgerAccount>)))]
pub async fn get_account(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: AccountId = path_id(&id)?;
    let owners = Sight::of(&caller).await?.owners();
    let found = caller
        .read(move |db| {
            let row = visible_account(db, id, owners.as_ref())?;
            LedgerAccount::all(db, &[row])?.pop().ok_or_else(not_found)
        })
        .await?;
    Ok(ok(found))
}

/// An account's statement, newest entry first. It is read forward only: `before` is not accepted.
#[utoipa::path(get, path = "/v1/ledger/accounts/{id}/entries", tag = "Ledger", operation_id = "list_entries",
    params(("id" = String, Path, description = "`acc_…`"),
        ("limit" = Option<u16>, Query, description = "1 to 200, 50 if not given"),
        ("after" = Option<String>, Query, description = "The cursor `meta.after` of a page: what follows it")),
    responses((status = 200, body = Page<StatementEntry>)))]
pub async fn list_entries(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: AccountId = path_id(&id)?;
    let request = PageRequest::<i64>::read(&query, "/v1/ledger/entries")?;
    if matches!(request.anchor, Anchor::Before(_)) {
        let message = "A statement is read forward only: take `after` from `meta`.";
        return Err(ApiError::new(Code::InvalidCursor, message).parameter("before"));
    }
    let owners = Sight::of(&caller).await?.owners();
    let found = caller
        .read(move |db| {
            let account = visible_account(db, id, owners.as_ref())?;
            let from = match request.anchor {
                Anchor::After(entry) => entry,
                Anchor::Start | Anchor::Before(_) => account.last_entry_id,
            };
            let lines = statement(db, id, from, request.fetch())?;
            // A cursor names the entry with which the next page begins.
            let mut found = request.page(lines, |line| line.entry.previous_entry_id);
            found.meta.before = None;
            let (code, currency) = (account.account_code()?, account.money_currency()?);
            Ok::<_, ApiError>(found.map(|line| StatementEntry::of(line, code, currency)))
        })
        .await?;
    Ok(page(&found))
}

/// Every account code's debits and credits up to a ledger date, own and client cash apart: they sum to zero per currency. The operator only.
#[utoipa::path(get, path = "/v1/ledger/trial_balance", tag = "Ledger", operation_id = "get_trial_balance",
    params(("as_of" = Option<String>, Query, description = "A date such as `2026-11-01`; today in the operator's zone if not given")),
    responses((status = 200, body = Data<TrialBalance>)))]
pub async fn get_trial_balance(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let as_of = match query.get("as_of") {
        None => caller.app.today(),
        Some(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map_err(|_| ApiError::new(Code::InvalidValue, "`as_of` is a date such as `2026-11-01`.").parameter("as_of"))?,
    };
    let trial = caller.read(move |db| trial_balance(db, as_of)).await?;
    Ok(ok(TrialBalance::of(&trial)?))
}
