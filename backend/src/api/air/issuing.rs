//! What ordering and paying have in common: both hand an order to the queue, once per key, and either can be rehearsed.

use super::issued::shown_rehearsal;
use super::names::CatalogueNames;
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::ok;
use crate::api::error::ApiError;
use crate::api::once::{nothing_happened, reused};
use crate::api::rejections::refusal;
use crate::api::v1::operations::pending;
use crate::db::DbError;
use crate::identity::{IdempotencyKey, claims, first_difference};
use crate::ids::{Id, OrderId};
use crate::ticketing::{IssueOrder, IssuedOrder, Mode, Outcome, QueueError, Refusal, issue_all, keep_refusal};
use actix_web::{HttpResponse, web};

/// A request with its key, explicit or made from what it asks for, and the digests of its fields.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub key: IdempotencyKey,
    pub fields: String,
}

/// How an order came out of the queue, if it was not refused.
pub(super) enum Settled {
    Done(Box<IssuedOrder>),
    /// What it was prepared from has changed: prepare it anew.
    Outdated,
    /// The key's order exists.
    Before(OrderId),
    Pending(HttpResponse),
}

impl Attempt {
    /// The order that the key has led to before, if any; what it was refused for before is the error again.
    pub async fn earlier(&self, caller: &Caller) -> Result<Option<OrderId>, ApiError> {
        let (organisation, stored) = (caller.key.organisation, self.key.stored());
        let Some(row) = caller.read(move |db| claims(db, &[organisation], &[stored])).await?.pop() else { return Ok(None) };
        if let Some(field) = first_difference(&row.fields, &self.fields).filter(|_| self.key.is_explicit()) {
            return Err(reused(&field));
        }
        match (row.resource_id, row.outcome) {
            (Some(id), _) => Ok(Some(OrderId::of(id))),
            (None, Some(outcome)) => {
                let reason = serde_json::from_str(&outcome).map_err(ApiError::internal)?;
                Err(refusal(&reason).with_header("Idempotent-Replayed", "true"))
            }
            (None, None) => Ok(None),
        }
    }

    /// Keeps a decision against the sale with an explicit key: a late retry never turns it into a sale. What was merely malformed is not kept.
    pub async fn remember(&self, caller: &Caller, error: &ApiError) -> Result<(), ApiError> {
        let decisions = [
            Code::NoContract,
            Code::SplitExceedsFare,
            Code::OfferExpired,
            Code::OfferPriceChanged,
            Code::OfferNoLongerAvailable,
            Code::FareRuleNotMet,
            Code::FlightDeparted,
            Code::HoldNotOffered,
            Code::PriceChanged,
            Code::AlreadyPaid,
            Code::PaymentWindowClosed,
            Code::OrderAlreadyCancelled,
        ];
        let Some(item) = error.items().first().filter(|item| self.key.is_explicit() && decisions.contains(&item.code)) else {
            return Ok(());
        };
        let reason = Refusal::Unsellable { code: item.code.text().to_owned(), message: item.message.clone() };
        let (organisation, stored, fields) = (caller.key.organisation, self.key.stored(), self.fields.clone());
        let app = caller.app.clone();
        blocking(move || app.store.write(|tx| keep_refusal(tx, organisation, &stored, &fields, &reason)).map_err(not_kept)).await
    }
}

/// A refusal that may have been kept or not: nothing was sold either way, and asked again it is answered as it was kept, or decided again.
fn not_kept(error: DbError) -> ApiError {
    match error {
        DbError::CommitUnknown(_) => nothing_happened(),
        error => error.into(),
    }
}

pub(super) fn outdated() -> ApiError {
    ApiError::of(Code::DeadlineExceeded).retry_after(1)
}

pub(super) async fn issue(caller: &Caller, prepared: IssueOrder) -> Result<Settled, ApiError> {
    let outcome = caller.app.queue.issue(prepared).await;
    let label = match &outcome {
        Ok(Outcome::Issued(issued)) if issued.order.issued_at.is_none() => "held",
        Ok(Outcome::Issued(_)) => "issued",
        Ok(Outcome::Replayed(_)) => "replayed",
        Ok(Outcome::Refused(_) | Outcome::RefusedBefore(_)) => "refused",
        Ok(Outcome::KeyReused { .. }) => "key_reused",
        Ok(Outcome::Outdated) | Err(_) => "failed",
    };
    caller.app.metrics.orders.with_label_values(&[label]).inc();
    match outcome {
        Ok(Outcome::Issued(issued)) => Ok(Settled::Done(issued)),
        Ok(Outcome::Outdated) => Ok(Settled::Outdated),
        Ok(Outcome::Replayed(id)) => Ok(Settled::Before(id)),
        Ok(Outcome::Refused(reason)) => Err(refusal(&reason)),
        Ok(Outcome::RefusedBefore(reason)) => Err(refusal(&reason).with_header("Idempotent-Replayed", "true")),
        Ok(Outcome::KeyReused { field }) => Err(reused(&field)),
        Err(QueueError::OutcomeUnknown { claim }) => Ok(Settled::Pending(pending(claim))),
        Err(error) => Err(error.into()),
    }
}

/// The decision of now without its effect.
pub(super) async fn rehearse(
    caller: &Caller,
    names: web::Data<CatalogueNames>,
    prepared: IssueOrder,
) -> Result<HttpResponse, ApiError> {
    let app = caller.app.clone();
    let orders = [prepared];
    let (outcome, orders) = blocking(move || {
        let outcomes = app.store.rehearse(|tx| issue_all(tx, (&app.chart, &app.velocity), &orders, Mode::DryRun))?;
        Ok::<_, ApiError>((outcomes.into_iter().next(), orders))
    })
    .await?;
    match (outcome, &orders) {
        (Some(Outcome::Issued(issued)), [plan]) => Ok(ok(shown_rehearsal(&caller.app, &issued, plan, names.get_ref())?)),
        (Some(Outcome::Refused(reason)), _) => Err(refusal(&reason)),
        _ => Err(ApiError::internal("a rehearsal without an outcome")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_which_nobody_knows_whether_it_was_kept_is_asked_for_again() {
        let answer = not_kept(DbError::CommitUnknown("connection reset".into()));
        assert_eq!(answer.code(), Code::DatabaseUnavailable);
        assert_eq!(not_kept(DbError::Corrupt("a row".into())).code(), Code::Internal);
    }
}
