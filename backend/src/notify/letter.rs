//! E-mail to one person: queued in the commit of its cause, sent afterwards. It may carry a link or a code, so its text is sealed while it waits and gone
//! once it was sent: the database never has what opens anything.

use super::OutboxRow;
use super::page::Page;
use crate::db::schema::letter;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{Id, LetterId, OrderId};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct LetterRow in letter {
        id: i64,
        kind: String,
        recipient: String,
        subject: String,
        sealed_body: Option<Vec<u8>>,
        state: String,
        error: Option<String>,
        created_at: NaiveDateTime,
        sent_at: Option<NaiveDateTime>,
        sealed_html: Option<Vec<u8>>,
        language: Option<String>,
        /// The kind of document that is attached when it leaves, and whose.
        attachment: Option<String>,
        attachment_id: Option<i64>,
    }
}

/// Send the letter `subject_id`.
pub const SEND_LETTER: &str = "send_letter";

/// Keeps what nobody may read in the database.
pub trait Sealing: Send + Sync {
    fn sealed(&self, plain: &[u8]) -> Result<Vec<u8>, DbError>;
    fn opened(&self, sealed: &[u8]) -> Result<Vec<u8>, DbError>;
}

/// The language that somebody is written to in.
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

#[derive(Clone, Debug)]
pub struct Letter {
    pub kind: &'static str,
    pub to: String,
    pub subject: String,
    pub body: String,
    /// The same for those who look at it in colours.
    pub html: Option<String>,
    pub language: Option<Language>,
    pub attachment: Option<Enclosure>,
}

/// A document that is made when the letter leaves, so that the database keeps no copy and the receiver gets the state of that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enclosure {
    OrderReceipt(OrderId),
}

const ORDER_RECEIPT: &str = "order_receipt";

impl Enclosure {
    fn stored(self) -> (&'static str, i64) {
        match self {
            Enclosure::OrderReceipt(order) => (ORDER_RECEIPT, order.raw()),
        }
    }
}

impl LetterRow {
    pub fn enclosure(&self) -> Result<Option<Enclosure>, DbError> {
        match (self.attachment.as_deref(), self.attachment_id) {
            (None, None) => Ok(None),
            (Some(ORDER_RECEIPT), Some(id)) => Ok(Some(Enclosure::OrderReceipt(OrderId::of(id)))),
            _ => Err(DbError::Corrupt(format!("attachment of letter {}", self.id))),
        }
    }
}

impl Letter {
    /// In both forms from one page.
    pub fn of(kind: &'static str, to: &str, subject: String, page: &Page) -> Self {
        Letter { html: Some(page.html()), language: Some(page.language), ..Letter::plain(kind, to, subject, page.text()) }
    }

    /// As text alone.
    pub fn plain(kind: &'static str, to: &str, subject: String, body: String) -> Self {
        Letter { kind, to: to.to_owned(), subject, body, html: None, language: None, attachment: None }
    }
}

pub fn queue_letter(tx: &mut WriteTx, sealing: &dyn Sealing, letter: Letter) -> Result<LetterRow, DbError> {
    let id: LetterId = tx.ids.next();
    let (attachment, attachment_id) = letter.attachment.map(Enclosure::stored).unzip();
    let row = LetterRow {
        id: id.raw(),
        kind: letter.kind.to_owned(),
        recipient: letter.to,
        subject: letter.subject,
        sealed_body: Some(sealing.sealed(letter.body.as_bytes())?),
        state: "queued".to_owned(),
        error: None,
        created_at: tx.now.naive(),
        sent_at: None,
        sealed_html: letter.html.map(|html| sealing.sealed(html.as_bytes())).transpose()?,
        language: letter.language.map(|language| language.text().to_owned()),
        attachment: attachment.map(str::to_owned),
        attachment_id,
    };
    let outbox = OutboxRow::new(tx, SEND_LETTER, row.id);
    insert(tx, &[RowSet::of(std::slice::from_ref(&row)), RowSet::of(std::slice::from_ref(&outbox))])?;
    Ok(row)
}

/// The letters that a document goes with, newest first.
pub fn letters_with(db: &mut Db, enclosure: Enclosure, limit: i64) -> Result<Vec<LetterRow>, DbError> {
    let (kind, id) = enclosure.stored();
    let with = letter::table.filter(letter::attachment_id.eq(id)).filter(letter::attachment.eq(kind));
    Ok(with.order(letter::id.desc()).limit(limit).select(LetterRow::as_select()).load(db)?)
}

pub fn letter(db: &mut Db, id: LetterId) -> Result<Option<LetterRow>, DbError> {
    Ok(letter::table.find(id.raw()).select(LetterRow::as_select()).first(db).optional()?)
}

/// What became of an attempt to send e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    Sent,
    /// Tried again later.
    NotYet(String),
    /// Given up.
    Failed(String),
}

pub fn note_letter(tx: &mut WriteTx, id: LetterId, outcome: &MailOutcome) -> Result<(), DbError> {
    let row = letter::table.find(id.raw());
    let gone = (letter::sealed_body.eq(None::<Vec<u8>>), letter::sealed_html.eq(None::<Vec<u8>>));
    match outcome {
        MailOutcome::Sent => {
            let sent =
                (letter::state.eq("sent"), letter::sent_at.eq(Some(tx.now.naive())), gone, letter::error.eq(None::<String>));
            diesel::update(row).set(sent).execute(&mut *tx.db)?
        }
        MailOutcome::NotYet(error) => diesel::update(row).set(letter::error.eq(Some(error))).execute(&mut *tx.db)?,
        MailOutcome::Failed(error) => {
            diesel::update(row).set((letter::state.eq("failed"), gone, letter::error.eq(Some(error)))).execute(&mut *tx.db)?
        }
    };
    Ok(())
}
