//! What the sizes of encrypted packets say of a log-in (RFC 4252).
//!
//! After the keys are in force the client asks for the log-in service and the server grants it; then each request of the
//! client has one answer. The server's consent is the shortest packet there is: one byte, and nothing else in this phase
//! is as short. Refusals name the methods that are left, so they are all of one size; the first one answers the question
//! which methods there are. Sizes are of runs: bytes that one side sends before the other speaks.

use crate::protocols::Direction;

/// Sizes of answers that are told apart.
const MAX_SIZES: usize = 8;
/// Rounds of question and answer that are followed.
const MAX_ROUNDS: u64 = 200;
/// So many bytes in one direction are no log-in any more: somebody works.
const WORK_BYTES: u64 = 64 * 1024;

/// How one direction packs its packets once it is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    block: usize,
    tag: usize,
    /// The length is not part of what is padded.
    apart: bool,
}

impl Layer {
    /// The layer that a cipher and a message authentication code make; nothing for those that are not known.
    pub fn of(cipher: &str, mac: Option<&str>) -> Option<Layer> {
        if cipher.starts_with("chacha20-poly1305") {
            return Some(Layer { block: 8, tag: 16, apart: true });
        }
        if cipher.contains("gcm") {
            return Some(Layer { block: 16, tag: 16, apart: true });
        }
        let small = ["3des", "blowfish", "cast128", "arcfour", "des-"];
        let block = if small.iter().any(|name| cipher.starts_with(name)) { 8 } else { 16 };
        let mac = mac?;
        let apart = mac.contains("-etm@");
        let tag = match mac.split("-etm@").next().unwrap_or(mac).trim_end_matches("@openssh.com") {
            "hmac-sha2-256" => 32,
            "hmac-sha2-512" => 64,
            "hmac-sha1" | "hmac-ripemd160" => 20,
            "hmac-md5" | "umac-128" => 16,
            "hmac-sha1-96" | "hmac-md5-96" => 12,
            "umac-64" => 8,
            _ => return None,
        };
        Some(Layer { block, tag, apart })
    }

    /// Bytes on the wire of a packet with this many bytes inside and no more padding than it must have (RFC 4253
    /// section 6: at least four bytes).
    pub fn size_bytes(&self, payload: usize) -> u64 {
        const PADDING_MIN: usize = 4;
        let padded = if self.apart { 1 } else { 5 } + payload + PADDING_MIN;
        let whole = padded.next_multiple_of(self.block) + if self.apart { 4 } else { 0 } + self.tag;
        whole as u64
    }
}

/// Follows the runs of one connection.
#[derive(Debug, Default)]
pub struct Shapes {
    /// How the server packs.
    layer: Option<Layer>,
    speaker: Option<Direction>,
    run_bytes: u64,
    sent_bytes: [u64; 2],
    /// The client has asked for the service.
    asked: bool,
    /// The server has granted it.
    granted: bool,
    /// Sizes of the first two requests to log in.
    requests: Vec<u64>,
    /// Sizes of the answers with how often each came, the first one first.
    answers: Vec<(u64, u64)>,
    rounds: u64,
    success: bool,
    blind: bool,
}

impl Shapes {
    /// How the server packs is known now.
    pub fn set_layer(&mut self, layer: Option<Layer>) {
        self.layer = layer;
    }

    /// Bytes are missing: sizes mean nothing any more.
    pub fn blind(&mut self) {
        self.blind = true;
    }

    /// Encrypted bytes of one side.
    pub fn bytes(&mut self, direction: Direction, count: usize) {
        if self.blind || count == 0 {
            return;
        }
        if self.speaker != Some(direction) {
            self.turn();
            self.speaker = Some(direction);
        }
        self.run_bytes += count as u64;
        let [up, down] = &mut self.sent_bytes;
        let sent = if direction == Direction::ToServer { up } else { down };
        *sent += count as u64;
        let consent = self.layer.map(|layer| layer.size_bytes(1));
        let answer = direction == Direction::ToClient && self.granted && !self.requests.is_empty();
        self.success |= (answer && consent == Some(self.run_bytes)) || *sent > WORK_BYTES;
    }

