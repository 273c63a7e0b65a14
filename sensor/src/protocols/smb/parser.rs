//! Follows one flow: pairs commands with their answers and tells them.

use std::collections::VecDeque;

use luytre_events::value::TimeNs;

use super::body::{Dialect, FileId, Header, Opened, Request, Response, Span};
use super::frames::{Frames, Piece};
use super::inspection::{self, Shown};
use super::opens::{Opens, Share};
use super::record::SmbCommand;
use super::{names, v1, v2};
use crate::protocols::gss::Login;
use crate::protocols::outstanding::Outstanding;
use crate::protocols::{Direction, Output, Parser, Progress, buffer, text};

/// Commands that wait for their answer.
const MAX_OUTSTANDING: usize = 256;
/// Files opened and used in one message whose number was not known yet.
const MAX_CHAINED: usize = 16;
/// The number of the file that the command before in the same message opens.
const SAME_FILE: FileId = [0xff; 16];
/// Nanoseconds between 1601, when Windows begins to count, and 1970, in its units of 100.
const EPOCH: u64 = 116_444_736_000_000_000;

/// What an answer has in common with its request: version, number, command.
type Key = (u8, u64, u16);

/// A command that waits.
struct Waiting {
    record: SmbCommand,
    what: What,
    tree: u32,
    session: u64,
}

/// What is needed of a request when its answer comes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Plain,
    Tree,
    Create {
        chained: FileId,
    },
    Read {
        file: FileId,
        offset: u64,
    },
    Close {
        file: FileId,
    },
    /// Pieces of a file that was written: told only if it failed.
    Write,
    Pipe {
        file: FileId,
    },
}

/// Where bytes that follow in pieces belong.
#[derive(Debug, Clone, Copy)]
struct Target {
    tree: u32,
    session: u64,
    version: u8,
    file: FileId,
    offset: u64,
    /// Bytes to pass over first.
    skip: usize,
    left: usize,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The command as rules may look into it.
    shown: Shown,
    frames: Frames,
    target: Option<Target>,
    /// The file that the commands of this message are about.
    chained: Option<FileId>,
}

/// The parser of one flow.
pub struct SmbParser {
    to_server: Side,
    to_client: Side,
    waiting: Outstanding<Key, Waiting>,
    opens: Opens,
    /// Numbers of files that were not known when their commands were sent, and what they turned out to be.
    aliases: VecDeque<(FileId, FileId)>,
    dialects: Vec<String>,
    dialect: Option<String>,
    login: Login,
    names: (Option<String>, Option<String>),
    hidden: Hidden,
}

/// What was said of messages that cannot be read.
#[derive(Default)]
struct Hidden {
    encrypted: bool,
    compressed: bool,
}

impl Default for SmbParser {
    fn default() -> Self {
        SmbParser {
            to_server: Side::default(),
            to_client: Side::default(),
            waiting: Outstanding::new(MAX_OUTSTANDING),
            opens: Opens::default(),
            aliases: VecDeque::new(),
            dialects: Vec::new(),
            dialect: None,
            login: Login::default(),
            names: (None, None),
            hidden: Hidden::default(),
        }
    }
}

impl Parser for SmbParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while let Some(piece) = self.side(direction).frames.next(&mut bytes) {
            match piece {
                Piece::Command { bytes, length } => {
                    self.side(direction).shown.begin(out, direction, &bytes, length);
                    self.message(out, direction, &bytes);
                }
                Piece::More(bytes) => {
                    self.side(direction).shown.more(out, direction, bytes);
                    self.more(out, direction, bytes);
                }
                Piece::Session(kind, bytes) => self.session(kind, &bytes),
                Piece::Lost => out.anomaly("smb.framing_lost"),
            }
        }
        let lost = self.to_server.frames.is_lost() && self.to_client.frames.is_lost();
        if lost { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = self.side(direction);
        let of_file = side.frames.gap(length);
        let Some(target) = &mut side.target else { return Progress::Continue };
        let mut missing = usize::try_from(of_file).unwrap_or(usize::MAX);
        let skipped = target.skip.min(missing);
        (target.skip, missing) = (target.skip - skipped, missing - skipped);
        let missing = missing.min(target.left);
        (target.left, target.offset) = (target.left - missing, target.offset.saturating_add(missing as u64));
        let (target, over) = (*target, of_file < length || target.left == 0);
        if over {
            side.target = None;
        }
        let file = self.known(target.file);
        let open = self.opens.get(out, target.version, (target.tree, target.session), file);
        open.missing(out, direction, missing as u64);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            self.side(direction).shown.end(out, direction);
        }
        while let Some(waiting) = self.waiting.pop() {
            self.tell(out, waiting);
        }
        let dialect = self.dialect.clone();
        self.opens.finish(out, dialect.as_deref());
    }
}

