//! The interface, embedded in the program: files of `console/web/dist`. Names with a hash in them are kept by browsers
//! for ever; everything else is asked for again. Addresses that are no file are pages of the interface.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Dist;

/// Answers a file of the interface, or its page.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return super::api::problem::Problem::not_found("route").into_response();
    }
    match Dist::get(path) {
        Some(file) => answer(path, &file, &headers),
        None if looks_like_a_file(path) => StatusCode::NOT_FOUND.into_response(),
        None => match Dist::get("index.html") {
            Some(file) => answer("index.html", &file, &headers),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

fn looks_like_a_file(path: &str) -> bool {
    path.starts_with("assets/") || path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

fn answer(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let kept = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known == Some(tag.as_str()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag), (header::CACHE_CONTROL, kept.to_owned())])
            .into_response();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::ETAG, tag), (header::CACHE_CONTROL, kept.to_owned())];
    (headers, Body::from(file.data.clone().into_owned())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str) -> Response {
        serve(path.parse().unwrap(), HeaderMap::new()).await
    }

    #[tokio::test]
    async fn pages_of_the_interface_get_its_page_and_missing_files_do_not() {
        for page in ["/", "/alerts", "/alerts/0198-abc"] {
            let response = get(page).await;
            assert_eq!(response.status(), StatusCode::OK, "{page}");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        }
        for missing in ["/assets/gone-12345.js", "/robots.txt", "/api/v1/nonsense"] {
            assert_eq!(get(missing).await.status(), StatusCode::NOT_FOUND, "{missing}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_known_is_not_sent_again() {
        let tag = get("/").await.headers()[header::ETAG].clone();
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, tag);
        assert_eq!(serve("/".parse().unwrap(), headers).await.status(), StatusCode::NOT_MODIFIED);
    }
}
