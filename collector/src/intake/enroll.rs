//! A client without a certificate: it may enrol, once, with a token.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt, StreamExt as _};
use luytre_events::wire::{self, CollectorFrame, SensorFrame};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{PATIENCE, STRANGER_FRAME_BYTES};
use crate::fleet::Fleet;

pub(super) async fn serve(stream: TlsStream<TcpStream>, peer: SocketAddr, fleet: &Fleet) -> anyhow::Result<()> {
    let codec = LengthDelimitedCodec::builder().max_frame_length(STRANGER_FRAME_BYTES).new_codec();
    let mut frames = Framed::new(stream, codec);
    let first = tokio::time::timeout(PATIENCE, frames.next()).await.context("a stranger said nothing")?;
    let Some(first) = first else { return Ok(()) };
    let SensorFrame::Enroll { secret, csr_pem } = wire::decode(&first?)? else {
        let reason = "a client certificate is required: enrol this sensor with a token first".to_owned();
        frames.send(Bytes::from(wire::encode(&CollectorFrame::Refused { reason })?)).await?;
        bail!("{peer} has no certificate and wants more than to enrol");
    };
    let fleet = fleet.clone();
    let enrolled = tokio::task::spawn_blocking(move || fleet.enroll(&secret, &csr_pem)).await?;
    let answer = match &enrolled {
        Ok(issued) => CollectorFrame::Enrolled {
            name: issued.name.clone(),
            certificate_pem: issued.certificate_pem.clone(),
            authority_pem: issued.authority_pem.clone(),
        },
        Err(error) => CollectorFrame::Refused { reason: error.to_string() },
    };
    tokio::time::timeout(PATIENCE, async {
        frames.send(Bytes::from(wire::encode(&answer)?)).await?;
        SinkExt::<Bytes>::close(&mut frames).await?;
        anyhow::Ok(())
    })
    .await
    .context("a stranger did not read the answer")??;
    enrolled.map(|_| ()).with_context(|| format!("{peer} could not enrol"))
}
