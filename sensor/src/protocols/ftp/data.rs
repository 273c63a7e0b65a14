//! A data connection that was announced: its bytes become the file that the command on the control connection names.

use std::sync::{Arc, Mutex};

use luytre_events::Transport;

use super::super::tls;
use super::record::FtpData;
use crate::protocols::{Direction, FileMeta, FileToken, Output, Parser, Progress, buffer};

/// What control and data connection know of a transfer together. Both belong to one shard, so nobody waits for the lock.
#[derive(Debug, Default, Clone)]
pub struct Transfer {
    /// The command, once it was given.
    pub command: Option<String>,
    /// Path of the file, if the command names one.
    pub path: Option<String>,
    /// Who is logged in.
    pub user_name: Option<String>,
    /// Where in the file it begins (REST).
    pub offset_bytes: u64,
    /// Bytes that the server promises.
    pub size_bytes: Option<u64>,
    /// The server says that it failed.
    pub failed: bool,
}

/// A transfer as both connections hold it.
pub type Shared = Arc<Mutex<Transfer>>;

/// The parser of a data connection.
pub struct DataParser {
    transfer: Shared,
    mode: &'static str,
    inner: Option<Box<dyn Parser>>,
    begun: bool,
    file: Option<FileToken>,
    size_bytes: u64,
    torn: bool,
}

impl DataParser {
    /// For a connection that the server (`active`) or the client (`passive`) will make.
    pub fn new(transfer: Shared, mode: &'static str) -> DataParser {
        DataParser { transfer, mode, inner: None, begun: false, file: None, size_bytes: 0, torn: false }
    }

    fn transfer(&self) -> Transfer {
        self.transfer.lock().map(|transfer| transfer.clone()).unwrap_or_default()
    }

    fn begin(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        self.begun = true;
        let Transfer { command, path, .. } = self.transfer();
        if bytes.starts_with(&[0x16, 3]) {
            self.inner = Some((tls::PROTOCOL.parser)(Transport::TCP));
            return;
        }
        for direction in [Direction::ToServer, Direction::ToClient] {
            let command = command.as_deref().unwrap_or("").to_ascii_lowercase();
            out.inspect(direction, buffer::FTPDATA_COMMAND, command.as_bytes());
        }
        // A listing is no file.
        if !matches!(command.as_deref(), None | Some("RETR" | "STOR" | "STOU" | "APPE")) {
            return;
        }
        let (client, server) = out.ends();
        let host = if self.mode == "passive" { server.0 } else { client.0 };
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        let url = path.as_ref().map(|path| format!("ftp://{host}/{}", path.trim_start_matches('/')));
        let name = path.as_deref().and_then(|path| path.rsplit(['/', '\\']).next()).filter(|name| !name.is_empty());
        // An upload goes towards the FTP server, whoever called.
        let upload = match (self.mode, direction) {
            ("passive", direction) => direction == Direction::ToServer,
            (_, direction) => direction == Direction::ToClient,
        };
        let direction = if upload { Direction::ToServer } else { Direction::ToClient };
        let meta = FileMeta { name: name.map(str::to_owned), claimed_type: None, url, direction: Some(direction) };
        self.file = out.file_open(meta);
    }
}

impl Parser for DataParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.begun {
            self.begin(out, direction, bytes);
        }
        self.size_bytes += bytes.len() as u64;
        if let Some(file) = self.file {
            out.file_data(file, bytes);
        }
        if let Some(inner) = &mut self.inner
            && inner.data(out, direction, bytes) == Progress::Done
        {
            return Progress::Done;
        }
        Progress::Continue
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        self.torn = true;
        // What comes behind a hole has no place in the file; its end is told with what came before.
        self.begun = true;
        if let Some(file) = self.file.take() {
            out.file_close(file, false);
        }
        self.inner.as_mut().map_or(Progress::Continue, |inner| inner.gap(out, direction, length))
    }

    fn finish(&mut self, out: &mut dyn Output) {
        let transfer = self.transfer();
        if let Some(inner) = &mut self.inner {
            inner.finish(out);
        }
        let all = transfer.size_bytes.is_none_or(|size| size <= self.size_bytes);
        if let Some(file) = self.file.take() {
            out.file_close(file, !self.torn && !transfer.failed && transfer.offset_bytes == 0 && all);
        }
        for direction in [Direction::ToServer, Direction::ToClient] {
            out.transaction(direction);
        }
        let record = FtpData {
            command: transfer.command,
            path: transfer.path,
            user_name: transfer.user_name,
            mode: self.mode,
            size_bytes: self.inner.is_none().then_some(self.size_bytes),
            offset_bytes: Some(transfer.offset_bytes).filter(|offset| *offset > 0),
            encrypted: self.inner.is_some().then_some(true),
        };
        out.event(record.into_body());
    }
}
