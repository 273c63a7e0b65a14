//! What is told of a certificate (X.509, RFC 5280).

use luytre_events::value::TimeNs;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::protocols::text;

/// Other names kept of one certificate.
const MAX_NAMES: usize = 256;
/// Bytes kept of a subject, issuer or name.
const MAX_NAME_BYTES: usize = 1024;

/// One certificate taken apart.
#[derive(Debug, Default)]
pub struct Certificate {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Common name of the subject.
    pub common_name: Option<String>,
    /// Upper-case hexadecimal.
    pub serial_number: String,
    /// Begin of validity.
    pub not_before: Option<TimeNs>,
    /// End of validity.
    pub not_after: Option<TimeNs>,
    /// DNS names and addresses it is for.
    pub alternative_names: Vec<String>,
    /// Algorithm of its key.
    pub key_algorithm: Option<String>,
    /// Size of its key.
    pub key_size_bits: Option<u64>,
    /// Subject and issuer are one.
    pub self_signed: bool,
    /// Upper-case hexadecimal.
    pub sha1: String,
    /// Upper-case hexadecimal.
    pub sha256: String,
}

/// Takes a certificate apart; nothing when it is not one. Fingerprints are of the bytes as sent.
pub fn read(der: &[u8]) -> Option<Certificate> {
    let (_, x509) = X509Certificate::from_der(der).ok()?;
    let (key_algorithm, key_size_bits) = key(&x509);
    let validity = x509.validity();
    Some(Certificate {
        subject: bounded(&x509.subject().to_string()),
        issuer: bounded(&x509.issuer().to_string()),
        common_name: x509
            .subject()
            .iter_common_name()
            .next()
            .map(|cn| text::text(cn.attr_value().data, MAX_NAME_BYTES)),
        serial_number: hex::encode_upper(x509.raw_serial()),
        not_before: nanoseconds(validity.not_before.timestamp()),
        not_after: nanoseconds(validity.not_after.timestamp()),
        alternative_names: alternative_names(&x509),
        key_algorithm,
        key_size_bits,
        self_signed: x509.subject().as_raw() == x509.issuer().as_raw(),
        sha1: hex::encode_upper(Sha1::digest(der)),
        sha256: hex::encode_upper(Sha256::digest(der)),
    })
}

fn bounded(text: &str) -> String {
    text::text(text.as_bytes(), MAX_NAME_BYTES)
}

/// Moments outside the years 1677 to 2262 do not fit; the end of time is as good as such a date.
fn nanoseconds(seconds: i64) -> Option<TimeNs> {
    Some(TimeNs(seconds.saturating_mul(1_000_000_000)))
}

fn alternative_names(x509: &X509Certificate<'_>) -> Vec<String> {
    let names = x509.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(san) => Some(&san.general_names),
        _ => None,
    });
    names.flatten().filter_map(general_name).take(MAX_NAMES).collect()
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => Some(bounded(name)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::Ipv4Addr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string()),
            _ => None,
        },
        GeneralName::DirectoryName(name) => Some(bounded(&name.to_string())),
        _ => None,
    }
}

fn key(x509: &X509Certificate<'_>) -> (Option<String>, Option<u64>) {
    let info = x509.public_key();
    let size = |bits: usize| u64::try_from(bits).ok();
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => (Some("rsa".into()), size(key.key_size())),
        Ok(PublicKey::EC(point)) => (Some("ecdsa".into()), size(point.key_size())),
        Ok(PublicKey::DSA(_)) => (Some("dsa".into()), None),
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => (Some("ed25519".into()), Some(256)),
            "1.3.101.113" => (Some("ed448".into()), Some(456)),
            other => (Some(other.to_owned()), None),
        },
    }
}
