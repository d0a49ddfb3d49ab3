//! Where the engines differ. PostgreSQL gets array statements whose text does not depend on how many rows there are; SQLite gets one cached
//! statement that is run per row. Both texts are fixed, so both engines prepare each of them once.

use super::engine::{Db, Engine};
use super::rows::{Cell, Change, Row, RowSet};
use super::{DbError, WriteTx};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery};
use diesel::query_dsl::RunQueryDsl;
use diesel::sql_types::{Array, BigInt, Binary, Date, Nullable, Text, Timestamp, Untyped};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, QueryableByName, sql_query};
use std::fmt::Write;

/// What can be locked, in the order in which locks are taken: a class after the classes above it, and by ascending id within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contended {
    Agency,
    FacilitySlice,
    SeatBucket,
    StockRange,
    Advance,
    AirlineClaim,
    IncentiveProgramme,
    Account,
}

impl Contended {
    fn table(self) -> &'static str {
        match self {
            Contended::Agency => "agency",
            Contended::FacilitySlice => "facility_slice",
            Contended::SeatBucket => "seat_bucket",
            Contended::StockRange => "stock_range",
            Contended::Advance => "advance",
            Contended::AirlineClaim => "airline_claim",
            Contended::IncentiveProgramme => "incentive_programme",
            Contended::Account => "account",
        }
    }
}

/// Locks rows until the end of the transaction. What a decision needs is read by a later statement: waiting for a lock does not
/// refresh the snapshot of the statement that waited. On SQLite the writer is alone and there is nothing to do.
pub fn lock(tx: &mut WriteTx, class: Contended, ids: &[i64]) -> Result<(), DbError> {
    let Db::Postgres(connection) = &mut *tx.db else { return Ok(()) };
    if ids.is_empty() {
        return Ok(());
    }
    let text = format!("SELECT id FROM {} WHERE id = ANY($1) ORDER BY id FOR UPDATE", class.table());
    Cached(sql_query(text).bind::<Array<BigInt>, _>(ids)).execute(connection)?;
    Ok(())
}

/// Writes rows of several tables. On PostgreSQL this is one statement, whatever the number of tables and rows.
pub fn insert(tx: &mut WriteTx, sets: &[RowSet]) -> Result<(), DbError> {
    let sets = sets.iter().filter(|set| !set.rows.is_empty());
    match &mut *tx.db {
        Db::Sqlite(connection) => {
            for set in sets {
                let text = row_insert_text(set.table, set.columns);
                for row in &set.rows {
                    Cached(bind_row(sql_query(&text).into_boxed(), row)).execute(connection)?;
                }
            }
        }
        Db::Postgres(connection) => {
            let (text, columns) = fused_insert(sets);
            if !columns.is_empty() {
                Cached(bind_columns(sql_query(text).into_boxed(), columns)).execute(connection)?;
            }
        }
    }
    Ok(())
}

