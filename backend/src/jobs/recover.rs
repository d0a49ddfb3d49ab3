//! After a restore: the bank has done more than the database knows. Before anything is sent again, the bank is asked about every advance that is not
//! resolved, and its statements are read for payments of sales that the backup does not have.
//!
//! Protocol: nothing else runs on the database. What the bank says about known advances is booked as always. Payments that are not known are never
//! booked: they are listed for a person, and the facilities that paid them are closed by hand until a person reopens them. Ticket numbers go on behind
//! every number that the bank has seen, and behind a reserve for those sold and not yet paid. Run again after a failure, it does the rest.

use crate::airlines::{TicketNumber, airlines, skip_documents, stock_of};
use crate::app::App;
use crate::audit::{self, Actor, Cause};
use crate::credit::{
    Advance, AdvanceError, BankOutcome, BankSaid, adopt_attempts, close_facility_by_hand, facilities_in, known_advances,
    own_money_currencies, payment_reference, reference_parts, unresolved_advances,
};
use crate::db::{Db, DbError, RESTORED_FROM, WriteTx, remove_setting, setting};
use crate::gateways::GatewayError;
use crate::gateways::bank::{PaymentStatus, StatementLine};
use crate::ids::{AdvanceId, Id, given_out_at};
use crate::ledger::{AccountCode, Anchor, AnchorError, Purse, last_posting, seals, totals};
use crate::money::Money;
use chrono::{Days, NaiveDate};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Questions to the bank at a time.
const AT_ONCE: usize = 16;
/// A database without a posting was lost young.
const DAYS_WITHOUT_POSTING: u64 = 31;

