//! What an agency owes, has prepaid and has lodged, read from its accounts.

use crate::db::{Db, DbError};
use crate::ids::AgencyId;
use crate::ledger::{AccountCode, AccountKey, Book, balances};
use crate::money::{Currency, Money, MoneyError};
use std::collections::HashMap;

/// The five accounts of an agency in one currency, each on its normal side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub deposit: Money,
    pub wallet: Money,
    pub receivable: Money,
    pub charges: Money,
    pub commission: Money,
}

const CODES: [AccountCode; 5] = [
    AccountCode::AgencyDeposit,
    AccountCode::AgencyWallet,
    AccountCode::AgencyReceivable,
    AccountCode::AgencyCharges,
    AccountCode::AgencyCommission,
];

pub fn standing_accounts(agency: AgencyId, currency: Currency) -> Vec<AccountKey> {
    CODES.into_iter().map(|code| AccountKey::agency(code, agency, currency)).collect()
}

impl Standing {
    fn read(agency: AgencyId, currency: Currency, balance: impl Fn(&AccountKey) -> Money) -> Self {
        let of = |code| balance(&AccountKey::agency(code, agency, currency));
        Standing {
            deposit: of(AccountCode::AgencyDeposit),
            wallet: of(AccountCode::AgencyWallet),
            receivable: of(AccountCode::AgencyReceivable),
            charges: of(AccountCode::AgencyCharges),
            commission: of(AccountCode::AgencyCommission),
        }
    }

    /// From accounts that are locked in this transaction.
    pub fn in_book(book: &Book, agency: AgencyId, currency: Currency) -> Self {
        Standing::read(agency, currency, |key| book.balance(key))
    }

    /// Receivable and charges less the commission that the same cycle nets.
    pub fn exposure(&self) -> Result<Money, MoneyError> {
        self.receivable.checked_add(self.charges)?.checked_sub(self.commission)
    }
}

/// The standing of many agencies, in their order.
pub fn standings(db: &mut Db, agencies: &[(AgencyId, Currency)]) -> Result<Vec<Standing>, DbError> {
    let keys: Vec<AccountKey> = agencies.iter().flat_map(|(agency, currency)| standing_accounts(*agency, *currency)).collect();
    let found: HashMap<AccountKey, Money> = balances(db, &keys)?.into_iter().collect();
    let balance = |key: &AccountKey| found.get(key).copied().unwrap_or(Money::zero(key.currency));
    Ok(agencies.iter().map(|(agency, currency)| Standing::read(*agency, *currency, balance)).collect())
}

pub fn standing(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Standing, DbError> {
    let found = standings(db, &[(agency, currency)])?.pop();
    found.ok_or_else(|| DbError::Corrupt(format!("agency {agency} has no standing")))
}
