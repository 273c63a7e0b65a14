//! Follows one flow: pairs requests with responses.

use super::message::{self, First, Head};
use super::pieces::{Pieces, Step};
use super::record::RtspRequest;
use crate::protocols::outstanding::Outstanding;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Requests that wait for their response.
pub const MAX_OPEN: usize = 32;

/// The parser of one flow.
pub struct RtspParser {
    to_server: Pieces,
    to_client: Pieces,
    /// By who asked, and the number of the request.
    open: Outstanding<(bool, Option<u64>), RtspRequest>,
    /// Messages whose bodies are still to come, by direction.
    coming: [Option<RtspRequest>; 2],
    user_agent: Option<String>,
    over: bool,
}

impl Default for RtspParser {
    fn default() -> Self {
        RtspParser {
            to_server: Pieces::default(),
            to_client: Pieces::default(),
            open: Outstanding::new(MAX_OPEN),
            coming: [None, None],
            user_agent: None,
            over: false,
        }
    }
}

impl Parser for RtspParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        loop {
            let client = direction == Direction::ToServer;
            let pieces = if client { &mut self.to_server } else { &mut self.to_client };
            match pieces.next(&mut bytes) {
                Some(Step::Head(head)) => match message::read(&head) {
                    Some(head) => {
                        pieces.expect(head.body_bytes);
                        self.message(out, client, head);
                    }
                    None => out.anomaly("rtsp.malformed"),
                },
                Some(Step::Body(body)) => {
                    let place = usize::from(!client);
                    if let Some(mut record) = self.coming.get_mut(place).and_then(Option::take) {
                        message::description(&mut record, &body);
                        out.event(record.into_body());
                    }
                }
                Some(Step::Lost) => out.anomaly("rtsp.framing_lost"),
                None => break,
            }
        }
        if self.to_server.is_lost() && self.to_client.is_lost() { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let client = direction == Direction::ToServer;
        if client {
            self.to_server.gap(length)
        } else {
            self.to_client.gap(length)
        }
        if let Some(record) = self.coming.get_mut(usize::from(!client)).and_then(Option::take) {
            out.event(record.into_body());
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for record in self.coming.iter_mut().filter_map(Option::take) {
            out.event(record.into_body());
        }
        while let Some(record) = self.open.pop() {
            out.event(record.into_body());
        }
        let stream_bytes = self.to_server.stream_bytes.saturating_add(self.to_client.stream_bytes);
        if stream_bytes > 0 && !std::mem::replace(&mut self.over, true) {
            let user_agent = self.user_agent.take();
            out.event(
                RtspRequest { stream_bytes: Some(stream_bytes), user_agent, ..RtspRequest::default() }.into_body(),
            );
        }
    }
}

impl RtspParser {
    fn message(&mut self, out: &mut dyn Output, client: bool, head: Head) {
        let Head { first, body_bytes, mut record } = head;
        if record.malformed.is_some() {
            out.anomaly("rtsp.malformed");
        }
        if first == First::Request {
            record.sender = (!client).then_some("server");
            self.user_agent = record.user_agent.clone().or(self.user_agent.take());
            let key = (client, record.sequence);
            if let Some(oldest) = self.open.add(key, record) {
                out.anomaly("rtsp.open_limit");
                out.event(oldest.into_body());
            }
            return;
        }
        let asked = self.open.take(&(!client, record.sequence));
        let record = asked.map_or_else(|| record.clone(), |asked| answered(asked, &record));
        match self.coming.get_mut(usize::from(!client)) {
            // The description that follows is told with it.
            Some(coming) if body_bytes > 0 => *coming = Some(record),
            _ => out.event(record.into_body()),
        }
    }
}

/// A request with what its response says.
fn answered(asked: RtspRequest, response: &RtspRequest) -> RtspRequest {
    let mut auth = asked.auth;
    auth.extend(response.auth.iter().filter(|scheme| !auth.contains(scheme)).cloned().collect::<Vec<_>>());
    RtspRequest {
        version: response.version.clone().or(asked.version),
        status: response.status,
        reason: response.reason.clone(),
        outcome: response.outcome,
        session: response.session.clone().or(asked.session),
        transport: response.transport.clone().or(asked.transport),
        server: response.server.clone(),
        malformed: response.malformed.or(asked.malformed),
        auth,
        ..asked
    }
}
