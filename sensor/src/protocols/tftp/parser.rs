//! Follows a request and the transfer that comes of it, in the same flow or in another one.

use luytre_events::Transport;

use super::packet::{self, Packet, Request};
use super::record::{TftpRequest, TftpTransfer};
use crate::protocols::{Direction, Expected, FileMeta, FileToken, Output, Parser, Progress};

/// Bytes of a block where nothing else was agreed on.
const BLOCK_BYTES: usize = 512;

/// The parser of a flow that begins with a request.
#[derive(Default)]
pub struct TftpParser {
    transfer: Option<Transfer>,
}

/// One transfer.
struct Transfer {
    request: Request,
    granted: Vec<(String, String)>,
    block_bytes: usize,
    /// Number of the block that comes next.
    next: u16,
    blocks: u64,
    size_bytes: u64,
    file: Option<FileToken>,
    begun: bool,
    torn: bool,
    complete: bool,
    error: Option<(u16, String)>,
}

/// The parser of the flow in which a transfer goes on.
struct TransferParser(Option<Transfer>);

impl Parser for TftpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if direction == Direction::ToServer
            && let Some(request) = packet::request(bytes)
        {
            self.request(out, request);
            return Progress::Continue;
        }
        // Some servers answer from the port that was asked.
        match &mut self.transfer {
            Some(transfer) => transfer.packet(out, bytes),
            None => out.anomaly("tftp.unexpected_packet"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if let Some(transfer) = self.transfer.take() {
            transfer.finish(out);
        }
    }
}

impl TftpParser {
    fn request(&mut self, out: &mut dyn Output, request: Request) {
        let again = self.transfer.as_ref().is_some_and(|old| old.request == request && !old.begun);
        if again {
            return;
        }
        if let Some(old) = self.transfer.take() {
            old.finish(out);
        }
        let record = TftpRequest {
            operation: request.operation,
            path: request.path.clone(),
            mode: request.mode.clone(),
            options: pairs(&request.options),
        };
        out.event(record.into_body());
        let (client, _) = out.ends();
        let copy = Request { path: request.path.clone(), mode: request.mode.clone(), options: Vec::new(), ..request };
        let parser = Box::new(TransferParser(Some(Transfer::new(copy))));
        out.expect(Expected { server: client, transport: Transport::UDP, protocol: "tftp", parser });
        self.transfer = Some(Transfer::new(request));
    }
}

impl Parser for TransferParser {
    fn data(&mut self, out: &mut dyn Output, _direction: Direction, bytes: &[u8]) -> Progress {
        if let Some(transfer) = &mut self.0 {
            transfer.packet(out, bytes);
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if let Some(transfer) = self.0.take() {
            transfer.finish(out);
        }
    }
}

impl Transfer {
    fn new(request: Request) -> Transfer {
        Transfer {
            request,
            granted: Vec::new(),
            block_bytes: BLOCK_BYTES,
            next: 1,
            blocks: 0,
            size_bytes: 0,
            file: None,
            begun: false,
            torn: false,
            complete: false,
            error: None,
        }
    }

    fn packet(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        let packet = packet::packet(bytes);
        self.begun |= packet.is_some();
        match packet {
            Some(Packet::Data(number, block)) => self.block(out, number, block),
            Some(Packet::Acknowledged(_)) => {}
            Some(Packet::Error(code, words)) => self.error = Some((code, words)),
            Some(Packet::Options(granted)) => {
                let size = granted.iter().find(|(name, _)| name == "blksize").and_then(|(_, value)| value.parse().ok());
                // RFC 2348: 8 to 65,464.
                self.block_bytes = size.filter(|size| (8..=65_464).contains(size)).unwrap_or(BLOCK_BYTES);
                self.granted = granted;
            }
            None => out.anomaly("tftp.malformed"),
        }
    }

    fn block(&mut self, out: &mut dyn Output, number: u16, block: &[u8]) {
        // After 65,535 blocks some go on with 0, others with 1.
        let wrapped = self.next == 0 && number == 1;
        if self.complete || self.torn || (number != self.next && !wrapped) {
            let ahead = number.wrapping_sub(self.next);
            if !self.complete && !self.torn && ahead < 0x8000 {
                out.anomaly("tftp.block_missing");
                self.torn = true;
            }
            return;
        }
        if self.blocks == 0 {
            self.open(out);
        }
        self.next = number.wrapping_add(1);
        self.blocks += 1;
        self.size_bytes += block.len() as u64;
        if let Some(file) = self.file {
            out.file_data(file, block);
        }
        self.complete = block.len() < self.block_bytes;
        if self.complete {
            self.close(out);
        }
    }

    fn open(&mut self, out: &mut dyn Output) {
        let path = &self.request.path;
        let name = path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty());
        let upload = self.request.operation == "write";
        self.file = out.file_open(FileMeta {
            name: name.map(str::to_owned),
            claimed_type: None,
            url: None,
            direction: Some(if upload { Direction::ToServer } else { Direction::ToClient }),
        });
    }

    fn close(&mut self, out: &mut dyn Output) {
        if let Some(file) = self.file.take() {
            out.file_close(file, self.complete);
        }
    }

    /// Tells the transfer, if there was one in this flow.
    fn finish(mut self, out: &mut dyn Output) {
        self.close(out);
        if !self.begun {
            return;
        }
        let (error_code, error_message) = self.error.unzip();
        let record = TftpTransfer {
            operation: self.request.operation,
            path: self.request.path,
            size_bytes: self.size_bytes,
            blocks: self.blocks,
            granted: pairs(&self.granted),
            complete: self.complete,
            error_code,
            error_message,
        };
        out.event(record.into_body());
    }
}

fn pairs(options: &[(String, String)]) -> Vec<String> {
    options.iter().map(|(name, value)| format!("{name}={value}")).collect()
}