    /// The one who spoke is silent: looks at what it said.
    pub fn turn(&mut self) {
        let bytes = std::mem::take(&mut self.run_bytes);
        match self.speaker.take() {
            None => {}
            Some(Direction::ToServer) if !self.asked => self.asked = true,
            Some(Direction::ToServer) if self.granted && self.requests.len() < 2 => self.requests.push(bytes),
            Some(Direction::ToServer) => {}
            // What the server says by itself before it is asked (RFC 8308).
            Some(Direction::ToClient) if !self.asked => {}
            Some(Direction::ToClient) if !self.granted => self.granted = true,
            Some(Direction::ToClient) if self.success => {}
            Some(Direction::ToClient) => self.answer(bytes),
        }
    }

    fn answer(&mut self, bytes: u64) {
        self.rounds += 1;
        if let Some((_, count)) = self.answers.iter_mut().find(|(size, _)| *size == bytes) {
            *count += 1;
        } else if self.answers.len() < MAX_SIZES {
            self.answers.push((bytes, 1));
        }
    }

    /// Whether there is nothing more to learn.
    pub fn over(&self) -> bool {
        self.success || self.blind || self.rounds >= MAX_ROUNDS
    }

    /// Whether the client got in: yes, no (it was refused to the end), or nobody can say.
    pub fn success(&self) -> Option<bool> {
        match (self.success, self.blind || self.answers.is_empty()) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => self.layer.map(|_| false),
        }
    }

    /// Attempts that were refused, and the one that was not. The question which methods there are is no attempt: it is
    /// shorter than the request that follows it.
    pub fn attempts(&self) -> Option<u64> {
        let (_, first) = self.answers.first().copied().unwrap_or_default();
        let most = self.answers.iter().map(|(_, count)| *count).max().unwrap_or_default();
        // A banner comes with the first refusal and makes it longer than the others.
        let refused = if first == 1 && most > 1 { 1 + most } else { first };
        let asked_first = matches!(*self.requests, [first, second] if first < second);
        let attempts = (refused + u64::from(self.success)).saturating_sub(u64::from(asked_first));
        (!self.blind && self.granted && !self.requests.is_empty()).then_some(attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHACHA: &str = "chacha20-poly1305@openssh.com";

    fn shapes(runs: &[(bool, usize)]) -> Shapes {
        let mut shapes = Shapes::default();
        shapes.set_layer(Layer::of(CHACHA, None));
        for (up, count) in runs {
            shapes.bytes(if *up { Direction::ToServer } else { Direction::ToClient }, *count);
        }
        shapes.turn();
        shapes
    }

    #[test]
    fn packets_have_the_sizes_of_the_format() {
        let size = |cipher, mac, payload| Layer::of(cipher, mac).unwrap().size_bytes(payload);
        assert_eq!(size(CHACHA, None, 1), 28);
        assert_eq!(size("aes128-gcm@openssh.com", None, 1), 36);
        assert_eq!(size("aes128-ctr", Some("hmac-sha2-256"), 1), 48);
        assert_eq!(size("aes256-ctr", Some("hmac-sha2-256-etm@openssh.com"), 1), 52);
        assert_eq!(size("aes128-cbc", Some("umac-64@openssh.com"), 17), 40);
        assert_eq!(Layer::of("aes128-ctr", Some("hmac-unknown")), None);
    }

    #[test]
    fn a_wrong_password_before_the_right_one() {
        let seen = shapes(&[(true, 44), (false, 44), (true, 60), (false, 52), (true, 148), (false, 52), (true, 148)]);
        assert_eq!((seen.success(), seen.attempts(), seen.over()), (Some(false), Some(1), false));
        let mut seen = seen;
        seen.bytes(Direction::ToClient, 28);
        assert_eq!((seen.success(), seen.attempts(), seen.over()), (Some(true), Some(2), true));
    }

    #[test]
    fn guessing_with_a_banner() {
        let mut runs = vec![(false, 300), (true, 44), (false, 44), (true, 60), (false, 400)];
        runs.extend([(true, 148), (false, 52)].repeat(3));
        let seen = shapes(&runs);
        assert_eq!((seen.success(), seen.attempts()), (Some(false), Some(3)));
    }

    #[test]
    fn nothing_is_said_of_what_was_not_seen() {
        let mut seen = shapes(&[(true, 44), (false, 44)]);
        assert_eq!((seen.success(), seen.attempts()), (None, None));
        seen.blind();
        assert!(seen.over());
    }
}
