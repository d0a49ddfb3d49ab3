//! Where the lines of a statement come from: the same records that `settlement::cycles` sums.

use super::StatementRow;
use crate::db::{Db, DbError};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamp};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

/// The sources in the order of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tickets,
    Exchanges,
    GivenIn,
    Refunds,
    /// And memos; stored under the older name.
    Incentives,
    Settlements,
    Done,
}

impl Place {
    const ALL: [Place; 7] =
        [Place::Tickets, Place::Exchanges, Place::GivenIn, Place::Refunds, Place::Incentives, Place::Settlements, Place::Done];

    pub(super) fn text(self) -> &'static str {
        match self {
            Place::Tickets => "tickets",
            Place::Exchanges => "exchanges",
            Place::GivenIn => "given_in",
            Place::Refunds => "refunds",
            Place::Incentives => "incentives",
            Place::Settlements => "settlements",
            Place::Done => "done",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Place::ALL.into_iter().find(|place| place.text() == text)
    }

    pub(super) fn next(self) -> Self {
        match self {
            Place::Tickets => Place::Exchanges,
            Place::Exchanges => Place::GivenIn,
            Place::GivenIn => Place::Refunds,
            Place::Refunds => Place::Incentives,
            Place::Incentives => Place::Settlements,
            Place::Settlements | Place::Done => Place::Done,
        }
    }

    /// `$1` agency, `$2` currency, `$3` cycle, `$4` the id behind which the page begins, `$5` its size or, for tickets, its last order.
    fn query(self) -> &'static str {
        match self {
            Place::Tickets => {
                "SELECT o.id AS id, 'sale' AS kind, t.number AS document, o.booking_reference AS booking_reference,
                    t.issue_date AS issued_on, CAST(NULL AS TIMESTAMP) AS happened_at, t.price_minor AS gross, t.commission_minor AS commission,
                    o.cancelled_at AS voided_at
                 FROM air_order o JOIN ticket t ON t.order_id = o.id
                 WHERE o.agency_id = $1 AND o.currency = $2 AND o.cycle = $3 AND o.id > $4 AND o.id <= $5 AND o.tender = 'credit'
                    AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id) ORDER BY o.id, t.id"
            }
            Place::Exchanges => {
                "SELECT x.ticket_id AS id, 'exchange' AS kind, t.number AS document, o.booking_reference AS booking_reference,
                    t.issue_date AS issued_on, CAST(NULL AS TIMESTAMP) AS happened_at, t.price_minor + x.penalty_minor AS gross,
                    t.commission_minor AS commission, COALESCE(o.cancelled_at, h.voided_at) AS voided_at
                 FROM order_change h JOIN ticket_exchange x ON x.order_change_id = h.id JOIN ticket t ON t.id = x.ticket_id
                 JOIN air_order o ON o.id = t.order_id
                 WHERE h.agency_id = $1 AND h.currency = $2 AND x.cycle = $3 AND x.ticket_id > $4 ORDER BY x.ticket_id LIMIT $5"
            }
            Place::GivenIn => {
                "SELECT x.ticket_id AS id, 'given_in' AS kind, g.number AS document, o.booking_reference AS booking_reference,
                    t.issue_date AS issued_on, CAST(NULL AS TIMESTAMP) AS happened_at, -x.given_in_minor AS gross,
                    -x.commission_minor AS commission, CAST(NULL AS TIMESTAMP) AS voided_at
                 FROM order_change h JOIN ticket_exchange x ON x.order_change_id = h.id JOIN ticket t ON t.id = x.ticket_id
                 JOIN ticket g ON g.id = x.given_in_ticket_id JOIN air_order o ON o.id = t.order_id
                 WHERE h.agency_id = $1 AND h.currency = $2 AND x.given_in_cycle = $3 AND x.ticket_id > $4 AND h.voided_at IS NULL
                 ORDER BY x.ticket_id LIMIT $5"
            }
            Place::Refunds => {
                "SELECT b.id AS id, 'refund' AS kind, t.number AS document, o.booking_reference AS booking_reference,
                    CAST(NULL AS DATE) AS issued_on, b.posted_at AS happened_at, -(b.fare_minor + b.tax_minor - b.penalty_minor) AS gross,
                    -b.commission_minor AS commission, CAST(NULL AS TIMESTAMP) AS voided_at
                 FROM refund_application f JOIN refund_ticket b ON b.application_id = f.id JOIN ticket t ON t.id = b.ticket_id
                 JOIN air_order o ON o.id = t.order_id
                 WHERE f.agency_id = $1 AND f.currency = $2 AND b.cycle = $3 AND b.id > $4 ORDER BY b.id LIMIT $5"
            }
            Place::Incentives => {
                "SELECT d.id AS id, 'incentive' AS kind, '' AS document, '' AS booking_reference, CAST(NULL AS DATE) AS issued_on,
                    d.settled_at AS happened_at, -d.accrued_minor AS gross, CAST(0 AS BIGINT) AS commission,
                    CAST(NULL AS TIMESTAMP) AS voided_at
                 FROM incentive_period d WHERE d.agency_id = $1 AND d.currency = $2 AND d.cycle = $3 AND d.id > $4
                 UNION ALL SELECT m.id, m.kind, m.number, '', CAST(NULL AS DATE), m.decided_at,
                    CASE m.kind WHEN 'adm' THEN m.decided_minor ELSE -m.decided_minor END, CAST(0 AS BIGINT), CAST(NULL AS TIMESTAMP)
                 FROM memo m WHERE m.agency_id = $1 AND m.currency = $2 AND m.cycle = $3 AND m.id > $4
                 ORDER BY id LIMIT $5"
            }
            Place::Settlements | Place::Done => {
                "SELECT k.id AS id, k.kind AS kind, COALESCE(r.bank_reference, '') AS document, '' AS booking_reference, k.day AS issued_on,
                    CAST(NULL AS TIMESTAMP) AS happened_at, -(k.amount_minor + k.commission_minor) AS gross,
                    -k.commission_minor AS commission, CAST(NULL AS TIMESTAMP) AS voided_at
                 FROM cycle_settlement k LEFT JOIN bank_receipt r ON r.id = k.receipt_id
                 WHERE k.agency_id = $1 AND k.currency = $2 AND k.cycle = $3 AND k.id > $4 ORDER BY k.id LIMIT $5"
            }
        }
    }
}

