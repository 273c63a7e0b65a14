//! What calls are about, and the files that are being read and written.

use std::collections::VecDeque;

use super::record::NfsCall;
use super::sunrpc::message::{Caller, opaque, string, u64};
use super::{answer, compound, names};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, buffer};

/// Handles that are remembered with their names; the oldest goes first.
pub const MAX_NAMES: usize = 256;
/// Files that are read or written at a time.
pub const MAX_TRANSFERS: usize = 64;
/// Bytes of a name that are told.
pub const MAX_NAME_BYTES: usize = 512;
/// The longest handle (RFC 7530 section 2.1).
const MAX_HANDLE_BYTES: usize = 128;
/// Bytes of a handle of version 2.
const OLD_HANDLE_BYTES: usize = 32;

/// A call that waits for its answer.
#[derive(Debug)]
pub struct Call {
    /// What will be told.
    pub record: NfsCall,
    /// Its version.
    pub version: u32,
    /// The file that is read or written, or the folder something is looked for in.
    pub handle: Vec<u8>,
}

/// The files of one flow.
#[derive(Debug, Default)]
pub struct Files {
    names: VecDeque<(Vec<u8>, String)>,
    transfers: VecDeque<Transfer>,
    /// Handles of files of whose writes rules were told.
    written: VecDeque<Vec<u8>>,
}

#[derive(Debug)]
struct Transfer {
    handle: Vec<u8>,
    record: NfsCall,
}

impl Files {
    /// A call: `target` is version and procedure.
    pub fn call(
        &mut self,
        out: &mut dyn Output,
        xid: u32,
        target: (u32, u32),
        caller: Caller,
        mut content: Reader<'_>,
        whole: bool,
    ) -> Call {
        let (version, procedure) = target;
        let mut record = NfsCall {
            version: Some(version.into()),
            procedure: names::procedure(version, procedure),
            xid: Some(xid.into()),
            auth: caller.auth,
            machine: caller.machine,
            user_id: caller.user_id,
            group_id: caller.group_id,
            ..NfsCall::default()
        };
        let mut handle = Vec::new();
        let read = if version == 4 {
            match procedure {
                1 => compound::call(&mut record, &mut handle, &mut content),
                _ => Ok(()),
            }
        } else {
            arguments(&mut record, &mut handle, version, &mut content)
        };
        if read.is_err() && whole {
            malformed(out, &mut record);
        }
        let known = self.names.iter().find(|(known, _)| *known == handle).map(|(_, name)| name.clone());
        match record.file {
            None => record.file = known,
            Some(_) => record.folder = known,
        }
        self.inspect(out, target, &record, &handle);
        Call { record, version, handle }
    }

    /// What signatures look into: a call is a transaction, and all writes of a file together are one. Of version 4 rules
    /// know writes only.
    fn inspect(&mut self, out: &mut dyn Output, target: (u32, u32), record: &NfsCall, handle: &[u8]) {
        const WRITE: u32 = 7;
        const COMMIT: u32 = 21;
        const WRITE_4: u32 = 38;
        if !out.inspects() {
            return;
        }
        let procedure = match target {
            (4, 1) if record.operations.contains(&"WRITE") => WRITE_4,
            (4, _) | (_, 0 | COMMIT) => return,
            (_, procedure) => procedure,
        };
        if matches!(procedure, WRITE | WRITE_4) {
            if self.written.iter().any(|written| written == handle) {
                return;
            }
            if self.written.len() >= MAX_TRANSFERS {
                self.written.pop_front();
            }
            self.written.push_back(handle.to_vec());
        }
        out.inspect_number(Direction::ToServer, buffer::NFS_VERSION, target.0.into());
        out.inspect_number(Direction::ToServer, buffer::NFS_PROCEDURE, procedure.into());
        out.transaction(Direction::ToServer);
    }

    /// The answer to a call.
    pub fn answer(
        &mut self,
        out: &mut dyn Output,
        mut call: Call,
        status: &'static str,
        mut content: Reader<'_>,
        whole: bool,
    ) {
        if status != "success" {
            call.record.refusal = Some(status);
            out.event(call.record.into_body());
            return;
        }
        if call.record.procedure == "NULL" {
            call.record.status = Some("OK".to_owned());
            out.event(call.record.into_body());
            return;
        }
        let Ok(status) = content.u32() else {
            malformed(out, &mut call.record);
            out.event(call.record.into_body());
            return;
        };
        call.record.status = Some(names::status(status));
        if status != 0 {
            out.event(call.record.into_body());
            return;
        }
        let mut found = answer::Found::default();
        if answer::read(&mut call, &mut found, &mut content).is_err() && whole {
            malformed(out, &mut call.record);
        }
        if let (Some(handle), Some(name)) = (found.handle, call.record.file.clone()) {
            self.remember(handle, name);
        }
        match call.record.procedure.as_str() {
            "READ" | "WRITE" => self.transfer(out, call, found.end),
            "COMMIT" | "CLOSE" => {
                let handle = call.handle.clone();
                self.close(out, &handle);
                out.event(call.record.into_body());
            }
            "GETATTR" => {}
            _ => out.event(call.record.into_body()),
        }
    }

