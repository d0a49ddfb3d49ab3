//! `/v1/ledger/postings`: balanced double-entry postings, and the form in which every answer shows them.

use super::shape::{PageParams, by_key, by_user, time};
use super::sight::{Sight, not_found, require_operator};
use crate::agencies::agencies_by_id;
use crate::airlines::airlines_by_id;
use crate::api::caller::Caller;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::credit::facilities_in;
use crate::db::{Db, DbError};
use crate::identity::Scope;
use crate::ids::{
    AccountId, AgencyId, AirlineId, BankReceiptId, ContractId, EntryId, FacilityId, Id, OrganisationId, PostingId,
    RefundApplicationId, RefundId, TicketId,
};
use crate::ledger::{AccountRow, EntryRow, Event, PostingRow, entries_of, posting, postings};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LedgerPosting {
    #[schema(example = "pst_0000000000001")]
    pub id: String,
    /// Such as `capital_paid_in`, `ticket_sale`, `advance_confirmed`, `ticket_refund`
    #[schema(example = "ticket_sale")]
    pub event: String,
    /// The ticket, refund or bank receipt that it is about.
    pub reference_id: Option<String>,
    /// In the operator's zone.
    #[schema(example = "2026-11-01")]
    pub ledger_date: String,
    /// RFC 3339, UTC.
    pub booked_at: String,
    /// The contract version that it follows.
    pub contract_id: Option<String>,
    /// Who caused it; null: the platform itself.
    pub actor_organisation_id: Option<String>,
    pub actor_key_id: Option<String>,
    pub actor_user_id: Option<String>,
    /// SHA-256 in hexadecimal, as it is sealed in the chain.
    pub digest: String,
    /// Debits equal credits per currency. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<LedgerEntry>>,
}

/// One line of a posting: exactly one of debit and credit is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LedgerEntry {
    #[schema(example = "ent_0000000000001")]
    pub id: String,
    pub account_id: String,
    #[schema(example = "agency.receivable")]
    pub account_code: String,
    /// The code with whose account it is.
    #[schema(example = "agency.receivable: Wuhan Travel")]
    pub account_name: String,
    #[schema(example = "1000.00")]
    pub debit_amount: Option<String>,
    pub credit_amount: Option<String>,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The remittance cycle of an open item.
    pub cycle: Option<String>,
}

/// The id of an account's owner as it is shown: an agency, an airline or a facility; none for the platform's own.
pub(super) fn owner_id(account: &AccountRow) -> Option<String> {
    match account.code.split('.').next() {
        Some("agency") => Some(AgencyId::of(account.owner_id).to_string()),
        Some("airline") => Some(AirlineId::of(account.owner_id).to_string()),
        Some("bank") => Some(FacilityId::of(account.owner_id).to_string()),
        _ => None,
    }
}

/// The names of the owners of accounts.
pub(super) struct OwnerNames(HashMap<i64, String>);

impl OwnerNames {
    pub fn of<'a>(db: &mut Db, accounts: impl Iterator<Item = &'a AccountRow>) -> Result<Self, DbError> {
        let (mut agencies, mut airlines, mut lines) = (Vec::new(), Vec::new(), false);
        for account in accounts {
            match account.code.split('.').next() {
                Some("agency") => agencies.push(AgencyId::of(account.owner_id)),
                Some("airline") => airlines.push(AirlineId::of(account.owner_id)),
                Some("bank") => lines = true,
                _ => {}
            }
        }
        let mut names = HashMap::new();
        names.extend(agencies_by_id(db, &agencies)?.into_iter().map(|agency| (agency.id.raw(), agency.name)));
        names.extend(airlines_by_id(db, &airlines)?.into_iter().map(|airline| (airline.id.raw(), airline.name)));
        if lines {
            names.extend(facilities_in(db, &[])?.into_iter().map(|line| (line.id.raw(), line.name)));
        }
        Ok(OwnerNames(names))
    }

    /// Such as `agency.receivable: Wuhan Travel` or `platform.cash: client`.
    pub fn account_name(&self, account: &AccountRow) -> String {
        let owner = self.0.get(&account.owner_id).map(String::as_str).unwrap_or_default();
        let whose = if account.detail.is_empty() { owner } else { account.detail.as_str() };
        if whose.is_empty() { account.code.clone() } else { format!("{}: {whose}", account.code) }
    }
}

impl LedgerEntry {
    fn of(entry: EntryRow, account: &AccountRow, names: &OwnerNames) -> Result<Self, DbError> {
        let (debit, credit) = entry.columns(account.money_currency()?);
        Ok(LedgerEntry {
            id: EntryId::of(entry.id).to_string(),
            account_id: AccountId::of(account.id).to_string(),
            account_code: account.code.clone(),
            account_name: names.account_name(account),
            debit_amount: debit.map(|amount| amount.to_string()),
            credit_amount: credit.map(|amount| amount.to_string()),
            currency: account.currency.clone(),
            cycle: entry.cycle,
        })
    }
}

