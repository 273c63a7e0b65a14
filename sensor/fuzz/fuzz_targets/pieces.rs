//! Fuzz target: see `src/pieces.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::pieces::run(input));
