//! The two hellos: what a client offers and what a server chooses (RFC 8446 section 4.1, RFC 5246 section 7.4.1).

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Longest host name that is kept.
const MAX_NAME_BYTES: usize = 255;
/// Entries kept of any list; real hellos have some dozens.
const MAX_ITEMS: usize = 512;

/// The random value by which a server's hello asks the client for another one (RFC 8446 section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a client offers.
#[derive(Debug, Default)]
pub struct ClientHello {
    /// Version as old servers read it.
    pub version: u16,
    /// Cipher suites, in order, GREASE included.
    pub ciphers: Vec<u16>,
    /// Extensions, in order, GREASE included.
    pub extensions: Vec<u16>,
    /// Groups of the key exchange.
    pub groups: Vec<u16>,
    /// Formats of curve points.
    pub point_formats: Vec<u8>,
    /// Signature algorithms.
    pub signatures: Vec<u16>,
    /// Versions offered by extension (TLS 1.3).
    pub versions: Vec<u16>,
    /// Protocols offered by ALPN.
    pub alpn: Vec<Vec<u8>>,
    /// Host name (SNI) in lower case.
    pub server_name: Option<String>,
    /// Session id, not empty when an old session is taken up (or TLS 1.3 pretends so).
    pub session_id: Vec<u8>,
    /// A session ticket was presented.
    pub ticket: bool,
    /// The list of extensions ended before it should.
    pub malformed: bool,
}

impl ClientHello {
    /// Whether the client sent, or pretended to send, an encrypted hello inside this one (ECH, RFC 9849).
    pub fn encrypted_hello(&self) -> bool {
        self.extensions.contains(&0xfe0d)
    }
}

/// What a server chooses.
#[derive(Debug, Default)]
pub struct ServerHello {
    /// Version field.
    pub legacy_version: u16,
    /// Version by extension (TLS 1.3), else the field.
    pub version: u16,
    /// Cipher suite.
    pub cipher: u16,
    /// Extensions, in order.
    pub extensions: Vec<u16>,
    /// Protocol chosen by ALPN.
    pub alpn: Option<Vec<u8>>,
    /// Group of the key exchange (TLS 1.3).
    pub group: Option<u16>,
    /// Session id.
    pub session_id: Vec<u8>,
    /// A pre-shared key was accepted: resumption in TLS 1.3.
    pub pre_shared_key: bool,
    /// This is a request for another client's hello.
    pub retry: bool,
}

/// Reads the body of a client's hello. Extensions that do not fit their own format are left out.
pub fn client(body: &[u8]) -> Result<ClientHello, Short> {
    read_client(body, false)
}

/// The same over datagrams, where the server's cookie stands in it (RFC 6347 section 4.3.2).
pub fn datagram_client(body: &[u8]) -> Result<ClientHello, Short> {
    read_client(body, true)
}

fn read_client(body: &[u8], cookie: bool) -> Result<ClientHello, Short> {
    let mut r = Reader::new(body);
    let mut hello = ClientHello { version: r.u16()?, ..ClientHello::default() };
    r.skip(32)?;
    hello.session_id = r.part8()?.rest().to_vec();
    if cookie {
        r.part8()?;
    }
    hello.ciphers = words(r.part16()?);
    r.part8()?;
    if r.is_empty() {
        return Ok(hello);
    }
    // Cut or lying extensions leave what came before them.
    let mut list = r.part16().unwrap_or_else(|Short| {
        hello.malformed = true;
        Reader::new(r.rest().get(2..).unwrap_or(&[]))
    });
    while !list.is_empty() && hello.extensions.len() < MAX_ITEMS {
        let (Ok(kind), Ok(value)) = (list.u16(), list.part16()) else {
            hello.malformed = true;
            break;
        };
        hello.extensions.push(kind);
        hello.malformed |= client_extension(&mut hello, kind, value).is_err();
    }
    Ok(hello)
}

