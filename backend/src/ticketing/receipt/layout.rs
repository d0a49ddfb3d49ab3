//! From the top of the page to its foot, and on to the next page when there is no room left.

use super::words::{Both, both};
use crate::interchange::pdf::{Align, Face, Ink, PAGE_HEIGHT, PAGE_WIDTH, Pages, Style};

pub(super) const MARGIN: f32 = 42.0;
pub(super) const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
const FOOT: f32 = PAGE_HEIGHT - 50.0;
/// From one line to the next, in sizes.
const LEADING: f32 = 1.38;

pub(super) struct Flow<'f> {
    pub(super) face: &'f Face,
    pub(super) pages: Pages,
    down: f32,
}

/// A cell: lines, and how each looks.
pub(super) struct Cell {
    pub(super) width: f32,
    pub(super) lines: Vec<(Style, String)>,
}

impl<'f> Flow<'f> {
    pub(super) fn new(face: &'f Face) -> Self {
        Flow { face, pages: Pages::default(), down: 0.0 }
    }

    pub(super) fn new_page(&mut self) {
        self.pages.turn();
        self.down = MARGIN;
    }

    pub(super) fn gap(&mut self, height: f32) {
        self.down += height;
    }

    /// Begins a page where so much does not fit on this one.
    pub(super) fn needs(&mut self, height: f32) {
        if self.down + height > FOOT {
            self.new_page();
        }
    }

    fn put(&mut self, x: f32, down: f32, align: Align, style: Style, text: &str) {
        let page = self.pages.count().saturating_sub(1);
        self.pages.text_on(page, self.face, (x, down), align, style, text);
    }

    /// Text over the whole width.
    pub(super) fn paragraph(&mut self, style: Style, text: &str) {
        for line in self.face.wrapped(text, style.size, WIDTH) {
            self.needs(style.size * LEADING);
            self.down += style.size * LEADING;
            self.put(MARGIN, self.down, Align::Left, style, &line);
        }
    }

    /// One line with something at its left end and something at its right.
    pub(super) fn ends(&mut self, style: Style, left: &str, right: &str) {
        self.needs(style.size * LEADING);
        self.down += style.size * LEADING;
        self.put(MARGIN, self.down, Align::Left, style, left);
        self.put(MARGIN + WIDTH, self.down, Align::Right, style, right);
    }

    pub(super) fn rule(&mut self) {
        self.down += 6.0;
        self.pages.rule(self.down, MARGIN);
        self.down += 2.0;
    }

    /// A line in a frame.
    pub(super) fn framed(&mut self, style: Style, text: &str) {
        let height = style.size * 1.7;
        self.needs(height);
        let width = self.face.width(text, style.size) + style.size;
        self.pages.frame((MARGIN, self.down), (width.min(WIDTH), height), style.ink);
        self.put(MARGIN + style.size / 2.0, self.down + style.size * 1.22, Align::Left, style, text);
        self.down += height;
    }

    pub(super) fn heading(&mut self, words: Both) {
        self.down += 10.0;
        self.needs(40.0);
        self.paragraph(Style::bold(10.0), &both(words));
    }

    /// Cells beside each other, as high as the highest.
    pub(super) fn row(&mut self, cells: &[Cell]) {
        let lines: Vec<Vec<(Style, String)>> = cells.iter().map(|cell| self.wrapped(cell)).collect();
        let height = |cell: &Vec<(Style, String)>| cell.iter().map(|(style, _)| style.size * LEADING).sum::<f32>();
        let highest = lines.iter().map(height).fold(0.0, f32::max);
        self.needs(highest);
        let mut x = MARGIN;
        for (cell, lines) in cells.iter().zip(lines) {
            let mut down = self.down;
            for (style, line) in lines {
                down += style.size * LEADING;
                self.put(x, down, Align::Left, style, &line);
            }
            x += cell.width;
        }
        self.down += highest;
    }

    fn wrapped(&self, cell: &Cell) -> Vec<(Style, String)> {
        let lines = cell.lines.iter().flat_map(|(style, text)| {
            self.face.wrapped(text, style.size, cell.width - 6.0).into_iter().map(|line| (*style, line))
        });
        lines.collect()
    }

    /// The same at the foot of every page, with its number.
    pub(super) fn feet(&mut self, text: &str) {
        let count = self.pages.count();
        let style = Style::small(7.5).in_ink(Ink::Grey);
        for page in 0..count {
            self.pages.text_on(page, self.face, (MARGIN, PAGE_HEIGHT - 30.0), Align::Left, style, text);
            let number = format!("{} / {count}", page + 1);
            self.pages.text_on(page, self.face, (MARGIN + WIDTH, PAGE_HEIGHT - 30.0), Align::Right, style, &number);
        }
    }
}
