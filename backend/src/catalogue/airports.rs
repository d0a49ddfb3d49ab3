//! Airports, and the cities they serve.

use super::records::{Row, Table};
use super::{AirportCode, CatalogueError, CityCode};
use crate::clock::Timestamp;
use chrono::{Duration, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use std::collections::BTreeMap;

const EARTH_RADIUS_KM: f64 = 6_371.008_8;

#[derive(Clone, Debug, PartialEq)]
pub struct Airport {
    pub code: AirportCode,
    pub name: String,
    pub name_zh: Option<String>,
    pub city: CityCode,
    pub city_name: String,
    pub city_name_zh: Option<String>,
    /// ISO 3166 alpha-2; Hong Kong, Macau and Taiwan have codes of their own.
    pub country: String,
    pub latitude: f64,
    pub longitude: f64,
    pub zone: Tz,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct City {
    pub code: CityCode,
    pub name: String,
    pub name_zh: Option<String>,
    pub country: String,
    /// In the order of their codes.
    pub airports: Vec<AirportCode>,
}

#[derive(Debug)]
pub struct Airports {
    airports: Vec<Airport>,
    cities: BTreeMap<CityCode, City>,
}

impl Airport {
    /// The Chinese mainland, where CN is charged.
    pub fn in_mainland(&self) -> bool {
        self.country == "CN"
    }

    /// A wall-clock time that the spring change skips is read an hour later; one that autumn repeats is its first occurrence.
    pub fn instant(&self, local: NaiveDateTime) -> Option<Timestamp> {
        let exact = self.zone.from_local_datetime(&local).earliest();
        let an_hour_later = || self.zone.from_local_datetime(&local.checked_add_signed(Duration::hours(1))?).earliest();
        Some(Timestamp::from(exact.or_else(an_hour_later)?.naive_utc()))
    }

    /// Along the great circle, rounded to a kilometre.
    pub fn distance_km(&self, other: &Airport) -> u32 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let across = (other.longitude - self.longitude).to_radians() / 2.0;
        let haversine = ((to - from) / 2.0).sin().powi(2) + from.cos() * to.cos() * across.sin().powi(2);
        let km = 2.0 * EARTH_RADIUS_KM * haversine.sqrt().asin();
        // There is no conversion from a float that is not a cast; half the circumference is far inside the type.
        km.round() as u32
    }
}

impl Airports {
    /// `names` has the Chinese names of those that are flown to.
    pub(super) fn read(table: Table<'_>, names: Table<'_>) -> Result<Self, CatalogueError> {
        let file = names.file;
        let mut airports = table.by_key(airport, |airport| airport.code)?;
        let named = |row: &Row<'_>| Ok((row.with("iata", AirportCode::parse)?, row.parsed::<String>("name_zh")?));
        for (code, name) in names.by_key(named, |(code, _)| *code)? {
            let known = airports.iter_mut().find(|airport| airport.code == code);
            let known = known.ok_or_else(|| CatalogueError::Unknown { file, what: code.to_string() })?;
            known.name_zh = Some(name);
        }
        let mut cities: BTreeMap<CityCode, City> = BTreeMap::new();
        for airport in &airports {
            let city = cities.entry(airport.city).or_insert_with(|| City {
                code: airport.city,
                name: airport.city_name.clone(),
                name_zh: airport.city_name_zh.clone(),
                country: airport.country.clone(),
                airports: Vec::new(),
            });
            city.airports.push(airport.code);
        }
        Ok(Airports { airports, cities })
    }

    /// In the order of their codes.
    pub fn all(&self) -> &[Airport] {
        &self.airports
    }

    pub fn cities(&self) -> impl Iterator<Item = &City> {
        self.cities.values()
    }

    pub fn get(&self, code: AirportCode) -> Option<&Airport> {
        let index = self.airports.binary_search_by_key(&code, |airport| airport.code).ok()?;
        self.airports.get(index)
    }

    pub fn find(&self, code: &str) -> Option<&Airport> {
        self.get(AirportCode::parse(code)?)
    }

    pub fn city(&self, code: &str) -> Option<&City> {
        self.cities.get(&CityCode::parse(code)?)
    }

    /// The airports that a code in a search means. A code that names both a city and an airport (`SHA`) means the city, because
    /// otherwise there would be no way to ask for all of its airports.
    pub fn meant_by(&self, code: &str) -> Vec<&Airport> {
        match self.city(code) {
            Some(city) => city.airports.iter().filter_map(|code| self.get(*code)).collect(),
            None => self.find(code).into_iter().collect(),
        }
    }
}

fn airport(row: &Row<'_>) -> Result<Airport, CatalogueError> {
    Ok(Airport {
        code: row.with("iata", AirportCode::parse)?,
        name: row.parsed("name")?,
        name_zh: None,
        city: row.with("city_code", CityCode::parse)?,
        city_name: row.parsed("city")?,
        city_name_zh: row.optional("city_zh", |text| Some(text.to_owned()))?,
        country: row.parsed("country")?,
        latitude: row.parsed("lat")?,
        longitude: row.parsed("lon")?,
        zone: row.parsed("tz")?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::catalogue;

    #[test]
    fn a_city_code_means_all_its_airports_and_an_airport_code_one() {
        let airports = &catalogue().airports;
        let codes = |text: &str| airports.meant_by(text).iter().map(|airport| airport.code.to_string()).collect::<Vec<_>>();
        assert_eq!(codes("BJS"), ["PEK", "PKX"]);
        assert_eq!(codes("SHA"), ["PVG", "SHA"]);
        assert_eq!(codes("PVG"), ["PVG"]);
        assert_eq!(codes("CTU"), ["CTU", "TFU"]);
        assert!(codes("QQQ").is_empty() && codes("pek").is_empty() && codes("").is_empty());
    }

    #[test]
    fn distances_are_those_of_the_map() {
        let airports = &catalogue().airports;
        let km = |from: &str, to: &str| airports.find(from).unwrap().distance_km(airports.find(to).unwrap());
        assert!((1_050..1_100).contains(&km("PEK", "SHA")), "{}", km("PEK", "SHA"));
        assert!((8_100..8_200).contains(&km("PEK", "LHR")), "{}", km("PEK", "LHR"));
        assert_eq!(km("PEK", "LAX"), km("LAX", "PEK"), "the same across the date line");
    }
}
