//! Instructions for each packet, by function: does not depend on how busy the machine is, so that a small step back shows.
//!
//! Comes in: a capture, by default the demo's, and what [`KEPT`] says it took before. Goes out: a table of the functions that
//! take most, and an error that names those which have grown. Counting is done by callgrind (Debian package valgrind) on the
//! release build; two counts of one build differ by less than a thousandth (tables are hashed with a random key). Callgrind's
//! processor has no instructions for digests, so these cost many times what they do in truth: they are counted apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{steps, tools, workspace};

/// The figures that are compared with, committed.
const KEPT: &str = "docs/instructions.txt";
/// What makes digests.
const DIGESTS: [&str; 3] = ["sha2::", "sha1::", "md5::"];
/// Functions that are kept and shown.
const SHOWN: usize = 40;
/// How much more all together may take before it is called a step back.
const ALL_TOLERANCE: f64 = 0.01;
/// A function is named when it takes so much more, as a share of all.
const ONE_TOLERANCE: f64 = 0.002;

/// Instructions a packet without digests: all, and by function.
#[derive(Debug, Default, Clone, PartialEq)]
struct Counts {
    all: f64,
    functions: BTreeMap<String, f64>,
}

/// Counts what reading the demo's capture takes, and compares it with what is kept, or keeps it.
pub fn compare(sensor: &Path, packets: impl Fn(&Path) -> Result<u64>, keep: bool) -> Result<()> {
    let capture = workspace::root().join("deploy/demo/story.pcapng");
    let now = count(sensor, &capture, packets(&capture)?)?;
    show(&now);
    let path = workspace::root().join(KEPT);
    if keep {
        return std::fs::write(&path, write(&now)).with_context(|| format!("write {}", path.display()));
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let before = read(&text);
    println!("all: {:.0} a packet, before {:.0} ({:+.2} %)", now.all, before.all, percent(now.all, before.all));
    let grown = grown(&before, &now);
    for (name, was, is) in &grown {
        println!("grew: {name}: {is:.1} a packet, before {was:.1}");
    }
    ensure!(
        now.all <= before.all * (1.0 + ALL_TOLERANCE),
        "reading takes {:.2} % more instructions than {KEPT} says; where that is right, run again with --keep",
        percent(now.all, before.all)
    );
    Ok(())
}

/// Counts what reading a capture takes, and shows it.
pub fn of(sensor: &Path, capture: &Path, packets: u64) -> Result<()> {
    println!("{}:", capture.file_name().unwrap_or_default().to_string_lossy());
    show(&count(sensor, capture, packets)?);
    Ok(())
}

fn percent(now: f64, before: f64) -> f64 {
    (now / before.max(1.0) - 1.0) * 100.0
}

fn count(sensor: &Path, capture: &Path, packets: u64) -> Result<Counts> {
    tools::require(&[("valgrind", "valgrind")])?;
    let out: PathBuf = workspace::target()?.join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(sensor).arg("read").arg(capture).stdout(Stdio::null()).stderr(Stdio::null());
    let name = capture.file_name().unwrap_or_default().to_string_lossy().into_owned();
    steps::step(&format!("count instructions of reading {name}"), || steps::show(&mut command))?;
    let text = std::fs::read(&out).with_context(|| format!("read {}", out.display()))?;
    let mut functions = parse(&String::from_utf8_lossy(&text));
    let share = |sum: u64| sum as f64 / packets.max(1) as f64;
    let total: u64 = functions.values().sum();
    functions.retain(|name, _| !DIGESTS.iter().any(|digest| name.starts_with(digest)));
    let digests = share(total - functions.values().sum::<u64>());
    println!("{digests:>10.1} instructions a packet for digests, in software and not counted below");
    let all = share(functions.values().sum());
    Ok(Counts { all, functions: functions.into_iter().map(|(name, sum)| (name, share(sum))).collect() })
}

/// Instructions of each function itself (callgrind's format, version 1: names are numbered when they first stand there, and
/// the line behind `calls=` is about what was called).
fn parse(text: &str) -> BTreeMap<String, u64> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut here, mut called) = ("", false);
    for line in text.lines() {
        let function = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn="));
        if let Some((number, name)) = function.map(|named| named.split_once(' ').unwrap_or((named, ""))) {
            if !name.is_empty() {
                names.insert(number, plain(name));
            }
            if line.starts_with("fn=") {
                here = number;
            }
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
            if !std::mem::take(&mut called) {
                *sums.entry(here).or_default() += cost;
            }
        }
    }
    let mut functions = BTreeMap::new();
    for (number, sum) in sums {
        *functions.entry(names.get(number).cloned().unwrap_or_default()).or_default() += sum;
    }
    functions
}

