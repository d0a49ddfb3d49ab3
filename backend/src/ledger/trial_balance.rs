//! The trial balance: every account's debits and credits up to a ledger date, which sum to zero per currency.

use super::account::AccountKey;
use super::repo::AccountRow;
use crate::db::schema::account;
use crate::db::{Db, DbError};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};
use diesel::{QueryableByName, sql_query};
use std::collections::BTreeMap;

/// One account code (cash: one purse) in one currency. Minor units; i128, because a sum over all accounts may not fit i64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialLine {
    pub account: String,
    pub currency: String,
    pub debit_minor: i128,
    pub credit_minor: i128,
}

#[derive(Clone, Debug)]
pub struct TrialBalance {
    pub as_of: NaiveDate,
    pub lines: Vec<TrialLine>,
    /// Debits less credits per currency: all zero, or the ledger is wrong.
    pub differences: BTreeMap<String, i128>,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    account_id: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// Sums entries, not stored balances, so that it holds for any date and proves the balances on the way.
pub fn trial_balance(db: &mut Db, as_of: NaiveDate) -> Result<TrialBalance, DbError> {
    // CAST: PostgreSQL sums bigint to numeric, which has no portable type here.
    let text = "SELECT e.account_id AS account_id, CAST(SUM(e.amount_minor) AS BIGINT) AS total
         FROM entry e JOIN posting p ON p.id = e.posting_id WHERE p.ledger_date <= $1 GROUP BY e.account_id";
    let sums: Vec<Sum> = sql_query(text).bind::<Date, _>(as_of).load(db)?;
    let accounts: Vec<AccountRow> = account::table.order(account::id).select(AccountRow::as_select()).load(db)?;
    let accounts: BTreeMap<i64, AccountKey> =
        accounts.iter().map(|row| Ok((row.id, row.key()?))).collect::<Result<_, DbError>>()?;
    let mut lines: BTreeMap<(String, String), TrialLine> = BTreeMap::new();
    let mut differences: BTreeMap<String, i128> = BTreeMap::new();
    for sum in sums {
        let key = accounts.get(&sum.account_id);
        let key = key.ok_or_else(|| DbError::Corrupt(format!("entries of unknown account {}", sum.account_id)))?;
        let currency = key.currency.code().to_owned();
        let account =
            if key.detail.is_empty() { key.code.text().to_owned() } else { format!("{}[{}]", key.code.text(), key.detail) };
        let total = i128::from(sum.total);
        let difference = differences.entry(currency.clone()).or_default();
        *difference = difference.saturating_add(total);
        let line = lines.entry((currency.clone(), account.clone()));
        let line = line.or_insert(TrialLine { account, currency, debit_minor: 0, credit_minor: 0 });
        if total >= 0 {
            line.debit_minor = line.debit_minor.saturating_add(total);
        } else {
            line.credit_minor = line.credit_minor.saturating_sub(total);
        }
    }
    Ok(TrialBalance { as_of, lines: lines.into_values().collect(), differences })
}

impl TrialBalance {
    pub fn is_balanced(&self) -> bool {
        self.differences.values().all(|difference| *difference == 0)
    }
}
