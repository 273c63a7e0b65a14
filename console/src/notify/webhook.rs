//! Hands messages to webhooks: one POST over HTTPS (or in clear to this machine itself), signed where the shape wants it.
//!
//! [`crate::outside`] has the limits of a conversation. Nothing that is logged or kept has the secret in it.

use std::path::Path;

use anyhow::Context as _;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use ring::hmac;

use super::mail::Failure;
use super::shapes::{Shape, with_secret};
use crate::outside::{self, Outside};

/// How much of an answer is kept, in characters.
const MAX_RECEIPT: usize = 300;

/// The header with the time of a signed message, in seconds since 1970.
pub const TIME_HEADER: &str = "x-luytre-time";
/// The header with the signature: `v1=` and HMAC-SHA-256 over time, a dot and the body, in hexadecimal.
pub const SIGNATURE_HEADER: &str = "x-luytre-signature";

/// Sends to webhooks.
#[derive(Debug)]
pub struct Hooks {
    outside: Outside,
}

/// What is sent where.
#[derive(Debug)]
pub struct Message<'a> {
    /// What it looks like.
    pub shape: &'a Shape,
    /// The webhook's own address; empty for the shape's.
    pub url: &'a str,
    /// Its body.
    pub body: String,
    /// The time, seconds since 1970.
    pub now_s: i64,
}

impl Hooks {
    /// Trusts the public authorities and, where one is named, one's own.
    pub fn new(own_authority: Option<&Path>) -> anyhow::Result<Hooks> {
        Ok(Hooks { outside: Outside::new(own_authority, "notices.ca_file")? })
    }

    /// Sends a message; answers the receipt.
    pub async fn send(&self, message: Message<'_>, secret: &str) -> Result<String, Failure> {
        let said = self.converse(message, secret).await;
        let clean = |text: String| {
            let text = if secret.is_empty() { text } else { text.replace(secret, "***") };
            crate::words::one_line(&text, MAX_RECEIPT)
        };
        said.map(clean).map_err(|error| Failure { reason: clean(format!("{error:#}")), permanent: false })
    }

    async fn converse(&self, message: Message<'_>, secret: &str) -> anyhow::Result<String> {
        let shape = message.shape;
        let address = with_secret(if message.url.is_empty() { &shape.url } else { message.url }, secret);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for line in &shape.headers {
            let mut value = HeaderValue::from_str(&with_secret(&line.value, secret)).context("write a header")?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(line.name.as_bytes())?, value);
        }
        if shape.signed {
            let time = message.now_s.to_string();
            let signed = signature(secret, &time, &message.body);
            headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(&signed).context("write the signature")?);
            headers.insert(TIME_HEADER, HeaderValue::from_str(&time).context("write the time")?);
        }
        let (status, body) = self.outside.send(Method::POST, &address, headers, message.body).await?;
        anyhow::ensure!((200..300).contains(&status), "the webhook answered {status}: {body}");
        anyhow::ensure!(shape.accepts(&body), "the webhook did not take it: {body}");
        Ok(format!("{status} {body}").trim().to_owned())
    }
}

/// The signature of a body: what a receiver computes with the same secret and compares.
pub fn signature(secret: &str, time: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("v1={}", hex::encode(hmac::sign(&key, format!("{time}.{body}").as_bytes())))
}

/// Whether a webhook may have this address; an error says what to do.
pub fn check_address(url: &str) -> anyhow::Result<()> {
    outside::check_address(&with_secret(url, "x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_any_other_program_computes() {
        // printf '1764000000.{"a":1}' | openssl dgst -sha256 -hmac khoa
        let expected = "v1=ec94d7047b38e1aeb446fa9f33a5fad601ed7372f180401976f377dbd375bb06";
        assert_eq!(signature("khoa", "1764000000", "{\"a\":1}"), expected);
        assert_ne!(signature("khoa", "1764000001", "{\"a\":1}"), expected);
    }
}
