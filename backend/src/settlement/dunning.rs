//! Writing to agencies about what they have to pay: one message per obligation and step, queued in the commit that finds the step come, in the language of
//! the agency's billing contact. Its text is fixed then; the statement is attached when it leaves. Locks: the agency.

use super::cycles::cycle_standing;
use super::obligation::{ObligationError, ObligationRow, obligation};
use crate::agencies::{agency, lock_agency};
use crate::catalogue::dunning::{DunningStep, DunningSteps, Tone};
use crate::db::schema::{billing_contact, dunning_message, obligation};
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, update, windowed};
use crate::ids::{AgencyId, BillingContactId, DunningMessageId, Id, ObligationId};
use crate::money::Money;
use crate::notify::{OutboxRow, SEND_DUNNING};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct ContactRow in billing_contact {
        id: i64,
        agency_id: i64,
        email: String,
        language: String,
        created_at: NaiveDateTime,
    }

    pub struct DunningRow in dunning_message {
        id: i64,
        obligation_id: i64,
        agency_id: i64,
        step: String,
        language: String,
        recipient: String,
        message_id: String,
        subject: String,
        body: String,
        state: String,
        error: Option<String>,
        created_at: NaiveDateTime,
        sent_at: Option<NaiveDateTime>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    pub fn text(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Language::Chinese, Language::English].into_iter().find(|language| language.text() == text)
    }
}

/// Says whom an agency wants to be written to; the caller has checked the address.
pub fn set_billing_contact(
    tx: &mut WriteTx,
    id: AgencyId,
    email: &str,
    language: Language,
) -> Result<Option<ContactRow>, DbError> {
    if lock_agency(tx, id)?.is_none() {
        return Ok(None);
    }
    let known = billing_contact_of(tx.db, id)?;
    let row = ContactRow {
        id: known.as_ref().map_or_else(|| tx.ids.next::<BillingContactId>().raw(), |known| known.id),
        agency_id: id.raw(),
        email: email.to_owned(),
        language: language.text().to_owned(),
        created_at: tx.now.naive(),
    };
    match known {
        None => insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?,
        Some(_) => {
            let values = vec![row.email.as_str().into(), row.language.as_str().into(), row.created_at.into()];
            update(tx, "billing_contact", &["email", "language", "created_at"], &[Change { id: row.id, values }])?;
        }
    }
    Ok(Some(row))
}

pub fn billing_contact_of(db: &mut Db, agency: AgencyId) -> Result<Option<ContactRow>, DbError> {
    let of = billing_contact::table.filter(billing_contact::agency_id.eq(agency.raw()));
    Ok(of.select(ContactRow::as_select()).first(db).optional()?)
}

