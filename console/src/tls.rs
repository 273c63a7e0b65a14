//! HTTPS: the configured certificate, or one that the console makes for itself at its first start and renews when it has
//! grown old. TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::app::host_name;
use crate::settings::ListenSettings;

/// A self-made certificate is replaced when it is older than this; it is valid for longer.
const RENEW_AFTER: Duration = Duration::from_secs(700 * 86_400);

/// Makes ring the process's cryptography; later calls change nothing.
pub fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The TLS side of the listener.
pub fn server_config(settings: &ListenSettings, data: &Path, public_url: &str) -> anyhow::Result<RustlsConfig> {
    let (certificate, key) = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        (None, None) => self_made(data, public_url)?,
        _ => anyhow::bail!("listen.certificate and listen.key belong together; set both or none"),
    };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&certificate)
            .and_then(Iterator::collect)
            .with_context(|| format!("read the certificate {}", certificate.display()))?;
    let key_der =
        PrivateKeyDer::from_pem_file(&key).with_context(|| format!("read the private key {}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| format!("use {} with {}", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// The self-made certificate and its key; made when missing or old.
fn self_made(data: &Path, public_url: &str) -> anyhow::Result<(PathBuf, PathBuf)> {
    let folder = data.join("tls");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let age = std::fs::metadata(&certificate).and_then(|m| m.modified()).ok().and_then(|made| made.elapsed().ok());
    if key.exists() && age.is_some_and(|age| age < RENEW_AFTER) {
        return Ok((certificate, key));
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let made = rcgen::generate_simple_self_signed(names(public_url)).context("make a certificate")?;
    write_private(&key, made.signing_key.serialize_pem().as_bytes())?;
    write_private(&certificate, made.cert.pem().as_bytes())?;
    tracing::info!(certificate = %certificate.display(), "made a certificate; configure listen.certificate to use another");
    Ok((certificate, key))
}

/// The names that browsers may use.
fn names(public_url: &str) -> Vec<String> {
    let host = public_url.trim_start_matches("https://");
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    let mut names =
        vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), host_name(), host.to_owned()];
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let draft = path.with_extension("draft");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    write().with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let settings = ListenSettings::default();
        server_config(&settings, folder.path(), "https://console.tinh.example:8443").unwrap();
        let key = folder.path().join("tls/key.pem");
        let first = std::fs::read(&key).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        server_config(&settings, folder.path(), "https://console.tinh.example:8443").unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), first);
    }

    #[test]
    fn names_cover_the_public_address() {
        assert!(names("https://console.tinh.example:8443").contains(&"console.tinh.example".to_owned()));
        assert!(names("https://[2001:db8::1]:8443").contains(&"2001:db8::1".to_owned()));
    }
}
