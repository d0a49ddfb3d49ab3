//! Everything that `deploy/run` starts, as processes of the built program, in a temporary folder.

use crate::postgres;
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
    pub fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let urls = ["live", "test"].map(|name| format!("sqlite:{}", folder.path().join(name).with_extension("sqlite").display()));
        std::fs::write(folder.path().join("engine"), "sqlite").unwrap();
        Stack::with(folder, urls.clone(), urls)
    }

    /// On a cluster of its own, laid out as `deploy/run` does it.
    pub fn on_own_cluster() -> Self {
        let folder = TempDir::new().unwrap();
        // PostgreSQL may run as another user, who has to come through.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let cluster = folder.path().join("postgres");
        let (code, url) = run(deploy("postgres").arg("start").arg(&cluster));
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
        let server = Running(self.airsettle().arg("serve").stderr(Stdio::null()).spawn().unwrap());
        await_port(self.port);
        server
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
