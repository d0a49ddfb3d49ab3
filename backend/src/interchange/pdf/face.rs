//! The one font of a document.

use super::PdfError;

include!(concat!(env!("OUT_DIR"), "/font.rs"));

/// Shown in the place of a sign that the font does not have.
const BOX: char = '\u{25a1}';

pub enum Face {
    /// What is used of it goes into the document, so that it looks the same everywhere.
    Embedded { data: &'static [u8], parsed: Box<ttf_parser::Face<'static>> },
    /// Adobe's name for a Chinese font that every viewer has one for; the document does not have it.
    Viewers,
}

impl Face {
    /// The font that was built in; without one, the viewer's.
    pub fn built_in() -> Result<Self, PdfError> {
        match HANZI {
            None => Ok(Face::Viewers),
            Some(data) => {
                let parsed = ttf_parser::Face::parse(data, 0).map_err(|error| PdfError::Font(error.to_string()))?;
                Ok(Face::Embedded { data, parsed: Box::new(parsed) })
            }
        }
    }

    /// How far a sign moves the pen, in thousandths of the size.
    pub fn advance(&self, sign: char) -> f32 {
        match self {
            Face::Embedded { parsed, .. } => {
                let width = self
                    .glyph(sign)
                    .or_else(|| self.placeholder())
                    .and_then(|glyph| parsed.glyph_hor_advance(ttf_parser::GlyphId(glyph)));
                f32::from(width.unwrap_or(1000)) * 1000.0 / f32::from(parsed.units_per_em().max(1))
            }
            // Half a Hanzi, as the widths in the document say.
            Face::Viewers if sign.is_ascii() => 500.0,
            Face::Viewers => 1000.0,
        }
    }

    /// Of a line, in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|sign| self.advance(sign)).sum::<f32>() * size / 1000.0
    }

    pub(super) fn glyph(&self, sign: char) -> Option<u16> {
        match self {
            Face::Embedded { parsed, .. } => parsed.glyph_index(sign).map(|glyph| glyph.0).filter(|glyph| *glyph != 0),
            Face::Viewers => None,
        }
    }

    /// The glyph of what the font does not have.
    pub(super) fn placeholder(&self) -> Option<u16> {
        self.glyph(BOX)
    }

    /// Lines that fit into a width: broken at blanks and between Hanzi, and anywhere where a word alone is wider.
    pub fn wrapped(&self, text: &str, size: f32, room: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in words(text) {
            if self.width(&line, size) + self.width(word.trim_end(), size) > room && !line.is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            for sign in word.chars() {
                if self.width(&line, size) + self.advance(sign) * size / 1000.0 > room && !line.is_empty() && sign != ' ' {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                }
                line.push(sign);
            }
        }
        lines.push(line.trim_end().to_owned());
        lines
    }
}

/// What is not broken if it need not be: words with the blank behind them, and Hanzi with the stop behind them.
fn words(text: &str) -> Vec<&str> {
    let mut cuts = Vec::new();
    let mut before: Option<char> = None;
    for (at, sign) in text.char_indices() {
        let opens = before.is_some_and(|before| {
            (before == ' ' && sign != ' ')
                || (is_wide(sign) && !closes(sign))
                || (is_wide(before) && sign != ' ' && !closes(sign))
        });
        if opens {
            cuts.push(at);
        }
        before = Some(sign);
    }
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([text.len()]);
    starts.zip(ends).filter_map(|(from, to)| text.get(from..to)).collect()
}

fn is_wide(sign: char) -> bool {
    matches!(u32::from(sign), 0x2e80..=0x9fff | 0xf900..=0xfaff | 0xff00..=0xff60 | 0x20000..=0x3ffff)
}

fn closes(sign: char) -> bool {
    matches!(sign, '，' | '。' | '、' | '；' | '：' | '）' | '》' | '”' | ')' | ',' | '.' | ';' | ':')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_between_hanzi_and_lose_nothing() {
        for face in [Face::Viewers, Face::built_in().unwrap()] {
            let lines = face.wrapped("Beijing Capital International Airport", 10.0, 90.0);
            assert!(lines.len() > 1 && lines.iter().all(|line| face.width(line, 10.0) <= 90.0), "{lines:?}");
            assert_eq!(lines.join(" "), "Beijing Capital International Airport");
            let lines = face.wrapped("北京首都国际机场，航站楼", 10.0, 45.0);
            assert_eq!(lines.concat(), "北京首都国际机场，航站楼");
            assert!(lines.iter().all(|line| !line.starts_with('，')), "a stop does not begin a line: {lines:?}");
            let long = "W".repeat(60);
            assert_eq!(face.wrapped(&long, 10.0, 90.0).concat(), long);
            assert_eq!(face.wrapped("", 10.0, 90.0), [""]);
        }
    }
}
