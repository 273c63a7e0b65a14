//! Keywords about what is odd: events of decoding, of streams and of protocols, checksums, options, fragments; and frames.

use super::super::buffer;
use super::super::language::Reason;
use super::super::rule::{Condition, FlagsHow, IpOption, MatchList, PacketTest};
use super::Draft;
use super::lists::Current;

/// Options of an IP header by name (RFC 791, RFC 1108, RFC 2113, RFC 1393).
const IP_OPTIONS: [(&str, u8); 10] = [
    ("rr", 0x07),
    ("eol", 0x00),
    ("nop", 0x01),
    ("ts", 0x44),
    ("sec", 0x82),
    ("esec", 0x85),
    ("lsrr", 0x83),
    ("ssrr", 0x89),
    ("satid", 0x88),
    ("cipso", 0x86),
];

impl Draft {
    /// Takes a keyword of this family.
    pub fn events(&mut self, keyword: &str, value: &str) -> Option<Result<(), Reason>> {
        let value = value.trim();
        let checksum = |of: u8| match value.to_ascii_lowercase().as_str() {
            "valid" => Ok(PacketTest::Checksum { of, right: true }),
            "invalid" => Ok(PacketTest::Checksum { of, right: false }),
            other => Err(format!("{other} is neither valid nor invalid")),
        };
        let test = match keyword {
            "app-layer-event" => return Some(self.protocol_event(value)),
            "frame" => return Some(self.frame(value)),
            "app-layer-state" => return Some(self.protocol_state(value)),
            "decode-event" => self.odd("decode", value),
            "stream-event" => self.odd("stream", value),
            "ipopts" => ip_option(value),
            "fragbits" => fragment_flags(value),
            "ipv4-csum" => checksum(4),
            "tcpv4-csum" | "tcpv6-csum" => checksum(6),
            "udpv4-csum" | "udpv6-csum" => checksum(17),
            "icmpv4-csum" => checksum(1),
            "icmpv6-csum" => checksum(58),
            "igmp-csum" => checksum(2),
            // Some events have a keyword of their own.
            _ => {
                let name = listed("keyword", keyword)?;
                self.addresses_only = false;
                self.event_protocol = name.split('.').next().map(str::to_owned);
                return Some(self.lists.whole(buffer::APP_EVENT, name));
            }
        };
        Some(test.map(|test| self.packet_test(test)))
    }

    fn odd(&mut self, kind: &str, value: &str) -> Result<PacketTest, Reason> {
        let name = self.event_name(kind, value)?;
        Ok(PacketTest::Event(name))
    }

    /// What the sensor calls an event of rules; where it does not tell it, the rule is noted.
    fn event_name(&mut self, kind: &str, value: &str) -> Result<String, Reason> {
        if value.is_empty() {
            return Err("it wants the name of an event".into());
        }
        Ok(listed(kind, value).map(str::to_owned).unwrap_or_else(|| {
            self.unsupported.push(format!("{value}: this event is not told to rules yet"));
            value.to_owned()
        }))
    }

    fn protocol_event(&mut self, value: &str) -> Result<(), Reason> {
        self.addresses_only = false;
        let name = self.event_name("protocol", value)?;
        let protocol = value.split('.').next().unwrap_or(value).to_owned();
        self.event_protocol = Some(protocol);
        self.lists.whole(buffer::APP_EVENT, &name)
    }

    /// `state`, or `<state` and `>state` for those before and behind it.
    fn protocol_state(&mut self, value: &str) -> Result<(), Reason> {
        self.addresses_only = false;
        let (sign, name) = match value.chars().next() {
            Some(sign @ ('<' | '>')) => (Some(sign), value.get(1..).unwrap_or("").trim()),
            _ => (None, value),
        };
        let list = state_list(&self.rule.header.protocol, name, sign, true)?;
        self.lists.list(list)
    }

