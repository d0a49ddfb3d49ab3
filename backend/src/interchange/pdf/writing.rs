//! From marks to bytes: objects are numbered in a fixed order, glyphs in the order in which they are first used, and nothing says when it was written.

use super::face::Face;
use super::sheet::{Ink, Mark, Style, Weight};
use super::{PAGE_HEIGHT, PAGE_WIDTH, PdfError};
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const FONT: Ref = Ref::new(4);
const CID_FONT: Ref = Ref::new(5);
const DESCRIPTOR: Ref = Ref::new(6);
const FONT_FILE: Ref = Ref::new(7);
const TO_UNICODE: Ref = Ref::new(8);
const FIRST_PAGE: i32 = 9;
const F: Name = Name(b"F1");

pub(super) fn written(pages: &[Vec<Mark>], face: &Face, title: &str) -> Result<Vec<u8>, PdfError> {
    let mut pdf = Pdf::new();
    let page_ids: Vec<Ref> =
        (0..pages.len()).filter_map(|page| i32::try_from(page).ok()).map(|page| Ref::new(FIRST_PAGE + 2 * page)).collect();
    pdf.catalog(CATALOG).pages(TREE).lang(TextStr("zh-CN")).viewer_preferences().display_doc_title(true);
    pdf.pages(TREE).kids(page_ids.iter().copied()).count(i32::try_from(page_ids.len()).unwrap_or(i32::MAX));
    pdf.document_info(INFO).title(TextStr(title)).creator(TextStr("Airsettle"));
    let mut used = Used::default();
    for (page, id) in pages.iter().zip(&page_ids) {
        let content_id = Ref::new(id.get() + 1);
        let mut written = pdf.page(*id);
        written.parent(TREE).media_box(Rect::new(0.0, 0.0, PAGE_WIDTH, PAGE_HEIGHT)).contents(content_id);
        written.resources().fonts().pair(F, FONT);
        written.finish();
        let mut content = Content::new();
        for mark in page {
            draw(&mut content, mark, face, &mut used);
        }
        let bytes = content.finish();
        pdf.stream(content_id, &bytes);
    }
    match face {
        Face::Embedded { data, parsed } => embedded(&mut pdf, data, parsed, &used)?,
        Face::Viewers => viewers(&mut pdf),
    }
    Ok(pdf.finish())
}

/// The glyphs of a document, and what each of them means.
#[derive(Default)]
struct Used {
    glyphs: GlyphRemapper,
    /// By the new number.
    signs: BTreeMap<u16, char>,
}

impl Used {
    /// The new number of a sign's glyph.
    fn number(&mut self, face: &Face, sign: char) -> u16 {
        match face.glyph(sign) {
            Some(glyph) => {
                let number = self.glyphs.remap(glyph);
                self.signs.entry(number).or_insert(sign);
                number
            }
            None => face.placeholder().map_or(0, |glyph| self.glyphs.remap(glyph)),
        }
    }
}

fn ink(content: &mut Content, ink: Ink) {
    match ink {
        Ink::Black => content.set_fill_gray(0.0).set_stroke_gray(0.0),
        Ink::Grey => content.set_fill_gray(0.38).set_stroke_gray(0.38),
        Ink::Red => content.set_fill_rgb(0.75, 0.05, 0.05).set_stroke_rgb(0.75, 0.05, 0.05),
    };
}

fn draw(content: &mut Content, mark: &Mark, face: &Face, used: &mut Used) {
    match mark {
        Mark::Text { x, y, style, text } => show(content, (*x, *y), *style, text, face, used),
        Mark::Rule { x, y, width } => {
            content.set_stroke_gray(0.7).set_line_width(0.6);
            content.move_to(*x, *y).line_to(x + width, *y).stroke();
        }
        Mark::Frame { x, y, width, height, ink: of } => {
            ink(content, *of);
            content.set_line_width(1.2).rect(*x, *y, *width, *height).stroke();
        }
    }
}

