//! Who is connected now: one connection a sensor, the newer wins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::now_ns;

#[derive(Default)]
pub(super) struct Connections {
    live: Mutex<HashMap<Arc<str>, Live>>,
    next: AtomicU64,
}

struct Live {
    number: u64,
    heard_ns: Arc<AtomicI64>,
    end: watch::Sender<bool>,
}

/// A sensor's connection, for as long as this lives.
pub struct Connected {
    connections: Arc<Connections>,
    name: Arc<str>,
    number: u64,
    heard_ns: Arc<AtomicI64>,
    ended: watch::Receiver<bool>,
}

impl Connections {
    fn live(&self) -> MutexGuard<'_, HashMap<Arc<str>, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(self: Arc<Self>, name: &Arc<str>) -> Connected {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (end, ended) = watch::channel(false);
        let heard_ns = Arc::new(AtomicI64::new(now_ns()));
        // Dropping the older sender ends the older connection.
        self.live().insert(name.clone(), Live { number, heard_ns: heard_ns.clone(), end });
        Connected { connections: self, name: name.clone(), number, heard_ns, ended }
    }

    pub(super) fn end(&self, name: &str) {
        if let Some(live) = self.live().remove(name) {
            // Nobody listens when it has just ended by itself.
            let _ = live.end.send(true);
        }
    }

    pub(super) fn last_heard_ns(&self, name: &str) -> Option<i64> {
        self.live().get(name).map(|live| live.heard_ns.load(Ordering::Relaxed))
    }
}

impl Connected {
    /// The sensor has said something.
    pub fn heard(&self) {
        self.heard_ns.store(now_ns(), Ordering::Relaxed);
    }

    /// Returns when the connection must end: a newer one of the same name, or the sensor was revoked.
    pub async fn ended(&mut self) {
        // An error means that the sender is gone, which is the same.
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut live = self.connections.live();
        if live.get(&self.name).is_some_and(|newest| newest.number == self.number) {
            live.remove(&self.name);
        }
    }
}
