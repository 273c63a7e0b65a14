//! The port mapper and mounts: what is asked and answered.

use super::message::{opaque, string};
use super::nfs;
use super::record::RpcCall;
use crate::protocols::reader::{Reader, Short};

/// Numbers of programs.
pub const PORTMAPPER: u32 = 100_000;
/// Mounts.
pub const MOUNT: u32 = 100_005;
/// Bytes of a path or address that are told.
const MAX_PATH_BYTES: usize = 1024;
/// Entries of a list that are told.
const MAX_ENTRIES: usize = 64;

/// A program's usual name, or its number.
pub fn program(number: u32) -> String {
    let name = match number {
        PORTMAPPER => "portmapper",
        100_001 => "rstatd",
        100_002 => "rusersd",
        nfs::PROGRAM => nfs::PROTOCOL.name,
        100_004 => "ypserv",
        MOUNT => "mount",
        100_007 => "ypbind",
        100_008 => "walld",
        100_009 => "yppasswdd",
        100_011 => "rquotad",
        100_012 => "sprayd",
        100_017 => "rexd",
        100_021 => "nlockmgr",
        100_024 => "status",
        100_068 => "cmsd",
        100_083 => "ttdbserver",
        100_227 => "nfs_acl",
        100_232 => "sadmind",
        300_019 => "amd",
        395_183 => "ibm3494",
        400_122 => "nfs_cb",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// A procedure's name, or its number.
pub fn procedure(program: u32, version: u32, number: u32) -> String {
    let names: &[&str] = match (program, version) {
        (PORTMAPPER, 2) => &["NULL", "SET", "UNSET", "GETPORT", "DUMP", "CALLIT"],
        (PORTMAPPER, 3 | 4) => &[
            "NULL",
            "SET",
            "UNSET",
            "GETADDR",
            "DUMP",
            "CALLIT",
            "GETTIME",
            "UADDR2TADDR",
            "TADDR2UADDR",
            "GETVERSADDR",
            "INDIRECT",
            "GETADDRLIST",
            "GETSTAT",
        ],
        (MOUNT, _) => &["NULL", "MNT", "DUMP", "UMNT", "UMNTALL", "EXPORT"],
        _ => &["NULL"],
    };
    usize::try_from(number).ok().and_then(|number| names.get(number)).map_or(number.to_string(), |it| (*it).to_owned())
}

/// What is asked.
pub fn call(record: &mut RpcCall, target: (u32, u32, u32), r: &mut Reader<'_>) -> Result<(), Short> {
    match target {
        (PORTMAPPER, 2, 1..=3 | 5) => {
            record.mapped_program = Some(program(r.u32()?));
            record.mapped_version = Some(r.u32()?.into());
            if target.2 == 5 {
                return Ok(());
            }
            record.mapped_transport = Some(match r.u32()? {
                6 => "tcp".to_owned(),
                17 => "udp".to_owned(),
                other => other.to_string(),
            });
            let port = r.u32()?;
            record.mapped_port = (target.2 != 3).then_some(port.into());
        }
        (PORTMAPPER, 3 | 4, 1..=3 | 9 | 11) => {
            record.mapped_program = Some(program(r.u32()?));
            record.mapped_version = Some(r.u32()?.into());
            record.mapped_transport = Some(string(r, 32)?);
        }
        (MOUNT, _, 1 | 3) => record.path = Some(string(r, MAX_PATH_BYTES)?),
        _ => {}
    }
    Ok(())
}

/// What is answered.
pub fn answer(record: &mut RpcCall, target: (u32, u32, u32), r: &mut Reader<'_>) -> Result<(), Short> {
    match target {
        (PORTMAPPER, 2, 3) => record.mapped_port = Some(r.u32()?.into()),
        (PORTMAPPER, 3 | 4, 3 | 9) => {
            let address = string(r, 128)?;
            record.mapped_port = port(&address);
            record.mapped_address = Some(address).filter(|address| !address.is_empty());
        }
        (PORTMAPPER, 2..=4, 4) => {
            while r.u32()? == 1 {
                let name = program(r.u32()?);
                r.skip(4)?;
                if target.1 == 2 {
                    r.skip(8)?;
                } else {
                    for _ in 0..3 {
                        opaque(r)?;
                    }
                }
                if record.mapped_programs.len() < MAX_ENTRIES && !record.mapped_programs.contains(&name) {
                    record.mapped_programs.push(name);
                }
            }
        }
        (MOUNT, _, 1) => record.mount_status = Some(mount_status(r.u32()?)),
        (MOUNT, _, 5) => {
            while r.u32()? == 1 {
                let path = string(r, MAX_PATH_BYTES)?;
                if record.exports.len() < MAX_ENTRIES {
                    record.exports.push(path);
                }
                while r.u32()? == 1 {
                    opaque(r)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The port at the end of an address as RFC 5665 section 5.2.3 writes it.
fn port(address: &str) -> Option<u64> {
    let mut parts = address.rsplit('.');
    let (low, high): (u8, u8) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(u16::from_be_bytes([high, low]).into())
}

fn mount_status(number: u32) -> String {
    let name = match number {
        0 => "OK",
        1 => "ERR_PERM",
        2 => "ERR_NOENT",
        5 => "ERR_IO",
        13 => "ERR_ACCES",
        20 => "ERR_NOTDIR",
        22 => "ERR_INVAL",
        63 => "ERR_NAMETOOLONG",
        10_004 => "ERR_NOTSUPP",
        10_006 => "ERR_SERVERFAULT",
        other => return other.to_string(),
    };
    name.to_owned()
}
