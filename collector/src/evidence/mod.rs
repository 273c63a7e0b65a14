//! Evidence: what must outlive the rolling stores, sealed so that anybody can check it.
//!
//! Comes in: an alert that somebody wants held ([`Sealer::seal`]), documents, reads. Goes out: bundles ([`manifest`] says
//! what is in one), whether one is whole and whose it is ([`verify`]), and whether it proves its alert ([`replay`]).
//!
//! | module | what |
//! | --- | --- |
//! | [`store`] | contents under their SHA-256, with holds, quota and a log of every read |
//! | `log` | that log, chained |
//! | [`archive`] | ZIP archives, and files behind a password |
//! | [`seal`] | gathers everything about an alert and signs it |
//! | [`verify`] | checks a bundle, without a collector |
//! | `capture` | packets of several flows in the order of time |
//! | [`replay`] | runs a bundle's events and packets through detection again |

pub mod archive;
pub mod capture;
mod log;
pub mod manifest;
pub mod replay;
pub mod seal;
pub mod store;
pub mod verify;

pub use seal::{SealError, Sealer};
pub use store::{EvidenceError, EvidenceSettings, Store};
