//! The intake: sensors connect here by mutual TLS, enrol, and hand over their batches.
//!
//! Comes in: connections. Goes out: batches to the journal, counters to the ledger, carved files and packets to whoever asked. A
//! client without a certificate may do one thing: enrol with a token. One with a certificate of our authority speaks for
//! the name in it and no other.
//!
//! **On overload**: a connection may have [`WINDOW`] batches on their way into the journal; then it is not read until one
//! is durable, so a slow journal slows its sensors and none of them can crowd out the others. Silent peers, slow
//! handshakes and peers that do not read are let go of. **On restart** sensors come again and go on after what is durable.

mod connection;
mod enroll;
mod files;
mod packets;
mod strangers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::fleet::Fleet;
use crate::health::Problems;
use crate::journal::Journal;
use crate::ledger::Ledger;
use strangers::{Guest, Strangers};

#[cfg(test)]
pub(crate) use files::Wish;
pub use files::{FileError, Files};
pub use packets::{Answer, Next, Packets, PacketsError};

/// The most batches of one connection that are on their way into the journal.
pub const WINDOW: usize = 16;
/// The largest frame of a client that has not shown who it is, in bytes.
const STRANGER_FRAME_BYTES: usize = 64 << 10;
/// How long a handshake, a greeting or the sending of one frame may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where and how sensors are received.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeSettings {
    /// Address and port to listen on (default `0.0.0.0:7443`).
    pub listen: SocketAddr,
    /// A sensor that has said nothing for this long is let go of, in seconds (default 60).
    pub silence_s: u64,
    /// The most connections at a time (default 1,024).
    pub connections: usize,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        IntakeSettings { listen: SocketAddr::from(([0, 0, 0, 0], 7443)), silence_s: 60, connections: 1024 }
    }
}

/// The running intake. Dropping it stops listening and ends the connections; what is not acknowledged comes again.
pub struct Intake {
    address: SocketAddr,
    files: Files,
    packets: Packets,
    task: JoinHandle<()>,
}

/// What every connection needs.
struct Hall {
    settings: IntakeSettings,
    journal: Journal,
    fleet: Fleet,
    ledger: Ledger,
    files: Files,
    packets: Packets,
}

impl Intake {
    /// Starts to listen (on the running tokio runtime).
    pub async fn start(
        settings: IntakeSettings,
        journal: Journal,
        fleet: Fleet,
        ledger: Ledger,
        problems: Problems,
    ) -> std::io::Result<Intake> {
        let tls = fleet.intake_tls().map_err(std::io::Error::other)?;
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            let hint = "is another collector running, or is the address not of this machine?";
            std::io::Error::new(error.kind(), format!("listen for sensors on {}: {error}; {hint}", settings.listen))
        })?;
        let address = listener.local_addr()?;
        ledger.follow(journal.clone());
        let (files, packets) = (Files::default(), Packets::default());
        let hall = Arc::new(Hall { settings, journal, fleet, ledger, files: files.clone(), packets: packets.clone() });
        let task = tokio::spawn(listen(listener, TlsAcceptor::from(Arc::new(tls)), hall, problems));
        tracing::info!(%address, "sensors are received");
        Ok(Intake { address, files, packets, task })
    }

    /// The address it listens on (for port 0).
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that asks sensors for packets; cheap to clone.
    pub fn packets(&self) -> Packets {
        self.packets.clone()
    }

    /// A handle that asks sensors for carved files; cheap to clone.
    pub fn files(&self) -> Files {
        self.files.clone()
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, tls: TlsAcceptor, hall: Arc<Hall>, problems: Problems) {
    let places = Arc::new(Semaphore::new(hall.settings.connections));
    let strangers = Strangers::default();
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                problems.raise("intake", format!("connections are not accepted: {error}"));
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        problems.clear("intake");
        while connections.try_join_next().is_some() {}
        let Some(guest) = strangers.admit(peer.ip()) else {
            tracing::warn!(%peer, "a connection is refused: too many of this address without a certificate");
            continue;
        };
        match places.clone().try_acquire_owned() {
            Ok(place) => {
                connections.spawn(receive(stream, peer, tls.clone(), hall.clone(), place, guest));
            }
            Err(_) => tracing::warn!(%peer, limit = hall.settings.connections, "a connection is refused: too many"),
        }
    }
}

async fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    hall: Arc<Hall>,
    place: OwnedSemaphorePermit,
    guest: Guest,
) {
    // Acknowledgements are small and wanted at once; without this the connection still works.
    let _ = stream.set_nodelay(true);
    let stream = match tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::warn!(%peer, %error, "a TLS handshake failed"),
        Err(_) => return tracing::warn!(%peer, "a TLS handshake took too long"),
    };
    let certificate =
        stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|certificate| certificate.to_vec());
    let result = match certificate {
        Some(certificate) => {
            drop(guest);
            connection::serve(stream, &certificate, peer, &hall).await
        }
        None => {
            let _guest = guest;
            enroll::serve(stream, peer, &hall.fleet).await
        }
    };
    if let Err(error) = result {
        tracing::warn!(%peer, error = format!("{error:#}"), "a connection ended");
    }
    drop(place);
}

#[cfg(test)]
mod tests;
