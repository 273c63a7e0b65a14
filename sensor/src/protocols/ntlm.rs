//! Messages of NTLM ([MS-NLMP] section 2.2.1), which many protocols carry to log in.

use super::reader::{Reader, Short};
use super::text;

/// How every message begins.
pub const SIGNATURE: &[u8] = b"NTLMSSP\0";
/// Characters of a name that are told.
const NAME_CHARS: usize = 256;
/// Names of the server that are looked at.
const MAX_NAMES: usize = 16;
/// The names are in UTF-16.
const UNICODE: u32 = 1;
/// The version field is filled.
const VERSION: u32 = 0x0200_0000;

/// One of the three messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The client begins.
    Negotiate,
    /// The server answers, and says who it is.
    Challenge(Server),
    /// The client proves who it is.
    Authenticate(Client),
}

/// What a server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// Name of the computer: in DNS if it says so, else in NetBIOS.
    pub computer: Option<String>,
    /// Name of its domain: in DNS if it says so, else in NetBIOS.
    pub domain: Option<String>,
    /// Version of its system: 10.0.19041.
    pub version: Option<String>,
}

/// What a client says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Who logs in; empty for nobody in particular.
    pub user: String,
    /// Domain of the user, or name of the computer that knows the user.
    pub domain: String,
    /// Name of the client's computer.
    pub host: String,
    /// Version of its system.
    pub version: Option<String>,
    /// Version of the proof: NTLMv1, NTLMv2 or anonymous.
    pub proof: &'static str,
}

/// Reads the first message that stands in `bytes`, whatever wraps it.
pub fn find(bytes: &[u8]) -> Option<Message> {
    let start = bytes.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
    read(bytes.get(start..)?).ok()
}

fn read(whole: &[u8]) -> Result<Message, Short> {
    let mut r = Reader::new(whole);
    r.skip(SIGNATURE.len())?;
    match r.u32_le()? {
        1 => Ok(Message::Negotiate),
        2 => challenge(whole, r).map(Message::Challenge),
        3 => authenticate(whole, r).map(Message::Authenticate),
        _ => Err(Short),
    }
}

fn challenge(whole: &[u8], mut r: Reader<'_>) -> Result<Server, Short> {
    let target = field(whole, &mut r)?;
    let flags = r.u32_le()?;
    r.skip(16)?;
    let names = field(whole, &mut r).unwrap_or(&[]);
    let version = (flags & VERSION != 0).then(|| version(&mut r)).flatten();
    let mut server = Server { version, ..Server::default() };
    let (mut computer, mut domain) = (None, None);
    let mut r = Reader::new(names);
    for _ in 0..MAX_NAMES {
        let (Ok(kind), Ok(length)) = (r.u16_le(), r.u16_le()) else { break };
        let Ok(value) = r.take(length.into()) else { break };
        let place = match kind {
            0 => break,
            1 => &mut computer,
            2 => &mut domain,
            3 => &mut server.computer,
            4 => &mut server.domain,
            _ => continue,
        };
        *place = Some(text::utf16(value, NAME_CHARS)).filter(|name| !name.is_empty());
    }
    server.computer = server.computer.or(computer);
    let target = Some(name(target, flags)).filter(|name| !name.is_empty());
    server.domain = server.domain.or(domain).or(target);
    Ok(server)
}

fn authenticate(whole: &[u8], mut r: Reader<'_>) -> Result<Client, Short> {
    let _lan_manager = field(whole, &mut r)?;
    let proof = field(whole, &mut r)?;
    let domain = field(whole, &mut r)?;
    let user = field(whole, &mut r)?;
    let host = field(whole, &mut r)?;
    let _key = field(whole, &mut r).unwrap_or(&[]);
    // Old clients leave the flags out; their names begin where the flags would be.
    let flags = r.u32_le().unwrap_or(0);
    let looks_wide = |bytes: &[u8]| bytes.len().is_multiple_of(2) && bytes.get(1) == Some(&0);
    let wide = flags & UNICODE != 0 || [user, host, domain].into_iter().any(looks_wide);
    let flags = if wide { flags | UNICODE } else { flags };
    Ok(Client {
        user: name(user, flags),
        domain: name(domain, flags),
        host: name(host, flags),
        version: (flags & VERSION != 0).then(|| version(&mut r)).flatten(),
        proof: match proof.len() {
            0 | 1 if user.is_empty() => "anonymous",
            ..=24 => "NTLMv1",
            _ => "NTLMv2",
        },
    })
}

fn name(bytes: &[u8], flags: u32) -> String {
    match flags & UNICODE {
        0 => text::text(bytes, NAME_CHARS),
        _ => text::utf16(bytes, NAME_CHARS),
    }
}

/// What a length, a size and a place in the whole message point at.
fn field<'a>(whole: &'a [u8], r: &mut Reader<'_>) -> Result<&'a [u8], Short> {
    let (length, _room, offset) = (r.u16_le()?, r.u16_le()?, r.u32_le()?);
    let start = usize::try_from(offset).map_err(|_| Short)?;
    if length == 0 {
        return Ok(&[]);
    }
    whole.get(start..).and_then(|from| from.get(..length.into())).ok_or(Short)
}

fn version(r: &mut Reader<'_>) -> Option<String> {
    let (major, minor, build) = (r.u8().ok()?, r.u8().ok()?, r.u16_le().ok()?);
    Some(format!("{major}.{minor}.{build}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// A message of the third kind with its names behind the header.
    fn proof(flags: u32, response: usize, names: [&[u8]; 3]) -> Vec<u8> {
        let mut message = [SIGNATURE, &3u32.to_le_bytes()].concat();
        let mut behind = Vec::new();
        for part in [&[][..], &vec![7; response], names[0], names[1], names[2], &[]] {
            message.extend((part.len() as u16).to_le_bytes().repeat(2));
            message.extend((72 + behind.len() as u32).to_le_bytes());
            behind.extend(part);
        }
        message.extend(flags.to_le_bytes());
        message.extend([10, 0, 0x61, 0x4a, 0, 0, 0, 15]);
        [message, behind].concat()
    }

    #[test]
    fn a_client_is_read_whatever_wraps_it() {
        let names = [wide("TINH"), wide("an.nguyễn"), wide("MAY-01")];
        let names = [&names[0][..], &names[1], &names[2]];
        let wrapped = [&b"\xa1\x82"[..], &proof(UNICODE | VERSION, 300, names)].concat();
        let Some(Message::Authenticate(client)) = find(&wrapped) else { panic!("not found") };
        assert_eq!((&*client.user, &*client.domain, &*client.host), ("an.nguyễn", "TINH", "MAY-01"));
        assert_eq!((client.version.as_deref(), client.proof), (Some("10.0.19041"), "NTLMv2"));
        let Some(Message::Authenticate(client)) = find(&proof(0, 24, [b"TINH", b"an", b"MAY"])) else { panic!() };
        assert_eq!((&*client.user, client.version, client.proof), ("an", None, "NTLMv1"));
        let cut = proof(UNICODE, 24, names);
        assert_eq!(find(&cut[..cut.len() - 1]), None);
    }
}
