//! The algorithms that both sides offer (RFC 4253 section 7.1), their fingerprints, and what comes of them.

use md5::{Digest as _, Md5};

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Names of a list that are told.
const MAX_NAMES: usize = 64;
/// Characters of a name that are told (RFC 4251 section 6 allows 64).
const MAX_NAME_BYTES: usize = 64;

/// One side's KEXINIT message. The lists of algorithms are as sent.
#[derive(Debug, Default, Clone)]
pub struct Offer {
    /// Key exchanges.
    pub kex: Vec<u8>,
    /// Kinds of host keys.
    pub host_keys: Vec<u8>,
    /// Ciphers, client to server and server to client.
    pub ciphers: [Vec<u8>; 2],
    /// Message authentication codes, the same way.
    pub macs: [Vec<u8>; 2],
    /// Compressions, the same way.
    pub compressions: [Vec<u8>; 2],
}

impl Offer {
    /// Reads the message behind its type.
    pub fn read(body: &[u8]) -> Result<Offer, Short> {
        let mut r = Reader::new(body);
        r.skip(16)?;
        let mut list = || string(&mut r).map(<[u8]>::to_vec);
        Ok(Offer {
            kex: list()?,
            host_keys: list()?,
            ciphers: [list()?, list()?],
            macs: [list()?, list()?],
            compressions: [list()?, list()?],
        })
    }

    /// HASSH of a client (`way` 0) or server (`way` 1): what it offers for the bytes that it sends itself.
    pub fn hassh(&self, way: usize) -> String {
        hex::encode(Md5::digest(self.hassh_text(way)))
    }

    /// What HASSH is the digest of.
    pub fn hassh_text(&self, way: usize) -> Vec<u8> {
        let mut text = self.kex.clone();
        for lists in [&self.ciphers, &self.macs, &self.compressions] {
            text.push(b';');
            text.extend_from_slice(lists.get(way).map_or(&[][..], Vec::as_slice));
        }
        text
    }

    /// Whether a name stands among the key exchanges.
    pub fn has_kex(&self, name: &[u8]) -> bool {
        names(&self.kex).any(|one| one == name)
    }
}

/// A string with four bytes of length before it (RFC 4251 section 5).
pub fn string<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let length = r.u32()?;
    r.take(usize::try_from(length).map_err(|_| Short)?)
}

fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&b| b == b',').filter(|name| !name.is_empty())
}

/// The names of a list as they are told.
pub fn told(list: &[u8]) -> Vec<String> {
    names(list).take(MAX_NAMES).map(|name| text::text(name, MAX_NAME_BYTES)).collect()
}

/// The first of the client's names that the server has too (RFC 4253 section 7.1).
pub fn agreed(client: &[u8], server: &[u8]) -> Option<String> {
    let name = names(client).find(|name| names(server).any(|other| other == *name))?;
    Some(text::text(name, MAX_NAME_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_prefers_and_the_server_allows() {
        assert_eq!(agreed(b"a,b,c", b"c,b").as_deref(), Some("b"));
        assert_eq!(agreed(b"a", b"b"), None);
        assert_eq!(agreed(b"", b""), None);
        assert_eq!(told(b"a,,b"), ["a", "b"]);
    }

    #[test]
    fn a_hassh_is_the_digest_of_four_lists() {
        let offer = Offer {
            kex: b"k1,k2".to_vec(),
            ciphers: [b"up".to_vec(), b"down".to_vec()],
            macs: [b"mu".to_vec(), b"md".to_vec()],
            compressions: [b"none".to_vec(), b"zlib".to_vec()],
            ..Offer::default()
        };
        assert_eq!(offer.hassh(0), hex::encode(Md5::digest(b"k1,k2;up;mu;none")));
        assert_eq!(offer.hassh(1), hex::encode(Md5::digest(b"k1,k2;down;md;zlib")));
    }
}
