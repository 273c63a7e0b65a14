//! Canaries: marked, harmless packets that are sent on request and must be seen at the other end.
//!
//! Comes in: at the sender a key and an address; at the sensor every UDP payload that begins like a canary. Goes out: how
//! many of a run were seen, lost and how late, as an event of the `canary` dataset and as an answer to whoever waits
//! ([`watch`]). A mirror port that was switched off, a filter that is too wide, or a ring that overflows shows this way
//! before somebody misses an alert.
//!
//! A canary carries HMAC-SHA256 under a key that is derived from the sensor's own, so nobody else can make one, and the time
//! at which it was sent, so that a recorded one does not pass for new. On overload canaries are looked at even while
//! detail is given up. Runs are forgotten over a restart.

pub mod send;
pub mod watch;

use ring::hmac;

use crate::packets::StoreKey;

/// What a canary begins with.
const MARK: &[u8; 8] = b"LTCANARY";
/// The only form there is so far.
const VERSION: u8 = 1;
/// Bytes before the HMAC.
const SIGNED_BYTES: usize = 48;
/// Bytes of a canary.
pub const CANARY_BYTES: usize = SIGNED_BYTES + 32;
/// Most canaries of a run.
pub const COUNT_MAX: u32 = 10_000;
/// `network.protocol` of their flows.
pub const NAME: &str = "canary";

/// Tells a run from others.
pub type Run = [u8; 16];

/// The key that canaries are signed with.
#[derive(Clone)]
pub struct CanaryKey {
    bytes: [u8; 32],
    key: hmac::Key,
}

impl CanaryKey {
    /// The one that belongs to a sensor's key; it tells nothing of that key and may be carried to another machine.
    pub fn of(store: &StoreKey) -> std::io::Result<CanaryKey> {
        Ok(CanaryKey::from(store.derive(b"luytre canary")?))
    }

    /// Reads what [`CanaryKey::text`] wrote.
    pub fn parse(text: &str) -> Option<CanaryKey> {
        let bytes: [u8; 32] = hex::decode(text.trim()).ok()?.try_into().ok()?;
        Some(CanaryKey::from(bytes))
    }

    /// In hexadecimal, to be carried to another machine; whoever has it can make canaries and nothing else.
    pub fn text(&self) -> String {
        hex::encode(self.bytes)
    }
}

impl From<[u8; 32]> for CanaryKey {
    fn from(bytes: [u8; 32]) -> CanaryKey {
        CanaryKey { bytes, key: hmac::Key::new(hmac::HMAC_SHA256, &bytes) }
    }
}

/// What a canary says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canary {
    /// The run it belongs to.
    pub run: Run,
    /// Which one of the run it is, from 0.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// When it was sent, by the sender's clock, nanoseconds since 1970-01-01 UTC.
    pub sent_ns: i64,
    /// Microseconds between two of the run.
    pub interval_us: u32,
}

/// Whether a payload begins like a canary.
pub fn begins(payload: &[u8]) -> bool {
    payload.starts_with(MARK)
}

impl Canary {
    /// The payload.
    pub fn sign(&self, key: &CanaryKey) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        bytes.extend([VERSION, 0, 0, 0]);
        bytes.extend(self.run);
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.count.to_be_bytes());
        bytes.extend(self.sent_ns.to_be_bytes());
        bytes.extend(self.interval_us.to_be_bytes());
        let mark = hmac::sign(&key.key, &bytes);
        bytes.extend(mark.as_ref());
        bytes
    }

    /// Reads a payload; nothing unless it was signed with this key.
    pub fn verify(payload: &[u8], key: &CanaryKey) -> Option<Canary> {
        let (signed, mark) = payload.split_at_checked(SIGNED_BYTES)?;
        hmac::verify(&key.key, signed, mark).ok()?;
        let rest = signed.strip_prefix(MARK)?.strip_prefix(&[VERSION, 0, 0, 0])?;
        let (run, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (sent_ns, rest) = rest.split_first_chunk()?;
        let (interval_us, _) = rest.split_first_chunk()?;
        let canary = Canary {
            run: *run,
            number: u32::from_be_bytes(*number),
            count: u32::from_be_bytes(*count),
            sent_ns: i64::from_be_bytes(*sent_ns),
            interval_us: u32::from_be_bytes(*interval_us),
        };
        (canary.number < canary.count && canary.count <= COUNT_MAX).then_some(canary)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_what_was_signed_is_read(
            run: Run, number in 0..50u32, sent_ns: i64, interval_us: u32, flip in 0..CANARY_BYTES * 8, noise: Vec<u8>,
        ) {
            let key = CanaryKey::of(&StoreKey::generate().unwrap()).unwrap();
            let canary = Canary { run, number, count: 50, sent_ns, interval_us };
            let bytes = canary.sign(&key);
            prop_assert!(begins(&bytes) && bytes.len() == CANARY_BYTES);
            prop_assert_eq!(Canary::verify(&bytes, &key), Some(canary));
            prop_assert_eq!(Canary::verify(&bytes, &CanaryKey::parse(&key.text()).unwrap()), Some(canary));
            let mut spoilt = bytes.clone();
            spoilt[flip / 8] ^= 1 << (flip % 8);
            prop_assert_eq!(Canary::verify(&spoilt, &key), None);
            prop_assert_eq!(Canary::verify(&bytes, &CanaryKey::of(&StoreKey::generate().unwrap()).unwrap()), None);
            prop_assert_eq!(Canary::verify(&[MARK.as_slice(), &noise].concat(), &key), None);
        }
    }
}
