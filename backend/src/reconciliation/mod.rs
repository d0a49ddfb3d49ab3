//! What the platform and the parties outside hold against each other. So far the first thing that an airline's finance department needs: its day,
//! as a file that ties to the ledger; and what airlines say about the coupons of their tickets, as files that are acted on line by line.
//!
//! `export.rs` writes a day and checks it, `day_events.rs` reads what happened, `export_file.rs` remembers what was handed out; `coupon_file.rs` takes files of
//! coupon statuses.

mod coupon_file;
mod day_events;
mod day_exchange;
mod day_legs;
mod export;
mod export_file;

pub use coupon_file::{
    CouponFileError, CouponFileRow, CouponLineRow, LineOutcome, PART, coupon_file, coupon_file_lines, coupon_files,
    register_coupon_file, take_part,
};
pub use export::{AccountMovement, AirlineDay, ChainHead, CurrencyTotals, DayFile, ExportError, LegSums, spool, write_day};
pub use export_file::{ExportFile, export_file, export_files, export_of, keep_export, read_again};
