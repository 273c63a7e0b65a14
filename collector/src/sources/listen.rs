//! Where the lines of a source come in: datagrams and streams.
//!
//! A stream has its messages with their length before them, or one a line; each message may choose (RFC 6587). A message
//! longer than [`LINE_MAX_BYTES`] is counted and let go of; of a counted one the connection ends, because nobody knows
//! whether the count can be believed. A connection of which no whole line has come within [`FIRST_LINE_MAX`] ends, and
//! [`crate::places`] says how many there may be.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use super::writer::Arrival;
use super::{Door, SourceSettings, Transport, https};
use crate::clock::now_ns;
use crate::fleet::Fleet;
use crate::places::{self, MADE_ROOM, Place};

/// The longest message.
pub const LINE_MAX_BYTES: usize = 64 << 10;
/// Digits of the longest length that is believed to be one.
const COUNT_MAX_DIGITS: usize = 7;
/// A handshake that takes longer is given up.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// The first line comes within this time, or nobody is there.
const FIRST_LINE_MAX: Duration = Duration::from_secs(60);

/// Listens, and hands lines on.
pub async fn start(source: &SourceSettings, door: Door, fleet: &Fleet) -> anyhow::Result<()> {
    if source.transport == Transport::Udp {
        let socket = UdpSocket::bind(source.listen).await?;
        tokio::spawn(datagrams(socket, door));
        return Ok(());
    }
    let acceptor = match source.transport {
        Transport::Tls | Transport::Https => Some(TlsAcceptor::from(Arc::new(fleet.intake_tls()?))),
        Transport::Udp | Transport::Tcp => None,
    };
    let listener = TcpListener::bind(source.listen).await?;
    tokio::spawn(connections(listener, acceptor, source.transport, door));
    Ok(())
}

async fn datagrams(socket: UdpSocket, door: Door) {
    let mut datagram = vec![0; LINE_MAX_BYTES];
    loop {
        match socket.recv_from(&mut datagram).await {
            Ok((bytes, _)) => {
                let line = datagram.get(..bytes).unwrap_or_default().trim_ascii_end().to_vec();
                if line.is_empty() {
                    continue;
                }
                door.counts.take(1);
                if door.pace.take(1, Instant::now()).is_err() {
                    door.counts.lose("too_fast", 1);
                } else if door.arrivals.try_send(Arrival::Line((line, now_ns()))).is_err() {
                    door.counts.lose("queue_full", 1);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "receive a datagram of a source");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn connections(listener: TcpListener, acceptor: Option<TlsAcceptor>, transport: Transport, door: Door) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept a connection of a source");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Some(place) = admit(&door, peer.ip()) else { continue };
        let (acceptor, door) = (acceptor.clone(), door.clone());
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = connection(stream, acceptor, transport, &door, &place) => ended,
                () = place.is_needed() => Err(io::Error::other("quiet for long, and its place was needed")),
            };
            if let Err(error) = ended {
                tracing::warn!(%peer, %error, "a connection of a source ended");
            }
        });
    }
}

