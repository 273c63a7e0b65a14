//! The targets of `fuzz/` in an ordinary run of the tests: what fuzzing begins with, what it found worth keeping, and a few
//! changes to each, always the same. What must hold is said and checked there; here it is only played.

#[expect(dead_code, reason = "keeping what was found is for the programs of that folder")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

use fuzz::TARGETS;
use fuzz::seeds::{self, Seed};

/// Changed copies of each script.
const CHANGED: u64 = 3;
/// Scripts longer than this are not changed: they take long, and the beginning is what matters.
const CHANGED_MAX_BYTES: usize = 4096;

fn scripts() -> Vec<Seed> {
    let sensor = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = seeds::all(&sensor.join("src/protocols")).unwrap();
    scripts.extend(seeds::kept(&sensor.join("fuzz/kept")).unwrap());
    scripts
}

/// A number that looks random and is the same every time (SplitMix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Changes some bytes, and sometimes cuts the end off or leaves a piece out.
fn changed(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in 0..1 + mix(number) % 6 {
        if bytes.is_empty() {
            break;
        }
        let how = mix(number ^ change << 32);
        let place = (how >> 8) as usize % bytes.len();
        match how % 8 {
            0 => bytes.truncate(place),
            1 => drop(bytes.drain(place..bytes.len().min(place + 1 + (how >> 40) as usize % 16))),
            2 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][(how >> 40) as usize % 5],
            _ => bytes[place] ^= 1 << ((how >> 40) % 8),
        }
    }
    bytes
}

/// Plays a script; where something does not hold, why.
fn play(run: fn(&[u8]), script: &[u8]) -> Option<String> {
    let why = std::panic::catch_unwind(|| run(script)).err()?;
    let text = why.downcast_ref::<String>().cloned();
    Some(text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
}

fn nothing(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} scripts:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_must_hold_holds_for_every_script() {
    let scripts = scripts();
    let mut wrong = Vec::new();
    for (target, run) in TARGETS {
        let mine: Vec<&Seed> = scripts.iter().filter(|seed| seed.target == *target).collect();
        assert!(!mine.is_empty(), "{target} has no script");
        let played =
            mine.iter().filter_map(|seed| Some(format!("{target} with {}: {}", seed.name, play(*run, &seed.bytes)?)));
        wrong.extend(played);
    }
    nothing(wrong);
}

#[test]
fn what_must_hold_holds_for_changed_scripts() {
    let scripts = scripts();
    let mut wrong = Vec::new();
    for (place, seed) in scripts.iter().enumerate().filter(|(_, seed)| seed.bytes.len() <= CHANGED_MAX_BYTES) {
        let run = TARGETS.iter().find(|(target, _)| *target == seed.target).unwrap().1;
        for number in 0..CHANGED {
            let number = place as u64 * CHANGED + number;
            if let Some(why) = play(run, &changed(&seed.bytes, number)) {
                wrong.push(format!("{} with {}, change {number}: {why}", seed.target, seed.name));
            }
        }
    }
    nothing(wrong);
}

/// Every protocol is reached by a script made of its own captures.
#[test]
fn every_protocol_has_scripts_of_its_own() {
    use fuzz::input::Input;
    use luytre_sensor::protocols::PROTOCOLS;
    let scripts = scripts();
    let reached: Vec<&str> = scripts
        .iter()
        .filter(|seed| seed.target == "protocols")
        .map(|seed| fuzz::protocols::chosen(&mut Input(&seed.bytes), None).0.name)
        .collect();
    let missing: Vec<&str> = PROTOCOLS.iter().map(|p| p.name).filter(|name| !reached.contains(name)).collect();
    assert!(missing.is_empty(), "no script reaches {missing:?}: are there captures in their testdata?");
}
