//! Blocks: some packets of one capture thread, in memory and on disk.
//!
//! On disk a segment is a head of [`SEGMENT_HEAD_BYTES`] and then blocks. A block is a head of [`BLOCK_HEAD_BYTES`], the
//! keyed digests of the flows in it in rising order (8 bytes each), and the sealed content. The content is: the capture
//! thread's name, link types, flows (20 bytes each), for each packet the number of its flow, the fragments among the
//! packets, and the packets themselves as enhanced packet blocks. All numbers are little-endian. Checksums find a block
//! that a crash cut off; the seal finds anything else.

use std::io;
use std::ops::Range;

use super::seal::{SALT_BYTES, SEAL_BYTES, SegmentKeys};
use super::{Member, pcapng};
use crate::capture::{LinkType, PACKET_MAX_BYTES, Packet};

/// A block is full at this size.
pub const BLOCK_BYTES: usize = 256 << 10;
/// A block holds at most so many packets.
pub const BLOCK_PACKETS: usize = 4096;
/// What stands before the first block.
pub const SEGMENT_HEAD_BYTES: usize = 64;
/// What stands before a block's digests.
pub const BLOCK_HEAD_BYTES: usize = 64;
/// The longest content there can be: a block that is not full yet and one packet more, with its tables.
pub const CONTENT_MAX_BYTES: usize = BLOCK_BYTES + PACKET_MAX_BYTES + BLOCK_PACKETS * 64 + 4096;

const SEGMENT_MAGIC: [u8; 8] = *b"LTPKT\x00\x00\x01";
const BLOCK_MAGIC: [u8; 4] = *b"LTPB";
const COMPRESSED: u32 = 1;
/// The longest name of a capture thread that is kept.
const NAME_MAX_BYTES: usize = 64;
/// A digest stands for each flow and each datagram.
const TAG_BYTES: usize = 8;

/// The name of a flow ([`luytre_events::CommunityId`]), or of a datagram that came in fragments.
pub type Name = [u8; 20];

/// What stands at the beginning of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHead {
    /// Its number.
    pub number: u64,
    /// Its salt.
    pub salt: [u8; SALT_BYTES],
    /// The key it is sealed with.
    pub key_id: [u8; 8],
}

