//! Fuzz target: see `src/worker.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::worker::run(input));
