//! Flights that airlines change, what agents answer, and orders that are given back because of it.

use super::{History, SEATS};
use crate::model::{Becomes, Flight};
use crate::verbs::Times;
use crate::world::World;
use airsettle::airlines::airline_by_code;
use airsettle::catalogue::{AirportCode, BookingClass, Bucket, CarrierCode, Catalogue};
use airsettle::db::Window;
use airsettle::db::schema::airline_change;
use airsettle::ids::{AirlineChangeId, CancellationId, Id, OrderId};
use airsettle::ticketing::{
    AirlineChange, AirlineChangeAction, AirlineChangeError, CancelError, Cancellation, NewSchedule, NewScheduleChange,
    accept_airline_change, airline_changes, ask_for_another_flight, confirm_cancellation, current_overlay, file_schedule_change,
    give_back_for_change, quote_cancellation, waives_penalty,
};
use chrono::{Days, Duration, NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// On so many days two flights leave: one that orders are sold on, and the one that may take its place.
const DAYS: u64 = 3;
/// Farther away than any history travels, and before the flights of exchanges.
const FIRST_DAY: u64 = 700;
const SOLD_FLIGHT: u16 = 1501;
/// Of the next class on the first flight, and of both on the second: soon full.
const UPGRADES: i64 = 3;
const OTHER_SEATS: i64 = 7;

/// The schedule, which this history may change, and what was filed.
pub(super) struct Sky {
    catalogue: Catalogue,
    /// Number and day, two by two.
    flights: Vec<(u16, NaiveDate)>,
    /// The id of the last change of each flight, as long as it leaves; else zero.
    priced: Vec<i64>,
}

impl Sky {
    /// Every class has as many seats as the model says.
    pub(super) fn over(world: &World) -> Self {
        let catalogue = Catalogue::load().unwrap();
        let (pek, sha) = (AirportCode::parse("PEK").unwrap(), AirportCode::parse("SHA").unwrap());
        let mut flights = Vec::new();
        for day in 0..DAYS {
            let day = world.today() + Days::new(FIRST_DAY + day);
            let mut others = catalogue
                .schedules
                .between(pek, sha)
                .filter(|(_, flight)| flight.carrier.as_str() == "CA" && flight.number != SOLD_FLIGHT && flight.operates_on(day));
            let other = others.next().unwrap().1.number;
            flights.extend([(SOLD_FLIGHT, day), (other, day)]);
        }
        let priced = vec![0; flights.len()];
        let sky = Sky { catalogue, flights, priced };
        let capacities: BTreeMap<i64, i64> = sky.flights().iter().flat_map(|flight| flight.classes).collect();
        let buckets = sky.flights.iter().flat_map(|flight| ('A'..='Z').map(|class| bucket(*flight, class)));
        let rows = buckets.map(|id| format!("({id}, {}, 0, 0)", capacities.get(&id).copied().unwrap_or(0)));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let unsold = format!("INSERT INTO seat_bucket (id, capacity, sold, schedule_change_id) VALUES {rows}");
        world.database.as_owner(&unsold).unwrap();
        sky
    }

    pub(super) fn flights(&self) -> Vec<Flight> {
        let flight = |(index, flight): (usize, &(u16, NaiveDate))| {
            let [sold, next] = if index % 2 == 0 { [SEATS, UPGRADES] } else { [OTHER_SEATS, UPGRADES] };
            let classes = [(bucket(*flight, 'Y'), sold), (bucket(*flight, 'B'), next)];
            Flight { name: format!("CA{}", flight.0), classes, leaves: Some(0), last: 0 }
        };
        self.flights.iter().enumerate().map(flight).collect()
    }

    /// The change that a price of now knows; where the flight leaves no more, the price is of an earlier time.
    pub(super) fn priced_with(&self, flight: usize) -> i64 {
        self.priced[flight]
    }

    pub(super) fn departs(&self, flight: usize) -> NaiveDateTime {
        self.flights[flight].1.and_hms_opt(8, 30, 0).unwrap()
    }

    fn becomes(&self, flight: usize, becomes: Becomes) -> NewSchedule {
        let (number, date) = self.flights[flight];
        match becomes {
            Becomes::Later(minutes) => {
                let (carrier, origin) = (CarrierCode::parse("CA").unwrap(), AirportCode::parse("PEK").unwrap());
                let (index, _) = self.catalogue.schedules.find(carrier, number, origin).unwrap();
                let scheduled = self.catalogue.schedules.scheduled(&self.catalogue.airports, index, date).unwrap();
                let later = Duration::minutes(minutes);
                NewSchedule::Retimed { departing_at: scheduled.departing_at + later, arriving_at: scheduled.arriving_at + later }
            }
            Becomes::Cancelled => NewSchedule::Cancelled,
            Becomes::Replaced => NewSchedule::Replaced { flight_number: self.flights[flight ^ 1].0, date },
        }
    }
}

fn bucket((flight_number, date): (u16, NaiveDate), class: char) -> i64 {
    let (carrier, origin) = (CarrierCode::parse("CA").unwrap(), AirportCode::parse("PEK").unwrap());
    let class = BookingClass::parse(class).unwrap();
    Bucket { carrier, flight_number, origin, date, class }.id().unwrap().raw()
}

impl History {
    pub(super) fn changes_flight(&mut self, flight: usize, becomes: Becomes) {
        let (flight_number, date) = self.sky.flights[flight];
        let new = NewScheduleChange {
            flight_number,
            origin: AirportCode::parse("PEK").unwrap(),
            date,
            becomes: self.sky.becomes(flight, becomes),
            reason: "weather".into(),
        };
        let (world, catalogue) = (&self.world, &self.sky.catalogue);
        let airline = world.read(|db| airline_by_code(db, "CA")).unwrap();
        let filed = world.store.write(|tx| file_schedule_change(tx, catalogue, &world.cause(), &airline, &new));
        catalogue.schedules.adopt(world.read(|db| current_overlay(db, world.today())));
        let expected = self.model.files(flight, becomes);
        if let (Ok(filed), Ok(told)) = (&filed, &expected) {
            assert_eq!(filed.order_count, i64::try_from(*told).unwrap());
            let leaves = self.model.flights[flight].leaves.is_some();
            self.sky.priced[flight] = if leaves { filed.id } else { 0 };
        }
        self.agrees("change a flight", filed, expected.map(drop));
    }

    /// What each order was told of, first to last, by its place.
    pub(super) fn told(&self) -> BTreeMap<usize, Vec<&'static str>> {
        let changes = airline_change::table.order(airline_change::id);
        let columns = (airline_change::order_id, airline_change::action_taken, airline_change::superseded_by);
        let rows: Vec<(i64, Option<String>, Option<i64>)> = self.world.read(|db| Ok(changes.select(columns).load(db)?));
        let mut told: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
        for (order, action, superseded) in rows {
            let place = self.sold.iter().position(|sold| sold.raw() == order).unwrap();
            let answers = ["accepted", "cancelled", "changed"];
            let answer = answers.into_iter().find(|answer| action.as_deref() == Some(*answer));
            told.entry(place).or_default().push(match (answer, superseded) {
                (Some(last @ ("accepted" | "cancelled")), _) | (Some(last), None) => last,
                (_, Some(_)) => "superseded",
                (None, None) => "open",
            });
        }
        told
    }

    fn changes_of(&self, order: OrderId) -> Vec<AirlineChange> {
        let mut changes = self.world.read(|db| airline_changes(db, None, Some(order), Window::NEWEST, 1_000));
        changes.reverse();
        changes
    }

    /// The change that an exchange is offered without penalty for.
    pub(super) fn newest_waiving(&self, place: usize) -> i64 {
        self.world.read(|db| waives_penalty(db, self.sold[place])).unwrap().row.id
    }

    pub(super) fn answers(&mut self, index: usize, nth: usize, action: AirlineChangeAction) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let changes = self.changes_of(self.sold[place]);
        // The newest first: it is the one that most agents answer.
        let Some(nth) = changes.len().checked_sub(1 + nth % changes.len().max(1)) else { return };
        let id = AirlineChangeId::of(changes[nth].row.id);
        let (world, catalogue, cause) = (&self.world, &self.sky.catalogue, self.world.cause());
        let answered: Result<AirlineChange, AirlineChangeError> = world.store.write(|tx| match action {
            AirlineChangeAction::Accept => accept_airline_change(tx, catalogue, &cause, id),
            AirlineChangeAction::Cancel => give_back_for_change(tx, &cause, id),
            AirlineChangeAction::Change => ask_for_another_flight(tx, &cause, id),
        });
        let what = match action {
            AirlineChangeAction::Accept => "accept a change",
            AirlineChangeAction::Cancel => "give back for a change",
            AirlineChangeAction::Change => "ask for another flight",
        };
        let expected = self.model.answers(place, nth, action);
        self.agrees(what, answered, expected);
    }

    pub(super) fn cancels(&mut self, index: usize, times: Times) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let what = if self.model.waives(place).is_some() { "cancel for a change" } else { "cancel" };
        let done = self.cancels_order(self.sold[place], times);
        match (self.model.cancels(place), done) {
            (Ok(Some(waits)), Ok(Cancellation { refund: Some(refund), .. })) => {
                self.settles(what, Ok::<_, CancelError>(refund), Ok(waits));
            }
            (Ok(None), Ok(Cancellation { refund: None, .. })) => self.counts("void", true),
            (expected, done) => self.agrees(what, done, expected.map(drop)),
        }
    }

    fn cancels_order(&self, order: OrderId, times: Times) -> Result<Cancellation, CancelError> {
        let (world, catalogue, cause) = (&self.world, &self.sky.catalogue, self.world.cause());
        let quote = world.store.write(|tx| quote_cancellation(tx, catalogue, &cause, order))?;
        let id = CancellationId::of(quote.row.id);
        let confirm = || world.store.write(|tx| confirm_cancellation(tx, catalogue, &cause, id));
        let first = confirm()?;
        if times == Times::Twice { confirm() } else { Ok(first) }
    }
}
