//! Target: finding out which protocol a flow speaks.
//!
//! Script: four bytes of ports (two numbers; the first also decides about the transport), then steps as in
//! [`protocols`](super::protocols).
//!
//! Must hold: what was held back is what came in, byte for byte, with the rest stated as holes; it stays within its limit;
//! the protocol found is one for the transport.

use luytre_events::Transport;
use luytre_sensor::protocols::detection::{Detection, Finding, Held, UNDECIDED_MAX_BYTES};
use luytre_sensor::protocols::{Direction, PROTOCOLS};

use super::input::Input;
use super::memory;
use super::protocols::Step;

const STEPS_MAX: usize = 500;
/// What is held back and looked at of both sides, and tables.
const KEPT_MAX_BYTES: i64 = 512 << 10;

/// What one side sent: bytes, and nothing for each byte of a hole.
type Side = Vec<Option<u8>>;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let (client, server) = (input.u16(), input.u16());
    let known: Vec<u16> = PROTOCOLS.iter().flat_map(|protocol| protocol.ports).copied().collect();
    // Half of the time the port is one that is known.
    let server = if client & 2 == 0 { known[usize::from(server) % known.len()] } else { server };
    let transport = if client & 1 == 0 { Transport::TCP } else { Transport::UDP };
    let mut detection = Detection::default();
    let mut sent: [Side; 2] = Default::default();
    let before = memory::live_bytes();
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            return;
        }
        let finding = match Step::read(&mut input) {
            Step::Data(_, bytes) if bytes.is_empty() => continue,
            Step::Data(direction, bytes) => {
                sent[place(direction)].extend(bytes.iter().copied().map(Some));
                match transport {
                    Transport::TCP => (detection.stream(direction, &bytes, (client, server)), Some((direction, bytes))),
                    _ => (detection.datagram(direction, &bytes, (client, server)), None),
                }
            }
            Step::Gap(direction, length) if transport == Transport::TCP => {
                sent[place(direction)].extend(vec![None; length as usize]);
                (detection.gap(direction, length), None)
            }
            _ => continue,
        };
        // Both what is held and what is looked at, of both sides, and one piece more.
        let most = 8 * UNDECIDED_MAX_BYTES + 2 * usize::from(u16::MAX);
        assert!(detection.kept_bytes() <= most, "{} bytes are kept", detection.kept_bytes());
        let own: usize = sent.iter().map(|side| side.capacity() * size_of::<Option<u8>>()).sum();
        let kept = memory::live_bytes() - before - own as i64;
        assert!(kept <= KEPT_MAX_BYTES, "{kept} bytes are kept");
        match finding {
            (Finding::Undecided, _) => {}
            (Finding::Unknown, _) => return,
            (Finding::Found { protocol, held, .. }, latest) => {
                assert!(protocol.transports.contains(&transport), "{} on the wrong transport", protocol.name);
                if transport == Transport::TCP {
                    is_what_was_sent(&sent, &held, latest);
                }
                return;
            }
        }
    }
}

fn place(direction: Direction) -> usize {
    usize::from(direction == Direction::ToClient)
}

fn is_what_was_sent(sent: &[Side; 2], held: &[Held], latest: Option<(Direction, Vec<u8>)>) {
    let mut given: [Side; 2] = Default::default();
    match (held, latest) {
        ([], Some((direction, bytes))) => given[place(direction)].extend(bytes.into_iter().map(Some)),
        (held, _) => {
            for held in held {
                match held {
                    Held::Data(direction, bytes) => given[place(*direction)].extend(bytes.iter().copied().map(Some)),
                    Held::Gap(direction, length) => given[place(*direction)].extend(vec![None; *length as usize]),
                }
            }
        }
    }
    for (sent, given) in sent.iter().zip(&given) {
        assert_eq!(sent.len(), given.len(), "bytes are missing or too many");
        let right = sent.iter().zip(given).all(|(sent, given)| given.is_none() || sent == given);
        assert!(right, "bytes are not in their place");
    }
}
