//! The console from outside: its HTTP interface over a temporary store, beside a collector and a mail server that are
//! played by the test.

mod access;
mod agencies;
mod agency_notices;
mod alerts;
mod cases;
mod chain;
mod doors;
mod fakes;
mod fuzz;
mod handovers;
mod harness;
mod live;
mod mails;
mod migrations;
mod notices;
mod oncall;
mod openid;
mod overview;
mod passwords;
mod provider;
mod reach;
mod reports;
mod roles;
mod suppressions;
mod triage;
