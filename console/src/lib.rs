//! People in, decisions out: the console's server.
//!
//! Comes in: alerts from the collector (a durable stream), requests of people over HTTPS. Goes out: the interface, the
//! REST API, live updates, e-mail notices, reports. When the collector is down, everything that the console itself keeps
//! goes on working.

pub mod api;
pub mod app;
pub mod assets;
pub mod attack;
pub mod auth;
pub mod case_data;
pub mod clock;
pub mod collector;
pub mod commands;
pub mod file_kind;
pub mod limit;
pub mod live;
pub mod metrics;
pub mod model;
pub mod notify;
pub mod outside;
pub mod press;
pub mod register;
pub mod register_data;
pub mod reports;
pub mod server;
pub mod settings;
pub mod setup;
pub mod store;
pub mod tls;
pub mod words;
