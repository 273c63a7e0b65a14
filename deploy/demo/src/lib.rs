//! The three programs together, as real processes: what the demo shows and what tests with several parts start.
//!
//! Comes in: the folder of the built programs and an empty data folder. Goes out: a running collector, console and
//! sensor, clients for their APIs, and their logs in `DATA/log`. Dropping a [`stack::Stack`] ends its processes.

pub mod capture;
pub mod check;
pub mod http;
pub mod live;
pub mod program;
pub mod progress;
pub mod session;
pub mod stack;
pub mod wait;
