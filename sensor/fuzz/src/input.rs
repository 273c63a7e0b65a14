//! Bytes as a script: numbers and pieces are taken from the front, and zeros follow where it ends.

/// What is left of the script.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether the script is over.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Up to `count` bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// A number of one byte.
    pub fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number of two bytes, little-endian, as all that follow.
    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// A number of four bytes.
    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    /// A step in time: mostly short, sometimes long, now and then backwards; in nanoseconds.
    pub fn step_ns(&mut self) -> i64 {
        let byte = self.u8();
        let size = i64::from(byte & 0x1f) + 1;
        match byte >> 5 {
            0..=2 => size * 1_000,
            3 | 4 => size * 10_000_000,
            5 => size * 1_000_000_000,
            6 => size * 100_000_000_000,
            _ => -size * 300_000_000,
        }
    }

    /// One of a list that is not empty.
    pub fn choose<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::from(self.u8()) % list.len()]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let piece = self.take(N);
        bytes[..piece.len()].copy_from_slice(piece);
        bytes
    }
}
