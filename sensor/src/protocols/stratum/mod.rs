//! Stratum, the protocol of mining pools: noticed, with who mines for whom. There is no standard; the names of methods
//! are those of the pools of Bitcoin, Ethereum and Monero.
//!
//! Comes in: a TCP stream of lines of JSON. Goes out: one [`StratumSession`] when a miner has logged in or has asked for
//! work, and one with the number of shares when the flow ends. A line longer than [`MAX_LINE_BYTES`] is passed over and
//! counted. Passwords, which are mostly an `x`, are not kept.

use luytre_events::Transport;
use serde_json::Value;

use super::{Direction, Output, Parser, Probe, Progress, Protocol, text};

luytre_events::record! {
    /// A program that mines for a pool.
    pub struct StratumSession in "stratum" {
        /// The method by which it logged in: login, mining.authorize, eth_submitLogin.
        method: Option<String> = "stratum.method", Keyword, Column;
        /// The name or wallet that it mines for.
        user: Option<String> = "user.name", Keyword, Column;
        /// The program, as it says.
        agent: Option<String> = "stratum.agent", Keyword, Column;
        /// The algorithms that it can do, as it says.
        algorithms: Vec<String> = "stratum.algorithms", Keyword list, Term;
        /// Shares of work that it sent, when the flow ended.
        shares: Option<u64> = "stratum.shares", Long, Term;
    }
}

/// The longest line that is read.
const MAX_LINE_BYTES: usize = 16 << 10;
/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 256;
/// Algorithms that are told.
const MAX_ALGORITHMS: usize = 32;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "stratum",
    transports: &[Transport::TCP],
    ports: &[3333, 4444, 14444],
    probe_min_bytes: 1,
    probe,
    parser: |_| Box::new(StratumParser::default()),
    datasets: &[StratumSession::DATASET],
};

/// A line of JSON with a method of miners. Calls of `login` exist elsewhere: theirs say what can be mined or by what.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    if !bytes.starts_with(b"{") {
        return Probe::No;
    }
    let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
        return if bytes.len() < MAX_LINE_BYTES { Probe::More } else { Probe::No };
    };
    let Ok(line) = serde_json::from_slice::<Value>(bytes.get(..end).unwrap_or(&[])) else { return Probe::No };
    let method = line.get("method").and_then(Value::as_str).unwrap_or("");
    let parameter = |name| line.get("params").is_some_and(|params| params.get(name).is_some());
    let login = method == "login" && parameter("login") && (parameter("agent") || parameter("algo"));
    // Jobs and difficulties come from the pool.
    let pool = matches!(method, "mining.notify" | "mining.set_difficulty" | "mining.set_target");
    match (direction, login || method.starts_with("mining.") || method == "eth_submitLogin") {
        (_, false) => Probe::No,
        (Direction::ToServer, true) => {
            if pool {
                Probe::YesReversed
            } else {
                Probe::Yes
            }
        }
        (Direction::ToClient, true) => {
            if pool {
                Probe::Yes
            } else {
                Probe::YesReversed
            }
        }
    }
}

#[derive(Default)]
struct StratumParser {
    session: StratumSession,
    shares: u64,
    told: bool,
    /// The line of the miner that has not come to its end.
    partial: Vec<u8>,
    skip_line: bool,
}

impl StratumParser {
    fn line(&mut self, out: &mut dyn Output, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<Value>(line) else {
            if !line.trim_ascii().is_empty() {
                out.anomaly("stratum.malformed");
            }
            return;
        };
        let method = line.get("method").and_then(Value::as_str).unwrap_or("");
        let params = line.get("params").unwrap_or(&Value::Null);
        let named = |name: &str| params.get(name).and_then(words);
        let placed = |place: usize| params.get(place).and_then(words);
        match method {
            "submit" | "mining.submit" | "eth_submitWork" => self.shares += 1,
            "mining.subscribe" => self.session.agent = placed(0),
            "login" => {
                self.session.agent = named("agent");
                let algorithms = params.get("algo").and_then(Value::as_array).into_iter().flatten();
                self.session.algorithms = algorithms.filter_map(words).take(MAX_ALGORITHMS).collect();
                self.log_in(out, method, named("login"));
            }
            "mining.authorize" | "eth_submitLogin" => self.log_in(out, method, placed(0)),
            _ => {}
        }
    }

    fn log_in(&mut self, out: &mut dyn Output, method: &str, user: Option<String>) {
        self.session.method = Some(text::text(method.as_bytes(), MAX_NAME_BYTES));
        self.session.user = user;
        if !std::mem::replace(&mut self.told, true) {
            out.event(self.session.clone().into_body());
        }
    }
}

fn words(value: &Value) -> Option<String> {
    value.as_str().map(|words| text::text(words.as_bytes(), MAX_NAME_BYTES))
}

impl Parser for StratumParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if direction == Direction::ToClient {
            return Progress::Continue;
        }
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let ends = piece.ends_with(b"\n");
            if !self.skip_line {
                self.partial.extend_from_slice(piece);
            }
            if self.partial.len() > MAX_LINE_BYTES {
                out.anomaly("stratum.line_limit");
                self.partial = Vec::new();
                self.skip_line = !ends;
            } else if ends {
                let line = std::mem::take(&mut self.partial);
                self.line(out, &line);
                self.skip_line = false;
            }
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, direction: Direction, _: u64) -> Progress {
        if direction == Direction::ToServer {
            self.partial = Vec::new();
            self.skip_line = true;
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if self.shares > 0 || !self.told {
            self.session.shares = Some(self.shares);
            out.event(std::mem::take(&mut self.session).into_body());
        }
    }
}
