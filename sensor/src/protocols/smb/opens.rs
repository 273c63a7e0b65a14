//! The shares and files that are open in one flow.

use std::collections::HashMap;

use super::body::FileId;
use super::dcerpc::{self, DcerpcParser};
use super::record::SmbCommand;
use super::transfer::{self, Transfer};
use crate::protocols::{Direction, Output, Parser};

/// Files that may be open at a time.
const MAX_FILES: usize = 1024;
/// Shares that may be in use at a time.
const MAX_SHARES: usize = 256;

/// A share in use.
#[derive(Debug, Clone, Default)]
pub struct Share {
    /// \\host\name.
    pub path: String,
    /// disk, pipe, print; unknown when its beginning was not seen.
    pub kind: Option<&'static str>,
}

/// An open file.
#[derive(Default)]
pub struct Open {
    /// Its path, where its opening was seen.
    pub path: Option<String>,
    /// The share.
    pub share: Share,
    /// Number of the share.
    pub tree: u32,
    /// Number of the session.
    pub session: u64,
    /// Bytes of it when it was opened.
    size: Option<u64>,
    /// Commands that read and write it are of this version.
    version: u8,
    /// In the order of opening.
    number: u64,
    read: Option<Transfer>,
    written: Option<Transfer>,
    pipe: Option<Box<DcerpcParser>>,
}

/// All that is open.
#[derive(Default)]
pub struct Opens {
    files: HashMap<(u32, FileId), Open>,
    shares: HashMap<u32, Share>,
    number: u64,
}

impl Opens {
    /// A share is in use from now on; of too many, any other one is forgotten.
    pub fn share(&mut self, out: &mut dyn Output, tree: u32, share: Share) {
        if self.shares.len() >= MAX_SHARES
            && !self.shares.contains_key(&tree)
            && let Some(other) = self.shares.keys().min().copied()
        {
            out.anomaly("smb.share_limit");
            self.shares.remove(&other);
        }
        self.shares.insert(tree, share);
    }

    /// The share with this number.
    pub fn share_of(&self, tree: u32) -> Option<&Share> {
        self.shares.get(&tree)
    }

    /// A file was opened.
    pub fn open(
        &mut self,
        out: &mut dyn Output,
        version: u8,
        ends: (u32, u64),
        file: FileId,
        seen: (Option<String>, u64),
    ) {
        let (path, size) = seen;
        // A number that is used again: the end of the other file was not seen.
        self.close(out, ends.0, &file, false, None);
        let open = self.get(out, version, ends, file);
        (open.path, open.size) = (path, Some(size));
    }

    /// An open file; one whose opening was not seen is open from now on. Of too many the oldest ends.
    pub fn get(&mut self, out: &mut dyn Output, version: u8, ends: (u32, u64), file: FileId) -> &mut Open {
        let (tree, session) = ends;
        if self.files.len() >= MAX_FILES
            && !self.files.contains_key(&(tree, file))
            && let Some(oldest) = self.files.iter().min_by_key(|(_, open)| open.number).map(|(key, _)| *key)
        {
            out.anomaly("smb.file_limit");
            self.close(out, oldest.0, &oldest.1, false, None);
        }
        self.number += 1;
        let number = self.number;
        let share = self.shares.get(&tree);
        self.files.entry((tree, file)).or_insert_with(|| {
            let share = share.cloned().unwrap_or_default();
            Open { share, tree, session, version, number, ..Open::default() }
        })
    }

    /// An open file whose opening was seen, or that was read or written.
    pub fn find(&self, tree: u32, file: &FileId) -> Option<&Open> {
        self.files.get(&(tree, *file))
    }

    /// A file has another name from now on: what was written before its number was known belongs to it.
    pub fn rename(&mut self, tree: u32, from: FileId, to: FileId) {
        if let Some(open) = self.files.remove(&(tree, from)) {
            self.files.insert((tree, to), open);
        }
    }

    /// A file was closed.
    pub fn close(&mut self, out: &mut dyn Output, tree: u32, file: &FileId, closed: bool, dialect: Option<&str>) {
        if let Some(open) = self.files.remove(&(tree, *file)) {
            open.finish(out, closed, dialect);
        }
    }

    /// Everything ends, in the order of opening.
    pub fn finish(&mut self, out: &mut dyn Output, dialect: Option<&str>) {
        let mut files: Vec<Open> = self.files.drain().map(|(_, open)| open).collect();
        files.sort_by_key(|open| open.number);
        for open in files {
            open.finish(out, false, dialect);
        }
    }
}

impl Open {
    /// Whether this is a named pipe, as far as the share says.
    fn is_pipe(&self) -> bool {
        self.pipe.is_some() || self.share.kind == Some("pipe")
    }

    /// Bytes that are read from or written to `offset`.
    pub fn data(&mut self, out: &mut dyn Output, direction: Direction, offset: u64, bytes: &[u8]) {
        let untouched = self.read.is_none() && self.written.is_none();
        if self.pipe.is_none()
            && (self.is_pipe() || (untouched && self.share.kind.is_none()))
            && dcerpc::is_fragment(bytes)
        {
            self.pipe = Some(Box::new(DcerpcParser::pipe(self.path.clone())));
        }
        if let Some(pipe) = &mut self.pipe {
            // A pipe goes on being followed whatever its parser thinks of it: this is bounded by what is kept of it.
            let _progress = pipe.data(out, direction, bytes);
            return;
        }
        if self.is_pipe() {
            return;
        }
        let transfer = match direction {
            Direction::ToServer => &mut self.written,
            Direction::ToClient => &mut self.read,
        };
        let (path, share) = (self.path.as_deref(), self.share.path.as_str());
        let meta = || transfer::meta(path, Some(share), direction);
        transfer.get_or_insert_default().data(out, meta, offset, bytes);
    }

    /// Bytes that were read or written are missing for good.
    pub fn missing(&mut self, out: &mut dyn Output, direction: Direction, length: u64) {
        if let Some(pipe) = &mut self.pipe {
            let _progress = pipe.gap(out, direction, length);
        }
        let transfer = match direction {
            Direction::ToServer => &mut self.written,
            Direction::ToClient => &mut self.read,
        };
        if self.share.kind.is_none_or(|kind| kind != "pipe") {
            transfer.get_or_insert_default().missing();
        }
    }

    fn finish(mut self, out: &mut dyn Output, closed: bool, dialect: Option<&str>) {
        if let Some(pipe) = &mut self.pipe {
            pipe.finish(out);
        }
        let transfers = [(self.read.take(), "READ", self.size), (self.written.take(), "WRITE", None)];
        for (transfer, command, size) in transfers {
            let Some(mut transfer) = transfer else { continue };
            transfer.finish(out, closed, size);
            let command = if self.version == 1 { format!("{command}_ANDX") } else { command.to_owned() };
            let record = SmbCommand {
                command: Some(command),
                version: Some(self.version.into()),
                dialect: dialect.map(str::to_owned),
                session: Some(format!("{:x}", self.session)),
                tree: Some(self.tree),
                share: Some(self.share.path.clone()).filter(|path| !path.is_empty()),
                share_kind: self.share.kind,
                path: self.path.clone(),
                size,
                bytes: Some(transfer.bytes()),
                ..SmbCommand::default()
            };
            out.event(record.into_body());
        }
    }
}
