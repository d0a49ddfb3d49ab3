//! E-mail about what two people have to agree on: to those who may agree, when somebody asks; to whoever asked, when it is decided. Queued in the commit of
//! its cause. People belong to live mode, so that nobody is written to about anything in test mode.

use super::key::Scope;
use super::role::permissions_of;
use super::user::{User, UserStatus, user, users};
use crate::approvals::{Approval, ApprovalStatus, ChangeKind};
use crate::db::{DbError, Window, WriteTx};
use crate::notify::{Block, Language, Letter, Page, Sealing, queue_letter};
use serde_json::Value;

/// More people than any operator has.
const MOST: i64 = 1_000;

/// Tells everybody of the organisation who may agree, but for whoever asks; answers how many that are.
pub fn tell_of_request(tx: &mut WriteTx, sealing: &dyn Sealing, public_url: &str, approval: &Approval) -> Result<usize, DbError> {
    let asker = approval.person.map(|id| user(tx.db, id)).transpose()?.flatten();
    let mut told = 0;
    for person in users(tx.db, Some(approval.organisation), Window::NEWEST, MOST)? {
        let may = permissions_of(tx.db, person.kind, &person.roles)?.is_some_and(|may| may.contains(&Scope::ApprovalsWrite));
        if may && person.status == UserStatus::Active && Some(person.id) != approval.person {
            queue_letter(tx, sealing, requested(&person, asker.as_ref(), public_url, approval))?;
            told += 1;
        }
    }
    Ok(told)
}

/// Tells whoever asked, unless nobody else decided.
pub fn tell_of_decision(tx: &mut WriteTx, sealing: &dyn Sealing, public_url: &str, approval: &Approval) -> Result<(), DbError> {
    let Some(asker) = approval.person.map(|id| user(tx.db, id)).transpose()?.flatten() else { return Ok(()) };
    if asker.status != UserStatus::Active || approval.decided_by == Some(approval.requested_by) {
        return Ok(());
    }
    queue_letter(tx, sealing, decided(&asker, public_url, approval, approval.status_at(tx.now)))?;
    Ok(())
}

fn requested(to: &User, asker: Option<&User>, public_url: &str, approval: &Approval) -> Letter {
    let (title, opening, by, expires) = match to.language {
        Language::Chinese => ("有一项变更等待您审批", "有一项需要两人同意的变更正在等待审批。", "申请人", "截止时间"),
        Language::English => (
            "A change waits for your approval",
            "somebody has asked for a change that two people have to agree on.",
            "Asked for by",
            "Decide before",
        ),
    };
    let mut facts = facts(to.language, approval);
    facts.push((by.to_owned(), asker.map_or_else(|| "API".to_owned(), |asker| asker.name.clone())));
    facts.push((expires.to_owned(), format!("{} (UTC)", approval.expires_at)));
    letter("approval_requested", to, title, opening, facts, public_url, approval)
}

fn decided(to: &User, public_url: &str, approval: &Approval, status: ApprovalStatus) -> Letter {
    let (title, opening) = match (to.language, status) {
        (Language::Chinese, ApprovalStatus::Approved) => ("您申请的变更已获批准", "您申请的变更已获批准并已执行。"),
        (Language::Chinese, _) => ("您申请的变更未获批准", "您申请的变更未获批准，没有执行。"),
        (Language::English, ApprovalStatus::Approved) => {
            ("The change you asked for was approved", "the change that you asked for was approved and done.")
        }
        (Language::English, _) => {
            ("The change you asked for was rejected", "the change that you asked for was rejected; nothing was done.")
        }
    };
    let mut facts = facts(to.language, approval);
    if let Some(note) = &approval.note {
        let why = if to.language == Language::Chinese { "说明" } else { "Note" };
        facts.push((why.to_owned(), note.clone()));
    }
    letter("approval_decided", to, title, opening, facts, public_url, approval)
}

fn letter(
    kind: &'static str,
    to: &User,
    title: &str,
    opening: &str,
    facts: Vec<(String, String)>,
    public_url: &str,
    approval: &Approval,
) -> Letter {
    let (greeting, open) = match to.language {
        Language::Chinese => (format!("{}，您好：", to.name), "打开申请"),
        Language::English => (format!("Hello {},", to.name), "Open the request"),
    };
    let url = format!("{public_url}/approvals/{}", approval.id);
    let page = Page {
        language: to.language,
        title: title.to_owned(),
        blocks: vec![
            Block::Paragraph(greeting),
            Block::Paragraph(opening.to_owned()),
            Block::Facts(facts),
            Block::Link { words: open.to_owned(), url },
        ],
    };
    let colon = if to.language == Language::Chinese { "：" } else { ": " };
    let subject = format!("Airsettle{colon}{title} ({})", name_of(to.language, approval.kind));
    Letter::of(kind, &to.email, subject, &page)
}

/// What is asked for, of what, how much, and why.
fn facts(language: Language, approval: &Approval) -> Vec<(String, String)> {
    let [change, subject, amount, reason] = match language {
        Language::Chinese => ["变更", "对象", "金额", "理由"],
        Language::English => ["Change", "Object", "Amount", "Reason"],
    };
    let mut facts =
        vec![(change.to_owned(), name_of(language, approval.kind).to_owned()), (subject.to_owned(), approval.subject.clone())];
    let payload: Option<Value> = serde_json::from_str(&approval.payload).ok();
    let field = |name: &str| payload.as_ref()?.get(name)?.as_str().map(str::to_owned);
    facts.extend(field("amount").zip(field("currency")).map(|(sum, currency)| (amount.to_owned(), format!("{currency} {sum}"))));
    facts.push((reason.to_owned(), approval.reason.clone()));
    facts
}

fn name_of(language: Language, kind: ChangeKind) -> &'static str {
    let (zh, en) = match kind {
        ChangeKind::ChangePayee => ("变更收款账户", "another account of an airline"),
        ChangeKind::MemoDecision => ("备忘单裁定", "decision about a memo"),
        ChangeKind::NegativeMargin => ("负利润合同", "contract with a negative margin"),
        ChangeKind::Reinstate => ("恢复代理资格", "reinstatement after a default"),
        ChangeKind::SetFacilityLimit => ("提高银行授信", "higher bank line"),
        ChangeKind::TemporaryLimit => ("临时额度", "temporary limit"),
        ChangeKind::Unfreeze => ("解除冻结", "lifting of a kill switch"),
        ChangeKind::WriteOff => ("坏账核销", "write-off"),
    };
    if language == Language::Chinese { zh } else { en }
}
