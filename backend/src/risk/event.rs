//! Facts that speak against an agency, one row each, written in the commit of their cause. The score reads them; nothing ever takes one back.

use crate::db::schema::risk_event;
use crate::db::{DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{AgencyId, Id};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct RiskEventRow in risk_event {
        id: i64,
        agency_id: i64,
        kind: String,
        /// The obligation, or the default.
        subject_id: i64,
        day: NaiveDate,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskEventKind {
    Default,
    /// A cycle became overdue, and nothing had come for it.
    LateRemittance,
    /// A cycle became overdue with a part of it paid.
    ShortRemittance,
}

impl RiskEventKind {
    pub const ALL: [RiskEventKind; 3] = [RiskEventKind::Default, RiskEventKind::LateRemittance, RiskEventKind::ShortRemittance];

    pub fn text(self) -> &'static str {
        match self {
            RiskEventKind::Default => "default",
            RiskEventKind::LateRemittance => "late_remittance",
            RiskEventKind::ShortRemittance => "short_remittance",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        RiskEventKind::ALL.into_iter().find(|kind| kind.text() == text)
    }
}

/// Once for each subject, however often it comes to the same.
pub fn note_risk(tx: &mut WriteTx, agency: AgencyId, kind: RiskEventKind, subject: i64) -> Result<(), DbError> {
    let of = risk_event::table.filter(risk_event::agency_id.eq(agency.raw())).filter(risk_event::kind.eq(kind.text()));
    let known: i64 = of.filter(risk_event::subject_id.eq(subject)).count().get_result(&mut *tx.db)?;
    if known > 0 {
        return Ok(());
    }
    let row = RiskEventRow {
        id: tx.ids.block(1),
        agency_id: agency.raw(),
        kind: kind.text().to_owned(),
        subject_id: subject,
        day: tx.ledger_date,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])
}
