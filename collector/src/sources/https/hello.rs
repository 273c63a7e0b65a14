//! What clients of Elasticsearch ask before they send anything: who is there, which version, which licence, and whether
//! their templates are in place.
//!
//! They are told what lets them go on. Templates and policies are theirs to keep: events are stored by our own catalogue,
//! so nothing of what they put is kept. What is not known here is not answered.

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::PRODUCT;

/// The version whose ways are followed. Clients refuse to speak to one that is older than they are.
const VERSION: &str = "8.19.0";
/// Where clients put what they wish to have set up.
const SETUP: [&str; 7] =
    ["/_index_template", "/_template", "/_component_template", "/_ilm", "/_data_stream", "/_ingest", "/_alias"];

/// The answer to a question, where there is one.
pub fn answer(method: &Method, path: &str) -> Option<Response> {
    let is_asked = [Method::GET, Method::HEAD].contains(method);
    let body = match path {
        "" if is_asked => json!({
            "name": "luytre-collector",
            "cluster_name": "luytre",
            "cluster_uuid": "luytre",
            "version": {
                "number": VERSION, "build_flavor": "default", "build_type": "tar", "build_snapshot": false,
                "lucene_version": "9.12.0", "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            },
            "tagline": "You Know, for Search",
        }),
        // Beats ask whether they may work at all: to them any distribution but this kind is a foreign one.
        "/_license" | "/_xpack" | "/_xpack/license" if is_asked => json!({
            "license": { "status": "active", "uid": "luytre", "type": "basic", "issued_to": "luytre", "issuer": "luytre" },
        }),
        "/_cluster/health" if is_asked => json!({ "cluster_name": "luytre", "status": "green", "timed_out": false }),
        path if is_setup(path) && is_asked => json!({}),
        path if is_setup(path) && method == Method::PUT => json!({ "acknowledged": true }),
        _ => return None,
    };
    Some((StatusCode::OK, [PRODUCT], Json(body)).into_response())
}

fn is_setup(path: &str) -> bool {
    SETUP.iter().any(|known| path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_what_lets_them_go_on_and_nothing_else_is_answered() {
        let status = |method, path| answer(&method, path).map(|response| response.status());
        for path in
            ["", "/_license", "/_cluster/health", "/_ilm/policy/winlogbeat", "/_index_template/winlogbeat-8.19.0"]
        {
            assert_eq!(status(Method::GET, path), Some(StatusCode::OK), "{path}");
        }
        assert_eq!(status(Method::PUT, "/_ilm/policy/filebeat"), Some(StatusCode::OK));
        for (method, path) in [
            (Method::GET, "/_search"),
            (Method::DELETE, "/_index_template/x"),
            (Method::GET, "/_ilmx"),
            (Method::PUT, ""),
        ] {
            assert_eq!(status(method, path), None, "{path}");
        }
    }
}
