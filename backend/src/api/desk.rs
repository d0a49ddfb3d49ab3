//! People at the desk: the cookie that their session is in, and what keeps another site from using it. A request by cookie acts like one by key; one that changes
//! something has to come from a page of this server.

use super::code::Code;
use super::error::ApiError;
use crate::app::Platform;
use crate::identity::KeyMode;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN, USER_AGENT};
use actix_web::{HttpRequest, web};

/// With the prefix a browser takes the cookie by TLS only, for this host only.
const SECURE_COOKIE: &str = "__Host-airsettle";
pub const PLAIN_COOKIE: &str = "airsettle";
/// What no form and no foreign script can send without being asked first.
pub const DESK: &str = "Airsettle-Desk";
/// `test`: the request is for the organisation's sandbox.
pub const MODE: &str = "Airsettle-Mode";
const LONGEST_DEVICE: usize = 200;

fn cookie_name(platform: &Platform) -> &'static str {
    if platform.is_tls() { SECURE_COOKIE } else { PLAIN_COOKIE }
}

/// The token of the request's session, if it has one.
pub fn token_of(request: &HttpRequest, platform: &Platform) -> Option<String> {
    let cookie = request.cookie(cookie_name(platform))?;
    Some(cookie.value().to_owned()).filter(|value| !value.is_empty())
}

/// Gone with the browser: how long it counts is the server's to say.
pub fn session_cookie(platform: &Platform, token: String) -> Cookie<'static> {
    Cookie::build(cookie_name(platform), token)
        .http_only(true)
        .secure(platform.is_tls())
        .same_site(SameSite::Strict)
        .path("/")
        .finish()
}

/// Takes the cookie away.
pub fn no_cookie(platform: &Platform) -> Cookie<'static> {
    let mut cookie = session_cookie(platform, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

fn text(headers: &HeaderMap, name: impl actix_web::http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What the request says about where it comes from: `None`, nothing.
fn comes_from_here(request: &HttpRequest) -> Option<bool> {
    let headers = request.headers();
    let site = text(headers, "sec-fetch-site").map(|site| site == "same-origin");
    let own = text(headers, HOST);
    let origin = text(headers, ORIGIN).map(|origin| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == own
    });
    match (site, origin) {
        (None, None) => None,
        (site, origin) => Some(site.unwrap_or(true) && origin.unwrap_or(true)),
    }
}

fn cross_site() -> ApiError {
    ApiError::of(Code::CrossSiteRequest)
}

/// For a request by cookie: one that may change something says that it comes from a page of this server.
pub fn check_site(request: &HttpRequest) -> Result<(), ApiError> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let by_desk = text(request.headers(), DESK) == Some("1");
    if by_desk && comes_from_here(request) == Some(true) { Ok(()) } else { Err(cross_site()) }
}

/// For a request that begins a session: another site does not sign anybody in.
pub fn check_origin(request: &HttpRequest) -> Result<(), ApiError> {
    if comes_from_here(request) == Some(false) { Err(cross_site()) } else { Ok(()) }
}

/// The side that a request by cookie is for.
pub fn mode_of(request: &HttpRequest) -> Result<KeyMode, ApiError> {
    match text(request.headers(), MODE) {
        None | Some("live") => Ok(KeyMode::Live),
        Some("test") => Ok(KeyMode::Test),
        Some(_) => Err(ApiError::new(Code::InvalidValue, format!("`{MODE}` is `live` or `test`.")).parameter(MODE)),
    }
}

/// What the browser calls itself, shortened.
pub fn device_of(request: &HttpRequest) -> String {
    let said = text(request.headers(), USER_AGENT).unwrap_or("unknown");
    said.chars().filter(|c| !c.is_control()).take(LONGEST_DEVICE).collect()
}

pub fn platform_of(request: &HttpRequest) -> Result<&web::Data<Platform>, ApiError> {
    request.app_data::<web::Data<Platform>>().ok_or_else(|| ApiError::internal("no platform"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn post(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        headers.iter().fold(TestRequest::post(), |request, header| request.insert_header(*header)).to_http_request()
    }

    #[test]
    fn only_a_page_of_this_server_changes_anything_by_cookie() {
        let (desk, host) = (("airsettle-desk", "1"), ("host", "desk.example"));
        for ours in [[desk, host, ("origin", "https://desk.example")], [desk, host, ("sec-fetch-site", "same-origin")]] {
            assert!(check_site(&post(&ours)).is_ok(), "{ours:?}");
        }
        for foreign in [
            [desk, host, ("origin", "https://evil.example")],
            [desk, host, ("origin", "null")],
            [desk, host, ("origin", "https://desk.example.evil.example")],
            [desk, host, ("sec-fetch-site", "cross-site")],
            [desk, host, ("sec-fetch-site", "same-site")],
            [desk, host, ("sec-fetch-site", "none")],
            [desk, host, ("accept", "*/*")],
            [("airsettle-desk", "0"), host, ("origin", "https://desk.example")],
        ] {
            assert_eq!(check_site(&post(&foreign)).unwrap_err().code(), Code::CrossSiteRequest, "{foreign:?}");
        }
        let both = post(&[desk, host, ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")]);
        assert!(check_site(&both).is_err(), "one that is foreign is enough");
        assert!(check_site(&TestRequest::get().to_http_request()).is_ok());
    }

    #[test]
    fn another_site_signs_nobody_in() {
        assert!(check_origin(&post(&[])).is_ok(), "a program says nothing about it");
        assert!(check_origin(&post(&[("host", "desk.example"), ("origin", "https://evil.example")])).is_err());
    }
}
