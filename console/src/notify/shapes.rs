//! The shapes of webhooks, read from `data/notices/shapes.toml`: where they go, what their body looks like, and what an
//! answer must say to count as taken.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::ShapeInfo;

/// What messages of a webhook look like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Its id.
    pub id: String,
    /// Its Vietnamese name.
    pub name_vi: String,
    /// Its English name.
    pub name_en: String,
    /// Where it goes unless the webhook says otherwise.
    pub url: String,
    /// Whether a recipient must be named.
    pub needs_recipient: bool,
    /// Whether messages are signed with the secret.
    pub signed: bool,
    /// The longest text, in characters.
    pub max_chars: usize,
    /// Header lines.
    #[serde(default)]
    pub headers: Vec<ShapeHeader>,
    /// The template of the body, which is JSON.
    pub body: String,
    /// What an answer must say besides its status.
    pub accepted: Option<Accepted>,
}

/// A header line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShapeHeader {
    /// Its name.
    pub name: String,
    /// Its value, with the secret's place.
    pub value: String,
}

/// What an answer must say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Where in the answer (RFC 6901).
    pub pointer: String,
    /// What stands there.
    pub value: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    shape: Vec<Shape>,
}

/// All shapes. The file is part of the program and a test reads it; without it there would be none.
pub fn all() -> &'static [Shape] {
    static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
        let text = include_str!("../../data/notices/shapes.toml");
        toml::from_str::<File>(text).map(|file| file.shape).unwrap_or_default()
    });
    &SHAPES
}

/// The shape of an id.
pub fn find(id: &str) -> Option<&'static Shape> {
    all().iter().find(|shape| shape.id == id)
}

impl Shape {
    /// What everybody may see of it.
    pub fn info(&self) -> ShapeInfo {
        ShapeInfo {
            id: self.id.clone(),
            name_vi: self.name_vi.clone(),
            name_en: self.name_en.clone(),
            url: self.url.clone(),
            needs_recipient: self.needs_recipient,
            signed: self.signed,
        }
    }

    /// Whether an answer of status 2xx says that the message was taken.
    pub fn accepts(&self, answer: &str) -> bool {
        let Some(accepted) = &self.accepted else { return true };
        let answer: Option<serde_json::Value> = serde_json::from_str(answer).ok();
        answer.and_then(|answer| answer.pointer(&accepted.pointer).cloned()).is_some_and(|said| said == accepted.value)
    }
}

/// Puts the secret where a template wants it.
pub fn with_secret(template: &str, secret: &str) -> String {
    template.replace("{{ secret }}", secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read_and_what_only_looks_like_success_is_none() {
        let ids: Vec<&str> = all().iter().map(|shape| shape.id.as_str()).collect();
        assert_eq!(ids, ["json", "telegram", "zalo"]);
        let zalo = find("zalo").unwrap();
        assert!(zalo.accepts(r#"{"data": {"message_id": "1"}, "error": 0, "message": "Success"}"#));
        assert!(!zalo.accepts(r#"{"error": -216, "message": "Access token is invalid"}"#));
        assert!(!zalo.accepts("<html>"));
        assert!(find("telegram").unwrap().accepts(r#"{"ok": true, "result": {}}"#));
        assert!(find("json").unwrap().accepts(""));
    }
}
