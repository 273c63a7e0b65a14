//! Where the API listens: a Unix socket that only the collector's own user may open, and by configuration mutual TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::fleet::Fleet;
use crate::places::{self, Doors, Limits, MADE_ROOM, Place, Places};

/// A handshake that takes longer is given up.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections whose peer has not shown its certificate: so many in all and of one address, and each keeps its place so long
/// whoever else comes.
const STRANGERS: Limits = Limits { per_peer: 32, most: 128, quiet_min: Duration::from_secs(2) };
/// Connections of clients that may ask, in all and of one; one that is quiet for so long makes room.
const CLIENTS: Limits = Limits { per_peer: 256, most: 512, quiet_min: Duration::from_secs(60) };
/// Connections that wait to be served.
const READY_MAX: usize = 64;

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

/// Connections whose mutual TLS handshake is done; slow and silent peers hold up nobody else.
pub struct TlsListener {
    ready: mpsc::Receiver<(Guarded, SocketAddr)>,
    address: SocketAddr,
    doors: Doors,
}

/// What the tasks of the listener work with.
#[derive(Clone)]
struct Porch {
    acceptor: TlsAcceptor,
    fleet: Fleet,
    clients: Places<String>,
    doors: Doors,
    tell: mpsc::Sender<(Guarded, SocketAddr)>,
}

impl TlsListener {
    /// Listens on an address with the fleet's authority on both sides.
    pub async fn bind(address: SocketAddr, fleet: Fleet) -> io::Result<TlsListener> {
        TlsListener::bind_with(address, fleet, CLIENTS).await
    }

    async fn bind_with(address: SocketAddr, fleet: Fleet, clients: Limits) -> io::Result<TlsListener> {
        let config = fleet.api_tls().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (tell, ready) = mpsc::channel(READY_MAX);
        let doors = Doors::default();
        let porch = Porch { acceptor, fleet, clients: Places::new(clients), doors: doors.clone(), tell };
        tokio::spawn(porch.listen(listener));
        Ok(TlsListener { ready, address, doors })
    }

    /// Who was let in and who was not.
    pub fn doors(&self) -> Doors {
        self.doors.clone()
    }
}

impl Porch {
    async fn listen(self, listener: TcpListener) {
        let strangers = Places::new(STRANGERS);
        while !self.tell.is_closed() {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "accept a connection to the API");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            match strangers.admit(places::peer(peer.ip()), Instant::now()) {
                Ok((place, has_made_room)) => {
                    if has_made_room {
                        self.doors.refuse(MADE_ROOM);
                    }
                    tokio::spawn(self.clone().receive(stream, peer, place));
                }
                Err(reason) => self.refuse(peer, reason),
            }
        }
    }

    async fn receive(self, stream: TcpStream, peer: SocketAddr, place: Place<IpAddr>) {
        let accepted = tokio::select! {
            accepted = tokio::time::timeout(HANDSHAKE_MAX, self.acceptor.accept(stream)) => accepted,
            // Counted where the place was given to another.
            () = place.is_needed() => return,
        };
        let stream = match accepted {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return self.refuse(peer, "handshake"),
            Err(_) => return self.refuse(peer, "slow_handshake"),
        };
        let Some(client) = client(&self.fleet, &stream) else { return self.refuse(peer, "no_certificate") };
        match self.clients.admit(client, Instant::now()) {
            Ok((seat, has_made_room)) => {
                if has_made_room {
                    self.doors.refuse(MADE_ROOM);
                }
                self.doors.admit();
                drop(place);
                // The listener may have gone meanwhile.
                drop(self.tell.send((Guarded::new(stream, seat), peer)).await);
            }
            Err(reason) => self.refuse(peer, reason),
        }
    }

    fn refuse(&self, peer: SocketAddr, reason: &'static str) {
        self.doors.refuse(reason);
        if self.doors.may_log(Instant::now()) {
            tracing::warn!(%peer, reason, "refused a connection to the API");
        }
    }
}

/// Who asks. Sensors have certificates of the same authority, and nothing to ask here.
fn client(fleet: &Fleet, stream: &TlsStream<TcpStream>) -> Option<String> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    fleet.admit_to_api(certificate)
}

/// A client's connection with its place: it is heard with every byte either way, and ends when its place is needed.
pub struct Guarded {
    stream: TlsStream<TcpStream>,
    seat: Place<String>,
    needed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Guarded {
    fn new(stream: TlsStream<TcpStream>, seat: Place<String>) -> Guarded {
        let needed = Box::pin(seat.needed().cancelled_owned());
        Guarded { stream, seat, needed }
    }

    /// Wakes the one who waits for the stream also when the place is needed.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.needed.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::TimedOut, "quiet for long, and its place was needed")),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        if into.filled().len() > before {
            self.seat.heard(Instant::now());
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.seat.heard(Instant::now());
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = Guarded;
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
