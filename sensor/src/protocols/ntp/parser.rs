//! Joins questions and answers of one flow.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use luytre_events::value::TimeNs;

use super::record::NtpExchange;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, buffer, text};

/// Questions of a flow that may wait for their answer.
pub const MAX_OPEN: usize = 16;
/// Length of a message without extensions and authentication.
const FIXED_BYTES: usize = 48;
/// Length of a key's number and the shortest digest behind it.
const DIGEST_BYTES: usize = 20;
/// Seconds from 1900, NTP's beginning, to 1970.
const TO_UNIX_S: i64 = 2_208_988_800;
/// Seconds of one of NTP's eras.
const ERA_S: i64 = 1 << 32;

const CLIENT: u8 = 3;
const SERVER: u8 = 4;

/// The parser of one flow.
#[derive(Default)]
pub struct NtpParser {
    open: VecDeque<Question>,
}

struct Question {
    time_ns: i64,
    /// The time stamp that the answer carries back.
    mark: u64,
    record: NtpExchange,
}

/// The fixed part of a message (RFC 5905 section 7.3).
struct Message {
    leap: u8,
    version: u8,
    mode: u8,
    stratum: u8,
    reference_id: [u8; 4],
    reference: u64,
    origin: u64,
    receive: u64,
    transmit: u64,
    size_bytes: usize,
}

/// The mode of a plausible message.
pub fn mode(bytes: &[u8]) -> Option<u8> {
    let (version, mode) = versions(*bytes.first()?);
    match mode {
        1..=5 => {
            let message = Message::read(bytes).ok()?;
            let poll = bytes.get(2).is_some_and(|poll| *poll <= 24 || *poll >= 0xf0);
            let sound = (1..=4).contains(&version) && message.stratum <= 16 && poll && bytes.len().is_multiple_of(4);
            sound.then_some(mode)
        }
        // Control messages are told by their operation, private ones by who implements them.
        6 => ((1..=4).contains(&version) && bytes.len() >= 12 && bytes.get(1)? & 0x1f <= 12).then_some(mode),
        7 => (matches!(bytes.get(2)?, 0 | 2 | 3) && bytes.get(3)? & 0x7f <= 45).then_some(mode),
        _ => None,
    }
}

fn versions(first: u8) -> (u8, u8) {
    (first >> 3 & 7, first & 7)
}

impl Parser for NtpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let (version, mode) = versions(bytes.first().copied().unwrap_or(0));
        inspect(out, direction, bytes);
        match (mode, Message::read(bytes)) {
            (6 | 7, _) => control(out, version, mode, bytes),
            (CLIENT, Ok(message)) => self.question(out, &message),
            (SERVER, Ok(message)) => self.answer(out, &message),
            (1 | 2 | 5, Ok(message)) => out.event(message.record().into_body()),
            _ => out.anomaly("ntp.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for question in self.open.drain(..) {
            out.event(question.record.into_body());
        }
    }
}

/// What signatures look into. A message is a transaction.
fn inspect(out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
    if !out.inspects() {
        return;
    }
    let (version, mode) = versions(bytes.first().copied().unwrap_or(0));
    out.inspect_number(direction, buffer::NTP_VERSION, version.into());
    out.inspect_number(direction, buffer::NTP_MODE, mode.into());
    if let Ok(message) = Message::read(bytes) {
        out.inspect_number(direction, buffer::NTP_STRATUM, message.stratum.into());
        out.inspect(direction, buffer::NTP_REFERENCE_ID, &message.reference_id);
    }
    out.transaction(direction);
}

impl NtpParser {
    fn question(&mut self, out: &mut dyn Output, message: &Message) {
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            out.anomaly("ntp.open_limit");
            out.event(oldest.record.into_body());
        }
        let record = NtpExchange { answered: Some(false), ..message.asked() };
        self.open.push_back(Question { time_ns: out.time_ns(), mark: message.transmit, record });
    }

    fn answer(&mut self, out: &mut dyn Output, message: &Message) {
        let mut record = message.record();
        let place = self.open.iter().position(|question| question.mark == message.origin);
        if let Some(question) = place.and_then(|place| self.open.remove(place)) {
            let (asked_ns, now_ns) = (question.time_ns, out.time_ns());
            record.mode = "client";
            record.answered = Some(true);
            record.duration_ns = Some(now_ns.saturating_sub(asked_ns).max(0).unsigned_abs());
            record.offset_ns = offset_ns(message, asked_ns, now_ns);
        }
        out.event(record.into_body());
    }
}

/// RFC 5905 section 8, with the times at which the sensor saw question and answer in place of the client's.
fn offset_ns(message: &Message, asked_ns: i64, now_ns: i64) -> Option<i64> {
    let (received, sent) = (unix(message.receive)?, unix(message.transmit)?);
    let there = i128::from(received.0) - i128::from(asked_ns);
    let back = i128::from(sent.0) - i128::from(now_ns);
    i64::try_from((there + back) / 2).ok()
}

