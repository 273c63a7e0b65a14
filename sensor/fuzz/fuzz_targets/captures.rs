//! Fuzz target: see `src/captures.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::captures::run(input));
