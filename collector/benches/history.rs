//! Questions to a month of history: a needle, the top twenty of a day, the month's timeline; cold and warm.
//!
//! `cargo bench -p luytre-collector --bench history -- FOLDER [EVENTS] [DAYS] [LINES]` fills an index in FOLDER with that many
//! events over that many days, if there is none, and asks. Of the first LINES events JSON lines are written to
//! FOLDER/lines.jsonl, for others to be asked the same (`collector/benches/others.py`). Cold means that the kernel was told
//! to forget the files before each question.

mod made;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use luytre_collector::index::{IndexSettings, Mark, Store, Writer};
use luytre_collector::search::{Search, SearchSettings};
use luytre_collector_api::SearchRequest;
use luytre_events::Event;
use luytre_events::json::{time_text, write_event};
use made::{START_NS, event};

const DAY_NS: i64 = 86_400_000_000_000;
/// Events that are added together.
const BATCH: u64 = 2000;
/// Events that are committed together.
const COMMIT: u64 = 200_000;
/// How often a question is asked warm.
const RUNS: usize = 7;

fn fill(folder: &Path, events: u64, days: u64, lines: u64) -> anyhow::Result<()> {
    let store = Store::open(&folder.join("index"))?;
    let settings = IndexSettings { keep_days: 10_000, ..IndexSettings::default() };
    let mut writer = Writer::live(store, &settings);
    let apart_ns = DAY_NS * i64::try_from(days)? / i64::try_from(events)?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(folder.join("lines.jsonl"))?);
    let began = Instant::now();
    for first in (0..events).step_by(usize::try_from(BATCH)?) {
        let made: Vec<Event> = (first..(first + BATCH).min(events)).map(|number| event(number, apart_ns)).collect();
        for event in made.iter().filter(|event| event.id.sequence <= lines) {
            let mut line = Vec::new();
            write_event(event, &mut line);
            line.push(b'\n');
            out.write_all(&line)?;
        }
        let received_ns = made.last().map_or(START_NS, |event| event.time_ns);
        writer.add(&made, received_ns, Mark { segment: 1, offset: first + 1 })?;
        if (first + BATCH).is_multiple_of(COMMIT) {
            writer.commit()?;
            let rate = (first + BATCH) as f64 / began.elapsed().as_secs_f64();
            eprintln!("{} of {events} events, {rate:.0} a second", first + BATCH);
        }
    }
    writer.commit()?;
    println!("filled                    {:.0} events/s by the clock", events as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

/// Calls `visit` with every file below a folder.
fn files(folder: &Path, visit: &mut dyn FnMut(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, visit)? } else { visit(&path)? }
    }
    Ok(())
}

/// Tells the kernel to forget what it read of the files.
fn forget(folder: &Path) -> anyhow::Result<()> {
    files(folder, &mut |path| {
        std::fs::File::open(path)?.sync_all()?;
        let mut from = std::ffi::OsString::from("if=");
        from.push(path);
        let forgot = Command::new("dd").arg(from).args(["iflag=nocache", "count=0", "status=none"]).status()?;
        anyhow::ensure!(forgot.success(), "forget {}", path.display());
        Ok(())
    })
}

fn memory(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned()
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let folder = arguments.first().context("name a folder with room for the index")?;
    let folder = Path::new(folder);
    let number = |at: usize, default: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (events, days, lines) = (number(1, 10_000_000), number(2, 30), number(3, 1_000_000));
    std::fs::create_dir_all(folder)?;
    if !folder.join("lines.jsonl").exists() {
        fill(folder, events, days, lines)?;
    }
    let mut bytes = 0;
    files(&folder.join("index"), &mut |path| {
        bytes += path.metadata()?.len();
        Ok(())
    })?;
    let index = folder.join("index");
    forget(&index)?;
    let began = Instant::now();
    let search = Search::new(Store::open(&index)?, SearchSettings { timeout_ms: 120_000, ..SearchSettings::default() });
    println!("events                    {events} over {days} days, {:.0} bytes each", bytes as f64 / events as f64);
    println!("open, cold                {:.2} s, {}", began.elapsed().as_secs_f64(), memory("VmRSS:"));
    let middle = events / 2 / 64 * 64;
    let day = |number: i64| time_text(START_NS + number * DAY_NS);
    let all: Option<(i64, i64)> = None;
    let one_day = Some((i64::try_from(days / 2)?, i64::try_from(days / 2)? + 1));
    let questions = [
        ("a name nobody else has, all time", format!("dns.question.name:x{middle:09}.kho.example"), all),
        ("the same as a word anywhere", format!("x{middle:09}"), all),
        ("an event by its id, all time", format!("event.id:\"dc:{}\"", events / 3), all),
        ("top 20 sources of a day", "* | count by source.ip | top 20".to_owned(), one_day),
        ("top 20 names of a day", "event.dataset:dns | count by dns.question.name | top 20".to_owned(), one_day),
        (
            "bytes by source of a day",
            "event.dataset:flow | sum network.bytes by source.ip | top 20".to_owned(),
            one_day,
        ),
        ("timeline of all, by hour", "* | timeline 1h".to_owned(), all),
        ("timeline of one dataset, by hour", "event.dataset:dns | timeline 1h".to_owned(), all),
        ("newest 100 of everything", String::new(), all),
    ];
    println!("| question | found | cold, ms | warm, ms |");
    for (name, query, range) in questions {
        let request = SearchRequest {
            query,
            from: range.map(|(from, _)| day(from)),
            to: range.map(|(_, to)| day(to)),
            limit: Some(100),
            ..SearchRequest::default()
        };
        forget(&index)?;
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..=RUNS {
            let began = Instant::now();
            found = search.run(&request, START_NS)?.total;
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        let cold = times.remove(0);
        times.sort_by(f64::total_cmp);
        let warm = times.get(times.len() / 2).copied().unwrap_or_default();
        println!("| {name} | {found} | {cold:.1} | {warm:.1} |");
    }
    println!("peak memory               {}, files of the index among it", memory("VmHWM:"));
    println!("memory without files      {}", memory("RssAnon:"));
    Ok(())
}
