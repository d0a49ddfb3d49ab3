//! What the platform and the parties outside hold against each other. So far the first thing that an airline's finance department needs: its day,
//! as a file that ties to the ledger.
//!
//! `export.rs` writes a day and checks it, `day_events.rs` reads what happened, `export_file.rs` remembers what was handed out.

mod day_events;
mod export;
mod export_file;

pub use export::{AccountMovement, AirlineDay, ChainHead, CurrencyTotals, DayFile, ExportError, LegSums, spool, write_day};
pub use export_file::{ExportFile, export_file, export_files, export_of, keep_export, read_again};
