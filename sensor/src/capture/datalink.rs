//! Live packets through pnet: names and describes interfaces, and captures where the ring is not to be had.
//!
//! One system call a packet and the kernel's default buffer: fit for tens of thousands of packets a second, not more.
//! What the kernel drops it does not say, and VLAN tags that the card takes out are lost.

use std::io;
use std::time::{Duration, SystemTime};

use pnet::datalink::{self, Channel, DataLinkReceiver, NetworkInterface};

use super::{CaptureError, LinkType, Next, Packet, PacketSource, SourceCounts};

const WAIT: Duration = Duration::from_millis(100);
const BUFFER_BYTES: usize = 65_536;

/// The interfaces of this machine.
pub fn interfaces() -> Vec<NetworkInterface> {
    datalink::interfaces()
}

/// The interfaces that a sensor captures on when none is configured: up, and not loopback.
pub fn default_interfaces() -> Vec<String> {
    let wanted = interfaces().into_iter().filter(|interface| interface.is_up() && !interface.is_loopback());
    wanted.map(|interface| interface.name).collect()
}

/// An open interface.
pub struct Datalink {
    interface: String,
    receiver: Box<dyn DataLinkReceiver>,
}

impl Datalink {
    /// Opens an interface. Needs CAP_NET_RAW.
    pub fn open(interface: &str, promiscuous: bool) -> Result<Datalink, CaptureError> {
        let failed =
            |what, source, hint| CaptureError::Interface { interface: interface.to_owned(), what, source, hint };
        let found = interfaces().into_iter().find(|known| known.name == interface);
        let Some(found) = found else {
            let source = io::Error::from(io::ErrorKind::NotFound);
            return Err(failed("find the interface", source, "; `luytre-sensor interfaces` lists those there are"));
        };
        let config = datalink::Config {
            read_timeout: Some(WAIT),
            read_buffer_size: BUFFER_BYTES,
            promiscuous,
            ..datalink::Config::default()
        };
        match datalink::channel(&found, config) {
            Ok(Channel::Ethernet(_, receiver)) => Ok(Datalink { interface: interface.to_owned(), receiver }),
            Ok(_) => Err(failed("open the interface", io::Error::from(io::ErrorKind::Unsupported), "")),
            Err(source) => Err(failed(
                "open the interface",
                source,
                "; run as root or give the program the capability CAP_NET_RAW",
            )),
        }
    }
}

impl PacketSource for Datalink {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        match self.receiver.next() {
            Ok(bytes) => Ok(Next::Packet(Packet {
                time_ns: now_ns(),
                link: LinkType::ETHERNET,
                original_length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                vlan: None,
                bytes,
            })),
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {
                Ok(Next::Idle)
            }
            Err(source) => Err(CaptureError::Interface {
                interface: self.interface.clone(),
                what: "wait for packets",
                source,
                hint: "; is the interface still there and up?",
            }),
        }
    }

    fn counts(&mut self) -> SourceCounts {
        SourceCounts::default()
    }
}

/// The time, nanoseconds since 1970-01-01 UTC.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