#[derive(QueryableByName)]
pub(super) struct SourceLine {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub document: String,
    #[diesel(sql_type = Text)]
    pub booking_reference: String,
    #[diesel(sql_type = Nullable<Date>)]
    pub issued_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub happened_at: Option<NaiveDateTime>,
    #[diesel(sql_type = BigInt)]
    pub gross: i64,
    #[diesel(sql_type = BigInt)]
    pub commission: i64,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub voided_at: Option<NaiveDateTime>,
}

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
}

/// A page of a source and where the next one begins; nothing where the source is at its end.
pub(super) fn source_page(
    db: &mut Db,
    statement: &StatementRow,
    place: Place,
    size: i64,
) -> Result<Option<(Vec<SourceLine>, i64)>, DbError> {
    let until = match place {
        Place::Tickets => {
            let text = "SELECT CAST(MAX(p.id) AS BIGINT) AS last
                FROM (SELECT id FROM air_order WHERE agency_id = $1 AND id > $2 ORDER BY id LIMIT $3) p";
            let query = sql_query(text).bind::<BigInt, _>(statement.agency_id).bind::<BigInt, _>(statement.place_id);
            let found: Last = query.bind::<BigInt, _>(size).get_result(db)?;
            found.last
        }
        _ => Some(size),
    };
    let Some(until) = until else { return Ok(None) };
    let query = sql_query(place.query()).bind::<BigInt, _>(statement.agency_id).bind::<Text, _>(&statement.currency);
    let query = query.bind::<Text, _>(&statement.cycle).bind::<BigInt, _>(statement.place_id).bind::<BigInt, _>(until);
    let lines: Vec<SourceLine> = query.load(db)?;
    let next = match place {
        Place::Tickets => Some(until),
        _ => lines.last().map(|line| line.id),
    };
    Ok(next.map(|next| (lines, next)))
}
