//! Identity documents of a passenger: as they are given, and as they are shown.

use super::offer_request::date;
use super::passenger::TravelDates;
use crate::api::code::Code;
use crate::api::error::Problems;
use crate::ordering::{DOCUMENTS_AT_MOST, DocumentKind, PersonDocument};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = CreateOrderDocument)]
pub struct CreateDocument {
    /// `passport`, `national_id_card` (居民身份证), `home_return_permit` (港澳居民来往内地通行证), `taiwan_permit` (台湾居民来往大陆通行证) or `tax_id`.
    #[serde(rename = "type")]
    pub kind: String,
    pub unique_identifier: String,
    /// ISO 3166-1, two letters.
    pub issuing_country_code: Option<String>,
    pub expires_on: Option<String>,
}

/// A document that is on file. It is stored under the person's own key; of its number only the end is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OrderPassengerDocument)]
pub struct ShownDocument {
    #[serde(rename = "type")]
    pub kind: String,
    #[schema(example = "*****5678")]
    pub unique_identifier: String,
    pub issuing_country_code: Option<String>,
    pub expires_on: Option<String>,
}

impl From<&PersonDocument> for ShownDocument {
    fn from(document: &PersonDocument) -> Self {
        ShownDocument {
            kind: document.kind.clone(),
            unique_identifier: document.masked(),
            issuing_country_code: document.issuing_country_code.clone(),
            expires_on: document.expires_on.map(|day| day.to_string()),
        }
    }
}

pub fn document_types() -> Vec<&'static str> {
    DocumentKind::ALL.map(DocumentKind::text).to_vec()
}

/// The documents of somebody born on that day, where it is known; one of a kind.
pub fn documents(
    bodies: &[CreateDocument],
    pointer: &str,
    born_on: Option<NaiveDate>,
    travel: TravelDates,
    problems: &mut Problems,
) -> Vec<PersonDocument> {
    if bodies.len() > DOCUMENTS_AT_MOST {
        let message = format!("A passenger has at most {DOCUMENTS_AT_MOST} identity documents.");
        problems.add(Code::InvalidPassenger, pointer, message);
        return Vec::new();
    }
    let mut kinds = HashSet::new();
    let mut read = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        let here = format!("{pointer}/{index}");
        if !kinds.insert(body.kind.as_str()) {
            problems.add(Code::InvalidPassenger, format!("{here}/type"), "A passenger has one document of a kind.");
        }
        read.push(body.read(&here, born_on, travel, problems));
    }
    read
}

impl CreateDocument {
    fn read(&self, pointer: &str, born_on: Option<NaiveDate>, travel: TravelDates, problems: &mut Problems) -> PersonDocument {
        let mut wrong = |field: &str, message: &str| {
            problems.add(Code::InvalidPassenger, format!("{pointer}/{field}"), message);
        };
        match (DocumentKind::parse(&self.kind), born_on) {
            (None, _) => wrong("type", &format!("A document is one of {}.", document_types().join(", "))),
            (Some(kind), Some(born_on)) => {
                if let Err(fault) = kind.check(&self.unique_identifier, born_on) {
                    wrong("unique_identifier", &super::order::sentence(&fault.to_string()));
                }
            }
            (Some(_), None) => {}
        }
        let country = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !self.issuing_country_code.as_ref().is_none_or(country) {
            wrong("issuing_country_code", "A country is two capital letters of ISO 3166-1.");
        }
        let expires_on = self.expires_on.as_deref().map(date);
        match expires_on {
            Some(None) => wrong("expires_on", "A date is written as `2030-12-31`."),
            Some(Some(day)) if day < travel.last => wrong("expires_on", "The document expires before the journey ends."),
            _ => {}
        }
        PersonDocument {
            kind: self.kind.clone(),
            unique_identifier: self.unique_identifier.clone(),
            issuing_country_code: self.issuing_country_code.clone(),
            expires_on: expires_on.flatten(),
        }
    }
}