impl Message {
    fn read(bytes: &[u8]) -> Result<Message, Short> {
        let mut r = Reader::new(bytes);
        let first = r.u8()?;
        let (version, mode) = versions(first);
        let stratum = r.u8()?;
        r.skip(10)?;
        let reference_id = r.array()?;
        let mut stamp = || r.array().map(u64::from_be_bytes);
        Ok(Message {
            leap: first >> 6,
            version,
            mode,
            stratum,
            reference_id,
            reference: stamp()?,
            origin: stamp()?,
            receive: stamp()?,
            transmit: stamp()?,
            size_bytes: bytes.len(),
        })
    }

    /// What a question says: its other fields mean nothing.
    fn asked(&self) -> NtpExchange {
        NtpExchange {
            version: self.version.into(),
            mode: match self.mode {
                1 => "symmetric active",
                2 => "symmetric passive",
                CLIENT => "client",
                SERVER => "server",
                _ => "broadcast",
            },
            transmit_time: unix(self.transmit),
            authenticated: (self.size_bytes >= FIXED_BYTES + DIGEST_BYTES).then_some(true),
            size_bytes: self.size_bytes as u64,
            ..NtpExchange::default()
        }
    }

    fn record(&self) -> NtpExchange {
        NtpExchange {
            stratum: Some(self.stratum.into()),
            reference_id: self.reference_text(),
            leap: match self.leap {
                1 => Some("insert"),
                2 => Some("delete"),
                3 => Some("unsynchronized"),
                _ => None,
            },
            reference_time: unix(self.reference),
            receive_time: unix(self.receive),
            ..self.asked()
        }
    }

    /// A clock or a reason in letters below stratum 2, an address (or a digest of one) above.
    fn reference_text(&self) -> Option<String> {
        if self.reference_id == [0; 4] {
            return None;
        }
        if self.stratum >= 2 {
            return Some(Ipv4Addr::from(self.reference_id).to_string());
        }
        let end = self.reference_id.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        self.reference_id.get(..end).map(|letters| text::text(letters, 4))
    }
}

/// A time stamp as time since 1970; small numbers are of the era that begins in 2036. Zero means "not known".
fn unix(stamp: u64) -> Option<TimeNs> {
    if stamp == 0 {
        return None;
    }
    let mut seconds = i64::try_from(stamp >> 32).ok()?;
    if seconds < ERA_S / 2 {
        seconds += ERA_S;
    }
    let fraction_ns = i64::try_from(((stamp & 0xffff_ffff) * 1_000_000_000) >> 32).ok()?;
    (seconds - TO_UNIX_S).checked_mul(1_000_000_000)?.checked_add(fraction_ns).map(TimeNs)
}

/// Control (6) and private (7) messages. Of an answer in several pieces the first one is told.
fn control(out: &mut dyn Output, version: u8, mode: u8, bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let Ok(head) = r.array::<8>() else { return out.anomaly("ntp.malformed") };
    let [first, second, _, fourth, ..] = head;
    let (response, operation, later) = if mode == 6 {
        (second & 0x80 != 0, second & 0x1f, r.u16().is_ok_and(|offset| offset > 0))
    } else {
        (first & 0x80 != 0, fourth, second & 0x7f > 0)
    };
    if mode == 7 && matches!(operation, 20 | 42) && !response {
        out.anomaly("ntp.client_list_wanted");
    }
    if response && later {
        return;
    }
    let record = NtpExchange {
        version: version.into(),
        mode: if mode == 6 { "control" } else { "private" },
        operation: Some(operation.into()),
        response: Some(response),
        size_bytes: bytes.len() as u64,
        ..NtpExchange::default()
    };
    out.event(record.into_body());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_of_the_right_era() {
        // 2026-11-22T00:00:00Z and a half second.
        let stamp = |unix_s: u64| (unix_s + 2_208_988_800) << 32;
        assert_eq!(unix(stamp(1_795_305_600) | 0x8000_0000), Some(TimeNs(1_795_305_600_500_000_000)));
        assert_eq!(unix(1 << 32), Some(TimeNs((ERA_S + 1 - TO_UNIX_S) * 1_000_000_000)));
        assert_eq!(unix(0), None);
    }

    #[test]
    fn only_plausible_messages_are_taken() {
        let mut question = [0u8; 48];
        question[0] = 0x23;
        assert_eq!(mode(&question), Some(3));
        question[1] = 200;
        assert_eq!(mode(&question), None);
        assert_eq!(mode(&[0x17, 0, 3, 42, 0, 0, 0, 0]), Some(7));
        assert_eq!(mode(&[0x17, 0, 99, 42, 0, 0, 0, 0]), None);
        assert_eq!(mode(&[0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Some(6));
    }
}
