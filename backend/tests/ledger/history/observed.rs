//! The world in the numbers of the model.

use super::holds;
use crate::model::{self, Claim, LINES, Line, Memo, Payment, Stage, State, WALLETS};
use crate::world::World;
use airsettle::credit::{Advance, AdvanceState, facility};
use airsettle::db::schema::{account, airline_claim, memo};
use airsettle::ids::{FacilityId, Id};
use airsettle::ledger::{AccountCode, AccountRow};
use airsettle::settlement::MemoState;
use airsettle::ticketing::RefundStatus;
use diesel::prelude::{QueryDsl, RunQueryDsl, SelectableHelper};
use std::collections::BTreeMap;

/// The same numbers, read from the world.
pub fn observed(world: &World) -> State {
    let lines = lines_of(world);
    let flights = world.numbers("SELECT id AS value FROM seat_bucket WHERE sold > 0 ORDER BY id");
    let sold = world.numbers("SELECT sold AS value FROM seat_bucket WHERE sold > 0 ORDER BY id");
    let claims: Vec<(i64, i64, String)> = world.read(|db| {
        let columns = (airline_claim::amount_minor, airline_claim::settled_minor, airline_claim::terms);
        Ok(airline_claim::table.order(airline_claim::id).select(columns).load(db)?)
    });
    State {
        accounts: accounts(world, &lines),
        lines: lines.map(|id| line(world, id)),
        seats_sold: flights.into_iter().zip(sold).collect(),
        tickets: world.tickets(),
        payments: world.advances().iter().map(|advance| payment(advance, &lines)).collect(),
        claims: claims
            .into_iter()
            .map(|(amount, settled, terms)| Claim { amount, settled, is_set_off: terms == "set_off" })
            .collect(),
        voided: world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_void'"),
        flown: world.number("SELECT COUNT(*) AS value FROM coupon WHERE status = 'F'"),
        holds: world
            .texts("SELECT state AS value FROM held_order ORDER BY id")
            .iter()
            .map(|state| holds::holding(state))
            .collect(),
        alerts: world.told(),
        refunded: world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_refund'"),
        applications: applications(world),
        memos: memos(world),
    }
}

/// Oldest first.
pub fn lines_of(world: &World) -> [FacilityId; LINES] {
    let ids = world.numbers("SELECT id AS value FROM facility ORDER BY id");
    let ids: Vec<FacilityId> = ids.into_iter().map(FacilityId::of).collect();
    ids.try_into().unwrap()
}

fn line(world: &World, id: FacilityId) -> Line {
    let state = world.read(|db| facility(db, id, world.today())).unwrap();
    let (limit, held) = (state.facility.limit.minor, state.held.minor);
    Line { limit, held, unconfirmed: state.facility.unconfirmed, closed: state.facility.closed_reason }
}

/// Of those that were more than asked about.
fn applications(world: &World) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for status in world.texts("SELECT status AS value FROM refund_application WHERE status <> 'quoted'") {
        *counts.entry(RefundStatus::parse(&status).unwrap().text()).or_default() += 1;
    }
    counts
}

fn memos(world: &World) -> Vec<Memo> {
    type Row = (String, i64, Option<i64>, i64);
    let rows: Vec<Row> = world.read(|db| {
        let columns = (memo::status, memo::claimed_minor, memo::decided_minor, memo::paid_minor);
        Ok(memo::table.order(memo::id).select(columns).load(db)?)
    });
    let read = |(status, amount, decided, paid): Row| {
        let status = MemoState::parse(&status).unwrap().text();
        Memo { status, amount, decided: decided.unwrap_or(0), paid }
    };
    rows.into_iter().map(read).collect()
}

fn accounts(world: &World, lines: &[FacilityId; LINES]) -> BTreeMap<&'static str, i64> {
    let rows: Vec<AccountRow> = world.read(|db| Ok(account::table.select(AccountRow::as_select()).load(db)?));
    let line_of = |owner: i64| lines.iter().position(|id| id.raw() == owner).unwrap();
    let mut sums = BTreeMap::new();
    for row in rows.iter().filter(|row| row.balance_minor != 0) {
        let key = row.key().unwrap();
        let name = match (key.code, key.detail.as_str()) {
            (AccountCode::AgencyWallet, _) if key.owner == world.prepaid.raw() => WALLETS[1],
            (AccountCode::BankLoan, _) => model::LOANS[line_of(key.owner)],
            (AccountCode::BankInterest, _) => model::INTERESTS[line_of(key.owner)],
            (AccountCode::PlatformCash, "own") => model::OWN_CASH,
            (AccountCode::PlatformCash, _) => model::CLIENT_CASH,
            (code, _) => code.text(),
        };
        *sums.entry(name).or_insert(0) += row.balance_minor;
    }
    sums
}

fn payment(advance: &Advance, lines: &[FacilityId; LINES]) -> Payment {
    Payment {
        state: match advance.state {
            AdvanceState::Held => Stage::Held,
            AdvanceState::Sent => Stage::Sent,
            AdvanceState::Unknown => Stage::Unknown,
            AdvanceState::Failed => Stage::Failed,
            AdvanceState::Confirmed => Stage::Confirmed,
            AdvanceState::SetOff => Stage::SetOff,
            AdvanceState::Cancelled => Stage::Cancelled,
        },
        amount: advance.amount.minor,
        set_off: advance.set_off.minor,
        cancelled: advance.cancelled.minor,
        reclaimed: advance.reclaimed.minor,
        on_line: lines.iter().position(|id| Some(*id) == advance.facility),
        is_over: advance.resolved_at.is_some(),
    }
}
