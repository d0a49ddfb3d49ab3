//! Each rule is shown something bad and must see it, and something good next to it and must let it pass.

use super::source::Source;
use super::*;

fn at(path: &str, raw: &str) -> Source {
    Source::new(path, raw)
}

fn assert_found(found: &[String], expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (line, part) in found.iter().zip(expected) {
        assert!(line.contains(part), "{line:?} does not say {part:?}");
    }
}

#[test]
fn arrows_point_only_up_the_table() {
    for (index, (name, targets)) in ARROWS.iter().enumerate() {
        assert_eq!(row(name), Some(index), "{name} has two rows");
        for target in targets.iter().filter(|t| **t != "app") {
            assert!(row(target).is_some_and(|up| up < index), "{name} -> {target} does not point up");
        }
        assert!(!targets.contains(&"app") || matches!(*name, "api" | "jobs"), "{name} may not name the App");
    }
}

#[test]
fn arrows_of_arrows_count() {
    assert!(reach("ticketing").is_superset(&BTreeSet::from(["risk", "catalogue", "ledger", "audit", "db", "money"])));
    assert!(reach("api").contains("interchange") && !reach("api").contains("gateways"));
    assert!(!reach("ledger").contains("agencies") && !reach("risk").contains("credit"));
    assert!(!reach("interchange").contains("db") && !reach("db").contains("ledger"));
    assert_eq!(reach("money"), BTreeSet::new());
}

#[test]
fn a_wrong_edge_is_found_however_it_is_written() {
    let bad = [
        "use crate::ticketing::issue;",
        "pub use crate::{\n  db::{self, Tx},\n  ticketing::issue,\n};",
        "fn f() { let x = crate::ticketing::number(); }",
        "use super::ticketing;",
        "mod inner { use super::super::ticketing; }",
        "macro_rules! m { () => { $crate::ticketing::x() } }",
        "use crate::{money, ticketing};",
    ];
    for raw in bad {
        assert_found(&arrows(&at("backend/src/ledger/mod.rs", raw)), &["`ledger` uses `crate::ticketing`"]);
    }
    let found = arrows(&at("backend/src/ledger/hold.rs", "\n\nuse super::super::credit::Advance;\n"));
    assert_found(&found, &["backend/src/ledger/hold.rs:3: `ledger` uses `crate::credit`: the arrow"]);
}

#[test]
fn a_right_edge_passes() {
    let good = "//! See crate::ticketing.\nuse crate::{db::{ticketing, Tx}, money::Money};\nuse super::chain;\n\
        pub(crate) fn f() -> &'static str { \"crate::ticketing\" }\n#[cfg(test)]\nmod tests { use super::*; use super::super::hold; }";
    assert_found(&arrows(&at("backend/src/ledger/chain.rs", good)), &[]);
    assert_found(&arrows(&at("backend/src/app.rs", "use crate::api; use crate::gateways;")), &[]);
    assert_found(&arrows(&at("backend/src/demo/seed.rs", "use crate::ticketing;")), &[]);
}

#[test]
fn unknown_modules_need_a_row() {
    assert_found(&arrows(&at("backend/src/loyalty/mod.rs", "")), &["`loyalty` has no row"]);
    assert_found(&arrows(&at("backend/src/ordering/mod.rs", "use crate::loyalty;")), &["no such module in ARROWS"]);
    assert_found(&arrows(&at("backend/src/ordering/mod.rs", "use crate::*;")), &["name the modules"]);
    assert_found(&arrows(&at("backend/src/ordering/mod.rs", "use crate::app::App;")), &["the arrow does not point that way"]);
    assert_found(&arrows(&at("backend/src/api/mod.rs", "use crate::app::App;")), &[]);
}

#[test]
fn outside_crates_stay_where_they_belong() {
    let cases = [
        ("actix_web", "ledger/mod", "api/orders"),
        ("actix_rt", "jobs/worker", "app"),
        ("actix_web", "gateways/bank/http", "gateways/bank/simulator/mod"),
        ("utoipa", "ordering/order", "api/orders"),
        ("lettre", "notify/webhook", "notify/mail"),
        ("reqwest", "notify/mail", "notify/webhook"),
        ("reqwest", "api/orders", "gateways/bank/http"),
        ("reqwest", "main", "demo/client"),
        ("actix_web", "apiary/mod", "gateways/bank/simulator"),
    ];
    for (word, wrong, right) in cases {
        let raw = format!("// {word}\nuse {word}::thing;\n");
        assert_found(&places(&at(&format!("backend/src/{wrong}.rs"), &raw)), &[&format!("{wrong}.rs:2: `{word}` only in")]);
        assert_found(&places(&at(&format!("backend/src/{right}.rs"), &raw)), &[]);
    }
}

