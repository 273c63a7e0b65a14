//! The keys of the first packets (RFC 9001 section 5, RFC 9369 section 3.3). They are made of what is on the wire, and
//! protect against accidents, not against readers.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::packet::{Packet, VERSION_2};

/// Bytes from which the protection of a header is made.
const SAMPLE_BYTES: usize = 16;
/// Where they begin, from the packet number on: it is taken for four bytes long.
const SAMPLE_AT: usize = 4;

/// The salt of a version.
fn salt(version: u32) -> Option<[u8; 20]> {
    let text = match version {
        1 | 0xff00_0021..=0xff00_0022 => "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
        VERSION_2 => "0dede3def700a6db819381be6e269dcbf9bd2ed9",
        0xff00_001d..=0xff00_0020 => "afbfec289993d24c9e9786f19c6111e04390a899",
        0xff00_0017..=0xff00_001c | 0xface_b002 => "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
        0xff00_0015..=0xff00_0016 | 0xface_b001 => "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
        0x5130_3530 => "504574efd066fe2f9d945cfcdbd3a7f0d3b56b45",
        _ => return None,
    };
    let mut salt = [0; 20];
    hex::decode_to_slice(text, &mut salt).ok()?;
    Some(salt)
}

/// The keys of both sides.
pub struct Keys {
    client: SideKeys,
    server: SideKeys,
}

struct SideKeys {
    header: HeaderProtectionKey,
    packet: LessSafeKey,
    iv: [u8; 12],
}

/// How many bytes are wanted.
#[derive(Clone, Copy)]
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Keys {
    /// The keys for a connection whose client began with this id; nothing for a version that is not known.
    pub fn new(version: u32, id: &[u8]) -> Option<Keys> {
        let secret = Salt::new(HKDF_SHA256, &salt(version)?).extract(id);
        let prefix = if version == VERSION_2 { "quicv2 " } else { "quic " };
        Some(Keys {
            client: SideKeys::new(&secret, "client in", prefix)?,
            server: SideKeys::new(&secret, "server in", prefix)?,
        })
    }

    /// Opens a packet that the client (or the server) sent: gives its frames, or nothing when the keys do not fit.
    pub fn open(&self, packet: &Packet<'_>, of_client: bool) -> Option<Vec<u8>> {
        if of_client { self.client.open(packet) } else { self.server.open(packet) }
    }
}

impl SideKeys {
    fn new(initial: &Prk, side: &str, prefix: &str) -> Option<SideKeys> {
        let mut secret = [0; 32];
        expand(initial, side, &mut secret)?;
        let secret = Prk::new_less_safe(HKDF_SHA256, &secret);
        let (mut key, mut header, mut iv) = ([0; 16], [0; 16], [0; 12]);
        expand(&secret, &format!("{prefix}key"), &mut key)?;
        expand(&secret, &format!("{prefix}hp"), &mut header)?;
        expand(&secret, &format!("{prefix}iv"), &mut iv)?;
        Some(SideKeys {
            header: HeaderProtectionKey::new(&AES_128, &header).ok()?,
            packet: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?),
            iv,
        })
    }

    fn open(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let at = packet.number_at;
        let sample = packet.bytes.get(at.checked_add(SAMPLE_AT)?..)?.get(..SAMPLE_BYTES)?;
        let [first_mask, number_mask @ ..] = self.header.new_mask(sample).ok()?;
        let first = packet.header.first ^ (first_mask & 0x0f);
        let number_bytes = usize::from(first & 3) + 1;
        let mut head = packet.bytes.get(..at.checked_add(number_bytes)?)?.to_vec();
        *head.first_mut()? = first;
        let mut number: u32 = 0;
        for (byte, mask) in head.get_mut(at..)?.iter_mut().zip(number_mask) {
            *byte ^= mask;
            number = number << 8 | u32::from(*byte);
        }
        // These are the first packets: what is cut off of their number is zero.
        let mut nonce = self.iv;
        for (byte, part) in nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
            *byte ^= part;
        }
        let mut sealed = packet.bytes.get(head.len()..)?.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.packet.open_in_place(nonce, Aad::from(&head), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

/// HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) without context.
fn expand(secret: &Prk, label: &str, out: &mut [u8]) -> Option<()> {
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label = format!("tls13 {label}");
    let label_length = [u8::try_from(label.len()).ok()?];
    let info = [&length[..], &label_length, label.as_bytes(), &[0]];
    secret.expand(&info, Length(out.len())).ok()?.fill(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9001 appendix A.1: secret, key and iv of the client whose id is 8394c8f03e515708.
    #[test]
    fn keys_are_the_standards() {
        let id = hex::decode("8394c8f03e515708").unwrap();
        let initial = Salt::new(HKDF_SHA256, &salt(1).unwrap()).extract(&id);
        let mut secret = [0; 32];
        expand(&initial, "client in", &mut secret).unwrap();
        assert_eq!(hex::encode(secret), "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
        let mut key = [0; 16];
        expand(&Prk::new_less_safe(HKDF_SHA256, &secret), "quic key", &mut key).unwrap();
        assert_eq!(hex::encode(key), "1f369613dd76d5467730efcbe3b1a22d");
    }

    /// RFC 9001 appendix A.3: the server's first packet in answer to that client.
    #[test]
    fn the_standards_packet_opens() {
        let bytes = hex::decode(
            "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4c\
             f73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7a\
             af2f58891850abbdca3d20398c276456cbc42158407dd074ee",
        )
        .unwrap();
        let (packet, rest) = super::super::packet::next(&bytes).unwrap();
        assert!(rest.is_empty());
        let keys = Keys::new(1, &hex::decode("8394c8f03e515708").unwrap()).unwrap();
        let frames = keys.open(&packet, false).unwrap();
        assert_eq!(hex::encode(&frames[..13]), "02000000000600405a02000056");
        assert!(keys.open(&packet, true).is_none());
    }
}
