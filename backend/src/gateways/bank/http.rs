//! The bank over its REST API: `POST /payments`, `GET /payments/{reference}`, `GET /accounts/{account}/statement`, `GET /healthz`; JSON as in
//! `wire`.
//!
//! One pooled client with kept-alive connections. Plain HTTP: TLS to a real bank ends in a proxy beside this process. Redirects
//! are not followed and no proxy is taken from the environment, since either could send a payment somewhere else. Nothing is
//! repeated here: whoever holds the state of the payment decides whether to ask or to send again.
//! Bounds: the time for a whole request, the time to connect, 64 KiB of answer (16 MiB of statement page), 64 idle connections.

use super::{
    BankGateway, DayStatement, PaymentOrder, PaymentStatus, StatementLine,
    wire::{WireError, WireOrder, WirePayment, WireStatement, money},
};
use crate::gateways::{GatewayError, GatewayFuture};
use chrono::NaiveDate;
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect::Policy};
use std::{error::Error, time::Duration};

const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;
const MAX_IDLE_CONNECTIONS: usize = 64;
/// Shorter than any usual server's keep-alive, so that we rarely write into a connection that the bank is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct HttpBankConfig {
    /// Such as `http://127.0.0.1:9400`; a path is kept as the prefix.
    pub base_url: String,
    /// For the whole request, answer included.
    pub request_timeout: Duration,
    /// Shorter than the request's: a connection that never came about is known not to have carried the order.
    pub connect_timeout: Duration,
}