#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error("the bank does not say what became of {what}: {error}; nothing is lost, run it again")]
    Bank { what: String, error: GatewayError },
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    #[error(transparent)]
    Advance(#[from] AdvanceError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A payment that the bank made for a sale that the database does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LostPayment {
    pub reference: String,
    pub account: String,
    /// As the payment's text names it.
    pub ticket_number: Option<String>,
    pub amount: String,
    pub currency: String,
    pub bank_reference: String,
    pub booked_at: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Recovery {
    /// Advances that the database holds for open.
    pub asked: usize,
    /// Of these the bank had paid, had turned down for good, has in its hands, and has never seen.
    pub paid: usize,
    pub refused: usize,
    pub in_progress: usize,
    pub never_received: usize,
    pub lost: Vec<LostPayment>,
    /// By airline code, the document number at which a range goes on.
    pub documents_go_on_at: Vec<(String, i64)>,
}

/// Why the bank has to be asked before this database is served; `None` where it has not.
pub fn why_recovery_is_due(app: &App) -> Result<Option<String>, RecoverError> {
    if let Some(from) = app.store.read(|db| setting(db, RESTORED_FROM))? {
        return Ok(Some(format!("it was restored from the backup of {from}")));
    }
    if !app.anchor.exists() {
        return Ok(None);
    }
    let anchors = Anchor::read_last(&app.anchor, &app.database_id)?;
    let mut heights: BTreeMap<i64, i64> = BTreeMap::new();
    for seal in app.store.read(seals)? {
        let height = heights.entry(seal.node).or_default();
        *height = seal.height.max(*height);
    }
    let missing = anchors.values().find(|anchor| heights.get(&anchor.node).is_none_or(|height| *height < anchor.height));
    Ok(missing.map(|anchor| {
        let path = app.anchor.display();
        format!("it is older than its anchor {path}, which has seal {} of node {}", anchor.height, anchor.node)
    }))
}

/// Asks the bank about everything, books what it says and lists what is lost. `spare_documents` numbers are left out behind the last that the bank saw.
pub async fn recover(app: &App, spare_documents: i64) -> Result<Recovery, RecoverError> {
    let open = app.store.read(unresolved_advances)?;
    let words: Vec<Option<BankOutcome>> =
        stream::iter(&open).map(|advance| ask(app, advance)).buffer_unordered(AT_ONCE).try_collect().await?;
    let said: Vec<BankOutcome> = words.into_iter().flatten().collect();
    let count = |is: fn(&BankSaid) -> bool| said.iter().filter(|outcome| is(&outcome.said)).count();
    let mut recovery = Recovery {
        asked: open.len(),
        paid: count(|said| matches!(said, BankSaid::Settled { .. })),
        refused: count(|said| matches!(said, BankSaid::Refused { .. })),
        in_progress: count(|said| matches!(said, BankSaid::Accepted | BankSaid::Nothing { .. })),
        never_received: open.len().saturating_sub(said.len()),
        ..Recovery::default()
    };
    let attempts: Vec<(AdvanceId, i64)> = said.iter().map(|outcome| (outcome.advance, outcome.attempt)).collect();
    app.store.write(|tx| adopt_attempts(tx, &attempts))?;
    super::book_said(app, &said)?;
    recovery.lost = lost_payments(app).await?;
    recovery.documents_go_on_at = app.store.write(|tx| finish(tx, &recovery.lost, spare_documents))?;
    Ok(recovery)
}

/// The last attempt that the bank knows, with what became of it; `None` where it never had one.
async fn ask(app: &App, advance: &Advance) -> Result<Option<BankOutcome>, RecoverError> {
    let mut known = None;
    for attempt in advance.attempt.. {
        let reference = payment_reference(advance.id, attempt);
        match app.bank.status(&reference).await {
            Ok(PaymentStatus::NotFound) => break,
            Ok(status) => {
                let said = super::disburse::said(Ok(status));
                // Only a final refusal is followed by another attempt.
                let was_last = !matches!(said, BankSaid::Refused { .. });
                known = Some(BankOutcome { advance: advance.id, attempt, said });
                if was_last {
                    break;
                }
            }
            Err(error) => return Err(RecoverError::Bank { what: reference, error }),
        }
    }
    Ok(known)
}

/// Everything that left our accounts since shortly before the backup, under references of ours that the database does not have.
async fn lost_payments(app: &App) -> Result<Vec<LostPayment>, RecoverError> {
    let (accounts, first) = app.store.read(|db| Ok::<_, DbError>((our_accounts(db)?, last_day(db)?)))?;
    let last = chrono::Utc::now().date_naive().succ_opt().unwrap_or(first);
    let mut found: Vec<(String, AdvanceId, StatementLine)> = Vec::new();
    for account in &accounts {
        for day in first.iter_days().take_while(|day| *day <= last) {
            let bookings = app.bank.statement(account, day).await;
            let bookings = bookings.map_err(|error| RecoverError::Bank { what: format!("account {account} on {day}"), error })?;
            for line in bookings.lines {
                if let Some((advance, _)) = reference_parts(&line.reference)
                    && line.amount.is_negative()
                {
                    found.push((account.clone(), advance, line));
                }
            }
        }
    }
    let ids: Vec<AdvanceId> = found.iter().map(|(_, advance, _)| *advance).collect();
    let known = app.store.read(|db| known_advances(db, &ids))?;
    Ok(found.into_iter().filter(|(_, id, _)| !known.contains(id)).map(|(account, _, line)| lost(account, &line)).collect())
}

fn lost(account: String, line: &StatementLine) -> LostPayment {
    let named = line.remittance_text.split_whitespace().find_map(TicketNumber::parse);
    let amount = Money::new(line.amount.minor.saturating_neg(), line.amount.currency);
    LostPayment {
        reference: line.reference.clone(),
        account,
        ticket_number: named.map(|number| number.text().to_owned()),
        amount: amount.to_string(),
        currency: amount.currency.code().to_owned(),
        bank_reference: line.bank_reference.clone(),
        booked_at: line.booked_at.to_string(),
    }
}

/// Where advances are paid from.
fn our_accounts(db: &mut Db) -> Result<BTreeSet<String>, DbError> {
    let lines = facilities_in(db, &[])?;
    let mut accounts: BTreeSet<String> = lines.into_iter().map(|line| line.debit_account).collect();
    for (_, currency, _) in totals(db, &[AccountCode::AgencyWallet], None)? {
        accounts.insert(super::disburse::client_account(currency));
    }
    for currency in own_money_currencies(db)? {
        accounts.insert(super::disburse::bank_account(Purse::Own, currency));
    }
    Ok(accounts)
}

/// The day before the youngest posting was made: a bank in another zone may have been on it still.
fn last_day(db: &mut Db) -> Result<NaiveDate, DbError> {
    let today = chrono::Utc::now().date_naive();
    let made = match last_posting(db)? {
        Some(posting) => chrono::DateTime::from_timestamp_millis(given_out_at(posting.raw())).map(|at| at.date_naive()),
        None => today.checked_sub_days(Days::new(DAYS_WITHOUT_POSTING)),
    };
    Ok(made.and_then(|day| day.pred_opt()).unwrap_or(today))
}

/// What was lost is kept on record, no number is issued twice, and from here on this is another database than the one that was lost: its anchor
/// begins anew.
fn finish(tx: &mut WriteTx, lost: &[LostPayment], spare_documents: i64) -> Result<Vec<(String, i64)>, RecoverError> {
    let cause = Cause { actor: Actor::platform(), request_id: "recover".into() };
    for payment in lost {
        if let Some((advance, _)) = reference_parts(&payment.reference) {
            audit::record(tx, &cause, "advance.lost_in_restore", advance)?;
        }
    }
    let lines = facilities_in(tx.db, &[]).map_err(AdvanceError::from)?;
    for line in lines {
        let of = lost.iter().filter(|payment| payment.account == line.debit_account).count();
        if of > 0 {
            let reason = format!("{of} payments from {} are not in the restored ledger", line.debit_account);
            close_facility_by_hand(tx, line.id, &reason).map_err(AdvanceError::from)?;
        }
    }
    let mut moved = Vec::new();
    for airline in airlines(tx.db)? {
        let documents: Vec<i64> =
            lost.iter().filter_map(|payment| document(payment.ticket_number.as_deref()?, &airline.accounting_code)).collect();
        for range in stock_of(tx.db, &[airline.id])? {
            let seen =
                documents.iter().copied().filter(|document| (range.first_document..=range.last_document).contains(document));
            let after = seen.max().map_or(range.next_document, |last| range.next_document.max(last.saturating_add(1)));
            // A range that nothing was sold of has no lost sale either.
            if after == range.first_document {
                continue;
            }
            if let Some(next) = skip_documents(tx, &range, after.saturating_add(spare_documents))? {
                moved.push((airline.iata_code.clone(), next));
            }
        }
    }
    crate::app::renew_database_id(tx)?;
    remove_setting(tx, RESTORED_FROM)?;
    Ok(moved)
}

fn document(number: &str, accounting_code: &str) -> Option<i64> {
    number.strip_prefix(accounting_code)?.parse().ok()
}
