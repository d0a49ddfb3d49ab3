//! Decisions: made for a page of agencies at a time each night, and for one agency in the commit of a risk event; kept with their inputs for good. What the last
//! one means for a limit is copied to the agency. Locks: agencies.

use super::assess::{Assessment, RiskStatus, Verdict, assess};
use super::card::{ScoreCard, cards_in_force};
use super::caution::Caution;
use super::inputs::Inputs;
use super::measure::{AsOf, Evidence, Evidences, Span, evidence};
use crate::clock::Timestamp;
use crate::credit::alerts::watch;
use crate::db::schema::{agency, score as table};
use crate::db::{Change, Contended, Db, DbError, RowSet, Update, Window, WriteTx, lock, rows, stored_currency, windowed, write};
use crate::ids::{AgencyId, Id, ScoreCardId, ScoreId};
use crate::money::{Currency, Money, Rate};
use crate::notify::{EventType, NewEvent, emit_all};
use crate::risk::RiskEventKind;
use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::BTreeSet;

rows! {
    pub struct ScoreRow in score {
        id: i64,
        agency_id: i64,
        as_of: NaiveDate,
        taken_at: NaiveDateTime,
        cause: String,
        score_card_id: i64,
        inputs: String,
        points: i64,
        grade: String,
        multiplier: String,
        cap_minor: Option<i64>,
        risk_history: String,
        status: String,
    }
}

/// Agencies that are decided in one commit.
pub const PAGE: i64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreCause {
    Nightly,
    Event(RiskEventKind),
}

impl ScoreCause {
    pub fn text(self) -> &'static str {
        match self {
            ScoreCause::Nightly => "nightly",
            ScoreCause::Event(kind) => kind.text(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "nightly" { Some(ScoreCause::Nightly) } else { RiskEventKind::parse(text).map(ScoreCause::Event) }
    }
}

#[derive(Clone, Debug)]
pub struct Score {
    pub id: ScoreId,
    pub agency: AgencyId,
    /// Sales of days before it count.
    pub as_of: NaiveDate,
    /// Everything else counts that was there at this moment.
    pub taken_at: Timestamp,
    pub cause: ScoreCause,
    pub card: ScoreCardId,
    pub inputs: Inputs,
    pub points: i64,
    pub grade: String,
    pub multiplier: Rate,
    pub cap_minor: Option<i64>,
    pub risk_history: Verdict,
    pub status: RiskStatus,
}

impl TryFrom<ScoreRow> for Score {
    type Error = DbError;

