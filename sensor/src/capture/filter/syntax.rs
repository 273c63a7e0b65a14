//! The language of filters (libpcap, `pcap-filter(7)`), as far as it is understood here.
//!
//! Comes in: a text. Goes out: an [`Expression`], or an error that names the place. As in tcpdump `and` and `or` bind
//! equally and from left to right, and an address or number alone repeats what was asked before it (`port 80 or 443`).
//! Hosts are named by address and ports by number, so that a filter means the same on every machine. Depth and number of
//! questions are bounded.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::FilterError;
use super::expression::{Ends, Expression, Layer, Question, Relation};
use super::words::{IP, IP6, NAMED, TRANSPORTS, Word, ether_type, short_network, station, words};

/// Deepest nesting of brackets and `not`.
const DEPTH_MAX: usize = 64;
/// Most questions in a filter.
const QUESTIONS_MAX: usize = 256;

/// Reads a text.
pub fn parse(text: &str) -> Result<Expression, FilterError> {
    let words = words(text)?;
    let mut parser = Parser { words: &words, at: 0, end: text.chars().count() + 1, depth: 0, questions: 0, last: None };
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.wrong("expected `and`, `or`, or the end")),
    }
}

/// What an address or number alone repeats.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
}

#[derive(Debug, Clone, Copy)]
struct Qualified {
    kind: Kind,
    ends: Ends,
    network: Option<u16>,
    transport: Option<u8>,
}

struct Parser<'w> {
    words: &'w [Word],
    at: usize,
    /// Which character the text ends at.
    end: usize,
    depth: usize,
    questions: usize,
    last: Option<Qualified>,
}

