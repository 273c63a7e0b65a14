//! Who may be connected: so many in all and so many of one peer, and whoever is quiet makes room.
//!
//! Comes in: who a new connection is of, an address or a name. Goes out: a [`Place`], given back when dropped, or the reason
//! why there is none. When all are taken, the connection of which nothing whole has come for longest leaves for the new one,
//! if that has been so for a while ([`Limits::quiet_min`]): strangers who hold the door without saying anything keep nobody
//! out. [`Doors`] counts who was let in and who was not; a flood must fill neither the memory nor the log, so that only some
//! of it is logged ([`Doors::may_log`]).

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Why there is no place: the peer has too many.
pub const ADDRESS_FULL: &str = "address_full";
/// Why there is no place: all are taken by those who spoke just now.
pub const FULL: &str = "full";
/// Why a connection ended: it was quiet the longest when its place was needed.
pub const MADE_ROOM: &str = "made_room";
/// Lines about single connections that a door writes into the log in a minute.
const LOGGED_MAX: u32 = 30;
/// The minute that is meant.
const LOGGED_IN: Duration = Duration::from_secs(60);

/// How many there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of one peer.
    pub per_peer: usize,
    /// Of all.
    pub most: usize,
    /// A connection that said something within this time keeps its place.
    pub quiet_min: Duration,
}

/// The places of one door, by what tells peers apart; cheap to clone.
#[derive(Debug, Clone)]
pub struct Places<P> {
    limits: Limits,
    there: Arc<Mutex<There<P>>>,
}

#[derive(Debug)]
struct There<P> {
    next: u64,
    guests: HashMap<u64, Guest>,
    of_peer: HashMap<P, Vec<u64>>,
}

#[derive(Debug)]
struct Guest {
    heard: Instant,
    leave: CancellationToken,
}

/// One connection's place.
#[derive(Debug)]
pub struct Place<P: Eq + Hash> {
    number: u64,
    peer: P,
    there: Arc<Mutex<There<P>>>,
    leave: CancellationToken,
}

impl<P: Eq + Hash + Clone> Places<P> {
    /// So many.
    pub fn new(limits: Limits) -> Places<P> {
        let there = There { next: 0, guests: HashMap::new(), of_peer: HashMap::new() };
        Places { limits, there: Arc::new(Mutex::new(there)) }
    }

    /// A place for a connection of a peer, and whether another had to leave for it.
    pub fn admit(&self, peer: P, now: Instant) -> Result<(Place<P>, bool), &'static str> {
        let mut there = lock(&self.there);
        if there.of_peer.get(&peer).is_some_and(|numbers| numbers.len() >= self.limits.per_peer) {
            return Err(ADDRESS_FULL);
        }
        let mut has_made_room = false;
        if there.guests.len() >= self.limits.most {
            let quietest = there.guests.iter().min_by_key(|(_, guest)| guest.heard);
            let quiet =
                quietest.filter(|(_, guest)| now.saturating_duration_since(guest.heard) >= self.limits.quiet_min);
            let number = quiet.map(|(number, _)| *number).ok_or(FULL)?;
            // Of its peer it counts until it has left.
            if let Some(guest) = there.guests.remove(&number) {
                guest.leave.cancel();
            }
            has_made_room = true;
        }
        let (number, leave) = (there.next, CancellationToken::new());
        there.next += 1;
        there.guests.insert(number, Guest { heard: now, leave: leave.clone() });
        there.of_peer.entry(peer.clone()).or_default().push(number);
        Ok((Place { number, peer, there: self.there.clone(), leave }, has_made_room))
    }
}

/// What tells strangers apart: their address, and of IPv6 the network of 64 bits, because whoever has one address of it has all.
pub fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

impl<P: Eq + Hash> Place<P> {
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

    /// The same without this place.
    pub fn needed(&self) -> CancellationToken {
        self.leave.clone()
    }
}

impl<P: Eq + Hash> Drop for Place<P> {
    fn drop(&mut self) {
        let mut there = lock(&self.there);
        there.guests.remove(&self.number);
        if let Some(numbers) = there.of_peer.get_mut(&self.peer) {
            numbers.retain(|number| *number != self.number);
            if numbers.is_empty() {
                there.of_peer.remove(&self.peer);
            }
        }
    }
}

fn lock<P>(there: &Mutex<There<P>>) -> MutexGuard<'_, There<P>> {
    there.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one door counts; cheap to clone, all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Doors(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    admitted: AtomicU64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    /// Since when, and how many lines of the log since then.
    logged: Mutex<Option<(Instant, u32)>>,
}

impl Doors {
    /// A connection is let in.
    pub fn admit(&self) {
        self.0.admitted.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection is refused, or ended by us.
    pub fn refuse(&self, reason: &'static str) {
        *self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Connections that were let in.
    pub fn admitted(&self) -> u64 {
        self.0.admitted.load(Ordering::Relaxed)
    }

    /// Those that were not, or not for long, by reason.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
    }

    /// Whether one more line about a single connection may be logged; all are counted.
    pub fn may_log(&self, now: Instant) -> bool {
        let mut logged = self.0.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, lines) =
            logged.filter(|(since, _)| now.saturating_duration_since(*since) < LOGGED_IN).unwrap_or((now, 0));
        *logged = Some((since, lines.saturating_add(1)));
        lines < LOGGED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(10);

    #[test]
    fn strangers_can_neither_take_all_places_nor_hold_them_in_silence() {
        let places = Places::new(Limits { per_peer: 2, most: 4, quiet_min: QUIET });
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let began = Instant::now();
        let (first, _) = places.admit(address(1), began).unwrap();
        let second = places.admit(address(1), began).unwrap().0;
        assert_eq!(places.admit(address(1), began).unwrap_err(), ADDRESS_FULL);
        let (third, _) = places.admit(address(2), began).unwrap();
        let fourth = places.admit(address(2), began).unwrap().0;
        assert_eq!(places.admit(address(3), began).unwrap_err(), FULL, "all spoke just now");
        let later = began + QUIET;
        [&first, &third, &fourth].iter().for_each(|place| place.heard(later));
        let (_fifth, has_made_room) = places.admit(address(3), later).unwrap();
        assert!(has_made_room && second.needed().is_cancelled());
        assert!(!first.leave.is_cancelled() && !third.leave.is_cancelled(), "who speaks stays");
        assert_eq!(places.admit(address(1), later).unwrap_err(), ADDRESS_FULL, "the one that leaves is not gone yet");
        drop((second, third));
        assert!(!places.admit(address(1), later).unwrap().1, "a place that was given back");
        drop((first, fourth));
    }

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let of = |text: &str| peer(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn nothing_is_kept_of_peers_that_are_gone() {
        let places = Places::new(Limits { per_peer: 64, most: 1000, quiet_min: QUIET });
        let guests: Vec<_> = std::iter::from_fn(|| places.admit("dc-1", Instant::now()).ok()).collect();
        assert_eq!(guests.len(), 64);
        assert!(places.admit("dc-2", Instant::now()).is_ok(), "another is let in");
        drop(guests);
        let there = lock(&places.there);
        assert!(there.guests.is_empty() && there.of_peer.is_empty());
    }

    #[test]
    fn a_flood_is_counted_whole_and_logged_in_part() {
        let doors = Doors::default();
        let now = Instant::now();
        let logged = (0..1000).filter(|_| doors.may_log(now)).count();
        assert_eq!(logged, LOGGED_MAX as usize);
        assert!(doors.may_log(now + LOGGED_IN), "the next minute");
        (0..1000).for_each(|_| doors.refuse(FULL));
        assert_eq!(doors.refused()[FULL], 1000);
    }
}
