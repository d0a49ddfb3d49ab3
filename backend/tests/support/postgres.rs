//! PostgreSQL for tests: databases of their own, cheap and thrown away.
//!
//! `deploy/test` starts one cluster for the run and names it in `AIRSETTLE_TEST_POSTGRES`, the owner's URL without a
//! database. Where that is missing (a bare `cargo test`), the first caller in the process starts a private cluster through
//! `deploy/postgres`, and a guard process removes it when this process is gone, however it ends. nextest runs each test in
//! its own process: then start a cluster once and export the variable, or every test pays a second for one.
//!
//! Administration goes through `psql`, so that the harness is no second client library.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const VARIABLE: &str = "AIRSETTLE_TEST_POSTGRES";

/// The shared cluster's URL as owner, without a database: `postgres://airsettle_owner@127.0.0.1:PORT`.
pub fn cluster_url() -> &'static str {
    &shared().url
}

/// A new database, a copy of `template` if one is named, and its URL as owner. It needs no removal: a later test process
/// drops the databases of those that are gone.
pub fn fresh_database(template: Option<&str>) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    if number == 0 {
        drop_databases_of_the_dead();
    }
    let name = format!("t_{}_{number}", std::process::id());
    let copy = template.map(|t| format!(" TEMPLATE {t}")).unwrap_or_default();
    // Left by an earlier process of the same id.
    execute(&admin_url(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    execute(&admin_url(), &format!("CREATE DATABASE {name}{copy}"));
    format!("{}/{name}", cluster_url())
}

/// Makes the database `name` once per cluster, whichever process comes first, by calling `fill` with the owner's URL of an
/// empty database; the others wait and use it. `fill` must close its connections before it returns. Returns `name`, to be
/// given to `fresh_database`. A cluster that outlives the run wants a name that changes with what `fill` does.
pub fn template(name: &str, fill: impl FnOnce(&str)) -> &str {
    let file = std::fs::File::create(shared().folder.join(format!("{name}.lock"))).expect("lock file");
    file.lock().expect("lock");
    let known = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    if execute(&admin_url(), &known) == "0" {
        let unfinished = format!("{name}_unfinished");
        execute(&admin_url(), &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"));
        execute(&admin_url(), &format!("CREATE DATABASE {unfinished}"));
        fill(&format!("{}/{unfinished}", cluster_url()));
        execute(&admin_url(), &format!("ALTER DATABASE {unfinished} RENAME TO {name}"));
    }
    name
}

/// The same database as the role that the application runs as.
pub fn as_app(owner_url: &str) -> String {
    owner_url.replacen("://airsettle_owner", "://airsettle_app", 1)
}

/// Runs one statement through `psql`; what it prints, unaligned.
pub fn execute(url: &str, sql: &str) -> String {
    try_execute(url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// As `execute`; the error is what `psql` says.
pub fn try_execute(url: &str, sql: &str) -> Result<String, String> {
    let mut command = Command::new(psql());
    command.args(["-X", "-q", "-t", "-A", "-w", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]);
    let output = command.stdin(Stdio::null()).output().expect("psql starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing is synced: fast, and enough for every test but those of a crash.
    Off,
    /// As in production. The role's password is part of the URL.
    On,
}

/// A cluster of one's own, for a test that stops or kills the server. It is gone when dropped, or when the process is.
pub struct Cluster {
    folder: PathBuf,
    durability: Durability,
    url: String,
    guard: Child,
}

impl Cluster {
    pub fn start(durability: Durability) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("airsettle-postgres-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the cluster");
        let guard = guard(&folder);
        let url = start(&folder, durability);
        Self { folder, durability, url, guard }
    }

    /// The owner's URL without a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Creates a database in this cluster and returns its URL as owner.
    pub fn database(&self, name: &str) -> String {
        run(script().arg("database").arg(&self.folder).arg(name));
        format!("{}/{name}", self.url)
    }

    /// The server is gone at once, as after a power cut: no checkpoint, no goodbye to clients.
    pub fn crash(&self) {
        run(script().arg("stop").arg(&self.folder).arg("immediate"));
    }

    /// Starts again on the same port, with recovery if it crashed.
    pub fn restart(&self) {
        let url = start(&self.folder, self.durability);
        assert_eq!(url, self.url, "the port was taken meanwhile");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

struct Shared {
    url: String,
    /// Where the lock files of the templates lie: common to all processes that use the cluster, and removed after it.
    folder: PathBuf,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) if !url.is_empty() => Shared { url: url.trim_end_matches('/').to_owned(), folder: std::env::temp_dir() },
        _ => {
            // Kept until the process ends: the guard waits for its end of the pipe to close.
            static OWN: OnceLock<Cluster> = OnceLock::new();
            let own = OWN.get_or_init(|| Cluster::start(Durability::Off));
            Shared { url: own.url.clone(), folder: own.folder.clone() }
        }
    })
}

fn admin_url() -> String {
    format!("{}/postgres", cluster_url())
}

/// Bounded, so that no test pays for a long queue of others; what another process drops first is not an error.
fn drop_databases_of_the_dead() {
    if !Path::new("/proc/self").exists() {
        return;
    }
    let names = execute(&admin_url(), "SELECT datname FROM pg_database WHERE datname LIKE 't\\_%' ORDER BY oid");
    let is_dead = |name: &&str| {
        let pid = name.split('_').nth(1).unwrap_or_default();
        !pid.is_empty() && !Path::new("/proc").join(pid).exists()
    };
    for name in names.lines().filter(is_dead).take(4) {
        let _ = try_execute(&admin_url(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }
}

fn script() -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").join("deploy/postgres");
    let mut command = Command::new("bash");
    command.arg(path);
    command
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("bash starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn start(folder: &Path, durability: Durability) -> String {
    let mut command = script();
    command.arg("start").arg(folder);
    if durability == Durability::On {
        command.arg("--durable");
    }
    run(&mut command)
}

/// A process that waits for its standard input to close, which the system sees to even when this process is killed.
fn guard(folder: &Path) -> Child {
    use std::os::unix::process::CommandExt;
    let mut command = script();
    command.arg("guard").arg(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("bash starts")
}

fn psql() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        folders.extend(installed.map(|version| version.path().join("bin")));
        let found = folders.into_iter().map(|f| f.join("psql")).find(|p| p.is_file());
        found.expect("psql is not installed: deploy/install postgres")
    })
}
