//! What it costs to give a journey back or to change it, and until when: the ladders of its carrier, laid out on the times of its flights.
//!
//! Each flight has the steps of its own booking class before its own departure. A slice, and then an offer, has all boundaries of its
//! flights, and between them the sum of what they cost; it cannot be refunded or changed while one of them cannot. Infants pay no fee.

use super::FARE_ZONE;
use super::offer::{OfferSegment, OfferSlice, PassengerKind, PricedOffer};
use crate::catalogue::changes::ChangeFee;
use crate::catalogue::fare_rules::FareRule;
use crate::catalogue::ladder_steps::Step;
use crate::catalogue::{Airport, AirportCode, BookingClass, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::money::{Currency, Money, MoneyError, Rate};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

/// None where nothing is filed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub refund: Option<Ladder>,
    pub change: Option<Ladder>,
}

/// Steps in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(Vec<LadderStep>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderStep {
    /// The first moment at which the next step counts; none is the last step.
    pub until: Option<Timestamp>,
    pub penalty: Penalty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Penalty {
    Fee(Money),
    NotAllowed,
}

/// The conditions of every slice, for all passengers, if the offer is ticketed on `issued_on`.
pub fn slice_conditions(catalogue: &Catalogue, offer: &PricedOffer, issued_on: NaiveDate) -> Result<Vec<Conditions>, MoneyError> {
    let mut first_coupon = 0;
    let mut all = Vec::with_capacity(offer.slices.len());
    for slice in &offer.slices {
        let mut flights = Vec::with_capacity(slice.segments.len());
        for (leg, segment) in slice.segments.iter().enumerate() {
            flights.push(of_flight(catalogue, offer, (segment, first_coupon + leg), issued_on)?);
        }
        first_coupon += slice.segments.len();
        all.push(together(&flights)?);
    }
    Ok(all)
}

/// The conditions of the whole from those of its parts.
pub fn together(parts: &[Conditions]) -> Result<Conditions, MoneyError> {
    let refund: Option<Vec<&Ladder>> = parts.iter().map(|part| part.refund.as_ref()).collect();
    let change: Option<Vec<&Ladder>> = parts.iter().map(|part| part.change.as_ref()).collect();
    let sum = |ladders: Option<Vec<&Ladder>>| ladders.map_or(Ok(None), |ladders| Ladder::sum(&ladders));
    Ok(Conditions { refund: sum(refund)?, change: sum(change)? })
}

/// The rules of sale of an offer's classes, each class once, in the order of its flights.
pub fn fare_rules<'c>(catalogue: &'c Catalogue, slice: &OfferSlice, issued_on: NaiveDate) -> Vec<(BookingClass, &'c FareRule)> {
    let mut found: Vec<(BookingClass, &FareRule)> = Vec::new();
    for segment in &slice.segments {
        let rule = rule_of(catalogue, segment, issued_on);
        found.extend(rule.filter(|(class, _)| found.iter().all(|(known, _)| known != class)));
    }
    found
}

/// The first moment at which it is too late to ticket the offer for its advance purchase: the strictest class decides, and the day is over
/// in China. None where no class has to be bought in advance.
pub fn ticketed_by(catalogue: &Catalogue, offer: &PricedOffer, issued_on: NaiveDate) -> Option<Timestamp> {
    let begins_on = offer.segments().next()?.departing_at.date();
    let rules = offer.slices.iter().flat_map(|slice| fare_rules(catalogue, slice, issued_on));
    let last_day = rules.filter_map(|(_, rule)| rule.last_day_of_issue(begins_on)).min()?;
    let midnight = last_day.succ_opt()?.and_time(NaiveTime::MIN);
    FARE_ZONE.from_local_datetime(&midnight).earliest().map(|end| Timestamp::from(end.to_utc()))
}

