//! TLS towards the collector: by its authority once enrolled, by the authority's digest while enrolling.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use luytre_events::wire::COLLECTOR_NAME;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Identity;

/// How long connecting and the handshake may take, each.
const PATIENCE: Duration = Duration::from_secs(15);

/// For a sensor with an identity.
pub(super) fn enrolled(identity: &Identity) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.authority_pem.as_bytes()).context("read authority.pem")?)?;
    let certificate =
        CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).context("read certificate.pem")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).context("read key.pem")?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .context("use the sensor's certificate and key")?;
    Ok(config)
}

/// For a sensor that has nothing but a token: the chain must contain the authority with this digest.
pub(super) fn enrolling(authority: [u8; 32]) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(ByDigest { authority, provider: provider.clone() });
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Connects; errors say what to do.
pub(super) async fn connect(collector: &str, config: Arc<ClientConfig>) -> anyhow::Result<TlsStream<TcpStream>> {
    let tcp = tokio::time::timeout(PATIENCE, TcpStream::connect(collector))
        .await
        .with_context(|| format!("connect to {collector}: no answer; check address, port and firewall"))?
        .with_context(|| format!("connect to {collector}; check that the collector runs and the address is right"))?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from(COLLECTOR_NAME)?;
    let stream = tokio::time::timeout(PATIENCE, TlsConnector::from(config).connect(name, tcp))
        .await
        .with_context(|| format!("TLS handshake with {collector}: no answer; is it the collector's intake port?"))?;
    stream.map_err(|error| explained(error).context(format!("TLS handshake with {collector}")))
}

/// An error of a TLS stream with what to do about it, where that is known.
pub(super) fn explained(error: std::io::Error) -> anyhow::Error {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let advice = match cause {
        Some(Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::NotValidForName,
        )) => Some(
            "this is not the collector that the sensor knows: check the address; if the collector was installed anew, \
             enrol the sensor again",
        ),
        Some(Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => Some("the collector's certificate is not valid now: check the clocks of both machines"),
        Some(Error::AlertReceived(AlertDescription::CertificateExpired)) => {
            Some("the sensor's certificate has lapsed (or a clock is wrong): enrol the sensor again with a new token")
        }
        Some(Error::AlertReceived(
            AlertDescription::UnknownCA | AlertDescription::BadCertificate | AlertDescription::DecryptError,
        )) => Some("the collector does not know the sensor's certificate: enrol the sensor again with a new token"),
        _ => None,
    };
    match advice {
        Some(advice) => anyhow!("{error}; {advice}"),
        None => error.into(),
    }
}

/// Accepts a collector by its authority's digest.
#[derive(Debug)]
struct ByDigest {
    authority: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ByDigest {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_ours = |certificate: &&CertificateDer<'_>| Sha256::digest(certificate).as_slice() == self.authority;
        let unknown = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let authority = intermediates.iter().find(is_ours).ok_or_else(unknown)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
