//! PDF: text and rules on A4 pages, in Latin letters and Hanzi. The same pages are the same bytes. Nothing is shaped: a sign is a glyph, in the order in
//! which it is written; a sign that the font does not have is shown as a box and copied as what it is. Source: ISO 32000-1, 9.7 (composite fonts).

mod face;
mod sheet;
mod writing;

pub use face::Face;
pub use sheet::{Align, Ink, Pages, Style, Weight};

/// Of an A4 page, in points.
pub const PAGE_WIDTH: f32 = 595.0;
pub const PAGE_HEIGHT: f32 = 842.0;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    #[error("the font cannot be read: {0}")]
    Font(String),
}
