//! What follows the sale: money that comes in and goes out, cycles and what is still owed in them, and incentives.

mod cycles;
mod incentives;
mod payment;
mod payout;
mod receipt;
mod verify;

pub use cycles::{CycleStanding, agency_cycles, cycle_standing};
pub use incentives::{
    Batch, Funder, IncentiveError, LineKind, LineRow, Measure, Method, NewProgramme, Period, PeriodFilter, PeriodLength,
    PeriodRow, Programme, ProgrammeError, ProgrammeFilter, Progress, SettleError, Settled, Tier, TierReward, accrue_batch,
    all_programmes, lines_of, next_batch, open_programme, period, periods, programme, programmes, reward, settle_period,
};
pub use payment::{NewPayment, Payment, PaymentError, PaymentPurpose, payment_by_reference, payments_of, record_payment};
pub use payout::{NewPayout, PaidOut, Payout, PayoutError, PayoutPurpose, pay_out, payout, payouts};
pub use receipt::{
    NewReceipt, Purpose, Receipt, ReceiptError, ReceiptRow, receipt, receipt_by_reference, receipts, record_receipt,
};
pub use verify::{SETTLEMENT_RULES, verify_settlement};
