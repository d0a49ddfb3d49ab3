//! Back-end incentive by volume: programmes, what agencies have earned under them, and paying it out.

mod accrue;
mod programme;
mod reward;
mod settle;
mod verify;

pub use accrue::{Batch, IncentiveError, LineKind, LineRow, PeriodRow, accrue_batch, lines_of, next_batch};
pub(super) use programme::highest_platform_incentive;
pub use programme::{
    Funder, Measure, Method, NewProgramme, Period, PeriodLength, Programme, ProgrammeError, ProgrammeFilter, Tier, TierReward,
    all_programmes, open_programme, programme, programmes,
};
pub use reward::{Progress, reward};
pub(super) use settle::settle_agency;
pub use settle::{PeriodFilter, SettleError, Settled, period, periods, settle_period};
pub(super) use verify::{INCENTIVE_RULES, first_wrong_incentive};
