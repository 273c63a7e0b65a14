//! Fuzz target: see `src/decode.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::decode::run(input));
