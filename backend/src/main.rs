//! `airsettle`: one program for everything that runs.

use airsettle::airlines::airline_by_code;
use airsettle::api;
use airsettle::app::{Platform, clock_ahead};
use airsettle::clock::Clock;
use airsettle::config::Config;
use airsettle::db::{DbError, MigrateError, Readers, StoreConfig, back_up, migrate, setting};
use airsettle::demo;
use airsettle::gateways::bank::callback::CallbackSecret;
use airsettle::gateways::bank::simulator::{self, SimulatorConfig};
use airsettle::jobs;
use airsettle::ledger::{Anchor, trial_balance, verify};
use airsettle::money::{Currency, Money};
use airsettle::reconciliation::{AirlineDay, spool};
use airsettle::settlement::verify_settlement;
use airsettle::ticketing::verify_sales;
use clap::{Parser, Subcommand};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Many threads allocate and free small things for every request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "airsettle", version, about = "Airline ticket distribution and instant settlement")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API. Configured by AIRSETTLE_… variables.
    Serve,
    /// Run a simulator of a party outside, as a program of its own.
    Simulate {
        #[command(subcommand)]
        party: Party,
    },
    /// Bring both databases' schemas up to date; on PostgreSQL as their owner.
    Migrate,
    /// Fill empty databases: the operator and its first key, or a whole demo world.
    Seed {
        /// Agencies, airlines and a bank beside the operator.
        #[arg(long)]
        demo: bool,
        /// Where demo.json is written.
        #[arg(long)]
        data: PathBuf,
    },
    /// Sell a mixed batch over the API of a running server and show what became of one ticket.
    #[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
    Demo {
        #[command(subcommand)]
        play: Option<Play>,
        /// Where demo.json is.
        #[arg(long, required = true)]
        data: Option<PathBuf>,
        /// Orders to place.
        #[arg(long, default_value_t = 12)]
        orders: u32,
    },
    /// Prove a ledger: refold everything; exits with 1 and names the first wrong row.
    Verify {
        /// The database, sqlite:… or postgres://…
        #[arg(long, env = "AIRSETTLE_DATABASE_URL")]
        database: String,
        /// The file with the chain's heads outside the database.
        #[arg(long)]
        anchor: Option<PathBuf>,
    },
    /// Copy a SQLite database, also while it is served, to a new file, and prove the copy. On PostgreSQL use pg_dump.
    Backup {
        #[arg(long, env = "AIRSETTLE_DATABASE_URL")]
        database: String,
        #[arg(long)]
        to: PathBuf,
    },
    /// After a restore: ask the bank about everything that is open, and list what was sold and is lost. Until then nothing is served.
    Recover {
        /// Ticket numbers that are left out behind the last one the bank has seen, for sales that it has not.
        #[arg(long, default_value_t = 10_000)]
        spare_documents: u32,
    },
    /// Every account's debits and credits up to a ledger date; exits with 1 if they differ.
    TrialBalance {
        #[arg(long, env = "AIRSETTLE_DATABASE_URL")]
        database: String,
        /// Ledger date, YYYY-MM-DD; today if not given.
        #[arg(long)]
        as_of: Option<chrono::NaiveDate>,
    },
    /// Write a file for somebody else's books.
    Export {
        #[command(subcommand)]
        file: Export,
    },
    /// Print the OpenAPI description.
    Openapi,
}

#[derive(Subcommand)]
enum Export {
    /// One airline's day as CSV, checked against the ledger. Digest and totals are printed beside it.
    AirlineDay {
        /// IATA code.
        #[arg(long)]
        airline: String,
        /// Ledger date, YYYY-MM-DD; it must be over.
        #[arg(long)]
        date: chrono::NaiveDate,
        /// Where it is written; to standard output if not given.
        #[arg(long)]
        out: Option<PathBuf>,
        #[arg(long, env = "AIRSETTLE_DATABASE_URL")]
        database: String,
        /// The operator's zone: it decides when a day is over.
        #[arg(long, env = "AIRSETTLE_ZONE", default_value = "Asia/Shanghai")]
        zone: chrono_tz::Tz,
    },
}

