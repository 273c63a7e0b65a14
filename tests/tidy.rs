//! House rules that a machine can check: who may depend on whom, where names may stand, how files begin and how long
//! they may be. Each failure says what to do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The dependency table of docs/ARCHITECTURE.md: each crate and the crates of ours it may depend on.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("luytre-events", &[]),
    ("luytre-settings", &[]),
    ("luytre-segments", &[]),
    ("luytre-rules-engine", &["luytre-events"]),
    ("luytre-collector-api", &["luytre-events"]),
    ("luytre-scanner", &["luytre-events"]),
    ("luytre-press", &["luytre-events"]),
    ("luytre-sensor", &["luytre-events", "luytre-rules-engine", "luytre-settings", "luytre-segments"]),
    (
        "luytre-collector",
        &["luytre-events", "luytre-rules-engine", "luytre-collector-api", "luytre-settings", "luytre-segments"],
    ),
    ("luytre-console", &["luytre-events", "luytre-collector-api", "luytre-settings"]),
    ("luytre-rules", &["luytre-events", "luytre-rules-engine", "luytre-settings"]),
];

/// Crates that stand beside the product and may use all of it.
const BESIDE: &[&str] = &["luytre-tests", "luytre-corpus-check", "luytre-delivery-check", "luytre-demo", "xtask"];

/// The longest file, in lines.
const LINES_MAX: usize = 800;

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let metadata =
        cargo_metadata::MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let allowed: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if BESIDE.contains(&name) {
            continue;
        }
        let Some(allowed) = allowed.get(name) else {
            wrong.push(format!("{name} is not in the table: add it to tests/tidy.rs and docs/ARCHITECTURE.md"));
            continue;
        };
        let ours = package.dependencies.iter().filter(|one| one.path.is_some() && one.name != name);
        for dependency in ours.filter(|one| one.kind == cargo_metadata::DependencyKind::Normal) {
            if !allowed.contains(&dependency.name.as_str()) {
                wrong.push(format!(
                    "{name} must not depend on {}: the table in docs/ARCHITECTURE.md says so",
                    dependency.name
                ));
            }
        }
    }
    nothing(wrong);
}

#[test]
fn only_the_workers_link_the_heavy_engines() {
    let metadata =
        cargo_metadata::MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let heavy = [("yara-x", "luytre-scanner"), ("typst", "luytre-press"), ("typst-pdf", "luytre-press")];
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        for (engine, owner) in heavy {
            if package.name.as_str() != owner && package.dependencies.iter().any(|one| one.name == engine) {
                wrong.push(format!("{} must not depend on {engine}: only {owner} links it", package.name));
            }
        }
    }
    nothing(wrong);
}

#[test]
fn a_protocols_name_stands_only_in_its_folder_and_its_parents_table() {
    names_stay_home("sensor/src/protocols", &["sensor/src/", "collector/src/", "console/src/", "rules/engine/src/"]);
}

#[test]
fn a_reports_name_stands_only_in_its_folder_and_its_parents_table() {
    names_stay_home("console/src/reports", &["console/src/", "collector/src/"]);
}

/// For each folder `NAME` of `home`: outside of it and of `home/mod.rs`, no code says `NAME::` or `"NAME"`.
fn names_stay_home(home: &str, within: &[&str]) {
    let names: Vec<String> = folders(&root().join(home));
    assert!(!names.is_empty(), "{home} has no folders");
    let table = format!("{home}/mod.rs");
    let mut wrong = Vec::new();
    for file in files().iter().filter(|file| file.ends_with(".rs") && within.iter().any(|part| file.starts_with(part)))
    {
        let own = |name: &String| file.starts_with(&format!("{home}/{name}/"));
        for (number, line) in code(&text(file)) {
            for name in names.iter().filter(|name| *file != table && !own(name)) {
                if says(file, line, home, name) {
                    wrong.push(format!("{file}:{number}: names `{name}`; that belongs into {home}/{name}/ or {table}"));
                }
            }
        }
    }
    nothing(wrong);
}

