//! Leases of node numbers. Ids contain the number of the node that made them, so no two running processes may share one. A lease
//! that has run out is free for the next process, which starts its ids after everything the last holder can have used.

use super::DbError;
use super::engine::Db;
use super::schema::node;
use chrono::{Duration, NaiveDateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text, Timestamp as SqlTimestamp};

/// Long enough that a busy writer always renews in time, short enough that numbers come back.
const LEASE_SECS: i64 = 600;
const NODES: i64 = 1024;

pub(super) struct Lease {
    pub(super) node: u16,
    pub(super) not_before: i64,
    holder: String,
    renew_at: NaiveDateTime,
}

impl Lease {
    /// Takes the lowest free number. Leases run on real time, also where the clock is a test's.
    pub(super) fn take(db: &mut Db) -> Result<Self, DbError> {
        let now = Utc::now().naive_utc();
        let holder = format!("{}-{}", std::process::id(), Utc::now().timestamp_micros());
        db.begin()?;
        match Self::take_in_transaction(db, &holder, now) {
            Ok((node, not_before)) => {
                db.commit()?;
                let node = u16::try_from(node).map_err(|_| DbError::Corrupt(format!("node {node}")))?;
                Ok(Lease { node, not_before, holder, renew_at: now + Duration::seconds(LEASE_SECS / 3) })
            }
            Err(error) => {
                db.roll_back()?;
                Err(error)
            }
        }
    }

    fn take_in_transaction(db: &mut Db, holder: &str, now: NaiveDateTime) -> Result<(i64, i64), DbError> {
        let until = now + Duration::seconds(LEASE_SECS);
        let reserved = Utc::now().timestamp_millis() + LEASE_SECS * 1_000;
        loop {
            if let Some(free) = Self::take_free(db, holder, now, until, reserved)? {
                return Ok(free);
            }
            // Nothing is free: the next number, unless another process that starts now is quicker.
            let last: Option<i64> = node::table.select(max(node::id)).first(db)?;
            let id = last.map_or(0, |last| last + 1);
            if id >= NODES {
                return Err(DbError::Unavailable("all 1024 node numbers are leased".into()));
            }
            let text = "INSERT INTO node (id, holder, high_water, leased_until) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            let new = sql_query(text).bind::<BigInt, _>(id).bind::<Text, _>(holder);
            if new.bind::<BigInt, _>(reserved).bind::<SqlTimestamp, _>(until).execute(db)? == 1 {
                return Ok((id, 0));
            }
        }
    }

    /// The lowest number whose lease has run out, and the first millisecond that its holders have not used.
    fn take_free(
        db: &mut Db,
        holder: &str,
        now: NaiveDateTime,
        until: NaiveDateTime,
        reserved: i64,
    ) -> Result<Option<(i64, i64)>, DbError> {
        let known: Vec<(i64, i64, NaiveDateTime)> =
            node::table.select((node::id, node::high_water, node::leased_until)).order(node::id).load(db)?;
        for (id, high_water, leased_until) in &known {
            if *leased_until >= now {
                continue;
            }
            // The condition repeats what was read: of two processes that saw the same free number one changes no row.
            let taken = diesel::update(node::table.filter(node::id.eq(*id)).filter(node::leased_until.lt(now)))
                .set((node::holder.eq(holder), node::leased_until.eq(until), node::high_water.eq((*high_water).max(reserved))))
                .execute(db)?;
            if taken == 1 {
                return Ok(Some((*id, *high_water)));
            }
        }
        Ok(None)
    }

    pub(super) fn is_due(&self) -> bool {
        Utc::now().naive_utc() >= self.renew_at
    }

    /// False when somebody else holds the number by now: a node that slept too long must not write with it.
    pub(super) fn renew(&mut self, db: &mut Db, used: i64) -> Result<bool, DbError> {
        let now = Utc::now().naive_utc();
        let reserved = used.max(Utc::now().timestamp_millis()) + LEASE_SECS * 1_000;
        let mine = node::table.filter(node::id.eq(i64::from(self.node))).filter(node::holder.eq(&self.holder));
        let renewed = diesel::update(mine)
            .set((node::leased_until.eq(now + Duration::seconds(LEASE_SECS)), node::high_water.eq(reserved)))
            .execute(db)?;
        self.renew_at = now + Duration::seconds(LEASE_SECS / 3);
        Ok(renewed > 0)
    }

    pub(super) fn release(&mut self, db: &mut Db, used: i64) -> Result<(), DbError> {
        let mine = node::table.filter(node::id.eq(i64::from(self.node))).filter(node::holder.eq(&self.holder));
        let past = Utc::now().naive_utc() - Duration::seconds(1);
        diesel::update(mine).set((node::leased_until.eq(past), node::high_water.eq(used))).execute(db)?;
        Ok(())
    }
}

/// Whether another process works on this database beside the node.
pub fn is_accompanied(db: &mut Db, own: u16) -> Result<bool, DbError> {
    let others = node::table.filter(node::id.ne(i64::from(own))).filter(node::leased_until.gt(Utc::now().naive_utc()));
    Ok(others.count().get_result::<i64>(db)? > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::clock::Clock;
    use crate::db::schema::node;
    use crate::db::{DbError, Store, StoreConfig, migrate};
    use diesel::prelude::*;

    #[test]
    fn a_node_whose_number_was_leased_to_another_goes_on_under_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("node.db").display());
        migrate(&url).unwrap();
        let config = StoreConfig { url, readers: 1, patience: std::time::Duration::from_secs(5) };
        let store = Store::open(&config, Clock::system(), chrono_tz::UTC).unwrap();
        let another = diesel::update(node::table).set(node::holder.eq("another process"));
        store.write(|tx| Ok::<_, DbError>(another.execute(&mut *tx.db)?)).unwrap();
        store.lease.lock().renew_at = chrono::Utc::now().naive_utc();
        assert_eq!(store.node(), 0);
        let id = store.write(|tx| Ok::<_, DbError>(tx.ids.block(1))).unwrap();
        assert_eq!((store.node(), crate::ids::node_of(id)), (1, 1));
    }
}
