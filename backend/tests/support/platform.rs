//! A whole platform for tests over HTTP: both modes, their bank simulators, the jobs and the server on a free port, filled with the demo world.

use super::postgres;
use airsettle::app::Platform;
use airsettle::config::{Config, ModeConfig, Receivers};
use airsettle::demo::{DemoFile, Seeded, SignIn, seed_demo, seed_people};
use airsettle::gateways::bank::callback::CallbackSecret;
use airsettle::gateways::bank::simulator::{self, RunningSimulator, SimulatorConfig};
use airsettle::{api, jobs};
use reqwest::Method;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const BEIJING: &str = "Beijing Blue Sky Travel";
pub const SHANGHAI: &str = "Shanghai Harbour Travel";
pub const GUANGZHOU: &str = "Guangzhou Pearl Tours";
pub const OPERATOR: &str = "Airsettle Operations";
pub const BANK: &str = "Huangpu Commercial Bank";
pub const CALLBACK_SECRET: &str = "0123456789abcdef0123456789abcdef";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Makes one test per engine: `on_both_engines! { fn name(world) { … } }`.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* fn $name:ident($world:ident) $body:block)+) => {
        $(
            $(#[$attribute])*
            mod $name {
                use super::*;
                fn run($world: &$crate::platform::World) $body
                #[test]
                fn sqlite() { run(&$crate::platform::World::new($crate::platform::Engine::Sqlite)); }
                #[test]
                fn postgres() { run(&$crate::platform::World::new($crate::platform::Engine::Postgres)); }
            }
        )+
    };
}

pub struct World {
    pub url: String,
    pub platform: Arc<Platform>,
    pub bank: RunningSimulator,
    pub test_bank: RunningSimulator,
    pub test_database: String,
    config: Config,
    keys: Vec<Seeded>,
    people: OnceLock<Vec<SignIn>>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
}

/// An answer: status, body and headers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub fn data(&self) -> &Value {
        &self.body["data"]
    }

    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["code"].as_str().unwrap_or_default()
    }

    pub fn pointer(&self) -> &str {
        self.body["errors"][0]["source"]["pointer"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.body);
        self
    }
}

impl World {
    pub fn new(engine: Engine) -> Self {
        let world = World::without_jobs(engine);
        for app in world.platform.apps() {
            jobs::start(app).unwrap();
        }
        world
    }

