//! A client, mostly of the live mode, that sells one ticket at a time.
#![allow(dead_code)]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

pub const OPERATOR: &str = "Airsettle Operations";
/// Sells on credit.
pub const BEIJING: &str = "Beijing Blue Sky Travel";
/// Sells on credit too.
pub const SHANGHAI: &str = "Shanghai Harbour Travel";
/// Sells from its wallet.
pub const GUANGZHOU: &str = "Guangzhou Pearl Tours";

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// What is in `data`, or the whole body where there is none.
    pub data: Value,
}

impl Answer {
    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.data["errors"][0]["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One adult from Beijing to Shanghai, so many days ahead.
pub fn search(days_ahead: u64) -> Value {
    let day = (chrono::Utc::now().date_naive() + chrono::Days::new(days_ahead)).to_string();
    let slice = json!({ "origin": "PEK", "destination": "SHA", "departure_date": day });
    json!({ "slices": [slice], "passengers": [{ "type": "adult" }] })
}

/// An order of an offer, on credit or from the wallet as the agency sells.
pub fn order(agency: &str, offer: &Value) -> Value {
    let person = json!({
        "id": offer["passengers"][0]["id"], "title": "ms", "gender": "f", "given_name": "Wei", "family_name": "Zhang",
        "born_on": "1990-01-02", "email": "wei@example.com", "phone_number": "+8613800138000",
    });
    let kind = if agency == GUANGZHOU { "balance" } else { "arc_bsp_cash" };
    let payment = json!({ "type": kind, "amount": offer["total_amount"], "currency": offer["total_currency"] });
    json!({ "type": "instant", "selected_offers": [offer["id"]], "passengers": [person], "payments": [payment] })
}

pub fn number_of(order: &Value) -> String {
    order["documents"][0]["unique_identifier"].as_str().unwrap().to_owned()
}

pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    url: String,
    keys: Vec<(String, String)>,
}

impl Client {
    /// With the keys of the demo data in a folder, at the server on a port.
    pub fn of(data: &Path, port: u16) -> Self {
        Client::with_keys_of(data, port, "live")
    }

    /// The same in test mode.
    pub fn in_test_mode(data: &Path, port: u16) -> Self {
        Client::with_keys_of(data, port, "test")
    }

    fn with_keys_of(data: &Path, port: u16, mode: &str) -> Self {
        let file: Value = serde_json::from_slice(&std::fs::read(data.join("demo.json")).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let live = file["keys"].as_array().unwrap().iter().filter(|key| key["mode"] == mode);
        let keys = live.map(|key| (text(&key["organisation"]), text(&key["key"]))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The server comes and goes: no connection outlives its request.
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0).build().unwrap();
        Client { runtime, http, url: format!("http://127.0.0.1:{port}"), keys }
    }

    pub fn send(&self, of: &str, method: reqwest::Method, path: &str, data: Option<Value>) -> (u16, Value) {
        let answer = self.tries(of, method, path, None, data).unwrap();
        (answer.status, answer.data)
    }

    /// The answer, if one comes: the server may be gone, before or after it did what it was asked.
    pub fn tries(
        &self,
        of: &str,
        method: reqwest::Method,
        path: &str,
        idempotency_key: Option<&str>,
        data: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let key = &self.keys.iter().find(|(organisation, _)| organisation == of).unwrap().1;
        self.tries_with(key, method, path, idempotency_key, data)
    }

    pub fn tries_with(
        &self,
        key: &str,
        method: reqwest::Method,
        path: &str,
        idempotency_key: Option<&str>,
        data: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key);
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(data) = data {
            request = request.json(&json!({ "data": data }));
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut body: Value = serde_json::from_str(&response.text().await?).unwrap_or_default();
            let data = if body["data"].is_null() { body } else { body["data"].take() };
            Ok(Answer { status, headers, data })
        })
    }

    pub fn get(&self, of: &str, path: &str) -> Value {
        let (status, data) = self.send(of, reqwest::Method::GET, path, None);
        assert_eq!(status, 200, "{path}: {data}");
        data
    }

    pub fn post(&self, of: &str, path: &str, data: Value) -> (u16, Value) {
        self.send(of, reqwest::Method::POST, path, Some(data))
    }

    /// Sells one ticket; answers its number.
    pub fn sells(&self, agency: &str) -> String {
        let (_, found) = self.post(agency, "/air/offer_requests", search(30));
        let (status, order) = self.post(agency, "/air/orders", order(agency, &found["offers"][0]));
        assert_eq!(status, 201, "{order}");
        number_of(&order)
    }

    /// What became of the payment of a ticket's airline.
    pub fn state_of(&self, number: &str) -> String {
        self.get(OPERATOR, &format!("/v1/tickets/{number}"))["disbursement"]["state"].as_str().unwrap().to_owned()
    }

    pub fn await_paid(&self, numbers: &[String]) {
        let until = Instant::now() + Duration::from_secs(40);
        for number in numbers {
            while self.state_of(number) != "confirmed" {
                assert!(Instant::now() < until, "the airline of {number} is not paid: {}", self.state_of(number));
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// What the simulated bank does wrong from now on.
    pub fn tells_bank(&self, bank_url: &str, plan: Value) {
        self.ask(reqwest::Method::POST, &format!("{bank_url}/control/faults"), Some(plan));
    }

    /// Everything that the bank paid out by its own books, as (reference, ticket number).
    pub fn paid_by(&self, bank_url: &str) -> Vec<(String, String)> {
        let lines = self.get(OPERATOR, "/v1/facilities");
        let mut accounts: BTreeSet<String> =
            lines.as_array().unwrap().iter().map(|line| line["debit_account"].as_str().unwrap().to_owned()).collect();
        accounts.insert("client-CNY".into());
        let today = chrono::Utc::now().date_naive();
        let mut paid = Vec::new();
        for account in accounts {
            for day in [today - chrono::Days::new(1), today, today + chrono::Days::new(1)] {
                let mut after = json!(0);
                while !after.is_null() {
                    let url = format!("{bank_url}/accounts/{account}/statement?date={day}&after={after}");
                    let mut page = self.ask(reqwest::Method::GET, &url, None);
                    for line in page["bookings"].as_array().unwrap() {
                        let text = line["remittance_text"].as_str().unwrap();
                        let number = text.strip_prefix("Airsettle ").unwrap().to_owned();
                        paid.push((line["reference"].as_str().unwrap().to_owned(), number));
                    }
                    after = page["next_after"].take();
                }
            }
        }
        paid
    }

    /// A request to something else than the platform.
    pub fn ask(&self, method: reqwest::Method, url: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() })
    }
}
