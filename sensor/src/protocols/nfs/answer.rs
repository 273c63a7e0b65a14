//! What answers say: new handles, what was read, entries of folders.

use super::files::{Call, MAX_NAME_BYTES, handle};
use super::sunrpc::message::{opaque, string, u64};
use crate::protocols::reader::{Reader, Short};

/// Bytes of a file's attributes in version 2 and 3.
const OLD_ATTRIBUTE_BYTES: usize = 68;
const ATTRIBUTE_BYTES: usize = 84;
/// Entries of a folder that are counted.
const MAX_ENTRIES: u64 = 1 << 16;

/// What an answer told besides.
#[derive(Debug, Default)]
pub struct Found {
    /// The handle of the file that the call names.
    pub handle: Option<Vec<u8>>,
    /// The end of the file was read.
    pub end: bool,
}

/// Reads what stands behind a status that is no error.
pub fn read(call: &mut Call, found: &mut Found, r: &mut Reader<'_>) -> Result<(), Short> {
    match call.version {
        2 => version_2(call, found, r),
        3 => version_3(call, found, r),
        _ => version_4(call, found, r),
    }
}

fn version_2(call: &mut Call, found: &mut Found, r: &mut Reader<'_>) -> Result<(), Short> {
    match call.record.procedure.as_str() {
        "LOOKUP" | "CREATE" | "MKDIR" => found.handle = Some(handle(r, 2)?),
        "READLINK" => call.record.target = Some(string(r, MAX_NAME_BYTES)?),
        "READ" => {
            r.skip(OLD_ATTRIBUTE_BYTES)?;
            call.record.read_bytes = Some(r.u32()?.into());
        }
        "READDIR" => entries(call, r, |r| {
            r.skip(4)?;
            opaque(r)?;
            r.skip(4)
        })?,
        _ => {}
    }
    Ok(())
}

fn version_3(call: &mut Call, found: &mut Found, r: &mut Reader<'_>) -> Result<(), Short> {
    match call.record.procedure.as_str() {
        "LOOKUP" => found.handle = Some(handle(r, 3)?),
        "CREATE" | "MKDIR" | "SYMLINK" | "MKNOD" => {
            let given = r.u32()? == 1;
            found.handle = given.then(|| handle(r, 3)).transpose()?;
        }
        "READLINK" => {
            attributes(r)?;
            call.record.target = Some(string(r, MAX_NAME_BYTES)?);
        }
        "READ" => {
            attributes(r)?;
            call.record.read_bytes = Some(r.u32()?.into());
            found.end = r.u32()? == 1;
        }
        "WRITE" => {
            if r.u32()? == 1 {
                r.skip(24)?;
            }
            attributes(r)?;
            call.record.written_bytes = Some(r.u32()?.into());
        }
        "READDIR" => {
            attributes(r)?;
            r.skip(8)?;
            entries(call, r, |r| {
                r.skip(8)?;
                opaque(r)?;
                r.skip(8)
            })?;
        }
        "READDIRPLUS" => {
            attributes(r)?;
            r.skip(8)?;
            entries(call, r, |r| {
                r.skip(8)?;
                opaque(r)?;
                r.skip(8)?;
                attributes(r)?;
                if r.u32()? == 1 {
                    handle(r, 3)?;
                }
                Ok(())
            })?;
        }
        _ => {}
    }
    Ok(())
}

fn attributes(r: &mut Reader<'_>) -> Result<(), Short> {
    if r.u32()? == 1 { r.skip(ATTRIBUTE_BYTES) } else { Ok(()) }
}

/// Counts the entries of a folder as far as they were kept.
fn entries(call: &mut Call, r: &mut Reader<'_>, one: fn(&mut Reader<'_>) -> Result<(), Short>) -> Result<(), Short> {
    let count = call.record.entries.insert(0);
    while *count < MAX_ENTRIES && r.u32()? == 1 {
        one(r)?;
        *count += 1;
    }
    Ok(())
}

/// Results of version 4 stand one after the other; they are followed as far as the operations that stand before a
/// read, or before the handle of a file that was just opened, need nothing else.
fn version_4(call: &mut Call, found: &mut Found, r: &mut Reader<'_>) -> Result<(), Short> {
    opaque(r)?;
    let count = r.u32()?;
    for _ in 0..count.min(64) {
        let (operation, status) = (r.u32()?, r.u32()?);
        if status != 0 {
            return Ok(());
        }
        match operation {
            // LOOKUP, LOOKUPP, PUTFH, PUTPUBFH, PUTROOTFH, RENEW, RESTOREFH, SAVEFH.
            15 | 16 | 22..=24 | 30..=32 => {}
            // ACCESS, CLOSE, SEQUENCE.
            3 => r.skip(8)?,
            4 => r.skip(16)?,
            53 => r.skip(36)?,
            // GETATTR.
            9 => {
                let words = r.u32()?;
                r.skip(usize::try_from(words).unwrap_or(usize::MAX).saturating_mul(4))?;
                opaque(r)?;
            }
            // GETFH.
            10 => found.handle = Some(opaque(r)?.to_vec()),
            // OPEN: what follows is known where the client did not get the file lent to it.
            18 => {
                r.skip(40)?;
                let words = r.u32()?;
                r.skip(usize::try_from(words).unwrap_or(usize::MAX).saturating_mul(4))?;
                if r.u32()? != 0 {
                    return Ok(());
                }
            }
            // READ.
            25 => {
                found.end = r.u32()? == 1;
                call.record.read_bytes = Some(r.u32()?.into());
                return Ok(());
            }
            // READDIR.
            26 => {
                u64(r)?;
                return entries(call, r, |r| {
                    r.skip(8)?;
                    opaque(r)?;
                    let words = r.u32()?;
                    r.skip(usize::try_from(words).unwrap_or(usize::MAX).saturating_mul(4))?;
                    opaque(r)?;
                    Ok(())
                });
            }
            // READLINK.
            27 => {
                call.record.target = Some(string(r, MAX_NAME_BYTES)?);
                return Ok(());
            }
            // WRITE.
            38 => {
                call.record.written_bytes = Some(r.u32()?.into());
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}
