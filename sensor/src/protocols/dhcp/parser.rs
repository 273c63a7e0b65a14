//! Tells each datagram: the fixed part that DHCP has from BOOTP (RFC 951), then the options.

use std::net::{IpAddr, Ipv4Addr};

use super::options::{Options, words};
use super::record::DhcpMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, buffer, text};

/// Length of the fixed part.
pub const FIXED_BYTES: usize = 236;
/// Stands between fixed part and options (RFC 2131 section 3).
pub const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// The parser of one flow: nothing is remembered.
pub struct DhcpParser;

impl Parser for DhcpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        match record(bytes) {
            Ok(record) => {
                if record.malformed.is_some() {
                    out.anomaly("dhcp.malformed");
                }
                inspect(out, direction, &record);
                out.event(record.into_body());
            }
            Err(Short) => out.anomaly("dhcp.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}

/// What signatures look into. A message is a transaction.
fn inspect(out: &mut dyn Output, direction: Direction, record: &DhcpMessage) {
    for (id, seconds) in [
        (buffer::DHCP_LEASE_TIME, record.lease_s),
        (buffer::DHCP_RENEWAL_TIME, record.renewal_s),
        (buffer::DHCP_REBINDING_TIME, record.rebinding_s),
    ] {
        if let Some(seconds) = seconds {
            out.inspect_number(direction, id, seconds);
        }
    }
    out.transaction(direction);
}

fn record(bytes: &[u8]) -> Result<DhcpMessage, Short> {
    let mut r = Reader::new(bytes);
    let operation = r.u8()?;
    r.skip(1)?;
    let address_bytes = usize::from(r.u8()?).min(16);
    r.skip(1)?;
    let transaction_id = r.u32()?.into();
    r.skip(4)?;
    let [client_ip, assigned_ip, next_server_ip, relay_ip] =
        [r.array::<4>()?, r.array::<4>()?, r.array::<4>()?, r.array::<4>()?].map(address);
    let hardware = r.take(16)?.get(..address_bytes).unwrap_or(&[]);
    let (server_name, file_name) = (r.take(64)?, r.take(128)?);
    let cookie = r.array::<4>().is_ok_and(|cookie| cookie == COOKIE);
    let mut options = Options::default();
    let mut result = if cookie { options.read(r.rest()) } else { Err(Short) };
    let (in_file, in_server) = options.overload();
    for field in [in_file.then_some(file_name), in_server.then_some(server_name)].into_iter().flatten() {
        result = result.and(options.read(field));
    }
    let mut record = DhcpMessage {
        kind: if operation == 2 { "reply" } else { "request" },
        transaction_id,
        client_mac: hardware.iter().any(|b| *b != 0).then(|| text::mac(hardware)),
        client_ip,
        assigned_ip,
        next_server_ip,
        relay_ip,
        boot_server: if in_server { None } else { until_zero(server_name) },
        boot_file: if in_file { None } else { until_zero(file_name) },
        malformed: result.is_err().then_some(true),
        ..DhcpMessage::default()
    };
    options.tell(&mut record);
    Ok(record)
}

/// Zeros stand for "not known".
fn address(octets: [u8; 4]) -> Option<IpAddr> {
    (octets != [0; 4]).then(|| Ipv4Addr::from(octets).into())
}

fn until_zero(field: &[u8]) -> Option<String> {
    words(field.split(|b| *b == 0).next().unwrap_or(field))
}
