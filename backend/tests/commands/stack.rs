//! Everything that `deploy/run` starts, as processes of the built program, in a temporary folder.

use crate::postgres;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
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

pub struct Stack {
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
        Stack::with(folder, urls.clone(), urls)
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
        Stack { folder, port: free_port(), banks, owner, app, _running: running }
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
