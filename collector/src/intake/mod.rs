//! The intake: sensors connect here by mutual TLS, enrol, and hand over their batches.
//!
//! Comes in: connections. Goes out: batches to the journal, counters to the ledger, carved files and packets to whoever asked. A
//! client without a certificate may do one thing: enrol with a token. One with a certificate of our authority speaks for
//! the name in it and no other.
//!
//! **On overload**: a connection may have [`WINDOW`] batches on their way into the journal; then it is not read until one
//! is durable, so a slow journal slows its sensors and none of them can crowd out the others. Silent peers, slow
//! handshakes and peers that do not read are let go of. Whoever has not shown a certificate yet has one of
//! [`STRANGERS_MAX`] places, [`STRANGERS_PER_ADDRESS_MAX`] of an address, and leaves it for the next one after
//! [`STRANGER_QUIET_MIN`]; the places of the sensors are others, and a sensor has one connection, the newest. All of it is
//! counted by reason ([`Intake::doors`]). **On restart** sensors come again and go on after what is durable.

mod connection;
mod enroll;
mod files;
mod packets;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::fleet::Fleet;
use crate::health::Problems;
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::places::{self, Doors, Limits, MADE_ROOM, Place, Places};

#[cfg(test)]
pub(crate) use files::Wish;
pub use files::{FileError, Files};
pub use packets::{Answer, Next, Packets, PacketsError};

/// The most batches of one connection that are on their way into the journal.
pub const WINDOW: usize = 16;
/// The largest frame of a client that has not shown who it is, in bytes.
const STRANGER_FRAME_BYTES: usize = 64 << 10;
/// The most connections without a certificate.
const STRANGERS_MAX: usize = 256;
/// The most of them of one address.
const STRANGERS_PER_ADDRESS_MAX: usize = 64;
/// So long a stranger keeps its place whoever else comes.
const STRANGER_QUIET_MIN: Duration = Duration::from_secs(2);

/// Why the collector ended a connection: a name for the count, and the rest for the log.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Ended {
    reason: &'static str,
    text: String,
}

impl Ended {
    fn new(reason: &'static str, text: impl Into<String>) -> Ended {
        Ended { reason, text: text.into() }
    }
}

/// Where and how sensors are received.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeSettings {
    /// Address and port to listen on (default `0.0.0.0:7443`).
    pub listen: SocketAddr,
    /// A sensor that has said nothing for this long is let go of, in seconds (default 60).
    pub silence_s: u64,
    /// A handshake, a greeting or the sending of one frame may take this long, in seconds (default 15).
    pub patience_s: u64,
    /// The most sensors that are connected at a time (default 4,096).
    pub connections: usize,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        IntakeSettings {
            listen: SocketAddr::from(([0, 0, 0, 0], 7443)),
            silence_s: 60,
            patience_s: 15,
            connections: 4096,
        }
    }
}

impl IntakeSettings {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_s.max(1))
    }
}

/// The running intake. Dropping it stops listening and ends the connections; what is not acknowledged comes again.
pub struct Intake {
    address: SocketAddr,
    files: Files,
    packets: Packets,
    doors: Doors,
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
    doors: Doors,
    /// Places of connections that have shown a certificate.
    sensors: Arc<Semaphore>,
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
        let (doors, sensors) = (Doors::default(), Arc::new(Semaphore::new(settings.connections)));
        let hall =
            Hall { settings, journal, fleet, ledger, files: files.clone(), packets: packets.clone(), doors, sensors };
        let (doors, hall) = (hall.doors.clone(), Arc::new(hall));
        let task = tokio::spawn(listen(listener, TlsAcceptor::from(Arc::new(tls)), hall, problems));
        tracing::info!(%address, "sensors are received");
        Ok(Intake { address, files, packets, doors, task })
    }

    /// The address it listens on (for port 0).
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who was let in and who was not.
    pub fn doors(&self) -> Doors {
        self.doors.clone()
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
    let strangers =
        Places::new(Limits { per_peer: STRANGERS_PER_ADDRESS_MAX, most: STRANGERS_MAX, quiet_min: STRANGER_QUIET_MIN });
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
        match strangers.admit(places::peer(peer.ip()), Instant::now()) {
            Ok((place, has_made_room)) => {
                if has_made_room {
                    hall.doors.refuse(MADE_ROOM);
                }
                connections.spawn(receive(stream, peer, tls.clone(), hall.clone(), place));
            }
            // A sensor that is turned away tries again.
            Err(reason) => refuse(&hall, peer, &Ended::new(reason, "too many that have shown no certificate").into()),
        }
    }
}

/// Counts a connection that is refused or ended, and logs it as long as that is not too much.
fn refuse(hall: &Hall, peer: SocketAddr, error: &anyhow::Error) {
    hall.doors.refuse(error.downcast_ref::<Ended>().map_or("broken", |ended| ended.reason));
    if hall.doors.may_log(Instant::now()) {
        tracing::warn!(%peer, error = format!("{error:#}"), "a connection ended");
    }
}

async fn receive(stream: TcpStream, peer: SocketAddr, tls: TlsAcceptor, hall: Arc<Hall>, place: Place<IpAddr>) {
    // Acknowledgements are small and wanted at once; without this the connection still works.
    let _ = stream.set_nodelay(true);
    let needed = place.needed();
    let ended = tokio::select! {
        ended = converse(stream, peer, tls, &hall, place) => ended,
        // Counted where the place was given to another.
        () = needed.cancelled() => return,
    };
    if let Err(error) = ended {
        refuse(&hall, peer, &error);
    }
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    tls: TlsAcceptor,
    hall: &Hall,
    place: Place<IpAddr>,
) -> anyhow::Result<()> {
    let patience = hall.settings.patience();
    let stream = match tokio::time::timeout(patience, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Ended::new("handshake", format!("a TLS handshake failed: {error}")).into()),
        Err(_) => return Err(Ended::new("slow_handshake", "a TLS handshake took too long").into()),
    };
    let certificate =
        stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|certificate| certificate.to_vec());
    let Some(certificate) = certificate else {
        hall.doors.admit();
        return enroll::serve(stream, &hall.fleet, &place, patience).await;
    };
    let Ok(_seat) = hall.sensors.clone().try_acquire_owned() else {
        let text = format!("{} sensors are connected; raise [intake] connections", hall.settings.connections);
        return Err(Ended::new(places::FULL, text).into());
    };
    drop(place);
    hall.doors.admit();
    connection::serve(stream, &certificate, peer, hall).await
}

#[cfg(test)]
mod tests;
