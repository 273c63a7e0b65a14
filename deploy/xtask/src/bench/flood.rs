//! A flood: five million packets of four million flows that never become a connection.
//!
//! Four SYNs of the smallest size from ever new ports, then a reset in answer to the last of them; a hundred thousand
//! packets a second.

use std::path::Path;

use anyhow::Result;

use super::pcap::Writer;

/// Flows of the flood.
pub const FLOWS: u32 = 4_000_000;
/// Every so many SYNs, one is answered.
const ANSWERED: u32 = 4;
const START_US: u64 = 1_795_000_000_000_000;
const STEP_US: u64 = 10;
/// Without the four bytes of checksum that a card adds.
const FRAME_BYTES: usize = 60;
const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;

/// Writes the flood.
pub fn write(out: &Path, flows: u32) -> Result<()> {
    let mut writer = Writer::create(out)?;
    let mut time_us = START_US;
    let mut send = |frame: [u8; FRAME_BYTES]| {
        time_us += STEP_US;
        writer.packet(time_us, FRAME_BYTES as u32, &frame)
    };
    for flow in 0..flows {
        send(frame(flow, false))?;
        if flow % ANSWERED == ANSWERED - 1 {
            send(frame(flow, true))?;
        }
    }
    writer.close()
}

fn frame(flow: u32, answer: bool) -> [u8; FRAME_BYTES] {
    // Two networks set aside for documentation; the ports tell most of the flows apart.
    let [last, ..] = flow.to_le_bytes();
    let others = flow / 256;
    let port = u16::try_from(1024 + others % 60_000).unwrap_or(1024);
    let target = u8::try_from(others % 251).unwrap_or(0);
    let (client, server) = (([203, 0, 113, last], port), ([198, 51, 100, target], 443));
    let (source, destination) = if answer { (server, client) } else { (client, server) };
    let mut frame = [0; FRAME_BYTES];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = frame.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0]);
    put(14, &[0x45, 0, 0, 40, 0, 1, 0x40, 0, 60, 6]);
    put(26, &source.0);
    put(30, &destination.0);
    put(34, &source.1.to_be_bytes());
    put(36, &destination.1.to_be_bytes());
    let (sequence, acknowledgement) = if answer { (0, flow + 1) } else { (flow, 0) };
    put(38, &sequence.to_be_bytes());
    put(42, &acknowledgement.to_be_bytes());
    put(46, &[0x50, if answer { RST_ACK } else { SYN }, 0x40, 0]);
    frame
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_flow_is_another_one_and_an_answer_goes_back() {
        let ends = |frame: [u8; FRAME_BYTES]| (frame[26..30].to_vec(), frame[30..34].to_vec(), frame[34..38].to_vec());
        let seen: HashSet<_> = (0..FLOWS).step_by(997).map(|flow| ends(frame(flow, false))).collect();
        assert_eq!(seen.len(), (0..FLOWS).step_by(997).count());
        let (there, back) = (frame(70_001, false), frame(70_001, true));
        assert_eq!(there[26..30], back[30..34]);
        assert_eq!(there[34..36], back[36..38]);
        assert_eq!((there[47], back[47]), (SYN, RST_ACK));
    }
}
