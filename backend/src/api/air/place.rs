//! Reference data as it is shown: airlines, airports, cities, aircraft, and suggestions of places for a search box.

use super::Names;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Airline {
    #[schema(example = "arl_ca")]
    pub id: String,
    #[schema(example = "CA")]
    pub iata_code: Option<String>,
    pub name: String,
    pub logo_symbol_url: Option<String>,
    pub logo_lockup_url: Option<String>,
    pub conditions_of_carriage_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Aircraft {
    #[schema(example = "arc_32q")]
    pub id: String,
    #[schema(example = "32Q")]
    pub iata_code: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Airport {
    /// Always `airport`.
    #[serde(rename = "type")]
    #[schema(example = "airport")]
    pub kind: &'static str,
    #[schema(example = "arp_pek_cn")]
    pub id: String,
    #[schema(example = "PEK")]
    pub iata_code: Option<String>,
    pub icao_code: Option<String>,
    pub iata_city_code: Option<String>,
    #[schema(example = "CN")]
    pub iata_country_code: String,
    pub name: String,
    pub city_name: Option<String>,
    pub city: Option<CityReference>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: String,
}

/// A city without its airports, as an airport names its own.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CityReference {
    /// Always `city`.
    #[serde(rename = "type")]
    #[schema(example = "city")]
    pub kind: &'static str,
    #[schema(example = "cit_bjs_cn")]
    pub id: String,
    pub iata_code: String,
    pub iata_country_code: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct City {
    #[serde(flatten)]
    pub city: CityReference,
    pub airports: Vec<Airport>,
}

/// Where a slice begins or ends: what the client asked for, an airport or a whole city. `type` tells which.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Place {
    Airport(Box<Airport>),
    City(City),
}

/// One answer of a search box.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlaceSuggestion {
    /// `airport` or `city`.
    #[serde(rename = "type")]
    #[schema(example = "city")]
    pub kind: &'static str,
    pub id: String,
    pub name: String,
    pub iata_code: String,
    pub icao_code: Option<String>,
    pub iata_city_code: Option<String>,
    pub iata_country_code: String,
    pub country_name: Option<String>,
    pub city_name: Option<String>,
    pub city: Option<CityReference>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub time_zone: Option<String>,
    /// The airports of a city; null for an airport.
    pub airports: Option<Vec<Airport>>,
}

impl Airline {
    pub fn new(iata: &str, name: &str) -> Self {
        Airline {
            id: format!("arl_{}", iata.to_ascii_lowercase()),
            iata_code: Some(iata.to_owned()),
            name: name.to_owned(),
            logo_symbol_url: None,
            logo_lockup_url: None,
            conditions_of_carriage_url: None,
        }
    }

    /// The catalogue's airline, or its bare code where the catalogue has none.
    pub fn named(names: &dyn Names, iata: &str) -> Self {
        names.airline(iata).cloned().unwrap_or_else(|| Airline::new(iata, iata))
    }
}

impl Aircraft {
    pub fn new(iata: &str, name: &str) -> Self {
        Aircraft { id: format!("arc_{}", iata.to_ascii_lowercase()), iata_code: iata.to_owned(), name: name.to_owned() }
    }

    pub fn named(names: &dyn Names, iata: &str) -> Self {
        names.aircraft(iata).cloned().unwrap_or_else(|| Aircraft::new(iata, iata))
    }
}

