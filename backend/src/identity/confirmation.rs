//! A separate confirmation for money above a threshold. The code comes by e-mail with what it is for: the kind of business, the payee and the amount. It is good for
//! exactly that, once, for ten minutes and five tries; the commit that pays uses it up.

use super::secret::{random, same};
use super::user::User;
use crate::clock::Timestamp;
use crate::db::schema::money_confirmation as table;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows, stored_currency};
use crate::ids::{ConfirmationId, Id, UserId};
use crate::money::Money;
use crate::notify::{Language, Letter, Sealing, queue_letter};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct ConfirmationRow in money_confirmation {
        id: i64,
        user_id: i64,
        business: String,
        payee: String,
        amount_minor: i64,
        currency: String,
        code_digest: String,
        attempts: i64,
        created_at: NaiveDateTime,
        expires_at: NaiveDateTime,
        used_at: Option<NaiveDateTime>,
    }
}

const LASTS: Duration = Duration::minutes(10);
const MOST_ATTEMPTS: i64 = 5;
const DIGITS: u64 = 100_000_000;

/// What kind of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Business {
    AirlinePayment,
    CashTransfer,
    CreditPayout,
    DepositReturn,
    FacilityRepayment,
    TaxPayment,
    WalletWithdrawal,
}

impl Business {
    pub fn text(self) -> &'static str {
        match self {
            Business::AirlinePayment => "airline_payment",
            Business::CashTransfer => "cash_transfer",
            Business::CreditPayout => "credit_payout",
            Business::DepositReturn => "deposit_return",
            Business::FacilityRepayment => "facility_repayment",
            Business::TaxPayment => "tax_payment",
            Business::WalletWithdrawal => "wallet_withdrawal",
        }
    }

    fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Business::AirlinePayment, Language::English) => "payment to an airline",
            (Business::AirlinePayment, Language::Chinese) => "向航空公司付款",
            (Business::CashTransfer, Language::English) => "transfer between own and clients' cash",
            (Business::CashTransfer, Language::Chinese) => "自有资金与客户资金划转",
            (Business::CreditPayout, Language::English) => "payout of a credit to an agency",
            (Business::CreditPayout, Language::Chinese) => "向代理支付贷方余额",
            (Business::DepositReturn, Language::English) => "return of a deposit",
            (Business::DepositReturn, Language::Chinese) => "退还保证金",
            (Business::FacilityRepayment, Language::English) => "repayment of a bank line",
            (Business::FacilityRepayment, Language::Chinese) => "偿还银行授信",
            (Business::TaxPayment, Language::English) => "payment of taxes",
            (Business::TaxPayment, Language::Chinese) => "缴纳税费",
            (Business::WalletWithdrawal, Language::English) => "withdrawal from a wallet",
            (Business::WalletWithdrawal, Language::Chinese) => "预存款提现",
        }
    }
}

/// One payment, to the letter: another amount, currency or payee is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub business: Business,
    /// As the request that pays names it.
    pub payee: String,
    pub amount: Money,
}

#[derive(Clone, Debug)]
pub struct Confirmation {
    pub id: ConfirmationId,
    pub expires_at: Timestamp,
}

/// What a code that was given is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    Right,
    /// By an earlier request; it pays nothing more.
    Used,
    Wrong,
}

