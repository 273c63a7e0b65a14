//! Whether a bundle is whole, and whose it is: without a collector, without a network.
//!
//! Comes in: a bundle, and where it is at hand the authority's certificate from elsewhere. Goes out: a list of checks
//! ([`Check`]), each with its finding. Anything in the archive that no digest speaks for is a finding of its own.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::archive::{Archive, ArchiveError, Entry};
use super::manifest::{FORMAT, Manifest, names};
use super::store::digest;

/// The longest text of a bundle that is read into memory.
const TEXT_MAX_BYTES: u64 = 64 << 20;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `contents`, `signature`, `signer`, `authority`, `manifest`.
    pub what: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, for people.
    pub found: String,
}

impl Check {
    fn good(what: &'static str, found: impl Into<String>) -> Check {
        Check { what, ok: true, found: found.into() }
    }

    fn bad(what: &'static str, found: impl Into<String>) -> Check {
        Check { what, ok: false, found: found.into() }
    }
}

/// A bundle that is looked at.
pub struct Bundle<R> {
    archive: Archive<R>,
}

impl<R: Read + Seek> Bundle<R> {
    /// Opens it.
    pub fn open(content: R) -> Result<Bundle<R>, ArchiveError> {
        let archive = Archive::open(content)?;
        Ok(Bundle { archive })
    }

    /// Names in it, in their order.
    pub fn names(&self) -> Vec<String> {
        self.archive.entries.iter().map(|entry| entry.name.clone()).collect()
    }

