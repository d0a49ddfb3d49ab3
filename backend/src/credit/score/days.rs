//! What agencies did on a day, counted once when it is over, for all agencies in two statements. So a decision reads a row a day and not a row a ticket.
//! A day is the operator's. Tickets that came in exchange for others are no sales.

use crate::clock::Timestamp;
use crate::db::{Db, DbError, WriteTx, setting, store_setting};
use chrono::{Days, Duration, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use diesel::sql_types::{Date, Timestamp as SqlTimestamp};
use diesel::{RunQueryDsl, sql_query};

/// Days before a decision that sales are counted over: thirteen weeks.
pub(super) const COUNTED_DAYS: u64 = 91;
const NIGHT: Duration = Duration::hours(6);
const COUNTED_TO: &str = "agency_days_counted_to";

/// A day of the operator's: in UTC, and on the wall clocks of airports.
pub(super) struct Day {
    pub start: NaiveDateTime,
    pub end: NaiveDateTime,
    pub night_ends: NaiveDateTime,
    /// Departures are stored in local time: those before this leave on the day.
    pub local_end: NaiveDateTime,
}

impl Day {
    pub fn of(date: NaiveDate, zone: Tz) -> Self {
        let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
        let start = Timestamp::begin_of(date, zone);
        Day {
            start: start.naive(),
            end: Timestamp::begin_of(next, zone).naive(),
            night_ends: start.plus(NIGHT).naive(),
            local_end: next.and_time(chrono::NaiveTime::MIN),
        }
    }
}

/// When the first flight of a ticket was to leave as it was sold, whatever its airline has changed since.
pub(super) const SOLD_DEPARTURE: &str = "COALESCE((SELECT g.departing_at FROM airline_change_segment g
    WHERE g.coupon_id = c.id AND g.new_seat_bucket_id IS NOT NULL ORDER BY g.id LIMIT 1), c.departing_at)";

fn count_text() -> String {
    format!(
        "INSERT INTO agency_day (agency_id, day, tickets, sold_minor, credit_minor, night, near_departure, voided, refunded)
         SELECT s.agency_id, $1, CAST(SUM(s.tickets) AS BIGINT), CAST(SUM(s.sold) AS BIGINT), CAST(SUM(s.credit) AS BIGINT),
            CAST(SUM(s.night) AS BIGINT), CAST(SUM(s.near_departure) AS BIGINT), CAST(SUM(s.voided) AS BIGINT),
            CAST(SUM(s.refunded) AS BIGINT)
         FROM (SELECT t.agency_id AS agency_id, 1 AS tickets, t.price_minor AS sold,
                CASE WHEN o.tender = 'credit' THEN t.price_minor ELSE 0 END AS credit, CASE WHEN t.issued_at < $2 THEN 1 ELSE 0 END AS night,
                CASE WHEN {SOLD_DEPARTURE} < $3 THEN 1 ELSE 0 END AS near_departure, 0 AS voided, 0 AS refunded
            FROM ticket t JOIN air_order o ON o.id = t.order_id JOIN coupon c ON c.ticket_id = t.id AND c.number = 1
            WHERE t.issued_at >= $4 AND t.issued_at < $5 AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
            UNION ALL
            SELECT k.agency_id, 0, 0, 0, 0, 0, (SELECT COUNT(*) FROM ticket t WHERE t.order_id = k.order_id), 0
            FROM order_cancellation k WHERE k.confirmed_at >= $4 AND k.confirmed_at < $5 AND k.application_id IS NULL
            UNION ALL
            SELECT f.agency_id, 0, 0, 0, 0, 0, 0, 1
            FROM refund_ticket r JOIN refund_application f ON f.id = r.application_id WHERE r.posted_at >= $4 AND r.posted_at < $5) s
         GROUP BY s.agency_id"
    )
}

const PARTS: &str = "INSERT INTO agency_day_part (agency_id, day, kind, part, tickets)
    SELECT t.agency_id, $1, 'airline', CAST(t.airline_id AS TEXT), COUNT(*) FROM ticket t
        WHERE t.issued_at >= $2 AND t.issued_at < $3 AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
        GROUP BY t.agency_id, t.airline_id
    UNION ALL
    SELECT t.agency_id, $1, 'route', c.origin || c.destination, COUNT(*)
        FROM ticket t JOIN coupon c ON c.ticket_id = t.id AND c.number = 1
        WHERE t.issued_at >= $2 AND t.issued_at < $3 AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
        GROUP BY t.agency_id, c.origin, c.destination";

/// The last day that is counted.
pub fn counted_to(db: &mut Db) -> Result<Option<NaiveDate>, DbError> {
    let corrupt = |text: &str| DbError::Corrupt(format!("{COUNTED_TO}: {text}"));
    let text = setting(db, COUNTED_TO)?;
    text.map(|text| text.parse().map_err(|_| corrupt(&text))).transpose()
}

/// Counts the next day that is over; answers which, or none where all are counted. A database that has never counted begins with the days that a decision
/// looks at.
pub fn count_days(tx: &mut WriteTx) -> Result<Option<NaiveDate>, DbError> {
    let next = match counted_to(tx.db)? {
        Some(last) => last.succ_opt(),
        None => tx.ledger_date.checked_sub_days(Days::new(COUNTED_DAYS)),
    };
    let Some(date) = next.filter(|date| *date < tx.ledger_date) else { return Ok(None) };
    let day = Day::of(date, tx.zone);
    sql_query(count_text())
        .bind::<Date, _>(date)
        .bind::<SqlTimestamp, _>(day.night_ends)
        .bind::<SqlTimestamp, _>(day.local_end)
        .bind::<SqlTimestamp, _>(day.start)
        .bind::<SqlTimestamp, _>(day.end)
        .execute(&mut *tx.db)?;
    sql_query(PARTS)
        .bind::<Date, _>(date)
        .bind::<SqlTimestamp, _>(day.start)
        .bind::<SqlTimestamp, _>(day.end)
        .execute(&mut *tx.db)?;
    store_setting(tx, COUNTED_TO, &date.to_string())?;
    Ok(Some(date))
}
