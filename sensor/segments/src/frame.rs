//! One frame of a segment: how it is written, how it is recognised, and how the next one is found after damage.

use crate::RECORD_MAX_BYTES;

const MARK: [u8; 4] = *b"LTR1";

/// Bytes before the payload.
pub(crate) const HEAD_BYTES: usize = 16;

/// A frame that checks, within a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where its payload lies.
    pub payload: std::ops::Range<usize>,
    /// How much of the segment was durable when it was written.
    pub durable: u32,
}

/// The payload's length that a frame's first bytes announce; nothing where these are not a frame's.
pub(crate) fn announced(head: &[u8]) -> Option<usize> {
    let length = usize::try_from(number(head, 4)?).ok()?;
    (head.get(..4)? == MARK && length <= RECORD_MAX_BYTES).then_some(length)
}

/// The bytes of a frame.
pub(crate) fn write(payload: &[u8], durable: u32) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= RECORD_MAX_BYTES)?;
    let mut out = Vec::with_capacity(HEAD_BYTES + payload.len());
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&durable.to_le_bytes());
    out.extend_from_slice(&checksum(length, durable, payload).to_le_bytes());
    out.extend_from_slice(payload);
    Some(out)
}

/// The frame that begins at `at`, if one does and it checks.
pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Frame> {
    let head = bytes.get(at..at.checked_add(HEAD_BYTES)?)?;
    let length = announced(head)?;
    let start = at + HEAD_BYTES;
    let payload = start..start.checked_add(length)?;
    let durable = number(head, 8)?;
    let expected = number(head, 12)?;
    let content = bytes.get(payload.clone())?;
    let found = checksum(u32::try_from(length).ok()?, durable, content);
    (found == expected).then_some(Frame { payload, durable })
}

/// The first frame that checks and begins after `from`: where it begins, and the frame.
pub(crate) fn after(bytes: &[u8], from: usize) -> Option<(usize, Frame)> {
    let mut next = from.checked_add(1)?;
    loop {
        let rest = bytes.get(next..)?;
        next += rest.windows(MARK.len()).position(|window| window == MARK)?;
        if let Some(frame) = at(bytes, next) {
            return Some((next, frame));
        }
        next += 1;
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
}

fn checksum(length: u32, durable: u32, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length.to_le_bytes());
    crc.update(&durable.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_any_flip_is_noticed() {
        let bytes = write(b"hello", 7).unwrap();
        let frame = at(&bytes, 0).unwrap();
        assert_eq!((&bytes[frame.payload.clone()], frame.durable), (&b"hello"[..], 7));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(at(&flipped, 0), None, "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(at(&bytes[..cut], 0), None, "cut at {cut}");
        }
    }

    #[test]
    fn the_next_frame_is_found_behind_rubbish() {
        let mut bytes = b"LTR1LTRLTR1 rubbish".to_vec();
        let start = bytes.len();
        bytes.extend(write(b"x", 0).unwrap());
        assert_eq!(after(&bytes, 0).map(|(at, _)| at), Some(start));
        assert_eq!(after(&bytes, start), None);
    }
}
