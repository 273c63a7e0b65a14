//! A client without a certificate: it may enrol, once, with a token.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt as _};
use luytre_events::wire::{self, CollectorFrame, SensorFrame};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{Ended, STRANGER_FRAME_BYTES};
use crate::fleet::Fleet;
use crate::places::Place;

pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    fleet: &Fleet,
    place: &Place<IpAddr>,
    patience: Duration,
) -> anyhow::Result<()> {
    let codec = LengthDelimitedCodec::builder().max_frame_length(STRANGER_FRAME_BYTES).new_codec();
    let mut frames = Framed::new(stream, codec);
    let first = tokio::time::timeout(patience, frames.next()).await;
    let first = first.map_err(|_| Ended::new("silent", "a stranger said nothing"))?;
    let Some(first) = first else { return Ok(()) };
    let SensorFrame::Enroll { secret, csr_pem } = wire::decode(&first?)? else {
        let reason = "a client certificate is required: enrol this sensor with a token first".to_owned();
        let refused = Bytes::from(wire::encode(&CollectorFrame::Refused { reason })?);
        tokio::time::timeout(patience, frames.send(refused)).await.map_err(|_| deaf())??;
        return Err(Ended::new("no_certificate", "it has no certificate and wants more than to enrol").into());
    };
    // From here on nobody takes its place: a token that is used up must not be in vain.
    place.heard(Instant::now() + patience * 2);
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
    tokio::time::timeout(patience, async {
        frames.send(Bytes::from(wire::encode(&answer)?)).await?;
        SinkExt::<Bytes>::close(&mut frames).await?;
        anyhow::Ok(())
    })
    .await
    .map_err(|_| deaf())??;
    enrolled.map(|_| ()).map_err(|error| Ended::new("not_enrolled", format!("could not enrol: {error}")).into())
}

fn deaf() -> Ended {
    Ended::new("does_not_read", "a stranger did not read the answer")
}