fn rule_of<'c>(catalogue: &'c Catalogue, segment: &OfferSegment, issued_on: NaiveDate) -> Option<(BookingClass, &'c FareRule)> {
    let (carrier, class) = (CarrierCode::parse(&segment.carrier)?, BookingClass::parse(segment.booking_class)?);
    let (origin, destination) = (AirportCode::parse(&segment.origin)?, AirportCode::parse(&segment.destination)?);
    let pair = catalogue.fares.pair(carrier, origin, destination, issued_on)?;
    Some((class, catalogue.fare_rules.rule(carrier, pair.service, class, issued_on)?))
}

/// The airport in whose time the boundaries of a slice are: the one that it departs from.
pub fn airport_of<'c>(catalogue: &'c Catalogue, slice: &OfferSlice) -> Option<&'c Airport> {
    catalogue.airports.find(&slice.origin)
}

impl Ladder {
    pub fn steps(&self) -> &[LadderStep] {
        &self.0
    }

    /// The step that counts at this moment; on a boundary it is the later one.
    pub fn at(&self, now: Timestamp) -> Option<&LadderStep> {
        self.0.iter().find(|step| step.until.is_none_or(|until| now < until))
    }

    fn sum(ladders: &[&Ladder]) -> Result<Option<Ladder>, MoneyError> {
        let mut boundaries: Vec<Timestamp> = ladders.iter().flat_map(|ladder| &ladder.0).filter_map(|step| step.until).collect();
        boundaries.sort_unstable();
        boundaries.dedup();
        let mut steps = Vec::with_capacity(boundaries.len() + 1);
        let mut from = Timestamp::from(NaiveDateTime::MIN);
        for until in boundaries.into_iter().map(Some).chain([None]) {
            let penalties: Option<Vec<Penalty>> = ladders.iter().map(|ladder| Some(ladder.at(from)?.penalty)).collect();
            let Some(penalties) = penalties else { break };
            steps.push(LadderStep { until, penalty: Penalty::sum(&penalties)? });
            from = until.unwrap_or(from);
        }
        Ok((!steps.is_empty()).then_some(Ladder(steps)))
    }
}

impl Penalty {
    fn sum(all: &[Penalty]) -> Result<Penalty, MoneyError> {
        let mut sum: Option<Money> = None;
        for penalty in all {
            match (penalty, sum) {
                (Penalty::NotAllowed, _) => return Ok(Penalty::NotAllowed),
                (Penalty::Fee(fee), None) => sum = Some(*fee),
                (Penalty::Fee(fee), Some(before)) => sum = Some(before.checked_add(*fee)?),
            }
        }
        Ok(sum.map_or(Penalty::NotAllowed, Penalty::Fee))
    }
}

fn of_flight(
    catalogue: &Catalogue,
    offer: &PricedOffer,
    (segment, coupon): (&OfferSegment, usize),
    issued_on: NaiveDate,
) -> Result<Conditions, MoneyError> {
    let Some((carrier, class, departs)) = known(catalogue, segment) else { return Ok(Conditions::default()) };
    let share = |rate: Rate| Ok(Penalty::Fee(share_of(offer, coupon, rate)?));
    let refund = catalogue.refunds.steps(carrier, class, issued_on);
    let change = catalogue.changes.steps(carrier, class, issued_on);
    Ok(Conditions {
        refund: laid_out(&refund, departs, |fee| share(*fee))?,
        change: laid_out(&change, departs, |fee| match fee {
            ChangeFee::Share(rate) => share(*rate),
            ChangeFee::NotPermitted => Ok(Penalty::NotAllowed),
        })?,
    })
}

fn known(catalogue: &Catalogue, segment: &OfferSegment) -> Option<(CarrierCode, BookingClass, Timestamp)> {
    let airport = catalogue.airports.find(&segment.origin)?;
    let class = BookingClass::parse(segment.booking_class)?;
    Some((CarrierCode::parse(&segment.carrier)?, class, airport.instant(segment.departing_at)?))
}

