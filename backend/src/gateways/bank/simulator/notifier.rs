//! Delivers notifications: three tries, each signed when it is made, each given five seconds; 64 deliveries at a time. The number
//! waiting is bounded by the number of payments.

use super::desk::Report;
use crate::{
    clock::Clock,
    gateways::bank::callback::{CallbackSecret, SIGNATURE_HEADER, sign},
};
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use std::time::Duration;
use tokio::{sync::Semaphore, time::sleep};

const PAUSES_MS: [u64; 3] = [0, 200, 1_000];
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_IN_FLIGHT: usize = 64;

pub struct Notifier {
    client: Client,
    secret: CallbackSecret,
    slots: Semaphore,
}

impl Notifier {
    pub fn new(secret: CallbackSecret) -> Result<Self, reqwest::Error> {
        let client = Client::builder().timeout(TRY_TIMEOUT).redirect(Policy::none()).no_proxy().build()?;
        Ok(Notifier { client, secret, slots: Semaphore::new(MAX_IN_FLIGHT) })
    }

    /// Returns once the receiver has answered 2xx or the tries are used up: the receiver can always ask instead.
    pub async fn deliver(&self, report: &Report, clock: &Clock) {
        let Some(url) = &report.callback_url else { return };
        let Ok(body) = report.notification.to_body() else { return };
        let Ok(_slot) = self.slots.acquire().await else { return };
        for pause_ms in PAUSES_MS {
            sleep(Duration::from_millis(pause_ms)).await;
            let signature = sign(&self.secret, clock.now(), &body);
            let request = self.client.post(url).header(CONTENT_TYPE, "application/json").header(SIGNATURE_HEADER, signature);
            match request.body(body.clone()).send().await {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => tracing::debug!(code = answer.status().as_u16(), "notification not taken"),
                Err(error) => tracing::debug!(%error, "notification not delivered"),
            }
        }
        tracing::warn!(event_id = report.notification.event_id, "notification given up");
    }
}
