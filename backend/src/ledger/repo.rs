//! The ledger's rows and the reads over them.

use super::AccountKey;
use super::account::AccountCode;
use crate::db::schema::{account, entry, posting};
use crate::db::{Db, DbError, Window, rows, stored_currency, windowed};
use crate::ids::{AccountId, Id, PostingId};
use crate::money::{Currency, Money};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct AccountRow in account {
        id: i64,
        code: String,
        owner_id: i64,
        detail: String,
        currency: String,
        stripe: i64,
        /// Debit-positive.
        balance_minor: i64,
        /// The sum of pending holds.
        pending_minor: i64,
        version: i64,
        last_entry_id: i64,
    }

    pub struct PostingRow in posting {
        id: i64,
        event: String,
        reference_id: i64,
        ledger_date: NaiveDate,
        booked_at: NaiveDateTime,
        contract_id: Option<i64>,
        actor_organisation_id: i64,
        actor_key_id: i64,
        entry_count: i64,
        digest: Vec<u8>,
    }

    pub struct EntryRow in entry {
        id: i64,
        posting_id: i64,
        account_id: i64,
        amount_minor: i64,
        balance_after_minor: i64,
        version: i64,
        previous_entry_id: i64,
        cycle: Option<String>,
    }

    pub struct HoldRow in hold {
        id: i64,
        account_id: i64,
        reference_id: i64,
        amount_minor: i64,
        posted_minor: i64,
        /// Not held any more, because less is to be paid: `amount_minor - released_minor` is pending.
        released_minor: i64,
        state: String,
        created_at: NaiveDateTime,
        expires_at: Option<NaiveDateTime>,
        resolved_at: Option<NaiveDateTime>,
    }

    pub struct SealRow in seal {
        node: i64,
        height: i64,
        first_posting_id: i64,
        last_posting_id: i64,
        posting_count: i64,
        head: Vec<u8>,
        sealed_at: NaiveDateTime,
    }
}

impl AccountRow {
    pub fn account_code(&self) -> Result<AccountCode, DbError> {
        AccountCode::parse(&self.code).ok_or_else(|| DbError::Corrupt(format!("account code {}", self.code)))
    }

    pub fn money_currency(&self) -> Result<Currency, DbError> {
        stored_currency(&self.currency)
    }

    pub fn key(&self) -> Result<AccountKey, DbError> {
        let (code, currency) = (self.account_code()?, self.money_currency()?);
        Ok(AccountKey { code, owner: self.owner_id, detail: self.detail.clone(), currency })
    }

    /// The balance on the account's normal side.
    pub fn balance(&self) -> Result<Money, DbError> {
        Ok(Money::new(self.account_code()?.normal_side(self.balance_minor), self.money_currency()?))
    }
}

impl EntryRow {
    /// The amount in the debit column or in the credit column; never in both.
    pub fn columns(&self, currency: Currency) -> (Option<Money>, Option<Money>) {
        let amount = Money::new(self.amount_minor, currency);
        if self.amount_minor >= 0 {
            return (Some(amount), None);
        }
        // The book refuses what does not fit when negated.
        (None, Some(Money::new(self.amount_minor.saturating_neg(), currency)))
    }
}

/// Of these owners, or of all; of one code, or of any.
pub fn accounts(
    db: &mut Db,
    owners: Option<&[i64]>,
    code: Option<AccountCode>,
    window: Window,
    limit: i64,
) -> Result<Vec<AccountRow>, DbError> {
    let mut query = windowed!(account::table.into_boxed(), account::id, window, limit);
    if let Some(owners) = owners {
        query = query.filter(account::owner_id.eq_any(owners.to_vec()));
    }
    if let Some(code) = code {
        query = query.filter(account::code.eq(code.text()));
    }
    Ok(query.select(AccountRow::as_select()).load(db)?)
}

/// The posting that was made last.
pub fn last_posting(db: &mut Db) -> Result<Option<PostingId>, DbError> {
    let last: Option<i64> = posting::table.select(diesel::dsl::max(posting::id)).first(db)?;
    Ok(last.map(PostingId::of))
}

