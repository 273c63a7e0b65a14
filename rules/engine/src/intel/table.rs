//! Indicators, arranged so that one lookup finds them.

use std::net::IpAddr;

use ahash::AHashMap;
use ipnet::IpNet;
use luytre_events::ValueRef;

use super::{INDICATORS_MAX, Indicator, IndicatorKind};

/// What is remembered of an indicator besides its value.
#[derive(Debug)]
struct Entry {
    list: usize,
    description: Box<str>,
    source: Box<str>,
    expires_ns: Option<i64>,
}

/// An indicator that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub list: usize,
    pub kind: IndicatorKind,
    pub indicator: String,
    pub description: Box<str>,
    pub source: Box<str>,
}

/// All indicators.
#[derive(Debug, Default)]
pub(super) struct Table {
    texts: AHashMap<(IndicatorKind, Box<str>), Vec<Entry>>,
    addresses: AHashMap<IpAddr, Vec<Entry>>,
    networks: AHashMap<IpNet, Vec<Entry>>,
    /// Prefix lengths that occur in `networks`, IPv4 and IPv6.
    lengths: (Vec<u8>, Vec<u8>),
    count: usize,
    kinds: Vec<IndicatorKind>,
}

impl Table {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn has(&self, kind: IndicatorKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Adds an indicator of the list with this number, or says why it cannot be one.
    pub(super) fn add(&mut self, indicator: Indicator, list: usize) -> Result<(), String> {
        if self.count >= INDICATORS_MAX {
            return Err(format!("more than {INDICATORS_MAX} indicators; load fewer"));
        }
        let Indicator { kind, value, description, source, expires_ns } = indicator;
        let entry = Entry { list, description: description.into(), source: source.into(), expires_ns };
        match kind {
            IndicatorKind::Ip => {
                let ip: IpAddr = value.parse().map_err(|_| format!("{value:?} is not an IP address"))?;
                self.addresses.entry(ip).or_default().push(entry);
            }
            IndicatorKind::Cidr => {
                let net: IpNet = value.parse().map_err(|_| format!("{value:?} is not a network like 192.0.2.0/24"))?;
                let lengths = if net.addr().is_ipv4() { &mut self.lengths.0 } else { &mut self.lengths.1 };
                if !lengths.contains(&net.prefix_len()) {
                    lengths.push(net.prefix_len());
                }
                self.networks.entry(net.trunc()).or_default().push(entry);
            }
            _ => {
                check_text(kind, &value)?;
                self.texts.entry((kind, value.into_boxed_str())).or_default().push(entry);
            }
        }
        self.count += 1;
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        Ok(())
    }

    /// The indicators that a value is, or is below.
    pub(super) fn find(&self, kind: IndicatorKind, value: ValueRef<'_>, time_ns: i64) -> Vec<Found> {
        let mut found = Vec::new();
        let mut take = |indicator: String, entries: Option<&Vec<Entry>>| {
            let alive = |e: &&Entry| e.expires_ns.is_none_or(|end| time_ns < end);
            found.extend(entries.into_iter().flatten().filter(alive).map(|e| Found {
                list: e.list,
                kind,
                indicator: indicator.clone(),
                description: e.description.clone(),
                source: e.source.clone(),
            }));
        };
        match (kind, value) {
            (IndicatorKind::Ip, ValueRef::Ip(ip)) => take(ip.to_string(), self.addresses.get(&ip)),
            (IndicatorKind::Cidr, ValueRef::Ip(ip)) => {
                let lengths = if ip.is_ipv4() { &self.lengths.0 } else { &self.lengths.1 };
                for net in lengths.iter().filter_map(|length| IpNet::new(ip, *length).ok()) {
                    take(net.trunc().to_string(), self.networks.get(&net.trunc()));
                }
            }
            (IndicatorKind::Domain, ValueRef::Str(name)) => {
                let name = name.trim_end_matches('.').to_lowercase();
                let mut rest = Some(name.as_str());
                while let Some(suffix) = rest {
                    take(suffix.to_owned(), self.texts.get(&(kind, suffix.into())));
                    rest = suffix.split_once('.').map(|(_, parent)| parent);
                }
            }
            (_, ValueRef::Str(text)) => {
                let text = normal(kind, text);
                take(text.clone(), self.texts.get(&(kind, text.as_str().into())));
            }
            _ => {}
        }
        found
    }
}

/// How values of a kind are compared: everything but the path of a URL ignores case.
pub(super) fn normal(kind: IndicatorKind, value: &str) -> String {
    let value = value.trim();
    match kind {
        IndicatorKind::Url => value.to_owned(),
        IndicatorKind::Domain => value.trim_start_matches("*.").trim_end_matches('.').to_lowercase(),
        _ => value.to_lowercase(),
    }
}

fn check_text(kind: IndicatorKind, value: &str) -> Result<(), String> {
    let hexadecimal =
        |lengths: &[usize]| lengths.contains(&value.len()) && value.bytes().all(|b| b.is_ascii_hexdigit());
    let good = match kind {
        IndicatorKind::Hash => hexadecimal(&[32, 40, 64]),
        IndicatorKind::Ja3 | IndicatorKind::Ja3s => hexadecimal(&[32]),
        IndicatorKind::Domain => value.contains('.') && !value.contains(['/', ' ', ':']),
        IndicatorKind::Url => value.contains("://"),
        _ => !value.is_empty(),
    };
    good.then_some(()).ok_or_else(|| format!("{value:?} is not a {}", kind.word()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(IndicatorKind, &str)]) -> Table {
        let mut table = Table::default();
        for (kind, value) in entries {
            let indicator = Indicator {
                kind: *kind,
                value: normal(*kind, value),
                description: String::new(),
                source: String::new(),
                expires_ns: Some(100),
            };
            table.add(indicator, 0).unwrap();
        }
        table
    }

    #[test]
    fn a_domain_stands_for_the_names_below_it_only() {
        let table = table(&[(IndicatorKind::Domain, "*.Bad.Example.")]);
        let found = |name: &str| table.find(IndicatorKind::Domain, ValueRef::Str(name), 0).len();
        assert_eq!((found("bad.example"), found("A.b.bad.example")), (1, 1));
        assert_eq!((found("notbad.example"), found("example"), found("bad.example.vn")), (0, 0, 0));
    }

    #[test]
    fn networks_and_addresses_are_found_in_both_families() {
        let table = table(&[
            (IndicatorKind::Cidr, "192.0.2.7/24"),
            (IndicatorKind::Cidr, "2001:db8::/32"),
            (IndicatorKind::Ip, "203.0.113.9"),
        ]);
        let found = |kind, ip: &str| table.find(kind, ValueRef::Ip(ip.parse().unwrap()), 0).len();
        assert_eq!(found(IndicatorKind::Cidr, "192.0.2.200"), 1);
        assert_eq!(found(IndicatorKind::Cidr, "2001:db8:1::1"), 1);
        assert_eq!(found(IndicatorKind::Cidr, "192.0.3.1"), 0);
        assert_eq!(found(IndicatorKind::Ip, "203.0.113.9"), 1);
    }

    #[test]
    fn expired_indicators_do_not_count() {
        let table = table(&[(IndicatorKind::Domain, "bad.example")]);
        assert_eq!(table.find(IndicatorKind::Domain, ValueRef::Str("bad.example"), 100).len(), 0);
    }

    #[test]
    fn values_that_are_not_of_their_kind_are_refused() {
        let wrong = [
            (IndicatorKind::Hash, "abc"),
            (IndicatorKind::Ip, "1.2.3"),
            (IndicatorKind::Cidr, "x/8"),
            (IndicatorKind::Domain, "com"),
            (IndicatorKind::Url, "bad.example/x"),
        ];
        for (kind, value) in wrong {
            let indicator = Indicator {
                kind,
                value: value.into(),
                description: String::new(),
                source: String::new(),
                expires_ns: None,
            };
            assert!(Table::default().add(indicator, 0).is_err(), "{value}");
        }
    }
}