fn client_extension(hello: &mut ClientHello, kind: u16, mut value: Reader<'_>) -> Result<(), Short> {
    match kind {
        0 => hello.server_name = server_name(value)?,
        10 => hello.groups = words(value.part16()?),
        11 => hello.point_formats = value.part8()?.rest().iter().copied().take(MAX_ITEMS).collect(),
        13 => hello.signatures = words(value.part16()?),
        16 => hello.alpn = alpn(value)?,
        35 => hello.ticket = !value.is_empty(),
        43 => hello.versions = words(value.part8()?),
        _ => {}
    }
    Ok(())
}

/// The host name of the extension (RFC 6066 section 3).
fn server_name(mut value: Reader<'_>) -> Result<Option<String>, Short> {
    if value.is_empty() {
        return Ok(None);
    }
    let mut list = value.part16()?;
    while !list.is_empty() {
        let kind = list.u8()?;
        let name = list.part16()?;
        if kind == 0 {
            return Ok(Some(text::text(name.rest(), MAX_NAME_BYTES).to_ascii_lowercase()));
        }
    }
    Ok(None)
}

fn alpn(mut value: Reader<'_>) -> Result<Vec<Vec<u8>>, Short> {
    let mut list = value.part16()?;
    let mut names = Vec::new();
    while !list.is_empty() && names.len() < MAX_ITEMS {
        names.push(list.part8()?.rest().to_vec());
    }
    Ok(names)
}

fn words(mut r: Reader<'_>) -> Vec<u16> {
    std::iter::from_fn(|| r.u16().ok()).take(MAX_ITEMS).collect()
}

/// Reads the body of a server's hello.
pub fn server(body: &[u8]) -> Result<ServerHello, Short> {
    let mut r = Reader::new(body);
    let legacy_version = r.u16()?;
    let mut hello = ServerHello { legacy_version, version: legacy_version, ..ServerHello::default() };
    hello.retry = r.array::<32>()? == RETRY_RANDOM;
    // Drafts of TLS 1.3 before 22 had neither session id nor compression.
    let early_draft = (0x7f00..0x7f16).contains(&legacy_version);
    if !early_draft {
        hello.session_id = r.part8()?.rest().to_vec();
    }
    hello.cipher = r.u16()?;
    if !early_draft {
        r.skip(1)?;
    }
    if r.is_empty() {
        return Ok(hello);
    }
    let mut list = r.part16()?;
    while !list.is_empty() && hello.extensions.len() < MAX_ITEMS {
        let kind = list.u16()?;
        let mut value = list.part16()?;
        hello.extensions.push(kind);
        match kind {
            16 => hello.alpn = alpn(value)?.into_iter().next(),
            41 => hello.pre_shared_key = true,
            43 => hello.version = value.u16()?,
            51 => hello.group = value.u16().ok(),
            _ => {}
        }
    }
    Ok(hello)
}

/// A client's hello in SSL 2.0 form (RFC 5246 appendix E.2): gives the version it asks for.
pub fn sslv2_client(bytes: &[u8]) -> Option<u16> {
    let mut r = Reader::new(bytes);
    let length = r.u16().ok()? & 0x7fff;
    let kind = r.u8().ok()?;
    let version = r.u16().ok()?;
    let (ciphers, session_id, challenge) = (r.u16().ok()?, r.u16().ok()?, r.u16().ok()?);
    let fits = u32::from(length) == 9 + u32::from(ciphers) + u32::from(session_id) + u32::from(challenge);
    let known = matches!(version, 0x0002 | 0x0300..=0x0304);
    (kind == 1 && known && fits && ciphers % 3 == 0 && ciphers > 0 && (16..=32).contains(&challenge)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_hello_and_a_ticket_are_noticed() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend(b"\x00\x00\x02\x13\x01\x01\x00\x00\x0c\xfe\x0d\x00\x01\x00\x00\x23\x00\x03abc");
        let hello = client(&body).unwrap();
        assert!(hello.encrypted_hello() && hello.ticket && !hello.malformed);
        assert_eq!(hello.extensions, [0xfe0d, 35]);
    }
}
