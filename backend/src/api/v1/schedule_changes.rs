//! `/v1/schedule_changes`: what an airline changes about a flight of one day, and which orders were told.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, not_found, visible_airline};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::catalogue::AirportCode;
use crate::identity::Scope;
use crate::ids::{AirlineId, Id, ScheduleChangeId};
use crate::ticketing::{
    self, NewSchedule, NewScheduleChange, ScheduleChangeRow, file_schedule_change, schedule_change, schedule_changes,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// `retimed` (the flight departs at other times of its day), `cancelled`, or `replaced` (cancelled, and its passengers are offered another flight).
    ScheduleChangeKind = ticketing::ScheduleChangeKind { Retimed, Cancelled, Replaced }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScheduleChange {
    #[schema(example = "sch_0000000000001")]
    pub id: String,
    pub airline_id: String,
    #[schema(example = "CA1501")]
    pub flight: String,
    #[schema(example = "PEK")]
    pub origin: String,
    pub destination: String,
    /// The day that it was scheduled for, local at the origin.
    #[schema(example = "2026-12-10")]
    pub date: String,
    pub kind: ScheduleChangeKind,
    /// The flight that passengers are offered; null where there is none.
    #[schema(example = "CA1501")]
    pub offered_flight: Option<String>,
    /// Its local times.
    #[schema(example = "2026-12-10T09:30:00")]
    pub departing_at: Option<String>,
    pub arriving_at: Option<String>,
    pub reason: String,
    /// How many orders have to answer it.
    pub orders: i64,
    pub created_at: String,
}

fn shown(row: &ScheduleChangeRow) -> Result<ScheduleChange, ApiError> {
    let local = |at: NaiveDateTime| at.format("%Y-%m-%dT%H:%M:%S").to_string();
    Ok(ScheduleChange {
        id: ScheduleChangeId::of(row.id).to_string(),
        airline_id: AirlineId::of(row.airline_id).to_string(),
        flight: format!("{}{}", row.carrier, row.flight_number),
        origin: row.origin.clone(),
        destination: row.destination.clone(),
        date: row.flight_date.to_string(),
        kind: row.kind()?.into(),
        offered_flight: row.new_flight_number.map(|number| format!("{}{number}", row.carrier)),
        departing_at: row.new_departing_at.map(local),
        arriving_at: row.new_arriving_at.map(local),
        reason: row.reason.clone(),
        orders: row.order_count,
        created_at: time(row.created_at),
    })
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileScheduleChange {
    #[schema(example = "arl_0000000000001")]
    pub airline_id: String,
    /// Of the airline.
    #[schema(example = 1501)]
    pub flight_number: i64,
    /// IATA code of the airport that it departs from.
    #[schema(example = "PEK")]
    pub origin: String,
    /// The day that it is scheduled for, local at the origin.
    #[schema(example = "2026-12-10")]
    pub date: String,
    pub kind: ScheduleChangeKind,
    /// Of `retimed`: the new local times; the day of departure stays.
    #[schema(example = "2026-12-10T09:30:00")]
    pub departing_at: Option<String>,
    #[schema(example = "2026-12-10T11:45:00")]
    pub arriving_at: Option<String>,
    /// Of `replaced`: another flight of the airline on the same route, and its day.
    #[schema(example = 1505)]
    pub replacement_flight_number: Option<i64>,
    pub replacement_date: Option<String>,
    /// What passengers are told.
    #[schema(example = "Aircraft rotation")]
    pub reason: String,
}

impl FileScheduleChange {
    fn validate(&self) -> Result<(AirlineId, NewScheduleChange), ApiError> {
        let mut input = Input::default();
        let airline = input.id("airline_id", &self.airline_id);
        let number = flight_number(&mut input, "flight_number", self.flight_number);
        let origin = AirportCode::parse(&self.origin);
        if origin.is_none() {
            input.fail(Code::InvalidValue, "origin", "`origin` is the IATA code of an airport.");
        }
        let date = input.date("date", &self.date);
        let reason = input.text("reason", &self.reason, 200);
        let becomes = self.becomes(&mut input);
        let read = airline.zip(number).zip(origin).zip(date).zip(reason).zip(becomes);
        let new = read.map(|(((((airline, flight_number), origin), date), reason), becomes)| {
            (airline, NewScheduleChange { flight_number, origin, date, becomes, reason })
        });
        input.finish(new)
    }

    fn becomes(&self, input: &mut Input) -> Option<NewSchedule> {
        let (retimed, replaced) = (ScheduleChangeKind::Retimed, ScheduleChangeKind::Replaced);
        let departing_at = input.only_if("departing_at", self.departing_at.as_deref(), self.kind == retimed);
        let arriving_at = input.only_if("arriving_at", self.arriving_at.as_deref(), self.kind == retimed);
        let number = self.replacement_flight_number.map(|number| number.to_string());
        let number = input.only_if("replacement_flight_number", number.as_deref(), self.kind == replaced).map(str::to_owned);
        let date = input.only_if("replacement_date", self.replacement_date.as_deref(), self.kind == replaced);
        let local = |input: &mut Input, field: &str, text: &str| {
            let read = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok();
            if read.is_none() {
                input.fail(Code::InvalidValue, field, format!("`{field}` is a local time such as \"2026-12-10T09:30:00\"."));
            }
            read
        };
        match self.kind {
            ScheduleChangeKind::Cancelled => Some(NewSchedule::Cancelled),
            ScheduleChangeKind::Retimed => {
                let departing_at = departing_at.and_then(|text| local(input, "departing_at", text));
                let arriving_at = arriving_at.and_then(|text| local(input, "arriving_at", text));
                let times = departing_at.zip(arriving_at);
                times.map(|(departing_at, arriving_at)| NewSchedule::Retimed { departing_at, arriving_at })
            }
            ScheduleChangeKind::Replaced => {
                let given = number.and(self.replacement_flight_number);
                let number = given.and_then(|number| flight_number(input, "replacement_flight_number", number));
                let date = date.and_then(|text| input.date("replacement_date", text));
                number.zip(date).map(|(flight_number, date)| NewSchedule::Replaced { flight_number, date })
            }
        }
    }
}

fn flight_number(input: &mut Input, field: &str, number: i64) -> Option<u16> {
    input.whole(field, number, 1..=9_999).and_then(|number| u16::try_from(number).ok())
}

/// Files a change of one flight on one day: other times, cancelled, or replaced by another flight. It is no longer sold as it was, and every order with a seat on it gets an
/// airline-initiated change that its agent answers. The airline for its own flights, or the operator. A later change of the same flight takes the place of this one.
#[utoipa::path(post, path = "/v1/schedule_changes", tag = "Tickets", operation_id = "file_schedule_change",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<FileScheduleChange>,
    responses((status = 201, body = Data<ScheduleChange>),
        (status = 404, description = "`not_found`: no such airline, or another's", body = ErrorBody),
        (status = 422, description = "`flight_not_found`, `flight_departed`, `invalid_value`", body = ErrorBody)))]
