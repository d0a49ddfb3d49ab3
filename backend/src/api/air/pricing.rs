//! `POST /air/offers/{id}/actions/price`: an offer at the price of this moment, under the same ids.

use super::conditions::Detail;
use super::names::CatalogueNames;
use super::offer::{Offer, Price};
use super::searching::{check_sellable, private_fares_for, shown_offer, sold_in};
use crate::agencies::Agency;
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, ok};
use crate::api::error::{ApiError, ErrorBody, Problems};
use crate::api::query::path_id;
use crate::app::App;
use crate::identity::Scope;
use crate::ids::OfferId;
use crate::money::{Currency, Money, MoneyError};
use crate::shopping::offer::PricedOffer;
use crate::shopping::price::RepriceRefusal;
use crate::shopping::repricing::{PriceChange, changes, price_again, wanted_buckets};
use crate::shopping::tariff::{Tariff, codes_of};
use crate::shopping::{StoredSearch, keep_pricing, search_of_offer};
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// How and what the client means to pay; both may be left out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct PriceOffer {
    /// `arc_bsp_cash` and `balance`: neither costs anything on top.
    pub intended_payment_methods: Option<Vec<IntendedPaymentMethod>>,
    /// Nothing is sold beside the flight: absent or empty.
    #[schema(value_type = Option<Vec<Object>>)]
    pub intended_services: Option<Vec<Value>>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct IntendedPaymentMethod {
    #[serde(rename = "type")]
    #[schema(example = "balance")]
    pub kind: String,
}

/// The offer at its new price, with what it would be charged and what has changed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfferPriced {
    #[serde(flatten)]
    pub offer: Offer,
    pub intended_payment_methods: Vec<ChargedPaymentMethod>,
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    pub intended_services: [(); 0],
    /// Extension: the price before and after, and every difference.
    pub airsettle_price_change: PriceComparison,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChargedPaymentMethod {
    #[serde(rename = "type")]
    pub kind: String,
    #[schema(example = "1000.00")]
    pub charge_amount: String,
    pub charge_currency: String,
    #[schema(example = "0.00")]
    pub surcharge_amount: String,
    pub surcharge_currency: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PriceComparison {
    pub before: PriceParts,
    pub after: PriceParts,
    /// Empty where the price is what it was.
    pub changes: Vec<ShownChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PriceParts {
    pub base_amount: String,
    pub tax_amount: String,
    pub total_amount: String,
    pub currency: String,
}

/// One difference. `before` and `after` are booking classes or amounts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownChange {
    pub what: Changed,
    /// The flight, for a booking class.
    pub segment_id: Option<String>,
    /// The passenger, for a fare or a tax.
    pub passenger_id: Option<String>,
    pub tax_code: Option<String>,
    #[schema(example = "950.00")]
    pub before: String,
    #[schema(example = "1140.00")]
    pub after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PriceChanged)]
pub enum Changed {
    BookingClass,
    Fare,
    Tax,
}

/// Why an offer has no price any more, or another one; also of an order that prices it again.
impl From<RepriceRefusal> for ApiError {
    fn from(error: RepriceRefusal) -> Self {
        let code = match error {
            RepriceRefusal::FareChanged { .. } => return ApiError::of(Code::OfferPriceChanged),
            RepriceRefusal::Departed { .. } | RepriceRefusal::Closed { .. } => Code::FlightDeparted,
            RepriceRefusal::FlightGone { .. } | RepriceRefusal::ScheduleChanged { .. } | RepriceRefusal::FareGone { .. } => {
                Code::OfferNoLongerAvailable
            }
            RepriceRefusal::SoldOut { .. } => Code::SeatsSoldOut,
            RepriceRefusal::RuleNotMet(_) => Code::FareRuleNotMet,
            RepriceRefusal::NotAnOffer | RepriceRefusal::Money(_) => return ApiError::internal(error),
        };
        ApiError::new(code, format!("{error}."))
    }
}

impl PriceOffer {
    fn validate(&self) -> Result<Vec<String>, ApiError> {
        let mut problems = Problems::default();
        let methods = self.intended_payment_methods.as_deref().unwrap_or_default();
        for (position, method) in methods.iter().enumerate() {
            if !["arc_bsp_cash", "balance"].contains(&method.kind.as_str()) {
                let pointer = format!("/data/intended_payment_methods/{position}/type");
                let message = Code::PaymentTypeNotSupported.documentation();
                problems.add(Code::PaymentTypeNotSupported, pointer, message);
            }
        }
        if self.intended_services.as_ref().is_some_and(|services| !services.is_empty()) {
            problems.add(Code::InvalidValue, "/data/intended_services", "Nothing is sold beside the flight.");
        }
        problems.finish()?;
        Ok(methods.iter().map(|method| method.kind.clone()).collect())
    }
}

