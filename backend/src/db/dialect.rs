//! Where the engines differ. PostgreSQL gets array statements whose text does not depend on how many rows there are; SQLite gets one cached
//! statement that is run per row. Both texts are fixed, so both engines prepare each of them once.

use super::engine::{Db, Engine};
use super::rows::{Cell, Change, Column, Row, RowSet, Rows, Update};
use super::{DbError, WriteTx};
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::sql_types::{Array, BigInt, Binary, Date, Nullable, Text, Timestamp, Untyped};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, QueryableByName};
use std::borrow::Cow;

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
    Webhook,
    /// Who publishes events; locked alone.
    EventHead,
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
            Contended::Webhook => "webhook",
            Contended::EventHead => "event_head",
        }
    }
}

/// Locks rows until the end of the transaction. What a decision needs beside the locked rows themselves is read by a later statement: waiting for a
/// lock does not refresh the snapshot of the statement that waited. On SQLite the writer is alone and there is nothing to do.
pub fn lock(tx: &mut WriteTx, class: Contended, ids: &[i64]) -> Result<(), DbError> {
    let Db::Postgres(connection) = &mut *tx.db else { return Ok(()) };
    if ids.is_empty() {
        return Ok(());
    }
    let select = format!("SELECT id FROM {} WHERE id = ANY(", class.table());
    Fixed::text(select).value(PgValue::Ids(ids)).and(") ORDER BY id FOR UPDATE").execute(connection)?;
    Ok(())
}

/// Locks the rows with these ids and reads them, in id order. Of a row that another transaction held, PostgreSQL reads the state that it was left in:
/// the row itself is never older than its lock.
pub fn locked<R: Row>(tx: &mut WriteTx, class: Contended, ids: &[i64]) -> Result<Vec<R>, DbError> {
    locked_by(tx, class, "id", ids)
}

/// The same for rows that are found by another column, one that never changes.
pub fn locked_by<R: Row>(tx: &mut WriteTx, class: Contended, column: &'static str, ids: &[i64]) -> Result<Vec<R>, DbError> {
    debug_assert_eq!(class.table(), R::TABLE, "a lock of another table");
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let columns = R::COLUMNS.join(", ");
    let table = R::TABLE;
    Ok(match &mut *tx.db {
        Db::Sqlite(connection) => {
            let select = format!("SELECT {columns} FROM {table} WHERE {column} IN (SELECT value FROM json_each(");
            let ids = SqliteValue::Text(serde_json::json!(ids).to_string());
            Fixed::text(select).value(ids).and(")) ORDER BY id").load(connection)?
        }
        Db::Postgres(connection) => {
            let select = format!("SELECT {columns} FROM {table} WHERE {column} = ANY(");
            Fixed::text(select).value(PgValue::Ids(ids)).and(") ORDER BY id FOR UPDATE").load(connection)?
        }
    })
}