#[derive(Subcommand)]
enum Play {
    /// A quarter of the trade on the test side of a running server, under its test clock: agencies that pay, late or not at all, voids, refunds, exchanges,
    /// defaults. Writes quarter.md beside demo.json; exits with 1 where not everybody is square at the end.
    Quarter {
        /// Where demo.json is.
        #[arg(long)]
        data: PathBuf,
        /// The same number plays the same quarter.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 100)]
        agencies: usize,
        /// On which tickets are sold.
        #[arg(long, default_value_t = 91)]
        days: u32,
        /// The database of the server's test side, to be proved at the end.
        #[arg(long, env = "AIRSETTLE_TEST_DATABASE_URL")]
        database: Option<String>,
    },
}

#[derive(Subcommand)]
enum Party {
    /// A bank that pays, refuses, answers late or not at all, as it is told.
    Bank {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        data: PathBuf,
        #[arg(long)]
        callback_secret: String,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    airsettle::notify::install_tls();
    let done = match arguments.command {
        Command::Serve => serve(),
        Command::Simulate { party: Party::Bank { listen, data, callback_secret } } => {
            simulate_bank(listen, data, &callback_secret)
        }
        Command::Migrate => migrate_both(),
        Command::Seed { demo, data } => seed(demo, &data),
        Command::Demo { play: Some(Play::Quarter { data, seed, agencies, days, database }), .. } => {
            quarter(&data, demo::Played { seed, agencies, days }, database.as_deref())
        }
        Command::Demo { play: None, data, orders } => demo::run(&data.unwrap_or_default(), orders),
        Command::Verify { database, anchor } => verify_database(&database, anchor.as_deref()),
        Command::Backup { database, to } => back_up_and_prove(&database, &to),
        Command::Recover { spare_documents } => recover(spare_documents),
        Command::TrialBalance { database, as_of } => print_trial_balance(&database, as_of),
        Command::Export { file: Export::AirlineDay { airline, date, out, database, zone } } => {
            export_airline_day(&database, &airline, date, zone, out.as_deref())
        }
        Command::Openapi => print_openapi(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("airsettle: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,airsettle=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn serve() -> Result<ExitCode, Failure> {
    let began = std::time::Instant::now();
    let config = Config::from_env()?;
    let platform = Arc::new(Platform::open(&config)?);
    for app in platform.apps() {
        if let Some(why) = jobs::why_recovery_is_due(app)? {
            let mode = app.mode.text();
            return Err(format!("the {mode} database is not served yet, because {why}: run `airsettle recover` first").into());
        }
    }
    // The address is taken before the jobs begin, so that a second server on it does nothing at all.
    let listener = TcpListener::bind(config.listen).map_err(|error| format!("{}: {error}", config.listen))?;
    for app in platform.apps() {
        jobs::start(app)?;
    }
    platform.live.metrics.ready.set(began.elapsed().as_secs_f64());
    tracing::info!(address = %config.listen, "serving");
    api::server::run(platform.clone(), &config.public_url, listener)?;
    // The jobs are still running, so this is the last that the process does.
    for app in platform.apps() {
        app.store.release();
    }
    Ok(ExitCode::SUCCESS)
}

fn simulate_bank(listen: SocketAddr, data: PathBuf, secret: &str) -> Result<ExitCode, Failure> {
    let secret = CallbackSecret::parse(secret)?;
    let config = SimulatorConfig { bind: listen, ..SimulatorConfig::new(data, secret) };
    simulator::run_until_stopped(config)?;
    Ok(ExitCode::SUCCESS)
}

fn migrate_both() -> Result<ExitCode, Failure> {
    for variable in ["AIRSETTLE_DATABASE_URL", "AIRSETTLE_TEST_DATABASE_URL"] {
        let url = std::env::var(variable).map_err(|_| format!("{variable} is not set"))?;
        let applied = migrate(&url).map_err(|error: MigrateError| format!("{variable}: {error}"))?;
        match applied.len() {
            0 => println!("{variable}: current"),
            count => println!("{variable}: {count} applied, up to {}", applied.last().map_or("", String::as_str)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn seed(with_demo: bool, data: &std::path::Path) -> Result<ExitCode, Failure> {
    let config = Config::from_env()?;
    let platform = Platform::open(&config)?;
    // A world that was seeded before there were people gets them; its keys stay.
    let mut file = demo::read_demo(data)?.unwrap_or_default();
    if !file.keys.is_empty() && (!with_demo || !file.sign_ins.is_empty()) {
        return Err(demo::SeedError::NotEmpty.into());
    }
    if file.keys.is_empty() {
        for app in platform.apps() {
            let made = if with_demo { demo::seed_demo(app) } else { demo::seed_operator(app) };
            // A seed that was interrupted before it had written its keys down is completed with new ones.
            file.keys.extend(match made {
                Err(demo::SeedError::NotEmpty) => demo::mint_anew(app)?,
                made => made?,
            });
        }
    }
    if with_demo && file.sign_ins.is_empty() {
        file.sign_ins = demo::seed_people(&platform)?;
    }
    file.url.clone_from(&config.public_url);
    demo::write_demo(data, &file)?;
    for app in platform.apps() {
        app.store.release();
    }
    Ok(ExitCode::SUCCESS)
}

fn open_for_reading(database: &str) -> Result<Readers, Failure> {
    let config = StoreConfig { url: database.to_owned(), readers: 1, patience: std::time::Duration::from_secs(5) };
    Ok(Readers::open(&config)?)
}

fn quarter(data: &std::path::Path, played: demo::Played, database: Option<&str>) -> Result<ExitCode, Failure> {
    if !demo::run_quarter(data, played)? {
        return Ok(ExitCode::FAILURE);
    }
    database.map_or(Ok(ExitCode::SUCCESS), |database| verify_database(database, None))
}

fn verify_database(database: &str, anchor: Option<&std::path::Path>) -> Result<ExitCode, Failure> {
    let store = open_for_reading(database)?;
    let id = store.read(|db| setting(db, "database_id"))?.unwrap_or_default();
    let anchors = match anchor {
        Some(path) => Anchor::read_last(path, &id)?,
        None => BTreeMap::new(),
    };
    if anchor.is_some() && anchors.is_empty() {
        println!("WRONG  the anchor has no head of database {id:?}");
        return Ok(ExitCode::FAILURE);
    }
    let began = std::time::Instant::now();
    let (ledger, sales, settlement) = store.snapshot(|db| {
        let ledger = verify(db, &anchors)?;
        // The sales are only worth looking at on a ledger that holds.
        let sales = if ledger.is_ok() { Some(verify_sales(db)?) } else { None };
        let settlement = if matches!(sales, Some(Ok(_))) { Some(verify_settlement(db)?) } else { None };
        Ok::<_, DbError>((ledger, sales, settlement))
    })?;
    let wrong = |fault: &dyn std::fmt::Display| {
        println!("WRONG  {fault}");
        Ok(ExitCode::FAILURE)
    };
    let proof = match ledger {
        Ok(proof) => proof,
        Err(fault) => return wrong(&fault),
    };
    let sales = match sales {
        Some(Ok(sales)) => sales,
        Some(Err(fault)) => return wrong(&fault),
        None => return wrong(&"the sales were not looked at"),
    };
    let settled = match settlement {
        Some(Ok(rules)) => rules,
        Some(Err(fault)) => return wrong(&fault),
        None => return wrong(&"the settlement was not looked at"),
    };
    println!(
        "ok  {} postings, {} entries, {} accounts, {} holds; {} seals, {} postings not sealed yet{}",
        proof.postings,
        proof.entries,
        proof.accounts,
        proof.holds,
        proof.seals,
        proof.unsealed,
        match anchors.len() {
            0 => String::new(),
            chains => format!(", anchor matches for {chains} chains"),
        }
    );
    println!("ok  {} tickets keep {} rules; {:.2} s", sales.tickets, sales.rules + settled, began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn back_up_and_prove(database: &str, to: &std::path::Path) -> Result<ExitCode, Failure> {
    back_up(database, to, Clock::system().now())?;
    verify_database(&format!("sqlite:{}", to.display()), None)
}

fn recover(spare_documents: u32) -> Result<ExitCode, Failure> {
    let config = Config::from_env()?;
    let platform = Platform::open(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for app in platform.apps() {
        let mode = app.mode.text();
        let Some(why) = jobs::why_recovery_is_due(app)? else {
            println!("{mode}: nothing to recover");
            continue;
        };
        println!("{mode}: {why}");
        let done = runtime.block_on(jobs::recover(app, i64::from(spare_documents)))?;
        let file = config.data.join(format!("{mode}.recovered-{}.json", Clock::system().now().naive().format("%Y%m%dT%H%M%SZ")));
        std::fs::write(&file, serde_json::to_string_pretty(&done)?)?;
        println!(
            "{mode}: {} advances were open: the bank had paid {}, refused {}, has {} in its hands and never had {}",
            done.asked, done.paid, done.refused, done.in_progress, done.never_received
        );
        println!("{mode}: {} payments for sales that the backup does not have; they are not in the ledger", done.lost.len());
        for lost in &done.lost {
            let ticket = lost.ticket_number.as_deref().unwrap_or("unknown");
            println!(
                "  ticket {ticket}  {} {}  from {}  {}  {}",
                lost.amount, lost.currency, lost.account, lost.reference, lost.booked_at
            );
        }
        for (airline, next) in &done.documents_go_on_at {
            println!("{mode}: documents of {airline} go on at {next:010}");
        }
        println!("{mode}: may be served again; the same is in {}", file.display());
    }
    for app in platform.apps() {
        app.store.release();
    }
    Ok(ExitCode::SUCCESS)
}

fn print_trial_balance(database: &str, as_of: Option<chrono::NaiveDate>) -> Result<ExitCode, Failure> {
    let store = open_for_reading(database)?;
    // The ledger date of an operator in another zone is given by --as-of.
    let as_of = as_of.unwrap_or_else(|| Clock::system().now().date_in(chrono_tz::Asia::Shanghai));
    let balance = store.read(|db| trial_balance(db, as_of))?;
    println!("Trial balance as of {as_of}");
    println!("{:<36} {:>3} {:>20} {:>20}", "account", "", "debit", "credit");
    let mut totals: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
    for line in &balance.lines {
        println!(
            "{:<36} {:>3} {:>20} {:>20}",
            line.account,
            line.currency,
            amount(line.debit_minor, &line.currency),
            amount(line.credit_minor, &line.currency)
        );
        let total = totals.entry(&line.currency).or_default();
        *total = (total.0 + line.debit_minor, total.1 + line.credit_minor);
    }
    for (currency, (debit, credit)) in totals {
        println!("{:<36} {:>3} {:>20} {:>20}", "total", currency, amount(debit, currency), amount(credit, currency));
    }
    Ok(if balance.is_balanced() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn amount(minor: i128, currency: &str) -> String {
    match (i64::try_from(minor), Currency::parse(currency)) {
        (Ok(0), _) => String::new(),
        (Ok(minor), Ok(currency)) => Money::new(minor, currency).to_string(),
        _ => format!("{minor} minor units"),
    }
}

fn export_airline_day(
    database: &str,
    airline: &str,
    date: chrono::NaiveDate,
    zone: chrono_tz::Tz,
    out: Option<&std::path::Path>,
) -> Result<ExitCode, Failure> {
    let store = open_for_reading(database)?;
    let (mut content, file) = store.snapshot(|db| {
        let now = Clock::system().now().plus(clock_ahead(db)?);
        let known = airline_by_code(db, airline)?.ok_or_else(|| format!("no airline {airline}"))?;
        Ok::<_, Failure>(spool(db, AirlineDay::closed(known.id, date, now, zone)?)?)
    })?;
    match out {
        Some(path) => std::io::copy(&mut content, &mut std::fs::File::create(path)?)?,
        None => std::io::copy(&mut content, &mut std::io::stdout().lock())?,
    };
    eprintln!("{} rows, {} bytes, SHA-256 {}", file.rows, file.bytes, file.sha256);
    for total in &file.totals {
        for (account, of) in [("airline.payable", total.payable), ("airline.receivable", total.receivable)] {
            let [opening, change, closing] = [of.opening, of.change, of.closing]
                .map(|minor| Currency::parse(&total.currency).map(|currency| currency.decimal(minor.into())));
            eprintln!("{account:<20} {} {} + {} = {}", total.currency, opening?, change?, closing?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_openapi() -> Result<ExitCode, Failure> {
    println!("{}", api::openapi::document().to_pretty_json()?);
    Ok(ExitCode::SUCCESS)
}
