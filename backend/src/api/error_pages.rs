//! `/docs/errors` and `/docs/errors/{code}`: the documentation of every error, made from the registry of codes.

use super::code::Code;
use super::error::ApiError;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::{HttpResponse, web};
use std::fmt::Write;

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/docs/errors").route(web::get().to(index)))
        .service(web::resource("/docs/errors/{code}").route(web::get().to(show)));
}

async fn index() -> HttpResponse {
    let mut rows = String::new();
    for code in Code::ALL {
        let (status, title) = (code.status().as_u16(), code.title());
        // Writing to a string cannot fail.
        let _ = write!(rows, "<li><a href=\"/docs/errors/{code}\"><code>{code}</code></a> {status} {}</li>", escaped(title));
    }
    page("Errors", &format!("<h1>Errors</h1><ul>{rows}</ul>"))
}

async fn show(code: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let code = Code::find(&code).ok_or_else(|| ApiError::of(Code::NotFound))?;
    let body = format!(
        "<p><a href=\"/docs/errors\">Errors</a></p><h1>{}</h1><p><code>{code}</code>, HTTP {}, <code>{}</code></p><p>{}</p>",
        escaped(code.title()),
        code.status(),
        code.family().text(),
        with_code(code.documentation()),
    );
    Ok(page(code.title(), &body))
}

fn page(title: &str, body: &str) -> HttpResponse {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} - Airsettle</title></head><body>{body}</body></html>",
        escaped(title)
    );
    HttpResponse::Ok().content_type(ContentType::html()).insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'")).body(html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text between backquotes as code.
fn with_code(text: &str) -> String {
    let mut html = String::new();
    for (position, part) in text.split('`').enumerate() {
        let part = escaped(part);
        html.push_str(&if position % 2 == 1 { format!("<code>{part}</code>") } else { part });
    }
    html
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    #[actix_web::test]
    async fn every_code_has_a_page_and_is_on_the_list() {
        let app = init_service(App::new().configure(configure)).await;
        let get = async |path: &str| {
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            let status = response.status().as_u16();
            (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
        };
        let (_, list) = get("/docs/errors").await;
        for code in Code::ALL {
            let path = format!("/docs/errors/{code}");
            let (status, page) = get(&path).await;
            assert_eq!(status, 200, "{code}");
            assert!(page.contains(&with_code(code.documentation())) && list.contains(&path), "{code}");
        }
        assert_eq!(get("/docs/errors/nothing").await.0, 404);
    }
}