/// Normal-side balances by code and currency, summed over these owners, or over all.
pub fn totals(
    db: &mut Db,
    codes: &[AccountCode],
    owners: Option<&[i64]>,
) -> Result<Vec<(AccountCode, Currency, Money)>, DbError> {
    let texts: Vec<&str> = codes.iter().map(|code| code.text()).collect();
    // CAST: PostgreSQL sums bigint to numeric, which has no portable type here.
    let sum = diesel::dsl::sql::<diesel::sql_types::BigInt>("CAST(SUM(balance_minor) AS BIGINT)");
    let grouped = account::table.group_by((account::code, account::currency)).select((account::code, account::currency, sum));
    let mut query = grouped.order((account::code, account::currency)).filter(account::code.eq_any(texts)).into_boxed();
    if let Some(owners) = owners {
        query = query.filter(account::owner_id.eq_any(owners.to_vec()));
    }
    let sums: Vec<(String, String, i64)> = query.load(db)?;
    sums.into_iter()
        .map(|(code, currency, minor)| {
            let code = AccountCode::parse(&code).ok_or_else(|| DbError::Corrupt(format!("account code {code}")))?;
            let currency = stored_currency(&currency)?;
            Ok((code, currency, Money::new(code.normal_side(minor), currency)))
        })
        .collect()
}

pub fn account(db: &mut Db, id: AccountId) -> Result<Option<AccountRow>, DbError> {
    Ok(account::table.find(id.raw()).select(AccountRow::as_select()).first(db).optional()?)
}

/// All accounts of these owners, in id order.
pub fn accounts_of(db: &mut Db, owners: &[i64]) -> Result<Vec<AccountRow>, DbError> {
    let of_owners = account::table.filter(account::owner_id.eq_any(owners.to_vec()));
    Ok(of_owners.order(account::id).select(AccountRow::as_select()).load(db)?)
}

/// The balance of one account on its normal side; nothing where nothing was booked.
pub fn balance(db: &mut Db, key: &AccountKey) -> Result<Money, DbError> {
    let found = balances(db, std::slice::from_ref(key))?.pop();
    Ok(found.map_or(Money::zero(key.currency), |(_, balance)| balance))
}

/// Normal-side balances by key; an account that was never opened has none and is left out.
pub fn balances(db: &mut Db, keys: &[AccountKey]) -> Result<Vec<(AccountKey, Money)>, DbError> {
    let mut owners: Vec<i64> = keys.iter().map(|key| key.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let mut found = Vec::new();
    for row in accounts_of(db, &owners)? {
        let key = row.key()?;
        if keys.contains(&key) {
            found.push((key, row.balance()?));
        }
    }
    Ok(found)
}

pub fn posting(db: &mut Db, id: PostingId) -> Result<Option<PostingRow>, DbError> {
    Ok(posting::table.find(id.raw()).select(PostingRow::as_select()).first(db).optional()?)
}

pub fn postings(db: &mut Db, window: Window, limit: i64) -> Result<Vec<PostingRow>, DbError> {
    let query = windowed!(posting::table.into_boxed(), posting::id, window, limit);
    Ok(query.select(PostingRow::as_select()).load(db)?)
}

/// The journal of one thing: its postings in the order in which they were booked.
pub fn postings_about(db: &mut Db, reference: i64) -> Result<Vec<PostingRow>, DbError> {
    let about = posting::table.filter(posting::reference_id.eq(reference));
    Ok(about.order(posting::id).select(PostingRow::as_select()).load(db)?)
}

/// Entries of a posting with their accounts: by primary key, because their ids follow the posting's.
pub fn entries_of(db: &mut Db, posting: &PostingRow) -> Result<Vec<(EntryRow, AccountRow)>, DbError> {
    let last = posting.id.saturating_add(posting.entry_count);
    let range = entry::table.filter(entry::id.gt(posting.id)).filter(entry::id.le(last)).order(entry::id);
    let entries: Vec<EntryRow> = range.select(EntryRow::as_select()).load(db)?;
    let ids: Vec<i64> = entries.iter().map(|entry| entry.account_id).collect();
    let accounts: Vec<AccountRow> = account::table.filter(account::id.eq_any(ids)).select(AccountRow::as_select()).load(db)?;
    entries
        .into_iter()
        .map(|entry| {
            let account = accounts.iter().find(|account| account.id == entry.account_id).cloned();
            let account = account.ok_or_else(|| DbError::Corrupt(format!("entry {} has no account", entry.id)))?;
            Ok((entry, account))
        })
        .collect()
}
