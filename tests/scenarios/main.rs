//! Scenarios: a capture in, API answers out, with the three programs as real processes; and what happens when one of
//! them dies, a disk is full, a certificate is revoked, a rule is broken, a setting is misspelt, mail goes out.

mod faults;
mod mail;
mod packets;
mod settings;
mod story;
