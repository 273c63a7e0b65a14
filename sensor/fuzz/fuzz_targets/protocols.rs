//! Fuzz target: see `src/protocols.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::protocols::run(input));