impl SmbParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// Names of the computers, from the request of a NetBIOS session: each as 32 letters with a length before.
    fn session(&mut self, kind: u8, bytes: &[u8]) {
        if kind == 0x81 {
            let name = |start: usize| netbios_name(bytes.get(start..start + 34)?);
            self.names = (name(0), name(34));
        }
    }

    fn message(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        self.side(direction).target = None;
        inspection::version(out, direction, bytes.first().copied());
        match bytes.first() {
            Some(0xfe) => self.message2(out, direction, bytes),
            Some(0xff) => self.message1(out, direction, bytes),
            Some(0xfd) => self.hidden(out, bytes, true),
            Some(0xfc) => self.hidden(out, bytes, false),
            _ => out.anomaly("smb.malformed"),
        }
    }

    /// A message that is encrypted or compressed: told once each.
    fn hidden(&mut self, out: &mut dyn Output, bytes: &[u8], encrypted: bool) {
        let told = if encrypted { &mut self.hidden.encrypted } else { &mut self.hidden.compressed };
        if std::mem::replace(told, true) {
            return;
        }
        // The session stands at the end of an encrypted message's header.
        let session = bytes.get(44..52).and_then(|b| b.first_chunk()).map(|b| u64::from_le_bytes(*b));
        let record = SmbCommand {
            version: Some(2),
            dialect: self.dialect.clone(),
            session: session.filter(|_| encrypted).map(|session| format!("{session:x}")),
            encrypted: encrypted.then_some(true),
            compressed: (!encrypted).then_some(true),
            ..SmbCommand::default()
        };
        out.event(record.into_body());
    }

    fn message2(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let Ok(header) = v2::header(bytes) else {
            out.anomaly("smb.malformed");
            return;
        };
        if !header.related {
            self.side(direction).chained = None;
        }
        if !header.response {
            match v2::request(header.command, bytes) {
                Ok(request) => self.request(out, direction, header, bytes, request),
                Err(_) => self.malformed(out, direction, header, bytes),
            }
            return;
        }
        // Everything but success has a body of its own, except where the status only says that something is not complete.
        let complete = [names::SUCCESS, names::MORE_PROCESSING, names::BUFFER_OVERFLOW];
        let told = complete.contains(&header.status);
        let response = if told { v2::response(header.command, bytes) } else { Ok(Response::Plain) };
        if response.is_err() {
            out.anomaly("smb.malformed");
        }
        self.response(out, direction, header, bytes, response.unwrap_or_default());
    }

    fn message1(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let Ok(header) = v1::header(bytes) else {
            out.anomaly("smb.malformed");
            return;
        };
        let mut any = false;
        for command in v1::commands(bytes) {
            any = true;
            let header = Header { command: command.number, ..header };
            if !header.response {
                match v1::request(&command) {
                    Ok(request) => self.request(out, direction, header, bytes, request),
                    Err(_) => self.malformed(out, direction, header, bytes),
                }
                continue;
            }
            let told = !is_error(header.status) && !command.words.is_empty();
            let response = if told { v1::response(&command) } else { Ok(Response::Plain) };
            if response.is_err() {
                out.anomaly("smb.malformed");
            }
            self.response(out, direction, header, bytes, response.unwrap_or_default());
        }
        if !any {
            out.anomaly("smb.malformed");
        }
    }

    /// A request that cannot be read is told by its number.
    fn malformed(&mut self, out: &mut dyn Output, direction: Direction, header: Header, bytes: &[u8]) {
        out.anomaly("smb.malformed");
        self.request(out, direction, header, bytes, Request::Plain);
    }

    fn request(&mut self, out: &mut dyn Output, direction: Direction, h: Header, bytes: &[u8], request: Request<'_>) {
        if is_untold(&h) {
            return;
        }
        let mut record = self.record(&h);
        let mut what = What::Plain;
        match request {
            Request::Plain => {}
            Request::Negotiate { dialects, guid } => {
                record.dialects = dialects.clone();
                record.client_guid = guid.filter(|guid| *guid != [0; 16]).map(|guid| text::uuid(&guid));
                (record.called_name, record.calling_name) = self.names.clone();
                self.dialects = dialects;
            }
            Request::Session { token, user, system } => {
                if self.login.token(token) {
                    set_login(&mut record, &self.login);
                    inspection::login(out, self.login.user.as_deref(), self.login.domain.as_deref());
                }
                if let Some((user, domain)) = user {
                    record.user = Some(user).filter(|user| !user.is_empty());
                    record.domain = Some(domain).filter(|domain| !domain.is_empty());
                }
                (record.client_system, record.client_program) = texts(system);
            }
            Request::Tree { path, service: _ } => {
                record.share = Some(path);
                what = What::Tree;
            }
            Request::Create { path, disposition, directory, delete } => {
                // The root of the share has no name.
                record.path = Some(if path.is_empty() { "\\".to_owned() } else { path });
                record.disposition = Some(disposition);
                record.kind = directory.then_some("dir");
                record.delete = delete.then_some(true);
                // Until the answer names it, the file is known by the number of this command.
                let mut chained = SAME_FILE;
                if let Some(half) = chained.first_chunk_mut() {
                    *half = h.id.to_le_bytes();
                }
                self.side(direction).chained = Some(chained);
                what = What::Create { chained };
            }
            Request::Read { file, offset } => {
                let file = self.chained(direction, file);
                self.set_file(&mut record, h.tree, file);
                what = What::Read { file, offset };
            }
            Request::Write { file, offset, data } => {
                let file = self.chained(direction, file);
                self.set_file(&mut record, h.tree, file);
                self.transfer(out, direction, &h, (file, offset), bytes, data);
                what = What::Write;
            }
            Request::Pipe { file, data, function } => {
                let file = self.chained(direction, file);
                self.set_file(&mut record, h.tree, file);
                record.function = Some(function);
                self.transfer(out, direction, &h, (file, 0), bytes, data);
                what = What::Pipe { file };
            }
            Request::Close { file } => {
                let file = self.chained(direction, file);
                self.set_file(&mut record, h.tree, file);
                what = What::Close { file };
            }
            Request::File { file, path, function, rename, delete } => {
                if let Some(file) = file {
                    let file = self.chained(direction, file);
                    self.set_file(&mut record, h.tree, file);
                }
                record.path = path.filter(|path| !path.is_empty()).or(record.path);
                record.function = function.filter(|function| !function.is_empty());
                record.rename = rename;
                record.delete = delete.then_some(true);
            }
        }
        let waiting = Waiting { record, what, tree: h.tree, session: h.session };
        if let Some(oldest) = self.waiting.add((h.version, h.id, h.command), waiting) {
            out.anomaly("smb.outstanding_limit");
            self.tell(out, oldest);
        }
    }

    fn response(
        &mut self,
        out: &mut dyn Output,
        direction: Direction,
        h: Header,
        bytes: &[u8],
        response: Response<'_>,
    ) {
        // The answer proper comes later, or the command is one that is left out.
        if h.status == names::PENDING || is_untold(&h) {
            return;
        }
        let mut waiting = match self.take(&h) {
            Some(waiting) => waiting,
            // A command whose request was not seen.
            None => Waiting { record: self.record(&h), what: What::Plain, tree: h.tree, session: h.session },
        };
        let record = &mut waiting.record;
        record.status = Some(names::status(h.status));
        record.status_code = Some(format!("0x{:x}", h.status));
        record.session = Some(format!("{:x}", h.session));
        let tree = if waiting.tree == 0 || waiting.what == What::Tree { h.tree } else { waiting.tree };
        record.tree = Some(tree).filter(|_| h.version == 1 || tree != 0);
        match response {
            Response::Negotiate { dialect, guid, signing_required, cipher, token } => {
                self.login.token(token);
                self.dialect = match dialect {
                    Dialect::Name(name) => Some(name),
                    Dialect::Place(place) => self.dialects.get(place).cloned(),
                    Dialect::None => None,
                };
                record.dialect = self.dialect.clone();
                record.server_guid = guid.map(|guid| text::uuid(&guid));
                record.signing_required = Some(signing_required);
                record.cipher = cipher;
            }
            Response::Session { token, system, guest } => {
                if self.login.token(token) {
                    set_login(record, &self.login);
                }
                (record.server_system, record.server_program) = texts(system);
                record.guest = guest.then_some(true);
            }
            Response::Tree { kind } => {
                record.share_kind = kind;
                inspect_share(out, record.share.as_deref(), kind);
                if !is_error(h.status) {
                    let share = Share { path: record.share.clone().unwrap_or_default(), kind };
                    self.opens.share(out, h.tree, share);
                }
            }
            Response::Create(opened) if !is_error(h.status) => {
                self.opened(out, direction, tree, &h, &mut waiting, opened);
            }
            Response::Create(_) => {}
            Response::Data(span) => {
                let place = match waiting.what {
                    What::Read { file, offset } => Some((file, offset)),
                    What::Pipe { file } => Some((file, 0)),
                    _ => None,
                };
                let header = Header { tree, ..h };
                if let Some((file, offset)) = place {
                    let file = self.chained(direction, file);
                    self.transfer(out, direction, &header, (file, offset), bytes, span);
                }
            }
            Response::Plain => {}
        }
        // What was read and written is told when the file is closed; that a file has ended is no news.
        let silent = match waiting.what {
            What::Read { .. } => !is_error(h.status) || h.status == names::END_OF_FILE,
            What::Write => !is_error(h.status),
            _ => false,
        };
        if let What::Close { file } = waiting.what
            && !is_error(h.status)
        {
            let (file, dialect) = (self.known(file), self.dialect.clone());
            self.opens.close(out, tree, &file, true, dialect.as_deref());
        }
        if !silent {
            self.tell(out, waiting);
        }
    }

    /// The request of an answer. The answer to SMB 1's negotiation may be one of SMB 2.
    fn take(&mut self, h: &Header) -> Option<Waiting> {
        let waiting = self.waiting.take(&(h.version, h.id, h.command));
        if waiting.is_none() && (h.version, h.id, h.command) == (2, 0, v2::command::NEGOTIATE) {
            let position = |key: &Key| key.0 == 1 && key.2 == v1::command::NEGOTIATE;
            return self.waiting.take_where(position);
        }
        waiting
    }

    /// A file was opened.
    fn opened(
        &mut self,
        out: &mut dyn Output,
        direction: Direction,
        tree: u32,
        h: &Header,
        waiting: &mut Waiting,
        opened: Opened,
    ) {
        let record = &mut waiting.record;
        record.action = opened.action;
        record.size = (!opened.directory).then_some(opened.size);
        record.kind = Some(if opened.directory { "dir" } else { "file" });
        [record.created, record.accessed, record.modified, record.changed] = opened.times.map(time);
        let seen = (record.path.clone(), opened.size);
        self.side(direction).chained = Some(opened.file);
        let ends = (tree, waiting.session);
        let What::Create { chained } = waiting.what else {
            self.opens.open(out, h.version, ends, opened.file, seen);
            return;
        };
        self.aliases.push_back((chained, opened.file));
        if self.aliases.len() > MAX_CHAINED {
            self.aliases.pop_front();
        }
        // Something may have been written to it in the same message.
        if self.opens.find(tree, &chained).is_some() {
            self.opens.rename(tree, chained, opened.file);
            self.opens.get(out, h.version, ends, opened.file).path = seen.0;
        } else {
            self.opens.open(out, h.version, ends, opened.file, seen);
        }
    }

    /// The file that a command is about, when it says "the same as before".
    fn chained(&mut self, direction: Direction, file: FileId) -> FileId {
        let file = if file == SAME_FILE { self.side(direction).chained.unwrap_or(file) } else { file };
        self.known(file)
    }

    /// The number of a file that was not known at first.
    fn known(&self, file: FileId) -> FileId {
        self.aliases.iter().find(|(unknown, _)| *unknown == file).map_or(file, |(_, known)| *known)
    }

    fn set_file(&self, record: &mut SmbCommand, tree: u32, file: FileId) {
        if let Some(open) = self.opens.find(tree, &file) {
            record.path = open.path.clone();
        }
    }

    /// Bytes of a file stand in this command, and perhaps go on after it.
    fn transfer(
        &mut self,
        out: &mut dyn Output,
        direction: Direction,
        h: &Header,
        place: (FileId, u64),
        bytes: &[u8],
        data: Span,
    ) {
        let (file, offset) = place;
        let here = data.of(bytes);
        let open = self.opens.get(out, h.version, (h.tree, h.session), file);
        open.data(out, direction, offset, here);
        let left = data.length - here.len();
        self.side(direction).target = (left > 0).then_some(Target {
            tree: h.tree,
            session: h.session,
            version: h.version,
            file,
            offset: offset.saturating_add(here.len() as u64),
            skip: data.start.saturating_sub(bytes.len()),
            left,
        });
    }

    /// More of the last command's bytes.
    fn more(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let Some(target) = &mut self.side(direction).target else { return };
        let bytes = bytes.get(target.skip..).unwrap_or_else(|| {
            target.skip -= bytes.len();
            &[]
        });
        if bytes.is_empty() {
            return;
        }
        target.skip = 0;
        let bytes = bytes.get(..target.left).unwrap_or(bytes);
        let (now, over) = (*target, bytes.len() == target.left);
        (target.left, target.offset) = (target.left - bytes.len(), target.offset.saturating_add(bytes.len() as u64));
        if over {
            self.side(direction).target = None;
        }
        let file = self.known(now.file);
        let open = self.opens.get(out, now.version, (now.tree, now.session), file);
        open.data(out, direction, now.offset, bytes);
    }

    /// What a record of every command begins with.
    fn record(&self, h: &Header) -> SmbCommand {
        let name = if h.version == 1 { names::command1(h.command) } else { names::command2(h.command) };
        let share = self.opens.share_of(h.tree);
        SmbCommand {
            command: Some(name.map_or_else(|| format!("0x{:02x}", h.command), str::to_owned)),
            version: Some(h.version.into()),
            dialect: self.dialect.clone(),
            session: Some(format!("{:x}", h.session)),
            tree: Some(h.tree).filter(|tree| h.version == 1 || *tree != 0),
            share: share.map(|share| share.path.clone()).filter(|path| !path.is_empty()),
            share_kind: share.and_then(|share| share.kind),
            ..SmbCommand::default()
        }
    }

    fn tell(&self, out: &mut dyn Output, waiting: Waiting) {
        // Reads and writes without an answer: their files tell them.
        let of_file = matches!(waiting.what, What::Read { .. } | What::Write);
        if !of_file || waiting.record.status.is_some() {
            out.event(waiting.record.into_body());
        }
    }
}