/// Prices an offer again: the same flights at the fares, taxes and seats of this moment. A class that is sold out or may not be bought any more gives
/// way to the next one of its cabin. The ids of the offer, its passengers and its flights stay what they were; the new price is what an order has to
/// pay, and it can be ordered for as long as a new offer.
#[utoipa::path(post, path = "/air/offers/{id}/actions/price", tag = "Search", operation_id = "price_offer",
    params(("id" = String, Path)), request_body = Data<PriceOffer>,
    responses((status = 200, body = Data<OfferPriced>), (status = 404, description = "`offer_not_found`", body = ErrorBody),
        (status = 422, description = "`offer_expired`, `offer_no_longer_available`, `seats_sold_out`, `fare_rule_not_met`, `flight_departed`, `airline_stopped`, `no_contract`, `split_exceeds_fare`, `payment_type_not_supported`", body = ErrorBody)))]
pub async fn price_offer(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
    body: Body<PriceOffer>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OfferId = path_id(&id)?;
    let methods = body.data.validate()?;
    let agency = caller.selling_agency().await?;
    let app = caller.app.clone();
    let (before, search) = blocking(move || price(&app, &agency, id)).await?;
    let position = search.position(id).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let after = search.offer(id).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let offer = shown_offer(&caller.app, &search, position, Detail::EveryStep, names.get_ref())?;
    let total = after.total().map_err(ApiError::internal)?;
    Ok(ok(OfferPriced {
        airsettle_price_change: comparison(&before, after, &offer).map_err(ApiError::internal)?,
        offer,
        intended_payment_methods: methods.into_iter().map(|kind| charged(kind, total)).collect(),
        intended_services: [],
    }))
}

/// The offer as it was, and its search with the new price.
fn price(app: &App, agency: &Agency, id: OfferId) -> Result<(PricedOffer, Arc<StoredSearch>), ApiError> {
    let now = app.now();
    let found = app.store.read(|db| search_of_offer(db, id))?.filter(|search| search.agency == agency.id);
    let search = found.ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    if search.is_expired(id, now) {
        return Err(ApiError::of(Code::OfferExpired));
    }
    let before = search.offer(id).cloned().ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let buckets = wanted_buckets(&app.catalogue, &before, now)?;
    let (sold, private) = app
        .store
        .read(|db| Ok::<_, ApiError>((sold_in(db, &buckets)?, private_fares_for(db, agency.id, now, &codes_of(&before))?)))?;
    let tariff = Tariff { catalogue: &app.catalogue, private: &private };
    let after = price_again(tariff, &before, &sold, now)?;
    check_sellable(app, agency, &after)?;
    app.store.write(|tx| keep_pricing(tx, search.id, id, &after))?;
    let search = app.store.read(|db| search_of_offer(db, id))?;
    let search = Arc::new(search.ok_or_else(|| ApiError::of(Code::OfferNotFound))?);
    app.searches.remember(search.clone());
    Ok((before, search))
}

fn charged(kind: String, total: Money) -> ChargedPaymentMethod {
    let currency = total.currency.to_string();
    ChargedPaymentMethod {
        kind,
        charge_amount: total.to_string(),
        charge_currency: currency.clone(),
        surcharge_amount: Money::zero(total.currency).to_string(),
        surcharge_currency: currency,
    }
}

fn comparison(before: &PricedOffer, after: &PricedOffer, shown: &Offer) -> Result<PriceComparison, MoneyError> {
    let currency = after.currency()?;
    let change = |change: PriceChange| shown_change(change, currency, shown);
    Ok(PriceComparison {
        before: parts(before)?,
        after: parts(after)?,
        changes: changes(before, after).into_iter().map(change).collect(),
    })
}

fn parts(offer: &PricedOffer) -> Result<PriceParts, MoneyError> {
    let price = Price::of(offer)?;
    Ok(PriceParts {
        base_amount: price.base.to_string(),
        tax_amount: price.tax.to_string(),
        total_amount: price.total.to_string(),
        currency: price.total.currency.to_string(),
    })
}

fn shown_change(change: PriceChange, currency: Currency, shown: &Offer) -> ShownChange {
    let amount = |minor: i64| Money::new(minor, currency).to_string();
    let passenger_id = |position: usize| shown.passengers.get(position).map(|passenger| passenger.id.clone());
    match change {
        PriceChange::BookingClass { slice, segment, before, after } => ShownChange {
            what: Changed::BookingClass,
            segment_id: shown.slices.get(slice).and_then(|slice| slice.segments.get(segment)).map(|segment| segment.id.clone()),
            passenger_id: None,
            tax_code: None,
            before: before.to_string(),
            after: after.to_string(),
        },
        PriceChange::Fare { passenger, before_minor, after_minor } => ShownChange {
            what: Changed::Fare,
            segment_id: None,
            passenger_id: passenger_id(passenger),
            tax_code: None,
            before: amount(before_minor),
            after: amount(after_minor),
        },
        PriceChange::Tax { passenger, code, before_minor, after_minor } => ShownChange {
            what: Changed::Tax,
            segment_id: None,
            passenger_id: passenger_id(passenger),
            tax_code: Some(code),
            before: amount(before_minor),
            after: amount(after_minor),
        },
    }
}