/// Adds rows that may be there already (found by their primary key) and leaves those as they are.
pub fn ensure_rows<R: Row>(tx: &mut WriteTx, rows: &[R]) -> Result<(), DbError> {
    let set = RowSet::of(rows);
    match &mut *tx.db {
        Db::Sqlite(connection) => {
            let text = format!("{} ON CONFLICT DO NOTHING", row_insert_text(set.table, set.columns));
            for row in &set.rows {
                Cached(bind_row(sql_query(&text).into_boxed(), row)).execute(connection)?;
            }
        }
        Db::Postgres(connection) => {
            let (text, columns) = fused_insert([&set].into_iter());
            if !columns.is_empty() {
                let text = format!("{text} ON CONFLICT DO NOTHING");
                Cached(bind_columns(sql_query(text).into_boxed(), columns)).execute(connection)?;
            }
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Tries to take idempotency keys; answers the ids of the rows that won. A row whose key is taken, also by an earlier one
/// in the same call, is left out and nothing fails.
pub fn claim_keys<R: Row>(tx: &mut WriteTx, rows: &[R]) -> Result<Vec<i64>, DbError> {
    let set = RowSet::of(rows);
    if set.rows.is_empty() {
        return Ok(Vec::new());
    }
    let won: Vec<Claimed> = match &mut *tx.db {
        Db::Sqlite(connection) => {
            let text = format!("{} ON CONFLICT DO NOTHING RETURNING id", row_insert_text(set.table, set.columns));
            let mut won = Vec::new();
            for row in &set.rows {
                won.extend(Cached(bind_row(sql_query(&text).into_boxed(), row)).load::<Claimed>(connection)?);
            }
            won
        }
        Db::Postgres(connection) => {
            let (text, columns) = fused_insert([&set].into_iter());
            let text = format!("{text} ON CONFLICT DO NOTHING RETURNING id");
            Cached(bind_columns(sql_query(text).into_boxed(), columns)).load::<Claimed>(connection)?
        }
    };
    Ok(won.into_iter().map(|claimed| claimed.id).collect())
}

/// Gives the named columns of existing rows new values. Answers how many rows it found.
pub fn update(
    tx: &mut WriteTx,
    table: &'static str,
    columns: &'static [&'static str],
    changes: &[Change],
) -> Result<usize, DbError> {
    if changes.is_empty() {
        return Ok(0);
    }
    match &mut *tx.db {
        Db::Sqlite(connection) => {
            let sets: Vec<String> = columns.iter().map(|column| format!("{column} = ?")).collect();
            let text = format!("UPDATE {table} SET {} WHERE id = ?", sets.join(", "));
            let mut found = 0;
            for change in changes {
                let query = bind_row(sql_query(&text).into_boxed(), &change.values).bind::<BigInt, _>(change.id);
                found += Cached(query).execute(connection)?;
            }
            Ok(found)
        }
        Db::Postgres(connection) => {
            let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(changes.len());
            for change in changes {
                let mut row = vec![Cell::from(change.id)];
                row.extend(change.values.iter().cloned());
                rows.push(row);
            }
            let columns_of_values = transpose(&rows);
            let sets: Vec<String> = columns.iter().map(|column| format!("{column} = u.{column}")).collect();
            let mut next = 1;
            let arrays = placeholders(&columns_of_values, &mut next);
            let names = columns.join(", ");
            let text =
                format!("UPDATE {table} SET {} FROM unnest({arrays}) AS u(id, {names}) WHERE {table}.id = u.id", sets.join(", "));
            Ok(Cached(bind_columns(sql_query(text).into_boxed(), columns_of_values)).execute(connection)?)
        }
    }
}

/// A column of values for `unnest`.
enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<NaiveDateTime>>),
    Date(Vec<Option<NaiveDate>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

fn row_insert_text(table: &str, columns: &[&str]) -> String {
    let marks = vec!["?"; columns.len()].join(", ");
    format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", "))
}

/// One INSERT, or several as CTEs before the last one.
fn fused_insert<'a>(sets: impl Iterator<Item = &'a RowSet>) -> (String, Vec<Column>) {
    let sets: Vec<&RowSet> = sets.filter(|set| !set.rows.is_empty()).collect();
    let (mut text, mut all, mut next) = (String::new(), Vec::new(), 1);
    for (index, set) in sets.iter().enumerate() {
        let columns = transpose(&set.rows);
        let arrays = placeholders(&columns, &mut next);
        let insert = format!("INSERT INTO {} ({}) SELECT * FROM unnest({arrays})", set.table, set.columns.join(", "));
        let last = index + 1 == sets.len();
        // Writing to a String cannot fail.
        let _ = match (index, last) {
            (0, true) => write!(text, "{insert}"),
            (0, false) => write!(text, "WITH i0 AS ({insert})"),
            (_, false) => write!(text, ", i{index} AS ({insert})"),
            (_, true) => write!(text, " {insert}"),
        };
        all.extend(columns);
    }
    (text, all)
}

