//! The link layer: frames with sums, of which one or more make a message (IEEE 1815 clauses 8 and 9).

use crate::protocols::reader::Reader;

/// Bytes of a header with its sum.
pub const HEADER_BYTES: usize = 10;
/// Bytes that share a sum.
const BLOCK_BYTES: usize = 16;

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the content without sums.
    pub content_bytes: usize,
    /// The frame comes from the station that asks.
    pub from_master: bool,
    /// The frame comes from the station that began, and carries user data.
    pub user_data: bool,
    /// Link address of the receiver.
    pub destination: u16,
    /// Link address of the sender.
    pub source: u16,
}

impl Header {
    /// Reads a header at the start of `bytes`; nothing if its mark, length or sum is not right.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let (head, sum) = bytes.get(..HEADER_BYTES)?.split_at_checked(HEADER_BYTES - 2)?;
        let [0x05, 0x64, length, control, d0, d1, s0, s1] = *head else { return None };
        if sum != check(head).to_le_bytes() {
            return None;
        }
        Some(Header {
            content_bytes: usize::from(length).checked_sub(5)?,
            from_master: control & 0x80 != 0,
            // From the primary station, with function 3 or 4: confirmed and unconfirmed user data.
            user_data: control & 0x40 != 0 && matches!(control & 0x0f, 3 | 4),
            destination: u16::from_le_bytes([d0, d1]),
            source: u16::from_le_bytes([s0, s1]),
        })
    }

    /// Bytes of the whole frame.
    pub fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.content_bytes + 2 * self.content_bytes.div_ceil(BLOCK_BYTES)
    }
}

/// The content of a frame without its sums; nothing if one of them is wrong.
pub fn content(header: &Header, frame: &[u8]) -> Option<Vec<u8>> {
    let mut r = Reader::new(frame.get(HEADER_BYTES..)?);
    let mut content = Vec::with_capacity(header.content_bytes);
    while content.len() < header.content_bytes {
        let block = r.take(BLOCK_BYTES.min(header.content_bytes - content.len())).ok()?;
        if r.array::<2>().ok()? != check(block).to_le_bytes() {
            return None;
        }
        content.extend_from_slice(block);
    }
    Some(content)
}

/// The sum of IEEE 1815 (polynomial 0x3d65, least significant bit first, inverted).
fn check(bytes: &[u8]) -> u16 {
    let mut sum = 0u16;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 != 0 { (sum >> 1) ^ 0xa6bc } else { sum >> 1 };
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standard() {
        // The check value of this sum in catalogues of such sums.
        assert_eq!(check(b"123456789"), 0xea82);
    }

    #[test]
    fn a_frame_is_taken_apart() {
        let mut frame = vec![0x05, 0x64, 5 + 18, 0xc4, 4, 0, 3, 0];
        frame.extend(check(&frame).to_le_bytes());
        let content_bytes: Vec<u8> = (0..18).collect();
        for block in content_bytes.chunks(16) {
            frame.extend(block);
            frame.extend(check(block).to_le_bytes());
        }
        let header = Header::read(&frame).unwrap();
        assert_eq!((header.source, header.destination, header.from_master, header.user_data), (3, 4, true, true));
        assert_eq!(header.frame_bytes(), frame.len());
        assert_eq!(content(&header, &frame), Some(content_bytes));
        frame[12] ^= 1;
        assert_eq!(content(&header, &frame), None);
        frame[3] ^= 1;
        assert_eq!(Header::read(&frame), None);
    }
}
