//! Fuzz target: see `src/reassembly.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::reassembly::run(input));
