//! A log of checked records in segment files: what the sensor's spool and the collector's journal are made of.
//!
//! Comes in: records, as bytes. Goes out: the same records in the same order, after a crash at any moment at least up to
//! the last [`Log::sync`] that succeeded. Nothing is interpreted here, and nothing is dropped silently: what is cut off
//! or damaged is said.
//!
//! # Form on disk
//!
//! A segment is a file `NNNNNNNNNNNNNNNN.log` (its number in hexadecimal, from 1). It is a row of frames:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `LTR1` |
//! | 4 | length of the payload, little-endian |
//! | 4 | how many bytes of this segment were durable when the frame was written, little-endian |
//! | 4 | CRC-32 (IEEE 802.3) of the two numbers and the payload, little-endian |
//! | n | the payload |
//!
//! The first frame is the segment's header: state that the owner wants to find again when earlier segments are gone.
//!
//! # Recovery
//!
//! Only the newest segment can be torn, because a segment is made durable before the next one begins. At the first frame
//! that does not check, later frames are looked at: if one of them was written when the broken place was already
//! durable, the place is *damaged* (skipped, counted, the rest kept); otherwise it is the *torn tail* of a crash, which
//! nobody has been promised, and is cut. A flip in the very last frame cannot be told from a torn tail.
//!
//! # Invariants
//!
//! 1. A failed append changes nothing. A failed sync voids all records since the last one that succeeded: the caller
//!    must drop or append them again.
//! 2. Cursors see durable records only.
//! 3. After a fault the tail is cut, at the latest before anything else is written, so a voided record comes back only if
//!    the disk refuses that too and the power fails then.

mod cursor;
mod disk;
mod frame;
mod log;
pub mod memory;

pub use cursor::{Cursor, Step};
pub use disk::{Disk, Folder};
pub use log::{Log, Position, Recovery, View};

/// The largest record, in bytes. Larger ones are refused, and a length above it in a file is damage.
pub const RECORD_MAX_BYTES: usize = 32 << 20;
