//! The chart of accounts: which accounts exist, what they are, and which of them can never be overdrawn.

use crate::ids::{AgencyId, AirlineId, FacilityId, Id};
use crate::money::Currency;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Asset,
    /// What an asset is expected to be worth less.
    ContraAsset,
    Liability,
    Equity,
    ProfitAndLoss,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AccountCode { $($(#[$doc])* $name),+ }
        impl AccountCode {
            pub const ALL: &'static [AccountCode] = &[$(AccountCode::$name),+];
            pub fn text(self) -> &'static str { match self { $(AccountCode::$name => $text),+ } }
            pub fn kind(self) -> Kind { match self { $(AccountCode::$name => Kind::$kind),+ } }
        }
    };
}

codes! {
    /// Cash collateral lodged.
    AgencyDeposit = "agency.deposit", Liability;
    /// Prepaid balance.
    AgencyWallet = "agency.wallet", Liability;
    /// Gross price of tickets issued on credit; its entries carry their cycle.
    AgencyReceivable = "agency.receivable", Asset;
    /// Late fees and financing charges.
    AgencyCharges = "agency.charges", Asset;
    /// Front commission not yet netted.
    AgencyCommission = "agency.commission", Liability;
    /// Back-end incentive, accrued and not settled.
    AgencyIncentive = "agency.incentive", Liability;
    /// The airline's share until it is paid.
    AirlinePayable = "airline.payable", Liability;
    /// What an airline gives back.
    AirlineReceivable = "airline.receivable", Asset;
    /// Taxes that the platform remits.
    AuthorityTax = "authority.tax", Liability;
    /// Principal drawn.
    BankLoan = "bank.loan", Liability;
    /// Interest and commitment fees accrued.
    BankInterest = "bank.interest", Liability;
    PlatformCash = "platform.cash", Asset;
    /// Own money ordered into the client account, not yet confirmed.
    PlatformCashTransfer = "platform.cash_transfer", Asset;
    PlatformCapital = "platform.capital", Equity;
    PlatformFeeIncome = "platform.fee_income", ProfitAndLoss;
    PlatformInterestExpense = "platform.interest_expense", ProfitAndLoss;
    /// Refunds of wallet tickets that were approved and wait for the airline's money before the wallet gets them.
    AgencyRefundDue = "agency.refund_due", Liability;
    /// Incentives that the platform funds itself.
    PlatformIncentiveExpense = "platform.incentive_expense", ProfitAndLoss;
    /// Late fees and financing that agencies were charged.
    PlatformFinanceIncome = "platform.finance_income", ProfitAndLoss;
    /// VAT that the platform's fee contains.
    PlatformVatPayable = "platform.vat_payable", Liability;
    /// What is expected never to be paid.
    PlatformCreditLossExpense = "platform.credit_loss_expense", ProfitAndLoss;
    /// The provision for it, per agency.
    PlatformCreditLossAllowance = "platform.credit_loss_allowance", ContraAsset;
}

impl AccountCode {
    pub fn parse(text: &str) -> Option<Self> {
        AccountCode::ALL.iter().copied().find(|code| code.text() == text)
    }

    /// Prepaid money, collateral and cash are never spent twice: no posting takes these below zero. Loans and claims are never paid twice. Interest
    /// that was paid can turn out to be too much: where a repayment is dated back after it, the bank owes the difference. A tax can be: where a ticket is voided after its tax was paid, the authority owes it back until later tickets make up for it.
    pub(super) fn may_be_overdrawn(self) -> bool {
        !matches!(
            self,
            AccountCode::AgencyDeposit
                | AccountCode::AgencyRefundDue
                | AccountCode::AgencyWallet
                | AccountCode::AirlineReceivable
                | AccountCode::BankLoan
                | AccountCode::PlatformCash
                | AccountCode::PlatformCashTransfer
        )
    }

    /// A balance as people read it: positive on the side where this kind of account normally stands.
    pub fn normal_side(self, debit_positive_minor: i64) -> i64 {
        match self.kind() {
            Kind::Asset => debit_positive_minor,
            // A stored balance is never i64::MIN: the book refuses what does not fit when negated.
            Kind::ContraAsset | Kind::Liability | Kind::Equity | Kind::ProfitAndLoss => debit_positive_minor.saturating_neg(),
        }
    }
}

/// Own money and client money never share an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purse {
    Own,
    Client,
}

impl Purse {
    pub fn text(self) -> &'static str {
        match self {
            Purse::Own => "own",
            Purse::Client => "client",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Purse::Own, Purse::Client].into_iter().find(|purse| purse.text() == text)
    }
}

/// What identifies an account, apart from its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountKey {
    pub code: AccountCode,
    /// The agency, airline or facility; 0 for the platform's own.
    pub owner: i64,
    /// A second dimension where there is one: `CAAC/CN` of a tax, `own` or `client` of cash.
    pub detail: String,
    pub currency: Currency,
}

impl AccountKey {
    pub fn agency(code: AccountCode, agency: AgencyId, currency: Currency) -> Self {
        AccountKey { code, owner: agency.raw(), detail: String::new(), currency }
    }

    pub fn airline(code: AccountCode, airline: AirlineId, currency: Currency) -> Self {
        AccountKey { code, owner: airline.raw(), detail: String::new(), currency }
    }

    pub fn facility(code: AccountCode, facility: FacilityId, currency: Currency) -> Self {
        AccountKey { code, owner: facility.raw(), detail: String::new(), currency }
    }

    pub fn tax(payee: &str, code: &str, currency: Currency) -> Self {
        AccountKey { code: AccountCode::AuthorityTax, owner: 0, detail: format!("{payee}/{code}"), currency }
    }

    pub fn cash(purse: Purse, currency: Currency) -> Self {
        AccountKey { code: AccountCode::PlatformCash, owner: 0, detail: purse.text().to_owned(), currency }
    }

    pub fn platform(code: AccountCode, currency: Currency) -> Self {
        AccountKey { code, owner: 0, detail: String::new(), currency }
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.text())?;
        if !self.detail.is_empty() {
            write!(f, "[{}]", self.detail)?;
        }
        write!(f, " {}", self.currency)
    }
}
