//! Hands messages to webhooks: one POST over HTTPS (or in clear to this machine itself), signed where the shape wants it.
//!
//! Redirects are not followed, an answer has [`TIMEOUT`] and at most [`MAX_ANSWER_BYTES`], and nothing that is logged or
//! kept has the secret in it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use ring::hmac;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::mail::Failure;
use super::shapes::{Shape, with_secret};

/// How long a whole conversation may take.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer is read.
pub const MAX_ANSWER_BYTES: usize = 64 << 10;
/// How much of an answer is kept, in characters.
const MAX_RECEIPT: usize = 300;

/// The header with the time of a signed message, in seconds since 1970.
pub const TIME_HEADER: &str = "x-luytre-time";
/// The header with the signature: `v1=` and HMAC-SHA-256 over time, a dot and the body, in hexadecimal.
pub const SIGNATURE_HEADER: &str = "x-luytre-signature";

/// Sends to webhooks.
pub struct Hooks {
    connector: TlsConnector,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
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
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = own_authority {
            let read = CertificateDer::from_pem_file(path);
            let certificate = read.with_context(|| format!("notices.ca_file: read {}", path.display()))?;
            roots.add(certificate).with_context(|| format!("notices.ca_file: trust {}", path.display()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Hooks { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a message; answers the receipt.
    pub async fn send(&self, message: Message<'_>, secret: &str) -> Result<String, Failure> {
        let said = match tokio::time::timeout(TIMEOUT, self.converse(message, secret)).await {
            Ok(said) => said,
            Err(_) => Err(anyhow::anyhow!("the webhook took longer than {} seconds", TIMEOUT.as_secs())),
        };
        let clean = |text: String| {
            let text = if secret.is_empty() { text } else { text.replace(secret, "***") };
            crate::words::one_line(&text, MAX_RECEIPT)
        };
        said.map(clean).map_err(|error| Failure { reason: clean(format!("{error:#}")), permanent: false })
    }

    async fn converse(&self, message: Message<'_>, secret: &str) -> anyhow::Result<String> {
        let shape = message.shape;
        let address = with_secret(if message.url.is_empty() { &shape.url } else { message.url }, secret);
        let target = Target::read(&address)?;
        let mut request = Request::post(target.path.as_str())
            .header(header::HOST, target.host_header())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("luytre-console/", env!("CARGO_PKG_VERSION")));
        for line in &shape.headers {
            let mut value = HeaderValue::from_str(&with_secret(&line.value, secret)).context("write a header")?;
            value.set_sensitive(true);
            request = request.header(HeaderName::from_bytes(line.name.as_bytes())?, value);
        }
        if shape.signed {
            let time = message.now_s.to_string();
            request =
                request.header(SIGNATURE_HEADER, signature(secret, &time, &message.body)).header(TIME_HEADER, time);
        }
        let request = request.body(Full::new(Bytes::from(message.body))).context("write the request")?;
        let stream = target.connect().await?;
        let answer = if target.tls {
            let name = ServerName::try_from(target.host.clone()).context("read the host's name")?;
            let stream = self.connector.connect(name, stream).await.context("set TLS up with the webhook")?;
            exchange(TokioIo::new(stream), request).await?
        } else {
            exchange(TokioIo::new(stream), request).await?
        };
        let (status, body) = answer;
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
    Target::read(&with_secret(url, "x")).map(|_| ())
}

/// Where a webhook is.
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
        let response = sender.send_request(request).await.context("send the message")?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|cause| anyhow::anyhow!("read the webhook's answer: {cause}"))?.to_bytes();
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
    fn a_signature_is_what_any_other_program_computes() {
        // printf '1764000000.{"a":1}' | openssl dgst -sha256 -hmac khoa
        let expected = "v1=ec94d7047b38e1aeb446fa9f33a5fad601ed7372f180401976f377dbd375bb06";
        assert_eq!(signature("khoa", "1764000000", "{\"a\":1}"), expected);
        assert_ne!(signature("khoa", "1764000001", "{\"a\":1}"), expected);
    }

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
