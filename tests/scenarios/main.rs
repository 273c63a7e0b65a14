//! Scenarios: a capture in, API answers out, with the three programs as real processes; and what happens when one of
//! them dies, a disk is full, a certificate is revoked, a rule is broken, a setting is misspelt, mail goes out, a report
//! is printed, a signature finds something, a capture is imported, evidence is sealed and replayed, the demo is killed.

mod afar;
mod backtest;
mod demo;
mod evidence;
mod faults;
mod full_disk;
mod import;
mod mail;
mod packets;
mod report;
mod settings;
mod signatures;
mod story;
