//! Signatures in Suricata's rule language: what to look for in packets, streams and the buffers of protocols.
//!
//! Comes in: rule files ([`Signatures::load`]), then packets, pieces of streams and transactions of one worker's flows
//! ([`Inspector`]). Goes out: [`Alert`]s with what matched. A rule that cannot be used is reported with file, line and
//! reason and never stops the others. What is kept between packets has ceilings, and what finds no room is counted
//! ([`Inspector::counts`]). Nothing survives a restart.
//!
//! | module | what |
//! | --- | --- |
//! | [`language`] | the text of rules taken apart |
//! | [`buffer`] | the one table of what rules can look into |
//! | [`rule`] | what a rule says |
//! | [`compile`] | from text to rule |
//! | [`ruleset`] | the rules of some files, in the order in which they are asked |
//! | [`matcher`], [`numbers`], [`regex`], [`transform`] | whether conditions hold in a buffer |
//! | [`plain`] | the same, slowly and obviously: the measure of the others in tests |
//! | [`modbus`] | what rules ask of a request of Modbus |
//! | [`many`] | which of several numbers must be as a rule says |
//! | [`notes`] | what a text says to people |
//! | [`domain`] | names taken apart |
//! | [`tuning`] | what people change about rules without touching them |
//! | [`review`] | what an author should know about a rule that loads |
//! | [`probe`] | what rules cost, and how far one of them comes |
//! | [`state`], [`sets`], [`threshold`] | what is remembered |
//! | [`prefilter`] | which rules are worth asking |
//! | [`inspect`] | all of it for the sensor |

mod base64;
pub mod buffer;
pub mod compile;
mod describe;
pub mod domain;
pub mod inspect;
pub mod language;
mod many;
pub mod matcher;
mod modbus;
pub mod notes;
pub mod numbers;
pub mod plain;
pub mod prefilter;
pub mod probe;
pub mod regex;
pub mod review;
pub mod rule;
pub mod ruleset;
mod scene;
pub mod sets;
pub mod state;
mod texts;
pub mod threshold;
pub mod transform;
pub mod tuning;

pub use inspect::{Alert, InspectCounts, Inspector, Matched};
pub use ruleset::{Reported, Signatures};
pub use scene::{FlowFacts, PacketFacts, Scene, TcpFacts};

/// Whether a keyword is known, used or not.
fn known_keyword(keyword: &str) -> bool {
    const OTHERS: &[&str] = &["content", "pcre", "flow", "flowbits", "bsize", "dsize", "xbits", "dataset", "threshold"];
    buffer::by_keyword(keyword).is_some()
        || buffer::by_modifier(keyword).is_some()
        || transform::parse(keyword, None).is_some()
        || OTHERS.contains(&keyword)
}
