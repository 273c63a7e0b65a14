//! FTP (RFC 959, RFC 2428, RFC 4217): one event a command with its replies, one a data connection, and the files.
//!
//! Comes in: both directions of the control connection. Goes out: a [`record::FtpExchange`] when a command has its last
//! reply, or when the flow ends without one; the data connections that were agreed on are announced, followed in
//! [`data`], and what they carry becomes files. Passwords are noted as present and never kept. After `AUTH TLS` the rest
//! is followed as TLS. Bounds: lines, the lines of a reply that are told, commands without a reply; each bites with an
//! anomaly, and the connection is still followed.

mod address;
mod data;
mod line;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "ftp",
    transports: &[Transport::TCP],
    ports: &[21, 2121],
    probe_min_bytes: 4,
    probe,
    parser: |_| Box::new(parser::FtpParser::default()),
    datasets: &[record::FtpExchange::DATASET, record::FtpData::DATASET],
};

/// Commands that other protocols do not have, at least not in this form.
const OWN: [&str; 24] = [
    "SYST", "FEAT", "PASV", "EPSV", "PORT", "EPRT", "TYPE", "MODE", "STRU", "CWD", "CDUP", "PWD", "XPWD", "NLST",
    "MLSD", "MLST", "STOR", "STOU", "APPE", "MDTM", "SITE", "PBSZ", "PROT", "OPTS",
];
/// Commands that mail protocols have too; they say something on FTP's own port only.
const SHARED: [&str; 15] = [
    "USER", "PASS", "ACCT", "AUTH", "QUIT", "NOOP", "HELP", "STAT", "LIST", "RETR", "REST", "SIZE", "DELE", "ABOR",
    "REIN",
];

/// A server begins with a reply, a client with a command. Away from the usual ports the greeting must say what it is, or
/// a command must come that only this protocol has.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match bytes {
        [b'1'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..] => greeting(direction, bytes, on_port),
        [first, ..] if first.is_ascii_alphabetic() => commands(direction, bytes, on_port),
        _ => Probe::No,
    }
}

fn greeting(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let head = bytes.get(..512).unwrap_or(bytes).to_ascii_uppercase();
    let says = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    let whole = bytes.contains(&b'\n');
    if says(b"SMTP") {
        return Probe::No;
    }
    let own = bytes.starts_with(b"220") && says(b"FTP");
    match (own || on_port, whole) {
        (true, true) => sided(direction, Direction::ToClient),
        (_, false) if bytes.len() < 512 => Probe::More,
        _ => Probe::No,
    }
}

fn commands(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let whole = line.ends_with(b"\n");
        let word = line.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next().unwrap_or(&[]);
        let known = |words: &[&str]| words.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
        let text = line.iter().all(|b| matches!(b, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..));
        if !text || word.len() > 4 {
            return Probe::No;
        }
        if !whole {
            return if bytes.len() < 1024 { Probe::More } else { Probe::No };
        }
        let start_tls =
            line.to_ascii_uppercase().starts_with(b"AUTH TLS") || line.to_ascii_uppercase().starts_with(b"AUTH SSL");
        if known(&OWN) || start_tls || (on_port && known(&SHARED)) {
            return sided(direction, Direction::ToServer);
        }
        // Several words after USER are those of IRC.
        let irc = known(&["USER"]) && line.iter().filter(|b| **b == b' ').count() > 2;
        if irc || !known(&["USER", "PASS", "ACCT"]) {
            return Probe::No;
        }
    }
    Probe::More
}

fn sided(direction: Direction, speaker: Direction) -> Probe {
    if direction == speaker { Probe::Yes } else { Probe::YesReversed }
}
