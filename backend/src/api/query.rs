//! Query strings. A parameter that is there but wrong is an error that names it; one that is not known is ignored, because
//! clients and proxies add their own.

use super::code::Code;
use super::error::ApiError;
use crate::ids::Id;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use std::future::{Ready, ready};

#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn read(text: &str) -> Result<Self, ApiError> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text);
        pairs.map(|pairs| Query(pairs.into_inner())).map_err(|_| {
            ApiError::new(Code::InvalidValue, "The query string cannot be read: it is `name=value` pairs, percent-encoded.")
        })
    }

    /// The first value of this name; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::new(Code::InvalidValue, format!("`{name}` is `true` or `false`.")).parameter(name)),
        }
    }

    /// One of the words that something knows.
    pub fn word<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ApiError> {
        let unknown = || ApiError::new(Code::InvalidValue, format!("There is no such {name}.")).parameter(name);
        self.get(name).map(|text| parse(text).ok_or_else(unknown)).transpose()
    }

    pub fn id<T: Id>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let read = |text| T::parse(text).map_err(|error| ApiError::new(Code::InvalidValue, format!("{error}.")).parameter(name));
        self.get(name).map(read).transpose()
    }

    pub fn required_id<T: Id>(&self, name: &str) -> Result<T, ApiError> {
        let missing = || ApiError::new(Code::MissingField, format!("`{name}` is missing.")).parameter(name);
        self.id(name)?.ok_or_else(missing)
    }
}

/// The id in a path. One that cannot be is answered like one that does not exist.
pub fn path_id<T: Id>(text: &str) -> Result<T, ApiError> {
    T::parse(text).map_err(|_| ApiError::of(Code::NotFound))
}

impl FromRequest for Query {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Query::read(req.query_string()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ids::OfferRequestId;

    #[test]
    fn parameters_are_read_by_name() {
        let id = OfferRequestId::of(7);
        let query = Query::read(&format!("return_offers=false&offer_request_id={id}&x=1&x=2&empty=&utm=%E4%B8%AD")).unwrap();
        assert_eq!(query.flag("return_offers").unwrap(), Some(false));
        assert_eq!(query.flag("other").unwrap(), None);
        assert_eq!(query.required_id::<OfferRequestId>("offer_request_id").unwrap(), id);
        assert_eq!(query.all("x").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((query.get("empty"), query.get("utm")), (None, Some("中")));
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let query = Query::read("return_offers=1&offer_request_id=off_1").unwrap();
        assert_eq!(query.flag("return_offers").unwrap_err().code(), Code::InvalidValue);
        assert_eq!(query.id::<OfferRequestId>("offer_request_id").unwrap_err().code(), Code::InvalidValue);
        assert_eq!(query.required_id::<OfferRequestId>("absent").unwrap_err().code(), Code::MissingField);
        assert_eq!(path_id::<OfferRequestId>("orq_x").unwrap_err().code(), Code::NotFound);
    }
}