    /// Nothing runs by itself: for tests that do it step by step.
    pub fn without_jobs(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        let urls = match engine {
            Engine::Sqlite => {
                ["live", "test"].map(|name| format!("sqlite:{}", folder.path().join(name).with_extension("sqlite").display()))
            }
            Engine::Postgres => {
                let migrated = postgres::template("migrated", |url| {
                    airsettle::db::migrate(url).unwrap();
                });
                [(); 2].map(|()| postgres::as_app(&postgres::fresh_database(Some(migrated))))
            }
        };
        let bank = |name: &str| {
            let secret = CallbackSecret::parse(CALLBACK_SECRET).unwrap();
            let (_, running) = simulator::start(&SimulatorConfig::new(folder.path().join(name), secret)).unwrap();
            running
        };
        let (bank, test_bank) = (bank("bank"), bank("bank-test"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap();
        let url = format!("http://{listen}");
        let mode =
            |database: &String, bank: &RunningSimulator| ModeConfig { database_url: database.clone(), bank_url: bank.base_url() };
        let config = Config {
            live: mode(&urls[0], &bank),
            test: mode(&urls[1], &test_bank),
            listen,
            data: folder.path().to_owned(),
            public_url: url.clone(),
            bank_callback_secret: CALLBACK_SECRET.to_owned(),
            master_key: "07".repeat(32),
            zone: chrono_tz::Asia::Shanghai,
            receivers: Receivers::Local,
            smtp_url: None,
            confirm_from: 50_000,
            mail_from: "Airsettle <billing@airsettle.example>".into(),
        };
        let platform = Arc::new(Platform::open(&config).unwrap());
        let mut keys = Vec::new();
        for app in platform.apps() {
            keys.extend(seed_demo(app).unwrap());
        }
        let (served, public_url) = (platform.clone(), url.clone());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move { api::server::serve(served, &public_url, listener).unwrap().await })
        });
        let [_, test_database] = urls;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        World { url, platform, bank, test_bank, test_database, config, keys, people: OnceLock::new(), http, runtime, folder }
    }

    /// The database of test mode in live use, by another node whose e-mail leaves by this server.
    pub fn in_earnest(&self, smtp_url: &str) -> Platform {
        let (live, test) = (self.config.test.clone(), self.config.live.clone());
        let data = self.folder().join("in-earnest");
        let smtp_url = Some(smtp_url.to_owned());
        Platform::open(&Config { live, test, data, smtp_url, ..self.config.clone() }).unwrap()
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// As `airsettle seed` leaves them for those who come after it.
    pub fn writes_keys(&self) {
        let file = DemoFile { url: self.url.clone(), keys: self.keys.clone(), sign_ins: Vec::new() };
        airsettle::demo::write_demo(self.folder(), &file).unwrap();
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The live key of an organisation.
    pub fn key(&self, of: &str) -> String {
        self.key_in("live", of)
    }

    pub fn key_in(&self, mode: &str, of: &str) -> String {
        let known = self.keys.iter().find(|key| key.organisation == of && key.mode == mode);
        known.unwrap_or_else(|| panic!("no {mode} key of {of}")).key.clone()
    }

    /// The organisation of the one airline that has a key.
    pub fn airline(&self) -> String {
        let others = [BEIJING, SHANGHAI, GUANGZHOU, OPERATOR, BANK];
        let known = self.keys.iter().find(|key| !others.contains(&key.organisation.as_str()));
        known.unwrap().organisation.clone()
    }

    pub async fn send(&self, key: &str, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        self.ask(method, path, &headers, body).await
    }

    /// The same without a key.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, body, headers }
    }

    /// Everybody who can be signed in as, made when somebody is first asked for.
    pub fn people(&self) -> &[SignIn] {
        self.people.get_or_init(|| seed_people(&self.platform).unwrap())
    }

    pub fn person(&self, of: &str, role: &str) -> &SignIn {
        let known = self.people().iter().find(|one| one.organisation == of && one.roles == [role]);
        known.unwrap_or_else(|| panic!("no {role} of {of}"))
    }

    /// Without a key or a session.
    pub fn post_open(&self, path: &str, data: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.block_on(self.ask(Method::POST, path, &headers, Some(json!({ "data": data }).to_string())))
    }

    /// Signs somebody in.
    pub fn desk(&self, of: &str, role: &str) -> Desk<'_> {
        let person = self.person(of, role);
        self.sign_in(&person.email, &person.password)
    }

    #[track_caller]
    pub fn sign_in(&self, email: &str, password: &str) -> Desk<'_> {
        let answer = self.post_open("/v1/sessions", &json!({ "email": email, "password": password })).expect(201);
        Desk::of(self, &answer)
    }

    /// E-mail to somebody, the oldest first, as it left.
    pub fn mail_to(&self, email: &str) -> Vec<String> {
        let mut found: Vec<(std::time::SystemTime, String)> = Vec::new();
        for entry in std::fs::read_dir(self.folder().join("mail/live")).into_iter().flatten() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            if text.lines().any(|line| line == format!("To: {email}")) {
                found.push((entry.metadata().unwrap().modified().unwrap(), text));
            }
        }
        found.sort();
        found.into_iter().map(|(_, text)| text).collect()
    }

    pub fn get(&self, key: &str, path: &str) -> Answer {
        self.block_on(self.send(key, Method::GET, path, &[], None))
    }

    /// Posts `{"data": data}`.
    pub fn post(&self, key: &str, path: &str, data: &Value) -> Answer {
        self.post_with(key, path, &[], data)
    }

    pub fn post_with(&self, key: &str, path: &str, headers: &[(&str, &str)], data: &Value) -> Answer {
        self.block_on(self.send(key, Method::POST, path, headers, Some(json!({ "data": data }).to_string())))
    }

    /// Asks until the answer is as wanted; the platform works while we wait.
    #[track_caller]
    pub fn await_that(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < until, "in vain: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Both proofs, on the live ledger.
    #[track_caller]
    pub fn prove(&self) {
        use airsettle::db::DbError;
        let store = &self.platform.live.store;
        let (ledger, sales) = store
            .snapshot(|db| {
                let ledger = airsettle::ledger::verify(db, &std::collections::BTreeMap::new())?;
                airsettle::settlement::verify_settlement(db)?.unwrap();
                Ok::<_, DbError>((ledger, airsettle::ticketing::verify_sales(db)?))
            })
            .unwrap();
        ledger.unwrap();
        sales.unwrap();
    }
}

/// Somebody who is signed in, with the browser's cookie.
pub struct Desk<'w> {
    world: &'w World,
    pub cookie: String,
}

impl<'w> Desk<'w> {
    /// From the answer to a sign-in.
    pub fn of(world: &'w World, answer: &Answer) -> Self {
        let set = answer.header("set-cookie").unwrap();
        Desk { world, cookie: set.split(';').next().unwrap().to_owned() }
    }

    pub fn send(&self, method: Method, path: &str, more: &[(&str, &str)], data: Option<&Value>) -> Answer {
        let mut headers = vec![("cookie", self.cookie.as_str()), ("airsettle-desk", "1"), ("origin", self.world.url.as_str())];
        headers.extend(more);
        if data.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = data.map(|data| json!({ "data": data }).to_string());
        self.world.block_on(self.world.ask(method, path, &headers, body))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None)
    }

    pub fn post(&self, path: &str, data: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(data))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None)
    }
}
