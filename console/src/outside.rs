//! Requests of the console to other machines: webhooks, an identity provider. HTTPS, trusting the public authorities and
//! one's own; in clear to this machine itself alone.
//!
//! A connection a request. Redirects are not followed, a whole conversation has [`TIMEOUT`] and an answer at most
//! [`MAX_ANSWER_BYTES`]; what goes beyond is an error of that request.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a whole conversation may take.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer is read.
pub const MAX_ANSWER_BYTES: usize = 256 << 10;

/// Speaks with other machines.
#[derive(Clone)]
pub struct Outside {
    connector: TlsConnector,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

impl Outside {
    /// Trusts the public authorities and, where one is named, one's own; `setting` is what names it.
    pub fn new(own_authority: Option<&Path>, setting: &str) -> anyhow::Result<Outside> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = own_authority {
            let read = CertificateDer::from_pem_file(path);
            let certificate = read.with_context(|| format!("{setting}: read {}", path.display()))?;
            roots.add(certificate).with_context(|| format!("{setting}: trust {}", path.display()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Outside { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a request; answers status and body. The address may have a secret in it: errors do not repeat it.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> anyhow::Result<(u16, String)> {
        match tokio::time::timeout(TIMEOUT, self.converse(method, url, headers, body)).await {
            Ok(said) => said,
            Err(_) => anyhow::bail!("no answer within {} seconds", TIMEOUT.as_secs()),
        }
    }

    async fn converse(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> anyhow::Result<(u16, String)> {
        let target = Target::read(url)?;
        let mut request = Request::builder()
            .method(method)
            .uri(target.path.as_str())
            .header(header::HOST, target.host_header())
            .header(header::USER_AGENT, concat!("luytre-console/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::from(body)))
            .context("write the request")?;
        request.headers_mut().extend(headers);
        let stream = target.connect().await?;
        if !target.tls {
            return exchange(TokioIo::new(stream), request).await;
        }
        let name = ServerName::try_from(target.host.clone()).context("read the host's name")?;
        let stream = self.connector.connect(name, stream).await;
        let stream = stream.with_context(|| format!("set TLS up with {}", target.host))?;
        exchange(TokioIo::new(stream), request).await
    }
}

/// Whether something may have this address; an error says what to do.
pub fn check_address(url: &str) -> anyhow::Result<()> {
    Target::read(url).map(|_| ())
}

/// Where something is.
struct Target {
    tls: bool,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    fn read(url: &str) -> anyhow::Result<Target> {
        // The address may have the secret in it: it is not repeated.
        let uri: Uri = url.parse().map_err(|_| anyhow::anyhow!("this is no address; write https://HOST/PATH"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => anyhow::bail!("this is no address; write https://HOST/PATH"),
        };
        let host = uri.host().filter(|host| !host.is_empty()).context("the address names no host")?;
        anyhow::ensure!(
            uri.authority().is_some_and(|authority| !authority.as_str().contains('@')),
            "the address must not have a user in it"
        );
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let named = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        anyhow::ensure!(tls || named, "use https; http goes to this machine itself alone (127.0.0.1, ::1, localhost)");
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        Ok(Target { tls, host, port, path })
    }

    fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    async fn connect(&self) -> anyhow::Result<TcpStream> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<SocketAddr> = found.with_context(|| format!("find the host {}", self.host))?.collect();
        // In clear nothing leaves this machine, whatever a name stands for.
        let good: Vec<SocketAddr> = found.into_iter().filter(|one| self.tls || one.ip().is_loopback()).collect();
        let stream = TcpStream::connect(good.as_slice()).await;
        stream.with_context(|| format!("connect to {} port {}", self.host, self.port))
    }
}

async fn exchange<S>(stream: TokioIo<S>, request: Request<Full<Bytes>>) -> anyhow::Result<(u16, String)>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.context("speak HTTP")?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let response = sender.send_request(request).await.context("send the request")?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|cause| anyhow::anyhow!("read the answer: {cause}"))?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    let answer = answer.await;
    driver.abort();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_addresses() {
        for good in
            ["https://hook.tinh.example/a?b=c", "http://127.0.0.1:8080/x", "http://[::1]:9/", "http://localhost/"]
        {
            assert!(check_address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://hook.tinh.example/",
            "http://10.0.0.5/",
            "ftp://127.0.0.1/",
            "hook",
            "",
            "https://a@b.example/",
            "https:///x",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }
}
