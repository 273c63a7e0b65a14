//! Scenarios: a capture in, API answers out, with the three programs as real processes; and what happens when one of
//! them dies, a disk is full, a certificate is revoked, a rule is broken, a setting is misspelt, mail goes out, a report
//! is printed, the demo is killed.

mod afar;
mod demo;
mod faults;
mod mail;
mod packets;
mod report;
mod settings;
mod story;
