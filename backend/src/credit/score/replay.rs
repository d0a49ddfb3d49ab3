//! A decision made again: from the inputs that are stored with it, and from the records themselves, ticket by ticket, as they were at its moment. All three
//! have to agree.

use super::assess::{Assessment, assess};
use super::card::{ScoreCard, score_card};
use super::days::{Day, SOLD_DEPARTURE};
use super::decision::{Score, ScoreError, score_of, tenure_days};
use super::inputs::Inputs;
use super::measure::{AsOf, Counted, Evidence, Evidences, Span, read_payments};
use crate::clock::Timestamp;
use crate::db::schema::agency;
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, Id};
use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp as SqlTimestamp};
use diesel::{QueryableByName, sql_query};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Replay {
    pub score: Score,
    pub card: ScoreCard,
    /// From the stored inputs.
    pub assessment: Assessment,
    /// From the records.
    pub inputs: Inputs,
    pub from_records: Assessment,
}

impl Replay {
    /// Whether what was decided is what the stored inputs say.
    pub fn inputs_agree(&self) -> bool {
        let Replay { score, assessment, .. } = self;
        let cap = assessment.cap.map(|cap| cap.minor);
        (score.points, &score.grade, score.multiplier, score.cap_minor)
            == (assessment.points, &assessment.grade, assessment.multiplier, cap)
            && (score.risk_history, score.status) == (assessment.risk_history, assessment.status)
    }

    /// Whether the records say what is stored.
    pub fn records_agree(&self) -> bool {
        self.inputs == self.score.inputs && self.from_records == self.assessment
    }
}

/// Of the last decision, or of the last one by a day.
pub fn replay(db: &mut Db, id: AgencyId, asked: Option<NaiveDate>, today: NaiveDate, zone: Tz) -> Result<Replay, ScoreError> {
    let score = score_of(db, id, asked, today, zone)?;
    let missing = || DbError::Corrupt(format!("{} has no card", score.id));
    let card = score_card(db, score.card)?.ok_or_else(missing)?;
    let opened: NaiveDateTime = agency::table.find(id.raw()).select(agency::created_at).first(db).map_err(DbError::from)?;
    let as_of = AsOf { date: score.as_of, at: score.taken_at };
    let inputs = from_records(db, id, as_of, zone)?.inputs(tenure_days(opened, as_of, zone));
    let (assessment, from_records) = (assess(&card, &score.inputs), assess(&card, &inputs));
    Ok(Replay { score, card, assessment, inputs, from_records })
}

#[derive(QueryableByName)]
struct Ticket {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SqlTimestamp)]
    issued_at: NaiveDateTime,
    #[diesel(sql_type = BigInt)]
    price_minor: i64,
    #[diesel(sql_type = Text)]
    tender: String,
    #[diesel(sql_type = BigInt)]
    airline_id: i64,
    #[diesel(sql_type = Text)]
    route: String,
    #[diesel(sql_type = SqlTimestamp)]
    departing_at: NaiveDateTime,
}

/// Tickets that are read at a time.
const TICKETS: i64 = 10_000;

fn tickets_text() -> String {
    format!(
        "SELECT t.id AS id, t.issued_at AS issued_at, t.price_minor AS price_minor, COALESCE(o.tender, '') AS tender, t.airline_id AS airline_id,
            c.origin || c.destination AS route, {SOLD_DEPARTURE} AS departing_at
         FROM air_order o JOIN ticket t ON t.order_id = o.id JOIN coupon c ON c.ticket_id = t.id AND c.number = 1
         WHERE o.agency_id = $1 AND t.id > $2 AND t.issued_at >= $3 AND t.issued_at < $4
            AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
         ORDER BY t.id LIMIT {TICKETS}"
    )
}

/// Nothing here reads what was counted.
fn from_records(db: &mut Db, id: AgencyId, as_of: AsOf, zone: Tz) -> Result<Evidence, DbError> {
    let mut evidence = Evidence::default();
    let (mut airlines, mut routes) = (BTreeMap::<i64, i64>::new(), BTreeMap::<String, i64>::new());
    let (from, until) = (Timestamp::begin_of(as_of.sales_from(), zone), Timestamp::begin_of(as_of.date, zone));
    let mut after = 0;
    loop {
        let query = sql_query(tickets_text()).bind::<BigInt, _>(id.raw()).bind::<BigInt, _>(after);
        let query = query.bind::<SqlTimestamp, _>(from.naive()).bind::<SqlTimestamp, _>(until.naive());
        let page: Vec<Ticket> = query.load(db)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for ticket in page {
            let date = Timestamp::from(ticket.issued_at).date_in(zone);
            let day = Day::of(date, zone);
            let counted = Counted {
                tickets: 1,
                sold: ticket.price_minor,
                credit: if ticket.tender == "credit" { ticket.price_minor } else { 0 },
                night: i64::from(ticket.issued_at < day.night_ends),
                same_day: i64::from(ticket.departing_at < day.local_end),
                ..Counted::default()
            };
            evidence.count(as_of.date, date, counted);
            *airlines.entry(ticket.airline_id).or_default() += 1;
            *routes.entry(ticket.route).or_default() += 1;
        }
    }
    let top = |counts: &mut dyn Iterator<Item = i64>| counts.max().unwrap_or(0);
    evidence.top(top(&mut airlines.into_values()), top(&mut routes.into_values()));
    given_back(db, id, as_of, (from, until), &mut evidence)?;
    // The records of payments are what they are read from anyway.
    let mut all = Evidences::from([(id.raw(), evidence)]);
    read_payments(db, Span::one(id), as_of, &mut all)?;
    Ok(all.remove(&id.raw()).unwrap_or_default())
}

#[derive(QueryableByName)]
struct GivenBack {
    #[diesel(sql_type = BigInt)]
    voided: i64,
    #[diesel(sql_type = BigInt)]
    refunded: i64,
}

const GIVEN_BACK: &str = "SELECT
        (SELECT COUNT(*) FROM order_cancellation k JOIN ticket t ON t.order_id = k.order_id
            WHERE k.agency_id = $1 AND k.confirmed_at >= $2 AND k.confirmed_at < $3 AND k.application_id IS NULL) AS voided,
        (SELECT COUNT(*) FROM refund_application f JOIN refund_ticket r ON r.application_id = f.id
            WHERE f.agency_id = $1 AND r.posted_at >= $2 AND r.posted_at < $3) AS refunded";

fn given_back(
    db: &mut Db,
    id: AgencyId,
    as_of: AsOf,
    (from, until): (Timestamp, Timestamp),
    evidence: &mut Evidence,
) -> Result<(), DbError> {
    let query = sql_query(GIVEN_BACK).bind::<BigInt, _>(id.raw());
    let found: GivenBack = query.bind::<SqlTimestamp, _>(from.naive()).bind::<SqlTimestamp, _>(until.naive()).get_result(db)?;
    let day = as_of.date.pred_opt().unwrap_or(as_of.date);
    let counted = Counted { voided: found.voided, refunded: found.refunded, ..Counted::default() };
    evidence.count(as_of.date, day, counted);
    Ok(())
}
