//! What fuzzing begins with: scripts made of the captures beside the protocols, of which a few bytes changed reach far.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use luytre_events::Transport;
use luytre_sensor::capture::{FileSource, Next, Packet, PacketSource};
use luytre_sensor::decode::{Checksums, Decoded};
use luytre_sensor::flow::Side;
use luytre_sensor::flow::key::FlowKey;
use luytre_sensor::pipeline::{Back, Front, Routed, RoutedArp, RoutedOdd};
use luytre_sensor::protocols::{Direction, PROTOCOLS};
use luytre_sensor::worker::SHARDS;

use super::decode::LINKS;
use super::protocols::{Step, number};
use super::talk;

/// A seed is no longer than this: mutating long ones is a waste.
const SEED_MAX_BYTES: usize = 24 << 10;
/// Conversations of one capture that become seeds.
const CONVERSATIONS_MAX: usize = 40;

/// A script for a target.
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// Where it came from.
    pub name: String,
    /// The script.
    pub bytes: Vec<u8>,
}

/// All seeds, from the captures in the folders of the protocols under `protocols`.
pub fn all(protocols: &Path) -> std::io::Result<Vec<Seed>> {
    let mut seeds = made_up();
    for (protocol, capture) in captures(protocols)? {
        let case = capture.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        from_capture(&protocol, &format!("{protocol}-{case}"), &capture, &mut seeds)?;
    }
    for seed in &mut seeds {
        seed.bytes.truncate(SEED_MAX_BYTES);
    }
    Ok(seeds)
}

/// The captures beside each protocol.
fn captures(protocols: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut captures = Vec::new();
    for folder in fs::read_dir(protocols)? {
        let folder = folder?;
        let Ok(files) = fs::read_dir(folder.path().join("testdata")) else { continue };
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "pcap") {
                captures.push((folder.file_name().to_string_lossy().into_owned(), path));
            }
        }
    }
    captures.sort();
    Ok(captures)
}

fn from_capture(protocol: &str, name: &str, capture: &Path, seeds: &mut Vec<Seed>) -> std::io::Result<()> {
    let file = fs::read(capture)?;
    for settings in [0, 1, 20] {
        let bytes = [&[settings][..], &file].concat();
        seeds.push(Seed { target: "captures", name: format!("{name}-{settings}"), bytes });
    }
    let mut gather = Gather::default();
    let mut frames = Vec::new();
    let mut source = FileSource::open(capture).map_err(std::io::Error::other)?;
    let mut front = Front::new(SHARDS, 0, Checksums::Ignore);
    while let Next::Packet(packet) = source.next().map_err(std::io::Error::other)? {
        frame(&packet, &mut frames);
        front.packet(&packet, &mut gather);
    }
    let decode = [&[0][..], &frames].concat();
    seeds.push(Seed { target: "decode", name: name.to_owned(), bytes: decode.clone() });
    seeds.push(Seed { target: "worker", name: name.to_owned(), bytes: decode });
    for (at, talk) in gather.talks.into_iter().take(CONVERSATIONS_MAX).enumerate() {
        talk.seeds(protocol, &format!("{name}-{at}"), seeds);
    }
    Ok(())
}

