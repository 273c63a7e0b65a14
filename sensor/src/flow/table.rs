//! The table of flows of one shard: found by key, ended by silence or by the ceiling.
//!
//! Flows of one [`Class`] share one timeout, so each class is a list in the order of the last packet: the oldest is
//! always in front, and a packet costs one look-up and at most one move to the back. Lists are kept to the second, so a
//! flow may end up to a second late. Look-ups use a hash with a random key; nothing ever walks the hash, so it cannot
//! influence what comes out.

use ahash::HashMap;

use super::key::FlowKey;
use super::{Flow, FlowLimits};

/// How far a flow has come: decides how long it may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// TCP seen from one side.
    TcpNew,
    /// TCP seen from both sides.
    TcpOpen,
    /// TCP that was closed or reset.
    TcpClosed,
    /// UDP without an answer.
    UdpNew,
    /// UDP with an answer.
    UdpOpen,
    /// ICMP.
    Icmp,
    /// Anything else.
    Other,
}

const CLASSES: usize = 7;
const SECOND_NS: i64 = 1_000_000_000;
/// A table of so many flows is not worth making smaller.
const SMALL: usize = 1024;
/// The end of a list.
const NONE: u32 = u32::MAX;

/// A flow's place in the table, while it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u32);

#[derive(Debug)]
struct Slot<A> {
    key: FlowKey,
    flow: Flow<A>,
    class: Class,
    listed_ns: i64,
    older: u32,
    newer: u32,
}

#[derive(Debug, Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
    timeout_ns: i64,
}

/// The table.
#[derive(Debug)]
pub struct Table<A> {
    slots: Vec<Option<Slot<A>>>,
    free: Vec<u32>,
    places: HashMap<FlowKey, u32>,
    lists: [List; CLASSES],
    flows_max: usize,
}

impl<A> Table<A> {
    /// An empty table for at most `flows_max` flows.
    pub fn new(limits: &FlowLimits, flows_max: usize) -> Table<A> {
        let mut table = Table {
            slots: Vec::new(),
            free: Vec::new(),
            places: HashMap::default(),
            lists: [List { oldest: NONE, newest: NONE, timeout_ns: 0 }; CLASSES],
            flows_max: 0,
        };
        table.set_limits(limits, flows_max);
        table
    }

    /// Changes ceiling and timeouts. Flows beyond a lower ceiling stay until the caller ends them.
    pub fn set_limits(&mut self, limits: &FlowLimits, flows_max: usize) {
        let seconds = [
            limits.tcp_new_s,
            limits.tcp_open_s,
            limits.tcp_closed_s,
            limits.udp_new_s,
            limits.udp_open_s,
            limits.icmp_s,
            limits.other_s,
        ];
        for (list, seconds) in self.lists.iter_mut().zip(seconds) {
            list.timeout_ns = i64::from(seconds) * SECOND_NS;
        }
        self.flows_max = flows_max.max(1);
    }

    /// How many flows live.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether one must go before another can come.
    pub fn is_full(&self) -> bool {
        self.places.len() >= self.flows_max
    }

    /// Finds a flow.
    pub fn find(&self, key: &FlowKey) -> Option<Place> {
        self.places.get(key).map(|place| Place(*place))
    }

