//! The way to the collector's API: its Unix socket on this machine, or mutual TLS to another one.
//!
//! The collector is known by its own authority and nothing else, under the name that all collectors have; so it does not
//! matter by which address it is reached. A connection a question: a certificate that was revoked is refused at the next.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use luytre_events::wire::COLLECTOR_NAME;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::settings::CollectorSettings;

/// A connection, whatever carries it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where and how the collector is reached.
#[derive(Clone)]
pub enum Door {
    /// Its socket on this machine.
    Socket(PathBuf),
    /// Host and port, and who we are.
    Tls {
        /// Host and port.
        address: String,
        /// Our certificate and its authority.
        connector: TlsConnector,
    },
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Door").field(&self.to_string()).finish()
    }
}

impl std::fmt::Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Door::Socket(path) => path.display().fmt(f),
            Door::Tls { address, .. } => f.write_str(address),
        }
    }
}

impl Door {
    /// The door that is configured; reads the certificates.
    pub fn new(settings: &CollectorSettings) -> anyhow::Result<Door> {
        let files = [&settings.authority, &settings.certificate, &settings.key];
        let Some(address) = &settings.address else {
            ensure!(
                files.iter().all(|file| file.is_none()),
                "collector.authority, collector.certificate and collector.key need collector.address beside them"
            );
            return Ok(Door::Socket(settings.socket.clone()));
        };
        ensure!(
            address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()),
            "collector.address is a host and a port, such as collector.tinh.example:7444, not {address:?}"
        );
        let [Some(authority), Some(certificate), Some(key)] = files else {
            anyhow::bail!(
                "collector.address needs collector.authority, collector.certificate and collector.key beside it: \
                 `luytre-collector api-certificate --name NAME --out DIR` makes them"
            );
        };
        let connector = TlsConnector::from(Arc::new(client_config(authority, certificate, key)?));
        Ok(Door::Tls { address: address.clone(), connector })
    }

    /// Connects. The reason of a failure is for people.
    pub(super) async fn open(&self) -> Result<Box<dyn Stream>, String> {
        match self {
            Door::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(|cause| cause.to_string())?;
                Ok(Box::new(stream))
            }
            Door::Tls { address, connector } => {
                let stream = TcpStream::connect(address).await.map_err(|cause| cause.to_string())?;
                // Questions are small and answers wanted at once; without this it still works.
                let _ = stream.set_nodelay(true);
                let name = ServerName::try_from(COLLECTOR_NAME).map_err(|cause| cause.to_string())?;
                let stream = connector.connect(name, stream).await.map_err(|cause| {
                    format!("{cause}; is it the collector that made collector.authority, and its API's port?")
                })?;
                Ok(Box::new(stream))
            }
        }
    }

    /// What to look at when the collector hangs up without an answer.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Door::Socket(_) => "",
            Door::Tls { .. } => "; was the console's certificate revoked or replaced?",
        }
    }
}

fn client_config(authority: &Path, certificate: &Path, key: &Path) -> anyhow::Result<ClientConfig> {
    let read = |path: &Path| {
        CertificateDer::from_pem_file(path).with_context(|| format!("read the certificate {}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    roots.add(read(authority)?).with_context(|| format!("trust {}", authority.display()))?;
    let key_der =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("read the private key {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![read(certificate)?], key_der)
        .with_context(|| format!("use {} with {}", certificate.display(), key.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_is_set_together_and_what_is_missing_is_named() {
        let with = |change: &dyn Fn(&mut CollectorSettings)| {
            let mut settings = CollectorSettings::default();
            change(&mut settings);
            Door::new(&settings).err().map(|error| format!("{error:#}")).unwrap_or_default()
        };
        assert_eq!(with(&|_| {}), "");
        assert!(with(&|s| s.key = Some("/etc/luytre/key.pem".into())).contains("need collector.address"));
        assert!(with(&|s| s.address = Some("collector.tinh.example".into())).contains("a host and a port"));
        let alone = with(&|s| s.address = Some("collector.tinh.example:7444".into()));
        assert!(alone.contains("luytre-collector api-certificate"), "{alone}");
        let missing = with(&|s| {
            s.address = Some("[2001:db8::1]:7444".into());
            (s.authority, s.certificate) =
                (Some("/nonexistent/authority.pem".into()), Some("/nonexistent/c.pem".into()));
            s.key = Some("/nonexistent/key.pem".into());
        });
        assert!(missing.contains("/nonexistent/authority.pem"), "{missing}");
    }
}
