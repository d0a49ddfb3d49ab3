//! Rows that are written many at a time. `rows! { pub struct TicketRow in ticket { … } }` makes a struct that Diesel can load and that
//! `dialect::insert` can write on both engines.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::pg::Pg;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, QueryableByName};

/// A row of one table. What is written is borrowed from it.
pub trait Row: QueryableByName<Pg> + QueryableByName<Sqlite> + Sized + 'static {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];

    /// The columns of these rows, in the order of their names.
    fn columns<'a>(rows: &[&'a Self]) -> Vec<Column<'a>>;

    /// Adds this row alone.
    fn insert_on_sqlite(&self, connection: &mut SqliteConnection) -> QueryResult<usize>;

    /// Adds this row unless its key is taken; answers how many rows that made.
    fn claim_on_sqlite(&self, connection: &mut SqliteConnection) -> QueryResult<usize>;
}

/// The values of one column, row by row.
#[derive(Clone, Debug)]
pub enum Column<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<&'a str>>),
    Time(Vec<Option<NaiveDateTime>>),
    Date(Vec<Option<NaiveDate>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

/// A type that a column can have.
pub trait Field {
    fn column<'a>(values: impl Iterator<Item = &'a Self>) -> Column<'a>
    where
        Self: 'a;
}

macro_rules! fields {
    ($($type:ty => $variant:ident by $borrow:expr),+) => {
        $(
            impl Field for $type {
                fn column<'a>(values: impl Iterator<Item = &'a Self>) -> Column<'a> {
                    Column::$variant(values.map(|value| Some($borrow(value))).collect())
                }
            }
            impl Field for Option<$type> {
                fn column<'a>(values: impl Iterator<Item = &'a Self>) -> Column<'a> {
                    Column::$variant(values.map(|value| value.as_ref().map($borrow)).collect())
                }
            }
        )+
    };
}

fields!(
    i64 => Int by Clone::clone,
    String => Text by String::as_str,
    NaiveDateTime => Time by Clone::clone,
    NaiveDate => Date by Clone::clone,
    Vec<u8> => Bytes by Vec::as_slice
);

/// Rows of one table, ready to be written with others in one statement.
pub struct RowSet<'a>(pub(super) Box<dyn Rows + 'a>);

impl<'a> RowSet<'a> {
    pub fn of<R: Row>(rows: impl IntoIterator<Item = &'a R>) -> Self {
        RowSet(Box::new(rows.into_iter().collect::<Vec<&'a R>>()))
    }
}

/// Rows of one table, whichever it is.
pub(super) trait Rows {
    fn table(&self) -> &'static str;
    fn names(&self) -> &'static [&'static str];
    fn len(&self) -> usize;
    fn columns(&self) -> Vec<Column<'_>>;
    /// Adds those after the first `from`, each by itself.
    fn insert_on_sqlite(&self, connection: &mut SqliteConnection, from: usize) -> QueryResult<()>;
}

impl<R: Row> Rows for Vec<&R> {
    fn table(&self) -> &'static str {
        R::TABLE
    }

    fn names(&self) -> &'static [&'static str] {
        R::COLUMNS
    }

    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn columns(&self) -> Vec<Column<'_>> {
        R::columns(self)
    }

    fn insert_on_sqlite(&self, connection: &mut SqliteConnection, from: usize) -> QueryResult<()> {
        self.iter().skip(from).try_for_each(|row| row.insert_on_sqlite(connection).map(drop))
    }
}

/// One value on its way to the database. The variant is the column's type; `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Time(Option<NaiveDateTime>),
    Date(Option<NaiveDate>),
    Bytes(Option<Vec<u8>>),
}

/// New values for some columns of the row with this id.
#[derive(Clone, Debug)]
pub struct Change {
    pub id: i64,
    pub values: Vec<Cell>,
}

/// Changes of rows of one table, which the transaction has locked.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    pub table: &'static str,
    pub columns: &'static [&'static str],
    pub changes: &'a [Change],
}

macro_rules! cell_from {
    ($($type:ty => $variant:ident),+) => {
        $(
            impl From<$type> for Cell {
                fn from(value: $type) -> Self { Cell::$variant(Some(value)) }
            }
            impl From<Option<$type>> for Cell {
                fn from(value: Option<$type>) -> Self { Cell::$variant(value) }
            }
        )+
    };
}

cell_from!(i64 => Int, String => Text, NaiveDateTime => Time, NaiveDate => Date, Vec<u8> => Bytes);

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Cell::Text(Some(value.to_owned()))
    }
}

macro_rules! rows {
    ($($(#[$doc:meta])* pub struct $name:ident in $table:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(
                Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::QueryableByName, diesel::Selectable, diesel::Insertable,
            )]
            #[diesel(table_name = crate::db::schema::$table, treat_none_as_default_value = false)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)+
            }
            impl $crate::db::Row for $name {
                const TABLE: &'static str = stringify!($table);
                const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

                fn columns<'a>(rows: &[&'a Self]) -> Vec<$crate::db::Column<'a>> {
                    vec![$(<$type as $crate::db::Field>::column(rows.iter().map(|row| &row.$field))),+]
                }

                fn insert_on_sqlite(&self, connection: &mut diesel::sqlite::SqliteConnection) -> diesel::QueryResult<usize> {
                    use diesel::RunQueryDsl as _;
                    diesel::insert_into(crate::db::schema::$table::table).values(self).execute(connection)
                }

                fn claim_on_sqlite(&self, connection: &mut diesel::sqlite::SqliteConnection) -> diesel::QueryResult<usize> {
                    use diesel::RunQueryDsl as _;
                    let row = diesel::insert_into(crate::db::schema::$table::table).values(self);
                    row.on_conflict_do_nothing().execute(connection)
                }
            }
        )+
    };
}
/// Which rows of a list that is read by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Newest first, below this id.
    OlderThan(i64),
    /// Oldest first, above this id.
    NewerThan(i64),
}

impl Window {
    pub const NEWEST: Window = Window::OlderThan(i64::MAX);
}

/// Applies a [`Window`] and a limit to a boxed query.
macro_rules! windowed {
    ($query:expr, $id:expr, $window:expr, $limit:expr) => {
        match $window {
            $crate::db::Window::OlderThan(id) => $query.filter($id.lt(id)).order($id.desc()).limit($limit),
            $crate::db::Window::NewerThan(id) => $query.filter($id.gt(id)).order($id.asc()).limit($limit),
        }
    };
}

pub(crate) use rows;
pub(crate) use windowed;
