//! Reads Rust text just well enough to check it: what is code, what is a string, what is a comment; then the tokens of the
//! code, the functions with their lengths, and the paths that start at the crate root. It knows no grammar beyond that, so
//! that a new edition of the language does not break it.

/// One file, in four views of equal line structure.
pub struct Source {
    /// Path from the root of the repository, with forward slashes.
    pub path: String,
    pub raw: String,
    /// Comments blanked, strings kept.
    pub text: String,
    /// Comments only.
    pub comments: String,
    pub tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub line: usize,
    pub text: String,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
    pub is_test: bool,
}

/// A mention of something directly below the crate root: `crate::ledger`, one name of `crate::{…}`, or enough `super::`.
#[derive(Debug, PartialEq, Eq)]
pub struct RootPath {
    pub line: usize,
    /// The module's name, or `*` or `self` where everything is meant.
    pub name: String,
}

#[derive(Default)]
pub struct Items {
    pub functions: Vec<Function>,
    pub roots: Vec<RootPath>,
    /// Inline and declared modules: name and line.
    pub modules: Vec<(String, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Code,
    Text,
    Comment,
}

impl Source {
    pub fn new(path: &str, raw: &str) -> Self {
        let classes = classify(raw.as_bytes());
        let view = |keep: &[Class]| -> String {
            let bytes = raw.bytes().zip(&classes).map(|(b, c)| if b == b'\n' || keep.contains(c) { b } else { b' ' });
            String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
        };
        Self {
            path: path.to_owned(),
            raw: raw.to_owned(),
            text: view(&[Class::Code, Class::Text]),
            comments: view(&[Class::Comment]),
            tokens: tokens(&view(&[Class::Code])),
        }
    }

    /// How many modules deep the file itself is: 1 for `src/money.rs` and `src/ledger/mod.rs`, 2 for `src/ledger/hold.rs`.
    fn depth(&self) -> usize {
        let Some(inside) = self.path.strip_prefix("backend/src/") else { return 0 };
        match inside {
            "lib.rs" | "main.rs" => 0,
            _ => inside.split('/').filter(|part| *part != "mod.rs").count(),
        }
    }

