//! Who may be connected to a source: so many in all and so many of one address, and whoever is quiet makes room.
//!
//! Comes in: the address of a new connection. Goes out: a [`Place`], given back when dropped, or the reason why there is
//! none. When all are taken, the connection of which nothing whole has come for longest leaves for the new one, if that
//! has been [`QUIET_MIN`]: strangers who hold the door without saying anything keep nobody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Connections of one source.
pub const CONNECTIONS_MAX: usize = 256;
/// A connection that said something within this time keeps its place.
const QUIET_MIN: Duration = Duration::from_secs(10);

/// Why there is no place.
pub const ADDRESS_FULL: &str = "address_full";
/// Why there is no place.
pub const FULL: &str = "full";

/// The places of one source; cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    per_address: usize,
    most: usize,
    there: Arc<Mutex<There>>,
}

#[derive(Debug, Default)]
struct There {
    next: u64,
    guests: HashMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    address: IpAddr,
    heard: Instant,
    leave: CancellationToken,
}

/// One connection's place.
#[derive(Debug)]
pub struct Place {
    number: u64,
    there: Arc<Mutex<There>>,
    leave: CancellationToken,
}

impl Places {
    /// So many of one address.
    pub fn new(per_address: usize) -> Places {
        Places { per_address, most: CONNECTIONS_MAX, there: Arc::default() }
    }

    /// A place for a connection from an address, and whether another had to leave for it.
    pub fn admit(&self, address: IpAddr, now: Instant) -> Result<(Place, bool), &'static str> {
        let mut there = lock(&self.there);
        if there.guests.values().filter(|guest| guest.address == address).count() >= self.per_address {
            return Err(ADDRESS_FULL);
        }
        let mut has_made_room = false;
        if there.guests.len() >= self.most {
            let quietest = there.guests.iter().min_by_key(|(_, guest)| guest.heard);
            let quiet = quietest.filter(|(_, guest)| now.saturating_duration_since(guest.heard) >= QUIET_MIN);
            let number = quiet.map(|(number, _)| *number).ok_or(FULL)?;
            if let Some(guest) = there.guests.remove(&number) {
                guest.leave.cancel();
            }
            has_made_room = true;
        }
        let (number, leave) = (there.next, CancellationToken::new());
        there.next += 1;
        there.guests.insert(number, Guest { address, heard: now, leave: leave.clone() });
        Ok((Place { number, there: self.there.clone(), leave }, has_made_room))
    }
}

impl Place {
    /// Something whole came.
    pub fn heard(&self, now: Instant) {
        if let Some(guest) = lock(&self.there).guests.get_mut(&self.number) {
            guest.heard = now;
        }
    }

    /// Resolves when the place is needed for another.
    pub async fn is_needed(&self) {
        self.leave.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.there).guests.remove(&self.number);
    }
}

fn lock(there: &Mutex<There>) -> MutexGuard<'_, There> {
    there.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_can_neither_take_all_places_nor_hold_them_in_silence() {
        let places = Places { per_address: 2, most: 4, there: Arc::default() };
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let began = Instant::now();
        let (first, _) = places.admit(address(1), began).unwrap();
        let _second = places.admit(address(1), began).unwrap();
        assert_eq!(places.admit(address(1), began).unwrap_err(), ADDRESS_FULL);
        let (third, _) = places.admit(address(2), began).unwrap();
        let _fourth = places.admit(address(2), began).unwrap();
        assert_eq!(places.admit(address(3), began).unwrap_err(), FULL, "all spoke just now");
        let later = began + QUIET_MIN;
        first.heard(later);
        third.heard(later);
        let (_fifth, has_made_room) = places.admit(address(3), later).unwrap();
        assert!(has_made_room);
        assert!(!first.leave.is_cancelled() && !third.leave.is_cancelled(), "who speaks stays");
        drop(third);
        assert!(!places.admit(address(4), later).unwrap().1, "a place that was given back");
    }
}
