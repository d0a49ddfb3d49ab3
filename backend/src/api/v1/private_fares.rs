//! `/v1/private_fares`: what one agency pays instead of published fares. A version is immutable; a change is the next version.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, narrowed, not_found};
use crate::agencies::agency;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::app::App;
use crate::audit;
use crate::catalogue::private_fares::{self, Adjustment, NewPrivateFare, PrivateFareError, file_private_fare};
use crate::catalogue::{BookingClass, CarrierCode, Period};
use crate::db::WriteTx;
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, PrivateFareId};
use crate::money::Money;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// A corporate fare is only for customers whose search names its code; the others are for all customers of the agency.
    PrivateFareKind = private_fares::PrivateFareKind { Corporate, Leisure, Negotiated }
}

/// Against the published adult fare of the class on one flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivateFareAdjustment {
    PercentOff,
    AmountOff,
    Fixed,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PrivateFare {
    #[schema(example = "pfr_0000000000001")]
    pub id: String,
    pub agency_id: String,
    /// Stands behind the fare basis on the ticket: `Y/NEG1`.
    #[schema(example = "NEG1")]
    pub code: String,
    pub version: i64,
    #[serde(rename = "type")]
    pub kind: PrivateFareKind,
    #[schema(example = "CA")]
    pub carrier: String,
    /// Airport or city; the fare holds in both directions.
    #[schema(example = "BJS")]
    pub origin: String,
    #[schema(example = "SHA")]
    pub destination: String,
    /// Booking classes, one letter each.
    #[schema(example = "YBH")]
    pub booking_classes: String,
    pub adjustment: PrivateFareAdjustment,
    /// Per cent, for `percent_off`.
    pub percent: Option<u8>,
    /// For `amount_off` and `fixed`.
    #[schema(example = "100.00")]
    pub amount: Option<String>,
    #[schema(example = "CNY")]
    pub currency: Option<String>,
    pub minimum_travellers: i64,
    /// First and last day of issue.
    pub effective_from: String,
    pub effective_until: Option<String>,
    /// First and last day of departure.
    pub travel_from: Option<String>,
    pub travel_until: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<private_fares::PrivateFare> for PrivateFare {
    fn from(fare: private_fares::PrivateFare) -> Self {
        let filed = fare.filed;
        let (adjustment, percent, amount) = match filed.adjustment {
            Adjustment::PercentOff(percent) => (PrivateFareAdjustment::PercentOff, Some(percent), None),
            Adjustment::AmountOff(amount) => (PrivateFareAdjustment::AmountOff, None, Some(amount)),
            Adjustment::Fixed(amount) => (PrivateFareAdjustment::Fixed, None, Some(amount)),
        };
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
        PrivateFare {
            id: fare.id.to_string(),
            agency_id: filed.agency.to_string(),
            code: filed.code,
            version: fare.version,
            kind: filed.kind.into(),
            carrier: filed.carrier.to_string(),
            origin: filed.origin,
            destination: filed.destination,
            booking_classes: filed.classes.iter().map(|class| class.letter()).collect(),
            adjustment,
            percent,
            amount: amount.map(|amount| amount.to_string()),
            currency: amount.map(|amount| amount.currency.to_string()),
            minimum_travellers: filed.least_travellers,
            effective_from: filed.effective.from.to_string(),
            effective_until: day(filed.effective.until),
            travel_from: day(filed.travel_from),
            travel_until: day(filed.travel_until),
            created_at: time(fare.created_at),
        }
    }
}

impl From<PrivateFareError> for ApiError {
    fn from(error: PrivateFareError) -> Self {
        let field = match error {
            PrivateFareError::Code => "code",
            PrivateFareError::Classes => "booking_classes",
            PrivateFareError::Adjustment => "adjustment",
            PrivateFareError::Travellers => "minimum_travellers",
            PrivateFareError::Effective => "effective_until",
            PrivateFareError::Travel => "travel_until",
            PrivateFareError::BeforeLatest { .. } => "effective_from",
            PrivateFareError::Db(error) => return error.into(),
        };
        ApiError::new(Code::InvalidValue, format!("{error}.")).at(format!("/data/{field}"))
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilePrivateFare {
    pub agency_id: String,
    /// Two to six capital letters and digits. A code that is filed already gets its next version.
    pub code: String,
    #[serde(rename = "type")]
    pub kind: PrivateFareKind,
    /// IATA code of the airline.
    pub carrier: String,
    /// IATA codes of airports or cities.
    pub origin: String,
    pub destination: String,
    /// Booking classes, one letter each.
    pub booking_classes: String,
    pub adjustment: PrivateFareAdjustment,
    /// A whole number from 1 to 99, for `percent_off` only.
    pub percent: Option<i64>,
    /// For `amount_off` and `fixed` only.
    pub amount: Option<String>,
    pub currency: Option<String>,
    /// A group fare is for so many travellers with a seat and more; 1 if left out.
    pub minimum_travellers: Option<i64>,
    /// Days of issue in China, both included. Not before the version that is in force.
    pub effective_from: String,
    pub effective_until: Option<String>,
    /// Days of departure, both included.
    pub travel_from: Option<String>,
    pub travel_until: Option<String>,
}

impl FilePrivateFare {
    fn validate(&self, app: &App) -> Result<NewPrivateFare, ApiError> {
        let mut input = Input::default();
        let agency: Option<AgencyId> = input.id("agency_id", &self.agency_id);
        let code = input.text("code", &self.code, 6);
        let carrier = CarrierCode::parse(&self.carrier).filter(|code| app.catalogue.carriers.get(code.as_str()).is_some());
        if carrier.is_none() {
            input.fail(Code::InvalidValue, "carrier", "`carrier` is the IATA code of a known airline.");
        }
        for (field, place) in [("origin", &self.origin), ("destination", &self.destination)] {
            if app.catalogue.airports.meant_by(place).is_empty() {
                input.fail(Code::InvalidValue, field, format!("`{field}` is the IATA code of a known airport or city."));
            }
        }
        let classes: Option<Vec<BookingClass>> = self.booking_classes.chars().map(BookingClass::parse).collect();
        if classes.is_none() {
            input.fail(Code::InvalidValue, "booking_classes", "`booking_classes` is capital letters, one per class.");
        }
        let adjustment = self.adjustment(&mut input);
        let least_travellers = input.whole("minimum_travellers", self.minimum_travellers.unwrap_or(1), 1..=999);
        let from = input.date("effective_from", &self.effective_from);
        let until = optional_date(&mut input, "effective_until", self.effective_until.as_deref());
        let travel_from = optional_date(&mut input, "travel_from", self.travel_from.as_deref());
        let travel_until = optional_date(&mut input, "travel_until", self.travel_until.as_deref());
        let read = (|| {
            Some(NewPrivateFare {
                agency: agency?,
                code: code?,
                kind: self.kind.into(),
                carrier: carrier?,
                origin: self.origin.clone(),
                destination: self.destination.clone(),
                classes: classes?,
                adjustment: adjustment?,
                least_travellers: least_travellers?,
                effective: Period { from: from?, until: until? },
                travel_from: travel_from?,
                travel_until: travel_until?,
            })
        })();
        input.finish(read)
    }

    fn adjustment(&self, input: &mut Input) -> Option<Adjustment> {
        let by_amount = self.adjustment != PrivateFareAdjustment::PercentOff;
        let amount = input.only_if("amount", self.amount.as_deref(), by_amount);
        let currency = input.only_if("currency", self.currency.as_deref(), by_amount);
        match (self.adjustment, self.percent) {
            (PrivateFareAdjustment::PercentOff, Some(percent)) => {
                let percent = input.whole("percent", percent, 1..=99)?;
                u8::try_from(percent).ok().map(Adjustment::PercentOff)
            }
            (PrivateFareAdjustment::PercentOff, None) => {
                input.fail(Code::MissingField, "percent", "`percent` is missing.");
                None
            }
            (_, Some(_)) => {
                input.fail(Code::InvalidValue, "percent", "`percent` has no meaning here: leave it out.");
                None
            }
            (by, None) => {
                let amount: Money = input.money(("amount", amount?), ("currency", currency?))?;
                let fixed = by == PrivateFareAdjustment::Fixed;
                Some(if fixed { Adjustment::Fixed(amount) } else { Adjustment::AmountOff(amount) })
            }
        }
    }
}

/// The inner `None` is a day that was left out.
fn optional_date(input: &mut Input, field: &str, text: Option<&str>) -> Option<Option<NaiveDate>> {
    match text {
        None => Some(None),
        Some(text) => input.date(field, text).map(Some),
    }
}

/// The agency exists and sells in the currency of the amount.
fn check_agency(tx: &mut WriteTx, new: &NewPrivateFare) -> Result<(), ApiError> {
    let Some(agency) = agency(tx.db, new.agency)? else {
        return Err(ApiError::new(Code::InvalidValue, "There is no such agency.").at("/data/agency_id"));
    };
    match new.adjustment {
        Adjustment::AmountOff(amount) | Adjustment::Fixed(amount) if amount.currency != agency.currency => {
            let message = format!("The agency sells in {}.", agency.currency);
            Err(ApiError::new(Code::CurrencyMismatch, message).at("/data/currency"))
        }
        _ => Ok(()),
    }
}

/// All versions of private fares, newest first: of one agency, or of all that the caller sees.
#[utoipa::path(get, path = "/v1/private_fares", tag = "Settlement", operation_id = "list_private_fares",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<PrivateFare>)))]
pub async fn list_private_fares(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/private_fares")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| private_fares::private_fares(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |fare| fare.id.raw()).map(PrivateFare::from)))
}

/// Files the next version of a private fare of an agency. It is offered to that agency alone, where it is below the published fare; children and
/// infants pay their share of the published full fare. To end one, file a version with a last day of issue. The operator only.
#[utoipa::path(post, path = "/v1/private_fares", tag = "Settlement", operation_id = "file_private_fare", request_body = Data<FilePrivateFare>,
    responses((status = 201, body = Data<PrivateFare>),
        (status = 422, description = "`invalid_value`, `missing_field`, `unknown_currency`, `too_many_decimals`, `currency_mismatch`: not the agency's currency", body = ErrorBody)))]
pub async fn file(caller: Caller, request: HttpRequest, body: Body<FilePrivateFare>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let new = body.data.validate(&caller.app)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        check_agency(tx, &new)?;
        let filed = file_private_fare(tx, new)?;
        audit::record(tx, &cause, "private_fare.file", filed.id)?;
        Ok(PrivateFare::from(filed))
    })
    .await
}

/// One version of a private fare.
#[utoipa::path(get, path = "/v1/private_fares/{id}", tag = "Settlement", operation_id = "get_private_fare",
    params(("id" = String, Path, description = "`pfr_…`")), responses((status = 200, body = Data<PrivateFare>)))]
pub async fn get_private_fare(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: PrivateFareId = path_id(&id)?;
    let sight = Sight::of(&caller).await?;
    let found = caller.read(move |db| private_fares::private_fare(db, id)).await?;
    let found = found.filter(|fare| sight.sees_agency(fare.filed.agency));
    Ok(ok(found.map(PrivateFare::from).ok_or_else(not_found)?))
}