    /// A content of moderate size.
    pub fn bytes(&mut self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let entry = self.entry(name).ok_or(ArchiveError::Damaged("a part of it is missing"))?;
        if entry.bytes > TEXT_MAX_BYTES {
            return Err(ArchiveError::Damaged("a part of it is larger than it can be"));
        }
        let mut content = Vec::new();
        self.archive.read(&entry)?.take(TEXT_MAX_BYTES + 1).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Writes a content to `out`.
    pub fn copy(&mut self, name: &str, out: &mut impl std::io::Write) -> Result<u64, ArchiveError> {
        let entry = self.entry(name).ok_or(ArchiveError::Damaged("a part of it is missing"))?;
        Ok(std::io::copy(&mut self.archive.read(&entry)?, out)?)
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Result<String, ArchiveError> {
        String::from_utf8(self.bytes(name)?).map_err(|_| ArchiveError::Damaged("a text in it is none"))
    }

    /// What it says of itself.
    pub fn manifest(&mut self) -> Result<Manifest, ArchiveError> {
        let manifest: Manifest = serde_json::from_slice(&self.bytes(names::MANIFEST)?)
            .map_err(|_| ArchiveError::Damaged("its manifest cannot be read"))?;
        if manifest.format != FORMAT {
            return Err(ArchiveError::Damaged("it has another form than this program knows"));
        }
        Ok(manifest)
    }

    fn entry(&self, name: &str) -> Option<Entry> {
        self.archive.entries.iter().find(|entry| entry.name == name).cloned()
    }
}

/// Looks at everything. `authority` is the certificate (PEM) that the operator is known to have.
pub fn verify<R: Read + Seek>(bundle: &mut Bundle<R>, authority: Option<&str>) -> Vec<Check> {
    let sums = match bundle.text(names::SUMS) {
        Ok(sums) => sums,
        Err(error) => return vec![Check::bad("contents", format!("{}: {error}", names::SUMS))],
    };
    let mut checks = vec![contents(bundle, &sums)];
    checks.extend(signed(bundle, &sums, authority));
    checks.push(match bundle.manifest() {
        Ok(manifest) => Check::good(
            "manifest",
            format!("alert {}, sealed {} by {}: {}", manifest.alert, manifest.sealed, manifest.by, manifest.reason),
        ),
        Err(error) => Check::bad("manifest", error.to_string()),
    });
    checks
}

/// Every entry has the digest that is written down, and there is no other.
fn contents<R: Read + Seek>(bundle: &mut Bundle<R>, sums: &str) -> Check {
    let mut wanted = BTreeMap::new();
    for line in sums.lines() {
        let Some((sha256, name)) = line.split_once("  ") else {
            return Check::bad("contents", format!("{} has a line that is none", names::SUMS));
        };
        if wanted.insert(name.to_owned(), sha256.to_owned()).is_some() {
            return Check::bad("contents", format!("{name} is listed twice"));
        }
    }
    let listed = wanted.len();
    let mut wrong = Vec::new();
    for entry in bundle.archive.entries.clone() {
        if [names::SUMS, names::SIGNATURE].contains(&entry.name.as_str()) {
            continue;
        }
        let read = bundle.archive.read(&entry).and_then(|mut content| Ok(digest(&mut content)?));
        match (wanted.remove(&entry.name), read) {
            (Some(sha256), Ok((found, _))) if sha256 == found => {}
            (Some(_), Ok(_)) => wrong.push(format!("{} has changed", entry.name)),
            (Some(_), Err(error)) => wrong.push(format!("{}: {error}", entry.name)),
            (None, _) => wrong.push(format!("{} is not listed, or there twice", entry.name)),
        }
    }
    wrong.extend(wanted.into_keys().map(|name| format!("{name} is missing")));
    match wrong.is_empty() {
        true => Check::good("contents", format!("{listed} contents are as listed in {}", names::SUMS)),
        false => Check::bad("contents", wrong.join("; ")),
    }
}

fn signed<R: Read + Seek>(bundle: &mut Bundle<R>, sums: &str, known: Option<&str>) -> Vec<Check> {
    let mut read = |name: &str| bundle.bytes(name).map_err(|error| format!("{name}: {error}"));
    let (signature, signer, authority) = match (read(names::SIGNATURE), read(names::SIGNER), read(names::AUTHORITY)) {
        (Ok(signature), Ok(signer), Ok(authority)) => (signature, signer, authority),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => return vec![Check::bad("signature", error)],
    };
    let (Ok(signer), Ok(authority)) =
        (CertificateDer::from_pem_slice(&signer), CertificateDer::from_pem_slice(&authority))
    else {
        return vec![Check::bad("signer", "its certificates cannot be read")];
    };
    let (Ok((_, signer)), Ok((_, issuer))) =
        (x509_parser::parse_x509_certificate(&signer), x509_parser::parse_x509_certificate(&authority))
    else {
        return vec![Check::bad("signer", "its certificates cannot be read")];
    };
    let key = |spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>| {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki.subject_public_key.data.to_vec())
    };
    let is_signed = key(signer.public_key()).verify(sums.as_bytes(), &signature).is_ok();
    let is_vouched = signer.issuer() == issuer.subject()
        && issuer.is_ca()
        && key(issuer.public_key()).verify(signer.tbs_certificate.as_ref(), &signer.signature_value.data).is_ok();
    let mut checks = vec![
        match is_signed {
            true => Check::good("signature", "the list is signed with the signer's key"),
            false => Check::bad("signature", "the list was not signed with the signer's key"),
        },
        match is_vouched {
            true => Check::good("signer", format!("the authority vouches for {}", signer.subject())),
            false => Check::bad("signer", "the authority does not vouch for the signer"),
        },
    ];
    let fingerprint = hex::encode(Sha256::digest(&authority));
    let known = known.map(|known| CertificateDer::from_pem_slice(known.as_bytes()));
    checks.push(match known {
        Some(Ok(known)) if known == authority => {
            Check::good("authority", format!("it is the known one: {fingerprint}"))
        }
        Some(Ok(_)) => Check::bad("authority", format!("it is not the known one: {fingerprint}")),
        Some(Err(_)) => Check::bad("authority", "the certificate to compare with cannot be read"),
        None => Check::good(
            "authority",
            format!("compare with the fingerprint that the operator has published: {fingerprint}"),
        ),
    });
    checks
}
