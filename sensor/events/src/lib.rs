//! The words a sensor speaks.
//!
//! What comes in: typed records that parsers make (`record!`). What goes out: [`Event`]s with a typed envelope and a
//! generic body, their text form (nested Elastic Common Schema JSON, [`json`]), their wire form ([`wire`]) and the
//! [`Catalogue`] that names every field. From [`Event`] on, nothing needs to know which protocol made it.
//!
//! This crate is a leaf: it depends on no other crate of the project and does no I/O.

pub mod catalogue;
pub mod event;
pub mod field;
pub mod json;
pub mod ledger;
pub mod other;
mod record;
pub mod scan;
pub mod text;
pub mod token;
pub mod value;
pub mod wire;

pub use catalogue::{Catalogue, DatasetId, FieldId};
pub use event::{CommunityId, Event, EventId, FlowContext, Transport};
pub use field::{DatasetDef, FieldDef, IndexHint, Kind};
pub use value::{Value, ValueRef};
