//! The HTTP interface: the only place that knows actix, JSON and OpenAPI. The types here are the interface's own; domain types
//! are converted into them and never serialised themselves.
//!
//! A request passes the transport layer (`request_id`: request id, version headers, span, error envelope), then authentication and
//! the rate limit, then one handler, which reads a [`envelope::Body`], calls a domain and answers through [`envelope`] or with
//! an [`error::ApiError`].

pub mod air;
pub mod caller;
pub mod code;
mod commission_rejections;
pub mod desk;
pub mod envelope;
pub mod error;
pub mod error_pages;
pub mod fields;
pub mod health;
pub mod once;
pub mod openapi;
pub mod operations;
pub mod paging;
pub mod portal;
pub mod query;
pub mod rate_limit;
pub mod rejections;
pub mod request_id;
pub mod request_log;
pub mod server;
pub mod v1;
mod version;
