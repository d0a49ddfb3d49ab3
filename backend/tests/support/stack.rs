//! Everything that `deploy/run` starts, as processes of the built program, in a temporary folder.
#![allow(dead_code)]

use crate::database::Engine;
use crate::postgres;
use diesel::connection::{Connection, SimpleConnection};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub fn airsettle() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airsettle"));
    command.env_remove("AIRSETTLE_TEST_POSTGRES").env_remove("AIRSETTLE_TEST_LONG").stdin(Stdio::null());
    command
}

/// Exit code and everything that was printed.
pub fn run(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// A process that ends with the test.
pub struct Running(Child);

impl Running {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// At once, as when its machine dies.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// It stands still and says nothing, as when its machine hangs.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    pub fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A script of `deploy`, with the program of this build.
pub fn deploy(script: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(script));
    command.env("AIRSETTLE_BIN", env!("CARGO_BIN_EXE_airsettle")).stdin(Stdio::null());
    command
}

/// A PostgreSQL cluster where `deploy/run` keeps it, that ends with the test.
struct OwnCluster(PathBuf);

impl Drop for OwnCluster {
    fn drop(&mut self) {
        run(deploy("postgres").arg("stop").arg(&self.0).arg("immediate"));
    }
}

pub struct Stack {
    cluster: Option<OwnCluster>,
    folder: TempDir,
    port: u16,
    banks: [u16; 2],
    owner: [String; 2],
    app: [String; 2],
    _running: Vec<Running>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn await_port(port: u16) {
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "nothing listens on port {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Stack {
    /// On a database of the shared cluster, or on files.
    pub fn on(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Stack::on_sqlite(),
            Engine::Postgres => Stack::on_postgres(),
        }
    }

    pub fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let files = folder.path().to_owned();
        Stack::on_sqlite_in(folder, &files)
    }

    /// With the databases in a folder of their own.
    pub fn on_sqlite_in(folder: TempDir, files: &Path) -> Self {
        let urls = ["live", "test"].map(|name| format!("sqlite:{}", files.join(name).with_extension("sqlite").display()));
        std::fs::write(folder.path().join("engine"), "sqlite").unwrap();
        Stack::with(folder, urls.clone(), urls)
    }

    /// On a cluster of its own, laid out as `deploy/run` does it.
    pub fn on_own_cluster() -> Self {
        Stack::on_cluster(&[])
    }

    /// On a cluster that syncs to disk, for what kills it.
    pub fn on_own_durable_cluster() -> Self {
        Stack::on_cluster(&["--durable"])
    }

    fn on_cluster(options: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        // PostgreSQL may run as another user, who has to come through.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let cluster = folder.path().join("postgres");
        let (code, url) = run(deploy("postgres").arg("start").arg(&cluster).args(options));
        assert_eq!(code, 0, "{url}");
        let owner = ["airsettle_live", "airsettle_test"].map(|name| {
            assert_eq!(run(deploy("postgres").arg("database").arg(&cluster).arg(name)).0, 0);
            format!("{}/{name}", url.trim())
        });
        let app = [postgres::as_app(&owner[0]), postgres::as_app(&owner[1])];
        std::fs::write(folder.path().join("engine"), "postgres").unwrap();
        Stack { cluster: Some(OwnCluster(cluster)), ..Stack::with(folder, owner, app) }
    }

    /// Kills a cluster of its own.
    pub fn stops_database(&self) {
        if let Some(OwnCluster(cluster)) = &self.cluster {
            assert_eq!(run(deploy("postgres").arg("stop").arg(cluster).arg("immediate")).0, 0);
        }
    }

    pub fn starts_database(&self) {
        if let Some(OwnCluster(cluster)) = &self.cluster {
            assert_eq!(run(deploy("postgres").arg("start").arg(cluster)).0, 0);
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The bank of the live mode.
    pub fn bank_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.banks[0])
    }

    pub fn on_postgres() -> Self {
        let owner = [postgres::fresh_database(None), postgres::fresh_database(None)];
        let app = [postgres::as_app(&owner[0]), postgres::as_app(&owner[1])];
        Stack::with(TempDir::new().unwrap(), owner, app)
    }

    /// The live database, as its owner.
    pub fn owner_url(&self) -> &str {
        &self.owner[0]
    }

    /// From now on the program reaches the live database through another port.
    pub fn goes_through(&mut self, port: u16) {
        let (before, after) = self.app[0].rsplit_once(':').unwrap();
        let (_, name) = after.split_once('/').unwrap();
        self.app[0] = format!("{before}:{port}/{name}");
    }

    pub fn database_port(&self) -> u16 {
        let after = self.owner[0].rsplit_once(':').unwrap().1;
        after.split_once('/').unwrap().0.parse().unwrap()
    }

    /// The only value of a query on the live database whose column is called `value`.
    pub fn number(&self, query: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Number {
            #[diesel(sql_type = BigInt)]
            value: i64,
        }
        match self.owner[0].strip_prefix("sqlite:") {
            Some(path) => {
                let mut db = SqliteConnection::establish(path).unwrap();
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut db).unwrap();
                sql_query(query).get_result::<Number>(&mut db).unwrap().value
            }
            None => postgres::execute(&self.owner[0], query).parse().unwrap(),
        }
    }

    /// The same for one that is text.
    pub fn text(&self, query: &str) -> String {
        #[derive(QueryableByName)]
        struct Words {
            #[diesel(sql_type = Text)]
            value: String,
        }
        match self.owner[0].strip_prefix("sqlite:") {
            Some(path) => {
                let mut db = SqliteConnection::establish(path).unwrap();
                sql_query(query).get_result::<Words>(&mut db).unwrap().value
            }
            None => postgres::execute(&self.owner[0], query),
        }
    }

    /// Runs a statement on the live database as its owner, beside the program.
    pub fn executes(&self, statement: &str) {
        match self.owner[0].strip_prefix("sqlite:") {
            Some(path) => {
                let mut db = SqliteConnection::establish(path).unwrap();
                db.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                db.batch_execute(statement).unwrap();
            }
            None => drop(postgres::execute(&self.owner[0], statement)),
        }
    }

    /// What a query on the test database finds, line by line; its column is called `value`.
    pub fn lines_of_test(&self, query: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Words {
            #[diesel(sql_type = Text)]
            value: String,
        }
        match self.owner[1].strip_prefix("sqlite:") {
            Some(path) => {
                let mut db = SqliteConnection::establish(path).unwrap();
                let rows: Vec<Words> = sql_query(query).load(&mut db).unwrap();
                rows.into_iter().map(|row| row.value).collect()
            }
            None => postgres::execute(&self.owner[1], query).lines().map(str::to_owned).collect(),
        }
    }

    /// The same as `executes` on the test database.
    pub fn executes_in_test(&self, statement: &str) {
        match self.owner[1].strip_prefix("sqlite:") {
            Some(path) => {
                let mut db = SqliteConnection::establish(path).unwrap();
                db.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                db.batch_execute(statement).unwrap();
            }
            None => drop(postgres::execute(&self.owner[1], statement)),
        }
    }

    /// Whether somebody could write to the file of the test database just now.
    pub fn test_file_is_free(&self) -> bool {
        let mut db = SqliteConnection::establish(self.owner[1].trim_start_matches("sqlite:")).unwrap();
        db.batch_execute("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK").is_ok()
    }

    /// What was being sent when its process died is asked about now, and not when its claim has run out.
    pub fn claims_run_out(&self) {
        self.executes("UPDATE outbox SET due_at = created_at WHERE done_at IS NULL");
    }

    pub fn seeded(self) -> Self {
        let (code, output) = run(&mut self.migrate());
        assert_eq!(code, 0, "{output}");
        let (code, output) = run(self.airsettle().args(["seed", "--demo", "--data"]).arg(self.data()));
        assert_eq!(code, 0, "{output}");
        self
    }

    fn with(folder: TempDir, owner: [String; 2], app: [String; 2]) -> Self {
        let banks = [free_port(), free_port()];
        let mut running = Vec::new();
        for (port, name) in banks.iter().zip(["bank", "bank-test"]) {
            let mut command = airsettle();
            command.args(["simulate", "bank", "--callback-secret", SECRET, "--listen", &format!("127.0.0.1:{port}"), "--data"]);
            running.push(Running(command.arg(folder.path().join(name)).stderr(Stdio::null()).spawn().unwrap()));
            await_port(*port);
        }
        Stack { cluster: None, folder, port: free_port(), banks, owner, app, _running: running }
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The program with the configuration of this stack.
    pub fn airsettle(&self) -> Command {
        let mut command = airsettle();
        command
            .env("AIRSETTLE_DATABASE_URL", &self.app[0])
            .env("AIRSETTLE_TEST_DATABASE_URL", &self.app[1])
            .env("AIRSETTLE_BANK_URL", format!("http://127.0.0.1:{}", self.banks[0]))
            .env("AIRSETTLE_TEST_BANK_URL", format!("http://127.0.0.1:{}", self.banks[1]))
            .env("AIRSETTLE_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("AIRSETTLE_DATA", self.data())
            .env("AIRSETTLE_BANK_CALLBACK_SECRET", SECRET)
            .env("AIRSETTLE_MASTER_KEY", "07".repeat(32));
        command
    }

    pub fn migrate(&self) -> Command {
        let mut command = self.airsettle();
        command.arg("migrate").env("AIRSETTLE_DATABASE_URL", &self.owner[0]).env("AIRSETTLE_TEST_DATABASE_URL", &self.owner[1]);
        command
    }

    pub fn serve(&self) -> Running {
        self.serves_by(self.airsettle().arg("serve"), self.port)
    }

    /// Another node on the same databases, with a folder of its own; and its port.
    pub fn serve_another(&self) -> (Running, u16) {
        let port = free_port();
        (self.serve_again(port), port)
    }

    /// The other node once more, after it was killed.
    pub fn serve_again(&self, port: u16) -> Running {
        self.serves_by(&mut self.another(port), port)
    }

    fn another(&self, port: u16) -> Command {
        let mut command = self.airsettle();
        command.arg("serve").env("AIRSETTLE_LISTEN", format!("127.0.0.1:{port}"));
        command.env("AIRSETTLE_DATA", self.data().join("other-node"));
        command
    }

    /// What it says goes to `server.log` in the folder.
    fn serves_by(&self, command: &mut Command, port: u16) -> Running {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.data().join("server.log")).unwrap();
        let server = Running(command.stderr(log).spawn().unwrap());
        await_port(port);
        server
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("server.log")).unwrap_or_default()
    }

    /// The program's own proof, with the anchor outside the database.
    pub fn verify(&self) -> (i32, String) {
        run(self.airsettle().arg("verify").arg("--anchor").arg(self.data().join("live.anchor")))
    }

    /// The same for the test mode.
    pub fn verify_test(&self) -> (i32, String) {
        let mut command = self.airsettle();
        command.env("AIRSETTLE_DATABASE_URL", &self.app[1]).env("AIRSETTLE_TEST_DATABASE_URL", &self.app[0]);
        run(command.arg("verify").arg("--anchor").arg(self.data().join("test.anchor")))
    }

    /// The folder of a cluster of its own.
    pub fn cluster(&self) -> &Path {
        &self.cluster.as_ref().unwrap().0
    }

    /// Waits until the live mode has anchored a head.
    pub fn await_seal(&self, patience: Duration) {
        let until = Instant::now() + patience;
        // Two seconds without a new line: everything sold so far is sealed.
        let lines = || std::fs::read_to_string(self.data().join("live.anchor")).map_or(0, |text| text.lines().count());
        let mut last = lines();
        loop {
            std::thread::sleep(Duration::from_millis(2_000));
            let now = lines();
            if now > 0 && now == last {
                return;
            }
            assert!(Instant::now() < until, "the chain was not sealed");
            last = now;
        }
    }
}