#[test]
fn engines_are_named_only_in_db() {
    let bad = [
        "match tx { Db::Sqlite(c) => c }",
        "match tx { Db::Postgres(c) => c }",
        "insert.on_conflict_do_nothing()",
        "query.for_update()",
        "let sql = \"SELECT id FROM account FOR UPDATE\";",
        "let sql = r#\"INSERT INTO k VALUES ($1) ON CONFLICT DO NOTHING\"#;",
        "fn f(c: &mut SqliteConnection) {}",
        "use diesel::PgConnection;",
    ];
    for raw in bad {
        assert_found(&places(&at("backend/src/ledger/repo.rs", raw)), &["only in db"]);
        assert_found(&places(&at("backend/src/db/dialect.rs", raw)), &[]);
    }
    assert_found(&places(&at("backend/src/ledger/repo.rs", "// locks with FOR UPDATE on PgConnection\n")), &[]);
}

#[test]
fn banned_names_are_found() {
    let bad =
        ["backend/src/util.rs", "backend/src/ledger/date_utils.rs", "backend/tests/common/mod.rs", "backend/src/service/x.rs"];
    for path in bad {
        assert_found(&names(path), &["banned name"]);
    }
    assert_found(&names("backend/src/ledger/posting.rs"), &[]);
    assert_found(&module_names(&at("backend/src/ledger/mod.rs", "\nmod helpers;\nmod hold;")), &["mod.rs:2: module `helpers`"]);
    assert_found(&module_names(&at("backend/src/ledger/mod.rs", "mod offer_manager { }")), &["`offer_manager`"]);
}

#[test]
fn long_files_and_functions_are_found() {
    let lines = |n: usize| "    f();\n".repeat(n);
    let function = |n: usize| format!("fn good() -> [u8; 2] {{}}\n\nfn long(x: [u8; 3]) {{\n{}}}\n", lines(n - 2));
    assert_found(&lengths(&at("backend/src/ledger/a.rs", &function(71))), &["a.rs:3: function `long` has 71 lines"]);
    assert_found(&lengths(&at("backend/src/ledger/a.rs", &function(70))), &[]);
    assert_found(&lengths(&at("backend/tests/api/a.rs", &function(71))), &[]);
    let tested = format!("#[cfg(test)]\nmod tests {{\n{}}}\n{}", function(71), function(72));
    assert_found(&lengths(&at("backend/src/ledger/a.rs", &tested)), &["function `long` has 72 lines"]);
    let untested = format!("#[cfg(not(test))]\nmod real {{\n{}}}\n", function(71));
    assert_found(&lengths(&at("backend/src/ledger/a.rs", &untested)), &["`long`"]);
    assert_found(&lengths(&at("backend/tests/api/a.rs", &"//\n".repeat(501))), &["501 lines, at most 500"]);
    assert_found(&lengths(&at("backend/src/db/schema.rs", &"//\n".repeat(501))), &[]);
    assert_found(&lengths(&at("backend/src/db/x.rs", &format!("// @generated\n{}", "//\n".repeat(501)))), &[]);
}

#[test]
fn braces_in_literals_and_comments_do_not_count() {
    let raw = "fn a<'a>(x: &'a str) { let c = ['{', '\\'', '\\u{7b}', '\u{2026}']; /* { /* } */ { */ let s = \"\\\"{\"; }\n\
        fn b() { let r = br##\"{\"#{\"##; let r#type = 1; } // {\n";
    let functions = at("backend/src/a.rs", raw).items().functions;
    let seen: Vec<_> = functions.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
    assert_eq!(seen, [("a", 1, 1), ("b", 2, 1)]);
}

#[test]
fn unfinished_work_is_found() {
    let source = at("backend/src/a.rs", "let none = \"XXX\";\n// FIXME: rounding\nfn f() { todo!() }\n/* XXX */\n");
    assert_found(&unfinished(&source), &["a.rs:2: `FIXME`", "a.rs:4: `XXX`", "a.rs:3: `todo!`"]);
    assert_found(&unfinished(&at("deploy/run", "echo\n# TODO later\n")), &["deploy/run:2: `TODO`"]);
    assert_found(&unfinished(&at("backend/src/a.rs", "//! mastodon, xxxl, \"todo\"\nlet todo = 1;")), &[]);
}

#[test]
fn a_lock_file_names_no_host() {
    let bad = "{\n \"resolved\": \"somewhere\"\n}";
    assert_found(&lock_file(&at("backend/tests/clients/x/package-lock.json", bad)), &["package-lock.json:2"]);
    assert_found(&lock_file(&at("backend/tests/clients/x/package.json", bad)), &[]);
}

#[test]
fn strangers_at_the_top_level_are_found() {
    let entries = ["Cargo.toml", "backend", "scripts", ".ci", "target", "NOTES.md"].map(str::to_owned);
    assert_found(&top_level(&entries, "/target\nnode_modules\n"), &["scripts:1", "NOTES.md:1"]);
}
