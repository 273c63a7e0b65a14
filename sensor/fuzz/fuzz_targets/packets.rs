//! Fuzz target: see `src/packets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| luytre_fuzz::packets::run(input));
