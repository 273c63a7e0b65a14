//! The options of a message (RFC 2132): number, length, value; pieces of one option are put together (RFC 3396).

use std::net::{IpAddr, Ipv4Addr};

use super::record::DhcpMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Addresses kept of one option.
const MAX_ADDRESSES: usize = 16;
/// Bytes of text kept of one option.
const MAX_TEXT_BYTES: usize = 512;

const PAD: u8 = 0;
const END: u8 = 255;
/// Says that options go on in the fields for names of server and file.
const OVERLOAD: u8 = 52;

/// Options by number, in the order of their first pieces.
#[derive(Debug, Default)]
pub struct Options(Vec<(u8, Vec<u8>)>);

impl Options {
    /// Reads the options of one field; what was read before an error stays.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), Short> {
        let mut r = Reader::new(bytes);
        while !r.is_empty() {
            match r.u8()? {
                PAD => {}
                END => return Ok(()),
                number => {
                    let value = r.part8()?.rest();
                    self.add(number, value);
                }
            }
        }
        Ok(())
    }

    /// Which fields of the fixed part hold options: the file's name, the server's name.
    pub fn overload(&self) -> (bool, bool) {
        let bits = self.get(OVERLOAD).and_then(|value| value.first()).copied().unwrap_or(0);
        (bits & 1 != 0, bits & 2 != 0)
    }

    /// Says what the options say.
    pub fn tell(&self, record: &mut DhcpMessage) {
        for (number, value) in &self.0 {
            tell(record, *number, value);
        }
    }

    fn get(&self, number: u8) -> Option<&[u8]> {
        self.0.iter().find(|(n, _)| *n == number).map(|(_, value)| value.as_slice())
    }

    fn add(&mut self, number: u8, value: &[u8]) {
        if let Some((_, whole)) = self.0.iter_mut().find(|(n, _)| *n == number) {
            whole.extend_from_slice(value);
        } else {
            self.0.push((number, value.to_vec()));
        }
    }
}

fn tell(record: &mut DhcpMessage, number: u8, value: &[u8]) {
    match number {
        1 => record.subnet_mask = address(value),
        3 => record.routers = addresses(value),
        6 => record.dns_servers = addresses(value),
        12 => record.hostname = words(value),
        15 => record.domain = words(value),
        42 => record.ntp_servers = addresses(value),
        50 => record.requested_ip = address(value),
        51 => record.lease_s = seconds(value),
        53 => record.message_type = value.first().map(|kind| message_type(*kind)),
        54 => record.server_id = address(value),
        55 => record.parameters = Some(value.iter().map(u8::to_string).collect::<Vec<_>>().join(",")),
        56 => record.message = words(value),
        58 => record.renewal_s = seconds(value),
        59 => record.rebinding_s = seconds(value),
        60 => record.vendor_class = words(value),
        61 => record.client_id = Some(text::hex(value, 64)),
        66 => record.boot_server = words(value),
        67 => record.boot_file = words(value),
        77 => record.user_class = words(value),
        81 => record.fqdn = fqdn(value),
        82 => relay(record, value),
        // Microsoft's number of the same option is 249.
        121 | 249 if record.routes.is_empty() => record.routes = routes(value),
        252 => record.proxy_url = words(value),
        _ => {}
    }
}

/// Text without the zeros and line ends that some clients put behind it.
pub fn words(value: &[u8]) -> Option<String> {
    let end = value.iter().rposition(|b| !matches!(b, 0 | b'\n' | b'\r')).map_or(0, |last| last + 1);
    value.get(..end).filter(|kept| !kept.is_empty()).map(|kept| text::text(kept, MAX_TEXT_BYTES))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    value.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into())
}

fn addresses(value: &[u8]) -> Vec<IpAddr> {
    value.chunks_exact(4).filter_map(address).take(MAX_ADDRESSES).collect()
}

fn seconds(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u32::from_be_bytes(*bytes).into())
}

