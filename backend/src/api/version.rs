//! `ETag` and `If-Match`: an object that several change has a version, which is its entity tag in quotes.

use super::code::Code;
use super::envelope::Data;
use super::error::ApiError;
use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// The version that `If-Match` names; none where any is good.
pub fn expected_version(request: &HttpRequest) -> Result<Option<i64>, ApiError> {
    let Some(header) = request.headers().get(IF_MATCH) else { return Ok(None) };
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    let invalid = || ApiError::new(Code::InvalidValue, "`If-Match` is a version in quotes, or `*`.").parameter("If-Match");
    version.map(Some).ok_or_else(invalid)
}

/// Answers an object with its version.
pub fn with_version<T: Serialize>(version: i64, data: T) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, format!("\"{version}\""))).json(Data { data })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_version_is_a_number_in_quotes() {
        let read = |text: &str| expected_version(&TestRequest::default().insert_header((IF_MATCH, text)).to_http_request());
        assert_eq!(read("\"3\"").unwrap(), Some(3));
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(expected_version(&TestRequest::default().to_http_request()).unwrap(), None);
        for wrong in ["3", "\"a\"", "W/\"3\"", "\"1\", \"2\""] {
            assert_eq!(read(wrong).unwrap_err().code(), Code::InvalidValue, "{wrong}");
        }
    }
}
