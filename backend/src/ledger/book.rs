//! The book of one transaction: accounts loaded under lock, drafts posted against them in memory, everything written at the end.

use super::account::{AccountCode, AccountKey};
use super::chain;
use super::hold::{HoldError, HoldState, Resolution, Resolved};
use super::repo::{AccountRow, EntryRow, HoldRow, PostingRow};
use super::{chart::open_accounts, repo};
use crate::audit::Actor;
use crate::db::{Cell, Change, Contended, DbError, RowSet, Update, WriteTx, locked, write};
use crate::ids::{AccountId, ContractId, HoldId, Id, PostingId};
use crate::money::{Currency, Money, MoneyError};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};

macro_rules! events {
    ($($name:ident = $text:literal,)+) => {
        /// What happened. The text is stored and sealed: it never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($name),+ }
        impl Event {
            pub const ALL: &'static [Event] = &[$(Event::$name),+];
            pub fn text(self) -> &'static str { match self { $(Event::$name => $text),+ } }
        }
    };
}

events! {
    CapitalPaidIn = "capital_paid_in",
    DepositLodged = "deposit_lodged",
    WalletTransferIn = "wallet_transfer_in",
    TicketSale = "ticket_sale",
    AdvanceConfirmed = "advance_confirmed",
    TicketVoid = "ticket_void",
    // A new ticket for one that is given in: refund legs, issue legs and the penalty.
    TicketExchange = "ticket_exchange",
    // An exchange taken back: the inverse of its difference.
    ExchangeVoid = "exchange_void",
    TicketRefund = "ticket_refund",
    // A refund that waited for the airline's money reaches the wallet.
    RefundPaidOut = "refund_paid_out",
    // What was taken back of an advance while it was on its way turned out never to be paid.
    AdvanceReclaimDropped = "advance_reclaim_dropped",
    ClaimSetOff = "claim_set_off",
    AirlineRepaid = "airline_repaid",
    AgencyRemitted = "agency_remitted",
    InterestAccrued = "interest_accrued",
    FacilityRepaid = "facility_repaid",
    TaxPaid = "tax_paid",
    EarningsSwept = "earnings_swept",
    TransferOrdered = "transfer_ordered",
    TransferConfirmed = "transfer_confirmed",
    IncentiveAccrued = "incentive_accrued",
    // A tier was reached or lost: what that changes for the other tickets of the period.
    IncentiveTrueUp = "incentive_true_up",
    IncentiveReversed = "incentive_reversed",
    IncentiveSettled = "incentive_settled",
    DepositReturned = "deposit_returned",
    WalletTransferOut = "wallet_transfer_out",
    LateFeeCharged = "late_fee_charged",
    FinancingCharged = "financing_charged",
    ChargesPaid = "charges_paid",
    // Credit of one cycle pays what is owed in another.
    CreditCarried = "credit_carried",
    CreditPaidOut = "credit_paid_out",
    // Of an agency in default.
    CommissionNetted = "commission_netted",
    WalletApplied = "wallet_applied",
    DepositApplied = "deposit_applied",
    GuaranteePaid = "guarantee_paid",
    DebtWrittenOff = "debt_written_off",
    DebtRecovered = "debt_recovered",
    // The allowance of an agency brought to what is expected to be lost.
    LossProvided = "loss_provided",
    // The interest of days that a movement dated back, or a rate published late, has changed.
    InterestCorrected = "interest_corrected",
    // Memos that were upheld.
    AdmPosted = "adm_posted",
    AcmPosted = "acm_posted",
    AirlinePaid = "airline_paid",
}

/// One side of a posting; debits are positive.
#[derive(Clone, Debug)]
pub struct Leg {
    pub account: AccountKey,
    pub amount: Money,
    /// The remittance cycle of an open item on `agency.receivable`.
    pub cycle: Option<String>,
}

impl Leg {
    pub fn debit(account: AccountKey, amount: Money) -> Self {
        Leg { account, amount, cycle: None }
    }

    pub fn credit(account: AccountKey, amount: Money) -> Result<Self, MoneyError> {
        Ok(Leg { account, amount: amount.checked_neg()?, cycle: None })
    }

    #[must_use]
    pub fn in_cycle(self, cycle: &str) -> Self {
        Leg { cycle: Some(cycle.to_owned()), ..self }
    }
}