pub async fn file(caller: Caller, request: HttpRequest, body: Body<FileScheduleChange>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let (airline, new) = body.data.validate()?;
    let filer = caller.clone();
    let answer = once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let airline = visible_airline(&filer, tx.db, airline).map_err(|error| error.at("/data/airline_id"))?;
        shown(&file_schedule_change(tx, &filer.app.catalogue, &filer.cause(), &airline, &new)?)
    })
    .await?;
    let app = caller.app.clone();
    crate::api::caller::blocking(move || app.refresh_schedules()).await?;
    Ok(answer)
}

/// Schedule changes, newest first. The operator sees all, an airline its own.
#[utoipa::path(get, path = "/v1/schedule_changes", tag = "Tickets", operation_id = "list_schedule_changes",
    params(PageParams), responses((status = 200, body = Page<ScheduleChange>)))]
pub async fn list_schedule_changes(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let request = PageRequest::<i64>::read(&query, "/v1/schedule_changes")?;
    let (window, limit) = (request.window(), request.fetch());
    let of = Sight::of(&caller).await?.airlines;
    let found = caller.read(move |db| schedule_changes(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| shown(&row))?))
}

/// One schedule change.
#[utoipa::path(get, path = "/v1/schedule_changes/{id}", tag = "Tickets", operation_id = "get_schedule_change",
    params(("id" = String, Path, description = "`sch_…`")), responses((status = 200, body = Data<ScheduleChange>)))]
pub async fn get_schedule_change(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let id: ScheduleChangeId = path_id(&id)?;
    let sight = Sight::of(&caller).await?;
    let found = caller.read(move |db| schedule_change(db, id)).await?;
    let found = found.filter(|row| sight.sees_airline(AirlineId::of(row.airline_id)));
    Ok(ok(shown(&found.ok_or_else(not_found)?)?))
}
