//! The command line's end of the API: one request over the running collector's Unix socket.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use luytre_collector_api::ApiError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Speaks to the collector at a socket.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// The collector refused a request.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Refused(pub ApiError);

impl Client {
    /// For this socket.
    pub fn new(socket: &Path) -> Client {
        Client { socket: socket.to_owned() }
    }

    /// Whether somebody answers there.
    pub async fn is_there(&self) -> bool {
        tokio::net::UnixStream::connect(&self.socket).await.is_ok()
    }

    /// Asks for something.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> anyhow::Result<A> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    /// Sends something.
    pub async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<A> {
        self.ask(Method::POST, path, serde_json::to_vec(body)?.into()).await
    }

    /// Replaces something.
    pub async fn put<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<A> {
        self.ask(Method::PUT, path, serde_json::to_vec(body)?.into()).await
    }

    /// Removes something.
    pub async fn delete<A: DeserializeOwned>(&self, path: &str) -> anyhow::Result<A> {
        self.ask(Method::DELETE, path, Bytes::new()).await
    }

    /// Sends bytes as they are.
    pub async fn upload<A: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> anyhow::Result<A> {
        self.ask(Method::POST, path, body.into()).await
    }

    /// Writes what comes to `out`; returns how many bytes came. Nothing is written of a refusal.
    pub async fn download(&self, path: &str, out: &mut impl std::io::Write) -> anyhow::Result<u64> {
        Ok(self.download_with(Method::GET, path, Bytes::new(), out).await?.0)
    }

    /// The same of any request; returns the headers too.
    pub async fn download_with(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        out: &mut impl std::io::Write,
    ) -> anyhow::Result<(u64, HeaderMap)> {
        let response = self.send(method, path, body).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = response.into_body();
        if !status.is_success() {
            return Err(refused(status, &body.collect().await.context("read the collector's answer")?.to_bytes()));
        }
        let mut came = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.context("the collector broke the answer off; its log says why")?;
            if let Some(bytes) = frame.data_ref() {
                out.write_all(bytes).context("write what came; check the room on the disk")?;
                came += bytes.len() as u64;
            }
        }
        Ok((came, headers))
    }

    async fn ask<A: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<A> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let body = response.into_body().collect().await.context("read the collector's answer")?.to_bytes();
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        serde_json::from_slice(&body).context("understand the collector's answer")
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Response<Incoming>> {
        let socket = self.socket.display();
        let stream = tokio::net::UnixStream::connect(&self.socket).await.with_context(|| {
            format!("connect to the collector at {socket}; is it running, and is this its data directory?")
        })?;
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .with_context(|| format!("speak to the collector at {socket}"))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "collector")
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        sender.send_request(request).await.context("ask the collector")
    }
}

fn refused(status: StatusCode, body: &[u8]) -> anyhow::Error {
    match serde_json::from_slice(body) {
        Ok(error) => Refused(error).into(),
        Err(error) => anyhow::Error::new(error).context(format!("the collector answered {status}")),
    }
}