/// A posting that is not booked yet.
#[derive(Clone, Debug)]
pub struct Draft {
    pub event: Event,
    /// The business object that it is about; one event happens once to one object.
    pub reference: i64,
    pub contract: Option<ContractId>,
    pub actor: Actor,
    pub legs: Vec<Leg>,
}

#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("the legs differ by {by_minor} minor units of {currency}")]
    Unbalanced { currency: Currency, by_minor: i128 },
    #[error("a posting needs at least two legs that are not zero")]
    Empty,
    #[error("an account in {account} was given an amount in {amount}")]
    CurrencyMismatch { account: Currency, amount: Currency },
    #[error("{0} would be overdrawn")]
    Overdrawn(AccountKey),
    #[error("{0} does not fit the ledger")]
    Overflow(AccountKey),
    #[error("{0} was not loaded into the book")]
    NotLoaded(AccountKey),
    #[error("no such hold")]
    NoHold,
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

struct Loaded {
    row: AccountRow,
    code: AccountCode,
    changed: bool,
}

#[derive(Default)]
pub struct Book {
    accounts: HashMap<AccountId, Loaded>,
    ids: HashMap<AccountKey, AccountId>,
    postings: Vec<PostingRow>,
    entries: Vec<EntryRow>,
    new_holds: Vec<HoldRow>,
    resolved_holds: Vec<HoldRow>,
}

impl Book {
    pub fn new() -> Self {
        Book::default()
    }

    /// Locks these accounts and reads them. Classes of accounts are loaded in the order that the caller's protocol prescribes.
    pub fn load(&mut self, tx: &mut WriteTx, ids: &[AccountId]) -> Result<(), DbError> {
        let mut raw: Vec<i64> = ids.iter().filter(|id| !self.accounts.contains_key(id)).map(|id| id.raw()).collect();
        raw.sort_unstable();
        raw.dedup();
        if raw.is_empty() {
            return Ok(());
        }
        for row in locked::<AccountRow>(tx, Contended::Account, &raw)? {
            let id = AccountId::of(row.id);
            self.ids.insert(row.key()?, id);
            let code = row.account_code()?;
            self.accounts.insert(id, Loaded { row, code, changed: false });
        }
        Ok(())
    }

    /// The balance on the account's normal side; zero where the account is not open.
    pub fn balance(&self, key: &AccountKey) -> Money {
        let minor = self.find(key).map_or(0, |loaded| loaded.code.normal_side(loaded.row.balance_minor));
        Money::new(minor, key.currency)
    }

    /// The sum of pending holds.
    pub fn pending(&self, key: &AccountKey) -> Money {
        Money::new(self.find(key).map_or(0, |loaded| loaded.row.pending_minor), key.currency)
    }

    fn find(&self, key: &AccountKey) -> Option<&Loaded> {
        self.ids.get(key).and_then(|id| self.accounts.get(id))
    }

    /// Books a draft in memory. Legs of zero are left out. On an error the book is unchanged.
    pub fn post(&mut self, tx: &WriteTx, draft: &Draft) -> Result<PostingId, PostError> {
        let legs: Vec<&Leg> = draft.legs.iter().filter(|leg| leg.amount.minor != 0).collect();
        check_balanced(&legs)?;
        let planned = self.plan(&legs)?;
        // From here on the posting must succeed.
        let first = tx.ids.block(legs.len().saturating_add(1));
        let mut entries = Vec::with_capacity(legs.len());
        for (place, (leg, (id, balance_after))) in legs.iter().zip(planned).enumerate() {
            let Some(loaded) = self.accounts.get_mut(&id) else { return Err(PostError::NotLoaded(leg.account.clone())) };
            let entry = EntryRow {
                id: first.saturating_add(i64::try_from(place).unwrap_or(i64::MAX)).saturating_add(1),
                posting_id: first,
                account_id: id.raw(),
                amount_minor: leg.amount.minor,
                balance_after_minor: balance_after,
                version: loaded.row.version.saturating_add(1),
                previous_entry_id: loaded.row.last_entry_id,
                cycle: leg.cycle.clone(),
            };
            loaded.row.balance_minor = balance_after;
            loaded.row.version = entry.version;
            loaded.row.last_entry_id = entry.id;
            loaded.changed = true;
            entries.push(entry);
        }
        let mut posting = PostingRow {
            id: first,
            event: draft.event.text().to_owned(),
            reference_id: draft.reference,
            ledger_date: tx.ledger_date,
            booked_at: tx.now.naive(),
            contract_id: draft.contract.map(Id::raw),
            actor_organisation_id: draft.actor.organisation.raw(),
            actor_key_id: draft.actor.by.stored(),
            entry_count: i64::try_from(entries.len()).unwrap_or(i64::MAX),
            digest: Vec::new(),
        };
        let mut hashed = Vec::with_capacity(entries.len());
        for entry in &entries {
            let loaded = self.accounts.get(&AccountId::of(entry.account_id)).ok_or(PostError::Empty)?;
            hashed.push((entry, &loaded.row));
        }
        posting.digest = chain::digest(&posting, &hashed);
        self.postings.push(posting);
        self.entries.extend(entries);
        Ok(PostingId::of(first))
    }

