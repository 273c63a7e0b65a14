//! Where packets come from: capture files ([`file`]), a kernel ring ([`ring`]), or the portable datalink ([`datalink`]).
//!
//! Comes in: a file's bytes or an interface's frames. Goes out: one [`Packet`] at a time, borrowed from the reader's
//! buffer or the ring, with its time, link type and length on the wire. On overload a live source loses packets in the
//! kernel and says how many ([`SourceCounts`]); a file never loses any. What of a damaged file could be read is read,
//! then a [`CaptureError`] names file, offset and reason. Sources keep nothing over a restart.

pub mod datalink;
pub mod file;
pub mod filter;
mod pcap;
mod pcapng;
pub mod replay;
#[cfg(target_os = "linux")]
pub mod ring;
mod window;

use std::path::PathBuf;

pub use file::FileSource;

/// Largest packet that is taken from a file, in bytes. A greater length means a damaged file (the largest snap length in
/// use is 262,144).
pub const PACKET_MAX_BYTES: usize = 1 << 20;

/// A link-layer type by its number (<https://www.tcpdump.org/linktypes.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
}

/// One packet as it was captured.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When, nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// What the bytes begin with.
    pub link: LinkType,
    /// Bytes on the wire; more than `bytes` holds where the capture was cut at a snap length.
    pub original_length: u32,
    /// VLAN id that the network card took out of the frame, where it did.
    pub vlan: Option<u16>,
    /// What was captured.
    pub bytes: &'a [u8],
}

/// What a source has to say.
#[derive(Debug)]
pub enum Next<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// Nothing for the moment (live sources only): a chance to look at the clock.
    Idle,
    /// There will be no more.
    End,
}

/// A source of packets.
pub trait PacketSource: Send {
    /// The next packet. After an error, or after [`Next::End`], there is nothing more.
    fn next(&mut self) -> Result<Next<'_>, CaptureError>;
    /// What the source lost before handing it over, since it was opened.
    fn counts(&mut self) -> SourceCounts;
    /// How much of what the source can hold for a slow caller is waiting, in percent. At 100 packets are being lost.
    fn fullness_percent(&self) -> u8 {
        0
    }
}

/// Packets that were there and never handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Dropped by the kernel because the ring was full.
    pub ring_full: u64,
    /// Records of a file that were cut off or damaged.
    pub damaged: u64,
}

/// Why a source gave up. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be opened or read.
    #[error("read the capture {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be; everything before `offset` was read.
    #[error("read the capture {path}: {reason} at byte {offset}; the packets before it were read")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the (unpacked) file.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file is of no kind that we know.
    #[error("read the capture {path}: {reason}; pcap and pcapng files are understood, also gzipped")]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// An interface could not be captured from.
    #[error("capture on {interface}: {what}: {source}{hint}")]
    Interface {
        /// The interface.
        interface: String,
        /// What was attempted.
        what: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
        /// What to do about it.
        hint: &'static str,
    },
}

#[cfg(test)]
mod tests;
