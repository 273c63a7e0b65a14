//! Where the API listens: a Unix socket that only the collector's own user may open, and by configuration mutual TLS.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::fleet::Fleet;

/// A handshake that takes longer is given up.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Most connections in the middle of a handshake.
const HANDSHAKES_MAX: usize = 64;

/// Binds the socket with mode 0600. A socket left by a collector that was killed is replaced; one that somebody answers
/// on is not.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!(
                    "another collector answers on {}; stop it first, or use another data directory",
                    path.display()
                ),
            ));
        }
        std::fs::remove_file(path)?;
    }
    // Bound under a name nobody knows, given its mode, then renamed: it is never open to others.
    let hidden = path.with_extension(format!("{}.tmp", std::process::id()));
    if hidden.exists() {
        std::fs::remove_file(&hidden)?;
    }
    let listener = UnixListener::bind(&hidden)?;
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&hidden, path)?;
    Ok(listener)
}

/// Connections whose mutual TLS handshake is done; a slow peer holds up nobody else.
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Listens on an address with the fleet's authority on both sides.
    pub async fn bind(address: SocketAddr, fleet: Fleet) -> io::Result<TlsListener> {
        let config = fleet.api_tls().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (tell, ready) = mpsc::channel(HANDSHAKES_MAX);
        let turns = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES_MAX));
        tokio::spawn(async move {
            while let Ok(turn) = turns.clone().acquire_owned().await {
                let (stream, peer) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "accept a connection to the API");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        continue;
                    }
                };
                if tell.is_closed() {
                    return;
                }
                let (acceptor, tell, fleet) = (acceptor.clone(), tell.clone(), fleet.clone());
                tokio::spawn(async move {
                    let _turn = turn;
                    match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                        // The listener may have gone meanwhile.
                        Ok(Ok(stream)) if may_ask(&fleet, &stream) => drop(tell.send((stream, peer)).await),
                        Ok(Ok(_)) => tracing::warn!(%peer, "refused a connection to the API: not an API certificate"),
                        Ok(Err(error)) => tracing::warn!(%peer, %error, "refused a connection to the API"),
                        Err(_) => tracing::warn!(%peer, "gave up a slow connection to the API"),
                    }
                });
            }
        });
        Ok(TlsListener { ready, address })
    }
}

/// Sensors have certificates of the same authority, and nothing to ask here.
fn may_ask(fleet: &Fleet, stream: &TlsStream<TcpStream>) -> bool {
    let chain = stream.get_ref().1.peer_certificates();
    chain.and_then(|chain| chain.first()).is_some_and(|certificate| fleet.admit_to_api(certificate).is_some())
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task never ends before this listener does.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests;
