//! The one layout of e-mail: a title, paragraphs, facts and a link, as text and as HTML. Nothing is loaded from anywhere, and whatever comes from outside is
//! escaped here and nowhere else: a [`Page`] takes words, not markup.

use super::letter::Language;
use std::fmt::Write;

#[derive(Clone, Debug)]
pub struct Page {
    pub language: Language,
    pub title: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub enum Block {
    Paragraph(String),
    /// What it is about: names and values.
    Facts(Vec<(String, String)>),
    Link {
        words: String,
        url: String,
    },
}

impl Page {
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", one_line(&self.title));
        for block in &self.blocks {
            text.push('\n');
            match block {
                Block::Paragraph(words) => text.push_str(&format!("{}\n", isolated(&one_line(words)))),
                Block::Facts(facts) => {
                    let colon = if self.language == Language::Chinese { "：" } else { ": " };
                    for (name, value) in facts {
                        text.push_str(&format!("{}{colon}{}\n", one_line(name), isolated(&one_line(value))));
                    }
                }
                Block::Link { words, url } => text.push_str(&format!("{}\n{}\n", one_line(words), one_line(url))),
            }
        }
        text.push_str("\nAirsettle\n");
        text
    }

    pub fn html(&self) -> String {
        const FRAME: &str = "font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif;\
            color:#1a1b1e;max-width:600px;margin:0 auto;padding:24px";
        let (language, title) = (self.language.text(), escaped(&self.title));
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title></head>\n<body style=\"margin:0;background:#f6f7f9\">\n<div style=\"{FRAME};background:#ffffff\">\n\
             <h1 style=\"font-size:20px;margin:0 0 16px\">{title}</h1>\n"
        );
        for block in &self.blocks {
            // Writing into memory does not fail.
            let _ = match block {
                Block::Paragraph(words) => {
                    writeln!(
                        html,
                        "<p dir=\"auto\" style=\"font-size:15px;line-height:1.6;margin:0 0 12px\">{}</p>",
                        escaped(words)
                    )
                }
                Block::Facts(facts) => writeln!(html, "{}", table(facts)),
                Block::Link { words, url } => {
                    writeln!(
                        html,
                        "<p style=\"margin:16px 0\"><a href=\"{}\" style=\"color:#1864ab\">{}</a></p>",
                        escaped(url),
                        escaped(words)
                    )
                }
            };
        }
        html.push_str("<p style=\"font-size:12px;color:#666;margin:24px 0 0\">Airsettle</p>\n</div>\n</body>\n</html>\n");
        html
    }
}

fn table(facts: &[(String, String)]) -> String {
    let rows = facts.iter().map(|(name, value)| {
        format!(
            "<tr><th scope=\"row\" style=\"text-align:left;font-weight:normal;color:#666;padding:4px 16px 4px 0;vertical-align:top\">{}</th>\
             <td style=\"padding:4px 0\"><bdi>{}</bdi></td></tr>\n",
            escaped(name),
            escaped(value)
        )
    });
    format!(
        "<table role=\"presentation\" style=\"font-size:15px;border-collapse:collapse;margin:0 0 12px\">\n{}</table>",
        rows.collect::<String>()
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in one_line(text).chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            sign => escaped.push(sign),
        }
    }
    escaped
}

/// Without what breaks a line or turns what stands around it: a value can neither begin a header nor pass for another.
pub fn one_line(text: &str) -> String {
    let turns =
        |sign: char| matches!(u32::from(sign), 0x202a..=0x202e | 0x2066..=0x2069 | 0x200e | 0x200f | 0x061c | 0x2028 | 0x2029);
    let shown = text.chars().filter(|sign| !turns(*sign));
    shown.map(|sign| if sign.is_control() { ' ' } else { sign }).collect::<String>().trim().to_owned()
}

/// Text from right to left stays on its own side of what stands around it.
fn isolated(text: &str) -> String {
    let is_turned = |sign: char| matches!(u32::from(sign), 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff);
    if text.chars().any(is_turned) { format!("\u{2068}{text}\u{2069}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: [&str; 5] = [
        "=HYPERLINK(\"http://x.example\")",
        "שלום עולם",
        "👩‍✈️ Zhang",
        "<script>alert('x')</script>",
        "a\r\nBcc: b@c.example\u{202e}",
    ];

    fn page(language: Language) -> Page {
        Page {
            language,
            title: "Title <b>".into(),
            blocks: vec![
                Block::Paragraph("Words & more".into()),
                Block::Facts(ODD.iter().map(|odd| ("Name".to_owned(), (*odd).to_owned())).collect()),
                Block::Link { words: "Open".into(), url: "https://desk.example/a?b=\"c\"&d".into() },
            ],
        }
    }

    #[test]
    fn whatever_comes_from_outside_is_words_and_no_markup() {
        let html = page(Language::English).html();
        for wrong in ["<script", "Title <b>", "=\"c\"", "src=", "\u{202e}", "\nBcc", "\rBcc"] {
            assert!(!html.contains(wrong), "{wrong}: {html}");
        }
        for right in [
            "<bdi>=HYPERLINK(&quot;http://x.example&quot;)</bdi>",
            "<bdi>שלום עולם</bdi>",
            "<bdi>👩‍✈️ Zhang</bdi>",
            "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</bdi>",
            "<bdi>a  Bcc: b@c.example</bdi>",
            "Words &amp; more",
            "href=\"https://desk.example/a?b=&quot;c&quot;&amp;d\"",
            "<html lang=\"en\">",
        ] {
            assert!(html.contains(right), "{right}: {html}");
        }
    }

    #[test]
    fn the_text_says_the_same() {
        let text = page(Language::Chinese).text();
        assert_eq!(
            text,
            "Title <b>\n\nWords & more\n\nName：=HYPERLINK(\"http://x.example\")\nName：\u{2068}שלום עולם\u{2069}\nName：👩‍✈️ Zhang\n\
             Name：<script>alert('x')</script>\nName：a  Bcc: b@c.example\n\nOpen\nhttps://desk.example/a?b=\"c\"&d\n\nAirsettle\n"
        );
    }
}
