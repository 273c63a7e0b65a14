//! Both ends of a wire for measuring: a generator of packets, a ring that only counts, and a look at a sensor's counters.
//!
//! `wire send INTERFACE BYTES PACKETS_A_SECOND SECONDS` sends UDP packets of so many bytes (with the four of checksum that a
//! card would add) over a thousand flows, and says how many went out; 0 a second is as fast as it goes. Never more than a
//! minute. `wire count INTERFACE SECONDS` opens a ring as the sensor does and says how many packets it took and lost.
//! `wire ask ADDRESS` prints the counters of a sensor. Needs CAP_NET_RAW for the first two.
//!
//! `unsafe` is here for `sendmmsg`, which hands the kernel many packets in one call: one call each is slower than a ring.

use std::ffi::CString;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use luytre_sensor::capture::ring::{Ring, RingSettings};
use luytre_sensor::capture::{Next, PacketSource as _};

/// Packets that the kernel is handed in one call.
const BATCH: usize = 64;
/// Flows that the packets belong to.
const FLOWS: usize = 1024;
/// What a card adds to a frame.
const CHECKSUM_BYTES: usize = 4;
/// The headers of Ethernet, IPv4 and UDP.
const HEAD_BYTES: usize = 14 + 20 + 8;
const SECONDS_MAX: u64 = 60;
/// The sensor's default, in blocks of a megabyte.
const RING_BLOCKS: usize = 64;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["send", interface, bytes, rate, seconds] => {
            send(interface, bytes.parse()?, rate.parse()?, seconds.parse::<u64>()?.min(SECONDS_MAX))
        }
        ["count", interface, seconds] => count(interface, seconds.parse::<u64>()?.min(2 * SECONDS_MAX)),
        ["ask", address] => ask(address),
        _ => bail!("usage: wire send INTERFACE BYTES RATE SECONDS | count INTERFACE SECONDS | ask ADDRESS"),
    }
}

fn send(interface: &str, bytes: usize, rate: u64, seconds: u64) -> anyhow::Result<()> {
    ensure!((64..=1518).contains(&bytes), "a packet has 64 to 1518 bytes");
    let socket = Sender::open(interface).with_context(|| format!("open {interface} for sending (needs root)"))?;
    let frames: Vec<Vec<u8>> = (0..FLOWS).map(|flow| frame(flow, bytes - CHECKSUM_BYTES)).collect();
    let began = Instant::now();
    let end = Duration::from_secs(seconds);
    let (mut sent, mut next) = (0u64, 0usize);
    while began.elapsed() < end {
        // How many should have gone out by now.
        let due = if rate == 0 { u64::MAX } else { (began.elapsed().as_secs_f64() * rate as f64) as u64 };
        if due < sent + BATCH as u64 {
            std::hint::spin_loop();
            continue;
        }
        let batch = frames.get(next..next + BATCH).context("a batch of frames")?;
        sent += socket.send(batch)?;
        next = (next + BATCH) % FLOWS;
    }
    println!("sent {sent} in {:.3}", began.elapsed().as_secs_f64());
    Ok(())
}

/// A frame of a flow; what it carries is of no protocol.
fn frame(flow: usize, length: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(length);
    frame.extend([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0]);
    let word = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    frame.extend([0x45, 0]);
    frame.extend(word(length - 14));
    frame.extend([0, 1, 0x40, 0, 60, 17, 0, 0]);
    frame.extend([192, 0, 2, (flow % 251) as u8, 198, 51, 100, (flow % 241) as u8]);
    frame.extend(word(20_000 + flow));
    frame.extend(word(47_000));
    frame.extend(word(length - 34));
    frame.extend([0, 0]);
    frame.extend((0..length - HEAD_BYTES).map(|at| (at * 151 + flow * 7) as u8 | 0x80));
    frame
}

/// A packet socket that only sends.
struct Sender(OwnedFd);

impl Sender {
    fn open(interface: &str) -> std::io::Result<Sender> {
        let failed = || std::io::Error::last_os_error();
        let name = CString::new(interface)?;
        // SAFETY: `name` is a string that ends with a zero.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        if index == 0 {
            return Err(failed());
        }
        // SAFETY: a new socket; no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(failed());
        }
        // SAFETY: the socket was just made and belongs to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as libc::c_ushort,
            sll_protocol: 0,
            sll_ifindex: libc::c_int::try_from(index).unwrap_or(0),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `address` points to `length` readable bytes.
        if unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) } < 0 {
            return Err(failed());
        }
        let on: libc::c_int = 1;
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        // Past the queue of the interface; without it everything works, only slower.
        // SAFETY: `on` points to `length` readable bytes.
        let _ = unsafe {
            let option = libc::PACKET_QDISC_BYPASS;
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, (&raw const on).cast(), length)
        };
        Ok(Sender(socket))
    }

    /// Sends frames; says how many went out.
    fn send(&self, frames: &[Vec<u8>]) -> std::io::Result<u64> {
        let mut pieces: Vec<libc::iovec> = frames
            .iter()
            .map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() })
            .collect();
        let mut messages: Vec<libc::mmsghdr> = pieces
            .iter_mut()
            .map(|piece| {
                // SAFETY: all zeros are a valid header: no address, no pieces, no control data.
                let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
                message.msg_hdr.msg_iov = piece;
                message.msg_hdr.msg_iovlen = 1;
                message
            })
            .collect();
        let count = libc::c_uint::try_from(messages.len()).unwrap_or(0);
        // SAFETY: `messages` holds `count` headers, each with one piece of `pieces`, which point to frames that live as long
        // as this call; the kernel only reads the frames.
        let sent = unsafe { libc::sendmmsg(self.0.as_raw_fd(), messages.as_mut_ptr(), count, 0) };
        match u64::try_from(sent) {
            Ok(sent) => Ok(sent),
            Err(_) => {
                let error = std::io::Error::last_os_error();
                // The queue is full: nothing went out this time.
                if error.raw_os_error() == Some(libc::ENOBUFS) { Ok(0) } else { Err(error) }
            }
        }
    }
}

fn count(interface: &str, seconds: u64) -> anyhow::Result<()> {
    let settings = RingSettings { blocks: RING_BLOCKS, promiscuous: true, fanout_group: None, filter: None };
    let mut ring = Ring::open(interface, settings)?;
    println!("counting");
    let began = Instant::now();
    let mut taken = 0u64;
    loop {
        match ring.next()? {
            Next::Packet(_) => taken += 1,
            // Only looked at when there is nothing to do: it must not cost anything.
            Next::Idle if began.elapsed() >= Duration::from_secs(seconds) => break,
            Next::Idle => {}
            Next::End => break,
        }
    }
    println!("taken {taken} lost {}", ring.counts().ring_full);
    Ok(())
}

fn ask(address: &str) -> anyhow::Result<()> {
    let mut peer = std::net::TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    peer.write_all(b"GET /metrics HTTP/1.1\r\n\r\n")?;
    let mut answer = String::new();
    peer.read_to_string(&mut answer)?;
    print!("{answer}");
    Ok(())
}