impl HttpBankConfig {
    /// Ten seconds for a request, three of them to connect.
    pub fn new(base_url: impl Into<String>) -> Self {
        HttpBankConfig {
            base_url: base_url.into(),
            request_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HttpBankError {
    #[error("{0:?} is not the http address of a bank")]
    BadUrl(String),
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

#[derive(Clone, Debug)]
pub struct HttpBank {
    client: Client,
    base: Url,
}

struct Answer {
    code: StatusCode,
    body: Vec<u8>,
}

impl HttpBank {
    pub fn new(config: &HttpBankConfig) -> Result<Self, HttpBankError> {
        let bad_url = || HttpBankError::BadUrl(config.base_url.clone());
        let base = Url::parse(&config.base_url).map_err(|_| bad_url())?;
        if base.scheme() != "http" || base.host_str().is_none() {
            return Err(bad_url());
        }
        let client = Client::builder()
            .timeout(config.request_timeout)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        Ok(HttpBank { client, base })
    }

    /// The reference becomes one escaped path segment, whatever is in it.
    fn url(&self, segments: &[&str]) -> Result<Url, GatewayError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => path.pop_if_empty().extend(segments),
            Err(()) => return Err(GatewayError::NotSent("the bank's address takes no path".into())),
        };
        Ok(url)
    }

    async fn send(request: RequestBuilder, most: usize) -> Result<Answer, GatewayError> {
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let code = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| GatewayError::Unknown(describe(&error)))? {
            if body.len() + chunk.len() > most {
                return Err(GatewayError::Unknown(format!("the answer is larger than {most} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { code, body })
    }
}

impl BankGateway for HttpBank {
    fn pay<'a>(&'a self, order: &'a PaymentOrder) -> GatewayFuture<'a, PaymentStatus> {
        Box::pin(async move {
            let request = self.client.post(self.url(&["payments"])?).json(&WireOrder::from(order));
            let answer = Self::send(request, MAX_ANSWER_BYTES).await?;
            if answer.code == StatusCode::CONFLICT {
                return Err(GatewayError::Conflict(answer.detail()));
            }
            match answer.payment(&order.reference)? {
                PaymentStatus::NotFound => Err(GatewayError::Unknown("the bank took an order and does not know it".into())),
                status => Ok(status),
            }
        })
    }

    fn status<'a>(&'a self, reference: &'a str) -> GatewayFuture<'a, PaymentStatus> {
        Box::pin(async move {
            let request = self.client.get(self.url(&["payments", reference])?);
            Self::send(request, MAX_ANSWER_BYTES).await?.payment(reference)
        })
    }

    fn statement<'a>(&'a self, account: &'a str, date: NaiveDate) -> GatewayFuture<'a, DayStatement> {
        Box::pin(async move {
            let (mut lines, mut after) = (Vec::new(), 0);
            loop {
                let mut url = self.url(&["accounts", account, "statement"])?;
                url.query_pairs_mut().append_pair("date", &date.to_string()).append_pair("after", &after.to_string());
                let answer = Self::send(self.client.get(url), MAX_STATEMENT_BYTES).await?;
                let unknown = |why: String| GatewayError::Unknown(format!("the bank answered {}: {why}", answer.code));
                if answer.code != StatusCode::OK {
                    return Err(unknown(answer.detail()));
                }
                let page: WireStatement = serde_json::from_slice(&answer.body).map_err(|error| unknown(error.to_string()))?;
                // The balances of a day are the same on each of its pages.
                let balances = page.balances.iter().map(|balance| money(&balance.closing, &balance.currency));
                let closing = balances.collect::<Result<Vec<_>, _>>().map_err(|error| unknown(error.to_string()))?;
                for line in page.bookings {
                    lines.push(StatementLine::try_from(line).map_err(|error| unknown(error.to_string()))?);
                }
                match page.next_after {
                    Some(next) if next > after => after = next,
                    Some(_) => return Err(unknown("its pages do not go on".into())),
                    None => return Ok(DayStatement { closing, lines }),
                }
            }
        })
    }

    fn probe(&self) -> GatewayFuture<'_, ()> {
        Box::pin(async move {
            let answer = Self::send(self.client.get(self.url(&["healthz"])?), MAX_ANSWER_BYTES).await?;
            match answer.code {
                StatusCode::OK => Ok(()),
                code => Err(GatewayError::Unknown(format!("the bank answered {code}: {}", answer.detail()))),
            }
        })
    }
}

impl Answer {
    /// A 404 counts as "never received" only if its body says so about our reference: a wrong address or a proxy answers 404
    /// as well, and must not make anyone believe that a payment does not exist.
    fn payment(&self, reference: &str) -> Result<PaymentStatus, GatewayError> {
        let unknown = |why: String| GatewayError::Unknown(format!("the bank answered {}: {why}", self.code));
        if !matches!(self.code.as_u16(), 200 | 202 | 404 | 422) {
            return Err(unknown(self.detail()));
        }
        let wire: WirePayment = serde_json::from_slice(&self.body).map_err(|error| unknown(error.to_string()))?;
        if wire.reference != reference {
            return Err(unknown("it is about another reference".into()));
        }
        let status = PaymentStatus::try_from(wire.status).map_err(|error| unknown(error.to_string()))?;
        let says_absent = status == PaymentStatus::NotFound;
        if says_absent != (self.code == StatusCode::NOT_FOUND) {
            return Err(unknown("code and body contradict each other".into()));
        }
        Ok(status)
    }

    fn detail(&self) -> String {
        match serde_json::from_slice::<WireError>(&self.body) {
            Ok(body) => body.detail.chars().take(200).collect(),
            Err(_) => "without an explanation".into(),
        }
    }
}

/// Only what failed before a connection existed is known not to have been sent. A time-out of the whole request may also have
/// struck while connecting, but that cannot be told apart, so it counts as unknown.
fn classify(error: &reqwest::Error) -> GatewayError {
    if error.is_connect() || error.is_builder() {
        GatewayError::NotSent(describe(error))
    } else {
        GatewayError::Unknown(describe(error))
    }
}

/// The error with its causes, which is where "connection refused" stands.
fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(code: u16, body: &str) -> Answer {
        Answer { code: StatusCode::from_u16(code).unwrap(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_a_404_of_the_bank_itself_means_never_received() {
        let absent = r#"{"reference":"r","status":"not_found"}"#;
        assert_eq!(answer(404, absent).payment("r"), Ok(PaymentStatus::NotFound));
        for (code, body) in [(404, "<html>"), (404, ""), (200, absent), (404, r#"{"reference":"r","status":"accepted"}"#)] {
            assert!(matches!(answer(code, body).payment("r"), Err(GatewayError::Unknown(_))), "{code} {body}");
        }
        assert!(matches!(answer(404, absent).payment("other"), Err(GatewayError::Unknown(_))));
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let settled = |amount: &str, currency: &str, at: &str| {
            let fields = format!(r#""amount":"{amount}","currency":"{currency}","settled_at":"{at}","bank_reference":"b""#);
            answer(200, &format!(r#"{{"reference":"r","status":"settled",{fields}}}"#)).payment("r")
        };
        assert!(settled("1.00", "CNY", "2026-01-01T08:00:00+08:00").is_ok());
        for (amount, currency, at) in
            [("1.001", "CNY", "2026-01-01T00:00:00Z"), ("1", "???", "2026-01-01T00:00:00Z"), ("1", "CNY", "today")]
        {
            assert!(matches!(settled(amount, currency, at), Err(GatewayError::Unknown(_))), "{amount} {currency} {at}");
        }
        for body in [r#"{"reference":"r","status":"lost"}"#, r#"{"reference":"r"}"#, "[]"] {
            assert!(matches!(answer(200, body).payment("r"), Err(GatewayError::Unknown(_))), "{body}");
        }
        let done = r#"{"reference":"r","status":"accepted"}"#;
        for code in [204, 301, 400, 401, 403, 429, 500, 502, 503] {
            assert!(matches!(answer(code, done).payment("r"), Err(GatewayError::Unknown(_))), "{code}");
        }
    }

    #[test]
    fn a_reference_stays_one_path_segment() {
        let bank = HttpBank::new(&HttpBankConfig::new("http://bank.test/api/")).unwrap();
        let url = bank.url(&["payments", "a/../b?c#d"]).unwrap();
        assert_eq!(url.as_str(), "http://bank.test/api/payments/a%2F..%2Fb%3Fc%23d");
        assert!(HttpBank::new(&HttpBankConfig::new("ftp://bank.test")).is_err());
        assert!(HttpBank::new(&HttpBankConfig::new("https://bank.test")).is_err(), "there is no TLS in this process");
    }
}
