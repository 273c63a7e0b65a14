//! Hostile bytes for everything in the sensor that reads some, and what must hold whatever they are.
//!
//! Each module is a target: `run` takes any bytes as a script of what happens, and panics where the sensor does what it
//! must not: panic itself, keep more than its share, tell more than came in, lose count, or say different things of the same
//! bytes. The programs of `fuzz_targets/` hand it what libFuzzer makes up; `sensor/tests/fuzzed.rs` hands it the same
//! seeds ([`seeds`]) and what fuzzing has found worth keeping (`kept/`), in every ordinary run of the tests.

pub mod captures;
pub mod decode;
pub mod detection;
pub mod input;
pub mod memory;
pub mod packets;
pub mod pieces;
pub mod protocols;
pub mod reassembly;
pub mod seeds;
pub mod spool;
pub mod talk;
pub mod worker;

/// A target: its name and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. Fuzzing, seeds and the ordinary test follow from this list.
pub static TARGETS: &[Target] = &[
    ("decode", decode::run),
    ("captures", captures::run),
    ("protocols", protocols::run),
    ("pieces", pieces::run),
    ("detection", detection::run),
    ("reassembly", reassembly::run),
    ("worker", worker::run),
    ("packets", packets::run),
    ("spool", spool::run),
];
