//! What the load falls on: a data folder, the processes of `deploy/run`, and the yardstick's database.

use crate::http::Connection;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Sqlite => "SQLite",
        }
    }

    pub fn flag(self) -> &'static str {
        match self {
            Engine::Postgres => "--postgres",
            Engine::Sqlite => "--sqlite",
        }
    }
}

pub const AGENCIES: usize = 100;

/// Who sells: an agency's keys.
#[derive(Clone)]
pub struct Seller {
    pub keys: Vec<String>,
}

pub struct Stage {
    root: PathBuf,
    pub data: PathBuf,
    engine: Engine,
    yardstick_seconds: u64,
    cluster: String,
    pub port: u16,
    running: Option<Child>,
    pub sellers: Vec<Seller>,
    pub operator: String,
    pub runtime: tokio::runtime::Runtime,
}

impl Stage {
    /// A fresh demo world, seeded and stopped again, with everybody's keys; and the yardstick's tables.
    pub fn prepare(root: &Path, engine: Engine, yardstick_seconds: u64) -> Self {
        let data = root.join("target/bench").join(engine.name());
        let shared = root.join("target/bench/PostgreSQL/postgres");
        let _ = Command::new(root.join("deploy/postgres")).arg("stop").arg(&shared).output();
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut stage = Stage {
            root: root.to_owned(),
            data,
            engine,
            yardstick_seconds,
            cluster: String::new(),
            port: 21_000 + u16::try_from(std::process::id() % 9_000).unwrap(),
            running: None,
            sellers: Vec::new(),
            operator: String::new(),
            runtime,
        };
        stage.start();
        stage.enroll();
        stage.stop();
        stage.prepare_yardstick(&shared);
        stage
    }

    fn prepare_yardstick(&mut self, folder: &Path) {
        let script = self.root.join("deploy/postgres");
        let started = Command::new(&script).arg("start").arg(folder).arg("--durable").output().unwrap();
        self.cluster = String::from_utf8(started.stdout).unwrap().trim().to_owned();
        assert!(self.cluster.starts_with("postgres://"), "no cluster: {}", String::from_utf8_lossy(&started.stderr));
        let made = Command::new(&script).arg("database").arg(folder).arg("yardstick").status().unwrap();
        assert!(made.success());
        let known = pgbench().args(["-n", "-t", "1"]).arg(self.yardstick_url()).output().unwrap();
        if !known.status.success() {
            let made = pgbench().args(["-i", "-q", "-s", "50"]).arg(self.yardstick_url()).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
    }

    fn yardstick_url(&self) -> String {
        format!("{}/yardstick", self.cluster)
    }

    /// TPC-B transactions per second.
    pub fn yardstick(&self) -> f64 {
        let seconds = self.yardstick_seconds.to_string();
        let run = pgbench()
            .args(["-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", &seconds])
            .arg(self.yardstick_url())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("tps = ")).unwrap_or_else(|| panic!("pgbench: {text}"));
        line["tps = ".len()..].split(' ').next().unwrap().parse().unwrap()
    }

    /// After so many rows at once PostgreSQL has no statistics yet; a database that has filled up over months has.
    pub fn knows_its_rows(&self) {
        use diesel::Connection;
        use diesel::connection::SimpleConnection;
        if self.engine == Engine::Postgres {
            let owner = format!("{}/airsettle_live", self.cluster);
            diesel::PgConnection::establish(&owner).unwrap().batch_execute("VACUUM ANALYZE").unwrap();
        }
    }

    /// What the engine says of itself on a connection that was opened as the server opens its own.
    pub fn settings(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let asked = match self.engine {
            Engine::Postgres => {
                "SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) AS text FROM pg_settings WHERE name IN \
                 ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'max_wal_size', 'server_version')"
            }
            Engine::Sqlite => {
                "SELECT 'SQLite ' || sqlite_version() || ', journal_mode ' || (SELECT journal_mode FROM pragma_journal_mode) || \
                 ', synchronous ' || (SELECT synchronous FROM pragma_synchronous) || ' (2 is FULL; the writer''s log is synced beside it)' AS text"
            }
        };
        format!("{}; {cores} cores", self.ask::<Told>(asked).text)
    }

