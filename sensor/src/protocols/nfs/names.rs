//! Names of procedures and errors.

/// Procedures of version 2 (RFC 1094 section 2.2).
const VERSION_2: [&str; 18] = [
    "NULL",
    "GETATTR",
    "SETATTR",
    "ROOT",
    "LOOKUP",
    "READLINK",
    "READ",
    "WRITECACHE",
    "WRITE",
    "CREATE",
    "REMOVE",
    "RENAME",
    "LINK",
    "SYMLINK",
    "MKDIR",
    "RMDIR",
    "READDIR",
    "STATFS",
];

/// Procedures of version 3 (RFC 1813 section 3.3).
const VERSION_3: [&str; 22] = [
    "NULL",
    "GETATTR",
    "SETATTR",
    "LOOKUP",
    "ACCESS",
    "READLINK",
    "READ",
    "WRITE",
    "CREATE",
    "MKDIR",
    "SYMLINK",
    "MKNOD",
    "REMOVE",
    "RMDIR",
    "RENAME",
    "LINK",
    "READDIR",
    "READDIRPLUS",
    "FSSTAT",
    "FSINFO",
    "PATHCONF",
    "COMMIT",
];

/// Operations of version 4 from number 3 on (RFC 7530 section 16, RFC 8881 section 18).
const VERSION_4: [&str; 56] = [
    "ACCESS",
    "CLOSE",
    "COMMIT",
    "CREATE",
    "DELEGPURGE",
    "DELEGRETURN",
    "GETATTR",
    "GETFH",
    "LINK",
    "LOCK",
    "LOCKT",
    "LOCKU",
    "LOOKUP",
    "LOOKUPP",
    "NVERIFY",
    "OPEN",
    "OPENATTR",
    "OPEN_CONFIRM",
    "OPEN_DOWNGRADE",
    "PUTFH",
    "PUTPUBFH",
    "PUTROOTFH",
    "READ",
    "READDIR",
    "READLINK",
    "REMOVE",
    "RENAME",
    "RENEW",
    "RESTOREFH",
    "SAVEFH",
    "SECINFO",
    "SETATTR",
    "SETCLIENTID",
    "SETCLIENTID_CONFIRM",
    "VERIFY",
    "WRITE",
    "RELEASE_LOCKOWNER",
    "BACKCHANNEL_CTL",
    "BIND_CONN_TO_SESSION",
    "EXCHANGE_ID",
    "CREATE_SESSION",
    "DESTROY_SESSION",
    "FREE_STATEID",
    "GET_DIR_DELEGATION",
    "GETDEVICEINFO",
    "GETDEVICELIST",
    "LAYOUTCOMMIT",
    "LAYOUTGET",
    "LAYOUTRETURN",
    "SECINFO_NO_NAME",
    "SEQUENCE",
    "SET_SSV",
    "TEST_STATEID",
    "WANT_DELEGATION",
    "DESTROY_CLIENTID",
    "RECLAIM_COMPLETE",
];

/// A procedure's name, or its number.
pub fn procedure(version: u32, number: u32) -> String {
    let name = usize::try_from(number).ok().and_then(|number| match version {
        2 => VERSION_2.get(number),
        3 => VERSION_3.get(number),
        _ => ["NULL", "COMPOUND"].get(number),
    });
    name.map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// The name of an operation of version 4.
pub fn operation(number: u32) -> Option<&'static str> {
    VERSION_4.get(usize::try_from(number.checked_sub(3)?).ok()?).copied()
}

/// The numbers of operations of version 4 by their names.
pub fn operation_numbers(names: &[&'static str]) -> Vec<u32> {
    let place = |name: &&str| VERSION_4.iter().position(|known| known == name);
    names.iter().filter_map(|name| u32::try_from(place(name)? + 3).ok()).collect()
}

/// The name of a result, or its number.
pub fn status(number: u32) -> String {
    let name = match number {
        0 => "OK",
        1 => "ERR_PERM",
        2 => "ERR_NOENT",
        5 => "ERR_IO",
        6 => "ERR_NXIO",
        13 => "ERR_ACCES",
        17 => "ERR_EXIST",
        18 => "ERR_XDEV",
        19 => "ERR_NODEV",
        20 => "ERR_NOTDIR",
        21 => "ERR_ISDIR",
        22 => "ERR_INVAL",
        27 => "ERR_FBIG",
        28 => "ERR_NOSPC",
        30 => "ERR_ROFS",
        31 => "ERR_MLINK",
        63 => "ERR_NAMETOOLONG",
        66 => "ERR_NOTEMPTY",
        69 => "ERR_DQUOT",
        70 => "ERR_STALE",
        71 => "ERR_REMOTE",
        10_001 => "ERR_BADHANDLE",
        10_002 => "ERR_NOT_SYNC",
        10_003 => "ERR_BAD_COOKIE",
        10_004 => "ERR_NOTSUPP",
        10_005 => "ERR_TOOSMALL",
        10_006 => "ERR_SERVERFAULT",
        10_007 => "ERR_BADTYPE",
        10_008 => "ERR_DELAY",
        10_009 => "ERR_SAME",
        10_010 => "ERR_DENIED",
        10_011 => "ERR_EXPIRED",
        10_012 => "ERR_LOCKED",
        10_013 => "ERR_GRACE",
        10_014 => "ERR_FHEXPIRED",
        10_015 => "ERR_SHARE_DENIED",
        10_016 => "ERR_WRONGSEC",
        10_017 => "ERR_CLID_INUSE",
        10_020 => "ERR_NOFILEHANDLE",
        10_021 => "ERR_MINOR_VERS_MISMATCH",
        10_022 => "ERR_STALE_CLIENTID",
        10_023 => "ERR_STALE_STATEID",
        10_024 => "ERR_OLD_STATEID",
        10_025 => "ERR_BAD_STATEID",
        10_026 => "ERR_BAD_SEQID",
        10_052 => "ERR_BADSESSION",
        10_053 => "ERR_BADSLOT",
        other => return other.to_string(),
    };
    name.to_owned()
}