type Read<T> = Result<T, FilterError>;

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(|(_, word)| word.as_str())
    }

    fn peek_second(&self) -> Option<&str> {
        self.words.get(self.at + 1).map(|(_, word)| word.as_str())
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn wrong(&self, reason: &str) -> FilterError {
        let (column, found) = match self.words.get(self.at) {
            Some((column, word)) => (*column, format!("`{word}`")),
            None => (self.end, "the end".to_owned()),
        };
        FilterError { column, reason: format!("{reason}, not {found}") }
    }

    fn any(&mut self) -> Read<Expression> {
        let mut left = self.one()?;
        loop {
            if self.take("and") || self.take("&&") {
                left = Expression::And(Box::new(left), Box::new(self.one()?));
            } else if self.take("or") || self.take("||") {
                left = Expression::Or(Box::new(left), Box::new(self.one()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn one(&mut self) -> Read<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("nested too deeply"));
        }
        let read = if self.take("not") || self.take("!") {
            Expression::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.any()?;
            if !self.take(")") {
                return Err(self.wrong("expected `)`"));
            }
            inner
        } else {
            self.questions += 1;
            if self.questions > QUESTIONS_MAX {
                return Err(self.wrong("too many questions"));
            }
            self.question()?
        };
        self.depth -= 1;
        Ok(read)
    }

    fn question(&mut self) -> Read<Expression> {
        let ask = |question| Ok(Expression::Ask(question));
        let Some(word) = self.peek() else { return Err(self.wrong("expected a question such as `host` or `port`")) };
        if self.peek_second() == Some("[") {
            return self.bytes();
        }
        let number = word.starts_with(|c: char| c.is_ascii_digit()) || word.contains(':');
        if let (true, Some(last)) = (number, self.last) {
            return self.value(last);
        }
        if number {
            return self.value(Qualified { kind: Kind::Host, ends: Ends::Either, network: None, transport: None });
        }
        match word {
            "less" | "greater" => {
                let relation = if word == "less" { Relation::AtMost } else { Relation::AtLeast };
                self.at += 1;
                ask(Question::Length(relation, self.number("a length", u32::MAX)?))
            }
            "len" => {
                self.at += 1;
                let relation = self.relation()?;
                ask(Question::Length(relation, self.number("a length", u32::MAX)?))
            }
            "vlan" => {
                self.at += 1;
                let numbered = self.peek().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
                let id = if numbered { Some(self.number("a VLAN", 4095)? as u16) } else { None };
                ask(Question::Vlan(id))
            }
            "ether" => self.ether(),
            "broadcast" => {
                self.at += 1;
                ask(Question::Station(Ends::Destination, [0xff; 6]))
            }
            "multicast" => {
                self.at += 1;
                ask(Question::Group)
            }
            _ => self.qualified(),
        }
    }

    fn ether(&mut self) -> Read<Expression> {
        self.at += 1;
        let ask = |question| Ok(Expression::Ask(question));
        if self.take("proto") {
            if let Some(kind) = self.peek().and_then(ether_type) {
                self.at += 1;
                return ask(Question::EtherType(kind));
            }
            return ask(Question::EtherType(self.number("an EtherType", 0xffff)? as u16));
        }
        if self.take("broadcast") {
            return ask(Question::Station(Ends::Destination, [0xff; 6]));
        }
        if self.take("multicast") {
            return ask(Question::Group);
        }
        let ends = self.ends().unwrap_or(Ends::Either);
        let _ = self.take("host");
        let address = self.peek().and_then(station);
        let Some(address) = address else { return Err(self.wrong("expected an Ethernet address")) };
        self.at += 1;
        ask(Question::Station(ends, address))
    }

    /// `[ip|tcp|...] [src|dst] [host|net|port|portrange|proto] VALUE`, or the name of a protocol alone.
    fn qualified(&mut self) -> Read<Expression> {
        let begin = self.at;
        let mut all = Qualified { kind: Kind::Host, ends: Ends::Either, network: None, transport: None };
        let mut alone = None;
        if let Some(kind) = self.peek().and_then(ether_type) {
            self.at += 1;
            all.network = Some(kind);
            alone = Some(Question::EtherType(kind));
            if self.take("multicast") {
                let group = if kind == IP6 { "ff00::/8" } else { "224.0.0.0/3" };
                let group = group.parse::<IpNet>().map_err(|_| self.wrong("expected an IP protocol"))?;
                return Ok(Expression::Ask(Question::Network(all.network, Ends::Destination, group)));
            }
        } else if let Some((_, network, number)) = TRANSPORTS.iter().find(|(name, ..)| Some(*name) == self.peek()) {
            self.at += 1;
            all.transport = Some(*number);
            alone = Some(Question::Protocol(*network, *number));
        }
        if self.take("proto") {
            let named = TRANSPORTS.iter().find(|(name, ..)| Some(*name) == self.peek()).map(|(_, _, number)| *number);
            let number = match named {
                Some(number) => {
                    self.at += 1;
                    number
                }
                None => self.number("a protocol", 255)? as u8,
            };
            return Ok(Expression::Ask(Question::Protocol(all.network, number)));
        }
        let ends = self.ends();
        all.ends = ends.unwrap_or(Ends::Either);
        let kind = match self.peek() {
            Some("host") => Some(Kind::Host),
            Some("net") => Some(Kind::Net),
            Some("port") => Some(Kind::Port),
            Some("portrange") => Some(Kind::PortRange),
            _ => None,
        };
        if let Some(kind) = kind {
            self.at += 1;
            all.kind = kind;
            return self.value(all);
        }
        if ends.is_some() {
            return self.value(all);
        }
        match alone {
            Some(question) => Ok(Expression::Ask(question)),
            None => {
                self.at = begin;
                Err(self.wrong("expected a question such as `host`, `net`, `port`, `tcp` or `vlan`"))
            }
        }
    }

    fn ends(&mut self) -> Option<Ends> {
        let (first, second) = match self.peek()? {
            "src" => (Ends::Source, "dst"),
            "dst" => (Ends::Destination, "src"),
            _ => return None,
        };
        self.at += 1;
        let joined = self.peek().filter(|_| self.peek_second() == Some(second)).map(str::to_owned);
        let ends = match joined.as_deref() {
            Some("or" | "||") => Ends::Either,
            Some("and" | "&&") => Ends::Both,
            _ => return Some(first),
        };
        self.at += 2;
        Some(ends)
    }

    /// The address or number of a question.
    fn value(&mut self, all: Qualified) -> Read<Expression> {
        self.last = Some(all);
        let Qualified { kind, ends, network, transport } = all;
        let question = match kind {
            Kind::Host | Kind::Net => {
                if transport.is_some() {
                    return Err(self.wrong("expected `port` or `portrange` behind a transport"));
                }
                let net = self.network(kind)?;
                let family = if net.addr().is_ipv4() { IP } else { IP6 };
                if network.is_some_and(|kind| kind == IP6 && family == IP || kind == IP && family == IP6) {
                    self.at -= 1;
                    return Err(self.wrong("expected an address of the other IP version"));
                }
                Question::Network(network, ends, net)
            }
            Kind::Port => {
                let port = self.number("a port by number", 65535)? as u16;
                Question::Ports(transport, ends, port, port)
            }
            Kind::PortRange => {
                let range = self.peek().and_then(|word| word.split_once('-'));
                let range = range.and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
                let Some((low, high)) = range.filter(|(low, high): &(u16, u16)| low <= high) else {
                    return Err(self.wrong("expected two ports such as 1000-2000"));
                };
                self.at += 1;
                Question::Ports(transport, ends, low, high)
            }
        };
        Ok(Expression::Ask(question))
    }

    fn network(&mut self, kind: Kind) -> Read<IpNet> {
        let word = self.peek().unwrap_or_default();
        let host = || word.parse::<IpAddr>().ok().map(IpNet::from);
        let found = match kind {
            Kind::Net => word.parse::<IpNet>().ok().or_else(|| short_network(word)).or_else(host),
            _ => host().or_else(|| word.parse().ok()),
        };
        let Some(net) = found else { return Err(self.wrong("expected an address, or a network such as 192.0.2.0/24")) };
        if net.trunc() != net {
            return Err(
                self.wrong(&format!("expected a network such as {}: bits behind its prefix are set", net.trunc()))
            );
        }
        self.at += 1;
        if self.take("mask") {
            let mask = self.peek().and_then(|word| word.parse().ok());
            let IpAddr::V4(address) = net.addr() else { return Err(self.wrong("expected no mask for IPv6")) };
            let masked = mask.and_then(|mask| Ipv4Net::with_netmask(address, mask).ok());
            let Some(masked) = masked else { return Err(self.wrong("expected a mask such as 255.255.255.0")) };
            self.at += 1;
            return Ok(IpNet::V4(masked));
        }
        Ok(net)
    }

    /// `tcp[13] & 2 != 0`: bytes of a header.
    fn bytes(&mut self) -> Read<Expression> {
        let name = self.peek().unwrap_or_default();
        let network = ether_type(name).map(Layer::Network);
        let transport =
            TRANSPORTS.iter().find(|(known, ..)| *known == name).map(|(.., number)| Layer::Transport(*number));
        let link = (name == "ether").then_some(Layer::Link);
        let Some(layer) = network.or(transport).or(link) else {
            return Err(self.wrong("expected the name of a protocol before `[`"));
        };
        self.at += 2;
        let offset = self.named("an offset", 65535)?;
        let size = if self.take(":") { self.number("1, 2 or 4 bytes", 4)? } else { 1 };
        if ![1, 2, 4].contains(&size) {
            self.at -= 1;
            return Err(self.wrong("expected 1, 2 or 4 bytes"));
        }
        if !self.take("]") {
            return Err(self.wrong("expected `]`"));
        }
        let mask = if self.take("&") { self.mask()? } else { u32::MAX };
        let relation = self.relation()?;
        let value = self.mask()?;
        Ok(Expression::Ask(Question::Bytes(layer, offset, size as u8, mask, relation, value)))
    }

    fn mask(&mut self) -> Read<u32> {
        if self.take("(") {
            let value = self.mask()?;
            return if self.take(")") { Ok(value) } else { Err(self.wrong("expected `)`")) };
        }
        self.named("a number", u32::MAX)
    }

    /// A number that may have a name.
    fn named(&mut self, what: &str, largest: u32) -> Read<u32> {
        let named = NAMED.iter().find(|(name, _)| Some(*name) == self.peek()).map(|(_, value)| *value);
        self.at += usize::from(named.is_some());
        named.map_or_else(|| self.number(what, largest), Ok)
    }

    fn relation(&mut self) -> Read<Relation> {
        let relation = match self.peek() {
            Some("=" | "==") => Relation::Equal,
            Some("!=") => Relation::Unequal,
            Some(">") => Relation::Greater,
            Some(">=") => Relation::AtLeast,
            Some("<") => Relation::Less,
            Some("<=") => Relation::AtMost,
            _ => return Err(self.wrong("expected one of = != > >= < <=")),
        };
        self.at += 1;
        Ok(relation)
    }

    fn number(&mut self, what: &str, largest: u32) -> Read<u32> {
        let word = self.peek().unwrap_or_default();
        let read = match word.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        };
        let Some(number) = read.filter(|number| *number <= largest) else {
            return Err(self.wrong(&format!("expected {what}")));
        };
        self.at += 1;
        Ok(number)
    }
}
