//! Finds cities and airports for someone who is still typing: by code, English or Chinese city name, or airport name.

use super::{Airport, Catalogue, City};
use std::cmp::Reverse;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place<'c> {
    City(&'c City),
    Airport(&'c Airport),
}

/// How well a place fits, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Code,
    WholeName,
    StartOfName,
    StartOfWord,
    Inside,
}

impl Place<'_> {
    pub fn code(&self) -> &str {
        match self {
            Place::City(city) => city.code.as_str(),
            Place::Airport(airport) => airport.code.as_str(),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Place::City(city) => &city.name,
            Place::Airport(airport) => &airport.name,
        }
    }
}

impl Catalogue {
    /// At most `limit` places, best fit first; of equal fits those with flights, then cities, then by code. A city is a place of
    /// its own only where it has several airports or a code that no airport has.
    pub fn suggest_places(&self, query: &str, limit: usize) -> Vec<Place<'_>> {
        let query = query.trim().to_lowercase();
        if query.is_empty() {
            return Vec::new();
        }
        let served = |airport: &Airport| self.schedules.has_flights_from(airport.code);
        let stands_alone = |city: &&City| city.airports.len() > 1 || self.airports.find(city.code.as_str()).is_none();
        let cities = self.airports.cities().filter(stands_alone).filter_map(|city| {
            let fit = fit_of_city(city, &query)?;
            let flights = city.airports.iter().any(|code| self.schedules.has_flights_from(*code));
            Some(((fit, Reverse(flights), 0, city.code.to_string()), Place::City(city)))
        });
        let airports = self.airports.all().iter().filter_map(|airport| {
            let fit = fit_of_airport(airport, &query)?;
            Some(((fit, Reverse(served(airport)), 1, airport.code.to_string()), Place::Airport(airport)))
        });
        let mut found: Vec<_> = cities.chain(airports).collect();
        found.sort_by(|(left, _), (right, _)| left.cmp(right));
        found.into_iter().take(limit).map(|(_, place)| place).collect()
    }
}

fn fit_of_city(city: &City, query: &str) -> Option<Fit> {
    let by_code = city.code.as_str().eq_ignore_ascii_case(query).then_some(Fit::Code);
    let by_name = fit_of_name(&city.name, query);
    let by_name_zh = city.name_zh.as_deref().and_then(|name| fit_of_name(name, query));
    [by_code, by_name, by_name_zh].into_iter().flatten().min()
}

fn fit_of_airport(airport: &Airport, query: &str) -> Option<Fit> {
    let is_code = airport.code.as_str().eq_ignore_ascii_case(query) || airport.city.as_str().eq_ignore_ascii_case(query);
    let by_code = is_code.then_some(Fit::Code);
    let by_city = fit_of_name(&airport.city_name, query);
    let by_city_zh = airport.city_name_zh.as_deref().and_then(|name| fit_of_name(name, query));
    // An airport's own name comes after every city of that name: "Beijing" is the city first.
    let by_name = fit_of_name(&airport.name, query).map(|fit| fit.max(Fit::StartOfWord));
    [by_code, by_city, by_city_zh, by_name].into_iter().flatten().min()
}

fn fit_of_name(name: &str, query: &str) -> Option<Fit> {
    let name = name.to_lowercase();
    let at = name.find(query)?;
    if name == query {
        return Some(Fit::WholeName);
    }
    if at == 0 {
        return Some(Fit::StartOfName);
    }
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    if words.any(|word| word.starts_with(query)) {
        return Some(Fit::StartOfWord);
    }
    // One or two letters inside a word are no hint; one Chinese character is three bytes.
    (query.len() >= 3).then_some(Fit::Inside)
}

#[cfg(test)]
mod tests {
    use super::super::tests::catalogue;

    fn codes(query: &str) -> Vec<String> {
        catalogue().suggest_places(query, 5).iter().map(|place| place.code().to_owned()).collect()
    }

    #[test]
    fn places_are_found_by_code_name_and_chinese_name() {
        assert_eq!(codes("bjs"), ["BJS", "PEK", "PKX"]);
        assert_eq!(codes("Beij")[..3], ["BJS", "PEK", "PKX"]);
        assert_eq!(codes("北京"), ["BJS", "PEK", "PKX"]);
        assert_eq!(codes(" pek ")[0], "PEK");
        assert_eq!(codes("sha")[..3], ["SHA", "PVG", "SHA"], "the city, then its airports");
        assert!(codes("heathrow").contains(&"LHR".to_owned()));
        assert!(codes("hongq").contains(&"SHA".to_owned()));
    }

    #[test]
    fn nothing_is_found_for_nothing() {
        assert!(codes("").is_empty() && codes("  ").is_empty() && codes("zzzzzz").is_empty());
        assert_eq!(catalogue().suggest_places("a", 7).len(), 7);
    }
}