fn placeholders(columns: &[Column], next: &mut usize) -> String {
    let mut arrays = Vec::with_capacity(columns.len());
    for column in columns {
        let cast = match column {
            Column::Int(_) => "bigint[]",
            Column::Text(_) => "text[]",
            Column::Time(_) => "timestamp[]",
            Column::Date(_) => "date[]",
            Column::Bytes(_) => "bytea[]",
        };
        arrays.push(format!("${next}::{cast}"));
        *next += 1;
    }
    arrays.join(", ")
}

fn transpose(rows: &[Vec<Cell>]) -> Vec<Column> {
    let Some(first) = rows.first() else { return Vec::new() };
    let mut columns: Vec<Column> = first
        .iter()
        .map(|cell| match cell {
            Cell::Int(_) => Column::Int(Vec::with_capacity(rows.len())),
            Cell::Text(_) => Column::Text(Vec::with_capacity(rows.len())),
            Cell::Time(_) => Column::Time(Vec::with_capacity(rows.len())),
            Cell::Date(_) => Column::Date(Vec::with_capacity(rows.len())),
            Cell::Bytes(_) => Column::Bytes(Vec::with_capacity(rows.len())),
        })
        .collect();
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            match (column, cell.clone()) {
                (Column::Int(values), Cell::Int(value)) => values.push(value),
                (Column::Text(values), Cell::Text(value)) => values.push(value),
                (Column::Time(values), Cell::Time(value)) => values.push(value),
                (Column::Date(values), Cell::Date(value)) => values.push(value),
                (Column::Bytes(values), Cell::Bytes(value)) => values.push(value),
                // A column has one Rust type, so its cells have one variant; a gap would make unnest pad with NULL, which NOT NULL refuses.
                _ => debug_assert!(false, "cells of one column differ in type"),
            }
        }
    }
    columns
}

fn bind_columns<'a>(query: BoxedSqlQuery<'a, Pg, SqlQuery>, columns: Vec<Column>) -> BoxedSqlQuery<'a, Pg, SqlQuery> {
    columns.into_iter().fold(query, |query, column| match column {
        Column::Int(values) => query.bind::<Array<Nullable<BigInt>>, _>(values),
        Column::Text(values) => query.bind::<Array<Nullable<Text>>, _>(values),
        Column::Time(values) => query.bind::<Array<Nullable<Timestamp>>, _>(values),
        Column::Date(values) => query.bind::<Array<Nullable<Date>>, _>(values),
        Column::Bytes(values) => query.bind::<Array<Nullable<Binary>>, _>(values),
    })
}

fn bind_row<'a>(query: BoxedSqlQuery<'a, Sqlite, SqlQuery>, row: &'a [Cell]) -> BoxedSqlQuery<'a, Sqlite, SqlQuery> {
    row.iter().fold(query, |query, cell| match cell {
        Cell::Int(value) => query.bind::<Nullable<BigInt>, _>(*value),
        Cell::Text(value) => query.bind::<Nullable<Text>, _>(value.as_deref()),
        Cell::Time(value) => query.bind::<Nullable<Timestamp>, _>(*value),
        Cell::Date(value) => query.bind::<Nullable<Date>, _>(*value),
        Cell::Bytes(value) => query.bind::<Nullable<Binary>, _>(value.as_deref()),
    })
}

/// A statement with a fixed text: Diesel prepares it once per connection instead of every time.
struct Cached<Q>(Q);

impl<DB, Q> QueryFragment<DB> for Cached<Q>
where
    DB: diesel::backend::Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Cached<Q> {
    type SqlType = Untyped;
}

impl<Q, Connection> RunQueryDsl<Connection> for Cached<Q> {}

/// The words for an engine in what is printed to people.
pub(super) fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    }
}
