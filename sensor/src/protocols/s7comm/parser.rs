//! Follows one flow: packets of TPKT and X.224, messages in them, answers to their jobs.

use std::collections::VecDeque;

use super::record::S7Job;
use super::{items, names};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress};

/// Jobs that may wait for an answer.
const MAX_OUTSTANDING: usize = 64;
/// Largest message that is put together from several packets.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The parser of one flow.
#[derive(Default)]
pub struct S7Parser {
    client: Side,
    server: Side,
    outstanding: VecDeque<(Job, S7Job)>,
    rack: Option<u8>,
    slot: Option<u8>,
}

/// How an answer is known.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Job {
    reference: u16,
    user_data: bool,
    function: u8,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The unfinished packet.
    partial: Vec<u8>,
    /// The unfinished message.
    message: Vec<u8>,
    lost: bool,
}

/// The next packet without its TPKT header, if it is whole.
pub fn packet<'a>(r: &mut Reader<'a>) -> Option<&'a [u8]> {
    let mut ahead = *r;
    let (version, _, length) = (ahead.u8().ok()?, ahead.u8().ok()?, ahead.u16().ok()?);
    let packet = ahead.take(usize::from(length).checked_sub(4)?).ok().filter(|_| version == 3)?;
    *r = ahead;
    Some(packet)
}

impl Parser for S7Parser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let mut buffer = std::mem::take(&mut self.side(direction).partial);
        if !self.side(direction).lost {
            buffer.extend_from_slice(bytes);
        }
        let mut r = Reader::new(&buffer);
        while let Some(packet) = packet(&mut r) {
            self.packet(out, direction, packet);
        }
        let begins = r.rest().iter().zip([3, 0]).all(|(byte, mark)| *byte == mark);
        let short = matches!(*r.rest(), [_, _, 0, 0..=3, ..]);
        if !begins || short {
            out.anomaly("s7comm.framing_lost");
            self.side(direction).lost = true;
        } else if !self.side(direction).lost {
            self.side(direction).partial = r.rest().to_vec();
        }
        if self.client.lost && self.server.lost { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, _length: u64) -> Progress {
        out.anomaly("s7comm.gap");
        let side = self.side(direction);
        (side.partial, side.message, side.lost) = (Vec::new(), Vec::new(), true);
        if self.client.lost && self.server.lost { Progress::Done } else { Progress::Continue }
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for (_, record) in std::mem::take(&mut self.outstanding) {
            out.event(record.into_body());
        }
    }
}

impl S7Parser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    fn packet(&mut self, out: &mut dyn Output, direction: Direction, packet: &[u8]) {
        match packet {
            [_, 0xe0, _, _, _, _, _, parameters @ ..] => self.connect(parameters),
            // Data; the upper bit says that the message ends here.
            [2, 0xf0, number, data @ ..] => {
                let mut message = std::mem::take(&mut self.side(direction).message);
                message.extend_from_slice(data);
                if number & 0x80 == 0 {
                    if message.len() > MAX_MESSAGE_BYTES {
                        out.anomaly("s7comm.message_too_large");
                        message.clear();
                    }
                    self.side(direction).message = message;
                } else if self.message(out, &message).is_err() {
                    out.anomaly("s7comm.malformed");
                }
            }
            _ => {}
        }
    }

    /// The called side is named by two bytes: kind of connection, then rack and slot.
    fn connect(&mut self, parameters: &[u8]) {
        let mut r = Reader::new(parameters);
        while let (Ok(code), Ok(value)) = (r.u8(), r.part8()) {
            if let (0xc2, [_, place]) = (code, value.rest()) {
                (self.rack, self.slot) = (Some(place >> 5), Some(place & 0x1f));
            }
        }
    }

    /// One message: mark, kind, two bytes, reference, lengths of parameters and data, in answers an error.
    fn message(&mut self, out: &mut dyn Output, message: &[u8]) -> Result<(), Short> {
        let mut r = Reader::new(message);
        if r.u8()? != items::MARK {
            out.anomaly("s7comm.other_message");
            return Ok(());
        }
        let kind = r.u8()?;
        r.skip(2)?;
        let (reference, parameters, data) = (r.u16()?, r.u16()?, r.u16()?);
        let error = if matches!(kind, 2 | 3) { r.u16()? } else { 0 };
        let parameters = r.take(parameters.into())?;
        let data = r.take(data.into())?;
        match kind {
            1 => self.job(out, reference, parameters),
            2 | 3 => self.answer(out, reference, error, parameters, data),
            7 => return self.user_data(out, reference, parameters, data),
            _ => out.anomaly("s7comm.other_message"),
        }
        Ok(())
    }

    fn job(&mut self, out: &mut dyn Output, reference: u16, parameters: &[u8]) {
        let function = parameters.first().copied().unwrap_or(0);
        let mut record = self.begin("job", reference, names::function(function));
        if items::job(&mut record, function, parameters).is_err() {
            malformed(out, &mut record);
        }
        self.wait(out, Job { reference, user_data: false, function }, record);
    }

    fn answer(&mut self, out: &mut dyn Output, reference: u16, error: u16, parameters: &[u8], data: &[u8]) {
        let at = self.outstanding.iter().position(|(job, _)| job.reference == reference && !job.user_data);
        let found = at.and_then(|at| self.outstanding.remove(at));
        let (job, mut record) = found.unwrap_or_else(|| {
            out.anomaly("s7comm.answer_alone");
            let function = parameters.first().copied().unwrap_or(0);
            let record = self.begin("job", reference, names::function(function));
            (Job { reference, user_data: false, function }, record)
        });
        record.answered = true;
        record.error = (error != 0).then(|| format!("{error:04x}"));
        if error == 0 && !parameters.is_empty() && items::answer(&mut record, job.function, parameters, data).is_err() {
            malformed(out, &mut record);
        }
        out.event(record.into_body());
    }

    fn user_data(&mut self, out: &mut dyn Output, reference: u16, parameters: &[u8], data: &[u8]) -> Result<(), Short> {
        let (asks, group, sub_function) = items::user_data(parameters)?;
        if asks {
            let mut record = self.begin("userdata", reference, names::user_data(group, sub_function));
            if group & 0x0f == 4 && sub_function == 1 {
                record.state_list = items::state_list(data);
            }
            self.wait(out, Job { reference, user_data: true, function: sub_function }, record);
            return Ok(());
        }
        let at = self.outstanding.iter().position(|(job, _)| job.reference == reference && job.user_data);
        let found = at.and_then(|at| self.outstanding.remove(at)).map(|(_, record)| record);
        let mut record =
            found.unwrap_or_else(|| self.begin("userdata", reference, names::user_data(group, sub_function)));
        record.answered = true;
        record.results = data.first().map(|code| names::result(*code)).into_iter().collect();
        out.event(record.into_body());
        Ok(())
    }

    fn wait(&mut self, out: &mut dyn Output, job: Job, record: S7Job) {
        if self.outstanding.len() >= MAX_OUTSTANDING {
            out.anomaly("s7comm.outstanding_limit");
            if let Some((_, oldest)) = self.outstanding.pop_front() {
                out.event(oldest.into_body());
            }
        }
        self.outstanding.push_back((job, record));
    }

    fn begin(&self, kind: &'static str, reference: u16, function: String) -> S7Job {
        S7Job { kind, reference, function, rack: self.rack, slot: self.slot, ..S7Job::default() }
    }
}

fn malformed(out: &mut dyn Output, record: &mut S7Job) {
    out.anomaly("s7comm.malformed");
    record.malformed = Some(true);
}