    fn frame(&mut self, value: &str) -> Result<(), Reason> {
        self.addresses_only = false;
        let protocol = self.rule.header.protocol.clone();
        match buffer::by_frame(value, listed("frames", &protocol).unwrap_or(&protocol)) {
            Some(id) => {
                if !id.buffer().filled {
                    self.unsupported.push(format!("{value}: no parser tells this frame yet"));
                }
                // The first word names the protocol, which may be a dialect of the one that is spoken.
                let own = id.buffer().name.strip_prefix("frame.").and_then(|name| name.split('.').next());
                self.event_protocol = own.map(|own| listed("dialect", own).unwrap_or(own).to_owned());
                self.lists.begin(Current::Buffer(id));
                Ok(())
            }
            None => {
                self.unsupported.push(format!("frame:{value}: no parser tells this frame yet"));
                self.lists.begin(Current::Buffer(buffer::FRAME_SMTP_STREAM));
                Ok(())
            }
        }
    }
}

/// What the table of events says of a word: the sensor's name for it, or the word itself.
pub fn listed(kind: &str, word: &str) -> Option<&'static str> {
    include_str!("events.txt").lines().find_map(|line| {
        let mut words = line.split(' ');
        let (of, theirs) = (words.next()?, words.next()?);
        (of == kind && theirs == word).then(|| words.next().unwrap_or(theirs))
    })
}

/// One side of a protocol has come to a state, or to one before (`<`) or behind (`>`) it. Where only the place of a state
/// in its row counts, what stands at the same place in the row of the other side will do as well.
pub fn state_list(protocol: &str, name: &str, sign: Option<char>, both: bool) -> Result<MatchList, Reason> {
    let rows = include_str!("states.txt").lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(' '));
    let rows: Vec<Vec<&'static str>> = rows.map(|row| row.split(' ').collect()).collect();
    let own = rows.iter().find_map(|row| Some((row, row.iter().position(|state| *state == name)?)));
    let (own, at) = own.ok_or_else(|| format!("{name} is no state of {protocol} that is told to rules"))?;
    let mut wanted = Vec::new();
    for row in rows.iter().filter(|row| both || *row == own) {
        let states = match sign {
            Some('<') => row.get(..at),
            Some(_) => row.get(at + 1..),
            None => row.get(at..=at),
        };
        let states = states.unwrap_or(&[]);
        wanted.extend_from_slice(states);
        // The last one is told of all protocols by the same words, but of handshakes.
        let side = row.first().and_then(|first| first.split('_').next()).unwrap_or("");
        if states.last().is_some_and(|last| row.last() == Some(last)) {
            wanted.extend(match side {
                "request" => Some("request_complete"),
                "response" => Some("response_complete"),
                _ => None,
            });
        }
    }
    if wanted.is_empty() {
        return Err(format!("there is no state on that side of {name}"));
    }
    Ok(MatchList { buffer: buffer::APP_STATE, transforms: Vec::new(), conditions: vec![Condition::OneOf(wanted)] })
}

fn ip_option(value: &str) -> Result<PacketTest, Reason> {
    let found = IP_OPTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|(_, number)| *number);
    match (found, value) {
        (Some(number), _) => Ok(PacketTest::IpOption(IpOption::Number(number))),
        (None, "any") => Ok(PacketTest::IpOption(IpOption::Any)),
        // Loose source routing, under the name that it has when it is an event.
        (None, "lsrre") => Ok(PacketTest::IpOption(IpOption::Number(0x83))),
        _ => Err(format!("{value} is no option of an IP header")),
    }
}

/// `fragbits:[+*!]MDR`.
fn fragment_flags(value: &str) -> Result<PacketTest, Reason> {
    let (how, letters) = match value.chars().next() {
        Some('+') => (FlagsHow::AtLeast, value.get(1..)),
        Some('*') => (FlagsHow::Any, value.get(1..)),
        Some('!') => (FlagsHow::None, value.get(1..)),
        _ => (FlagsHow::Exactly, Some(value)),
    };
    let flags = letters.unwrap_or("").chars().filter(|c| !c.is_whitespace()).try_fold(0, |flags, letter| {
        Ok::<u8, Reason>(
            flags
                | match letter.to_ascii_uppercase() {
                    'M' => 0x20,
                    'D' => 0x40,
                    'R' => 0x80,
                    other => return Err(format!("{other} is no flag of a fragment")),
                },
        )
    })?;
    Ok(PacketTest::FragmentFlags { how, flags })
}
