//! Requests that wait for their answers, in the order in which they were sent: a bounded number.

use std::collections::VecDeque;

/// The requests of one flow that wait, each under the key that its answer will carry.
#[derive(Debug)]
pub struct Outstanding<K, V> {
    waiting: VecDeque<(K, V)>,
    limit: usize,
}

impl<K: PartialEq, V> Outstanding<K, V> {
    /// Room for `limit` requests.
    pub fn new(limit: usize) -> Self {
        Outstanding { waiting: VecDeque::new(), limit }
    }

    /// One more waits; gives the oldest, when there is no room for both. It should be told as unanswered, and counted.
    pub fn add(&mut self, key: K, value: V) -> Option<V> {
        let oldest = if self.waiting.len() >= self.limit { self.waiting.pop_front() } else { None };
        self.waiting.push_back((key, value));
        oldest.map(|(_, value)| value)
    }

    /// The oldest request with this key, which waits no longer.
    pub fn take(&mut self, key: &K) -> Option<V> {
        let at = self.waiting.iter().position(|(waiting, _)| waiting == key)?;
        self.waiting.remove(at).map(|(_, value)| value)
    }

    /// The oldest request whose key is one of these, which waits no longer.
    pub fn take_where(&mut self, wanted: impl Fn(&K) -> bool) -> Option<V> {
        let at = self.waiting.iter().position(|(waiting, _)| wanted(waiting))?;
        self.waiting.remove(at).map(|(_, value)| value)
    }

    /// The oldest request with this key, which goes on waiting.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.waiting.iter_mut().find(|(waiting, _)| waiting == key).map(|(_, value)| value)
    }

    /// The oldest request, which waits no longer.
    pub fn pop(&mut self) -> Option<V> {
        self.waiting.pop_front().map(|(_, value)| value)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut outstanding = Outstanding::new(2);
        assert_eq!((outstanding.add(1, 'a'), outstanding.add(1, 'b')), (None, None));
        assert_eq!(outstanding.add(2, 'c'), Some('a'));
        assert_eq!((outstanding.take(&1), outstanding.take(&1), outstanding.pop()), (Some('b'), None, Some('c')));
        assert!(outstanding.is_empty());
    }
}
