//! Settlement writes that happen once per `Idempotency-Key`. The key, the effect and the answer are one commit; a refusal is remembered with
//! the key in a commit of its own, because its effect was rolled back.
//!
//! A write without a key takes one that nobody can name again. So there is always a row that tells what became of a COMMIT whose answer was lost:
//! it is looked for until the transaction that wrote it is known to be over; what takes longer than that, or hangs, is answered 202 with an operation.

use super::caller::{Caller, blocking};
use super::code::Code;
use super::error::ApiError;
use super::v1::operations::pending;
use crate::app::App;
use crate::audit;
use crate::db::{DbError, WriteTx, claim_keys};
use crate::identity::{
    ClaimRow, Fate, Fields, IdempotencyKey, claims, fate_of_taken, first_difference, keep_answer, may_be_taken,
};
use crate::ids::{Id, OrganisationId};
use crate::settlement::Recorded;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::{Duration, Instant};

pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const MAX_KEY_LENGTH: usize = 255;
/// How long a client waits for the answer at most; the write goes on without him.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long a COMMIT that had no answer is pursued.
const PURSUIT: Duration = Duration::from_secs(10);

/// Whether a write insists on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Required,
    Accepted,
}

/// The `Idempotency-Key` header: 1 to 255 visible ASCII characters.
pub fn key_of(request: &HttpRequest, key: Key) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(header) = request.headers().get(IDEMPOTENCY_KEY) else {
        return match key {
            Key::Required => Err(ApiError::of(Code::IdempotencyKeyRequired).parameter(IDEMPOTENCY_KEY)),
            Key::Accepted => Ok(None),
        };
    };
    let text = header
        .to_str()
        .ok()
        .filter(|text| (1..=MAX_KEY_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
    let invalid = || ApiError::of(Code::IdempotencyKeyInvalid).parameter(IDEMPOTENCY_KEY);
    Ok(Some(IdempotencyKey::Explicit(text.ok_or_else(invalid)?.to_owned())))
}

/// Digests of the fields of `data` and of the operation they were sent to.
pub fn fields_of(app: &App, operation: &str, body: &[u8]) -> Result<Fields, ApiError> {
    let body: Value = serde_json::from_slice(body).map_err(ApiError::internal)?;
    let data = body.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    let texts: Vec<(String, String)> = data.into_iter().map(|(name, value)| (name, value.to_string())).collect();
    let operation = [("operation", operation)];
    let fields = texts.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(operation);
    Ok(Fields::of(fields.map(|(name, value)| (name, value.as_bytes())), |bytes| app.vault.digest(bytes)))
}

pub fn reused(field: &str) -> ApiError {
    let message = format!("This key was used with another body: `{field}` differs.");
    ApiError::new(Code::IdempotencyKeyReused, message).at(format!("/data/{field}"))
}

/// What is kept with a key: the answer's body.
#[derive(Serialize, Deserialize)]
struct Kept {
    body: Value,
}

/// Runs `change` once per key and answers its result as `{"data": …}` with `status`; the same key again gets the same answer, except that
/// a `secret` is in the first one only.
pub async fn once<T: Serialize>(
    caller: &Caller,
    request: &HttpRequest,
    key: Key,
    body: &[u8],
    status: StatusCode,
    change: impl FnOnce(&mut WriteTx) -> Result<T, ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    once_with(caller, request, key, body, move |tx| Ok((status, change(tx)?))).await
}

/// For what a bank names by a reference of its own: what was recorded before is answered with 200, what is new with 201 and noted as `action`.
pub async fn once_recorded<R, E, I: Id, T: Serialize>(
    caller: &Caller,
    request: &HttpRequest,
    body: &[u8],
    action: &'static str,
    record: impl FnOnce(&mut WriteTx) -> Result<Recorded<R>, E> + Send + 'static,
    shown: impl FnOnce(R) -> Result<(I, T), ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError>
where
    ApiError: From<E>,
{
    let cause = caller.cause();
    once_with(caller, request, Key::Required, body, move |tx| match record(tx)? {
        Recorded::Before(known) => Ok((StatusCode::OK, shown(known)?.1)),
        Recorded::Now(made) => {
            let (id, shown) = shown(made)?;
            audit::record(tx, &cause, action, id)?;
            Ok((StatusCode::CREATED, shown))
        }
    })
    .await
}

/// The same for a change that says itself whether it made something.
pub async fn once_with<T: Serialize>(
    caller: &Caller,
    request: &HttpRequest,
    key: Key,
    body: &[u8],
    change: impl FnOnce(&mut WriteTx) -> Result<(StatusCode, T), ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let operation = format!("{} {}", request.method(), request.path());
    let id = caller.app.store.ids().block(1);
    let key = key_of(request, key)?.unwrap_or(IdempotencyKey::Own(id));
    let fields = match key {
        IdempotencyKey::Own(_) => String::new(),
        _ => fields_of(&caller.app, &operation, body)?.stored(),
    };
    let claim = Claim { id, organisation: caller.key.organisation, key, fields };
    let (app, request_id) = (caller.app.clone(), caller.request_id.clone());
    let work = blocking(move || claim.run(&app, &request_id, change));
    let outcome = match tokio::time::timeout(ANSWER_WITHIN, work).await {
        Ok(done) => done?,
        Err(_) => None,
    };
    let Some(outcome) = outcome else { return Ok(pending(id)) };
    let mut response = HttpResponse::build(StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::OK));
    if outcome.replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    Ok(response.json(outcome.body))
}

fn to_body<T: Serialize>(data: T) -> Result<Value, ApiError> {
    serde_json::to_value(super::envelope::Data { data }).map_err(ApiError::internal)
}

/// A secret is stored nowhere but as its digest, so a repeated request does not get it again.
fn without_secret(body: &Value) -> Value {
    let mut kept = body.clone();
    if let Some(secret) = kept.pointer_mut("/data/secret") {
        *secret = Value::Null;
    }
    kept
}

struct Claim {
    id: i64,
    organisation: OrganisationId,
    key: IdempotencyKey,
    fields: String,
}

struct Answered {
    status: u16,
    body: Value,
    replayed: bool,
}

/// The change's own refusal, to be remembered; or something that is nobody's answer; or no word about the COMMIT.
enum Stop {
    Refused(ApiError),
    Failed(ApiError),
    OutcomeUnknown,
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        match error {
            DbError::CommitUnknown(error) => {
                tracing::warn!(error, "outcome of a commit unknown: looking for the key");
                Stop::OutcomeUnknown
            }
            error => Stop::Failed(error.into()),
        }
    }
}

