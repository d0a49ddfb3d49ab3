//! Exactly one node runs a job. A node takes the job's lease, which raises the fence; every commit of a run first renews the lease under its fence, which
//! locks the job's row until the commit is done. A node that stood still while another took over finds another fence and changes nothing.

use super::schedule::JobError;
use crate::clock::Timestamp;
use crate::db::schema::job;
use crate::db::{Db, DbError, Store, WriteTx, ensure_rows, rows};
use chrono::{Duration, NaiveDateTime, Utc};
use diesel::prelude::*;
use std::sync::Arc;

/// How long a node that died keeps a job from the others; longer than any one commit of a run.
const LEASE: Duration = Duration::seconds(60);

/// The right to run a job.
#[derive(Clone, Debug)]
pub struct Fence {
    store: Arc<Store>,
    pub(super) job: &'static str,
    holder: String,
    pub(super) number: i64,
}

rows! {
    pub struct JobRow in job {
        name: String,
        fence: i64,
        holder: String,
        leased_until: NaiveDateTime,
        caught_up_to: NaiveDateTime,
    }
}

pub(super) fn job_row(db: &mut Db, name: &str) -> Result<Option<JobRow>, DbError> {
    Ok(job::table.find(name).select(JobRow::as_select()).first(db).optional()?)
}

/// A job that is seen for the first time has nothing to make up before `since`.
pub(super) fn register(tx: &mut WriteTx, name: &str, since: Timestamp) -> Result<(), DbError> {
    let free = Utc::now().naive_utc() - Duration::seconds(1);
    let row = JobRow { name: name.to_owned(), fence: 0, holder: String::new(), leased_until: free, caught_up_to: since.naive() };
    ensure_rows(tx, &[row])
}

impl Fence {
    /// Takes the job's lease where it is free or this holder's own.
    pub(super) fn take(store: &Arc<Store>, name: &'static str, holder: &str) -> Result<Option<Self>, DbError> {
        store.write(|tx| {
            let now = Utc::now().naive_utc();
            let free = job::table.find(name).filter(job::leased_until.lt(now).or(job::holder.eq(holder)));
            let taken = diesel::update(free)
                .set((job::fence.eq(job::fence + 1), job::holder.eq(holder), job::leased_until.eq(now + LEASE)))
                .execute(&mut *tx.db)?;
            if taken == 0 {
                return Ok(None);
            }
            let number: i64 = job::table.find(name).select(job::fence).first(&mut *tx.db)?;
            Ok(Some(Fence { store: store.clone(), job: name, holder: holder.to_owned(), number }))
        })
    }

    /// Runs a change in a commit of its own, if the job is still this node's.
    pub fn write<T>(&self, change: impl FnOnce(&mut WriteTx) -> Result<T, JobError>) -> Result<T, JobError> {
        self.store.write(|tx| {
            self.renew(tx)?;
            change(tx)
        })
    }

    fn renew(&self, tx: &mut WriteTx) -> Result<(), JobError> {
        let mine = job::table.find(self.job).filter(job::fence.eq(self.number)).filter(job::holder.eq(&self.holder));
        let until = Utc::now().naive_utc() + LEASE;
        let renewed = diesel::update(mine).set(job::leased_until.eq(until)).execute(&mut *tx.db).map_err(DbError::from)?;
        if renewed == 0 { Err(JobError::Fenced) } else { Ok(()) }
    }

    /// Lets the next node have it at once.
    pub(super) fn release(&self) -> Result<(), DbError> {
        self.store.write(|tx| {
            let mine = job::table.find(self.job).filter(job::fence.eq(self.number)).filter(job::holder.eq(&self.holder));
            let past = Utc::now().naive_utc() - Duration::seconds(1);
            diesel::update(mine).set(job::leased_until.eq(past)).execute(&mut *tx.db)?;
            Ok(())
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::db::{StoreConfig, migrate};

    fn store(folder: &tempfile::TempDir) -> Arc<Store> {
        let url = format!("sqlite:{}", folder.path().join("fence.db").display());
        migrate(&url).unwrap();
        let config = StoreConfig { url, readers: 1, patience: std::time::Duration::from_secs(5) };
        Arc::new(Store::open(&config, Clock::system(), chrono_tz::UTC).unwrap())
    }

    #[test]
    fn a_node_that_stood_still_changes_nothing_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        store.write(|tx| register(tx, "job", tx.now)).unwrap();
        let first = Fence::take(&store, "job", "first").unwrap().unwrap();
        first.write(|_| Ok(())).unwrap();
        assert!(Fence::take(&store, "job", "second").unwrap().is_none(), "it is the first one's");
        let run_out = diesel::update(job::table).set(job::leased_until.eq(Utc::now().naive_utc() - LEASE));
        store.write(|tx| Ok::<_, DbError>(run_out.execute(&mut *tx.db)?)).unwrap();
        let second = Fence::take(&store, "job", "second").unwrap().unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        let refused = first.write(|tx| Ok(register(tx, "what a stale node would write", tx.now)?));
        assert!(matches!(refused, Err(JobError::Fenced)));
        assert!(store.read(|db| job_row(db, "what a stale node would write")).unwrap().is_none());
        second.write(|_| Ok(())).unwrap();
        second.release().unwrap();
        assert!(Fence::take(&store, "job", "first").unwrap().is_some());
    }
}