    pub fn items(&self) -> Items {
        Walk { tokens: &self.tokens, frames: Vec::new(), items: Items::default() }.run(self.depth())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn classify(bytes: &[u8]) -> Vec<Class> {
    let mut classes = vec![Class::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (end, class) = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => (line_end(bytes, at), Class::Comment),
            b'/' if bytes[at..].starts_with(b"/*") => (block_comment_end(bytes, at), Class::Comment),
            b'"' => (string_end(bytes, at), Class::Text),
            b'r' => match raw_string_end(bytes, at) {
                Some(end) => (end, Class::Text),
                None => (at + 1, Class::Code),
            },
            b'\'' => match char_end(bytes, at) {
                Some(end) => (end, Class::Text),
                None => (at + 1, Class::Code),
            },
            _ => (at + 1, Class::Code),
        };
        classes[at..end].fill(class);
        at = end;
    }
    classes
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n)
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut i, mut depth) = (at, 0);
    while i < bytes.len() {
        if bytes[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if bytes[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

/// `r"…"`, `r#"…"#`, also behind `b` or `c`; not `r#type` and not the last letter of a name.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let start = if at > 0 && matches!(bytes[at - 1], b'b' | b'c') { at - 1 } else { at };
    if start > 0 && is_word(bytes[start - 1]) {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|b| **b == b'#').count();
    let open = at + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &bytes[open + 1..];
    Some(body.windows(close.len()).position(|w| w == close).map_or(bytes.len(), |n| open + 1 + n + close.len()))
}

/// A character literal; a lifetime has no closing quote one character on.
fn char_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = std::str::from_utf8(&bytes[at + 1..(at + 12).min(bytes.len())]);
    let rest = rest.or_else(|e| std::str::from_utf8(&bytes[at + 1..at + 1 + e.valid_up_to()])).ok()?;
    let mut chars = rest.char_indices();
    match chars.next()? {
        (_, '\\') => rest[2..].find('\'').map(|n| at + 1 + 2 + n + 1),
        _ => chars.next().filter(|(_, c)| *c == '\'').map(|(n, _)| at + 1 + n + 1),
    }
}

fn tokens(code: &str) -> Vec<Token> {
    let mut out = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let word = rest.bytes().take_while(|b| is_word(*b)).count();
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => 1,
                n => n,
            };
            out.push(Token { line: index + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    out
}

enum Frame {
    Module { is_test: bool },
    Function { index: usize },
    Other,
}

struct Walk<'a> {
    tokens: &'a [Token],
    frames: Vec<Frame>,
    items: Items,
}

impl Walk<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.text.as_str())
    }

    fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(0, |t| t.line)
    }

    fn run(mut self, file_depth: usize) -> Items {
        let (mut next, mut round, mut marked_test) = (None, 0_i32, false);
        let mut at = 0;
        while at < self.tokens.len() {
            match self.text(at) {
                "#" if matches!(self.text(at + 1), "[") => {
                    let (end, test) = self.attribute(at + 1);
                    marked_test |= test;
                    at = end;
                }
                "mod" if is_name(self.text(at + 1)) => {
                    self.items.modules.push((self.text(at + 1).to_owned(), self.line(at)));
                    next = Some(Frame::Module { is_test: marked_test });
                }
                "fn" if is_name(self.text(at + 1)) => {
                    let is_test = marked_test || self.frames.iter().any(|f| matches!(f, Frame::Module { is_test: true }));
                    let (name, line) = (self.text(at + 1).to_owned(), self.line(at));
                    self.items.functions.push(Function { name, line, lines: 1, is_test });
                    next = Some(Frame::Function { index: self.items.functions.len() - 1 });
                }
                "(" | "[" => round += 1,
                ")" | "]" => round -= 1,
                ";" if round == 0 => (next, marked_test) = (None, false),
                "{" => {
                    self.frames.push(next.take().unwrap_or(Frame::Other));
                    marked_test = false;
                }
                "}" => self.close(at),
                "crate" if self.text(at + 1) == "::" => self.root(at + 2),
                "super" if at == 0 || self.text(at - 1) != "::" => self.climb(at, file_depth),
                _ => {}
            }
            at += 1;
        }
        self.items
    }

    /// From the `[` of an attribute to its `]`, and whether it says `test`, as `cfg(test)` and `tokio::test` do.
    fn attribute(&self, open: usize) -> (usize, bool) {
        let (mut depth, mut says_test, mut says_not) = (0, false, false);
        for at in open..self.tokens.len() {
            match self.text(at) {
                "[" => depth += 1,
                "]" => depth -= 1,
                "test" => says_test = true,
                "not" => says_not = true,
                _ => {}
            }
            if depth == 0 {
                return (at, says_test && !says_not);
            }
        }
        (self.tokens.len(), false)
    }

    fn close(&mut self, at: usize) {
        if let Some(Frame::Function { index }) = self.frames.pop() {
            let end = self.line(at);
            let function = &mut self.items.functions[index];
            function.lines = end - function.line + 1;
        }
    }

    fn climb(&mut self, at: usize, file_depth: usize) {
        let inline = self.frames.iter().filter(|f| matches!(f, Frame::Module { .. })).count();
        let mut end = at;
        let mut steps = 0;
        while self.text(end) == "super" && self.text(end + 1) == "::" {
            steps += 1;
            end += 2;
        }
        if steps > 0 && steps == file_depth + inline {
            self.root(end);
        }
    }

    /// What stands behind `crate::`: a name, or a group whose outermost names count.
    fn root(&mut self, at: usize) {
        if self.text(at) != "{" {
            return self.items.roots.push(RootPath { line: self.line(at), name: self.text(at).to_owned() });
        }
        let (mut depth, mut first) = (0, false);
        for at in at..self.tokens.len() {
            match self.text(at) {
                "{" => (depth, first) = (depth + 1, depth == 0),
                "}" => depth -= 1,
                "," => first = depth == 1,
                name if first => {
                    self.items.roots.push(RootPath { line: self.line(at), name: name.to_owned() });
                    first = false;
                }
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| is_word(b) && !b.is_ascii_digit())
}
