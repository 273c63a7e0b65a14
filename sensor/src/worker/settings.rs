//! How shards are set up, and what of it can change while they work.

use std::sync::Arc;

use luytre_rules_engine::signatures::Signatures;
use luytre_rules_engine::signatures::probe::Probe;

use crate::canary::watch::Watch;
use crate::files::FileLimits;
use crate::files::store::Store;
use crate::flow::FlowLimits;
use crate::flow::overlap::Overlap;
use crate::networks::Networks;

/// Which flows are looked into. Whatever it says, every flow is followed, counted and reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// All.
    #[default]
    All,
    /// Those that have begun; new ones are not.
    Known,
    /// None: those that are open end their protocol's work.
    None,
}

/// How shards are set up.
#[derive(Clone)]
pub struct WorkerSettings {
    /// The name that events carry; empty where they are not a sensor's.
    pub sensor: Arc<str>,
    /// Limits of the flow table.
    pub flow: FlowLimits,
    /// How receivers settle overlaps.
    pub overlap: Arc<Overlap>,
    /// Limits of carving.
    pub files: FileLimits,
    /// Where the content of carved files is kept, if at all.
    pub store: Option<Arc<Store>>,
    /// Whether somebody will ask for the flow of each packet ([`Worker::take_member`]).
    pub members: bool,
    /// What is not wanted.
    pub muted: Arc<Muted>,
    /// Whose addresses are whose.
    pub networks: Arc<Networks>,
    /// What follows canaries, if anything.
    pub canaries: Option<Arc<Watch>>,
    /// What signatures look for, if there are any.
    pub rules: Option<Arc<Signatures>>,
    /// Who wants to know what rules cost and how far they come.
    pub probe: Option<Arc<Probe>>,
}

/// What an operator has switched off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Muted {
    /// Protocols that are recognised and not parsed, as `network.protocol` names them.
    pub protocols: Vec<String>,
    /// Anomalies that are counted and not told: a name, or what stands before its dot for all that begin with it.
    pub anomalies: Vec<String>,
}

impl Muted {
    pub(super) fn protocol(&self, name: &str) -> bool {
        self.protocols.iter().any(|muted| muted == name)
    }

    pub(super) fn anomaly(&self, name: &str) -> bool {
        let begins = |muted: &String| name.strip_prefix(muted.as_str()).is_some_and(|rest| rest.starts_with('.'));
        self.anomalies.iter().any(|muted| muted == name || begins(muted))
    }
}

impl WorkerSettings {
    /// For reading capture files: nameless, and keeping nothing of what is carved.
    pub fn reading(flow: FlowLimits) -> WorkerSettings {
        WorkerSettings {
            sensor: "".into(),
            flow,
            overlap: Arc::default(),
            files: FileLimits::default(),
            store: None,
            members: false,
            muted: Arc::default(),
            networks: Arc::default(),
            canaries: None,
            rules: None,
            probe: None,
        }
    }
}
