//! What follows the sale: money that comes in and goes out, cycles and what is still owed in them.

mod cycles;
mod payment;
mod receipt;
mod verify;

pub use cycles::{CycleStanding, agency_cycles, cycle_standing};
pub use payment::{NewPayment, Payment, PaymentError, PaymentPurpose, payment_by_reference, payments_of, record_payment};
pub use receipt::{
    NewReceipt, Purpose, Receipt, ReceiptError, ReceiptRow, receipt, receipt_by_reference, receipts, record_receipt,
};
pub use verify::{SETTLEMENT_RULES, verify_settlement};
