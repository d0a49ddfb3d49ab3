//! From an account's key to its id. The pair never changes once an account is open, so remembering it authorises nothing.

use super::account::AccountKey;
use super::repo::AccountRow;
use crate::db::schema::account;
use crate::db::{Db, DbError, Store, WriteTx, ensure_rows};
use crate::ids::{AccountId, Id};
use diesel::prelude::*;
use parking_lot::RwLock;
use std::collections::HashMap;

/// Remembers ids, so that the sale needs no statement to find its accounts.
#[derive(Debug, Default)]
pub struct Chart(RwLock<HashMap<AccountKey, AccountId>>);

impl Chart {
    /// The ids of these accounts, in their order; those that are not open yet are opened in a transaction of their own.
    pub fn resolve(&self, store: &Store, keys: &[AccountKey]) -> Result<Vec<AccountId>, DbError> {
        if let Some(ids) = self.known(keys) {
            return Ok(ids);
        }
        let ids = store.write(|tx| open_accounts(tx, keys))?;
        let mut known = self.0.write();
        known.extend(keys.iter().cloned().zip(ids.iter().copied()));
        Ok(ids)
    }

    /// The same inside a transaction. What is opened here is not remembered, because this transaction may still be rolled back.
    pub fn resolve_in(&self, tx: &mut WriteTx, keys: &[AccountKey]) -> Result<Vec<AccountId>, DbError> {
        if let Some(ids) = self.known(keys) {
            return Ok(ids);
        }
        let existing = find(tx.db, keys)?;
        self.0.write().extend(existing);
        match self.known(keys) {
            Some(ids) => Ok(ids),
            None => open_accounts(tx, keys),
        }
    }

    /// The ids if every one of them is remembered.
    pub fn known(&self, keys: &[AccountKey]) -> Option<Vec<AccountId>> {
        let known = self.0.read();
        keys.iter().map(|key| known.get(key).copied()).collect()
    }
}

/// Finds accounts by key and opens those that are missing, with a balance of zero.
pub fn open_accounts(tx: &mut WriteTx, keys: &[AccountKey]) -> Result<Vec<AccountId>, DbError> {
    let mut found = find(tx.db, keys)?;
    let missing: Vec<AccountRow> = keys
        .iter()
        .filter(|key| !found.contains_key(*key))
        .map(|key| AccountRow {
            id: tx.ids.next::<AccountId>().raw(),
            code: key.code.text().to_owned(),
            owner_id: key.owner,
            detail: key.detail.clone(),
            currency: key.currency.code().to_owned(),
            stripe: 0,
            balance_minor: 0,
            pending_minor: 0,
            version: 0,
            last_entry_id: 0,
        })
        .collect();
    if !missing.is_empty() {
        // Another node may open the same account at the same time: whose row stands is read back.
        ensure_rows(tx, &missing)?;
        found = find(tx.db, keys)?;
    }
    let id_of = |key: &AccountKey| found.get(key).copied().ok_or_else(|| DbError::Corrupt(format!("{key} did not open")));
    keys.iter().map(id_of).collect()
}

fn find(db: &mut Db, keys: &[AccountKey]) -> Result<HashMap<AccountKey, AccountId>, DbError> {
    let mut owners: Vec<i64> = keys.iter().map(|key| key.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let rows: Vec<AccountRow> =
        account::table.filter(account::owner_id.eq_any(owners)).select(AccountRow::as_select()).load(db)?;
    let mut found = HashMap::new();
    for row in rows {
        found.insert(row.key()?, AccountId::of(row.id));
    }
    found.retain(|key, _| keys.contains(key));
    Ok(found)
}
