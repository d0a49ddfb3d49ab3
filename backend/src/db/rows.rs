//! Rows that are written many at a time. `rows! { pub struct TicketRow in ticket { … } }` makes a struct that Diesel can load and that
//! `dialect::insert` can write on both engines.

use chrono::{NaiveDate, NaiveDateTime};

/// One value on its way to the database. The variant is the column's type; `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Time(Option<NaiveDateTime>),
    Date(Option<NaiveDate>),
    Bytes(Option<Vec<u8>>),
}

/// A row of one table: its columns in order, and its values in the same order.
pub trait Row {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];
    fn cells(&self) -> Vec<Cell>;
}

/// Rows of one table, ready to be written with others in one statement.
pub struct RowSet {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Vec<Cell>>,
}

impl RowSet {
    pub fn of<R: Row>(rows: &[R]) -> Self {
        RowSet { table: R::TABLE, columns: R::COLUMNS, rows: rows.iter().map(Row::cells).collect() }
    }
}

/// New values for some columns of the row with this id.
#[derive(Clone, Debug)]
pub struct Change {
    pub id: i64,
    pub values: Vec<Cell>,
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
            #[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable)]
            #[diesel(table_name = crate::db::schema::$table)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)+
            }
            impl $crate::db::Row for $name {
                const TABLE: &'static str = stringify!($table);
                const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
                fn cells(&self) -> Vec<$crate::db::Cell> {
                    vec![$($crate::db::Cell::from(self.$field.clone())),+]
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
