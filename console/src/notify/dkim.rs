//! Signs mails so that receivers can tell who sent them (DKIM, RFC 6376 with RFC 8463): RSA or Ed25519 with SHA-256,
//! both parts in their relaxed form. The library that sends mails would bring two more engines for this; `ring` is here.

use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

/// The header lines that are signed, where a mail has them.
const SIGNED: [&str; 7] = ["from", "to", "subject", "date", "message-id", "mime-version", "content-type"];

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// Signs mails of a domain.
pub struct Signer {
    key: Key,
    /// The domain that signs.
    pub domain: String,
    /// The name of the public key below `_domainkey`.
    pub selector: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("domain", &self.domain).field("selector", &self.selector).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads the private key (PEM).
    pub fn new(key_file: &Path, domain: &str, selector: &str) -> anyhow::Result<Signer> {
        let is_name =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        anyhow::ensure!(is_name(selector), "mail.dkim_selector is missing; set the name of the key in the DNS");
        anyhow::ensure!(is_name(domain), "mail.dkim_domain: `{domain}` is no domain");
        let wrong = |what: &dyn std::fmt::Display| {
            anyhow::anyhow!("mail.dkim_key_file: {} is no RSA or Ed25519 key that can sign: {what}", key_file.display())
        };
        let der = PrivateKeyDer::from_pem_file(key_file)
            .with_context(|| format!("mail.dkim_key_file: read {}", key_file.display()))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => {
                Key::Rsa(Box::new(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(|e| wrong(&e))?))
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(key) => Key::Ed25519(Box::new(key)),
                    Err(_) => Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).map_err(|e| wrong(&e))?)),
                }
            }
            _ => return Err(wrong(&"another kind of key")),
        };
        Ok(Signer { key, domain: domain.to_owned(), selector: selector.to_owned() })
    }

    /// The mail with its signature in front of it.
    pub fn sign(&self, mail: &[u8], now_s: i64) -> anyhow::Result<Vec<u8>> {
        let text = std::str::from_utf8(mail).context("read the mail")?;
        let (head, body) = text.split_once("\r\n\r\n").context("find the end of the mail's head")?;
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let fields = fields(head);
        let there: Vec<&str> = SIGNED.into_iter().filter(|name| fields.iter().any(|(n, _)| n == name)).collect();
        let digest = STANDARD.encode(Sha256::digest(relaxed_body(body).as_bytes()));
        let own = format!(
            "v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={}; t={now_s}; h={}; bh={digest}; b=",
            self.domain,
            self.selector,
            there.join(":")
        );
        let mut signed = String::new();
        for name in &there {
            if let Some((name, value)) = fields.iter().rev().find(|(n, _)| n == name) {
                signed.push_str(&format!("{name}:{value}\r\n"));
            }
        }
        signed.push_str(&format!("dkim-signature:{own}"));
        let signature = STANDARD.encode(self.signature(signed.as_bytes())?);
        let mut whole = format!("DKIM-Signature: {}", own.replace("; ", ";\r\n ")).into_bytes();
        // Folded, because lines of mails are short: a receiver takes white space out of the signature.
        for part in signature.as_bytes().chunks(70) {
            whole.extend_from_slice(b"\r\n ");
            whole.extend_from_slice(part);
        }
        whole.extend_from_slice(b"\r\n");
        whole.extend_from_slice(mail);
        Ok(whole)
    }

    fn signature(&self, signed: &[u8]) -> anyhow::Result<Vec<u8>> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed, &mut signature)
                    .map_err(|_| anyhow::anyhow!("sign the mail"))?;
                Ok(signature)
            }
            // What is signed is the digest of the text (RFC 8463, section 3).
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(signed)).as_ref().to_vec()),
        }
    }
}

/// The fields of a head in their relaxed form: name in small letters, value on one line with single spaces.
fn fields(head: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim_end().to_lowercase(), value.to_owned()));
        }
    }
    for (_, value) in &mut fields {
        *value = single_spaces(value).trim().to_owned();
    }
    fields
}

/// A body in its relaxed form: single spaces, none at ends of lines, no empty lines at the end.
fn relaxed_body(body: &str) -> String {
    let lines: Vec<String> =
        body.split("\r\n").map(|line| single_spaces(line).trim_end_matches(' ').to_owned()).collect();
    let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    lines.into_iter().take(used).map(|line| line + "\r\n").collect()
}

fn single_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let space = letter == ' ' || letter == '\t';
        if !space {
            out.push(letter);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, KeyPair as _, UnparsedPublicKey};

    use super::*;

    #[test]
    fn relaxed_forms_are_those_of_the_standard() {
        // RFC 6376, section 3.4.5.
        let mail = "A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        assert_eq!(fields(head), [("a".to_owned(), "X".to_owned()), ("b".to_owned(), "Y Z".to_owned())]);
        assert_eq!(relaxed_body(body), " C\r\nD E\r\n");
        assert_eq!(relaxed_body("\r\n\r\n"), "");
    }

    #[test]
    fn a_signed_mail_is_verified_with_the_public_key_and_a_changed_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dkim.pem");
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        std::fs::write(&file, pair.serialize_pem()).unwrap();
        let signer = Signer::new(&file, "tinh.example", "luytre").unwrap();
        let mail = "From: a@tinh.example\r\nSubject: =?utf-8?b?xJA=?=\r\n folded\r\n\r\nDòng một \r\n\r\n";
        let signed = String::from_utf8(signer.sign(mail.as_bytes(), 1_764_000_000).unwrap()).unwrap();
        assert!(signed.ends_with(mail));
        let line = fields(signed.split_once("\r\n\r\n").unwrap().0).remove(0);
        assert_eq!(line.0, "dkim-signature");
        let (own, signature) = line.1.rsplit_once("b=").unwrap();
        assert!(own.contains("a=ed25519-sha256; c=relaxed/relaxed; d=tinh.example; s=luytre;"), "{own}");
        assert!(own.contains("h=from:subject;"), "{own}");
        let digest = STANDARD.encode(Sha256::digest("Dòng một\r\n".as_bytes()));
        assert!(own.contains(&format!("bh={digest};")), "{own}");
        let signature = STANDARD.decode(signature.replace(' ', "")).unwrap();
        let Key::Ed25519(key) = &signer.key else { panic!("another kind of key") };
        let public = UnparsedPublicKey::new(&ED25519, key.public_key().as_ref().to_vec());
        let text = |from: &str| format!("from:{from}\r\nsubject:=?utf-8?b?xJA=?= folded\r\ndkim-signature:{own}b=");
        assert!(public.verify(&Sha256::digest(text("a@tinh.example").as_bytes()), &signature).is_ok());
        assert!(public.verify(&Sha256::digest(text("b@tinh.example").as_bytes()), &signature).is_err());
    }
}
