//! Events in, alerts and answers out.
//!
//! What comes in: batches of events from sensors. What goes out: alerts, and answers to searches. The stages in the order
//! of the data; [`pipeline`] alone knows it:
//!
//! | stage | what |
//! | --- | --- |
//! | [`intake`] | sensors connect, enrol and hand over batches |
//! | [`sources`] | other programs send lines |
//! | [`journal`] | makes batches durable; only then are they acknowledged |
//! | [`enrich`] | which agency an event concerns |
//! | [`detect`] | rules, scanned files, alerts |
//! | [`index`] | makes events searchable |
//! | [`fanout`] | alerts in a durable log that the console follows |
//! | [`search`] | the query language and its answers |
//! | [`saved`] | queries that are kept, run by themselves and may alert |
//!
//! [`import`] takes captures and logs of other programs into data sets apart. Beside them: [`api`] and [`client`] (both
//! ends of the API), [`backtest`], [`backup`], [`evidence`] (what is sealed and held), [`fleet`] (who may speak), [`ledger`] (what was counted),
//! [`tail`] (events as they come in), [`health`] (what does not work), [`room`] (which disks are full),
//! [`places`] (who may be connected).

pub mod api;
pub mod backtest;
pub mod backup;
pub mod client;
pub mod clock;
pub mod commands;
pub mod detect;
pub mod enrich;
pub mod evidence;
pub mod fanout;
pub mod fleet;
pub mod health;
pub mod import;
pub mod index;
pub mod intake;
pub mod journal;
pub mod ledger;
pub mod pipeline;
pub mod places;
pub mod room;
pub mod run;
pub mod saved;
pub mod search;
pub mod settings;
pub mod sources;
pub mod tail;