/// A module path or a bare name. Field names (`dns.question.name`) are words of the catalogue, which everybody may use;
/// and who serves a protocol (collector and console speak TLS and HTTP) may say its bare name.
fn says(file: &str, line: &str, home: &str, name: &str) -> bool {
    let folder = home.rsplit('/').next().unwrap_or(home);
    let serves = home.starts_with("sensor/") && (file.starts_with("collector/") || file.starts_with("console/"));
    (!serves && line.contains(&format!("\"{name}\""))) || line.contains(&format!("{folder}::{name}"))
}

/// The lines of a file that are code of the product: no comments, nothing after the tests begin.
fn code(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
        .collect()
}

#[test]
fn every_rust_file_says_first_what_it_is() {
    let silent = files().into_iter().filter(|file| file.ends_with(".rs") && !text(file).starts_with("//!"));
    nothing(
        silent
            .map(|file| format!("{file} does not begin with `//!`: say what it is, what comes in, what goes out"))
            .collect(),
    );
}

#[test]
fn no_file_is_too_long() {
    let written = |file: &String| {
        [".rs", ".ts", ".tsx", ".sh", ".py", ".css", ".mjs"].iter().any(|end| file.ends_with(end)) && !generated(file)
    };
    let long = files().into_iter().filter(written).filter_map(|file| {
        let lines = text(&file).lines().count();
        (lines > LINES_MAX)
            .then(|| format!("{file} has {lines} lines, {LINES_MAX} are allowed: split it by what it is about"))
    });
    nothing(long.collect());
}

/// Written by a generator from a contract, not by people.
fn generated(file: &str) -> bool {
    file == "console/web/src/api/schema.d.ts"
}

#[test]
fn no_path_of_a_single_machine_is_written_down() {
    // In two parts each, so that this file does not name them either.
    let personal = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/home", "/user"), concat!("/tmp/", "brief")];
    let mut wrong = Vec::new();
    for file in files().iter().filter(|file| is_text(file)) {
        for (number, line) in text(file).lines().enumerate() {
            if personal.iter().any(|path| line.contains(path)) {
                wrong.push(format!("{file}:{}: names a path of one machine", number + 1));
            }
        }
    }
    nothing(wrong);
}

#[test]
fn nothing_is_left_for_later_or_left_out() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ign", "ore"),
        concat!("todo", "!("),
        concat!("test.on", "ly("),
        concat!("it.sk", "ip("),
    ];
    let mut wrong = Vec::new();
    let written = |file: &&String| [".rs", ".ts", ".tsx", ".sh", ".py"].iter().any(|end| file.ends_with(end));
    for file in files().iter().filter(written) {
        for (number, line) in text(file).lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
                wrong.push(format!("{file}:{}: {mark}: do it now or write an issue", number + 1));
            }
        }
    }
    nothing(wrong);
}

#[test]
fn no_single_file_is_heavier_than_the_demos_capture() {
    let heavy = files().into_iter().filter_map(|file| {
        let size = std::fs::metadata(root().join(&file)).map(|metadata| metadata.len()).unwrap_or(0);
        (size > 5_000_000).then(|| format!("{file} has {size} bytes: five million are allowed"))
    });
    nothing(heavy.collect());
}

fn nothing(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that is committed or about to be, relative to the checkout.
fn files() -> Vec<String> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").current_dir(root()).args(arguments).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().filter(|name| root().join(name).is_file()).map(str::to_owned).collect()
}

fn folders(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).unwrap().map(Result::unwrap);
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn text(file: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(root().join(file)).unwrap()).into_owned()
}

fn is_text(file: &str) -> bool {
    let binary = [".pcap", ".pcapng", ".gz", ".ttf", ".woff2", ".png", ".ico", ".pdf", ".lock"];
    !binary.iter().any(|end| file.ends_with(end)) && file != "package-lock.json"
}
