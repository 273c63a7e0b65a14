//! The rule engines: what to look for in events, and the machinery that looks.
//!
//! Comes in: folders of rules ([`load`]) and events in packet order ([`Engine::process`]). Goes out: [`Match`]es that
//! explain themselves (rule, matched fields, subject, the events they stand on). A broken rule is reported with file,
//! line and reason ([`Broken`]) and never stops the others. On overload the correlation windows drop their stalest
//! groups and count them ([`EngineCounts`]); over a restart the windows are carried by [`Engine::snapshot`] and
//! [`Engine::restore`].
//!
//! | module | what |
//! | --- | --- |
//! | [`ruleset`] | walks the folders, knows every rule's text, metadata and the set's digest |
//! | `sigma` | Sigma 2 with correlations, wrapped around rsigma behind [`Detector`] |
//! | `intel` | lists of bad domains, addresses, hashes, fingerprints, behind [`Detector`] |
//! | `signatures` | Suricata's rule language on packets, streams and buffers of protocols: what sensors run |
//! | `heard` | alerts that sensors raise by their signatures, as matches like all others |
//! | [`yara`] | names and metadata of YARA rules; the rules themselves run in luytre-scanner |
//! | [`scanner`] | drives a luytre-scanner child |

pub mod detector;
pub mod engine;
mod heard;
#[cfg(feature = "intel")]
pub mod intel;
pub mod matched;
pub mod rule;
pub mod ruleset;
pub mod scanner;
#[cfg(feature = "sigma")]
pub mod sigma;
#[cfg(feature = "signatures")]
pub mod signatures;
pub mod yara;

pub use detector::Detector;
pub use engine::{Engine, EngineCounts};
pub use matched::{Match, MatchedField, Subject};
pub use rule::{Broken, Level, Note, Rule, RuleKind};
pub use ruleset::{LoadError, RuleSet, load};
