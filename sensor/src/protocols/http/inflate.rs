//! Deflate and zlib streams (RFC 1951, RFC 1950), a step at a time and without a copy: what a step makes is read where it
//! was made, in the window that later bytes refer to.
//!
//! State and window of a stream that is over are kept for the next one of the thread, at most [`SPARE`] of them; the part
//! of the window that was written is cleared first, so that nothing of one body is ever seen in another.

use std::cell::RefCell;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// The farthest that deflate refers back; a power of two, as a window that wraps must be.
const WINDOW_BYTES: usize = 32 * 1024;
/// Places kept for later streams of a thread.
const SPARE: usize = 8;

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All that came in is used up.
    Hungry,
    /// The window is full: another step goes on.
    Full,
    /// The stream is over.
    Over,
    /// This is no such stream, or not any more.
    Broken,
}

/// One stream.
pub struct Inflate {
    place: Option<Box<Workplace>>,
    flags: u32,
    made_bytes: usize,
}

struct Workplace {
    state: DecompressorOxide,
    window: [u8; WINDOW_BYTES],
}

thread_local! {
    static PLACES: RefCell<Vec<Box<Workplace>>> = const { RefCell::new(Vec::new()) };
}

impl Inflate {
    /// For a stream with the head and check sum of zlib, or a bare one.
    pub fn new(zlib: bool) -> Inflate {
        let sum =
            if zlib { TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32 } else { TINFL_FLAG_IGNORE_ADLER32 };
        let spare = PLACES.with_borrow_mut(Vec::pop);
        let place =
            spare.unwrap_or_else(|| Box::new(Workplace { state: DecompressorOxide::new(), window: [0; WINDOW_BYTES] }));
        Inflate { place: Some(place), flags: sum | TINFL_FLAG_HAS_MORE_INPUT, made_bytes: 0 }
    }

    /// Goes on with some bytes: how many of them were used, and what they make.
    pub fn step(&mut self, bytes: &[u8]) -> (Step, usize, &[u8]) {
        let Some(place) = &mut self.place else { return (Step::Broken, 0, &[]) };
        let at = self.made_bytes % WINDOW_BYTES;
        let (status, used, made) = decompress(&mut place.state, bytes, &mut place.window, at, self.flags);
        self.made_bytes += made;
        let step = match status {
            TINFLStatus::Done => Step::Over,
            TINFLStatus::HasMoreOutput => Step::Full,
            TINFLStatus::NeedsMoreInput => Step::Hungry,
            _ => Step::Broken,
        };
        (step, used, place.window.get(at..at + made).unwrap_or(&[]))
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        let Some(mut place) = self.place.take() else { return };
        // A thread that is ending has no list any more.
        let _ = PLACES.try_with(|places| {
            let mut places = places.borrow_mut();
            if places.len() < SPARE {
                place.state.init();
                let written = self.made_bytes.min(WINDOW_BYTES);
                if let Some(written) = place.window.get_mut(..written) {
                    written.fill(0);
                }
                places.push(place);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of length 3 from distance 100 of nothing: fixed codes, built by hand from RFC 1951 section 3.2.6.
    const BACK_BEYOND_THE_BEGINNING: [u8; 4] = [0x03, 0xda, 0x01, 0x00];

    fn all(mut inflate: Inflate, bytes: &[u8]) -> (Step, Vec<u8>) {
        let (mut bytes, mut out) = (bytes, Vec::new());
        loop {
            let (step, used, made) = inflate.step(bytes);
            out.extend_from_slice(made);
            bytes = &bytes[used..];
            if step != Step::Full {
                return (step, out);
            }
        }
    }

    #[test]
    fn streams_longer_than_the_window_come_out_whole() {
        let text: Vec<u8> = (0..200_000u32).flat_map(|i| (i / 7 % 1000).to_be_bytes()).collect();
        for zlib in [true, false] {
            let packed = if zlib {
                miniz_oxide::deflate::compress_to_vec_zlib(&text, 6)
            } else {
                miniz_oxide::deflate::compress_to_vec(&text, 6)
            };
            assert_eq!(all(Inflate::new(zlib), &packed), (Step::Over, text.clone()));
            let mut damaged = packed;
            *damaged.last_mut().unwrap() ^= 0xff;
            assert_eq!(all(Inflate::new(zlib), &damaged).0 == Step::Broken, zlib);
        }
    }

    #[test]
    fn nothing_of_one_stream_is_seen_in_another() {
        let before = all(Inflate::new(false), &BACK_BEYOND_THE_BEGINNING);
        assert_eq!(before, (Step::Over, vec![0; 3]));
        let secret = miniz_oxide::deflate::compress_to_vec(&[b'S'; 100_000], 6);
        assert_eq!(all(Inflate::new(false), &secret).1.len(), 100_000);
        assert_eq!(all(Inflate::new(false), &BACK_BEYOND_THE_BEGINNING), before);
    }
}
