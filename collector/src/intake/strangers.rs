//! Connections that have not shown a certificate yet, by address: so few of one address that it cannot take the places
//! of the sensors by only knocking.
//!
//! Comes in: the address of a new connection. Goes out: a guest that gives its place back when dropped, or nothing where
//! the address has [`PER_ADDRESS_MAX`] already; a sensor that is turned away tries again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The most connections of one address that may be without a certificate at a time.
const PER_ADDRESS_MAX: u32 = 64;

/// Who is there without a certificate. Never larger than the intake's limit of connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Strangers(Arc<Mutex<HashMap<IpAddr, u32>>>);

impl Strangers {
    /// Lets a connection in, unless there are too many of its address.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Guest> {
        let mut there = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = there.entry(address).or_default();
        if *count >= PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(Guest { strangers: self.clone(), address })
    }
}

/// One connection without a certificate.
#[derive(Debug)]
pub(super) struct Guest {
    strangers: Strangers,
    address: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut there = self.strangers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = there.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                there.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_the_places_of_another() {
        let strangers = Strangers::default();
        let (loud, quiet): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut guests: Vec<Guest> = std::iter::from_fn(|| strangers.admit(loud)).collect();
        assert_eq!(guests.len(), 64);
        assert!(strangers.admit(quiet).is_some());
        guests.pop();
        assert!(strangers.admit(loud).is_some());
        drop(guests);
        assert!(strangers.0.lock().unwrap().is_empty());
    }
}
