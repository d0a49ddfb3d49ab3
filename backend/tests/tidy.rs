//! Holds the source tree to its shape: which module may use which, where engines and outside crates may be named, what a
//! file may be called and how long it may get. Every rule is fed a bad snippet below, so that none can fall asleep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "tidy/source.rs"]
mod source;

use source::Source;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Usable by every module that stands below it in `ARROWS`.
const GROUND: &[&str] = &["money", "clock", "ids"];

/// Which module may use which. An arrow also allows everything that its target may use. Arrows point only at rows further
/// up, so there can be no cycle. A new top-level module must be given a row here.
const ARROWS: &[(&str, &[&str])] = &[
    ("money", &[]),
    ("clock", &[]),
    ("ids", &[]),
    ("config", &[]),
    // Leaves that know no domain and no database.
    ("interchange", &[]),
    ("gateways", &[]),
    // The database, and what every domain writes beside its own rows.
    ("db", &[]),
    ("audit", &["db"]),
    ("notify", &["db"]),
    ("approvals", &["audit", "notify"]),
    // Who trades with whom, on double entry.
    ("ledger", &["approvals"]),
    ("documents", &["approvals"]),
    ("identity", &["ledger"]),
    ("agencies", &["ledger", "documents"]),
    ("airlines", &["ledger", "documents"]),
    // From the price to the ticket.
    ("catalogue", &["agencies", "airlines", "identity"]),
    ("commission", &["catalogue"]),
    ("shopping", &["catalogue"]),
    ("ordering", &["shopping"]),
    ("risk", &["agencies", "airlines", "identity"]),
    ("credit", &["risk"]),
    ("ticketing", &["ordering", "credit", "commission", "interchange"]),
    // After the sale.
    ("settlement", &["ticketing", "interchange"]),
    ("reconciliation", &["ticketing", "interchange"]),
    // The edges of the process. Both are handed the App.
    ("jobs", &["settlement", "reconciliation", "gateways", "config", "app"]),
    ("api", &["settlement", "reconciliation", "config", "app"]),
];

/// What wires the house together may use everything. Only `jobs` and `api` may name `app`: it starts them and they are
/// handed it, the one knot in the house.
const WIRING: &[&str] = &["main", "lib", "app", "demo"];

/// Words that may stand only in some places: a whole name, or with `*` the beginning of one.
const PLACES: &[(&[&str], &[&str])] = &[
    (&["actix_*"], &["api", "app", "gateways/bank/simulator"]),
    (&["utoipa*"], &["api"]),
    (&["lettre"], &["notify/mail"]),
    (&["reqwest"], &["gateways", "notify/webhook", "demo"]),
    (&["on_conflict*", "for_update", "SqliteConnection", "PgConnection"], &["db"]),
];

/// Engine names that are not one word; sought in code and in strings.
const ENGINE_PHRASES: &[&str] = &["Db::Sqlite", "Db::Postgres", "FOR UPDATE", "ON CONFLICT"];

const BANNED_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "managers", "service", "services"];
const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "backend", "agent-portal", "migrations", "fixtures", "deploy", "README.md"];
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];
const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;

type Findings = Vec<String>;

/// The file's place below `backend/src`, without the extension: `ledger/hold`, `app`.
fn place(source: &Source) -> Option<&str> {
    let inside = source.path.strip_prefix("backend/src/")?.strip_suffix(".rs")?;
    Some(inside.strip_suffix("/mod").unwrap_or(inside))
}

fn module(place: &str) -> &str {
    place.split('/').next().unwrap_or(place)
}

fn is_at(place: &str, allowed: &[&str]) -> bool {
    allowed.iter().any(|a| place.strip_prefix(a).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn row(module: &str) -> Option<usize> {
    ARROWS.iter().position(|(name, _)| *name == module)
}

/// Everything that a module may use, arrows of arrows included.
fn reach(module: &str) -> BTreeSet<&'static str> {
    let mut open: Vec<&'static str> = ARROWS.iter().find(|(name, _)| *name == module).map_or(&[][..], |r| r.1).to_vec();
    open.extend(GROUND.iter().filter(|ground| row(ground) < row(module)));
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        if seen.insert(next)
            && let Some((_, arrows)) = ARROWS.iter().find(|(name, _)| *name == next)
        {
            open.extend(*arrows);
        }
    }
    seen
}

fn arrows(source: &Source) -> Findings {
    let Some(place) = place(source) else { return Vec::new() };
    let from = module(place);
    if WIRING.contains(&from) {
        return Vec::new();
    }
    if row(from).is_none() {
        return vec![format!("{}:1: module `{from}` has no row in ARROWS", source.path)];
    }
    let reach = reach(from);
    let wrong = source.items().roots.into_iter().filter(|to| to.name != from && !reach.contains(to.name.as_str()));
    wrong
        .map(|to| {
            let known = row(&to.name).is_some() || WIRING.contains(&to.name.as_str());
            let why = match to.name.as_str() {
                "*" | "self" => "the whole crate is imported: name the modules",
                _ if known => "the arrow does not point that way",
                _ => "no such module in ARROWS",
            };
            format!("{}:{}: `{from}` uses `crate::{}`: {why}", source.path, to.line, to.name)
        })
        .collect()
}

fn matches(word: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(word == pattern, |start| word.starts_with(start))
}