/// A place for a connection. Told in counts alone: a flood of strangers must not fill the log.
fn admit(door: &Door, address: IpAddr) -> Option<Place<IpAddr>> {
    match door.places.admit(places::peer(address), Instant::now()) {
        Ok((place, has_made_room)) => {
            door.counts.connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if has_made_room {
                door.counts.refuse(MADE_ROOM);
            }
            Some(place)
        }
        Err(reason) => {
            door.counts.refuse(reason);
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    transport: Transport,
    door: &Door,
    place: &Place<IpAddr>,
) -> io::Result<()> {
    let Some(acceptor) = acceptor else { return messages(stream, door, place).await };
    let stream = match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        ended => {
            door.counts.refuse("handshake");
            return ended.map_or_else(|_| Err(io::ErrorKind::TimedOut.into()), |ended| ended.map(drop));
        }
    };
    match transport {
        Transport::Https => https::serve(stream, door, place).await,
        Transport::Udp | Transport::Tcp | Transport::Tls => messages(stream, door, place).await,
    }
}

async fn messages(stream: impl AsyncRead + Unpin, door: &Door, place: &Place<IpAddr>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut is_first = true;
    loop {
        let next = message(&mut stream);
        let read = if is_first {
            let Ok(read) = tokio::time::timeout(FIRST_LINE_MAX, next).await else {
                door.counts.refuse("no_line");
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no whole line came in time"));
            };
            read
        } else {
            next.await
        };
        let line = match read {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    door.counts.take(1);
                    door.counts.lose("too_long", 1);
                }
                return Err(error);
            }
        };
        is_first = false;
        place.heard(Instant::now());
        let Some(line) = line else {
            door.counts.take(1);
            door.counts.lose("too_long", 1);
            continue;
        };
        if line.is_empty() {
            continue;
        }
        while let Err(wait) = door.pace.take(1, Instant::now()) {
            tokio::time::sleep(wait).await;
            place.heard(Instant::now());
        }
        door.counts.take(1);
        if door.arrivals.send(Arrival::Line((line, now_ns()))).await.is_err() {
            return Ok(());
        }
        // While the disk was full it was we who were quiet.
        place.heard(Instant::now());
    }
}

/// The next message; nothing inside for one that is too long, nothing at all at the end.
async fn message(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Option<Vec<u8>>>> {
    let Some(first) = stream.fill_buf().await?.first().copied() else { return Ok(None) };
    if !first.is_ascii_digit() {
        return line(stream).await;
    }
    let mut begun = Vec::new();
    // The number, and what ends it.
    while begun.len() <= COUNT_MAX_DIGITS && begun.last().is_none_or(u8::is_ascii_digit) {
        let Some(next) = stream.fill_buf().await?.first().copied() else { break };
        stream.consume(1);
        begun.push(next);
    }
    let count = begun.strip_suffix(b" ").and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
    match count {
        Some(bytes) if bytes <= LINE_MAX_BYTES => {
            let mut line = vec![0; bytes];
            stream.read_exact(&mut line).await?;
            Ok(Some(Some(line.trim_ascii_end().to_vec())))
        }
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a message says that it is too long")),
        // A line that only begins like a number.
        None if begun.ends_with(b"\n") => Ok(Some(Some(begun.trim_ascii_end().to_vec()))),
        None => Ok(Some(line(stream).await?.unwrap_or(Some(Vec::new())).map(|rest| [begun, rest].concat()))),
    }
}

async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Option<Vec<u8>>>> {
    let mut line = Vec::new();
    if (&mut *stream).take(LINE_MAX_BYTES as u64 + 1).read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    if line.len() <= LINE_MAX_BYTES || line.ends_with(b"\n") {
        return Ok(Some(Some(line.trim_ascii_end().to_vec())));
    }
    // The rest of it is passed over, a piece at a time.
    loop {
        line.clear();
        let got = (&mut *stream).take(LINE_MAX_BYTES as u64).read_until(b'\n', &mut line).await?;
        if got == 0 || line.ends_with(b"\n") {
            return Ok(Some(None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(mut bytes: &[u8]) -> Vec<Option<String>> {
        let mut found = Vec::new();
        while let Ok(Some(line)) = message(&mut bytes).await {
            found.push(line.map(|line| String::from_utf8_lossy(&line).into_owned()));
        }
        found
    }

    #[tokio::test]
    async fn counted_and_ended_messages_may_follow_each_other() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            all(b"<1>a\n7 <1>b\nc\n<1>d\r\n<1>e").await,
            [some("<1>a"), some("<1>b\nc"), some("<1>d"), some("<1>e")]
        );
        assert_eq!(all(b"12:00 it is\n").await, [some("12:00 it is")]);
        assert_eq!(all(b"42\nfoo bar\n7").await, [some("42"), some("foo bar"), some("7")]);
        assert_eq!(all(b"9999999 x").await, []);
        let long = [vec![b'x'; LINE_MAX_BYTES * 3], b"\nshort\n".to_vec()].concat();
        assert_eq!(all(&long).await, [None, some("short")]);
    }
}