/// Locks the rows that belong to what has one of these texts in a column, such as the slices of the facilities in a currency. Answers the ids of
/// what is locked; none on SQLite, where everything is.
pub fn lock_within(
    tx: &mut WriteTx,
    class: Contended,
    (reference, owner, column): (&'static str, &'static str, &'static str),
    texts: &[&str],
) -> Result<Option<Vec<i64>>, DbError> {
    let Db::Postgres(connection) = &mut *tx.db else { return Ok(None) };
    let table = class.table();
    let select = format!("SELECT id FROM {table} WHERE {reference} IN (SELECT id FROM {owner} WHERE {column} = ANY(");
    let query = Fixed::text(select).value(PgValue::Texts(texts)).and(")) ORDER BY id FOR UPDATE");
    let ids: Vec<Identified> = query.load(connection)?;
    Ok(Some(ids.into_iter().map(|row| row.id).collect()))
}

#[derive(QueryableByName)]
struct Identified {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Locks a name of the outside world, such as a bank's reference, until the end of the transaction: two nodes that meet the same one for the first
/// time have no row to lock yet. Taken before every other lock. On SQLite the writer is alone and there is nothing to do.
pub fn lock_word(tx: &mut WriteTx, word: &str) -> Result<(), DbError> {
    let Db::Postgres(connection) = &mut *tx.db else { return Ok(()) };
    let select = Fixed::text("SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(").value(PgValue::Word(word));
    select.and(", 0))").execute(connection)?;
    Ok(())
}

/// Writes rows of several tables. On PostgreSQL this is one statement, whatever the number of tables and rows.
pub fn insert(tx: &mut WriteTx, sets: &[RowSet]) -> Result<(), DbError> {
    write(tx, sets, &[])
}

/// Adds rows to several tables and gives others, which are locked, new values. On PostgreSQL this is one statement.
pub fn write(tx: &mut WriteTx, sets: &[RowSet], updates: &[Update]) -> Result<(), DbError> {
    match &mut *tx.db {
        Db::Sqlite(connection) => {
            for set in sets {
                insert_many(connection, set.0.as_ref())?;
            }
            for update in updates {
                update_each(connection, *update)?;
            }
        }
        Db::Postgres(connection) => {
            let mut fused = Fused::default();
            sets.iter().for_each(|set| fused.insert(set.0.as_ref()));
            updates.iter().for_each(|update| fused.update(*update));
            fused.execute(connection)?;
        }
    }
    Ok(())
}

/// Adds rows that may be there already (found by their primary key) and leaves those as they are.
pub fn ensure_rows<R: Row>(tx: &mut WriteTx, rows: &[R]) -> Result<(), DbError> {
    match &mut *tx.db {
        Db::Sqlite(connection) => rows.iter().try_for_each(|row| row.claim_on_sqlite(connection).map(drop))?,
        Db::Postgres(connection) => {
            let (rows, mut fused) = (rows.iter().collect::<Vec<_>>(), Fused::default());
            fused.insert(&rows);
            fused.ending("ON CONFLICT DO NOTHING").execute(connection)?;
        }
    }
    Ok(())
}

/// Tries to take idempotency keys; answers the ids of the rows that won, in no order. A row whose key is taken, also by an earlier one
/// in the same call, is left out and nothing fails.
pub fn claim_keys<R: Row>(tx: &mut WriteTx, rows: &[R], id: impl Fn(&R) -> i64) -> Result<Vec<i64>, DbError> {
    claim(tx.db, rows, id)
}

/// Whether a row with these keys could be written: no transaction has, be it finished or open. It is tried and taken back. An open one
/// is waited for; if it does not end in time, the error is a passing one.
pub fn is_free<R: Row>(db: &mut Db, row: &R) -> Result<bool, DbError> {
    db.begin()?;
    let tried = claim(db, std::slice::from_ref(row), |_| 0);
    db.roll_back()?;
    Ok(!tried?.is_empty())
}

fn claim<R: Row>(db: &mut Db, rows: &[R], id: impl Fn(&R) -> i64) -> Result<Vec<i64>, DbError> {
    let mut won = Vec::with_capacity(rows.len());
    match db {
        Db::Sqlite(connection) => {
            for row in rows {
                if row.claim_on_sqlite(connection)? > 0 {
                    won.push(id(row));
                }
            }
        }
        Db::Postgres(connection) => {
            let (rows, mut fused) = (rows.iter().collect::<Vec<_>>(), Fused::default());
            fused.insert(&rows);
            let claimed: Vec<Identified> = fused.ending("ON CONFLICT DO NOTHING RETURNING id").load(connection)?;
            won.extend(claimed.into_iter().map(|row| row.id));
        }
    }
    Ok(won)
}

/// Gives the named columns of existing rows new values. Answers how many rows it found.
pub fn update(
    tx: &mut WriteTx,
    table: &'static str,
    columns: &'static [&'static str],
    changes: &[Change],
) -> Result<usize, DbError> {
    let update = Update { table, columns, changes };
    match &mut *tx.db {
        Db::Sqlite(connection) => Ok(update_each(connection, update)?),
        Db::Postgres(connection) => {
            let mut fused = Fused::default();
            fused.update(update);
            Ok(fused.execute(connection)?)
        }
    }
}

/// So many rows go to SQLite in one statement; what is left of them goes one by one, so that there are two statements of a kind and not one per number.
const AT_ONCE: usize = 64;

fn insert_many(connection: &mut SqliteConnection, rows: &dyn Rows) -> QueryResult<()> {
    let whole = rows.len() - rows.len() % AT_ONCE;
    if whole > 0 {
        let columns = rows.columns();
        for first in (0..whole).step_by(AT_ONCE) {
            let mut query = Fixed::text(format!("INSERT INTO {} ({}) VALUES ", rows.table(), rows.names().join(", ")));
            for row in first..first + AT_ONCE {
                for (place, column) in columns.iter().enumerate() {
                    let before = match (place, row == first) {
                        (0, true) => "(",
                        (0, false) => "), (",
                        _ => ", ",
                    };
                    query = query.and(before).value(SqliteValue::Of(column, row));
                }
            }
            query.and(")").execute(connection)?;
        }
    }
    rows.insert_on_sqlite(connection, whole)
}

fn update_each(connection: &mut SqliteConnection, Update { table, columns, changes }: Update) -> QueryResult<usize> {
    if changes.is_empty() {
        return Ok(0);
    }
    let mut found = 0;
    let (whole, rest) = changes.split_at(changes.len() - changes.len() % AT_ONCE);
    for changes in whole.chunks(AT_ONCE) {
        let sets: Vec<String> =
            columns.iter().enumerate().map(|(place, column)| format!("{column} = u.column{}", place + 2)).collect();
        let mut query = Fixed::text(format!("UPDATE {table} SET {} FROM (VALUES ", sets.join(", ")));
        for (place, change) in changes.iter().enumerate() {
            query = query.and(if place == 0 { "(" } else { "), (" }).value(SqliteValue::Id(change.id));
            query = change.values.iter().fold(query, |query, cell| query.and(", ").value(SqliteValue::Cell(cell)));
        }
        found += query.and(format!(")) AS u WHERE {table}.id = u.column1")).execute(connection)?;
    }
    for change in rest {
        let mut query = Fixed::text("UPDATE ").and(table);
        for (place, (column, cell)) in columns.iter().zip(&change.values).enumerate() {
            query = query.and(if place == 0 { " SET " } else { ", " }).and(*column).and(" = ").value(SqliteValue::Cell(cell));
        }
        found += query.and(" WHERE id = ").value(SqliteValue::Id(change.id)).execute(connection)?;
    }
    Ok(found)
}

/// PostgreSQL's statements of one writing, all but the last as CTEs. Each is of another table, and none reads what another writes.
#[derive(Default)]
struct Fused<'a>(Vec<Fixed<PgValue<'a>>>);

