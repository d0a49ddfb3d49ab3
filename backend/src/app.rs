//! One running mode: its store, clock, queue, bank and jobs. Test mode is another database with an `App` of its own in the same process;
//! no table knows which mode it belongs to.

use crate::audit::RequestBuffer;
use crate::catalogue::Catalogue;
use crate::clock::{Clock, ClockError, Timestamp};
use crate::config::{Config, ModeConfig, Receivers};
use crate::db::{Db, DbError, Store, StoreConfig, WriteTx, setting, store_setting};
use crate::documents::{Cabinet, CabinetError};
use crate::gateways::bank::BankGateway;
use crate::gateways::bank::callback::CallbackSecret;
use crate::gateways::bank::http::{HttpBank, HttpBankConfig};
use crate::identity::{KeyMode, RecentKeys};
use crate::jobs::hear_callback;
pub use crate::jobs::{CALLBACK_BYTES, CALLBACK_SIGNATURE, CallbackRefusal, Heard};
pub use crate::jobs::{Days, JobView, RunRow, Scheduled, job_views, request_run, runs_of};
use crate::ledger::Chart;
use crate::money::Money;
use crate::notify::{Loopback, MailConfig, MailError, Mailer, PlainHttp, ReceiverPolicy, Sender, SenderError, Streams};
use crate::ordering::{Vault, VaultError};
use crate::risk::velocity::Velocity;
use crate::ticketing::{IssueQueue, QueueConfig, RecentBases, current_overlay, refresh_velocity, schedule_version};
use chrono::Duration;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore};

/// Both modes and what they share.
pub struct Platform {
    pub live: Arc<App>,
    pub test: Arc<App>,
    /// Where people and clients reach it, without a slash at its end.
    pub public_url: String,
    /// From so many whole units of any currency on a person confirms a payment by a code.
    pub confirm_from: i64,
    /// So many passwords are checked at once: each takes a processor and 19 MB.
    pub hashing: Arc<Semaphore>,
}

const HASHED_AT_ONCE: usize = 4;

