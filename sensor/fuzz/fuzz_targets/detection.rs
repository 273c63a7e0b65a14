//! Fuzz target: see `src/detection.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::detection::run(input));
