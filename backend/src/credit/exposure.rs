//! What an agency owes, has prepaid and has lodged, read from its accounts.

use crate::db::{Db, DbError};
use crate::ids::AgencyId;
use crate::ledger::{AccountCode, AccountKey, Book, balances};
use crate::money::{Currency, Money, MoneyError};

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

pub fn standing(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Standing, DbError> {
    let found = balances(db, &standing_accounts(agency, currency))?;
    let balance =
        |key: &AccountKey| found.iter().find(|(known, _)| known == key).map_or(Money::zero(currency), |(_, balance)| *balance);
    Ok(Standing::read(agency, currency, balance))
}
