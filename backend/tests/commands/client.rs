//! A client of the live mode that sells one ticket at a time.

use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

pub const OPERATOR: &str = "Airsettle Operations";
/// Sells on credit.
pub const BEIJING: &str = "Beijing Blue Sky Travel";
/// Sells from its wallet.
pub const GUANGZHOU: &str = "Guangzhou Pearl Tours";

pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    url: String,
    keys: Vec<(String, String)>,
}

impl Client {
    /// With the keys of the demo data in a folder, at the server on a port.
    pub fn of(data: &Path, port: u16) -> Self {
        let file: Value = serde_json::from_slice(&std::fs::read(data.join("demo.json")).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let live = file["keys"].as_array().unwrap().iter().filter(|key| key["mode"] == "live");
        let keys = live.map(|key| (text(&key["organisation"]), text(&key["key"]))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The server comes and goes: no connection outlives its request.
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0).build().unwrap();
        Client { runtime, http, url: format!("http://127.0.0.1:{port}"), keys }
    }

    pub fn send(&self, of: &str, method: reqwest::Method, path: &str, data: Option<Value>) -> (u16, Value) {
        let key = &self.keys.iter().find(|(organisation, _)| organisation == of).unwrap().1;
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key);
        if let Some(data) = data {
            request = request.json(&json!({ "data": data }));
        }
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let body: Value = response.json().await.unwrap_or_default();
            (status, if body["data"].is_null() { body } else { body["data"].clone() })
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
        let day = (chrono::Utc::now().date_naive() + chrono::Days::new(30)).to_string();
        let slice = json!({ "origin": "PEK", "destination": "SHA", "departure_date": day });
        let (_, found) =
            self.post(agency, "/air/offer_requests", json!({ "slices": [slice], "passengers": [{ "type": "adult" }] }));
        let offer = &found["offers"][0];
        let person = json!({
            "id": offer["passengers"][0]["id"], "title": "ms", "gender": "f", "given_name": "Wei", "family_name": "Zhang",
            "born_on": "1990-01-02", "email": "wei@example.com", "phone_number": "+8613800138000",
        });
        let kind = if agency == GUANGZHOU { "balance" } else { "arc_bsp_cash" };
        let payment = json!({ "type": kind, "amount": offer["total_amount"], "currency": offer["total_currency"] });
        let order = json!({ "type": "instant", "selected_offers": [offer["id"]], "passengers": [person], "payments": [payment] });
        let (status, order) = self.post(agency, "/air/orders", order);
        assert_eq!(status, 201, "{order}");
        order["documents"][0]["unique_identifier"].as_str().unwrap().to_owned()
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

    /// A request to something else than the platform.
    pub fn ask(&self, method: reqwest::Method, url: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() })
    }
}
