//! Who was let in where, and who was not; and where there is no room on a disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The counts of one place where connections come in, since the collector was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoorLine {
    /// `intake`, `api` or `source:NAME`.
    pub name: String,
    /// Connections that were let in.
    pub admitted: u64,
    /// Connections (and requests) that were refused or ended, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// The room on the disk of one directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomLine {
    /// The part that writes there.
    pub name: String,
    /// The directory.
    pub directory: String,
    /// Whether there is no room now.
    pub full: bool,
    /// Writes that found no room, since the collector was started.
    pub refused: u64,
}
