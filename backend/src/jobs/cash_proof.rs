//! The daily proof of cash: the bank's statement of every day that is over is fetched for each of our accounts, and held against the ledger. Where the bank
//! gives none, that is kept, and the day is tried again with the next close.

use super::disburse::bank_account;
use super::fence::Fence;
use super::schedule::JobError;
use crate::app::App;
use crate::gateways::bank::{BookingKind, DayStatement};
use crate::money::Money;
use crate::settlement::{
    BankDay, BankLine, BankLineKind, CashAccount, CashProofError, ProofState, cash_accounts, next_to_prove, note_unavailable,
    prove_cash,
};
use chrono::{Duration, NaiveDate};

/// A commit carries the time at which it began; none takes this long.
const COMMITS_END_WITHIN: Duration = Duration::seconds(60);
/// Of one account in one run; the rest follows in the next one.
const MOST_DAYS: usize = 400;

pub(super) fn prove(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(JobError::of)?;
    let today = app.now().plus(-COMMITS_END_WITHIN).date_in(app.store.zone());
    let mut proven = 0i64;
    for account in app.store.read(cash_accounts)? {
        let name = bank_account(account.purse, account.currency);
        for _ in 0..MOST_DAYS {
            let Some(day) = app.store.read(|db| next_to_prove(db, account))?.filter(|day| *day < today) else { break };
            match runtime.block_on(app.bank.statement(&name, day)) {
                Ok(statement) => prove_day(fence, account, day, &statement)?,
                Err(error) => {
                    fence.write(|tx| note_unavailable(tx, account, day, &error.to_string()).map_err(failed))?;
                    tracing::error!(%error, account = name, %day, "no statement: the cash of the day is not proven");
                    break;
                }
            }
            proven = proven.saturating_add(1);
        }
    }
    Ok(proven)
}

fn prove_day(fence: &Fence, account: CashAccount, day: NaiveDate, statement: &DayStatement) -> Result<(), JobError> {
    let currency = account.currency;
    let lines = statement.lines.iter().filter(|line| line.amount.currency == currency);
    let lines = lines.map(|line| BankLine {
        bank_reference: line.bank_reference.clone(),
        amount: line.amount,
        kind: match line.kind {
            BookingKind::Transfer => BankLineKind::Transfer,
            BookingKind::Fee => BankLineKind::Fee,
        },
    });
    let closing = statement.closing.iter().find(|amount| amount.currency == currency);
    let bank = BankDay { closing: closing.copied().unwrap_or(Money::zero(currency)), lines: lines.collect() };
    let proof = fence.write(|tx| prove_cash(tx, account, day, &bank).map_err(failed))?;
    if proof.state == ProofState::Unexplained.text() {
        let unexplained = Money::new(proof.unexplained_minor, currency);
        tracing::error!(account = account.purse.text(), %day, %unexplained, "bank and ledger differ by something unexplained");
    }
    Ok(())
}

fn failed(error: CashProofError) -> JobError {
    match error {
        CashProofError::Db(error) => JobError::Db(error),
        other => JobError::of(other),
    }
}