impl CityReference {
    pub fn new(iata: &str, country: &str, name: &str) -> Self {
        CityReference {
            kind: "city",
            id: format!("cit_{}_{}", iata, country).to_ascii_lowercase(),
            iata_code: iata.to_owned(),
            iata_country_code: country.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl Airport {
    /// An airport of which only these three facts are known; the others are the caller's to fill in.
    pub fn new(iata: &str, country: &str, name: &str) -> Self {
        Airport {
            kind: "airport",
            id: format!("arp_{}_{}", iata, country).to_ascii_lowercase(),
            iata_code: Some(iata.to_owned()),
            icao_code: None,
            iata_city_code: None,
            iata_country_code: country.to_owned(),
            name: name.to_owned(),
            city_name: None,
            city: None,
            latitude: None,
            longitude: None,
            time_zone: "Etc/UTC".to_owned(),
        }
    }

    pub fn named(names: &dyn Names, iata: &str) -> Self {
        names.airport(iata).cloned().unwrap_or_else(|| Airport::new(iata, "", iata))
    }
}

impl Place {
    /// The place that a client meant by a code. A code of both a city and an airport (`SHA`) means the city, as the search reads it.
    pub fn find(names: &dyn Names, iata: &str) -> Option<Place> {
        let airport = || names.airport(iata).cloned().map(|airport| Place::Airport(Box::new(airport)));
        names.city(iata).cloned().map(Place::City).or_else(airport)
    }

    pub fn named(names: &dyn Names, iata: &str) -> Self {
        Place::find(names, iata).unwrap_or_else(|| Place::Airport(Box::new(Airport::new(iata, "", iata))))
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Place::Airport(_) => "airport",
            Place::City(_) => "city",
        }
    }
}

impl From<&Airport> for PlaceSuggestion {
    fn from(airport: &Airport) -> Self {
        PlaceSuggestion {
            kind: airport.kind,
            id: airport.id.clone(),
            name: airport.name.clone(),
            iata_code: airport.iata_code.clone().unwrap_or_default(),
            icao_code: airport.icao_code.clone(),
            iata_city_code: airport.iata_city_code.clone(),
            iata_country_code: airport.iata_country_code.clone(),
            country_name: None,
            city_name: airport.city_name.clone(),
            city: airport.city.clone(),
            latitude: airport.latitude,
            longitude: airport.longitude,
            time_zone: Some(airport.time_zone.clone()),
            airports: None,
        }
    }
}

impl From<&City> for PlaceSuggestion {
    fn from(City { city, airports }: &City) -> Self {
        PlaceSuggestion {
            kind: city.kind,
            id: city.id.clone(),
            name: city.name.clone(),
            iata_code: city.iata_code.clone(),
            icao_code: None,
            iata_city_code: Some(city.iata_code.clone()),
            iata_country_code: city.iata_country_code.clone(),
            country_name: None,
            city_name: Some(city.name.clone()),
            city: None,
            latitude: None,
            longitude: None,
            time_zone: None,
            airports: Some(airports.clone()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::Catalogue;
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn a_code_is_an_airport_before_it_is_a_city() {
        let names = Catalogue::small();
        assert_eq!(Place::find(&names, "PVG").unwrap().kind(), "airport");
        assert_eq!(Place::find(&names, "BJS").unwrap().kind(), "city");
        assert_eq!(Place::find(&names, "ZZZ"), None);
        assert_eq!(Place::named(&names, "ZZZ").kind(), "airport");
    }

    #[test]
    fn a_city_shows_its_airports_beside_its_own_fields() {
        let names = Catalogue::small();
        let shown = to_value(Place::named(&names, "BJS")).unwrap();
        assert_eq!((&shown["type"], &shown["id"]), (&json!("city"), &json!("cit_bjs_cn")));
        assert_eq!(shown["airports"][0]["iata_code"], json!("PEK"));
        assert_eq!(shown["airports"][0]["city"]["name"], json!("Beijing"));
    }

    #[test]
    fn suggestions_have_one_shape_for_both_kinds() {
        let names = Catalogue::small();
        let city = to_value(PlaceSuggestion::from(names.city("BJS").unwrap())).unwrap();
        let airport = to_value(PlaceSuggestion::from(names.airport("PVG").unwrap())).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&city), keys(&airport));
        assert_eq!((&city["type"], &airport["type"]), (&json!("city"), &json!("airport")));
        assert_eq!(airport["airports"], json!(null));
    }
}
