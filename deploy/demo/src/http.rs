//! A small HTTP/1.1 client for our own programs: over the collector's Unix socket and the console's TLS port.
//!
//! One connection a request, answers read whole (at most 64 MiB), no redirects. The console makes its certificate itself
//! at first start and these processes were started a moment ago on this machine, so any certificate is taken here.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::Value;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest answer.
const ANSWER_MAX_BYTES: u64 = 64 << 20;

/// Where a program listens.
#[derive(Debug, Clone)]
pub enum Address {
    /// A Unix socket.
    Unix(PathBuf),
    /// TLS on a port.
    Tls(SocketAddr),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of a name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        let shown = || String::from_utf8_lossy(&self.body).chars().take(200).collect::<String>();
        serde_json::from_slice(&self.body).with_context(|| format!("status {}, not JSON: {}", self.status, shown()))
    }

    /// The body as JSON, if the status is one of success.
    pub fn good(self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("status {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }
}

/// Sends one request and reads its answer.
pub fn send(
    address: &Address,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Answer> {
    let what = || format!("{method} {path}");
    let body = body.map(Value::to_string);
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &body {
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body.as_deref().unwrap_or_default());
    let bytes = exchange(address, request.as_bytes()).with_context(what)?;
    parse(&bytes).with_context(what)
}

fn exchange(address: &Address, request: &[u8]) -> Result<Vec<u8>> {
    match address {
        Address::Unix(path) => {
            let stream = UnixStream::connect(path).with_context(|| format!("connect to {}", path.display()))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            converse(stream, request)
        }
        Address::Tls(address) => {
            let stream =
                TcpStream::connect_timeout(address, PATIENCE).with_context(|| format!("connect to {address}"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let name = ServerName::IpAddress(address.ip().into());
            converse(StreamOwned::new(ClientConnection::new(tls()?, name)?, stream), request)
        }
    }
}

fn converse(mut stream: impl Read + Write, request: &[u8]) -> Result<Vec<u8>> {
    stream.write_all(request).context("send")?;
    stream.flush().context("send")?;
    let mut bytes = Vec::new();
    match stream.take(ANSWER_MAX_BYTES).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // A server may close without saying goodbye; whether the answer is whole is seen when it is parsed.
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => Ok(bytes),
        Err(error) => Err(error).context("read the answer"),
    }
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("the answer has no end of headers")?;
    let (head, rest) = bytes.split_at(end);
    let body = rest.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer { status: status.context("the answer has no status")?, headers, body: Vec::new() };
    answer.body = if answer.header("transfer-encoding") == Some("chunked") { unchunk(body)? } else { body.to_vec() };
    if let Some(length) = answer.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        ensure!(answer.body.len() >= length || answer.status == 304, "the answer was cut short");
    }
    Ok(answer)
}

fn unchunk(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").context("a chunk without a length")?;
        let (line, rest) = bytes.split_at(end);
        let length = usize::from_str_radix(String::from_utf8_lossy(line).trim(), 16).context("a chunk's length")?;
        let rest = rest.get(2..).unwrap_or_default();
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(rest.get(..length).context("a chunk was cut short")?);
        bytes = rest.get(length + 2..).context("a chunk without an end")?;
    }
}

fn tls() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .context("set up TLS")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Takes any certificate whose key signs the handshake; see the head of this file for why.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_chunked_or_not() {
        let plain = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!((plain.status, plain.body.as_slice()), (200, b"{}".as_slice()));
        let chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(chunked).unwrap().body, b"abcde");
    }

    #[test]
    fn an_answer_that_is_cut_short_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc").is_err());
    }
}
