//! Events a line each: JSON objects, or lines of text as syslog has them; or all of them in one JSON list, as Vector sends.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value as Json, json};

use super::{Outcome, Taken, event};

/// So many reasons are told.
const REASONS_MAX: usize = 5;

/// The events of a body, each under its number.
pub fn read(body: &[u8]) -> Result<Vec<(String, Taken)>, String> {
    let body = body.trim_ascii();
    if body.starts_with(b"[") && body.ends_with(b"]") {
        let items: Vec<Json> = serde_json::from_slice(body).map_err(|error| format!("the list is no JSON: {error}"))?;
        let items = (1..).zip(items).map(|(at, item)| (format!("item {at}"), event(item.to_string().as_bytes())));
        return Ok(items.collect());
    }
    // One object over several lines.
    if body.starts_with(b"{") && serde_json::from_slice::<Json>(body).is_ok() {
        return Ok(vec![("line 1".to_owned(), event(body))]);
    }
    let lines = (1..).zip(body.split(|byte| *byte == b'\n')).map(|(number, line)| (number, line.trim_ascii()));
    let lines = lines.filter(|(_, line)| !line.is_empty());
    Ok(lines.map(|(number, line): (u64, _)| (format!("line {number}"), event(line))).collect())
}

/// The answer: how many were taken, and why others were not.
pub fn answer(outcomes: Vec<Outcome>) -> Response {
    let refused: Vec<_> = outcomes.iter().filter_map(|(at, why)| Some(format!("{at}: {}", why.as_ref()?))).collect();
    let taken = outcomes.len() - refused.len();
    // Nobody should have to look at counts to find that nothing arrives.
    let status = if taken == 0 && !refused.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let reasons: Vec<_> = refused.iter().take(REASONS_MAX).collect();
    (status, axum::Json(json!({ "taken": taken, "dropped": refused.len(), "reasons": reasons }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: &str) -> (usize, usize) {
        let events = read(body.as_bytes()).unwrap();
        let taken = events.iter().filter(|(_, taken)| matches!(taken, Taken::Event(..))).count();
        (taken, events.len())
    }

    #[test]
    fn lists_lines_and_single_objects_are_read() {
        assert_eq!(count("{\"message\":\"a\"}\n\n{\"message\":\"b\"}\n<13>syslog\n"), (3, 3));
        assert_eq!(count("[{\"message\":\"a\"}, {\"message\":\"b\"}]"), (2, 2));
        assert_eq!(count("{\n \"message\": \"a\"\n}\n"), (1, 1));
        assert_eq!(count(""), (0, 0));
        assert!(read(b"[{]").is_err());
    }
}
