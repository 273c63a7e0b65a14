//! The table of fragments against a plain model: a list of datagrams in the order in which they began, each a row of bytes
//! that are there or not.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

const LIMITS: FragmentLimits = FragmentLimits { datagrams: 3, size_bytes: 160, timeout_ns: 100 };

/// A fragment of one of a few datagrams, and how long after the one before it.
#[derive(Debug, Clone)]
struct Step {
    datagram: u32,
    offset: usize,
    length: usize,
    more: bool,
    fill: u8,
    after_ns: i64,
}

fn step() -> impl Strategy<Value = Step> {
    // Offsets and lengths meet, overlap and leave holes; a few reach beyond any datagram.
    let offset = prop_oneof![9 => (0usize..8).prop_map(|n| n * 8), 1 => Just(65_520usize)];
    let length = prop_oneof![8 => (1usize..4).prop_map(|n| n * 8), 3 => 0usize..40];
    let after_ns = prop_oneof![8 => 0i64..10, 1 => 50i64..120];
    (0u32..5, offset, length, prop::bool::weighted(0.6), any::<u8>(), after_ns).prop_map(
        |(datagram, offset, length, more, fill, after_ns)| Step { datagram, offset, length, more, fill, after_ns },
    )
}

/// A datagram of the model.
struct Plain {
    key: u32,
    born_ns: i64,
    bytes: Vec<Option<u8>>,
    length: Option<usize>,
    packets: u32,
    wire_bytes: u64,
}

impl Plain {
    fn held(&self) -> usize {
        self.bytes.iter().flatten().count()
    }
}

/// The model: datagrams in the order in which they began, and what was let go of.
#[derive(Default)]
struct Model {
    datagrams: Vec<Plain>,
    lost: Vec<(Refusal, u32)>,
}

impl Model {
    fn lose(&mut self, place: usize, reason: Refusal) {
        let lost = self.datagrams.remove(place);
        self.lost.push((reason, lost.packets));
    }

    fn expire(&mut self, now_ns: i64) {
        while self.datagrams.first().is_some_and(|oldest| now_ns - oldest.born_ns >= LIMITS.timeout_ns) {
            self.lose(0, Refusal::FragmentTimeout);
        }
    }

    /// What becomes of a fragment, and the datagram that it completes.
    fn add(&mut self, step: &Step, bytes: &[u8], now_ns: i64) -> (Joined, Option<Vec<u8>>) {
        self.expire(now_ns);
        let end = step.offset + bytes.len();
        if end > DATAGRAM_MAX_BYTES || (step.more && bytes.is_empty()) {
            return (Joined::Refused(Refusal::BadFragment), None);
        }
        if !self.datagrams.iter().any(|known| known.key == step.datagram) {
            if self.datagrams.len() == LIMITS.datagrams {
                self.lose(0, Refusal::FragmentLimit);
            }
            let (bytes, length) = (Vec::new(), None);
            self.datagrams.push(Plain {
                key: step.datagram,
                born_ns: now_ns,
                bytes,
                length,
                packets: 0,
                wire_bytes: 0,
            });
        }
        let place = self.datagrams.iter().position(|known| known.key == step.datagram).unwrap();
        let datagram = &mut self.datagrams[place];
        datagram.packets += 1;
        datagram.wire_bytes += wire_bytes(step);
        let two_ends = !step.more && datagram.length.is_some_and(|length| length != end);
        if !step.more && !two_ends {
            datagram.length = Some(end);
        }
        let furthest = datagram.bytes.len().max(end);
        if two_ends || datagram.length.is_some_and(|length| furthest > length) {
            self.lose(place, Refusal::BadFragment);
            return (Joined::Waiting, None);
        }
        if !bytes.is_empty() {
            datagram.bytes.resize(furthest, None);
        }
        for (at, byte) in (step.offset..end).zip(bytes) {
            datagram.bytes[at].get_or_insert(*byte);
        }
        if datagram.length == Some(datagram.held()) {
            let whole = self.datagrams.remove(place);
            let joined = Joined::Whole { packets: whole.packets, bytes: whole.wire_bytes };
            return (joined, Some(whole.bytes.into_iter().flatten().collect()));
        }
        while self.datagrams.iter().map(Plain::held).sum::<usize>() > LIMITS.size_bytes {
            self.lose(0, Refusal::FragmentLimit);
        }
        (Joined::Waiting, None)
    }
}

fn wire_bytes(step: &Step) -> u64 {
    60 + u64::from(step.fill)
}

fn key(identification: u32) -> FragmentKey {
    let ip = |last| IpAddr::from([192, 0, 2, last]);
    FragmentKey { addresses: (ip(1), ip(2)), identification, protocol: 17, vlan: None }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any order, twice, overlapping, lost, late, too many: the same fate for each fragment, the same bytes for each whole
    /// datagram (what came first stays), the same losses under the same reasons, and nothing left at the end.
    #[test]
    fn agrees_with_a_plain_model(steps in prop::collection::vec(step(), 1..60)) {
        let (mut fragments, mut model) = (Fragments::new(LIMITS), Model::default());
        let mut now_ns = 0;
        for step in &steps {
            now_ns += step.after_ns;
            // No two bytes of a fragment are alike, nor those of two fragments in one place.
            let bytes: Vec<u8> = (0..step.length).map(|at| step.fill.wrapping_add(at as u8)).collect();
            let part = Part { offset: step.offset, more: step.more, bytes: &bytes, wire_bytes: wire_bytes(step) };
            let mut whole = Vec::new();
            let joined = fragments.add(key(step.datagram), part, now_ns, &mut whole);
            let (expected, content) = model.add(step, &bytes, now_ns);
            prop_assert_eq!(&joined, &expected, "{:?}", step);
            if let Some(content) = content {
                prop_assert_eq!(&whole, &content);
            }
            let held: u32 = model.datagrams.iter().map(|datagram| datagram.packets).sum();
            prop_assert_eq!(fragments.held(), u64::from(held));
            prop_assert_eq!(fragments.take_lost().collect::<Vec<_>>(), std::mem::take(&mut model.lost));
        }
        fragments.expire(i64::MAX);
        prop_assert_eq!(fragments.held(), 0);
        let left: Vec<(Refusal, u32)> =
            model.datagrams.iter().map(|datagram| (Refusal::FragmentTimeout, datagram.packets)).collect();
        prop_assert_eq!(fragments.take_lost().collect::<Vec<_>>(), left);
    }
}
