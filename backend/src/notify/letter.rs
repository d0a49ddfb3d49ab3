//! E-mail to one person: queued in the commit of its cause, sent afterwards. It may carry a link or a code, so its text is sealed while it waits and gone
//! once it was sent: the database never has what opens anything.

use super::OutboxRow;
use crate::db::schema::letter;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{Id, LetterId};
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
}

pub fn queue_letter(tx: &mut WriteTx, sealing: &dyn Sealing, letter: Letter) -> Result<LetterId, DbError> {
    let id: LetterId = tx.ids.next();
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
    };
    let outbox = OutboxRow::new(tx, SEND_LETTER, row.id);
    insert(tx, &[RowSet::of(std::slice::from_ref(&row)), RowSet::of(std::slice::from_ref(&outbox))])?;
    Ok(id)
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
    let gone = letter::sealed_body.eq(None::<Vec<u8>>);
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
