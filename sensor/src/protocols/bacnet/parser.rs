//! Follows one flow: requests and the answers to them.

use std::collections::VecDeque;

use super::message::{self, Content, Message};
use super::names;
use super::record::BacnetMessage;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Requests that may wait for an answer; the format can number 256.
const MAX_OUTSTANDING: usize = 256;

/// The parser of one flow.
#[derive(Default)]
pub struct BacnetParser {
    /// Requests with who made them: both sides may ask.
    outstanding: VecDeque<(Direction, BacnetMessage)>,
}

impl Parser for BacnetParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let Some(envelope) = message::envelope(bytes) else {
            out.anomaly("bacnet.malformed");
            return Progress::Continue;
        };
        let (destination_network, source_network) = envelope.networks;
        let delivery = names::link(envelope.function);
        let sender = if direction == Direction::ToServer { "client" } else { "server" };
        let mut record =
            BacnetMessage { delivery, sender, destination_network, source_network, ..BacnetMessage::default() };
        match envelope.content {
            Content::Link => record.kind = "link",
            Content::Network => record.kind = "network",
            Content::Application(content) => {
                self.application(out, direction, record, content);
                return Progress::Continue;
            }
        }
        out.event(record.into_body());
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for (_, record) in std::mem::take(&mut self.outstanding) {
            out.event(record.into_body());
        }
    }
}

impl BacnetParser {
    fn application(&mut self, out: &mut dyn Output, direction: Direction, mut record: BacnetMessage, content: &[u8]) {
        match message::message(content) {
            Ok(Message::Confirmed(invoke, service, body)) => {
                record.kind = "confirmed-request";
                record.invoke_id = Some(invoke);
                record.service = Some(names::confirmed(service));
                if message::confirmed(&mut record, service, body).is_err() {
                    malformed(out, &mut record);
                }
                self.wait(out, direction, record);
            }
            Ok(Message::Unconfirmed(service, body)) => {
                record.kind = "unconfirmed-request";
                record.service = Some(names::unconfirmed(service));
                if message::unconfirmed(&mut record, service, body).is_err() {
                    malformed(out, &mut record);
                }
                out.event(record.into_body());
            }
            Ok(Message::Answer(invoke, kind, service, body)) => {
                let asked =
                    |(asker, one): &(Direction, BacnetMessage)| *asker != direction && one.invoke_id == Some(invoke);
                let found = self.outstanding.iter().position(asked).and_then(|at| self.outstanding.remove(at));
                let mut record = found.map(|(_, record)| record).unwrap_or_else(|| {
                    (record.kind, record.invoke_id) = ("answer", Some(invoke));
                    record.service = service.map(names::confirmed);
                    record
                });
                record.result = Some(kind);
                if message::refusal(&mut record, kind, body).is_err() {
                    malformed(out, &mut record);
                }
                out.event(record.into_body());
            }
            Ok(Message::Segment) => {}
            Err(_) => {
                record.kind = "unconfirmed-request";
                malformed(out, &mut record);
                out.event(record.into_body());
            }
        }
    }

    fn wait(&mut self, out: &mut dyn Output, direction: Direction, record: BacnetMessage) {
        if self.outstanding.len() >= MAX_OUTSTANDING {
            out.anomaly("bacnet.outstanding_limit");
            if let Some((_, oldest)) = self.outstanding.pop_front() {
                out.event(oldest.into_body());
            }
        }
        self.outstanding.push_back((direction, record));
    }
}

fn malformed(out: &mut dyn Output, record: &mut BacnetMessage) {
    out.anomaly("bacnet.malformed");
    record.malformed = Some(true);
}
