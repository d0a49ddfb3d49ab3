//! Aircraft types in one typical configuration each, and the cabins they have.

use super::records::{Row, Table};
use super::{AircraftCode, CatalogueError};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cabin {
    First,
    Business,
    PremiumEconomy,
    Economy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aircraft {
    pub code: AircraftCode,
    pub name: String,
    pub name_zh: String,
    pub first_seats: u16,
    pub business_seats: u16,
    pub economy_seats: u16,
}

#[derive(Debug)]
pub struct Fleet(Vec<Aircraft>);

impl Cabin {
    pub fn text(self) -> &'static str {
        match self {
            Cabin::First => "first",
            Cabin::Business => "business",
            Cabin::PremiumEconomy => "premium_economy",
            Cabin::Economy => "economy",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "first" => Some(Cabin::First),
            "business" => Some(Cabin::Business),
            "premium_economy" => Some(Cabin::PremiumEconomy),
            "economy" => Some(Cabin::Economy),
            _ => None,
        }
    }
}

impl Aircraft {
    pub fn seats(&self, cabin: Cabin) -> u16 {
        match cabin {
            Cabin::First => self.first_seats,
            Cabin::Business => self.business_seats,
            Cabin::PremiumEconomy => 0,
            Cabin::Economy => self.economy_seats,
        }
    }
}

impl Fleet {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        table.by_key(aircraft, |aircraft| aircraft.code).map(Fleet)
    }

    /// In the order of their codes.
    pub fn all(&self) -> &[Aircraft] {
        &self.0
    }

    pub fn get(&self, code: AircraftCode) -> Option<&Aircraft> {
        let index = self.0.binary_search_by_key(&code, |aircraft| aircraft.code).ok()?;
        self.0.get(index)
    }
}

fn aircraft(row: &Row<'_>) -> Result<Aircraft, CatalogueError> {
    Ok(Aircraft {
        code: row.with("iata", AircraftCode::parse)?,
        name: row.parsed("name")?,
        name_zh: row.parsed("name_zh")?,
        first_seats: row.parsed("first_seats")?,
        business_seats: row.parsed("business_seats")?,
        economy_seats: row.parsed("economy_seats")?,
    })
}