pub struct App {
    pub mode: KeyMode,
    pub store: Arc<Store>,
    pub chart: Arc<Chart>,
    pub queue: IssueQueue,
    pub velocity: Arc<Velocity>,
    pub bank: Arc<dyn BankGateway>,
    pub catalogue: Arc<Catalogue>,
    pub vault: Arc<Vault>,
    pub cabinet: Arc<Cabinet>,
    pub searches: crate::shopping::RecentSearches,
    pub keys: RecentKeys,
    pub bases: RecentBases,
    pub rules: crate::commission::RuleBook,
    /// Woken after a sale, so that its advance leaves at once.
    pub disbursing: Arc<Notify>,
    pub callback_secret: CallbackSecret,
    pub callback_url: String,
    /// The chain's heads outside the database.
    pub anchor: PathBuf,
    /// Tells apart the databases whose heads share an anchor.
    pub database_id: String,
    pub metrics: crate::jobs::Metrics,
    /// Delivers events.
    pub webhooks: Sender,
    pub mailer: Mailer,
    /// Those who follow the feeds.
    pub streams: Arc<Streams>,
    /// Lines for the request log.
    pub requests: RequestBuffer,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Migrate(#[from] crate::db::MigrateError),
    #[error("the database is not current: {0} pending; run `airsettle migrate`")]
    PendingMigrations(String),
    #[error(transparent)]
    Catalogue(#[from] crate::catalogue::CatalogueError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Cabinet(#[from] CabinetError),
    #[error("bank: {0}")]
    Bank(String),
    #[error("webhooks: {0}")]
    Webhooks(#[from] SenderError),
    #[error("e-mail: {0}")]
    Mail(#[from] MailError),
    #[error("metrics: {0}")]
    Metrics(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

const CLOCK_AHEAD: &str = "test_clock_ahead_micros";
const DATABASE_ID: &str = "database_id";
/// Changes of flights longer ago than this are of no interest to anybody.
const PAST_SCHEDULE_DAYS: i64 = 2;
/// Connections for reading, per mode.
const READERS: u32 = 8;

impl Platform {
    pub fn open(config: &Config) -> Result<Self, StartError> {
        std::fs::create_dir_all(&config.data)?;
        let vault = Arc::new(Vault::from_hex(&config.master_key)?);
        // A catalogue per mode: what airlines change in one is nothing to the other.
        let open = |mode, of: &ModeConfig| App::open(mode, of, config, Arc::new(Catalogue::load()?), vault.clone());
        Ok(Platform {
            live: open(KeyMode::Live, &config.live)?,
            test: open(KeyMode::Test, &config.test)?,
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            confirm_from: config.confirm_from,
            hashing: Arc::new(Semaphore::new(HASHED_AT_ONCE)),
        })
    }

    pub fn app(&self, mode: KeyMode) -> &Arc<App> {
        match mode {
            KeyMode::Live => &self.live,
            KeyMode::Test => &self.test,
        }
    }

    /// Whether a person shows a code for a payment of this amount.
    pub fn must_be_confirmed(&self, amount: Money) -> bool {
        let units = 10i64.saturating_pow(u32::from(amount.currency.exponent()));
        amount.minor >= self.confirm_from.saturating_mul(units)
    }

    /// Whether people reach it by TLS.
    pub fn is_tls(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    pub fn apps(&self) -> [&Arc<App>; 2] {
        [&self.live, &self.test]
    }
}

impl App {
    fn open(
        mode: KeyMode,
        of: &ModeConfig,
        config: &Config,
        catalogue: Arc<Catalogue>,
        vault: Arc<Vault>,
    ) -> Result<Arc<Self>, StartError> {
        bring_up_to_date(&of.database_url)?;
        let clock = match mode {
            KeyMode::Live => Clock::system(),
            KeyMode::Test => Clock::settable(Duration::zero()),
        };
        let store_config =
            StoreConfig { url: of.database_url.clone(), readers: READERS, patience: std::time::Duration::from_secs(5) };
        let store = Arc::new(Store::open(&store_config, clock, config.zone)?);
        restore_clock(&store, mode)?;
        let database_id = database_id(&store)?;
        let (chart, disbursing) = (Arc::new(Chart::default()), Arc::new(Notify::new()));
        let wake = disbursing.clone();
        let velocity = Arc::new(Velocity::default());
        refresh_velocity(&store, &catalogue, &velocity)?;
        let memory = (chart.clone(), velocity.clone());
        let queue = IssueQueue::start(store.clone(), memory, QueueConfig::default(), move || wake.notify_one())?;
        let bank = HttpBank::new(&HttpBankConfig::new(&of.bank_url)).map_err(|error| StartError::Bank(error.to_string()))?;
        let secret = CallbackSecret::parse(&config.bank_callback_secret);
        let callback_secret = secret.map_err(|error| StartError::Bank(error.to_string()))?;
        let name = mode.text();
        let cabinet = Arc::new(Cabinet::open(config.data.join("attachments").join(name), &config.master_key)?);
        let app = Arc::new(App {
            mode,
            store,
            chart,
            queue,
            velocity,
            bank: Arc::new(bank),
            catalogue,
            vault,
            cabinet,
            searches: crate::shopping::RecentSearches::default(),
            keys: RecentKeys::default(),
            bases: RecentBases::default(),
            rules: crate::commission::RuleBook::default(),
            disbursing,
            callback_secret,
            callback_url: format!("{}/v1/bank_callbacks/{name}", config.public_url),
            anchor: config.data.join(format!("{name}.anchor")),
            database_id,
            metrics: crate::jobs::Metrics::new().map_err(|error| StartError::Metrics(error.to_string()))?,
            webhooks: Sender::new(receiver_policy(mode, config.receivers))?,
            mailer: mailer(config, name)?,
            streams: Arc::new(Streams::default()),
            requests: RequestBuffer::default(),
        });
        app.refresh_schedules()?;
        Ok(app)
    }

    /// Lays what airlines have changed about flights over the schedule, where anything was changed since the last time.
    pub fn refresh_schedules(&self) -> Result<(), DbError> {
        let schedules = &self.catalogue.schedules;
        let past = self.now().plus(-Duration::days(PAST_SCHEDULE_DAYS)).naive().date();
        self.store.read(|db| {
            if schedule_version(db)? != schedules.overlay_version() {
                schedules.adopt(current_overlay(db, past)?);
            }
            Ok(())
        })
    }

    /// Brings the windows of velocity up to date with rules and records.
    pub fn refresh_velocity(&self) -> Result<(), DbError> {
        refresh_velocity(&self.store, &self.catalogue, &self.velocity)
    }

    pub fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// The operator's calendar date.
    pub fn today(&self) -> chrono::NaiveDate {
        self.now().date_in(self.store.zone())
    }

    /// Moves the test clock forward and remembers it, so that a restart does not take time back.
    pub fn set_clock(&self, target: Timestamp) -> Result<Result<Timestamp, ClockError>, DbError> {
        self.store.write(|tx| self.move_clock(tx, target))
    }

    /// The same within a commit that also keeps who moved it.
    pub fn move_clock(&self, tx: &mut WriteTx, target: Timestamp) -> Result<Result<Timestamp, ClockError>, DbError> {
        let ahead = match self.store.clock().set(target) {
            Ok(ahead) => ahead,
            Err(refused) => return Ok(Err(refused)),
        };
        let micros = ahead.num_microseconds().unwrap_or(i64::MAX);
        store_setting(tx, CLOCK_AHEAD, &micros.to_string())?;
        Ok(Ok(self.now()))
    }

    /// Books what the bank reports by itself. Here and not in the API, which knows no gateway.
    pub fn hear_bank(&self, signature: &str, body: &[u8]) -> Result<Heard, CallbackRefusal> {
        hear_callback(self, signature, body)
    }

    /// Whether the bank takes payments now.
    pub async fn bank_answers(&self) -> bool {
        match self.bank.probe().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the bank does not answer a probe");
                false
            }
        }
    }
}

/// In test mode nobody is written to: e-mail stays in files.
fn mailer(config: &Config, mode: &str) -> Result<Mailer, MailError> {
    let smtp_url = config.smtp_url.clone().filter(|_| mode == KeyMode::Live.text());
    let folder = config.data.join("mail").join(mode);
    Mailer::open(&MailConfig { smtp_url, from: config.mail_from.clone() }, &folder)
}

fn receiver_policy(mode: KeyMode, receivers: Receivers) -> ReceiverPolicy {
    let plain_http = match mode {
        KeyMode::Live => PlainHttp::OnLoopback,
        KeyMode::Test => PlainHttp::Anywhere,
    };
    let loopback = match receivers {
        Receivers::Public => Loopback::Refused,
        Receivers::Local => Loopback::Allowed,
    };
    ReceiverPolicy { plain_http, loopback }
}

/// SQLite is migrated at start; on PostgreSQL that is the owner's to do.
fn bring_up_to_date(url: &str) -> Result<(), StartError> {
    if url.starts_with("sqlite:") {
        crate::db::migrate(url)?;
        return Ok(());
    }
    let pending = crate::db::pending(url)?;
    if pending.is_empty() { Ok(()) } else { Err(StartError::PendingMigrations(pending.join(", "))) }
}

fn restore_clock(store: &Store, mode: KeyMode) -> Result<(), StartError> {
    if mode == KeyMode::Live {
        return Ok(());
    }
    let ahead = store.read(clock_ahead)?;
    if ahead <= Duration::zero() {
        return Ok(());
    }
    let target = store.clock().now().plus(ahead);
    store.clock().set(target).map_err(|error| StartError::Db(DbError::Corrupt(error.to_string())))?;
    Ok(())
}

/// From now on it counts as another database.
pub fn renew_database_id(tx: &mut WriteTx) -> Result<(), DbError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| DbError::Unavailable(error.to_string()))?;
    store_setting(tx, DATABASE_ID, &hex::encode(bytes))
}

/// How far a database's clock is ahead of the machine's: only one of test mode ever is.
pub fn clock_ahead(db: &mut Db) -> Result<Duration, DbError> {
    let micros = setting(db, CLOCK_AHEAD)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(Duration::microseconds(micros))
}

/// Made once per database.
pub fn database_id(store: &Store) -> Result<String, DbError> {
    if let Some(known) = store.read(|db| setting(db, DATABASE_ID))? {
        return Ok(known);
    }
    store.write(renew_database_id)?;
    let made = store.read(|db| setting(db, DATABASE_ID))?;
    made.ok_or_else(|| DbError::Corrupt("the database id was not kept".into()))
}
