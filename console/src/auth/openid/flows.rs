//! Log-ins that have begun at a provider and not ended yet, in memory: each is good once, for [`LIFE_US`], and for the
//! browser that began it. A restart forgets them; people begin again.
//!
//! At most [`MAX_FLOWS`], and [`MAX_OF_A_NETWORK`] of one network: its own oldest makes room, so that a stranger who begins
//! many does not end those of others.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::auth::secrets;
use crate::metrics::Counter;

/// How long somebody has at the provider, microseconds.
pub const LIFE_US: i64 = 600 * 1_000_000;

/// How many are kept.
pub const MAX_FLOWS: usize = 2_000;

/// How many of one network are kept.
pub const MAX_OF_A_NETWORK: usize = 50;

/// What it was begun for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To come in.
    LogIn,
    /// To link the account at the provider with this user.
    Link(String),
    /// To come in as this user, for whom the provider has vouched; a code of their second factor is still missing.
    Code(String),
}

/// A log-in under way.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What the ID token must repeat.
    pub nonce: String,
    /// The secret of the proof of possession (PKCE, RFC 7636).
    pub verifier: String,
    /// What for.
    pub purpose: Purpose,
    /// From where.
    pub network: String,
    /// The digest of the browser's cookie.
    browser: String,
    state: String,
    until_us: i64,
}

/// All that are under way.
#[derive(Debug, Default)]
pub struct Flows {
    all: Mutex<VecDeque<Flow>>,
    /// How many made room for others.
    pub dropped: Counter,
}

/// What a browser is given to begin with.
#[derive(Debug)]
pub struct Begun {
    /// Goes to the provider and back.
    pub state: String,
    /// Stays in the browser.
    pub cookie: String,
    /// The log-in.
    pub flow: Flow,
}

impl Flows {
    /// Begins one.
    pub fn begin(&self, purpose: Purpose, network: String, now_us: i64) -> anyhow::Result<Begun> {
        let (state, cookie) = (secrets::random_token()?, secrets::random_token()?);
        let flow = Flow {
            nonce: secrets::random_token()?,
            verifier: secrets::random_token()?,
            purpose,
            network,
            browser: secrets::digest(&cookie),
            state: secrets::digest(&state),
            until_us: now_us + LIFE_US,
        };
        self.keep(flow.clone(), now_us);
        Ok(Begun { state, cookie, flow })
    }

    /// Takes one out: it does not come back for the same state.
    pub fn take(&self, state: &str, cookie: &str, now_us: i64) -> Option<Flow> {
        let (state, browser) = (secrets::digest(state), secrets::digest(cookie));
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        // Another browser with the right state neither gets it nor ends it.
        let at = all.iter().position(|flow| flow.state == state && flow.browser == browser)?;
        all.remove(at).filter(|flow| flow.until_us > now_us)
    }

    /// Puts one back that needs another step; its time goes on.
    pub fn put_back(&self, flow: Flow, purpose: Purpose, now_us: i64) {
        self.keep(Flow { purpose, ..flow }, now_us);
    }

    fn keep(&self, flow: Flow, now_us: i64) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|kept| kept.until_us > now_us);
        let of_network = all.iter().filter(|kept| kept.network == flow.network).count();
        let oldest = all.iter().position(|kept| of_network < MAX_OF_A_NETWORK || kept.network == flow.network);
        if of_network >= MAX_OF_A_NETWORK || all.len() >= MAX_FLOWS {
            self.dropped.add(u64::from(oldest.and_then(|at| all.remove(at)).is_some()));
        }
        all.push_back(flow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_good_once_for_its_browser_and_in_its_time() {
        let flows = Flows::default();
        let begun = flows.begin(Purpose::LogIn, String::new(), 0).unwrap();
        assert!(flows.take(&begun.state, "another browser", 1).is_none());
        assert!(flows.take("another state", &begun.cookie, 1).is_none());
        let taken = flows.take(&begun.state, &begun.cookie, 1).unwrap();
        assert_eq!(taken.nonce, begun.flow.nonce);
        assert!(flows.take(&begun.state, &begun.cookie, 1).is_none(), "replayed");
        let late = flows.begin(Purpose::LogIn, String::new(), 0).unwrap();
        assert!(flows.take(&late.state, &late.cookie, LIFE_US).is_none());
    }

    #[test]
    fn a_stranger_who_begins_many_ends_only_their_own() {
        let flows = Flows::default();
        let lan = flows.begin(Purpose::LogIn, "192.0.2.7".into(), 0).unwrap();
        for _ in 0..3 * MAX_OF_A_NETWORK {
            flows.begin(Purpose::LogIn, "203.0.113.9".into(), 0).unwrap();
        }
        assert_eq!(flows.all.lock().unwrap().len(), MAX_OF_A_NETWORK + 1);
        assert_eq!(flows.dropped.get(), 2 * MAX_OF_A_NETWORK as u64);
        assert!(flows.take(&lan.state, &lan.cookie, 1).is_some());
        for n in 0..MAX_FLOWS + 50 {
            flows.begin(Purpose::LogIn, n.to_string(), 0).unwrap();
        }
        assert_eq!(flows.all.lock().unwrap().len(), MAX_FLOWS);
    }
}