/// Writes a code for one payment to the user. Codes that the user was sent before count no more. `payee_name` is the payee as people know it.
pub fn ask_to_confirm(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    digest: impl Fn(&str) -> String,
    user: &User,
    payment: &Payment,
    payee_name: &str,
) -> Result<Confirmation, DbError> {
    let open = table::table.filter(table::user_id.eq(user.id.raw())).filter(table::used_at.is_null());
    let open = open.filter(table::expires_at.gt(tx.now.naive()));
    diesel::update(open).set(table::expires_at.eq(tx.now.naive())).execute(&mut *tx.db)?;
    let code = format!("{:08}", u64::from_be_bytes(random::<8>()?) % DIGITS);
    let id: ConfirmationId = tx.ids.next();
    let expires_at = tx.now.plus(LASTS);
    let row = ConfirmationRow {
        id: id.raw(),
        user_id: user.id.raw(),
        business: payment.business.text().to_owned(),
        payee: payment.payee.clone(),
        amount_minor: payment.amount.minor,
        currency: payment.amount.currency.to_string(),
        code_digest: digest(&code),
        attempts: 0,
        created_at: tx.now.naive(),
        expires_at: expires_at.naive(),
        used_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    queue_letter(tx, sealing, letter(user, payment, payee_name, &code))?;
    Ok(Confirmation { id, expires_at })
}

fn letter(user: &User, payment: &Payment, payee: &str, code: &str) -> Letter {
    let (amount, currency, business) = (payment.amount, payment.amount.currency, payment.business.name(user.language));
    let (subject, body) = match user.language {
        Language::English => (
            format!("Airsettle: confirm {amount} {currency} to {payee}"),
            format!(
                "Hello {},\n\nBusiness: {business}\nPayee: {payee}\nAmount: {amount} {currency}\n\nCode: {code}\n\nThe code is good for exactly \
                 this payment, once and for ten minutes. If any of it is not what you want to pay, or you have not asked for it, do not \
                 use it and tell your administrator.\n\nAirsettle\n",
                user.name
            ),
        ),
        Language::Chinese => (
            format!("Airsettle：确认向 {payee} 支付 {amount} {currency}"),
            format!(
                "{}，您好：\n\n业务：{business}\n收款方：{payee}\n金额：{amount} {currency}\n\n验证码：{code}\n\n验证码仅可用于此笔付款一次，十分钟内有效。\
                 如有任何不符，或非您本人操作，请勿使用并通知管理员。\n\nAirsettle\n",
                user.name
            ),
        ),
    };
    Letter::plain("money_confirmation", &user.email, subject, body)
}

fn row_of(db: &mut Db, user: UserId, id: ConfirmationId) -> Result<Option<ConfirmationRow>, DbError> {
    let own = table::table.filter(table::id.eq(id.raw())).filter(table::user_id.eq(user.raw()));
    Ok(own.select(ConfirmationRow::as_select()).first(db).optional()?)
}

/// Looks at a code in a commit of its own, before the payment: each look is a try, and another payment ends the code.
pub fn look_at_code(
    tx: &mut WriteTx,
    user: UserId,
    id: ConfirmationId,
    code_digest: &str,
    payment: &Payment,
) -> Result<Looked, DbError> {
    let Some(row) = row_of(tx.db, user, id)? else { return Ok(Looked::Wrong) };
    let is_for_it = row.business == payment.business.text()
        && row.payee == payment.payee
        && Money::new(row.amount_minor, stored_currency(&row.currency)?) == payment.amount;
    if row.used_at.is_some() {
        return Ok(if is_for_it { Looked::Used } else { Looked::Wrong });
    }
    if row.expires_at <= tx.now.naive() || row.attempts >= MOST_ATTEMPTS {
        return Ok(Looked::Wrong);
    }
    let expires_at = if is_for_it { row.expires_at } else { tx.now.naive() };
    let set = (table::attempts.eq(table::attempts + 1), table::expires_at.eq(expires_at));
    diesel::update(table::table.find(id.raw())).set(set).execute(&mut *tx.db)?;
    let is_right = same(row.code_digest.as_bytes(), code_digest.as_bytes());
    Ok(if is_for_it && is_right { Looked::Right } else { Looked::Wrong })
}

/// Uses a code up, in the commit of its payment. False: it cannot be used any more, so there is no payment.
pub fn use_code(tx: &mut WriteTx, user: UserId, id: ConfirmationId) -> Result<bool, DbError> {
    let usable = table::table.filter(table::id.eq(id.raw())).filter(table::user_id.eq(user.raw()));
    let usable = usable.filter(table::used_at.is_null()).filter(table::expires_at.gt(tx.now.naive()));
    let used = diesel::update(usable).set(table::used_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db)?;
    Ok(used == 1)
}
