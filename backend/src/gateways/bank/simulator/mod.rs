//! A bank to test against, as a program of its own: `run` is the body of `airsettle simulate bank`, `start` is the same bank on a
//! thread of its own for tests. It keeps the promise a real bank makes: one reference is booked at most once, ever, also across
//! restarts, time-outs and parallel tries. Everything else about it can be told to go wrong.
//!
//! | request | answer |
//! |---|---|
//! | `POST /payments` | 200 settled, 202 accepted, 422 refused, 409 the reference has other content |
//! | `GET /payments/{reference}` | 200 with the status, 404 never received |
//! | `GET /accounts/{account}/statement?date=&after=` | the bookings of a day (bank's zone) with opening and closing balance |
//! | `GET /healthz` | 200, or 503 while down |
//! | `GET, POST, DELETE /control/faults` | what is left of the fault plan; replaces it; clears it |
//! | `POST /control/clock` | moves a settable clock forward |
//!
//! An order may debit any account: so a test or a demonstration lets others pay into ours. What is paid to `bank-fees` is a fee of the bank's.
//!
//! Normally a payment settles in the answer and no notification is sent: the bank notifies about what its answer did not say
//! (`accept_then_callback`, payments still open at a restart) and where the script says so. A refusal that is not final leaves
//! the reference free to be sent again.
//!
//! No authentication: it listens on the loopback address unless told otherwise. Bounds: orders of 16 KiB, 1,000 script entries,
//! 5,000,000 payments, 10,000 lines per statement page.

mod book;
mod desk;
mod faults;
mod journal;
mod notifier;
mod order;
mod routes;

pub use faults::{BadPlan, Fault, FaultPlan};

use super::callback::CallbackSecret;
use crate::clock::Clock;
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    rt::System,
};
use chrono_tz::Tz;
use routes::Bank;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Longer than clients keep idle connections, so that it is they who close them.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Port 0 takes any free one.
    pub bind: SocketAddr,
    /// Created if missing; holds the journal.
    pub data_dir: PathBuf,
    pub callback_secret: CallbackSecret,
    /// The time of credit. A clone of a test's settable clock follows that test's time.
    pub clock: Clock,
    /// Decides the date of a booking.
    pub zone: Tz,
}

/// A running bank. Dropping it stops it without waiting.
pub struct RunningSimulator {
    bank: Arc<Bank>,
    address: SocketAddr,
    server: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// The program's body on a runtime of its own.
pub fn run_until_stopped(config: SimulatorConfig) -> io::Result<()> {
    actix_web::rt::System::new().block_on(run(config))
}

/// Runs until interrupted. Works inside an actix system or any tokio runtime.
pub async fn run(config: SimulatorConfig) -> io::Result<()> {
    let listener = TcpListener::bind(config.bind)?;
    tracing::info!(address = %listener.local_addr()?, "simulated bank listening");
    serve(open(&config)?, listener, Signals::Handled)?.await
}

/// Starts the bank on a thread and runtime of its own, so that it outlives the caller's runtime and survives its blocking.
pub fn start(config: &SimulatorConfig) -> io::Result<(SocketAddr, RunningSimulator)> {
    let listener = TcpListener::bind(config.bind)?;
    let address = listener.local_addr()?;
    let bank = open(config)?;
    let served = bank.clone();
    let (started, waiting) = mpsc::channel();
    let thread = thread::Builder::new().name("simulated-bank".into()).spawn(move || {
        System::new().block_on(async move {
            let server = serve(served, listener, Signals::Ignored)?;
            // The receiver is only gone if the caller is.
            let _ = started.send(server.handle());
            server.await
        })
    })?;
    match waiting.recv() {
        Ok(server) => Ok((address, RunningSimulator { bank, address, server, thread: Some(thread) })),
        Err(_) => {
            let outcome = thread.join().unwrap_or(Ok(()));
            Err(outcome.err().unwrap_or_else(|| io::Error::other("the simulated bank ended at once")))
        }
    }
}

impl SimulatorConfig {
    /// Any free loopback port, the machine's clock, China time.
    pub fn new(data_dir: impl Into<PathBuf>, callback_secret: CallbackSecret) -> Self {
        SimulatorConfig {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: data_dir.into(),
            callback_secret,
            clock: Clock::system(),
            zone: chrono_tz::Asia::Shanghai,
        }
    }
}

impl RunningSimulator {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same as `POST /control/faults`; the default plan is the same as `DELETE`.
    pub fn plan(&self, plan: FaultPlan) -> Result<(), BadPlan> {
        self.bank.desk.replace_plan(plan)
    }

    /// Stops like a process that is killed: what is under way is dropped, and the data folder is free afterwards.
    pub fn stop(mut self) -> io::Result<()> {
        drop(self.server.stop(false));
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            _ => Ok(()),
        }
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        // The command is sent by the call itself; the future only waits for it.
        drop(self.server.stop(false));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Signals {
    Handled,
    Ignored,
}

fn open(config: &SimulatorConfig) -> io::Result<Arc<Bank>> {
    let desk = desk::Desk::open(&config.data_dir, config.clock.clone(), config.zone)?;
    let notifier = notifier::Notifier::new(config.callback_secret.clone()).map_err(io::Error::other)?;
    Ok(Arc::new(Bank { desk, notifier }))
}

/// One worker: everything goes through one lock anyway, and deliveries stay on one runtime.
fn serve(bank: Arc<Bank>, listener: TcpListener, signals: Signals) -> io::Result<Server> {
    for reference in bank.desk.open_references() {
        tokio::spawn(routes::settle_and_notify(bank.clone(), reference, 0));
    }
    let app = move || App::new().configure(|app| routes::configure(app, bank.clone()));
    let server = HttpServer::new(app).workers(1).keep_alive(KEEP_ALIVE).listen(listener)?;
    let server = if signals == Signals::Ignored { server.disable_signals() } else { server };
    Ok(server.run())
}
