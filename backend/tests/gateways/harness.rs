//! A bank in a folder of its own, a client to it, and somewhere for its notifications to arrive.

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Bytes, Data},
};
use airsettle::{
    clock::Clock,
    gateways::bank::{
        BankGateway, HttpBank, HttpBankConfig, PaymentOrder, PaymentStatus,
        callback::{self, BankNotification, CallbackSecret, SIGNATURE_HEADER},
        simulator::{self, Fault, FaultPlan, RunningSimulator, SimulatorConfig},
    },
    money::{Currency, Money},
};
use chrono::Duration as Span;
use serde_json::Value;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub const DEBIT: &str = "FACILITY-1";
pub const PAYEE: &str = "AIRLINE-1";
/// Far more than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestBank {
    pub client: HttpBank,
    pub clock: Clock,
    running: RunningSimulator,
    config: SimulatorConfig,
    _folder: TempDir,
}

pub fn secret() -> CallbackSecret {
    CallbackSecret::parse("a secret shared with the bank").unwrap()
}

pub fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

pub fn order(reference: &str) -> PaymentOrder {
    PaymentOrder {
        reference: reference.into(),
        debit_account: DEBIT.into(),
        payee_account: PAYEE.into(),
        payee_name: "示例航空 Example Air".into(),
        amount: cny("915.00"),
        remittance_text: "ticket 999-1234567890".into(),
        callback_url: None,
    }
}

pub fn client(base_url: &str, request_timeout: Duration) -> HttpBank {
    let connect_timeout = Duration::from_secs(2);
    HttpBank::new(&HttpBankConfig { base_url: base_url.into(), request_timeout, connect_timeout }).unwrap()
}

/// The amount of a settlement; anything else fails the test.
pub fn settled(status: PaymentStatus) -> Money {
    match status {
        PaymentStatus::Settled { amount, .. } => amount,
        other => panic!("not settled: {other:?}"),
    }
}

impl TestBank {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::settable(Span::zero());
        // Midday in China, so that no test runs into midnight and finds its bookings on two statements.
        let tomorrow = clock.now().utc().date_naive().succ_opt().unwrap();
        clock.set(tomorrow.and_hms_opt(4, 0, 0).unwrap().into()).unwrap();
        let config = SimulatorConfig { clock: clock.clone(), ..SimulatorConfig::new(folder.path(), secret()) };
        let (_, running) = simulator::start(&config).unwrap();
        let client = client(&running.base_url(), PATIENCE);
        TestBank { client, clock, running, config, _folder: folder }
    }

    /// Ends the bank as if it was killed and starts it on the same folder, at another address.
    pub fn restart(self) -> Self {
        let TestBank { running, config, clock, _folder, .. } = self;
        running.stop().unwrap();
        let (_, running) = simulator::start(&config).unwrap();
        TestBank { client: client(&running.base_url(), PATIENCE), clock, running, config, _folder }
    }

    pub fn config(&self) -> &SimulatorConfig {
        &self.config
    }

    pub fn impatient_client(&self) -> HttpBank {
        client(&self.running.base_url(), Duration::from_millis(200))
    }

    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.running.plan(FaultPlan::script(faults)).unwrap();
    }

    pub fn plan(&self, plan: FaultPlan) {
        self.running.plan(plan).unwrap();
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = reqwest::get(format!("{}{path}", self.running.base_url())).await.unwrap();
        answer.json().await.unwrap()
    }

    pub async fn control(&self, method: reqwest::Method, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.running.base_url());
        let request = reqwest::Client::new().request(method, url).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn statement(&self, account: &str) -> Value {
        self.get(&format!("/accounts/{account}/statement")).await
    }

    /// Fails unless both accounts show exactly these bookings of this reference today, and nothing else.
    pub async fn assert_booked(&self, amounts: &[&str]) {
        let column = |statement: &Value| -> Vec<String> {
            let lines = statement["bookings"].as_array().unwrap().clone();
            lines.iter().map(|line| line["amount"].as_str().unwrap().to_owned()).collect()
        };
        let (debit, payee) = (self.statement(DEBIT).await, self.statement(PAYEE).await);
        assert_eq!(column(&payee), amounts);
        assert_eq!(column(&debit), amounts.iter().map(|amount| format!("-{amount}")).collect::<Vec<_>>());
        let total = Money::sum(Currency::CNY, amounts.iter().map(|amount| cny(amount))).unwrap();
        if !amounts.is_empty() {
            assert_eq!(payee["balances"][0]["closing"], total.to_string());
            assert_eq!(debit["balances"][0]["closing"], total.checked_neg().unwrap().to_string());
        }
    }

    /// Asks until the outcome is final, as the owner of an unknown payment does.
    pub async fn resolve(&self, reference: &str) -> PaymentStatus {
        let asking = async {
            loop {
                let status = self.client.status(reference).await.unwrap();
                if status.is_final() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("the payment is never decided")
    }
}

/// Where the bank reports to. It verifies every signature and turns away as many deliveries as it is told to.
pub struct Inbox {
    pub url: String,
    arrivals: UnboundedReceiver<BankNotification>,
    server: ServerHandle,
}

struct Door {
    arrivals: UnboundedSender<BankNotification>,
    refusals_left: AtomicU32,
    clock: Clock,
}

impl Inbox {
    pub fn open(bank: &TestBank, refusals: u32) -> Self {
        let (sender, arrivals) = unbounded_channel();
        let door = Door { arrivals: sender, refusals_left: AtomicU32::new(refusals), clock: bank.clock.clone() };
        let door = Data::new(door);
        let app = move || App::new().app_data(door.clone()).route("/bank", web::post().to(knock));
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/bank", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Inbox { url, arrivals, server: handle }
    }

    pub async fn next(&mut self) -> BankNotification {
        tokio::time::timeout(PATIENCE, self.arrivals.recv()).await.expect("no notification arrives").unwrap()
    }

    pub fn arrived(&mut self) -> Option<BankNotification> {
        self.arrivals.try_recv().ok()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn knock(door: Data<Door>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = request.headers().get(SIGNATURE_HEADER).unwrap().to_str().unwrap();
    callback::verify(&[secret()], header, &body, door.clock.now(), Span::minutes(5)).unwrap();
    door.arrivals.send(BankNotification::parse(&body).unwrap()).unwrap();
    let refuse = door.refusals_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if refuse { HttpResponse::InternalServerError().finish() } else { HttpResponse::NoContent().finish() }
}
