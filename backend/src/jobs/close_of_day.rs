//! The close of day, step by step: interest of the day that is over, cycles that ended are billed, credit pays what is owed elsewhere, obligations become
//! due and overdue, what is late is charged, memos that nobody answered in time are told of, losses are provided for, and agencies are scored. Each step
//! looks for what is left to do and does it in small commits, so that it may stop anywhere.

use super::accrue::{accrue_all, provide_all};
use super::fence::Fence;
use super::schedule::JobError;
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::credit::score::{AsOf, ScoreCause, cards_in_force, count_days, page_of_agencies, score_page};
use crate::ids::{BillingStatementId, Id};
use crate::settlement::{
    CloseError, PAGE, Paged, begin_statement, charge, chargeable, close_statement, cycles_to_bill, note_unanswered,
    owing_agencies, remind, review_agency, settle_from_credit, statement_page, to_be_reminded, unanswered, write_statement,
};

/// The others go on where one fails; the first error is answered, so that the step is tried again.
fn each<T>(all: &[T], mut work: impl FnMut(&T) -> Result<i64, JobError>) -> Result<i64, JobError> {
    let (mut done, mut failed) = (0i64, None);
    for one in all {
        match work(one) {
            Ok(number) => done = done.saturating_add(number),
            Err(JobError::Fenced) => return Err(JobError::Fenced),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(done), Err)
}

/// Each day once, however often it is tried: a day that is accrued stays as it is.
pub(super) fn accrue_interest(app: &App, fence: &Fence) -> Result<i64, JobError> {
    fence.write(|_| Ok(()))?;
    accrue_all(app, app.today()).map_err(JobError::of)
}

pub(super) fn bill_cycles(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let now: Timestamp = app.now();
    let ended = app.store.read(|db| cycles_to_bill(db, now)).map_err(JobError::of)?;
    each(&ended, |(agency, currency, cycle)| {
        let statement = fence.write(|tx| begin_statement(tx, *agency, *currency, *cycle).map_err(failed))?;
        let id = BillingStatementId::of(statement.id);
        while fence.write(|tx| statement_page(tx, id, PAGE).map_err(failed))? == Paged::More {}
        let written = app.store.snapshot(|db| {
            let known = crate::settlement::statement(db, id)?.ok_or_else(|| JobError::of("the statement is gone"))?;
            write_statement(db, &known, std::io::sink()).map_err(JobError::of)
        })?;
        let obligation = fence.write(|tx| close_statement(tx, &app.catalogue.calendar, id, &written).map_err(failed))?;
        tracing::info!(%agency, %cycle, due_on = %obligation.due_on, lines = written.rows, "cycle billed");
        Ok(1)
    })
}

fn failed(error: CloseError) -> JobError {
    match error {
        CloseError::Db(error) => JobError::Db(error),
        other => JobError::of(other),
    }
}

pub(super) fn carry_credit(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let owing = app.store.read(owing_agencies)?;
    each(&owing, |(agency, currency)| {
        let carried = fence.write(|tx| settle_from_credit(tx, Actor::platform(), *agency, *currency).map_err(JobError::of))?;
        Ok(i64::try_from(carried.len()).unwrap_or(i64::MAX))
    })
}

pub(super) fn review_obligations(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let owing = app.store.read(owing_agencies)?;
    each(&owing, |(agency, currency)| {
        let changed = fence.write(|tx| review_agency(tx, *agency, *currency).map_err(JobError::of))?;
        Ok(i64::try_from(changed.len()).unwrap_or(i64::MAX))
    })
}

pub(super) fn charge_obligations(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let date = app.today();
    let late = app.store.read(|db| chargeable(db, date))?;
    each(&late, |id| {
        let booked = fence.write(|tx| charge(tx, Actor::platform(), *id).map_err(JobError::of))?;
        Ok(i64::try_from(booked.len()).unwrap_or(i64::MAX))
    })
}

/// Tells which memos wait for a decision because their agencies' time is over. Nothing is decided here, and nothing is posted.
pub(super) fn note_unanswered_memos(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let over = app.store.read(|db| unanswered(db, app.now(), i64::MAX))?;
    each(&over, |id| {
        let told = fence.write(|tx| note_unanswered(tx, *id).map_err(JobError::of))?;
        Ok(i64::from(told))
    })
}

/// After everything that changes what an agency owes.
pub(super) fn provide_for_losses(app: &App, fence: &Fence) -> Result<i64, JobError> {
    provide_all(app, fence, app.today())
}

/// Days that are over, for the scores.
pub(super) fn count_agency_days(_: &App, fence: &Fence) -> Result<i64, JobError> {
    let mut counted = 0;
    while fence.write(|tx| Ok(count_days(tx)?))?.is_some() {
        counted += 1;
    }
    Ok(counted)
}

/// All agencies as of one moment, a page per commit. What was decided before the step was stopped is not decided again.
pub(super) fn score_agencies(app: &App, fence: &Fence) -> Result<i64, JobError> {
    // Taken in the writer's turn: every commit before is in it, and none after.
    let as_of = fence.write(|tx| Ok(AsOf { date: tx.ledger_date, at: tx.now }))?;
    let cards = app.store.read(|db| cards_in_force(db, as_of.date))?;
    if cards.is_empty() {
        return Ok(0);
    }
    let (mut after, mut decided) = (0, 0i64);
    loop {
        let page = app.store.read(|db| page_of_agencies(db, after, as_of, app.store.zone()))?;
        let Some(last) = page.last() else { return Ok(decided) };
        after = last.id.raw();
        let number = fence.write(|tx| Ok(score_page(tx, &cards, &page, as_of, ScoreCause::Nightly)?))?;
        decided = decided.saturating_add(i64::try_from(number).unwrap_or(i64::MAX));
    }
}

pub(super) fn remind_agencies(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let open = app.store.read(to_be_reminded)?;
    each(&open, |id| {
        let written = fence.write(|tx| remind(tx, &app.catalogue.dunning, *id).map_err(JobError::of))?;
        Ok(i64::from(written.is_some()))
    })
}
