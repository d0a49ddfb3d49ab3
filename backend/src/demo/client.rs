//! A client of the API. It knows nothing that another client could not know.

use crate::money::{Currency, Money, MoneyError};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Which side of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Live,
    Test,
}

impl Side {
    fn text(self) -> &'static str {
        match self {
            Side::Live => "live",
            Side::Test => "test",
        }
    }
}

pub(super) struct Client {
    http: reqwest::Client,
    pub url: String,
    keys: BTreeMap<String, String>,
    /// No write of this run has the key of another one.
    run: u128,
    written: Cell<u64>,
}

/// What somebody asked for and was refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct Refused {
    pub code: String,
    /// The whole answer.
    what: String,
}

impl Client {
    pub fn from_file(data: &Path, side: Side) -> Result<Self, Failure> {
        let path = data.join("demo.json");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file: Value = serde_json::from_str(&text)?;
        let of_side = list(&file["keys"]).iter().filter(|key| key["mode"] == side.text());
        let keys = of_side.map(|key| (text_of(&key["organisation"]), text_of(&key["key"]))).collect();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        Ok(Client { http, url: text_of(&file["url"]), keys, run, written: Cell::new(0) })
    }

    /// Somebody else who has a key.
    pub fn knows(&mut self, who: &str, key: String) {
        self.keys.insert(who.to_owned(), key);
    }

    /// Whoever asks too often waits for as long as the answer says.
    pub async fn send(
        &self,
        of: &str,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Failure> {
        let key = self.keys.get(of).ok_or_else(|| format!("demo.json has no key of {of}"))?;
        self.written.set(self.written.get().wrapping_add(1));
        let once = format!("demo-{:x}-{}", self.run, self.written.get());
        loop {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(key);
            if let Some(body) = body {
                request = request.header("Idempotency-Key", &once).json(&json!({ "data": body }));
            }
            let response = request.send().await?;
            let status = response.status().as_u16();
            if status == 429 {
                let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
                continue;
            }
            return Ok((status, response.json().await?));
        }
    }

    /// What was done, or why it was not.
    pub async fn ask(&self, of: &str, path: &str, data: &Value) -> Result<Result<Value, Refused>, Failure> {
        let (status, body) = self.send(of, reqwest::Method::POST, path, Some(data)).await?;
        match status {
            200..=202 => Ok(Ok(body["data"].clone())),
            _ => Ok(Err(Refused { code: text_of(&body["errors"][0]["code"]), what: format!("POST {path}: {status} {body}") })),
        }
    }

    /// A request that must be accepted.
    pub async fn post(&self, of: &str, path: &str, data: Value) -> Result<Value, Failure> {
        Ok(self.ask(of, path, &data).await??)
    }

    async fn page(&self, of: &str, path: &str) -> Result<Value, Failure> {
        let (status, body) = self.send(of, reqwest::Method::GET, path, None).await?;
        if status == 200 { Ok(body) } else { Err(format!("GET {path}: {status} {body}").into()) }
    }

    pub async fn get(&self, of: &str, path: &str) -> Result<Value, Failure> {
        Ok(self.page(of, path).await?["data"].clone())
    }

    /// All pages of a list; the path has a query already.
    pub async fn all(&self, of: &str, path: &str) -> Result<Vec<Value>, Failure> {
        let (mut found, mut next) = (Vec::new(), format!("{path}&limit=200"));
        loop {
            let body = self.page(of, &next).await?;
            found.extend_from_slice(list(&body["data"]));
            match &body["meta"]["after"] {
                Value::String(after) => next = format!("{path}&limit=200&after={after}"),
                _ => return Ok(found),
            }
        }
    }
}

/// An amount in minor units of CNY.
pub(super) fn minor(amount: &Value) -> Result<i64, MoneyError> {
    Ok(Money::parse(&text_of(amount), Currency::CNY)?.minor)
}

pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
