//! How fast packets are kept, and how soon those of a flow are found: fills a store in a folder with so many gigabytes of
//! made-up traffic, asks for flows with and without a span of time, prints figures, and removes what it wrote.
//!
//! `cargo run --example packets_kept -- FOLDER GIGABYTES [QUOTA_GIGABYTES]`. The quota decides the size of segments: with
//! that of a large store and little traffic, what one segment costs can be calculated for many. `--cold` before the rest
//! asks the kernel (as root) to forget the files before each question.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use luytre_events::CommunityId;
use luytre_sensor::capture::{LinkType, Packet};
use luytre_sensor::packets::shelf::Limits;
use luytre_sensor::packets::{Extraction, FOLDER, Keeper, Member, PacketSettings, Query, Shelf, StoreKey};

/// Flows that are under way at the same time.
const ACTIVE: u64 = 2000;
/// Packets of a flow, on average.
const FLOW_PACKETS: u64 = 40;
/// The distance of two packets: a link of about 500 Mbit/s.
const STEP_NS: i64 = 12_800;
const QUESTIONS: u64 = 40;

/// A number that looks random and is the same every time (SplitMix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn flow(number: u64) -> CommunityId {
    let mut name = [1; 20];
    name[..8].copy_from_slice(&mix(number).to_le_bytes());
    CommunityId(name)
}

fn main() -> anyhow::Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let cold = arguments.iter().position(|argument| argument == "--cold").map(|at| arguments.remove(at)).is_some();
    let usage = "usage: packets_kept [--cold] FOLDER GIGABYTES [QUOTA_GIGABYTES]";
    let folder = Path::new(arguments.first().context(usage)?).join("packets-bench");
    let gigabytes: u64 = arguments.get(1).context(usage)?.parse().context(usage)?;
    let quota: u64 = arguments.get(2).map_or(Ok(gigabytes), |quota| quota.parse()).context(usage)?;
    std::fs::create_dir_all(&folder)?;
    let result = measure(&folder, gigabytes << 30, quota, cold);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn measure(folder: &Path, bytes: u64, quota_gb: u64, cold: bool) -> anyhow::Result<()> {
    let settings = PacketSettings { quota_mb: quota_gb << 10, ..PacketSettings::default() };
    let key = StoreKey::load_or_make(folder)?;
    let shelf = Arc::new(Shelf::open(folder, key.clone(), Limits::new(&settings, 1))?);
    let mut keeper = Keeper::start(shelf.clone(), settings.cutoffs(), "eth0", true)?;
    let content: Vec<u8> = (0..2048).map(|at| mix(at) as u8).collect();
    let since = Instant::now();
    let (mut packets, mut written) = (0u64, 0u64);
    while written < bytes {
        let random = mix(packets);
        // The flows under way change little by little.
        let number = packets / FLOW_PACKETS + random % ACTIVE;
        let length = 60 + (random >> 32) as usize % 1440;
        let captured = content.get(..length).unwrap_or_default();
        let original_length = u32::try_from(length)?;
        let time_ns = packets as i64 * STEP_NS;
        let packet = Packet { time_ns, link: LinkType::ETHERNET, original_length, vlan: None, bytes: captured };
        let member = Member { community_id: flow(number), before_bytes: 0, protocol: None };
        keeper.packet(&packet, Some(&member), None);
        packets += 1;
        written += length as u64;
    }
    keeper.finish();
    let took = since.elapsed();
    let usage = shelf.usage();
    let index_bytes: u64 = std::fs::read_dir(folder.join(FOLDER))?
        .filter_map(|entry| entry.ok().filter(|entry| entry.path().extension().is_some_and(|end| end == "idx")))
        .filter_map(|entry| Some(entry.metadata().ok()?.len()))
        .sum();
    println!(
        "kept {packets} packets, {:.2} GB in {} segments in {:.1} s: {:.0} MB/s; indexes {:.2} %",
        usage.bytes as f64 / 1e9,
        usage.segments,
        took.as_secs_f64(),
        usage.bytes as f64 / 1e6 / took.as_secs_f64(),
        100.0 * index_bytes as f64 / usage.bytes as f64
    );
    let flows = packets / FLOW_PACKETS;
    for (what, around_ns) in [("with an hour around it", 1_800_000_000_000), ("over the whole store", i64::MAX / 4)] {
        let mut times: Vec<(Duration, Duration, u64, u64)> = Vec::new();
        for question in 0..QUESTIONS {
            if cold {
                std::fs::write("/proc/sys/vm/drop_caches", "1")
                    .context("only root may ask the kernel to forget files")?;
            }
            let number = ACTIVE + mix(question) % flows.saturating_sub(ACTIVE).max(1);
            let middle_ns = (number * FLOW_PACKETS) as i64 * STEP_NS;
            let (from_ns, to_ns) = (middle_ns.saturating_sub(around_ns), middle_ns.saturating_add(around_ns));
            let query = Query { flow: Some(flow(number)), from_ns, to_ns, limit_bytes: u64::MAX };
            let since = Instant::now();
            let mut extraction = Extraction::start(&folder.join(FOLDER), &key, query)?;
            let found = since.elapsed();
            while extraction.next_piece(1 << 20).is_some() {}
            let summary = extraction.summary();
            times.push((since.elapsed(), found, summary.packets, summary.blocks));
        }
        times.sort();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        let slowest = times.last().copied().unwrap_or_default();
        println!(
            "a flow {what}: middle {:.1} ms (blocks named after {:.1} ms, {} packets from {} blocks read), slowest {:.1} ms",
            middle.0.as_secs_f64() * 1e3,
            middle.1.as_secs_f64() * 1e3,
            middle.2,
            middle.3,
            slowest.0.as_secs_f64() * 1e3
        );
    }
    Ok(())
}
