//! SMTP: the client's name, and the envelope of each message.
//!
//! The reference makes another event of what comes after the last message of a session, and of sessions without one;
//! those are left out on both sides.

use serde_json::Value;

use super::{Compared, list, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "smtp", theirs: "smtp", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let from = event.pointer("/smtp/mail_from")?.as_str()?;
    Some(key(text(event, "/smtp/helo"), from, list(event, "/smtp/rcpt_to")))
}

fn of_theirs(event: &Value) -> Option<String> {
    let from = event.pointer("/smtp/mail_from")?.as_str()?;
    Some(key(text(event, "/smtp/helo"), from, list(event, "/smtp/rcpt_to")))
}

fn key<'a>(name: &str, from: &str, to: impl Iterator<Item = &'a Value>) -> String {
    let plain = |address: &str| address.trim_matches(['<', '>']).to_owned();
    let to: Vec<String> = to.filter_map(Value::as_str).map(plain).collect();
    format!("{name} {} [{}]", plain(from), to.join(" "))
}
