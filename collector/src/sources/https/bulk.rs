//! Events as Elasticsearch takes them in bulk: a line that says what to do, a line that is the event.
//!
//! `index` and `create` are the same here: nothing that is kept changes. Of an event that is none the answer says so in
//! its own place (status 400), so that its sender lets go of it and of no other.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value as Json, json};

use super::{Outcome, PRODUCT, Taken, event};

/// The events of a body, each under what was to be done and where.
pub fn read(body: &[u8]) -> Result<Vec<(String, Taken)>, String> {
    let mut lines = (1..).zip(body.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut events = Vec::new();
    while let Some((number, line)) = lines.next() {
        let action: Json =
            serde_json::from_slice(line).map_err(|error| format!("line {number} says nothing to do: {error}"))?;
        let named = action.as_object().and_then(|action| action.iter().next());
        let (name, to) = named.ok_or_else(|| format!("line {number} says nothing to do"))?;
        let called =
            json!({ name: { "_index": to.get("_index"), "_id": to.get("_id").cloned().unwrap_or_else(|| "".into()) } });
        let called = called.to_string();
        let taken = match name.as_str() {
            "index" | "create" => {
                let (_, document) = lines.next().ok_or_else(|| format!("no event follows line {number}"))?;
                event(document.trim_ascii())
            }
            "update" => {
                lines.next().ok_or_else(|| format!("nothing follows line {number}"))?;
                Taken::Not("not_an_event", "events are not changed here; use create".to_owned())
            }
            "delete" => Taken::Not("not_an_event", "events are not deleted here".to_owned()),
            other => return Err(format!("line {number} says {other}; create and index are understood")),
        };
        events.push((called, taken));
    }
    if events.is_empty() {
        return Err("the body is empty".to_owned());
    }
    Ok(events)
}

/// The answer, an item for each event in their order.
pub fn answer(outcomes: Vec<Outcome>) -> Response {
    let errors = outcomes.iter().any(|(_, refused)| refused.is_some());
    let items: Vec<Json> = outcomes.into_iter().map(item).collect();
    let body = json!({ "took": 0, "errors": errors, "items": items });
    (StatusCode::OK, [PRODUCT], axum::Json(body)).into_response()
}

fn item((called, refused): Outcome) -> Json {
    // It is what `read` wrote.
    let mut item: Json = serde_json::from_str(&called).unwrap_or_default();
    for about in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
        let told = match &refused {
            None => json!({ "_version": 1, "result": "created", "status": 201 }),
            Some(reason) => json!({
                "status": 400, "error": { "type": "document_parsing_exception", "reason": reason },
            }),
        };
        if let (Json::Object(about), Json::Object(told)) = (about, told) {
            about.extend(told);
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_its_own_answer() {
        let body = br#"{"create":{"_index":"winlogbeat-8"}}
{"@timestamp":"2026-11-22T01:00:00Z","message":"one"}

{"delete":{"_id":"7"}}
{"index":{}}
not json
{"update":{"_id":"7"}}
{"doc":{}}
"#;
        let events = read(body).unwrap();
        let taken: Vec<bool> = events.iter().map(|(_, taken)| matches!(taken, Taken::Event(..))).collect();
        assert_eq!(taken, [true, false, true, false], "a line that is no JSON is a line of text");
        let items: Vec<Json> = super::super::sorted(events).2.into_iter().map(item).collect();
        assert_eq!(items[0]["create"]["status"], 201);
        assert_eq!(items[0]["create"]["_index"], "winlogbeat-8");
        assert_eq!(items[1]["delete"]["status"], 400);
        assert_eq!(items[3]["update"]["error"]["type"], "document_parsing_exception");
    }

    #[test]
    fn a_body_that_is_no_bulk_says_where() {
        assert_eq!(read(b"").err().unwrap(), "the body is empty");
        assert!(read(b"{\"create\":{}}\n{}\nhello\n").err().unwrap().starts_with("line 3 "));
        assert_eq!(read(b"{\"create\":{}}\n").err().unwrap(), "no event follows line 1");
        assert!(read(b"[]\n").is_err() && read(b"{}\n").is_err() && read(b"{\"eat\":{}}\n{}").is_err());
    }
}
