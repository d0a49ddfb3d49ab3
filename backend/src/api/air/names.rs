//! The catalogue in the shapes of the API, prepared once.

use super::Names;
use super::place::{Aircraft, Airline, Airport, City, CityReference};
use crate::catalogue::{self, Catalogue};
use std::collections::HashMap;

#[derive(Debug)]
pub struct CatalogueNames {
    airports: HashMap<String, Airport>,
    cities: HashMap<String, City>,
    airlines: HashMap<String, Airline>,
    aircraft: HashMap<String, Aircraft>,
}

fn airport(airport: &catalogue::Airport) -> Airport {
    let city = CityReference::new(airport.city.as_str(), &airport.country, &airport.city_name);
    Airport {
        iata_city_code: Some(airport.city.to_string()),
        city_name: Some(airport.city_name.clone()),
        city: Some(city),
        latitude: Some(airport.latitude),
        longitude: Some(airport.longitude),
        time_zone: airport.zone.name().to_owned(),
        ..Airport::new(airport.code.as_str(), &airport.country, &airport.name)
    }
}

impl CatalogueNames {
    pub fn new(catalogue: &Catalogue) -> Self {
        let airports: HashMap<String, Airport> =
            catalogue.airports.all().iter().map(|known| (known.code.to_string(), airport(known))).collect();
        let cities = catalogue.airports.cities().map(|city| {
            let members = catalogue.airports.meant_by(city.code.as_str());
            let airports = members.into_iter().map(airport).collect();
            let reference = CityReference::new(city.code.as_str(), &city.country, &city.name);
            (city.code.to_string(), City { city: reference, airports })
        });
        let airlines = catalogue
            .carriers
            .all()
            .iter()
            .map(|carrier| (carrier.code.to_string(), Airline::new(carrier.code.as_str(), &carrier.name)));
        let aircraft = catalogue
            .aircraft
            .all()
            .iter()
            .map(|aircraft| (aircraft.code.to_string(), Aircraft::new(aircraft.code.as_str(), &aircraft.name)));
        CatalogueNames { cities: cities.collect(), airlines: airlines.collect(), aircraft: aircraft.collect(), airports }
    }

    /// In the order of their codes.
    pub fn airports(&self) -> Vec<Airport> {
        sorted(&self.airports)
    }

    pub fn airlines(&self) -> Vec<Airline> {
        sorted(&self.airlines)
    }

    pub fn aircrafts(&self) -> Vec<Aircraft> {
        sorted(&self.aircraft)
    }
}

fn sorted<T: Clone>(named: &HashMap<String, T>) -> Vec<T> {
    let mut all: Vec<(&String, &T)> = named.iter().collect();
    all.sort_by_key(|(code, _)| *code);
    all.into_iter().map(|(_, value)| value.clone()).collect()
}

impl Names for CatalogueNames {
    fn airport(&self, iata: &str) -> Option<&Airport> {
        self.airports.get(iata)
    }

    fn city(&self, iata: &str) -> Option<&City> {
        self.cities.get(iata)
    }

    fn airline(&self, iata: &str) -> Option<&Airline> {
        self.airlines.get(iata)
    }

    fn aircraft(&self, iata: &str) -> Option<&Aircraft> {
        self.aircraft.get(iata)
    }
}