impl<'a> Fused<'a> {
    fn insert(&mut self, rows: &'a dyn Rows) {
        if rows.len() == 0 {
            return;
        }
        let insert = format!("INSERT INTO {} ({}) SELECT * FROM unnest(", rows.table(), rows.names().join(", "));
        self.0.push(arrays(Fixed::text(insert), rows.columns()).and(")"));
    }

    fn update(&mut self, Update { table, columns, changes }: Update<'a>) {
        if changes.is_empty() {
            return;
        }
        let mut values = vec![Column::Int(changes.iter().map(|change| Some(change.id)).collect())];
        values.extend((0..columns.len()).map(|place| column_of(changes, place)));
        let sets: Vec<String> = columns.iter().map(|column| format!("{column} = u.{column}")).collect();
        let (sets, names) = (sets.join(", "), columns.join(", "));
        let update = arrays(Fixed::text(format!("UPDATE {table} SET {sets} FROM unnest(")), values);
        self.0.push(update.and(format!(") AS u(id, {names}) WHERE {table}.id = u.id")));
    }

    fn ending(mut self, words: &'static str) -> Self {
        self.0 = self.0.pop().into_iter().map(|last| last.and(" ").and(words)).collect();
        self
    }

    fn query(mut self) -> Option<Fixed<PgValue<'a>>> {
        let last = self.0.pop()?;
        let mut query = Fixed(Vec::new());
        for (place, text) in self.0.into_iter().enumerate() {
            query = query.and(format!("{} w{place} AS (", if place == 0 { "WITH" } else { "," }));
            query.0.extend(text.0);
            query = query.and(")");
        }
        query = query.and(" ");
        query.0.extend(last.0);
        Some(query)
    }

    fn execute(self, connection: &mut PgConnection) -> QueryResult<usize> {
        self.query().map_or(Ok(0), |query| query.execute(connection))
    }

    fn load<R: QueryableByName<Pg> + 'static>(self, connection: &mut PgConnection) -> QueryResult<Vec<R>> {
        self.query().map_or(Ok(Vec::new()), |query| query.load(connection))
    }
}

/// These columns as arrays, one after the other.
fn arrays<'a>(mut query: Fixed<PgValue<'a>>, columns: Vec<Column<'a>>) -> Fixed<PgValue<'a>> {
    for (place, column) in columns.into_iter().enumerate() {
        let cast = match column {
            Column::Int(_) => "::bigint[]",
            Column::Text(_) => "::text[]",
            Column::Time(_) => "::timestamp[]",
            Column::Date(_) => "::date[]",
            Column::Bytes(_) => "::bytea[]",
        };
        query = query.and(if place == 0 { "" } else { ", " }).value(PgValue::Column(column)).and(cast);
    }
    query
}