/// A name without what changes with every build: digests of crates, numbers of recursion.
fn plain(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name.split('\'').next().unwrap_or(name);
    while let Some((before, behind)) = rest.split_once('[') {
        out.push_str(before);
        match behind.split_once(']') {
            Some((inside, behind)) if inside.len() == 16 && inside.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                rest = behind;
            }
            _ => {
                out.push('[');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    match out.rsplit_once("::h") {
        Some((name, digest)) if digest.len() == 16 => name.to_owned(),
        _ => out,
    }
}

/// The functions that take most, most first.
fn most(counts: &Counts) -> Vec<(&str, f64)> {
    let mut functions: Vec<(&str, f64)> = counts.functions.iter().map(|(name, sum)| (name.as_str(), *sum)).collect();
    functions.sort_by(|a, b| b.1.total_cmp(&a.1));
    functions.truncate(SHOWN);
    functions
}

fn show(counts: &Counts) {
    println!("{:>10.1} instructions a packet, of which:", counts.all);
    for (name, sum) in most(counts) {
        println!("{sum:>10.1} {:>5.1} %  {name}", sum / counts.all.max(1.0) * 100.0);
    }
}

fn write(counts: &Counts) -> String {
    let mut text = String::from(
        "# Instructions a packet that reading deploy/demo/story.pcapng takes, by function (release build, callgrind),\n\
         # digests left out.\n\
         # cargo xtask bench --parts instructions compares with it; with --keep it is written anew.\n",
    );
    text.push_str(&format!("{:.1} all\n", counts.all));
    for (name, sum) in most(counts) {
        text.push_str(&format!("{sum:.1} {name}\n"));
    }
    text
}

fn read(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((Ok(sum), name)) = line.split_once(' ').map(|(sum, name)| (sum.parse(), name)) else { continue };
        match name {
            "all" => counts.all = sum,
            name => drop(counts.functions.insert(name.to_owned(), sum)),
        }
    }
    counts
}

/// Functions that take noticeably more than before, by how much.
fn grown<'c>(before: &'c Counts, now: &'c Counts) -> Vec<(&'c str, f64, f64)> {
    let least = before.functions.values().copied().fold(f64::INFINITY, f64::min);
    let mut grown: Vec<(&str, f64, f64)> = most(now)
        .into_iter()
        // What was not among the most took less than the least of them.
        .map(|(name, is)| (name, before.functions.get(name).copied().unwrap_or(least.min(is)), is))
        .filter(|(_, was, is)| is - was > before.all * ONE_TOLERANCE)
        .collect();
    grown.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: &str = "version: 1\nevents: Ir\n\nfn=(1) luytre_sensor[0123456789abcdef]::read\n16 100\n+1 20\n\
        cfn=(2) core::fmt\ncalls=3 9\n+2 700\n* 5\n\nfn=(2)\n9 650\nfn=(3) <[u8]>::iter::h0123456789abcdef'2\n7 8\n";

    #[test]
    fn what_a_function_does_itself_is_counted() {
        let sums = parse(OUT);
        let told: Vec<(&str, u64)> = sums.iter().map(|(name, sum)| (name.as_str(), *sum)).collect();
        assert_eq!(told, [("<[u8]>::iter", 8), ("core::fmt", 650), ("luytre_sensor::read", 125)]);
    }

    #[test]
    fn what_grew_is_named() {
        let counts = |one: f64, two: f64| Counts {
            all: 1000.0 + one + two,
            functions: [("one".to_owned(), one), ("two".to_owned(), two)].into(),
        };
        let (before, now) = (counts(10.0, 50.0), counts(30.0, 50.5));
        assert_eq!(read(&write(&before)), before);
        assert_eq!(grown(&before, &now), [("one", 10.0, 30.0)]);
        assert!(grown(&before, &before).is_empty());
    }
}
