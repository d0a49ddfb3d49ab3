//! Single values that belong to a database.

use super::engine::Db;
use super::schema::setting;
use super::{DbError, WriteTx};
use diesel::prelude::*;

pub fn setting(db: &mut Db, name: &str) -> Result<Option<String>, DbError> {
    Ok(setting::table.find(name).select(setting::value).first(db).optional()?)
}

pub fn remove_setting(tx: &mut WriteTx, name: &str) -> Result<(), DbError> {
    diesel::delete(setting::table.find(name)).execute(&mut *tx.db)?;
    Ok(())
}

pub fn store_setting(tx: &mut WriteTx, name: &str, value: &str) -> Result<(), DbError> {
    let changed = diesel::update(setting::table.find(name)).set(setting::value.eq(value)).execute(&mut *tx.db)?;
    if changed == 0 {
        let row = (setting::name.eq(name), setting::value.eq(value));
        diesel::insert_into(setting::table).values(row).execute(&mut *tx.db)?;
    }
    Ok(())
}