    /// Puts a new flow in; its key must not be there yet.
    pub fn insert(&mut self, key: FlowKey, flow: Flow<A>, class: Class, clock_ns: i64) -> Place {
        let slot = Slot { key, flow, class, listed_ns: clock_ns, older: NONE, newer: NONE };
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                // The ceiling on flows keeps the number far below 2^32.
                u32::try_from(self.slots.len() - 1).unwrap_or(NONE - 1)
            }
        };
        if let Some(free) = self.slots.get_mut(place as usize) {
            *free = Some(slot);
        }
        self.places.insert(key, place);
        self.append(place);
        Place(place)
    }

    /// The flow at a place.
    pub fn get_mut(&mut self, place: Place) -> Option<&mut Flow<A>> {
        self.slot_mut(place.0).map(|slot| &mut slot.flow)
    }

    /// Notes that a flow has just been heard of.
    pub fn touch(&mut self, place: Place, class: Class, clock_ns: i64) {
        let Some(slot) = self.slot_mut(place.0) else { return };
        if slot.class == class && clock_ns.saturating_sub(slot.listed_ns) < SECOND_NS {
            return;
        }
        self.unlink(place.0);
        if let Some(slot) = self.slot_mut(place.0) {
            slot.class = class;
            slot.listed_ns = clock_ns;
        }
        self.append(place.0);
    }

    /// The flows that have been silent for too long: number of the first packet of each, and where it is.
    pub fn expired(&self, clock_ns: i64) -> impl Iterator<Item = (u64, Place)> {
        self.lists.iter().flat_map(move |list| {
            let mut place = list.oldest;
            std::iter::from_fn(move || {
                let slot = self.slot(place)?;
                let silent_ns = clock_ns.saturating_sub(slot.listed_ns);
                if silent_ns < list.timeout_ns + SECOND_NS {
                    return None;
                }
                Some((slot.flow.first_packet, Place(std::mem::replace(&mut place, slot.newer))))
            })
        })
    }

    /// The flow that has been silent longest.
    pub fn oldest(&self) -> Option<Place> {
        let fronts = self.lists.iter().filter_map(|list| Some((self.slot(list.oldest)?, list.oldest)));
        fronts.min_by_key(|(slot, _)| (slot.listed_ns, slot.flow.first_packet)).map(|(_, place)| Place(place))
    }

    /// Takes a flow out.
    pub fn remove(&mut self, place: Place) -> Option<Flow<A>> {
        self.slot(place.0)?;
        self.unlink(place.0);
        let slot = self.slots.get_mut(place.0 as usize)?.take()?;
        self.places.remove(&slot.key);
        self.free.push(place.0);
        Some(slot.flow)
    }

    /// Number of the first packet of each flow, and where the flow is; in no particular order.
    pub fn places(&self) -> impl Iterator<Item = (u64, Place)> {
        let numbered = (0..).zip(&self.slots);
        numbered.filter_map(|(place, slot)| Some((slot.as_ref()?.flow.first_packet, Place(place))))
    }

    /// Gives back the memory of a large table whose flows have all been taken out.
    pub fn release(&mut self) {
        if self.places.is_empty() && self.slots.len() > SMALL {
            (self.slots, self.free, self.places) = (Vec::new(), Vec::new(), HashMap::default());
        }
    }

    fn slot(&self, place: u32) -> Option<&Slot<A>> {
        self.slots.get(place as usize)?.as_ref()
    }

    fn slot_mut(&mut self, place: u32) -> Option<&mut Slot<A>> {
        self.slots.get_mut(place as usize)?.as_mut()
    }

    fn list_mut(&mut self, class: Class) -> &mut List {
        // One list for each class, by its number.
        &mut self.lists[class as usize]
    }

    fn unlink(&mut self, place: u32) {
        let Some(slot) = self.slot(place) else { return };
        let (class, older, newer) = (slot.class, slot.older, slot.newer);
        match self.slot_mut(older) {
            Some(slot) => slot.newer = newer,
            None => self.list_mut(class).oldest = newer,
        }
        match self.slot_mut(newer) {
            Some(slot) => slot.older = older,
            None => self.list_mut(class).newest = older,
        }
    }

    fn append(&mut self, place: u32) {
        let Some(class) = self.slot(place).map(|slot| slot.class) else { return };
        let newest = std::mem::replace(&mut self.list_mut(class).newest, place);
        if let Some(slot) = self.slot_mut(place) {
            (slot.older, slot.newer) = (newest, NONE);
        }
        match self.slot_mut(newest) {
            Some(slot) => slot.newer = place,
            None => self.list_mut(class).oldest = place,
        }
    }
}