fn frame(packet: &Packet<'_>, out: &mut Vec<u8>) {
    let link = LINKS.iter().position(|link| *link == packet.link.0).unwrap_or(0);
    out.push(u8::try_from(link).unwrap_or(0));
    out.push(31);
    out.extend(u16::try_from(packet.bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(&packet.bytes[..packet.bytes.len().min(usize::from(u16::MAX))]);
}

/// What was said in one flow.
struct Conversation {
    transport: Transport,
    port: u16,
    client: Side,
    next: HashMap<Direction, u32>,
    steps: Vec<Step>,
}

impl Conversation {
    fn seeds(self, protocol: &str, name: &str, seeds: &mut Vec<Seed>) {
        if self.steps.is_empty() {
            return;
        }
        let mut steps = Vec::new();
        self.steps.iter().for_each(|step| step.write(&mut steps));
        let Some(known) = PROTOCOLS.iter().find(|known| known.name == protocol) else { return };
        let place = known.transports.iter().position(|transport| *transport == self.transport);
        let mut add = |target, bytes| seeds.push(Seed { target, name: name.to_owned(), bytes });
        if let Some(place) = place {
            let head = [&number(protocol).to_le_bytes()[..], &[u8::try_from(place).unwrap_or(0)]].concat();
            add("protocols", [&head, &steps[..]].concat());
            if self.transport == Transport::TCP {
                add("pieces", [&[3, 40, 0, 200], &head[..], &steps].concat());
            }
        }
        // Bits 0 and 1: the transport, and that the port is taken as it is.
        let client = 2 | u16::from(self.transport == Transport::UDP);
        add("detection", [&client.to_le_bytes()[..], &self.port.to_le_bytes(), &steps].concat());
        add("worker", talk::script(self.transport.0, self.port, &self.steps));
    }
}

/// Gathers what is said in the flows of a capture, in order.
#[derive(Default)]
struct Gather {
    places: HashMap<FlowKey, usize>,
    talks: Vec<Conversation>,
}

impl Back for Gather {
    fn tick(&mut self, _number: u64, _clock_ns: i64) {}

    fn packet(&mut self, routed: &Routed<'_>) {
        let Routed { packet, key, side, .. } = routed;
        let place = *self.places.entry(*key).or_insert_with(|| {
            self.talks.push(Conversation {
                transport: packet.transport,
                port: packet.ports.1,
                client: *side,
                next: HashMap::new(),
                steps: Vec::new(),
            });
            self.talks.len() - 1
        });
        let Some(talk) = self.talks.get_mut(place) else { return };
        let direction = if *side == talk.client { Direction::ToServer } else { Direction::ToClient };
        if packet.payload.is_empty() || talk.is_old(direction, packet) {
            return;
        }
        talk.steps.push(Step::Data(direction, packet.payload.to_vec()));
    }

    fn arp(&mut self, _routed: &RoutedArp) {}

    fn odd(&mut self, _routed: &RoutedOdd) {}

    fn finish(&mut self, _number: u64) {}
}

impl Conversation {
    /// Whether a segment was seen before.
    fn is_old(&mut self, direction: Direction, packet: &Decoded<'_>) -> bool {
        let Some(tcp) = &packet.tcp else { return false };
        let next = self.next.entry(direction).or_insert(tcp.sequence);
        if (tcp.sequence.wrapping_sub(*next).cast_signed()) < 0 {
            return true;
        }
        *next = tcp.sequence.wrapping_add(tcp.payload_length);
        false
    }
}

/// Seeds for what no capture leads to.
fn made_up() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push(Seed { target, name: name.to_owned(), bytes });
    for settings in 0..32u8 {
        // In order, a hole, before the hole, an acknowledgement, the end.
        let script = [0x00, 40, 0x09, 30, 20, 0x11, 60, 50, 0x04, 0x80, 5, 0x0c, 200, 0x1b, 0, 0, 0, 64, 9];
        add("reassembly", &format!("{settings}"), [&[settings, 0xf0, 0xff, 0xff, 0xff][..], &script].concat());
    }
    let mut kept = vec![2];
    (0..40u8).for_each(|at| kept.extend([at, at, at.wrapping_mul(7)]));
    add("packets", "untouched", kept.clone());
    for (file, by) in [(0, 1), (0, 0), (1, 0x80), (1, 0)] {
        add("packets", &format!("changed-{file}-{by}"), [&kept[..], &[255, file, 200, 0, 0, by]].concat());
    }
    add("packets", "index", [&[0][..], &index_file()].concat());
    add("packets", "segment", [&[1][..], &segment_file()].concat());
    for batches in [0, 1, 5] {
        add("spool", &format!("batches-{batches}"), vec![0, batches]);
        add("spool", &format!("flipped-{batches}"), vec![0, batches, 0, 90, 1, 0, 2, 200, 2, 0]);
        add("spool", &format!("cut-{batches}"), vec![0, batches, 1, 7, 0, 0]);
    }
    add("spool", "batch", vec![1, 1, 0, 2, 0, 0, 0]);
    seeds
}

/// An index of one entry.
fn index_file() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder for an index");
    let path = folder.path().join("0.idx");
    luytre_sensor::packets::index::Index::default().write(&path, 0).expect("write an index");
    fs::read(&path).expect("read an index")
}

/// Two heads with room behind them.
fn segment_file() -> Vec<u8> {
    let mut bytes = vec![0; 128];
    // The numbers of digests and the length of the content.
    bytes[64 + 24..64 + 40].copy_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0, 24, 0, 0, 0]);
    bytes.extend([7; 48]);
    bytes
}

/// The most bytes of kept scripts of one target, and of one of them.
const KEPT_MAX_BYTES: usize = 48 << 10;
const KEPT_ONE_MAX_BYTES: usize = 1536;

/// What fuzzing has found worth keeping: `TARGET.bin` in a folder, each script behind its length of four bytes.
pub fn kept(folder: &Path) -> std::io::Result<Vec<Seed>> {
    let mut seeds = Vec::new();
    for (target, _) in super::TARGETS {
        let path = folder.join(format!("{target}.bin"));
        if !path.exists() {
            continue;
        }
        let all = fs::read(path)?;
        let mut rest = all.as_slice();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let length = u32::from_le_bytes(*length) as usize;
            let (script, behind) = behind.split_at_checked(length).ok_or(std::io::ErrorKind::UnexpectedEof)?;
            seeds.push(Seed { target, name: format!("kept-{}", seeds.len()), bytes: script.to_vec() });
            rest = behind;
        }
    }
    Ok(seeds)
}

/// Keeps scripts of a folder with one folder for each target: the short ones, shortest first, as long as there is room.
pub fn keep(scripts: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (target, _) in super::TARGETS {
        let Ok(files) = fs::read_dir(scripts.join(target)) else { continue };
        let mut all = files.map(|file| fs::read(file?.path())).collect::<std::io::Result<Vec<_>>>()?;
        all.retain(|script| script.len() <= KEPT_ONE_MAX_BYTES);
        all.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        let mut out = Vec::new();
        for script in all {
            if out.len() + script.len() + 4 > KEPT_MAX_BYTES {
                break;
            }
            out.extend(u32::try_from(script.len()).unwrap_or(0).to_le_bytes());
            out.extend(script);
        }
        fs::write(folder.join(format!("{target}.bin")), out)?;
    }
    Ok(())
}