impl From<PostingRow> for LedgerPosting {
    fn from(row: PostingRow) -> Self {
        let by_platform = row.actor_organisation_id == 0;
        LedgerPosting {
            id: PostingId::of(row.id).to_string(),
            reference_id: reference_id(&row.event, row.reference_id),
            event: row.event,
            ledger_date: row.ledger_date.to_string(),
            booked_at: time(row.booked_at),
            contract_id: row.contract_id.map(|id| ContractId::of(id).to_string()),
            actor_organisation_id: (!by_platform).then(|| OrganisationId::of(row.actor_organisation_id).to_string()),
            actor_key_id: by_key(row.actor_key_id),
            actor_user_id: by_user(row.actor_key_id),
            digest: hex::encode(row.digest),
            entries: None,
        }
    }
}

/// The stored text of an event says what its reference is.
fn reference_id(event: &str, raw: i64) -> Option<String> {
    let is = |events: &[Event]| events.iter().any(|known| known.text() == event);
    if is(&[Event::TicketRefund]) {
        return Some(RefundId::of(raw).to_string());
    }
    if is(&[Event::RefundPaidOut]) {
        return Some(RefundApplicationId::of(raw).to_string());
    }
    if is(&[Event::TicketSale, Event::AdvanceConfirmed]) {
        return Some(TicketId::of(raw).to_string());
    }
    let receipt = is(&[Event::CapitalPaidIn, Event::DepositLodged, Event::WalletTransferIn]);
    receipt.then(|| BankReceiptId::of(raw).to_string())
}

/// Postings with their entries, in their order.
pub(in crate::api) fn with_entries(db: &mut Db, rows: Vec<PostingRow>) -> Result<Vec<LedgerPosting>, DbError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let entries = entries_of(db, &row)?;
        found.push((row, entries));
    }
    let names = OwnerNames::of(db, found.iter().flat_map(|(_, entries)| entries.iter().map(|(_, account)| account)))?;
    found
        .into_iter()
        .map(|(row, entries)| {
            let entries: Result<Vec<LedgerEntry>, DbError> =
                entries.into_iter().map(|(entry, account)| LedgerEntry::of(entry, &account, &names)).collect();
            Ok(LedgerPosting { entries: Some(entries?), ..row.into() })
        })
        .collect()
}

/// All postings, newest first, without their entries. The operator only.
#[utoipa::path(get, path = "/v1/ledger/postings", tag = "Ledger", operation_id = "list_postings",
    params(PageParams), responses((status = 200, body = Page<LedgerPosting>)))]
pub async fn list_postings(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/ledger/postings")?;
    let (window, limit) = (request.window(), request.fetch());
    let found = caller.read(move |db| postings(db, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(LedgerPosting::from)))
}

/// One posting with its entries. The operator sees any, others those that touch an account of theirs.
#[utoipa::path(get, path = "/v1/ledger/postings/{id}", tag = "Ledger", operation_id = "get_posting",
    params(("id" = String, Path, description = "`pst_…`")), responses((status = 200, body = Data<LedgerPosting>)))]
pub async fn get_posting(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: PostingId = path_id(&id)?;
    let owners = Sight::of(&caller).await?.owners();
    let found = caller
        .read(move |db| {
            let row = posting(db, id)?.ok_or_else(not_found)?;
            if let Some(own) = owners {
                let entries = entries_of(db, &row)?;
                if !entries.iter().any(|(_, account)| account.owner_id != 0 && own.contains(&account.owner_id)) {
                    return Err(not_found());
                }
            }
            with_entries(db, vec![row])?.pop().ok_or_else(not_found)
        })
        .await?;
    Ok(ok(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::AccountCode;

    #[test]
    fn the_owner_of_an_account_and_the_reference_of_an_event_have_their_prefix() {
        let account = |code: AccountCode| AccountRow {
            id: 1,
            code: code.text().to_owned(),
            owner_id: 7,
            detail: String::new(),
            currency: "CNY".to_owned(),
            stripe: 0,
            balance_minor: 0,
            pending_minor: 0,
            version: 0,
            last_entry_id: 0,
        };
        let prefix = |code| owner_id(&account(code)).map(|id| id.chars().take(4).collect::<String>());
        assert_eq!(prefix(AccountCode::AgencyWallet).as_deref(), Some("agy_"));
        assert_eq!(prefix(AccountCode::AirlinePayable).as_deref(), Some("arl_"));
        assert_eq!(prefix(AccountCode::BankLoan).as_deref(), Some("fac_"));
        assert_eq!(prefix(AccountCode::PlatformCash), None);
        assert_eq!(reference_id(Event::TicketSale.text(), 7), Some(TicketId::of(7).to_string()));
        assert_eq!(reference_id(Event::CapitalPaidIn.text(), 7), Some(BankReceiptId::of(7).to_string()));
        assert_eq!(reference_id("something_later", 7), None);
    }
}
