//! What stands on the pages, before it is written.

use super::{Face, PAGE_HEIGHT, PAGE_WIDTH, PdfError, writing};

/// How dark, or red for what must not be missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Black,
    Grey,
    Red,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// How a line of text looks; its size in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    pub size: f32,
    pub ink: Ink,
    pub weight: Weight,
}

impl Style {
    pub const fn plain(size: f32) -> Self {
        Style { size, ink: Ink::Black, weight: Weight::Regular }
    }

    pub const fn small(size: f32) -> Self {
        Style { size, ink: Ink::Grey, weight: Weight::Regular }
    }

    pub const fn bold(size: f32) -> Self {
        Style { size, ink: Ink::Black, weight: Weight::Bold }
    }

    pub const fn in_ink(self, ink: Ink) -> Self {
        Style { ink, ..self }
    }
}

/// In points from the lower left corner, as PDF counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    Text { x: f32, y: f32, style: Style, text: String },
    Rule { x: f32, y: f32, width: f32 },
    Frame { x: f32, y: f32, width: f32, height: f32, ink: Ink },
}

/// A4 pages; measures in points from the upper left corner.
#[derive(Default)]
pub struct Pages(Vec<Vec<Mark>>);

impl Pages {
    pub fn turn(&mut self) {
        self.0.push(Vec::new());
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn mark(&mut self, page: usize, mark: Mark) {
        if let Some(page) = self.0.get_mut(page) {
            page.push(mark);
        }
    }

    /// On a page, counted from 0; what does not exist is not written on. `at` is where the line stands, and from where to which side it goes.
    pub fn text_on(&mut self, page: usize, face: &Face, (x, down): (f32, f32), align: Align, style: Style, text: &str) {
        let text = printable(text);
        let x = if align == Align::Right { x - face.width(&text, style.size) } else { x };
        self.mark(page, Mark::Text { x, y: PAGE_HEIGHT - down, style, text });
    }

    pub fn rule(&mut self, down: f32, margin: f32) {
        let page = self.0.len().saturating_sub(1);
        self.mark(page, Mark::Rule { x: margin, y: PAGE_HEIGHT - down, width: PAGE_WIDTH - 2.0 * margin });
    }

    pub fn frame(&mut self, (x, down): (f32, f32), (width, height): (f32, f32), ink: Ink) {
        let page = self.0.len().saturating_sub(1);
        self.mark(page, Mark::Frame { x, y: PAGE_HEIGHT - down - height, width, height, ink });
    }

    /// The document.
    pub fn written(&self, face: &Face, title: &str) -> Result<Vec<u8>, PdfError> {
        writing::written(&self.0, face, title)
    }
}

/// Without what has no place on paper: control characters, and signs that only say how others are joined or turned.
fn printable(text: &str) -> String {
    let joins_or_turns = |sign: char| {
        let code = u32::from(sign);
        matches!(code, 0xad | 0x61c | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f)
            || matches!(code, 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
    };
    let is_seen = |sign: &char| !sign.is_control() && !joins_or_turns(*sign);
    text.chars().filter(is_seen).collect()
}
