//! Settlement writes that happen once per `Idempotency-Key`. The key, the effect and the answer are one commit; a refusal is remembered with
//! the key in a commit of its own, because its effect was rolled back.

use super::caller::{Caller, blocking};
use super::code::Code;
use super::error::ApiError;
use crate::app::App;
use crate::db::{DbError, WriteTx, claim_keys};
use crate::identity::{ClaimRow, Fields, IdempotencyKey, claims, first_difference, keep_answer};
use crate::ids::{Id, OrganisationId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const MAX_KEY_LENGTH: usize = 255;

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

/// The same for a change that says itself whether it made something.
pub async fn once_with<T: Serialize>(
    caller: &Caller,
    request: &HttpRequest,
    key: Key,
    body: &[u8],
    change: impl FnOnce(&mut WriteTx) -> Result<(StatusCode, T), ApiError> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let operation = format!("{} {}", request.method(), request.path());
    let Some(key) = key_of(request, key)? else {
        let app = caller.app.clone();
        let change = move || {
            app.store.write(|tx| {
                let (status, data) = change(tx)?;
                Ok::<_, ApiError>((status, to_body(data)?))
            })
        };
        let (status, data) = blocking(change).await?;
        return Ok(HttpResponse::build(status).json(data));
    };
    let claim = Claim {
        organisation: caller.key.organisation,
        key: key.stored(),
        fields: fields_of(&caller.app, &operation, body)?.stored(),
    };
    let (app, request_id) = (caller.app.clone(), caller.request_id.clone());
    let outcome = blocking(move || claim.run(&app, &request_id, change)).await?;
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
    organisation: OrganisationId,
    key: String,
    fields: String,
}

struct Answered {
    status: u16,
    body: Value,
    replayed: bool,
}

/// The change's own refusal, to be remembered; or something that is nobody's answer.
enum Stop {
    Refused(ApiError),
    Failed(ApiError),
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Stop::Failed(error.into())
    }
}

impl Claim {
    fn run<T: Serialize>(
        &self,
        app: &App,
        request_id: &str,
        change: impl FnOnce(&mut WriteTx) -> Result<(StatusCode, T), ApiError>,
    ) -> Result<Answered, ApiError> {
        let done = app.store.write(|tx| {
            let Some(id) = self.take(tx)? else { return Ok(None) };
            let (status, data) = change(tx).map_err(Stop::Refused)?;
            let body = to_body(data).map_err(Stop::Failed)?;
            keep(tx, id, status.as_u16(), &without_secret(&body))?;
            Ok(Some(Answered { status: status.as_u16(), body, replayed: false }))
        });
        match done {
            Ok(Some(answered)) => Ok(answered),
            Ok(None) => self.earlier(app),
            Err(Stop::Refused(error)) if error.code().status().is_client_error() => {
                let body = serde_json::to_value(error.body(request_id, "")).map_err(ApiError::internal)?;
                let code = error.code().status().as_u16();
                app.store.write(|tx| match self.take(tx)? {
                    Some(id) => keep(tx, id, code, &body),
                    None => Ok(()),
                })?;
                Err(error)
            }
            Err(Stop::Refused(error) | Stop::Failed(error)) => Err(error),
        }
    }

    /// The id of the claim if the key was free.
    fn take(&self, tx: &mut WriteTx) -> Result<Option<i64>, DbError> {
        let row = ClaimRow {
            id: tx.ids.block(1),
            organisation_id: self.organisation.raw(),
            key: self.key.clone(),
            fields: self.fields.clone(),
            resource_id: None,
            status: None,
            outcome: None,
            created_at: tx.now.naive(),
        };
        Ok(claim_keys(tx, &[row], |row| row.id)?.pop())
    }

    fn earlier(&self, app: &App) -> Result<Answered, ApiError> {
        let keys = std::slice::from_ref(&self.key);
        let row = app.store.read(|db| claims(db, &[self.organisation], keys))?.pop();
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

fn keep(tx: &mut WriteTx, id: i64, status: u16, body: &Value) -> Result<(), DbError> {
    let kept = serde_json::to_string(&Kept { body: body.clone() }).map_err(|error| DbError::Corrupt(error.to_string()))?;
    keep_answer(tx, id, i64::from(status), &kept)
}