    fn try_from(row: ScoreRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("score {}", row.id));
        Ok(Score {
            id: ScoreId::of(row.id),
            agency: AgencyId::of(row.agency_id),
            as_of: row.as_of,
            taken_at: row.taken_at.into(),
            cause: ScoreCause::parse(&row.cause).ok_or_else(corrupt)?,
            card: ScoreCardId::of(row.score_card_id),
            inputs: Inputs::parse(&row.inputs)?,
            points: row.points,
            multiplier: Rate::parse(&row.multiplier).map_err(|_| corrupt())?,
            cap_minor: row.cap_minor,
            risk_history: Verdict::parse(&row.risk_history).ok_or_else(corrupt)?,
            status: RiskStatus::parse(&row.status).ok_or_else(corrupt)?,
            grade: row.grade,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error("no such agency")]
    NoAgency,
    #[error("the agency joined the platform on {opened}, after {asked}")]
    BeforeAgency { opened: NaiveDate, asked: NaiveDate },
    #[error("{0} is not over yet")]
    Future(NaiveDate),
    #[error("no decision was made by {0}")]
    NotScored(NaiveDate),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// An agency with what it was measured by.
#[derive(Clone, Debug)]
pub struct Measured {
    pub id: AgencyId,
    currency: Currency,
    /// What its row says that the last decision means.
    caution: String,
    inputs: Inputs,
}

type AgencyFacts = (i64, String, NaiveDateTime, String);

/// The next agencies behind `after` that are not decided for the night yet, in ascending order. A page that is not full is the last one.
pub fn page_of_agencies(db: &mut Db, after: i64, as_of: AsOf, zone: Tz) -> Result<Vec<Measured>, DbError> {
    let decided = table::table.filter(table::as_of.eq(as_of.date)).filter(table::agency_id.eq(agency::id));
    let decided = decided.filter(sql::<Bool>("score.cause = 'nightly'"));
    let open = agency::table.filter(agency::id.gt(after)).filter(agency::status.ne("closed")).filter(not(exists(decided)));
    let open = open.filter(agency::created_at.le(as_of.at.naive())).order(agency::id).limit(PAGE);
    let facts: Vec<AgencyFacts> = open.select((agency::id, agency::currency, agency::created_at, agency::caution)).load(db)?;
    let (Some(first), Some(last)) = (facts.first(), facts.last()) else { return Ok(Vec::new()) };
    let span = Span { first: first.0, last: last.0 };
    let known = evidence(db, span, as_of)?;
    facts.into_iter().map(|facts| measured(facts, &known, as_of, zone)).collect()
}

pub(super) fn tenure_days(opened: NaiveDateTime, as_of: AsOf, zone: Tz) -> i64 {
    as_of.date.signed_duration_since(Timestamp::from(opened).date_in(zone)).num_days().max(0)
}

fn measured(facts: AgencyFacts, known: &Evidences, as_of: AsOf, zone: Tz) -> Result<Measured, DbError> {
    let (id, currency, opened, caution) = facts;
    let nothing = Evidence::default();
    let inputs = known.get(&id).unwrap_or(&nothing).inputs(tenure_days(opened, as_of, zone));
    Ok(Measured { id: AgencyId::of(id), currency: stored_currency(&currency)?, caution, inputs })
}

/// Decides for these agencies, which are in ascending order. One that was decided later meanwhile, and one in whose currency there is no card, is passed over.
/// Answers how many were decided.
pub fn score_page(
    tx: &mut WriteTx,
    cards: &[ScoreCard],
    page: &[Measured],
    as_of: AsOf,
    cause: ScoreCause,
) -> Result<usize, DbError> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(0) };
    let of_page = table::table.filter(table::agency_id.between(first.id.raw(), last.id.raw()));
    let of_events = of_page.filter(sql::<Bool>("score.cause <> 'nightly'")).filter(table::as_of.ge(as_of.date));
    let later: Vec<i64> = of_events.filter(table::taken_at.gt(as_of.at.naive())).select(table::agency_id).load(&mut *tx.db)?;
    let later: BTreeSet<i64> = later.into_iter().collect();
    let (mut rows, mut changes, mut events) = (Vec::with_capacity(page.len()), Vec::new(), Vec::new());
    for one in page.iter().filter(|one| !later.contains(&one.id.raw())) {
        let Some(card) = cards.iter().find(|card| card.currency == one.currency) else { continue };
        let assessment = assess(card, &one.inputs);
        let row = score_row(tx, one, card, &assessment, as_of, cause);
        let (before, after) = (Caution::parse(&one.caution, one.currency)?, Caution::of(&assessment));
        if after != before {
            changes.push(Change { id: one.id.raw(), values: vec![after.text().into()] });
        }
        let is_news = before.grade.is_some() && (&before.grade, before.status) != (&after.grade, after.status);
        if is_news {
            events.push(NewEvent::new(EventType::ScoreChanged, ScoreId::of(row.id)).of_agency(one.id));
        }
        rows.push(row);
    }
    lock(tx, Contended::Agency, &changes.iter().map(|change| change.id).collect::<Vec<_>>())?;
    write(tx, &[RowSet::of(&rows)], &[Update { table: "agency", columns: &["caution"], changes: &changes }])?;
    emit_all(tx, events)?;
    Ok(rows.len())
}

fn score_row(tx: &WriteTx, of: &Measured, card: &ScoreCard, assessment: &Assessment, as_of: AsOf, cause: ScoreCause) -> ScoreRow {
    ScoreRow {
        id: tx.ids.next::<ScoreId>().raw(),
        agency_id: of.id.raw(),
        as_of: as_of.date,
        taken_at: as_of.at.naive(),
        cause: cause.text().to_owned(),
        score_card_id: card.id.raw(),
        inputs: of.inputs.to_string(),
        points: assessment.points,
        grade: assessment.grade.clone(),
        multiplier: assessment.multiplier.to_string(),
        cap_minor: assessment.cap.map(|cap: Money| cap.minor),
        risk_history: assessment.risk_history.text().to_owned(),
        status: assessment.status.text().to_owned(),
    }
}

/// Decides for one agency now, in the commit of a risk event: its limit falls with it. The caller holds the agency's lock. Without a card in force nothing is
/// decided.
pub fn score_agency(tx: &mut WriteTx, id: AgencyId, kind: RiskEventKind) -> Result<(), DbError> {
    let cards = cards_in_force(tx.db, tx.ledger_date)?;
    if cards.is_empty() {
        return Ok(());
    }
    let as_of = AsOf { date: tx.ledger_date, at: tx.now };
    let facts = agency::table.find(id.raw()).select((agency::id, agency::currency, agency::created_at, agency::caution));
    let facts: AgencyFacts = facts.first(&mut *tx.db)?;
    let known = evidence(tx.db, Span::one(id), as_of)?;
    let one = measured(facts, &known, as_of, tx.zone)?;
    score_page(tx, &cards, &[one], as_of, ScoreCause::Event(kind))?;
    watch(tx, id)
}

/// The last decision, or the last one of a day or the days before it.
pub fn score_of(db: &mut Db, id: AgencyId, asked: Option<NaiveDate>, today: NaiveDate, zone: Tz) -> Result<Score, ScoreError> {
    let opened = agency::table.find(id.raw()).select(agency::created_at);
    let opened: Option<NaiveDateTime> = opened.first(db).optional().map_err(DbError::from)?;
    let opened = Timestamp::from(opened.ok_or(ScoreError::NoAgency)?).date_in(zone);
    let date = asked.unwrap_or(today);
    if date < opened {
        return Err(ScoreError::BeforeAgency { opened, asked: date });
    }
    if date > today {
        return Err(ScoreError::Future(date));
    }
    let of = table::table.filter(table::agency_id.eq(id.raw())).filter(table::as_of.le(date)).order(table::id.desc());
    let row: Option<ScoreRow> = of.select(ScoreRow::as_select()).first(db).optional().map_err(DbError::from)?;
    Ok(Score::try_from(row.ok_or(ScoreError::NotScored(date))?)?)
}

/// Every decision about these agencies (`None`: all), newest first.
pub fn scores(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<Score>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(table::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<ScoreRow> = query.select(ScoreRow::as_select()).load(db)?;
    rows.into_iter().map(Score::try_from).collect()
}