pub(super) fn nothing_happened() -> ApiError {
    ApiError::of(Code::DatabaseUnavailable).retry_after(1)
}

impl Claim {
    /// `None`: it is not known yet.
    fn run<T: Serialize>(
        &self,
        app: &App,
        request_id: &str,
        change: impl FnOnce(&mut WriteTx) -> Result<(StatusCode, T), ApiError>,
    ) -> Result<Option<Answered>, ApiError> {
        let mut made = None;
        let done = app.store.write(|tx| {
            if !may_be_taken(self.id) {
                return Err(Stop::Failed(ApiError::of(Code::DeadlineExceeded).retry_after(1)));
            }
            if !self.take(tx, self.id)? {
                return Ok(());
            }
            let (status, data) = change(tx).map_err(Stop::Refused)?;
            let body = to_body(data).map_err(Stop::Failed)?;
            self.keep(tx, self.id, status.as_u16(), &without_secret(&body))?;
            made = Some(Answered { status: status.as_u16(), body, replayed: false });
            Ok(())
        });
        match (done, made) {
            (Ok(()), Some(answered)) => Ok(Some(answered)),
            (Ok(()) | Err(Stop::OutcomeUnknown), None) => self.earlier(app).map(Some),
            (Err(Stop::OutcomeUnknown), Some(answered)) => self.look_for(app, answered),
            (Err(Stop::Refused(error)), _) => Err(self.remember(app, request_id, error)?),
            (Err(Stop::Failed(error)), _) => Err(error),
        }
    }

    /// A refusal under a key that the client named is kept before it is answered.
    fn remember(&self, app: &App, request_id: &str, error: ApiError) -> Result<ApiError, ApiError> {
        if !self.key.is_explicit() || !error.code().status().is_client_error() {
            return Ok(error);
        }
        let body = serde_json::to_value(error.body(request_id, "")).map_err(ApiError::internal)?;
        let status = error.code().status().as_u16();
        let kept = app.store.write(|tx| {
            let id = tx.ids.block(1);
            if self.take(tx, id)? { self.keep(tx, id, status, &body) } else { Ok(()) }
        });
        match kept {
            Ok(()) => Ok(error),
            // Nothing happened either way; asked again, it is decided again.
            Err(DbError::CommitUnknown(_)) => Err(nothing_happened()),
            Err(error) => Err(error.into()),
        }
    }

    /// After a COMMIT without an answer: the row of the key tells whether it took effect.
    fn look_for(&self, app: &App, answered: Answered) -> Result<Option<Answered>, ApiError> {
        let until = Instant::now() + PURSUIT;
        loop {
            match app.store.read(|db| fate_of_taken(db, self.id)) {
                Ok(Fate::Committed(_)) => return Ok(Some(answered)),
                Ok(Fate::Nothing) => return Err(nothing_happened()),
                Ok(Fate::Open) | Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(100)),
                Ok(Fate::Open) | Err(_) => return Ok(None),
            }
        }
    }

    /// Whether the key was free.
    fn take(&self, tx: &mut WriteTx, id: i64) -> Result<bool, DbError> {
        let row = ClaimRow {
            id,
            organisation_id: self.organisation.raw(),
            key: self.key.stored(),
            fields: self.fields.clone(),
            resource_id: None,
            status: None,
            outcome: None,
            created_at: tx.now.naive(),
        };
        Ok(!claim_keys(tx, &[row], |row| row.id)?.is_empty())
    }

    /// What a key that nobody can name again keeps is only how it ended.
    fn keep(&self, tx: &mut WriteTx, id: i64, status: u16, body: &Value) -> Result<(), DbError> {
        let body = if self.key.is_explicit() { body.clone() } else { Value::Null };
        let kept = serde_json::to_string(&Kept { body }).map_err(|error| DbError::Corrupt(error.to_string()))?;
        keep_answer(tx, id, i64::from(status), &kept)
    }

    fn earlier(&self, app: &App) -> Result<Answered, ApiError> {
        let key = self.key.stored();
        let row = app.store.read(|db| claims(db, &[self.organisation], std::slice::from_ref(&key)))?.pop();
        let row = row.ok_or_else(|| ApiError::of(Code::IdempotencyInProgress).retry_after(1))?;
        if let Some(field) = first_difference(&row.fields, &self.fields) {
            return Err(reused(&field));
        }
        let kept: Option<Kept> = row.outcome.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let status = row.status.and_then(|status| u16::try_from(status).ok());
        match (kept, status) {
            (Some(kept), Some(status)) => Ok(Answered { status, body: kept.body, replayed: true }),
            _ => Err(reused("operation")),
        }
    }
}