fn show(content: &mut Content, (x, y): (f32, f32), style: Style, text: &str, face: &Face, used: &mut Used) {
    ink(content, style.ink);
    let is_boxed = |sign: char| matches!(face, Face::Embedded { .. }) && face.glyph(sign).is_none();
    let has_boxes = text.chars().any(is_boxed);
    if has_boxes {
        content.begin_marked_content_with_properties(Name(b"Span")).properties().actual_text(TextStr(text));
    }
    let codes: Vec<u8> = match face {
        Face::Embedded { .. } => text.chars().flat_map(|sign| used.number(face, sign).to_be_bytes()).collect(),
        Face::Viewers => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    };
    content.begin_text().set_font(F, style.size);
    match style.weight {
        Weight::Regular => content.set_text_rendering_mode(TextRenderingMode::Fill),
        // There is one font only: its strokes are drawn thicker.
        Weight::Bold => content.set_line_width(style.size * 0.035).set_text_rendering_mode(TextRenderingMode::FillStroke),
    };
    content.next_line(x, y).show(Str(&codes)).end_text();
    if has_boxes {
        content.end_marked_content();
    }
}

fn embedded(pdf: &mut Pdf, data: &[u8], parsed: &ttf_parser::Face<'static>, used: &Used) -> Result<(), PdfError> {
    const IDENTITY: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    let name = Name(b"AIRSET+NotoSansHans-Regular");
    let subset = subsetter::subset(data, 0, &used.glyphs).map_err(|error| PdfError::Font(error.to_string()))?;
    // A font with Bézier outlines goes in as its table of outlines alone.
    let outlines = ttf_parser::RawFace::parse(&subset, 0).ok().and_then(|raw| raw.table(ttf_parser::Tag::from_bytes(b"CFF ")));
    pdf.type0_font(FONT)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    let scale = 1000.0 / f32::from(parsed.units_per_em().max(1));
    let mut font = pdf.cid_font(CID_FONT);
    font.subtype(if outlines.is_some() { CidFontType::Type0 } else { CidFontType::Type2 });
    font.base_font(name).system_info(IDENTITY).font_descriptor(DESCRIPTOR).default_width(1000.0);
    if outlines.is_none() {
        font.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let of_glyph = |glyph: u16| f32::from(parsed.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or(1000)) * scale;
    font.widths().consecutive(0, used.glyphs.remapped_gids().map(of_glyph));
    font.finish();
    let bounds = parsed.global_bounding_box();
    let corner = |value: i16| f32::from(value) * scale;
    let mut descriptor = pdf.font_descriptor(DESCRIPTOR);
    descriptor.name(name).flags(FontFlags::NON_SYMBOLIC).italic_angle(0.0).stem_v(80.0);
    descriptor.bbox(Rect::new(corner(bounds.x_min), corner(bounds.y_min), corner(bounds.x_max), corner(bounds.y_max)));
    descriptor.ascent(corner(parsed.ascender())).descent(corner(parsed.descender()));
    descriptor.cap_height(corner(parsed.capital_height().unwrap_or(parsed.ascender())));
    match outlines {
        Some(_) => descriptor.font_file3(FONT_FILE),
        None => descriptor.font_file2(FONT_FILE),
    };
    descriptor.finish();
    match outlines {
        Some(table) => pdf.stream(FONT_FILE, table).pair(Name(b"Subtype"), Name(b"CIDFontType0C")),
        None => pdf.stream(FONT_FILE, &subset).pair(Name(b"Length1"), i32::try_from(subset.len()).unwrap_or(i32::MAX)),
    };
    let mut meanings = UnicodeCmap::new(Name(b"Airsettle"), IDENTITY);
    for (number, sign) in &used.signs {
        meanings.pair(*number, *sign);
    }
    let meanings = meanings.finish();
    pdf.cmap(TO_UNICODE, &meanings);
    Ok(())
}

/// The text as it is, in a font that the viewer has.
fn viewers(pdf: &mut Pdf) {
    const GB1: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 4 };
    let name = Name(b"STSong-Light");
    let with_encoding = Name(b"STSong-Light-UniGB-UTF16-H");
    pdf.type0_font(FONT).base_font(with_encoding).encoding_predefined(Name(b"UniGB-UTF16-H")).descendant_font(CID_FONT);
    let mut font = pdf.cid_font(CID_FONT);
    font.subtype(CidFontType::Type0).base_font(name).system_info(GB1).font_descriptor(DESCRIPTOR).default_width(1000.0);
    // The Latin signs of the collection.
    font.widths().same(1, 95, 500.0);
    font.finish();
    let mut descriptor = pdf.font_descriptor(DESCRIPTOR);
    descriptor.name(name).flags(FontFlags::SYMBOLIC | FontFlags::SERIF).italic_angle(0.0).stem_v(80.0);
    descriptor.bbox(Rect::new(-25.0, -254.0, 1000.0, 880.0)).ascent(880.0).descent(-120.0).cap_height(880.0);
    descriptor.finish();
}