impl SegmentHead {
    /// The bytes.
    pub fn encode(&self) -> [u8; SEGMENT_HEAD_BYTES] {
        let mut out = [0; SEGMENT_HEAD_BYTES];
        out[..8].copy_from_slice(&SEGMENT_MAGIC);
        out[8..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..32].copy_from_slice(&self.salt);
        out[32..40].copy_from_slice(&self.key_id);
        let sum = crc32fast::hash(&out[..60]);
        out[60..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// From the bytes; nothing where they are something else.
    pub fn decode(bytes: &[u8; SEGMENT_HEAD_BYTES]) -> Option<SegmentHead> {
        let mut fields = Fields(bytes);
        if fields.array()? != SEGMENT_MAGIC || crc32fast::hash(&bytes[..60]).to_le_bytes() != bytes[60..] {
            return None;
        }
        Some(SegmentHead { number: fields.u64()?, salt: fields.array()?, key_id: fields.array()? })
    }
}

/// What stands at the beginning of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHead {
    /// Its number in the segment.
    pub number: u32,
    /// How many packets it holds.
    pub packets: u32,
    /// The earliest packet, nanoseconds since 1970-01-01 UTC.
    pub first_ns: i64,
    /// The latest packet.
    pub last_ns: i64,
    /// How many digests follow.
    pub tags: u32,
    /// Length of the sealed content.
    pub content_bytes: u32,
    /// Length of the content once opened and unpacked.
    pub plain_bytes: u32,
    flags: u32,
    /// Checksum over the digests.
    tags_sum: u32,
}

impl BlockHead {
    /// The bytes.
    fn encode(&self) -> [u8; BLOCK_HEAD_BYTES] {
        let mut out = [0; BLOCK_HEAD_BYTES];
        out[..4].copy_from_slice(&BLOCK_MAGIC);
        out[4..8].copy_from_slice(&self.number.to_le_bytes());
        out[8..16].copy_from_slice(&self.first_ns.to_le_bytes());
        out[16..24].copy_from_slice(&self.last_ns.to_le_bytes());
        let words = [self.packets, self.tags, self.content_bytes, self.plain_bytes, self.flags, self.tags_sum];
        for (place, word) in out[24..48].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let sum = crc32fast::hash(&out[..60]);
        out[60..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// From the bytes; nothing where they are something else.
    pub fn decode(bytes: &[u8; BLOCK_HEAD_BYTES]) -> Option<BlockHead> {
        let mut fields = Fields(bytes);
        if fields.array()? != BLOCK_MAGIC || crc32fast::hash(&bytes[..60]).to_le_bytes() != bytes[60..] {
            return None;
        }
        let number = fields.u32()?;
        let (first_ns, last_ns) = (fields.i64()?, fields.i64()?);
        let head = BlockHead {
            number,
            first_ns,
            last_ns,
            packets: fields.u32()?,
            tags: fields.u32()?,
            content_bytes: fields.u32()?,
            plain_bytes: fields.u32()?,
            flags: fields.u32()?,
            tags_sum: fields.u32()?,
        };
        let too_long = head.plain_bytes as usize > CONTENT_MAX_BYTES
            || head.content_bytes as usize > CONTENT_MAX_BYTES + SEAL_BYTES
            || head.tags as usize > 2 * BLOCK_PACKETS;
        (!too_long).then_some(head)
    }

    /// Length of the digests.
    pub fn tags_bytes(&self) -> usize {
        self.tags as usize * TAG_BYTES
    }

    /// Length of all that follows the head.
    pub fn body_bytes(&self) -> usize {
        self.tags_bytes() + self.content_bytes as usize
    }

    /// The digests; nothing where they are damaged.
    pub fn tags(&self, bytes: &[u8]) -> Option<Vec<u64>> {
        let sound = bytes.len() == self.tags_bytes() && crc32fast::hash(bytes) == self.tags_sum;
        let tags = bytes.chunks_exact(TAG_BYTES).filter_map(|tag| Some(u64::from_le_bytes(*tag.first_chunk()?)));
        sound.then(|| tags.collect())
    }
}

/// A block being filled. Cleared, it can be filled again without asking for memory.
#[derive(Debug, Default)]
pub struct Block {
    packets: Vec<u8>,
    /// The flow of each packet; all zero where it has none.
    flows: Vec<Name>,
    /// Packets that are fragments of a datagram.
    fragments: Vec<(u32, Name)>,
    links: Vec<LinkType>,
    first_ns: i64,
    last_ns: i64,
}

impl Block {
    /// Adds a packet.
    pub fn add(&mut self, packet: &Packet<'_>, member: Option<&Member>, datagram: Option<Name>) {
        let link = match self.links.iter().position(|link| *link == packet.link) {
            Some(known) => known,
            None => {
                self.links.push(packet.link);
                self.links.len() - 1
            }
        };
        // What stands in the block is what pcapng can say: no time before 1970.
        let time_ns = packet.time_ns.max(0);
        if self.flows.is_empty() {
            (self.first_ns, self.last_ns) = (time_ns, time_ns);
        }
        (self.first_ns, self.last_ns) = (self.first_ns.min(time_ns), self.last_ns.max(time_ns));
        if let Some(datagram) = datagram {
            self.fragments.push((u32::try_from(self.flows.len()).unwrap_or(u32::MAX), datagram));
        }
        self.flows.push(member.map_or([0; 20], |member| member.community_id.0));
        pcapng::packet(&mut self.packets, u32::try_from(link).unwrap_or(u32::MAX), packet);
    }

    /// How many packets it holds.
    pub fn len(&self) -> u64 {
        self.flows.len() as u64
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// About the room that it will take on disk.
    pub fn size_bytes(&self) -> usize {
        self.packets.len() + self.flows.len() * (4 + 20 + TAG_BYTES) + self.fragments.len() * 8 + 1024
    }

    /// Whether it should go to disk.
    pub fn is_full(&self) -> bool {
        self.packets.len() >= BLOCK_BYTES || self.flows.len() >= BLOCK_PACKETS
    }

    /// Takes everything out and keeps the memory.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.flows.clear();
        self.fragments.clear();
        self.links.clear();
    }

    /// As it stands on disk, and the digests in it.
    pub fn seal(&self, keys: &SegmentKeys, number: u32, name: &str, level: Option<i32>) -> io::Result<(Vec<u8>, Head)> {
        let (mut content, tags) = self.content(keys, name);
        let plain_bytes = word(content.len());
        let mut flags = 0;
        if let Some(level) = level {
            let packed = zstd::bulk::compress(&content, level)?;
            if packed.len() < content.len() {
                (content, flags) = (packed, COMPRESSED);
            }
        }
        let tag_bytes: Vec<u8> = tags.iter().flat_map(|tag| tag.to_le_bytes()).collect();
        let head = BlockHead {
            number,
            packets: word(self.flows.len()),
            first_ns: self.first_ns,
            last_ns: self.last_ns,
            tags: word(tags.len()),
            content_bytes: word(content.len() + SEAL_BYTES),
            plain_bytes,
            flags,
            tags_sum: crc32fast::hash(&tag_bytes),
        };
        let mut out = Vec::with_capacity(BLOCK_HEAD_BYTES + head.body_bytes());
        out.extend(head.encode());
        out.extend(tag_bytes);
        keys.seal(number, &out, &mut content)?;
        out.extend(content);
        Ok((out, Head { head, tags }))
    }

    fn content(&self, keys: &SegmentKeys, name: &str) -> (Vec<u8>, Vec<u64>) {
        let mut names: Vec<Name> = Vec::new();
        let mut known: ahash::HashMap<Name, u32> = ahash::HashMap::default();
        // Packets of a flow often come one after the other.
        let mut latest: (Name, u32) = ([0; 20], 0);
        let mut number = |name: &Name| {
            if *name == latest.0 {
                return latest.1;
            }
            if *name == [0; 20] {
                return 0;
            }
            let number = *known.entry(*name).or_insert_with(|| {
                names.push(*name);
                word(names.len())
            });
            latest = (*name, number);
            number
        };
        let flows: Vec<u32> = self.flows.iter().map(&mut number).collect();
        let fragments: Vec<[u32; 2]> = self.fragments.iter().map(|(packet, name)| [*packet, number(name)]).collect();
        let cut = name.floor_char_boundary(NAME_MAX_BYTES);
        let name = name.get(..cut).unwrap_or_default();
        let mut out = Vec::with_capacity(self.packets.len() + names.len() * 20 + flows.len() * 4 + 256);
        out.extend(word(name.len()).to_le_bytes());
        out.extend(name.as_bytes());
        out.extend(word(self.links.len()).to_le_bytes());
        self.links.iter().for_each(|link| out.extend(link.0.to_le_bytes()));
        out.extend(word(names.len()).to_le_bytes());
        names.iter().for_each(|name| out.extend_from_slice(name));
        out.extend(word(flows.len()).to_le_bytes());
        flows.iter().for_each(|flow| out.extend_from_slice(&flow.to_le_bytes()));
        out.extend(word(fragments.len()).to_le_bytes());
        fragments.iter().flatten().for_each(|word| out.extend(word.to_le_bytes()));
        out.extend_from_slice(&self.packets);
        let mut tags: Vec<u64> = names.iter().map(|name| keys.tag(name)).collect();
        tags.sort_unstable();
        tags.dedup();
        (out, tags)
    }
}

/// A block's head and its digests.
pub struct Head {
    /// The head.
    pub head: BlockHead,
    /// The digests in rising order.
    pub tags: Vec<u64>,
}

/// A block that was read back.
pub struct OpenBlock {
    content: Vec<u8>,
    /// Name of the capture thread.
    pub name: String,
    /// Link types by interface number.
    pub links: Vec<LinkType>,
    names: Vec<Name>,
    packets: Vec<OpenPacket>,
}

/// Where a packet stands in a block that was read back.
#[derive(Debug, Clone)]
struct OpenPacket {
    place: Range<usize>,
    time_ns: i64,
    interface: u32,
    flow: u32,
    datagram: u32,
}

/// A packet of a block that was read back.
pub struct Kept<'b> {
    /// Its enhanced packet block; the interface is that of the block it stood in.
    pub block: &'b [u8],
    /// When, nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// Number of its link type in [`OpenBlock::links`].
    pub interface: u32,
    /// The flow it belongs to.
    pub flow: Option<Name>,
    /// The datagram that it is a fragment of.
    pub datagram: Option<Name>,
}

impl OpenBlock {
    /// From the bytes on disk behind the head; nothing where they are damaged.
    pub fn open(keys: &SegmentKeys, head: &BlockHead, body: &[u8]) -> Option<OpenBlock> {
        let (tags, content) = body.split_at_checked(head.tags_bytes())?;
        let mut open = head.encode().to_vec();
        open.extend_from_slice(tags);
        let mut content = content.to_vec();
        let length = keys.open(head.number, &open, &mut content)?.len();
        content.truncate(length);
        if head.flags & COMPRESSED != 0 {
            content = zstd::bulk::decompress(&content, CONTENT_MAX_BYTES).ok()?;
        }
        if content.len() != head.plain_bytes as usize {
            return None;
        }
        OpenBlock::parse(content)
    }

