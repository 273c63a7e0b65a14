//! The register of agencies as rows of tables: what stands in which column, and whether it makes sense.
//!
//! Comes in: fields of a request, or cells of a file that somebody brings. Goes out: the same with days, kinds and networks
//! written one way, and every fault with the column it stands in. Nothing here knows the database; a page, a file and the
//! collector's list all pass through the same checks.

mod cells;
mod check;
pub mod plan;
pub mod sheet;
mod xlsx;

pub use check::{network_fault, tree_faults};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{AgencyFields, RecordContent, RecordKind};
use crate::register_data::{TableData, register_data};

/// A table of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RegisterTable)]
pub enum Table {
    /// The tree.
    Agencies,
    /// Contacts.
    Contacts,
    /// Networks.
    Networks,
    /// Systems.
    Systems,
    /// Assets.
    Assets,
}

impl Table {
    /// Its id.
    pub fn id(self) -> &'static str {
        match self {
            Table::Agencies => "agencies",
            Table::Contacts => "contacts",
            Table::Networks => "networks",
            Table::Systems => "systems",
            Table::Assets => "assets",
        }
    }

    /// The records that stand in it; none stand in the tree.
    pub fn records(self) -> Option<RecordKind> {
        match self {
            Table::Agencies => None,
            Table::Contacts => Some(RecordKind::Contact),
            Table::Networks => Some(RecordKind::Network),
            Table::Systems => Some(RecordKind::System),
            Table::Assets => Some(RecordKind::Asset),
        }
    }

    /// Its columns.
    pub fn data(self) -> Option<&'static TableData> {
        register_data().table.iter().find(|table| table.id == self.id())
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The column, or the field of a request.
    pub column: String,
    /// A stable word that the interface translates.
    pub code: String,
    /// The value.
    pub value: String,
    /// What to do.
    pub message: String,
}

impl Fault {
    /// A fault.
    pub fn new(column: &str, code: &str, value: &str, message: impl Into<String>) -> Fault {
        let value = value.chars().take(200).collect();
        Fault { column: column.to_owned(), code: code.to_owned(), value, message: message.into() }
    }
}

/// A row of a table, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An agency with its id.
    Agency(String, AgencyFields),
    /// Something that belongs to the agency of this id.
    Record(String, RecordContent),
}

impl RecordContent {
    /// What it is.
    pub fn kind(&self) -> RecordKind {
        match self {
            RecordContent::Contact(_) => RecordKind::Contact,
            RecordContent::Network(_) => RecordKind::Network,
            RecordContent::System(_) => RecordKind::System,
            RecordContent::Asset(_) => RecordKind::Asset,
        }
    }

    /// What tells it from others of its kind at the same agency.
    pub fn name(&self) -> &str {
        match self {
            RecordContent::Contact(contact) => &contact.name,
            RecordContent::Network(network) => &network.network,
            RecordContent::System(system) => &system.name,
            RecordContent::Asset(asset) => &asset.name,
        }
    }
}
