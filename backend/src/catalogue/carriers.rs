//! Airlines with their accounting codes.

use super::records::{Row, Table};
use super::{CarrierCode, CatalogueError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    pub code: CarrierCode,
    /// The first three digits of its ticket numbers. Text, because leading zeros are part of it.
    pub accounting_code: String,
    pub name: String,
    pub name_zh: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}

#[derive(Debug)]
pub struct Carriers(Vec<Carrier>);

impl Carriers {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        table.by_key(carrier, |carrier| carrier.code).map(Carriers)
    }

    /// In the order of their codes.
    pub fn all(&self) -> &[Carrier] {
        &self.0
    }

    pub fn get(&self, code: &str) -> Option<&Carrier> {
        let code = CarrierCode::parse(code)?;
        let index = self.0.binary_search_by_key(&code, |carrier| carrier.code).ok()?;
        self.0.get(index)
    }

    pub fn by_accounting_code(&self, accounting_code: &str) -> Option<&Carrier> {
        self.0.iter().find(|carrier| carrier.accounting_code == accounting_code)
    }
}

fn carrier(row: &Row<'_>) -> Result<Carrier, CatalogueError> {
    let three_digits = |text: &str| (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.to_owned());
    Ok(Carrier {
        code: row.with("iata", CarrierCode::parse)?,
        accounting_code: row.with("accounting_code", three_digits)?,
        name: row.parsed("name")?,
        name_zh: row.parsed("name_zh")?,
        country: row.parsed("country")?,
    })
}
