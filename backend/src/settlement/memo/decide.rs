//! The decision about a memo, which two people have agreed to, and what it books: an ADM is owed by the agency in its running cycle and to the airline; an
//! ACM lowers what the agency owes in it, and the airline has to give it back.

use super::answer::{Said, write_step};
use super::record::{Memo, MemoError, locked_memo};
use super::state::{MemoKind, MemoStep};
use crate::agencies::{AirlineReturn, Contract, agency, contracts_of, in_force};
use crate::audit::Cause;
use crate::credit::open_memo_claim;
use crate::db::{Change, DbError, WriteTx, update};
use crate::ids::{ApprovalId, Id, MemoId};
use crate::ledger::{AccountCode, AccountKey, Draft, Event, Leg, PostError, post_all};
use crate::money::Money;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoDecision {
    /// So much of it is owed.
    Uphold(Money),
    Dismiss,
}

impl MemoDecision {
    fn step(self) -> MemoStep {
        match self {
            MemoDecision::Uphold(_) => MemoStep::Uphold,
            MemoDecision::Dismiss => MemoStep::Dismiss,
        }
    }
}

/// The memo, locked, if this decision can be made about it now.
pub fn decidable(tx: &mut WriteTx, id: MemoId, decision: MemoDecision) -> Result<Memo, MemoError> {
    let known = locked_memo(tx, id)?;
    known.after(decision.step(), tx.now)?;
    if let MemoDecision::Uphold(amount) = decision {
        let total = known.total()?;
        if amount.currency != total.currency {
            return Err(MemoError::CurrencyMismatch { sold: total.currency });
        }
        if amount.minor <= 0 {
            return Err(MemoError::NotPositive);
        }
        if amount.minor > total.minor {
            return Err(MemoError::MoreThanClaimed { total });
        }
    }
    Ok(known)
}

/// Decides, and posts what is upheld. Locks: the agency, accounts.
pub fn decide_memo(
    tx: &mut WriteTx,
    cause: &Cause,
    id: MemoId,
    decision: MemoDecision,
    note: Option<String>,
    approval: ApprovalId,
) -> Result<Memo, MemoError> {
    let known = decidable(tx, id, decision)?;
    let mut row = known.row.clone();
    row.status = known.after(decision.step(), tx.now)?.text().to_owned();
    row.version = known.version + 1;
    (row.approval_id, row.decided_at) = (Some(approval.raw()), Some(tx.now.naive()));
    if let MemoDecision::Uphold(amount) = decision {
        let (cycle, posting) = post(tx, cause, &known, amount)?;
        (row.decided_minor, row.cycle, row.posting_id) = (Some(amount.minor), Some(cycle), Some(posting));
    }
    let columns = &["status", "version", "approval_id", "decided_at", "decided_minor", "cycle", "posting_id"];
    let values = vec![
        row.status.clone().into(),
        row.version.into(),
        row.approval_id.into(),
        row.decided_at.into(),
        row.decided_minor.into(),
        row.cycle.clone().into(),
        row.posting_id.into(),
    ];
    update(tx, "memo", columns, &[Change { id: row.id, values }])?;
    let decided = Memo::try_from(row)?;
    write_step(tx, cause, &decided, decision.step(), &Said { note, ..Said::default() })?;
    Ok(decided)
}

/// In the agency's running cycle, by the terms that hold between the two today. Answers the cycle and the posting.
fn post(tx: &mut WriteTx, cause: &Cause, memo: &Memo, amount: Money) -> Result<(String, i64), MemoError> {
    let seller = agency(tx.db, memo.agency)?.ok_or_else(|| DbError::Corrupt(format!("memo {} has no agency", memo.id)))?;
    let today = tx.now.date_in(seller.zone);
    let contracts = contracts_of(tx.db, seller.id)?;
    let terms: Option<&Contract> = in_force(&contracts, memo.airline, amount.currency, today);
    let cycle = terms.map(|terms| terms.payment.cycle_rule).unwrap_or_default().cycle_of(today).to_string();
    let owed = AccountKey::agency(AccountCode::AgencyReceivable, memo.agency, amount.currency);
    let airline = |code| AccountKey::airline(code, memo.airline, amount.currency);
    let (event, legs) = match memo.kind {
        MemoKind::Adm => {
            let to_airline = Leg::credit(airline(AccountCode::AirlinePayable), amount)?;
            (Event::AdmPosted, vec![Leg::debit(owed, amount).in_cycle(&cycle), to_airline])
        }
        MemoKind::Acm => {
            let from_airline = Leg::debit(airline(AccountCode::AirlineReceivable), amount);
            (Event::AcmPosted, vec![from_airline, Leg::credit(owed, amount)?.in_cycle(&cycle)])
        }
    };
    let contract = terms.map(|terms| terms.id);
    let draft = Draft { event, reference: memo.id.raw(), contract, actor: cause.actor, legs };
    let posting = post_all(tx, &[draft])?.pop().ok_or(PostError::Empty)?;
    if memo.kind == MemoKind::Acm {
        let terms = terms.map_or(AirlineReturn::RepayOnDemand, |terms| terms.airline_return);
        open_memo_claim(tx, memo.airline, terms, memo.id, amount)?;
    }
    Ok((cycle, posting.raw()))
}