/// Flags, two bytes without meaning, then the name: as labels where a flag says so (RFC 4702 section 2).
fn fqdn(value: &[u8]) -> Option<String> {
    let mut r = Reader::new(value);
    let flags = r.u8().ok()?;
    r.skip(2).ok()?;
    if flags & 4 == 0 {
        return words(r.rest());
    }
    let mut labels = Vec::new();
    while let Ok(label) = r.part8() {
        if label.is_empty() {
            break;
        }
        labels.push(text::text(label.rest(), 63));
    }
    Some(labels.join(".")).filter(|name| !name.is_empty())
}

/// What a relay adds (RFC 3046): options inside of the option.
fn relay(record: &mut DhcpMessage, value: &[u8]) {
    let mut r = Reader::new(value);
    while let (Ok(number), Ok(part)) = (r.u8(), r.part8()) {
        match number {
            1 => record.circuit_id = shown(part.rest()),
            2 => record.remote_id = shown(part.rest()),
            _ => {}
        }
    }
}

fn shown(value: &[u8]) -> Option<String> {
    let readable = !value.is_empty() && value.iter().all(|b| (0x20..0x7f).contains(b));
    if readable { words(value) } else { Some(text::hex(value, 64)) }
}

/// Classless routes (RFC 3442): width, as many bytes of the network as it needs, router.
fn routes(value: &[u8]) -> Vec<String> {
    let mut r = Reader::new(value);
    let mut routes = Vec::new();
    while let Ok(width @ 0..=32) = r.u8() {
        let Ok(significant) = r.take(usize::from(width).div_ceil(8)) else { break };
        let Ok(router) = r.array::<4>() else { break };
        let mut network = [0; 4];
        for (octet, byte) in network.iter_mut().zip(significant) {
            *octet = *byte;
        }
        if routes.len() < MAX_ADDRESSES {
            routes.push(format!("{}/{width} {}", Ipv4Addr::from(network), Ipv4Addr::from(router)));
        }
    }
    routes
}

/// RFC 2132 section 9.6, RFC 3203, RFC 4388, RFC 6926, RFC 7724.
fn message_type(kind: u8) -> String {
    let name = match kind {
        1 => "discover",
        2 => "offer",
        3 => "request",
        4 => "decline",
        5 => "ack",
        6 => "nak",
        7 => "release",
        8 => "inform",
        9 => "forcerenew",
        10 => "leasequery",
        11 => "leaseunassigned",
        12 => "leaseunknown",
        13 => "leaseactive",
        14 => "bulkleasequery",
        15 => "leasequerydone",
        16 => "activeleasequery",
        17 => "leasequerystatus",
        18 => "dhcptls",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> (DhcpMessage, Result<(), Short>) {
        let (mut options, mut record) = (Options::default(), DhcpMessage::default());
        let result = options.read(bytes);
        options.tell(&mut record);
        (record, result)
    }

    #[test]
    fn pieces_of_an_option_belong_together() {
        let (record, result) = told(b"\x0c\x03may\x35\x01\x05\0\x0c\x021\0\xff\x0c\x01x");
        assert_eq!(record.hostname.as_deref(), Some("may1"));
        assert_eq!(record.message_type.as_deref(), Some("ack"));
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn what_was_read_before_an_error_is_told() {
        let (record, result) = told(b"\x0c\x04may1\x33\x04\0\0");
        assert_eq!((record.hostname.as_deref(), record.lease_s), (Some("may1"), None));
        assert_eq!(result, Err(Short));
    }

    #[test]
    fn routes_and_names_are_read() {
        let (record, _) = told(b"\x79\x0d\x01\0\xc0\0\x02\x01\x18\xc6\x33\x64\xc0\0\x02");
        assert_eq!(record.routes, ["0.0.0.0/1 192.0.2.1"], "a cut route ends the list");
        let (record, _) = told(b"\x51\x0e\x05\0\0\x04may1\x04tinh\0");
        assert_eq!(record.fqdn.as_deref(), Some("may1.tinh"));
        let (record, _) = told(b"\x51\x07\x01\0\0may1");
        assert_eq!(record.fqdn.as_deref(), Some("may1"));
        let (record, _) = told(b"\x52\x0c\x01\x04Gi/1\x02\x04\0\x01\x02\x03");
        assert_eq!(record.circuit_id.as_deref(), Some("Gi/1"));
        assert_eq!(record.remote_id.as_deref(), Some("00010203"));
    }
}
