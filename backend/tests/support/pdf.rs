//! Reads back what the platform prints: the texts of its pages, in the order in which they stand there.

/// The lines of a document whose strings are written plainly.
pub fn lines_of(pdf: &str) -> Vec<String> {
    let meanings = meanings_of(pdf);
    let mut lines = Vec::new();
    for stream in pdf.split("stream\n").filter(|part| part.contains("\nBT\n") || part.starts_with("BT\n")) {
        for shown in stream.lines().filter_map(|line| line.strip_suffix(" Tj")) {
            let codes = units_of(shown);
            let line = match &meanings {
                Some(meanings) => codes.iter().map(|code| meanings.get(code).copied().unwrap_or('\u{25a1}')).collect(),
                None => String::from_utf16(&codes).unwrap(),
            };
            lines.push(line);
        }
    }
    lines
}

/// Of a document with a font of its own: which sign a glyph is.
fn meanings_of(pdf: &str) -> Option<std::collections::HashMap<u16, char>> {
    let map = pdf.split("begincmap").nth(1)?.split("endcmap").next()?;
    let pairs = map.lines().filter_map(|line| {
        let (from, to) = line.strip_prefix('<')?.split_once("> <")?;
        let units = units_of(&format!("<{to}"));
        let sign = char::decode_utf16(units).next()?.ok()?;
        Some((u16::from_str_radix(from, 16).ok().filter(|_| from.len() == 4)?, sign))
    });
    Some(pairs.collect())
}

/// Two bytes each, of a string in either notation.
fn units_of(text: &str) -> Vec<u16> {
    let bytes: Vec<u8> = match text.strip_prefix('<') {
        Some(digits) => {
            let digits: Vec<char> = digits.trim_end_matches('>').chars().collect();
            digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
        }
        None => literal(text.strip_prefix('(').unwrap().strip_suffix(')').unwrap()),
    };
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

fn literal(text: &str) -> Vec<u8> {
    let mut signs = text.bytes().peekable();
    let mut bytes = Vec::new();
    while let Some(byte) = signs.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let escaped = signs.next().unwrap();
        bytes.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'0'..=b'7' => {
                let rest = [signs.next().unwrap(), signs.next().unwrap()];
                rest.iter().fold(escaped - b'0', |sum, digit| sum.wrapping_mul(8) + digit - b'0')
            }
            other => other,
        });
    }
    bytes
}
