//! Our own certificate authority: one key, signing one collector and its sensors.

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use luytre_events::wire::COLLECTOR_NAME;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

use super::store;

type Failure = Box<dyn Error + Send + Sync>;

/// How long a sensor's certificate lasts, in days.
pub const SENSOR_DAYS: u64 = 90;
/// How long a certificate for the API lasts, in days.
pub const API_DAYS: u64 = 398;
/// How long the authority's certificate lasts, in days.
const AUTHORITY_DAYS: u64 = 3650;
/// How long the collector's certificate lasts, in days; a new one is made at each start.
const SERVER_DAYS: u64 = 398;
/// Clocks that are behind by less than this still find a new certificate valid.
const BACKDATED: Duration = Duration::from_secs(86_400);

pub(super) struct Authority {
    certificate_pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A sensor's certificate.
pub(super) struct Signed {
    pub certificate_pem: String,
    pub fingerprint: String,
}

/// Signs evidence.
pub struct Signer {
    key: KeyPair,
    /// Its certificate, PEM.
    pub certificate_pem: String,
    /// The authority's certificate, PEM.
    pub authority_pem: String,
}

impl Signer {
    /// An ECDSA signature (P-256, SHA-256) as ASN.1, as `openssl dgst -verify` takes it.
    pub fn sign(&self, content: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        rcgen::SigningKey::sign(&self.key, content)
    }
}

/// A certificate request whose signature checks.
pub(super) struct Request(CertificateSigningRequestParams);

impl Request {
    pub(super) fn parse(pem: &str) -> Result<Request, Failure> {
        Ok(Request(CertificateSigningRequestParams::from_pem(pem)?))
    }
}

impl Authority {
    /// Opens the authority, or makes it if there is none. Of several programs that make it at once one wins.
    pub(super) fn open(folder: &Path) -> Result<Authority, Failure> {
        if !folder.exists() {
            make(folder)?;
        }
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("read {}: {error}", path.display()))
        };
        let certificate_pem = read("certificate.pem")?;
        let key = KeyPair::from_pem(&read("key.pem")?)?;
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Authority { certificate_pem, certificate, issuer })
    }

    pub(super) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// SHA-256 of the certificate.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }

    /// Signs a sensor's key; nothing else of the request is used.
    pub(super) fn issue_sensor(&self, name: &str, request: Request) -> Result<Signed, Failure> {
        let mut params = params(name, SENSOR_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let request = CertificateSigningRequestParams { params, public_key: request.0.public_key };
        let certificate = request.signed_by(&self.issuer)?;
        Ok(Signed { fingerprint: fingerprint(certificate.der()), certificate_pem: certificate.pem() })
    }

    /// A new key for a client of the API, PEM, and its certificate.
    pub(super) fn issue_api(&self, common_name: &str) -> Result<(String, Signed), Failure> {
        let key = KeyPair::generate()?;
        let mut params = params(common_name, API_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let signed = Signed { fingerprint: fingerprint(certificate.der()), certificate_pem: certificate.pem() };
        Ok((key.serialize_pem(), signed))
    }

    /// Opens the key that evidence is signed with, or makes it with a certificate of ours.
    pub(super) fn signer(&self, folder: &Path) -> Result<Signer, Failure> {
        if !folder.exists() {
            let key = KeyPair::generate()?;
            let mut params = params("Lũy Tre evidence", AUTHORITY_DAYS);
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let certificate = params.signed_by(&key, &self.issuer)?;
            keep(folder, &key, &certificate.pem())?;
        }
        let read = |name: &str| std::fs::read_to_string(folder.join(name));
        let (key, certificate_pem) = (KeyPair::from_pem(&read("key.pem")?)?, read("certificate.pem")?);
        Ok(Signer { key, certificate_pem, authority_pem: self.certificate_pem.clone() })
    }

    /// TLS for a listener of ours, with a new key and certificate. The authority's certificate is sent along: a sensor
    /// that enrols knows only its digest.
    pub(super) fn server(&self, names: &[String], anonymous: bool) -> Result<ServerConfig, Failure> {
        let key = KeyPair::generate()?;
        let mut params = params("Lũy Tre collector", SERVER_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let always = [COLLECTOR_NAME, "localhost", "127.0.0.1", "::1"];
        for name in always.into_iter().chain(names.iter().map(String::as_str)) {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(ip) => SanType::IpAddress(ip),
                Err(_) => SanType::DnsName(name.try_into()?),
            });
        }
        let certificate = params.signed_by(&key, &self.issuer)?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        if anonymous {
            clients = clients.allow_unauthenticated();
        }
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients.build()?)
            .with_single_cert(chain, key)?;
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

fn params(common_name: &str, days: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(BACKDATED);
    params.not_after = epoch + now + Duration::from_secs(days * 86_400);
    params
}

/// Makes the authority in a folder beside and renames that, so that the folder is there whole or not at all.
fn make(folder: &Path) -> Result<(), Failure> {
    let key = KeyPair::generate()?;
    let mut params = params("Lũy Tre authority", AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    keep(folder, &key, &certificate.pem())
}

/// Writes a key and its certificate; both are there or none.
fn keep(folder: &Path, key: &KeyPair, certificate_pem: &str) -> Result<(), Failure> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.with_file_name(format!(".{name}-{}", std::process::id()));
    store::replace(&beside.join("key.pem"), key.serialize_pem().as_bytes())?;
    store::replace(&beside.join("certificate.pem"), certificate_pem.as_bytes())?;
    match std::fs::rename(&beside, folder) {
        Ok(()) => Ok(()),
        // Another program was faster: its key is the one.
        Err(_) if folder.exists() => Ok(std::fs::remove_dir_all(&beside)?),
        Err(error) => Err(error.into()),
    }
}

/// SHA-256 of a certificate, hexadecimal.
pub(super) fn fingerprint(certificate: &[u8]) -> String {
    hex::encode(Sha256::digest(certificate))
}

/// The common name of a certificate's subject.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?.to_owned();
    Some(name)
}
