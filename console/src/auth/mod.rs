//! Who is asking, and may they: passwords, sessions, one-time links, back-off, and the table of what each role may do.
//!
//! Every request under `/api/v1` passes [`guard::guard`], which finds the session and the route's rule before any handler
//! runs; a route without a rule is refused.

mod caller;
pub mod guard;
pub mod openid;
pub mod password;
pub mod profile;
pub mod roles;
pub mod secrets;
pub mod throttle;
pub mod totp;

pub use caller::Caller;
