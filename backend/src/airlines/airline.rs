use super::payee::Payee;
use crate::db::schema::airline;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AirlineId, Id, OrganisationId};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct AirlineRow in airline {
        id: i64,
        organisation_id: i64,
        iata_code: String,
        accounting_code: String,
        name: String,
        country: String,
        status: String,
        payee_account: String,
        payee_name: String,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AirlineStatus {
    Active,
    Stopped,
}

impl AirlineStatus {
    pub fn text(self) -> &'static str {
        match self {
            AirlineStatus::Active => "active",
            AirlineStatus::Stopped => "stopped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [AirlineStatus::Active, AirlineStatus::Stopped].into_iter().find(|status| status.text() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Airline {
    pub id: AirlineId,
    pub organisation: OrganisationId,
    pub iata_code: String,
    /// The first three digits of its ticket numbers; leading zeros matter.
    pub accounting_code: String,
    pub name: String,
    pub country: String,
    pub status: AirlineStatus,
    pub payee_account: String,
    pub payee_name: String,
}

impl Airline {
    pub fn payee(&self) -> Payee {
        Payee { account: self.payee_account.clone(), name: self.payee_name.clone() }
    }
}

impl TryFrom<AirlineRow> for Airline {
    type Error = DbError;

    fn try_from(row: AirlineRow) -> Result<Self, DbError> {
        let status = AirlineStatus::parse(&row.status);
        Ok(Airline {
            id: AirlineId::of(row.id),
            organisation: OrganisationId::of(row.organisation_id),
            status: status.ok_or_else(|| DbError::Corrupt(format!("status of airline {}", row.id)))?,
            iata_code: row.iata_code,
            accounting_code: row.accounting_code,
            name: row.name,
            country: row.country,
            payee_account: row.payee_account,
            payee_name: row.payee_name,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AirlineError {
    #[error("airline {0} is signed already")]
    Taken(String),
    #[error("an accounting code is three digits")]
    AccountingCode,
    #[error("no such airline")]
    NotFound,
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewAirline {
    pub organisation: OrganisationId,
    pub iata_code: String,
    pub accounting_code: String,
    pub name: String,
    pub country: String,
    pub payee_account: String,
    pub payee_name: String,
}

pub fn sign_airline(tx: &mut WriteTx, new: NewAirline) -> Result<Airline, AirlineError> {
    if new.accounting_code.len() != 3 || !new.accounting_code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AirlineError::AccountingCode);
    }
    if airline_by_code(tx.db, &new.iata_code)?.is_some() {
        return Err(AirlineError::Taken(new.iata_code));
    }
    let row = AirlineRow {
        id: tx.ids.next::<AirlineId>().raw(),
        organisation_id: new.organisation.raw(),
        iata_code: new.iata_code,
        accounting_code: new.accounting_code,
        name: new.name,
        country: new.country,
        status: AirlineStatus::Active.text().to_owned(),
        payee_account: new.payee_account,
        payee_name: new.payee_name,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(Airline::try_from(row)?)
}

/// Stops or resumes sales on an airline; from the next commit on the sale sees it.
pub fn set_airline_status(tx: &mut WriteTx, id: AirlineId, status: AirlineStatus) -> Result<Airline, AirlineError> {
    let current = airline(tx.db, id)?.ok_or(AirlineError::NotFound)?;
    let row = airline::table.find(id.raw());
    diesel::update(row).set(airline::status.eq(status.text())).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(Airline { status, ..current })
}

pub fn airline(db: &mut Db, id: AirlineId) -> Result<Option<Airline>, DbError> {
    Ok(airlines_by_id(db, &[id])?.pop())
}

pub fn airlines_by_id(db: &mut Db, ids: &[AirlineId]) -> Result<Vec<Airline>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<AirlineRow> = airline::table.filter(airline::id.eq_any(raw)).select(AirlineRow::as_select()).load(db)?;
    rows.into_iter().map(Airline::try_from).collect()
}

pub fn airline_by_code(db: &mut Db, iata_code: &str) -> Result<Option<Airline>, DbError> {
    let by_code = airline::table.filter(airline::iata_code.eq(iata_code));
    let row: Option<AirlineRow> = by_code.select(AirlineRow::as_select()).first(db).optional()?;
    row.map(Airline::try_from).transpose()
}

/// Of one organisation, or of all.
pub fn airlines_of(
    db: &mut Db,
    organisation: Option<OrganisationId>,
    window: Window,
    limit: i64,
) -> Result<Vec<Airline>, DbError> {
    let mut query = windowed!(airline::table.into_boxed(), airline::id, window, limit);
    if let Some(organisation) = organisation {
        query = query.filter(airline::organisation_id.eq(organisation.raw()));
    }
    let rows: Vec<AirlineRow> = query.select(AirlineRow::as_select()).load(db)?;
    rows.into_iter().map(Airline::try_from).collect()
}

/// All signed airlines: a few hundred at most, ever.
pub fn airlines(db: &mut Db) -> Result<Vec<Airline>, DbError> {
    let rows: Vec<AirlineRow> = airline::table.order(airline::iata_code).select(AirlineRow::as_select()).load(db)?;
    rows.into_iter().map(Airline::try_from).collect()
}
