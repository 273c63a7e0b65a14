//! Rules that ask for addresses alone, found by address.
//!
//! Published sets name tens of thousands of bad hosts in a few hundred rules, and each new flow asks for two addresses.
//! A rule is filed under the networks of the end of which it names more; rules that name none are asked always.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::super::rule::Rule;

/// The rules by network, the networks by their length.
#[derive(Debug, Default)]
pub struct AddressIndex {
    by_length: Vec<(u8, HashMap<IpAddr, Vec<u32>>)>,
    always: Vec<u32>,
}

impl AddressIndex {
    /// Files a rule.
    pub fn add(&mut self, number: u32, rule: &Rule) {
        let (source, destination) = (rule.header.source.within(), rule.header.destination.within());
        let networks = if source.len() >= destination.len() { source } else { destination };
        if networks.is_empty() {
            self.always.push(number);
        }
        for network in networks {
            let length = network.prefix_len();
            let at = match self.by_length.iter().position(|(other, _)| *other == length) {
                Some(at) => at,
                None => {
                    self.by_length.push((length, HashMap::new()));
                    self.by_length.len() - 1
                }
            };
            if let Some((_, rules)) = self.by_length.get_mut(at) {
                rules.entry(network.network()).or_default().push(number);
            }
        }
    }

    /// Hands over the rules that one of two addresses may concern, some perhaps more than once.
    pub fn candidates(&self, source: IpAddr, destination: IpAddr, mut take: impl FnMut(u32)) {
        self.always.iter().copied().for_each(&mut take);
        for (length, rules) in &self.by_length {
            for address in [source, destination] {
                // A length that this family does not have names none of its networks.
                let Ok(network) = IpNet::new(address, *length) else { continue };
                rules.get(&network.network()).into_iter().flatten().copied().for_each(&mut take);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::super::language::Variables;
    use super::super::super::ruleset::Signatures;
    use super::*;

    #[test]
    fn rules_are_found_by_either_end_and_by_networks_of_any_length() {
        let text = "alert ip [192.0.2.0/24,198.51.100.7,2001:db8::/32] any -> 10.0.0.0/8 any (sid:1;)\n\
                    alert ip any any -> [203.0.113.4,203.0.113.5] any (sid:2;)\n\
                    alert ip any any -> any any (sid:3;)\n";
        let set = Signatures::compile(vec![(PathBuf::from("x.rules"), text.to_owned())], Variables::usual());
        let found = |source: &str, destination: &str| {
            let mut index = AddressIndex::default();
            (0u32..).zip(set.rules()).for_each(|(number, rule)| index.add(number, rule));
            let mut sids = Vec::new();
            index.candidates(source.parse().unwrap(), destination.parse().unwrap(), |at| {
                sids.push(set.rules()[at as usize].sid);
            });
            sids.sort_unstable();
            sids.dedup();
            sids
        };
        assert_eq!(found("192.0.2.99", "10.1.1.1"), [1, 3]);
        assert_eq!(found("10.1.1.1", "198.51.100.7"), [1, 3], "the whole rule is asked later");
        assert_eq!(found("8.8.8.8", "203.0.113.5"), [2, 3]);
        assert_eq!(found("2001:db8::9", "2001:db9::1"), [1, 3]);
        assert_eq!(found("8.8.8.8", "9.9.9.9"), [3]);
    }
}