/// Commands of which there are too many to say anything, and those that have no answer.
fn is_untold(h: &Header) -> bool {
    match h.version {
        1 => h.command == v1::command::NT_CANCEL,
        _ => matches!(h.command, v2::command::QUERY_INFO | 12),
    }
}

/// Whether a status says that nothing was done.
fn is_error(status: u32) -> bool {
    status >> 30 == 3 && status != names::MORE_PROCESSING
}

/// What signatures look into of a connection to a share, once its kind is known.
fn inspect_share(out: &mut dyn Output, share: Option<&str>, kind: Option<&'static str>) {
    let Some(share) = share.filter(|_| out.inspects()) else { return };
    let id = if kind == Some("pipe") { buffer::SMB_NAMED_PIPE } else { buffer::SMB_SHARE };
    out.inspect(Direction::ToServer, id, share.as_bytes());
    out.transaction(Direction::ToServer);
}

fn set_login(record: &mut SmbCommand, login: &Login) {
    record.user = login.user.clone();
    record.domain = login.domain.clone();
    record.host = login.host.clone();
    record.ntlm = login.ntlm_proof;
    record.ntlm_version = login.client_version.clone();
    record.server = login.server.clone();
    record.server_domain = login.server_domain.clone();
    record.server_version = login.server_version.clone();
    record.service = login.service.clone();
    record.realm = login.realm.clone();
    record.ticket_encryption = login.encryption.clone();
}

fn texts(system: Option<(String, String)>) -> (Option<String>, Option<String>) {
    let (system, program) = system.unzip();
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    (some(system), some(program))
}

/// A time of Windows; 0 is none.
fn time(windows: u64) -> Option<TimeNs> {
    // Samba writes its own zero.
    let since = windows.checked_sub(EPOCH).filter(|since| *since > 0)?;
    i64::try_from(since).ok()?.checked_mul(100).map(TimeNs)
}

/// A name of NetBIOS: each byte as two letters from A to P (RFC 1001 section 14.1); the last byte is the service.
fn netbios_name(field: &[u8]) -> Option<String> {
    let [32, letters @ .., 0] = field else { return None };
    let (pairs, _) = letters.as_chunks::<2>();
    let half = |letter: u8| letter.checked_sub(b'A').filter(|half| *half < 16);
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[a, b]| Some(half(*a)? << 4 | half(*b)?)).collect();
    let bytes = bytes?;
    let name = bytes.split_last()?.1.trim_ascii_end();
    Some(text::text(name, 15))
}
