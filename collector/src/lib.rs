//! Events in, alerts and answers out.

pub mod fleet;
pub mod health;
pub mod intake;
pub mod journal;
pub mod ledger;