    /// The balance after each leg, in leg order; several legs may meet on one account.
    fn plan(&self, legs: &[&Leg]) -> Result<Vec<(AccountId, i64)>, PostError> {
        let mut running: HashMap<AccountId, i64> = HashMap::new();
        let mut planned = Vec::with_capacity(legs.len());
        for leg in legs {
            let id = self.ids.get(&leg.account).copied();
            let id = id.ok_or_else(|| PostError::NotLoaded(leg.account.clone()))?;
            let loaded = self.accounts.get(&id).ok_or_else(|| PostError::NotLoaded(leg.account.clone()))?;
            let before = running.get(&id).copied().unwrap_or(loaded.row.balance_minor);
            let after = before.checked_add(leg.amount.minor).filter(|after| *after != i64::MIN);
            let after = after.ok_or_else(|| PostError::Overflow(leg.account.clone()))?;
            running.insert(id, after);
            planned.push((id, after));
        }
        for (id, after) in running {
            let Some(loaded) = self.accounts.get(&id) else { continue };
            if !loaded.code.may_be_overdrawn() && loaded.code.normal_side(after) < 0 {
                return Err(PostError::Overdrawn(loaded.row.key()?));
            }
        }
        Ok(planned)
    }

    /// Reserves an amount on an account; whether there is room for it is the caller's decision.
    pub fn hold(&mut self, tx: &WriteTx, key: &AccountKey, amount: Money, reference: i64) -> Result<HoldId, PostError> {
        let id = self.ids.get(key).copied().ok_or_else(|| PostError::NotLoaded(key.clone()))?;
        let loaded = self.accounts.get_mut(&id).ok_or_else(|| PostError::NotLoaded(key.clone()))?;
        if amount.minor <= 0 {
            return Err(HoldError::NotPositive(amount).into());
        }
        let pending = loaded.row.pending_minor.checked_add(amount.minor);
        loaded.row.pending_minor = pending.ok_or_else(|| PostError::Overflow(key.clone()))?;
        loaded.changed = true;
        let hold: HoldId = tx.ids.next();
        self.new_holds.push(HoldRow {
            id: hold.raw(),
            account_id: id.raw(),
            reference_id: reference,
            amount_minor: amount.minor,
            posted_minor: 0,
            released_minor: 0,
            state: HoldState::Pending.text().to_owned(),
            created_at: tx.now.naive(),
            expires_at: None,
            resolved_at: None,
        });
        Ok(hold)
    }

    /// Resolves a hold whose row was read after its account was loaded here (the account's lock guards its holds).
    pub fn resolve(&mut self, tx: &WriteTx, hold: &HoldRow, resolution: Resolution) -> Result<Resolved, PostError> {
        let loaded = self.accounts.get_mut(&AccountId::of(hold.account_id)).ok_or(PostError::NoHold)?;
        let currency = loaded.row.money_currency()?;
        let state = HoldState::parse(&hold.state).ok_or_else(|| DbError::Corrupt(format!("hold state {}", hold.state)))?;
        let held = Money::new(hold.amount_minor.saturating_sub(hold.released_minor), currency);
        let resolved = state.resolve(held, Money::new(hold.posted_minor, currency), resolution)?;
        let Resolved::Applied(next) = resolved else { return Ok(resolved) };
        // A release frees its part; everything else frees what is still held.
        let freed = if let Resolution::Release(part) = resolution { part.minor } else { held.minor };
        let pending = loaded.row.pending_minor.checked_sub(freed).filter(|pending| *pending >= 0);
        loaded.row.pending_minor = pending.ok_or_else(|| DbError::Corrupt(format!("pending of account {}", loaded.row.id)))?;
        loaded.changed = true;
        let posted_minor = if let Resolution::Post(amount) = resolution { amount.minor } else { 0 };
        let released = if let Resolution::Release(part) = resolution { part.minor } else { 0 };
        let released_minor = hold.released_minor.saturating_add(released);
        let resolved_at = (next != HoldState::Pending).then(|| tx.now.naive());
        let changed = HoldRow { state: next.text().to_owned(), posted_minor, released_minor, resolved_at, ..hold.clone() };
        self.resolved_holds.push(changed);
        Ok(resolved)
    }