fn places(source: &Source) -> Findings {
    let Some(place) = place(source) else { return Vec::new() };
    let mut found = Vec::new();
    for (words, allowed) in PLACES.iter().filter(|(_, allowed)| !is_at(place, allowed)) {
        for token in source.tokens.iter().filter(|t| words.iter().any(|w| matches(&t.text, w))) {
            found.push(format!("{}:{}: `{}` only in {}", source.path, token.line, token.text, allowed.join(", ")));
        }
    }
    if !is_at(place, &["db"]) {
        for (index, line) in source.text.lines().enumerate() {
            for phrase in ENGINE_PHRASES.iter().filter(|p| line.contains(**p)) {
                found.push(format!("{}:{}: `{phrase}` only in db", source.path, index + 1));
            }
        }
    }
    found
}

fn is_banned(name: &str) -> bool {
    name.split(['_', '-', '.']).any(|part| BANNED_NAMES.contains(&part.to_ascii_lowercase().as_str()))
}

fn names(path: &str) -> Findings {
    let banned = path.split('/').filter(|part| is_banned(part));
    banned.map(|part| format!("{path}:1: `{part}` is a banned name: say what is in it")).collect()
}

fn module_names(source: &Source) -> Findings {
    let banned = source.items().modules.into_iter().filter(|(name, _)| is_banned(name));
    banned.map(|(name, line)| format!("{}:{line}: module `{name}` is a banned name: say what is in it", source.path)).collect()
}

fn lengths(source: &Source) -> Findings {
    let generated = source.path.ends_with("/schema.rs") || source.raw.lines().take(3).any(|l| l.contains("@generated"));
    if generated {
        return Vec::new();
    }
    let mut found = Vec::new();
    let lines = source.raw.lines().count();
    if lines > FILE_LINES {
        found.push(format!("{}:{lines}: {lines} lines, at most {FILE_LINES}: split by noun or verb", source.path));
    }
    let is_test_file = !source.path.starts_with("backend/src/") || source.path.ends_with("/tests.rs");
    let long = source.items().functions.into_iter().filter(|f| f.lines > FUNCTION_LINES && !f.is_test && !is_test_file);
    found.extend(
        long.map(|f| {
            format!("{}:{}: function `{}` has {} lines, at most {FUNCTION_LINES}", source.path, f.line, f.name, f.lines)
        }),
    );
    found
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

/// In Rust the marks are sought in comments only: the last one is also a currency code, which stands in strings.
fn unfinished(source: &Source) -> Findings {
    let is_rust = source.path.ends_with(".rs");
    let text = if is_rust { &source.comments } else { &source.raw };
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for mark in UNFINISHED.iter().filter(|m| has_word(line, m)) {
            found.push(format!("{}:{}: `{mark}`: finish it or leave it out", source.path, index + 1));
        }
    }
    let calls = source.tokens.windows(2).filter(|pair| is_rust && pair[0].text == "todo" && pair[1].text == "!");
    found.extend(calls.map(|pair| format!("{}:{}: `todo!`: finish it or leave it out", source.path, pair[0].line)));
    found
}

/// A lock file names no registry host: `resolved` would pin the mirror that it was made from.
fn lock_file(source: &Source) -> Findings {
    if !source.path.ends_with("package-lock.json") {
        return Vec::new();
    }
    let hosts = source.raw.lines().enumerate().filter(|(_, line)| line.contains("\"resolved\""));
    hosts.map(|(index, _)| format!("{}:{}: `resolved` names a registry host", source.path, index + 1)).collect()
}

/// `ignored` are the lines of `.gitignore`: what is never committed may lie about.
fn top_level(entries: &[String], ignored: &str) -> Findings {
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let known = |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name) || ignored.contains(&name);
    entries.iter().filter(|name| !known(name)).map(|name| format!("{name}:1: nothing else at the top level")).collect()
}

fn rust_rules(source: &Source) -> Findings {
    [arrows, places, module_names, lengths].iter().flat_map(|rule| rule(source)).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "node_modules" | "target" | "dist" | ".git") {
                walk(&path, out);
            }
        } else {
            out.push(path);
        }
    }
}

fn tree() -> Vec<(String, PathBuf)> {
    let root = root();
    let mut files = Vec::new();
    for top in ["backend", "agent-portal", "migrations", "deploy", ".ci"] {
        walk(&root.join(top), &mut files);
    }
    files.sort();
    files.into_iter().map(|p| (p.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"), p)).collect()
}

#[test]
fn the_tree_is_tidy() {
    let mut found = Findings::new();
    let mut rust_files = 0;
    for (name, path) in tree() {
        if name.starts_with("backend/") || name.starts_with("agent-portal/") {
            found.extend(names(&name));
        }
        let Ok(raw) = std::fs::read_to_string(&path) else { continue };
        let source = Source::new(&name, &raw);
        found.extend(unfinished(&source));
        found.extend(lock_file(&source));
        if name.ends_with(".rs") {
            rust_files += 1;
            found.extend(rust_rules(&source));
        }
    }
    let entries: Vec<String> =
        std::fs::read_dir(root()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    found.extend(top_level(&entries, &std::fs::read_to_string(root().join(".gitignore")).unwrap_or_default()));
    assert!(rust_files > 5, "only {rust_files} Rust files were read: the walk is broken");
    assert!(found.is_empty(), "{} findings\n{}", found.len(), found.join("\n"));
}

#[path = "tidy/rules.rs"]
mod rules;