/// One column of new values. All its cells have the variant of the first.
fn column_of(changes: &[Change], place: usize) -> Column<'_> {
    let cells = changes.iter().map(|change| change.values.get(place));
    macro_rules! all {
        ($variant:ident, $borrow:expr) => {
            Column::$variant(
                cells
                    .map(|cell| match cell {
                        Some(Cell::$variant(value)) => value.as_ref().map($borrow),
                        // NULL, which a column that must have a value refuses.
                        _ => {
                            debug_assert!(false, "cells of one column differ in type");
                            None
                        }
                    })
                    .collect(),
            )
        };
    }
    match changes.first().and_then(|change| change.values.get(place)) {
        Some(Cell::Text(_)) => all!(Text, String::as_str),
        Some(Cell::Time(_)) => all!(Time, |time| *time),
        Some(Cell::Date(_)) => all!(Date, |date| *date),
        Some(Cell::Bytes(_)) => all!(Bytes, Vec::as_slice),
        Some(Cell::Int(_)) | None => all!(Int, |number| *number),
    }
}

/// A statement whose text depends on nothing but its shape, so that Diesel prepares it once per connection. Diesel asks a *reference* to a statement that is
/// executed whether it may be kept, and a reference answers for what it walks over: `sql_query` says no, texts and values say yes.
struct Fixed<V>(Vec<Piece<V>>);

enum Piece<V> {
    Text(Cow<'static, str>),
    Value(V),
}

enum PgValue<'a> {
    Ids(&'a [i64]),
    Texts(&'a [&'a str]),
    Word(&'a str),
    Column(Column<'a>),
}

enum SqliteValue<'a> {
    Id(i64),
    Text(String),
    Cell(&'a Cell),
    Of(&'a Column<'a>, usize),
}

impl<V> Fixed<V> {
    fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Fixed(vec![Piece::Text(text.into())])
    }

    fn and(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.0.push(Piece::Text(text.into()));
        self
    }

    fn value(mut self, value: V) -> Self {
        self.0.push(Piece::Value(value));
        self
    }
}

impl QueryFragment<Pg> for Fixed<PgValue<'_>> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => pass.push_sql(text),
                Piece::Value(PgValue::Ids(ids)) => pass.push_bind_param::<Array<BigInt>, _>(ids)?,
                Piece::Value(PgValue::Texts(texts)) => pass.push_bind_param::<Array<Text>, _>(texts)?,
                Piece::Value(PgValue::Word(word)) => pass.push_bind_param::<Text, _>(word)?,
                Piece::Value(PgValue::Column(column)) => match column {
                    Column::Int(values) => pass.push_bind_param::<Array<Nullable<BigInt>>, _>(values)?,
                    Column::Text(values) => pass.push_bind_param::<Array<Nullable<Text>>, _>(values)?,
                    Column::Time(values) => pass.push_bind_param::<Array<Nullable<Timestamp>>, _>(values)?,
                    Column::Date(values) => pass.push_bind_param::<Array<Nullable<Date>>, _>(values)?,
                    Column::Bytes(values) => pass.push_bind_param::<Array<Nullable<Binary>>, _>(values)?,
                },
            }
        }
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Fixed<SqliteValue<'_>> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => pass.push_sql(text),
                Piece::Value(SqliteValue::Id(id)) => pass.push_bind_param::<BigInt, _>(id)?,
                Piece::Value(SqliteValue::Text(text)) => pass.push_bind_param::<Text, _>(text)?,
                Piece::Value(SqliteValue::Of(column, row)) => match column {
                    Column::Int(values) => pass.push_bind_param::<Nullable<BigInt>, _>(values.get(*row).unwrap_or(&None))?,
                    Column::Text(values) => pass.push_bind_param::<Nullable<Text>, _>(values.get(*row).unwrap_or(&None))?,
                    Column::Time(values) => pass.push_bind_param::<Nullable<Timestamp>, _>(values.get(*row).unwrap_or(&None))?,
                    Column::Date(values) => pass.push_bind_param::<Nullable<Date>, _>(values.get(*row).unwrap_or(&None))?,
                    Column::Bytes(values) => pass.push_bind_param::<Nullable<Binary>, _>(values.get(*row).unwrap_or(&None))?,
                },
                Piece::Value(SqliteValue::Cell(cell)) => match cell {
                    Cell::Int(value) => pass.push_bind_param::<Nullable<BigInt>, _>(value)?,
                    Cell::Text(value) => pass.push_bind_param::<Nullable<Text>, _>(value)?,
                    Cell::Time(value) => pass.push_bind_param::<Nullable<Timestamp>, _>(value)?,
                    Cell::Date(value) => pass.push_bind_param::<Nullable<Date>, _>(value)?,
                    Cell::Bytes(value) => pass.push_bind_param::<Nullable<Binary>, _>(value)?,
                },
            }
        }
        Ok(())
    }
}

impl<V> QueryId for Fixed<V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<V> Query for Fixed<V> {
    type SqlType = Untyped;
}

impl<V, Connection> RunQueryDsl<Connection> for Fixed<V> {}

/// The words for an engine in what is printed to people.
pub(super) fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    }
}