    /// The rows to insert; the caller may write them in one statement with its own. `changes` then brings the accounts up to them.
    pub fn new_rows(&self) -> [RowSet<'_>; 3] {
        [RowSet::of(&self.postings), RowSet::of(&self.entries), RowSet::of(&self.new_holds)]
    }

    /// What was booked, as changes of balances and resolved holds.
    pub fn changes(&self) -> BookChanges {
        let mut changed: Vec<&AccountRow> =
            self.accounts.values().filter(|loaded| loaded.changed).map(|loaded| &loaded.row).collect();
        changed.sort_unstable_by_key(|row| row.id);
        let accounts = changed.iter().map(|row| Change {
            id: row.id,
            values: [row.balance_minor, row.pending_minor, row.version, row.last_entry_id].map(Cell::from).to_vec(),
        });
        let holds = self.resolved_holds.iter().map(|hold| Change {
            id: hold.id,
            values: vec![
                hold.state.as_str().into(),
                hold.posted_minor.into(),
                hold.released_minor.into(),
                hold.resolved_at.into(),
            ],
        });
        BookChanges { accounts: accounts.collect(), holds: holds.collect() }
    }

    /// Brings balances and resolved holds up to what was booked. Call after `new_rows` were inserted.
    pub fn finish(&self, tx: &mut WriteTx) -> Result<(), DbError> {
        write(tx, &[], &self.changes().updates())
    }
}

/// Changes of rows that the book's transaction has locked.
pub struct BookChanges {
    accounts: Vec<Change>,
    holds: Vec<Change>,
}

impl BookChanges {
    pub fn updates(&self) -> [Update<'_>; 2] {
        let account = &["balance_minor", "pending_minor", "version", "last_entry_id"];
        let hold = &["state", "posted_minor", "released_minor", "resolved_at"];
        [
            Update { table: "account", columns: account, changes: &self.accounts },
            Update { table: "hold", columns: hold, changes: &self.holds },
        ]
    }
}

/// Debits equal credits, per currency, and an amount is in its account's currency.
fn check_balanced(legs: &[&Leg]) -> Result<(), PostError> {
    if legs.len() < 2 {
        return Err(PostError::Empty);
    }
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for leg in legs {
        if leg.account.currency != leg.amount.currency {
            return Err(PostError::CurrencyMismatch { account: leg.account.currency, amount: leg.amount.currency });
        }
        let sum = sums.entry(leg.amount.currency).or_default();
        *sum = sum.saturating_add(i128::from(leg.amount.minor));
    }
    match sums.into_iter().find(|(_, sum)| *sum != 0) {
        Some((currency, by_minor)) => Err(PostError::Unbalanced { currency, by_minor }),
        None => Ok(()),
    }
}

/// Opens, locks, posts and writes: the whole protocol, for verbs that only post.
pub fn post_all(tx: &mut WriteTx, drafts: &[Draft]) -> Result<Vec<PostingId>, PostError> {
    let keys: Vec<AccountKey> = drafts.iter().flat_map(|draft| &draft.legs).map(|leg| leg.account.clone()).collect();
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    let posted = drafts.iter().map(|draft| book.post(tx, draft)).collect::<Result<Vec<_>, _>>()?;
    crate::db::insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    Ok(posted)
}

impl Book {
    /// Holds by id, for resolving. Their accounts must be loaded before.
    pub fn holds(&self, tx: &mut WriteTx, ids: &[HoldId]) -> Result<Vec<HoldRow>, DbError> {
        use crate::db::schema::hold;
        let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
        Ok(hold::table.filter(hold::id.eq_any(raw)).select(repo::HoldRow::as_select()).load(&mut *tx.db)?)
    }
}