    fn ask<R>(&self, text: &str) -> R
    where
        R: diesel::QueryableByName<diesel::pg::Pg> + diesel::QueryableByName<diesel::sqlite::Sqlite> + 'static,
    {
        use diesel::RunQueryDsl;
        let config = airsettle::db::StoreConfig { url: self.database_url(), readers: 1, patience: Duration::from_secs(5) };
        let readers = airsettle::db::Readers::open(&config).unwrap();
        let rows: Vec<R> = readers
            .read(|db| match db {
                airsettle::db::Db::Sqlite(connection) => {
                    Ok::<_, airsettle::db::DbError>(diesel::sql_query(text).load(connection)?)
                }
                airsettle::db::Db::Postgres(connection) => Ok(diesel::sql_query(text).load(connection)?),
            })
            .unwrap();
        rows.into_iter().next().unwrap()
    }

    /// From starting the server to its first answer; everything else was there before.
    pub fn start(&mut self) -> Duration {
        let mut command = Command::new(self.root.join("deploy/run"));
        command.arg("--port").arg(self.port.to_string()).arg("--data").arg(&self.data);
        if self.engine == Engine::Postgres {
            command.arg("--postgres");
        }
        command.env("AIRSETTLE_BIN", env!("CARGO_BIN_EXE_airsettle")).env("RUST_LOG", "warn");
        command.env_remove("AIRSETTLE_TEST_POSTGRES");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("ready "));
        assert!(ready, "deploy/run ended before it was ready");
        std::thread::spawn(move || lines.for_each(drop));
        self.running = Some(child);
        self.started_in()
    }

    /// The server's own account: how long it took from its start until it answered.
    fn started_in(&self) -> Duration {
        let text = self.call("GET", "/metrics", &self.operator, None).1;
        let text = text.as_str().unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("airsettle_ready_seconds "));
        let seconds = line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse().ok());
        Duration::from_secs_f64(seconds.unwrap_or(0.0))
    }

    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        let _ = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(90);
        while child.try_wait().unwrap().is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    pub fn call(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> (u16, Value) {
        self.runtime.block_on(async {
            let mut connection = Connection::open(self.port).await;
            let once = format!("bench-{}", chrono::Utc::now().timestamp_nanos_opt().unwrap());
            let text = body.map(|data| json!({ "data": data }).to_string()).unwrap_or_default();
            let (status, answer) = connection.send(method, path, key, body.map(|_| once.as_str()), text.as_bytes()).await;
            let value = serde_json::from_slice(answer).unwrap_or_else(|_| json!(String::from_utf8_lossy(answer)));
            (status, value)
        })
    }

    fn must(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call("POST", path, &self.operator, Some(body));
        assert!(status == 200 || status == 201, "{path}: {status} {answer}");
        answer["data"].clone()
    }

    /// A hundred agencies with deposits and keys, and one more that sells alone.
    fn enroll(&mut self) {
        let text = std::fs::read_to_string(self.data.join("demo.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let keys = file["keys"].as_array().unwrap();
        let operator = keys.iter().find(|key| key["mode"] == "live" && key["organisation"] == "Airsettle Operations").unwrap();
        self.operator = operator["key"].as_str().unwrap().to_owned();
        let today = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Shanghai).date_naive().to_string();
        for number in 0..=AGENCIES {
            let name = format!("Bench Travel {number}");
            let organisation = self.must("/v1/organisations", &json!({ "kind": "agency", "name": name, "country": "CN" }));
            let base = 1_000_000 + u64::try_from(number).unwrap();
            let agency = self.must(
                "/v1/agencies",
                &json!({ "organisation_id": organisation["id"], "numeric_code": format!("{base}{}", base % 7), "name": name, "country": "CN",
                    "time_zone": "Asia/Shanghai", "currency": "CNY" }),
            );
            self.must(
                "/v1/contracts",
                &json!({ "agency_id": agency["id"], "currency": "CNY", "effective_from": today, "commission_rate": "0.03",
                    "commission_base": "price", "fee_rate": "0.005", "tax_remitter": "platform", "payment_days": 7, "clawback": "full",
                    "fee_on_refund": "refunded", "airline_return": "set_off" }),
            );
            self.must(
                "/v1/bank_receipts",
                &json!({ "account": "client", "amount": "100000000000.00", "currency": "CNY", "value_date": today,
                    "bank_reference": format!("BENCH-{number}"), "purpose": "deposit", "agency_id": agency["id"] }),
            );
            let count = if number == AGENCIES { 12 } else { 1 };
            let key = |_| {
                let made = self.must(
                    "/v1/keys",
                    &json!({ "organisation_id": organisation["id"], "name": "bench", "scopes": ["air:read", "air:write"] }),
                );
                made["secret"].as_str().unwrap().to_owned()
            };
            let seller = Seller { keys: (0..count).map(key).collect() };
            self.sellers.push(seller);
        }
        self.must(
            "/v1/limit_policies",
            &json!({ "effective_from": today, "deposit_multiplier": "1", "cap_amount": "90000000000.00", "cap_currency": "CNY" }),
        );
        self.raise_limits();
    }

    /// A line that nothing exhausts, in place of the demo's.
    fn raise_limits(&self) {
        let lines = self.call("GET", "/v1/facilities", &self.operator, None).1;
        for line in lines["data"].as_array().unwrap() {
            let path = format!("/v1/facilities/{}/actions/set_limit", line["id"].as_str().unwrap());
            self.must(&path, &json!({ "limit_amount": "0.00", "limit_currency": "CNY" }));
        }
        let bank = &lines["data"][0]["organisation_id"];
        let line = json!({ "organisation_id": bank, "name": "Bench line", "limit_amount": "50000000000000.00", "limit_currency": "CNY",
            "debit_account": "line-CNY-bench", "base_rate": "0.03", "margin_rate": "0.03", "day_count": "ACT/360",
            "max_unconfirmed": 1_000_000, "max_unresolved_secs": 86_400 });
        self.must("/v1/facilities", &line);
        println!(
            "{}: raised for this run: line 50000000000000.00 CNY, 1000000 advances in flight for up to 86400 s; {AGENCIES}+1 agencies with a limit of 90000000000.00 CNY each",
            self.engine.name()
        );
    }

    /// The live database as the server opens it.
    pub fn database_url(&self) -> String {
        match self.engine {
            Engine::Sqlite => format!("sqlite:{}", self.data.join("live.sqlite").display()),
            Engine::Postgres => format!("{}/airsettle_live", self.cluster.replace("airsettle_owner", "airsettle_app")),
        }
    }

    fn server_pid(&self) -> u32 {
        let found = Command::new("pgrep").args(["-f", "airsettle serve"]).output().unwrap();
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        let listens = |pid: &&str| {
            std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
                let wanted = format!("AIRSETTLE_LISTEN=127.0.0.1:{}", self.port);
                environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
            })
        };
        text.lines().find(listens).unwrap().parse().unwrap()
    }

    pub fn resident_megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server_pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
    }

    /// Counted, not remembered.
    pub fn tickets(&self) -> u64 {
        u64::try_from(self.ask::<Counted>("SELECT COUNT(*) AS count FROM ticket").count).unwrap()
    }
}

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[derive(diesel::QueryableByName)]
struct Told {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
        let folder = self.root.join("target/bench/PostgreSQL/postgres");
        let _ = Command::new(self.root.join("deploy/postgres")).arg("stop").arg(folder).output();
    }
}

fn pgbench() -> Command {
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let newest = installed.map(|version| version.path().join("bin/pgbench")).filter(|path| path.exists()).max();
    Command::new(newest.unwrap_or_else(|| "pgbench".into()))
}
