//! Follows one flow: pairs calls with answers, and hands those of the file system on.

use luytre_events::Transport;

use super::message::{self, FORMAT, Message};
use super::nfs::{self, Files};
use super::portmap;
use super::record::RpcCall;
use crate::protocols::framing::{Frames, Step};
use crate::protocols::outstanding::Outstanding;
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Calls that wait for their answer.
pub const MAX_OPEN: usize = 128;

/// The parser of one flow.
pub struct RpcParser {
    datagrams: bool,
    sides: [Side; 2],
    open: Outstanding<u32, Open>,
    files: Files,
}

/// One direction of a stream.
#[derive(Default)]
struct Side {
    frames: Frames,
    /// Records of a message whose last one did not come yet.
    message: Vec<u8>,
    /// Bytes of these records.
    length: usize,
}

/// A call that waits.
enum Open {
    Other(Box<RpcCall>, (u32, u32, u32)),
    File(Box<nfs::Call>),
}

impl RpcParser {
    /// A parser for a flow over TCP or UDP.
    pub fn new(transport: Transport) -> Self {
        RpcParser {
            datagrams: transport == Transport::UDP,
            sides: [Side::default(), Side::default()],
            open: Outstanding::new(MAX_OPEN),
            files: Files::default(),
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        let [to_server, to_client] = &mut self.sides;
        if direction == Direction::ToServer { to_server } else { to_client }
    }

    /// A message, or its beginning; `length` are its bytes.
    fn message(&mut self, out: &mut dyn Output, bytes: &[u8], length: usize) {
        let whole = bytes.len() >= length;
        match message::read(bytes) {
            Ok(Message::Call { xid, target, caller, content }) => {
                self.call(out, xid, target, caller, content, length, whole)
            }
            Ok(Message::Answer { xid, status, content }) => match self.open.take(&xid) {
                Some(Open::File(call)) => self.files.answer(out, *call, status, content, whole),
                Some(Open::Other(mut record, target)) => {
                    record.status = Some(status);
                    record.answer_bytes = Some(length as u64);
                    let mut content = content;
                    if status == "success" && portmap::answer(&mut record, target, &mut content).is_err() && whole {
                        record.malformed = Some(true);
                        out.anomaly("rpc.malformed");
                    }
                    out.event(record.into_body());
                }
                // The call was not seen: what is answered cannot be read.
                None => {}
            },
            Err(_) => out.anomaly("rpc.malformed"),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn call(
        &mut self,
        out: &mut dyn Output,
        xid: u32,
        target: (u32, u32, u32),
        caller: message::Caller,
        mut content: Reader<'_>,
        length: usize,
        whole: bool,
    ) {
        // A call that was sent again.
        if self.open.get_mut(&xid).is_some() {
            return;
        }
        let open = if target.0 == nfs::PROGRAM {
            Open::File(Box::new(self.files.call(out, xid, (target.1, target.2), caller, content, whole)))
        } else {
            let mut record = RpcCall {
                program: portmap::program(target.0),
                version: Some(target.1.into()),
                procedure: portmap::procedure(target.0, target.1, target.2),
                xid: xid.into(),
                auth: caller.auth,
                machine: caller.machine,
                user_id: caller.user_id,
                group_id: caller.group_id,
                call_bytes: Some(length as u64),
                ..RpcCall::default()
            };
            if portmap::call(&mut record, target, &mut content).is_err() && whole {
                record.malformed = Some(true);
                out.anomaly("rpc.malformed");
            }
            Open::Other(Box::new(record), target)
        };
        if let Some(oldest) = self.open.add(xid, open) {
            out.anomaly("rpc.open_limit");
            self.unanswered(out, oldest);
        }
    }

    fn unanswered(&mut self, out: &mut dyn Output, open: Open) {
        match open {
            Open::Other(record, _) => out.event(record.into_body()),
            Open::File(call) => self.files.unanswered(out, *call),
        }
    }
}

impl Parser for RpcParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        if self.datagrams {
            self.message(out, bytes, bytes.len());
            return Progress::Continue;
        }
        loop {
            let side = self.side(direction);
            match side.frames.next(&mut bytes, &FORMAT) {
                Some(Step::Message(record)) => {
                    let last = record.bytes.first().is_some_and(|first| first & 0x80 != 0);
                    let content = record.bytes.get(4..).unwrap_or(&[]);
                    let room = message::MAX_MESSAGE_BYTES.saturating_sub(side.message.len());
                    side.message.extend_from_slice(content.get(..room).unwrap_or(content));
                    side.length += record.length.saturating_sub(4);
                    if last {
                        let message = std::mem::take(&mut side.message);
                        let length = std::mem::take(&mut side.length);
                        self.message(out, &message, length);
                    }
                }
                Some(Step::Lost) => out.anomaly("rpc.framing_lost"),
                None => break,
            }
        }
        if self.sides.iter().all(|side| side.frames.is_lost()) { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, _: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = self.side(direction);
        side.frames.gap(length, &FORMAT);
        (side.message, side.length) = (Vec::new(), 0);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        while let Some(open) = self.open.pop() {
            self.unanswered(out, open);
        }
        self.files.finish(out);
    }
}