    fn parse(content: Vec<u8>) -> Option<OpenBlock> {
        let mut fields = Fields(&content);
        let length = fields.u32()? as usize;
        let name = String::from_utf8(fields.bytes(length)?.to_vec()).ok()?;
        let links = fields.list(|fields| fields.u32().map(LinkType))?;
        let names: Vec<Name> = fields.list(|fields| fields.array())?;
        let flows = fields.list(|fields| fields.u32())?;
        let fragments = fields.list(|fields| Some((fields.u32()?, fields.u32()?)))?;
        let mut at = content.len() - fields.0.len();
        let mut packets = Vec::with_capacity(flows.len());
        for flow in flows {
            let (length, time_ns, interface) = pcapng::peek(content.get(at..)?)?;
            packets.push(OpenPacket { place: at..at + length, time_ns, interface, flow, datagram: 0 });
            at += length;
        }
        for (packet, datagram) in fragments {
            packets.get_mut(packet as usize)?.datagram = datagram;
        }
        (at == content.len()).then_some(OpenBlock { content, name, links, names, packets })
    }

    /// Its packets, in the order in which they came.
    pub fn packets(&self) -> impl Iterator<Item = Kept<'_>> {
        let name = |number: u32| self.names.get((number as usize).checked_sub(1)?).copied();
        self.packets.iter().filter_map(move |packet| {
            let block = self.content.get(packet.place.clone())?;
            let OpenPacket { time_ns, interface, flow, datagram, .. } = *packet;
            Some(Kept { block, time_ns, interface, flow: name(flow), datagram: name(datagram) })
        })
    }
}

fn word(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Little-endian numbers one after the other.
pub struct Fields<'b>(pub &'b [u8]);

impl<'b> Fields<'b> {
    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    /// A number.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number.
    pub fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A count and so many items; the count may not promise more than there are bytes.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()? as usize;
        if count > self.0.len() {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }
}
