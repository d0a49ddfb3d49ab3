//! File formats of the trade: pure codecs that know neither a database nor a domain.

pub mod airline_day;
pub mod coupon_status;
pub mod pdf;
pub mod statement;
