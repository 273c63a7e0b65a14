//! What signatures look into of a session: lines and messages as frames, the envelope of each message. A message with its
//! envelope is a transaction. At most [`MAX_DATA_BYTES`] of a message are shown as a frame.

use crate::protocols::{Direction, Output, buffer};

/// Bytes of a message, and of all that one side says, that are shown as a frame.
const MAX_DATA_BYTES: usize = 64 << 10;

/// What is kept of a session.
#[derive(Default)]
pub struct Inspected {
    helo: Vec<u8>,
    data: Vec<u8>,
    streams: [Vec<u8>; 2],
}

impl Inspected {
    /// The client has named itself.
    pub fn helo(&mut self, name: &[u8]) {
        self.helo = name.to_vec();
    }

    /// An envelope begins.
    pub fn sender(&mut self, out: &mut dyn Output, argument: &[u8]) {
        if !out.inspects() {
            return;
        }
        out.inspect(Direction::ToServer, buffer::SMTP_HELO, &self.helo);
        out.inspect(Direction::ToServer, buffer::SMTP_FROM, address(argument));
    }

    /// More of a message.
    pub fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if out.inspects() {
            let room = MAX_DATA_BYTES.saturating_sub(self.data.len());
            self.data.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// More of what one side says, whatever it is.
    pub fn stream(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        if out.wants(buffer::FRAME_SMTP_STREAM) {
            let [to_server, to_client] = &mut self.streams;
            let stream = if direction == Direction::ToServer { to_server } else { to_client };
            let room = MAX_DATA_BYTES.saturating_sub(stream.len());
            stream.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// The session is over.
    pub fn finish(&mut self, out: &mut dyn Output) {
        for (direction, stream) in [Direction::ToServer, Direction::ToClient].into_iter().zip(&mut self.streams) {
            if !stream.is_empty() {
                out.frame(direction, buffer::FRAME_SMTP_STREAM, &std::mem::take(stream));
            }
        }
    }

    /// The message is over.
    pub fn end(&mut self, out: &mut dyn Output) {
        if out.inspects() {
            out.frame(Direction::ToServer, buffer::FRAME_SMTP_DATA, &std::mem::take(&mut self.data));
            out.transaction(Direction::ToServer);
        }
    }
}

/// One more recipient.
pub fn recipient(out: &mut dyn Output, argument: &[u8]) {
    out.inspect(Direction::ToServer, buffer::SMTP_TO, address(argument));
}

/// A line of the client that is no part of a message.
pub fn command_line(out: &mut dyn Output, line: &[u8]) {
    whole_line(out, Direction::ToServer, line);
}

/// A line of the server.
pub fn response_line(out: &mut dyn Output, line: &[u8]) {
    whole_line(out, Direction::ToClient, line);
}

fn whole_line(out: &mut dyn Output, direction: Direction, line: &[u8]) {
    if out.inspects() {
        let frame = match direction {
            Direction::ToServer => buffer::FRAME_SMTP_COMMAND,
            Direction::ToClient => buffer::FRAME_SMTP_RESPONSE,
        };
        out.frame(direction, frame, &[line, b"\r\n"].concat());
    }
}

/// `<address>` of `FROM:<address> OPTIONS`.
fn address(argument: &[u8]) -> &[u8] {
    let behind = argument.iter().position(|b| *b == b':').and_then(|at| argument.get(at + 1..)).unwrap_or(argument);
    behind.trim_ascii().split(|b| b.is_ascii_whitespace()).next().unwrap_or(behind)
}
