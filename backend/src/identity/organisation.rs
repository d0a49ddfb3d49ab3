use crate::db::schema::organisation;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{Id, OrganisationId};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct OrganisationRow in organisation {
        id: i64,
        kind: String,
        name: String,
        country: String,
        status: String,
        created_at: NaiveDateTime,
    }
}

/// The operator runs the platform; the others see what is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationKind {
    Operator,
    Agency,
    Airline,
    Bank,
}

impl OrganisationKind {
    pub fn text(self) -> &'static str {
        match self {
            OrganisationKind::Operator => "operator",
            OrganisationKind::Agency => "agency",
            OrganisationKind::Airline => "airline",
            OrganisationKind::Bank => "bank",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        use OrganisationKind::{Agency, Airline, Bank, Operator};
        [Operator, Agency, Airline, Bank].into_iter().find(|kind| kind.text() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Organisation {
    pub id: OrganisationId,
    pub kind: OrganisationKind,
    pub name: String,
    pub country: String,
    pub created_at: NaiveDateTime,
}

impl TryFrom<OrganisationRow> for Organisation {
    type Error = DbError;

    fn try_from(row: OrganisationRow) -> Result<Self, DbError> {
        let kind = OrganisationKind::parse(&row.kind);
        Ok(Organisation {
            id: OrganisationId::of(row.id),
            kind: kind.ok_or_else(|| DbError::Corrupt(format!("kind of organisation {}", row.id)))?,
            name: row.name,
            country: row.country,
            created_at: row.created_at,
        })
    }
}

#[derive(Clone, Debug)]
pub struct NewOrganisation {
    pub kind: OrganisationKind,
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}

pub fn open_organisation(tx: &mut WriteTx, new: NewOrganisation) -> Result<Organisation, DbError> {
    let row = OrganisationRow {
        id: tx.ids.next::<OrganisationId>().raw(),
        kind: new.kind.text().to_owned(),
        name: new.name,
        country: new.country,
        status: "active".to_owned(),
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Organisation::try_from(row)
}

pub fn organisation(db: &mut Db, id: OrganisationId) -> Result<Option<Organisation>, DbError> {
    let row: Option<OrganisationRow> =
        organisation::table.find(id.raw()).select(OrganisationRow::as_select()).first(db).optional()?;
    row.map(Organisation::try_from).transpose()
}

/// The organisation of test mode in which the people of a live one try things out.
pub fn sandbox_of(db: &mut Db, live: OrganisationId) -> Result<Option<Organisation>, DbError> {
    let of = organisation::table.filter(organisation::sandbox_of.eq(Some(live.raw())));
    let row: Option<OrganisationRow> = of.select(OrganisationRow::as_select()).first(db).optional()?;
    row.map(Organisation::try_from).transpose()
}

/// Makes an organisation of test mode the sandbox of a live one.
pub fn set_sandbox(tx: &mut WriteTx, id: OrganisationId, live: OrganisationId) -> Result<(), DbError> {
    let row = organisation::table.find(id.raw());
    diesel::update(row).set(organisation::sandbox_of.eq(Some(live.raw()))).execute(&mut *tx.db)?;
    Ok(())
}

pub fn organisations(db: &mut Db, window: Window, limit: i64) -> Result<Vec<Organisation>, DbError> {
    let query = windowed!(organisation::table.into_boxed(), organisation::id, window, limit);
    let rows: Vec<OrganisationRow> = query.select(OrganisationRow::as_select()).load(db)?;
    rows.into_iter().map(Organisation::try_from).collect()
}
