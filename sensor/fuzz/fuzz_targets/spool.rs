//! Fuzz target: see `src/spool.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::spool::run(input));
