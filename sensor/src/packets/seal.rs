//! The key of the store, and what is derived from it for each segment: AES-256-GCM (NIST SP 800-38D) for contents,
//! HMAC-SHA256 (RFC 2104) for the digests by which flows are found.
//!
//! `DATA/identity/packets.key` holds 32 random bytes for the owner only; it is made at enrolment, or at the first start of
//! a sensor that is not enrolled. Every segment has random salt and so keys of its own (HKDF, RFC 5869); within it the
//! nonce is the segment's number and the block's, and a segment is never written to again once closed. So no nonce is
//! used twice under a key, even if numbers start anew or an old copy of the folder is put back.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use sha2::{Digest as _, Sha256};

/// Length of the key file.
const KEY_BYTES: usize = 32;
/// Salt of a segment.
pub const SALT_BYTES: usize = 16;
/// What sealing adds to a content.
pub const SEAL_BYTES: usize = 16;
/// The name of the key in the identity folder.
pub const KEY_FILE: &str = "packets.key";

/// The key of the whole store.
#[derive(Clone)]
pub struct StoreKey([u8; KEY_BYTES]);

impl StoreKey {
    /// The key of a sensor's data folder.
    pub fn load(data: &Path) -> anyhow::Result<StoreKey> {
        let path = path(data);
        let bytes = std::fs::read(&path).with_context(|| {
            format!(
                "read the key of the packets, {}; is this the data folder of a sensor that keeps packets?",
                path.display()
            )
        })?;
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
        Ok(StoreKey(key.ok().with_context(|| format!("{} does not hold {KEY_BYTES} bytes", path.display()))?))
    }

    /// The key of a sensor's data folder; made where there is none.
    pub fn load_or_make(data: &Path) -> anyhow::Result<StoreKey> {
        let path = path(data);
        if path.exists() {
            return StoreKey::load(data);
        }
        let key = StoreKey::generate().context("make a key for the packets")?;
        let folder = data.join("identity");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("make {}", folder.display()))?;
        key.write(&folder).with_context(|| format!("write {}", path.display()))?;
        Ok(key)
    }

    /// A new key.
    pub fn generate() -> io::Result<StoreKey> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(StoreKey(bytes))
    }

    /// Writes the key into an identity folder, for the owner only.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let partial = folder.join(format!("{KEY_FILE}.partial"));
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(&self.0)?;
        file.sync_all()?;
        std::fs::rename(&partial, folder.join(KEY_FILE))
    }

    /// Tells this key from others without telling anything of it.
    pub fn id(&self) -> [u8; 8] {
        let mut hash = Sha256::new();
        hash.update(b"luytre packets key id");
        hash.update(self.0);
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        id
    }

    /// A key for another purpose, from which this one cannot be found.
    pub fn derive(&self, purpose: &[u8]) -> io::Result<[u8; KEY_BYTES]> {
        let failed = |_| io::Error::other("derive a key");
        let base = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&self.0);
        let purpose = [purpose];
        let mut bytes = [0; KEY_BYTES];
        base.expand(&purpose, KeyLength).and_then(|key| key.fill(&mut bytes)).map_err(failed)?;
        Ok(bytes)
    }

    /// The keys of one segment.
    pub fn segment(&self, salt: &[u8; SALT_BYTES], number: u64) -> io::Result<SegmentKeys> {
        let failed = |_| io::Error::other("derive the keys of a segment");
        let base = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&self.0);
        let content = base.expand(&[b"luytre packets content"], &AES_256_GCM).map_err(failed)?;
        let tags = base.expand(&[b"luytre packets tags"], hmac::HMAC_SHA256).map_err(failed)?;
        Ok(SegmentKeys { content: LessSafeKey::new(UnboundKey::from(content)), tags: hmac::Key::from(tags), number })
    }
}

/// The length of a derived key.
struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

fn path(data: &Path) -> PathBuf {
    data.join("identity").join(KEY_FILE)
}

/// The keys of one segment.
pub struct SegmentKeys {
    content: LessSafeKey,
    tags: hmac::Key,
    number: u64,
}

impl SegmentKeys {
    /// Seals a block's content where it stands; `open` is what stands before it in the clear and must not change either.
    pub fn seal(&self, block: u32, open: &[u8], content: &mut Vec<u8>) -> io::Result<()> {
        let sealed = self.content.seal_in_place_append_tag(self.nonce(block), Aad::from(open), content);
        sealed.map_err(|_| io::Error::other("seal a block of packets"))
    }

    /// Opens a block's content where it stands; nothing where it is not what was sealed.
    pub fn open<'c>(&self, block: u32, open: &[u8], content: &'c mut [u8]) -> Option<&'c [u8]> {
        self.content.open_in_place(self.nonce(block), Aad::from(open), content).ok().map(|plain| &*plain)
    }

    /// The digest by which a flow is found in this segment.
    pub fn tag(&self, flow: &[u8; 20]) -> u64 {
        let digest = hmac::sign(&self.tags, flow);
        digest.as_ref().first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
    }

    fn nonce(&self, block: u32) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.number.to_le_bytes());
        nonce[8..].copy_from_slice(&block.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(StoreKey::load(folder.path()).is_err());
        let made = StoreKey::load_or_make(folder.path()).unwrap();
        assert_eq!(StoreKey::load_or_make(folder.path()).unwrap().id(), made.id());
        let mode = std::fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(StoreKey::generate().unwrap().id(), made.id());
    }

    #[test]
    fn what_was_sealed_opens_only_as_it_was() {
        let key = StoreKey::generate().unwrap();
        let keys = key.segment(&[1; SALT_BYTES], 7).unwrap();
        let mut sealed = b"content".to_vec();
        keys.seal(3, b"head", &mut sealed).unwrap();
        assert_eq!(sealed.len(), 7 + SEAL_BYTES);
        assert_eq!(keys.open(3, b"head", &mut sealed.clone()), Some(&b"content"[..]));
        assert_eq!(keys.open(4, b"head", &mut sealed.clone()), None);
        assert_eq!(keys.open(3, b"hood", &mut sealed.clone()), None);
        let other = key.segment(&[2; SALT_BYTES], 7).unwrap();
        assert_eq!(other.open(3, b"head", &mut sealed.clone()), None);
        assert_ne!(other.tag(&[5; 20]), keys.tag(&[5; 20]));
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert_eq!(keys.open(3, b"head", &mut sealed), None);
    }
}