fn laid_out<F>(
    steps: &[&Step<F>],
    departs: Timestamp,
    penalty: impl Fn(&F) -> Result<Penalty, MoneyError>,
) -> Result<Option<Ladder>, MoneyError> {
    let placed = steps.iter().map(|step| {
        let until = step.more_than.map(|before| departs.plus(-before));
        Ok(LadderStep { until, penalty: penalty(&step.fee)? })
    });
    let placed: Vec<LadderStep> = placed.collect::<Result<_, MoneyError>>()?;
    Ok((!placed.is_empty()).then_some(Ladder(placed)))
}

/// The share of what this flight costs everybody but the infants, rounded per passenger as every fee is.
fn share_of(offer: &PricedOffer, coupon: usize, rate: Rate) -> Result<Money, MoneyError> {
    let currency: Currency = offer.currency()?;
    let paying = offer.passengers.iter().filter(|passenger| passenger.kind != PassengerKind::Infant);
    paying
        .filter_map(|passenger| passenger.coupons.get(coupon))
        .try_fold(Money::zero(currency), |sum, coupon| sum.checked_add(Money::new(coupon.base_minor, currency).portion(rate)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::offer::{PassengerKind, PricedOffer};
    use super::super::request::{SearchPassenger, SearchRequest, SearchSlice};
    use super::super::search::candidates;
    use super::*;
    use crate::catalogue::tests::{catalogue, date};
    use chrono::Duration;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const ADULT: SearchPassenger = SearchPassenger { kind: PassengerKind::Adult, age: None };

    fn found(days: &[(&str, &str, &str)], passengers: &[PassengerKind]) -> PricedOffer {
        let slice = |(origin, destination, day): &(&str, &str, &str)| SearchSlice {
            origin: (*origin).to_owned(),
            destination: (*destination).to_owned(),
            departure_date: date(day),
        };
        let passengers = passengers.iter().map(|kind| SearchPassenger { kind: *kind, ..ADULT }).collect();
        let slices = days.iter().map(slice).collect();
        let request = SearchRequest { slices, passengers, cabin: None, max_connections: 0 };
        let now = Timestamp::from(date("2026-11-22").and_hms_opt(2, 0, 0).unwrap());
        let offers = candidates(catalogue(), &request, now).unwrap().price(catalogue(), &HashMap::new(), now);
        offers.into_iter().next().unwrap()
    }

    /// A fare of 950.00 of Donghai Airlines in this class, and its departure.
    fn donghai(class: char) -> (PricedOffer, Timestamp) {
        let mut offer = found(&[("SZX", "NTG", "2026-12-08")], &[PassengerKind::Adult]);
        let segment = &mut offer.slices[0].segments[0];
        assert_eq!(segment.carrier, "DZ");
        segment.booking_class = class;
        let departs = Timestamp::from(segment.departing_at - Duration::hours(8));
        offer.passengers[0].base_minor = 95_000;
        offer.passengers[0].coupons[0].base_minor = 95_000;
        (offer, departs)
    }

    fn whole(offer: &PricedOffer) -> Conditions {
        together(&slice_conditions(catalogue(), offer, date("2026-11-22")).unwrap()).unwrap()
    }

    fn shown(ladder: &Ladder, now: Timestamp) -> String {
        match ladder.at(now).unwrap().penalty {
            Penalty::Fee(fee) => fee.to_string(),
            Penalty::NotAllowed => "not allowed".to_owned(),
        }
    }

    #[test]
    fn donghai_keeps_what_its_table_says_until_two_hours_before_and_after() {
        let refunds = |class: char| {
            let (offer, departs) = donghai(class);
            let ladder = whole(&offer).refund.unwrap();
            let at = |minutes: i64| shown(&ladder, departs.plus(Duration::minutes(-minutes)));
            (at(121), at(120), at(-30))
        };
        let three = |early: &str, late: &str| (early.to_owned(), late.to_owned(), late.to_owned());
        assert_eq!(refunds('F'), three("0.00", "47.50"));
        assert_eq!(refunds('Y'), three("47.50", "95.00"));
        assert_eq!(refunds('K'), three("190.00", "190.00"));
        assert_eq!(refunds('G'), three("475.00", "475.00"));
    }

    #[test]
    fn a_class_that_cannot_be_changed_late_says_so() {
        let (offer, departs) = donghai('G');
        let change = whole(&offer).change.unwrap();
        assert_eq!(shown(&change, departs.plus(Duration::hours(-3))), "285.00");
        assert_eq!(shown(&change, departs.plus(Duration::hours(-2))), "not allowed", "two hours sharp is within");
        assert_eq!(change.steps()[0].until, Some(departs.plus(Duration::hours(-2))));
        assert_eq!(change.steps()[1].until, None);
    }

    #[test]
    fn infants_pay_no_fee_and_everybody_else_does() {
        let family = [PassengerKind::Adult, PassengerKind::Child, PassengerKind::Infant];
        let offer = found(&[("SZX", "NTG", "2026-12-08")], &family);
        let seated = PricedOffer { passengers: offer.passengers[..2].to_vec(), ..offer.clone() };
        assert_eq!(whole(&offer), whole(&seated));
        assert_ne!(whole(&offer), whole(&PricedOffer { passengers: offer.passengers[..1].to_vec(), ..offer.clone() }));
    }

    #[test]
    fn an_offer_is_ticketed_by_the_end_of_the_last_day_of_its_strictest_class() {
        let mut offer = found(&[("SZX", "NTG", "2026-12-08"), ("NTG", "SZX", "2026-12-15")], &[PassengerKind::Adult]);
        let by = |offer: &PricedOffer| ticketed_by(catalogue(), offer, date("2026-11-22")).map(|end| end.to_string());
        for (slice, class) in offer.slices.iter_mut().zip(['G', 'W']) {
            slice.segments[0].booking_class = class;
        }
        assert_eq!(by(&offer).as_deref(), Some("2026-11-24T16:00:00.000000Z"), "fourteen days before the 8th, midnight in China");
        offer.slices[1].segments[0].booking_class = 'Y';
        assert_eq!(by(&offer).as_deref(), Some("2026-12-01T16:00:00.000000Z"), "seven");
        offer.slices[0].segments[0].booking_class = 'Y';
        assert_eq!(by(&offer), None);
    }

    #[test]
    fn what_nobody_filed_is_not_known() {
        let (mut offer, _) = donghai('Y');
        offer.slices[0].segments[0].booking_class = 'X';
        assert_eq!(whole(&offer), Conditions::default());
    }

    proptest! {
        /// The offer's conditions are those of its slices added up, at any time.
        #[test]
        fn a_return_costs_what_its_halves_cost(there in "[FCYBHKLMQZGSW]", back in "[FCYBHKLMQZGSW]", hours in -48i64..600) {
            let mut offer = found(&[("SZX", "NTG", "2026-12-08"), ("NTG", "SZX", "2026-12-15")], &[PassengerKind::Adult]);
            for (slice, class) in offer.slices.iter_mut().zip([there, back]) {
                slice.segments[0].booking_class = class.parse().unwrap();
            }
            let halves = slice_conditions(catalogue(), &offer, date("2026-11-22")).unwrap();
            let whole = together(&halves).unwrap();
            let departs = Timestamp::from(offer.slices[0].segments[0].departing_at - Duration::hours(8));
            let now = departs.plus(Duration::hours(-hours));
            for of in [|part: &Conditions| part.refund.clone().unwrap(), |part: &Conditions| part.change.clone().unwrap()] {
                let parts: Vec<Penalty> = halves.iter().map(|half| of(half).at(now).unwrap().penalty).collect();
                let expected = match parts[..] {
                    [Penalty::Fee(there), Penalty::Fee(back)] => Penalty::Fee(there.checked_add(back).unwrap()),
                    _ => Penalty::NotAllowed,
                };
                prop_assert_eq!(of(&whole).at(now).unwrap().penalty, expected);
                let steps = of(&whole);
                prop_assert!(steps.steps().windows(2).all(|pair| pair[0].until < pair[1].until || pair[1].until.is_none()));
            }
        }
    }
}
