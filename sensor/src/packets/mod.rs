//! Rolling packet capture: what was on the wire, so that an alert can be looked at packet by packet.
//!
//! Comes in: every captured packet with the flow it belongs to ([`Member`]). Goes out: segments on disk, from which
//! [`extract`] takes the packets of a flow as a pcapng file. A capture thread copies a packet into a block of its own
//! ([`keeper`]) and hands full blocks to a thread that compresses, seals and writes them ([`writer`]); the segments of all
//! capture threads share one folder and one quota ([`shelf`]). A block names the flows in it by keyed digests, and a
//! finished segment has an index from digest to block ([`index`]), so that what stands on the disk tells nobody who spoke
//! with whom. Contents are sealed with a key of this sensor ([`seal`]).
//!
//! **On overload** packets are the first thing to be sacrificed: a disk that is slow or full costs packets, counted by
//! reason, and nothing else. **On restart** a segment that was being written is cut after its last whole block and gets
//! its index; nothing is ever appended to it.

pub mod block;
pub mod extract;
pub mod index;
pub mod keeper;
mod pcapng;
pub mod seal;
pub mod settings;
pub mod shelf;
mod writer;

use luytre_events::CommunityId;

pub use extract::{Extraction, Query};
pub use keeper::{KeepCounts, Keeper};
pub use seal::StoreKey;
pub use settings::PacketSettings;
pub use shelf::Shelf;

/// The folder of the store, in the data folder.
pub const FOLDER: &str = "packets";

/// The flow that a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub community_id: CommunityId,
    /// Bytes of the flow so far, both ways, without this packet.
    pub before_bytes: u64,
    /// `network.protocol`, once known.
    pub protocol: Option<&'static str>,
}
