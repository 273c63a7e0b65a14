//! The words that a filter is written in, and what names stand for.

use ipnet::{IpNet, Ipv4Net};

use super::FilterError;

pub(super) const IP: u16 = 0x0800;
pub(super) const IP6: u16 = 0x86dd;

/// Names of network protocols and their EtherTypes.
pub(super) const NETWORKS: &str = "ip 0800 ip6 86dd arp 0806 rarp 8035";
/// Names of transport protocols; those over IPv4 or IPv6 alone with that.
pub(super) const TRANSPORTS: [(&str, Option<u16>, u8); 10] = [
    ("tcp", None, 6),
    ("udp", None, 17),
    ("sctp", None, 132),
    ("icmp", Some(IP), 1),
    ("icmp6", Some(IP6), 58),
    ("igmp", Some(IP), 2),
    ("esp", None, 50),
    ("ah", None, 51),
    ("pim", None, 103),
    ("vrrp", Some(IP), 112),
];
/// Numbers that have names inside `tcp[...]`.
pub(super) const NAMED: [(&str, u32); 9] = [
    ("tcpflags", 13),
    ("tcp-fin", 1),
    ("tcp-syn", 2),
    ("tcp-rst", 4),
    ("tcp-push", 8),
    ("tcp-ack", 16),
    ("tcp-urg", 32),
    ("tcp-ece", 64),
    ("tcp-cwr", 128),
];

/// A word of the text and which character it begins at.
pub(super) type Word = (usize, String);

pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    const PAIRS: [&str; 6] = ["&&", "||", "!=", ">=", "<=", "=="];
    let mut words: Vec<Word> = Vec::new();
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let begin = at;
        at += 1;
        if letter.is_whitespace() {
            continue;
        }
        if letter.is_ascii_alphanumeric() || letter == ':' && !inside_brackets(&words) {
            // Addresses with colons are one word; within square brackets a colon stands alone.
            let alone = inside_brackets(&words);
            let goes_on = |c: &char| c.is_ascii_alphanumeric() || "./-_".contains(*c) || (*c == ':' && !alone);
            while letters.get(at).is_some_and(goes_on) {
                at += 1;
            }
        } else if let Some(second) = letters.get(at)
            && PAIRS.contains(&format!("{letter}{second}").as_str())
        {
            at += 1;
        } else if !"()[]!=<>&:".contains(letter) {
            return Err(FilterError { column: begin + 1, reason: format!("{letter:?} means nothing here") });
        }
        let word: String = letters.get(begin..at).unwrap_or_default().iter().collect();
        words.push((begin + 1, word.to_ascii_lowercase()));
    }
    Ok(words)
}

pub(super) fn inside_brackets(words: &[Word]) -> bool {
    words.iter().rev().find(|(_, word)| word == "[" || word == "]").is_some_and(|(_, word)| word == "[")
}

/// The EtherType of a network protocol's name.
pub(super) fn ether_type(name: &str) -> Option<u16> {
    let mut words = NETWORKS.split(' ');
    words.find(|word| *word == name && !word.starts_with(char::is_numeric))?;
    u16::from_str_radix(words.next()?, 16).ok()
}

/// Six bytes in hexadecimal with colons between them.
pub(super) fn station(word: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = word.split([':', '-']).map(|part| u8::from_str_radix(part, 16).ok()).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// The first bytes of an IPv4 network: `10`, `192.168`, `203.0.113`.
pub(super) fn short_network(word: &str) -> Option<IpNet> {
    let parts: Vec<u8> = word.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    if parts.is_empty() || parts.len() > 3 {
        return None;
    }
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(&parts) {
        *octet = *part;
    }
    Ipv4Net::new(octets.into(), u8::try_from(parts.len() * 8).ok()?).ok().map(IpNet::V4)
}