/// Of these agencies, or of all.
pub fn billing_contacts(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<ContactRow>, DbError> {
    let mut query = windowed!(billing_contact::table.into_boxed(), billing_contact::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(billing_contact::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(ContactRow::as_select()).load(db)?)
}

/// Obligations that agencies may have to be written about: those that are not settled and of agencies that are not in default.
pub fn to_be_reminded(db: &mut Db) -> Result<Vec<ObligationId>, DbError> {
    let open = obligation::table.filter(obligation::state.eq_any(["not_yet_due", "due", "overdue"]));
    let ids: Vec<i64> = open.order(obligation::id).select(obligation::id).load(db)?;
    Ok(ids.into_iter().map(ObligationId::of).collect())
}

/// Queues the message of the step that an obligation is at; nothing where it was written already, nothing is owed, or the agency has no contact.
pub fn remind(tx: &mut WriteTx, steps: &DunningSteps, id: ObligationId) -> Result<Option<DunningRow>, ObligationError> {
    let Some(known) = obligation(tx.db, id)? else { return Ok(None) };
    lock(tx, Contended::Agency, &[known.agency_id])?;
    let days = tx.ledger_date.signed_duration_since(known.due_on).num_days();
    let Some(step) = steps.at(days) else { return Ok(None) };
    let written = dunning_message::table.filter(dunning_message::obligation_id.eq(known.id));
    let written = written.filter(dunning_message::step.eq(&step.name)).count().get_result::<i64>(&mut *tx.db)?;
    let agency_id = AgencyId::of(known.agency_id);
    let standing = cycle_standing(tx.db, agency_id, known.money_currency()?, known.cycle()?)?;
    let open = standing.map_or(Ok(Money::zero(known.money_currency()?)), |standing| standing.open_net())?;
    let Some(contact) = billing_contact_of(tx.db, agency_id)?.filter(|_| written == 0 && open.minor > 0) else {
        return Ok(None);
    };
    let language = Language::parse(&contact.language).ok_or_else(|| DbError::Corrupt(format!("contact {}", contact.id)))?;
    let name = agency(tx.db, agency_id)?.map_or_else(String::new, |agency| agency.name);
    let (subject, body) = wording(language, step, &known, &name, open);
    let message: DunningMessageId = tx.ids.next();
    let row = DunningRow {
        id: message.raw(),
        obligation_id: known.id,
        agency_id: known.agency_id,
        step: step.name.clone(),
        language: contact.language,
        recipient: contact.email,
        message_id: format!("{message}@airsettle"),
        subject,
        body,
        state: "queued".to_owned(),
        error: None,
        created_at: tx.now.naive(),
        sent_at: None,
    };
    let outbox = OutboxRow::new(tx, SEND_DUNNING, row.id);
    insert(tx, &[RowSet::of(std::slice::from_ref(&row)), RowSet::of(std::slice::from_ref(&outbox))])?;
    Ok(Some(row))
}

fn wording(language: Language, step: &DunningStep, of: &ObligationRow, agency: &str, open: Money) -> (String, String) {
    let (cycle, due, currency) = (&of.cycle, of.due_on, open.currency);
    match language {
        Language::English => {
            let (subject, sentence) = match step.tone {
                Tone::Reminder => ("Payment reminder", "will be due on"),
                Tone::Due => ("Payment due today", "is due today,"),
                Tone::Overdue => ("Payment overdue", "has been overdue since"),
                Tone::LastNotice => ("Last notice before default", "has still not been paid; it was due on"),
            };
            let closing = if step.tone == Tone::LastNotice {
                "\nWithout payment we have to declare a default and stop sales.\n"
            } else {
                ""
            };
            (
                format!("{subject}: cycle {cycle}, {open} {currency}"),
                format!(
                    "Dear {agency},\n\nthe amount of {open} {currency} for cycle {cycle} {sentence} {due}.\nThe statement is attached. Please \
                     name the cycle in your remittance.\n{closing}\nAirsettle\n"
                ),
            )
        }
        Language::Chinese => {
            let (subject, sentence) = match step.tone {
                Tone::Reminder => ("付款提醒", "到期日为"),
                Tone::Due => ("今日到期", "今日到期，到期日为"),
                Tone::Overdue => ("逾期未付", "已逾期，到期日为"),
                Tone::LastNotice => ("违约前最后通知", "仍未支付，到期日为"),
            };
            let closing =
                if step.tone == Tone::LastNotice { "\n如仍未付款，我们将宣布违约并停止销售。\n" } else { "" };
            (
                format!("{subject}：结算周期 {cycle}，{open} {currency}"),
                format!(
                    "{agency}：\n\n贵司结算周期 {cycle} 应付 {open} {currency}，{sentence} {due}。\n对账单见附件，汇款时请注明结算周期。\n{closing}\nAirsettle\n"
                ),
            )
        }
    }
}

pub fn dunning_message(db: &mut Db, id: DunningMessageId) -> Result<Option<DunningRow>, DbError> {
    Ok(dunning_message::table.find(id.raw()).select(DunningRow::as_select()).first(db).optional()?)
}

/// Of these agencies, or of all; newest first.
pub fn dunning_messages(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<DunningRow>, DbError> {
    let mut query = windowed!(dunning_message::table.into_boxed(), dunning_message::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(dunning_message::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(DunningRow::as_select()).load(db)?)
}

/// What became of an attempt to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    Sent,
    /// Tried again later.
    NotYet(String),
    /// Given up.
    Failed(String),
}

pub fn note_dunning(tx: &mut WriteTx, id: DunningMessageId, outcome: &MailOutcome) -> Result<(), DbError> {
    let (state, error, sent_at) = match outcome {
        MailOutcome::Sent => ("sent", None, Some(tx.now.naive())),
        MailOutcome::NotYet(error) => ("queued", Some(error.clone()), None),
        MailOutcome::Failed(error) => ("failed", Some(error.clone()), None),
    };
    let values = vec![state.into(), error.into(), sent_at.into()];
    update(tx, "dunning_message", &["state", "error", "sent_at"], &[Change { id: id.raw(), values }])?;
    Ok(())
}