    /// A call that nobody answered.
    pub fn unanswered(&mut self, out: &mut dyn Output, call: Call) {
        out.event(call.record.into_body());
    }

    /// The flow ends.
    pub fn finish(&mut self, out: &mut dyn Output) {
        for transfer in self.transfers.drain(..) {
            out.event(transfer.record.into_body());
        }
    }

    fn remember(&mut self, handle: Vec<u8>, name: String) {
        if handle.is_empty() || handle.len() > MAX_HANDLE_BYTES {
            return;
        }
        self.names.retain(|(known, _)| *known != handle);
        if self.names.len() >= MAX_NAMES {
            self.names.pop_front();
        }
        self.names.push_back((handle, name));
    }

    /// One read or write more of a file; `end` says that its last byte was among them.
    fn transfer(&mut self, out: &mut dyn Output, call: Call, end: bool) {
        let Call { record, handle, .. } = call;
        let same =
            |transfer: &&mut Transfer| transfer.handle == handle && transfer.record.procedure == record.procedure;
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        if let Some(Transfer { record: before, .. }) = self.transfers.iter_mut().find(same) {
            before.requests = before.requests.map(|requests| requests.saturating_add(1));
            before.read_bytes = sum(before.read_bytes, record.read_bytes);
            before.written_bytes = sum(before.written_bytes, record.written_bytes);
        } else {
            if self.transfers.len() >= MAX_TRANSFERS
                && let Some(oldest) = self.transfers.pop_front()
            {
                out.anomaly("nfs.transfer_limit");
                out.event(oldest.record.into_body());
            }
            let record = NfsCall { requests: Some(1), ..record };
            self.transfers.push_back(Transfer { handle: handle.clone(), record });
        }
        if end {
            self.close(out, &handle);
        }
    }

    /// Tells what was read and written of a file.
    fn close(&mut self, out: &mut dyn Output, handle: &[u8]) {
        let mut left = VecDeque::new();
        for transfer in self.transfers.drain(..) {
            if transfer.handle == handle {
                out.event(transfer.record.into_body());
            } else {
                left.push_back(transfer);
            }
        }
        self.transfers = left;
    }
}

fn malformed(out: &mut dyn Output, record: &mut NfsCall) {
    record.malformed = Some(true);
    out.anomaly("nfs.malformed");
}

/// A handle of version 2 or 3.
pub fn handle(r: &mut Reader<'_>, version: u32) -> Result<Vec<u8>, Short> {
    let bytes = if version == 2 { r.take(OLD_HANDLE_BYTES)? } else { opaque(r)? };
    if bytes.len() > MAX_HANDLE_BYTES { Err(Short) } else { Ok(bytes.to_vec()) }
}

/// What a call of version 2 or 3 is about.
fn arguments(record: &mut NfsCall, of: &mut Vec<u8>, version: u32, r: &mut Reader<'_>) -> Result<(), Short> {
    if matches!(record.procedure.as_str(), "NULL" | "ROOT" | "WRITECACHE") {
        return Ok(());
    }
    *of = handle(r, version)?;
    match record.procedure.as_str() {
        "LOOKUP" | "CREATE" | "MKDIR" | "MKNOD" | "REMOVE" | "RMDIR" => record.file = Some(string(r, MAX_NAME_BYTES)?),
        "SYMLINK" => {
            record.file = Some(string(r, MAX_NAME_BYTES)?);
            if version == 3 {
                attributes_to_set(r)?;
            }
            record.target = Some(string(r, MAX_NAME_BYTES)?);
        }
        "RENAME" => {
            record.file = Some(string(r, MAX_NAME_BYTES)?);
            handle(r, version)?;
            record.target = Some(string(r, MAX_NAME_BYTES)?);
        }
        "LINK" => {
            handle(r, version)?;
            record.target = Some(string(r, MAX_NAME_BYTES)?);
        }
        "WRITE" => {
            record.written_bytes = Some(if version == 2 {
                r.skip(12)?;
                r.u32()?.into()
            } else {
                u64(r)?;
                r.u32()?.into()
            });
        }
        _ => {}
    }
    Ok(())
}

/// The attributes that a new file is to have (RFC 1813 section 2.6).
fn attributes_to_set(r: &mut Reader<'_>) -> Result<(), Short> {
    for bytes in [4, 4, 4, 8] {
        if r.u32()? == 1 {
            r.skip(bytes)?;
        }
    }
    for _ in 0..2 {
        if r.u32()? == 2 {
            r.skip(8)?;
        }
    }
    Ok(())
}
