//! Whether an entry makes sense, alone and among the others; what can be written in several ways is written one way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::Date;

use super::{Entry, Fault};
use crate::case_data::CitedList;
use crate::model::{AgencyFields, Network, RecordContent};
use crate::register_data::register_data;
use crate::store::sql::folded;

/// How long names may be, in characters.
const MAX_NAME: usize = 200;

/// How long notes may be, in characters.
const MAX_NOTE: usize = 2000;

/// How many successors an agency may have.
const MAX_SUCCESSORS: usize = 50;

impl Entry {
    /// Writes everything one way and tells every fault.
    pub fn check(&mut self, faults: &mut Vec<Fault>) {
        match self {
            Entry::Agency(id, fields) => {
                check_id(id, faults);
                check_agency(id, fields, faults);
            }
            Entry::Record(_, content) => check_record(content, faults),
        }
    }
}

/// Small letters, digits, `.`, `-`, `_`: what stands in events and in addresses of pages.
fn check_id(id: &str, faults: &mut Vec<Fault>) {
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
    if !fits {
        faults.push(Fault::new("id", "bad_id", id, "use 1 to 64 small letters a-z, digits, '.', '-', '_'"));
    }
}

fn check_agency(id: &str, fields: &mut AgencyFields, faults: &mut Vec<Fault>) {
    let fields_code = fields.code.take().map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    fields.code = fields_code;
    line("code", fields.code.as_deref().unwrap_or_default(), 0, 64, faults);
    fields.name = line("name", &fields.name, 1, MAX_NAME, faults);
    fields.note = note(&fields.note, faults);
    fields.kind = listed("kind", &fields.kind, &register_data().kinds, "other", faults);
    span(&mut fields.valid_from, &mut fields.valid_to, faults);
    fields.successors.sort_unstable();
    fields.successors.dedup();
    if fields.successors.len() > MAX_SUCCESSORS {
        let message = format!("name at most {MAX_SUCCESSORS} successors");
        faults.push(Fault::new("successors", "too_many", &fields.successors.len().to_string(), message));
    }
    if fields.parent_id.as_deref() == Some(id) {
        faults.push(Fault::new("parent", "cycle", id, "an agency cannot stand under itself; name another one"));
    }
    if fields.successors.iter().any(|successor| successor == id) {
        faults.push(Fault::new("successors", "cycle", id, "an agency cannot succeed itself; name another one"));
    }
}

fn check_record(content: &mut RecordContent, faults: &mut Vec<Fault>) {
    match content {
        RecordContent::Contact(contact) => {
            contact.name = line("name", &contact.name, 1, MAX_NAME, faults);
            contact.role = line("role", &contact.role, 0, MAX_NAME, faults);
            contact.email = line("email", &contact.email, 0, MAX_NAME, faults);
            if !contact.email.is_empty() && !is_email(&contact.email) {
                let message = "write an address as in name@example.vn, or leave it empty";
                faults.push(Fault::new("email", "bad_email", &contact.email, message));
            }
            contact.telephone = line("telephone", &contact.telephone, 0, 64, faults);
            if !contact.telephone.chars().all(|c| c.is_ascii_digit() || " +-().;,/x".contains(c)) {
                let message = "use digits, spaces and + - ( ) . only";
                faults.push(Fault::new("telephone", "bad_telephone", &contact.telephone, message));
            }
            day_of("verified_on", &mut contact.verified_on, faults);
        }
        RecordContent::Network(network) => {
            match canonical(&network.network) {
                Some(text) => network.network = text,
                None => faults.push(Fault::new(
                    "network",
                    "bad_network",
                    &network.network,
                    "write a network as in 203.0.113.0/27 or 2001:db8::/64, or a single address",
                )),
            }
            network.note = note(&network.note, faults);
            span(&mut network.valid_from, &mut network.valid_to, faults);
        }
        RecordContent::System(system) => {
            system.name = line("name", &system.name, 1, MAX_NAME, faults);
            if let Some(level) = system.level
                && !(1..=5).contains(&level)
            {
                let message = "use a level from 1 to 5, or leave it empty";
                faults.push(Fault::new("level", "bad_level", &level.to_string(), message));
            }
            system.approval = listed("approval", &system.approval, &register_data().approval_states, "draft", faults);
            system.decision_number = line("decision_number", &system.decision_number, 0, MAX_NAME, faults);
            system.decision_authority = line("decision_authority", &system.decision_authority, 0, MAX_NAME, faults);
            system.operator = line("operator", &system.operator, 0, MAX_NAME, faults);
            system.note = note(&system.note, faults);
            day_of("decision_date", &mut system.decision_date, faults);
        }
        RecordContent::Asset(asset) => {
            asset.name = line("name", &asset.name, 1, MAX_NAME, faults);
            asset.asset_kind = listed("asset_kind", &asset.asset_kind, &register_data().asset_kinds, "other", faults);
            asset.address = address(&line("address", &asset.address, 0, MAX_NAME, faults));
            asset.system = line("system", &asset.system, 0, MAX_NAME, faults);
            asset.place = line("place", &asset.place, 0, MAX_NAME, faults);
            asset.note = note(&asset.note, faults);
        }
    }
}

/// Faults of an agency among all the others: who it stands under, whom it became.
pub fn tree_faults(id: &str, fields: &AgencyFields, all: &BTreeMap<String, AgencyFields>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(parent) = &fields.parent_id {
        if !all.contains_key(parent) && parent != id {
            let message = "there is no agency of this id; bring it in first or in the same table";
            faults.push(Fault::new("parent", "unknown_agency", parent, message));
        }
        let mut above = Some(parent);
        // As many steps as there are agencies: a circle that does not touch this one ends too.
        for _ in 0..all.len() {
            let Some(next) = above.and_then(|parent| all.get(parent)?.parent_id.as_ref()) else { break };
            if next == id {
                let message = "the parent stands under this agency itself; change one of them";
                faults.push(Fault::new("parent", "cycle", parent, message));
                break;
            }
            above = Some(next);
        }
    }
    for successor in fields.successors.iter().filter(|successor| !all.contains_key(*successor)) {
        let message = "there is no agency of this id; bring it in first or in the same table";
        faults.push(Fault::new("successors", "unknown_agency", successor, message));
    }
    if let Some(code) = &fields.code
        && let Some((other, _)) = all.iter().find(|(other, it)| *other != id && it.code.as_ref() == Some(code))
    {
        faults.push(Fault::new(
            "code",
            "taken",
            code,
            format!("the agency {other} has this code; one of them is wrong"),
        ));
    }
    faults
}

/// The fault of a network that another agency has at the same time. Networks within networks are none: the smaller counts.
pub fn network_fault<'a>(
    agency: &str,
    network: &Network,
    mut others: impl Iterator<Item = (&'a str, &'a Network)>,
) -> Option<Fault> {
    let before = |end: &Option<String>, begin: &Option<String>| match (end, begin) {
        (Some(end), Some(begin)) => end < begin,
        _ => false,
    };
    let (other, _) = others.find(|(other, it)| {
        *other != agency
            && it.network == network.network
            && !before(&it.valid_to, &network.valid_from)
            && !before(&network.valid_to, &it.valid_from)
    })?;
    let message = format!("the agency {other} has this network at the same time; end it there first");
    Some(Fault::new("network", "taken", &network.network, message))
}

/// A text of one line.
fn line(column: &str, text: &str, min: usize, max: usize, faults: &mut Vec<Fault>) -> String {
    let text = text.trim();
    let length = text.chars().count();
    if length < min {
        faults.push(Fault::new(column, "missing_value", text, "must not be empty"));
    } else if length > max {
        faults.push(Fault::new(column, "too_long", text, format!("use at most {max} characters")));
    } else if text.chars().any(char::is_control) {
        faults.push(Fault::new(column, "bad_text", text, "use one line of text"));
    }
    text.to_owned()
}

fn note(text: &str, faults: &mut Vec<Fault>) -> String {
    let text = text.trim();
    if text.chars().count() > MAX_NOTE {
        faults.push(Fault::new("note", "too_long", text, format!("use at most {MAX_NOTE} characters")));
    }
    text.to_owned()
}

/// The id of an entry of a list, from its id or either name; the usual one where nothing is said.
fn listed(column: &str, text: &str, list: &CitedList, usual: &str, faults: &mut Vec<Fault>) -> String {
    let wanted = folded(text.trim());
    if wanted.is_empty() {
        return usual.to_owned();
    }
    let names = |entry: &crate::case_data::Entry| [folded(&entry.id), folded(&entry.vi), folded(&entry.en)];
    match list.entry.iter().find(|entry| names(entry).contains(&wanted)) {
        Some(entry) => entry.id.clone(),
        None => {
            let ids: Vec<&str> = list.entry.iter().map(|entry| entry.id.as_str()).collect();
            faults.push(Fault::new(column, "not_listed", text, format!("use one of {}", ids.join(", "))));
            text.to_owned()
        }
    }
}

fn span(from: &mut Option<String>, to: &mut Option<String>, faults: &mut Vec<Fault>) {
    day_of("valid_from", from, faults);
    day_of("valid_to", to, faults);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        faults.push(Fault::new(
            "valid_to",
            "before_begin",
            to,
            "the last day lies before the first; change one of them",
        ));
    }
}

fn day_of(column: &str, value: &mut Option<String>, faults: &mut Vec<Fault>) {
    let Some(text) = value.take().filter(|text| !text.trim().is_empty()) else { return };
    match day(&text) {
        Some(day) => *value = Some(day),
        None => faults.push(Fault::new(column, "bad_date", &text, "write a day as 2026-11-22 or 22/11/2026")),
    }
}

/// A day as `2026-11-22`, from that or from `22/11/2026`.
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let mut parts = text.split('/');
    let date = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(day), Some(month), Some(year), None) if year.len() == 4 => {
            Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?
        }
        _ if text.len() == 10 => text.parse::<Date>().ok()?,
        _ => return None,
    };
    (1900..=2200).contains(&date.year()).then(|| date.to_string())
}

/// A network with its host bits cut off; a single address is a network of one.
fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let network = match text.parse::<IpNet>() {
        Ok(network) => network.trunc(),
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    Some(network.to_string())
}

/// An address in its usual writing; names and links stay as they are.
fn address(text: &str) -> String {
    text.parse::<IpAddr>().map_or_else(|_| text.to_owned(), |ip| ip.to_string())
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || "@<>,;\"".contains(c));
    plain(name) && plain(host) && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Asset, Contact};

    fn codes(content: RecordContent) -> Vec<String> {
        let mut faults = Vec::new();
        Entry::Record("syt".into(), content).check(&mut faults);
        faults.into_iter().map(|fault| format!("{}:{}", fault.column, fault.code)).collect()
    }

    #[test]
    fn days_are_read_in_both_writings() {
        assert_eq!(day("22/11/2026").as_deref(), Some("2026-11-22"));
        assert_eq!(day(" 2026-11-22 ").as_deref(), Some("2026-11-22"));
        for wrong in ["31/02/2026", "22-11-2026", "22/11/26", "1/1/0001", "yesterday", "2026-11-22T00:00:00Z"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn networks_and_addresses_are_written_one_way() {
        assert_eq!(canonical("203.0.113.9/27").as_deref(), Some("203.0.113.0/27"));
        assert_eq!(canonical("203.0.113.9").as_deref(), Some("203.0.113.9/32"));
        assert_eq!(canonical("2001:DB8:0::/48").as_deref(), Some("2001:db8::/48"));
        assert_eq!(canonical("203.0.113.0/33"), None);
        assert_eq!(address("2001:DB8::0001"), "2001:db8::1");
        assert_eq!(address("https://cong.example"), "https://cong.example");
    }

    #[test]
    fn every_fault_of_a_record_is_told() {
        let contact = Contact {
            name: " ".into(),
            email: "a@b@c".into(),
            telephone: "gọi sau".into(),
            verified_on: Some("32/1/2026".into()),
            ..Contact::default()
        };
        let told = codes(RecordContent::Contact(contact));
        assert_eq!(told, ["name:missing_value", "email:bad_email", "telephone:bad_telephone", "verified_on:bad_date"]);
        let asset = Asset { name: "x".repeat(201), asset_kind: "xe đạp".into(), ..Asset::default() };
        assert_eq!(codes(RecordContent::Asset(asset)), ["name:too_long", "asset_kind:not_listed"]);
        let network = Network {
            network: "10.0.0.0/8".into(),
            valid_from: Some("2/1/2026".into()),
            valid_to: Some("1/1/2026".into()),
            ..Network::default()
        };
        assert_eq!(codes(RecordContent::Network(network)), ["valid_to:before_begin"]);
    }

    #[test]
    fn kinds_are_known_by_id_and_by_either_name() {
        for text in ["camera", "CAMERA", "Camera"] {
            let mut entry = Entry::Record(
                "syt".into(),
                RecordContent::Asset(Asset { name: "a".into(), asset_kind: text.into(), ..Asset::default() }),
            );
            entry.check(&mut Vec::new());
            assert_eq!(entry.cells()["asset_kind"], "camera");
        }
        let mut faults = Vec::new();
        assert_eq!(listed("kind", "so, ban, nganh", &register_data().kinds, "other", &mut faults), "department");
        assert!(faults.is_empty());
    }

    #[test]
    fn circles_and_unknown_relatives_are_faults() {
        let under = |parent: &str| AgencyFields { parent_id: Some(parent.into()), ..AgencyFields::default() };
        let all = BTreeMap::from([
            ("a".to_owned(), AgencyFields::default()),
            ("b".to_owned(), under("a")),
            ("c".to_owned(), under("b")),
            // A circle elsewhere must not keep the check from ending.
            ("x".to_owned(), under("y")),
            ("y".to_owned(), under("x")),
        ]);
        assert_eq!(tree_faults("a", &under("c"), &all)[0].code, "cycle");
        assert_eq!(tree_faults("a", &under("none"), &all)[0].code, "unknown_agency");
        assert!(tree_faults("c", &under("a"), &all).is_empty());
        assert!(tree_faults("z", &under("x"), &all).is_empty());
        let gone = AgencyFields { successors: vec!["none".into()], ..AgencyFields::default() };
        assert_eq!(tree_faults("a", &gone, &all)[0].column, "successors");
    }

    #[test]
    fn a_network_is_one_agencys_at_a_time() {
        let span = |from: Option<&str>, to: Option<&str>| Network {
            network: "203.0.113.0/27".into(),
            valid_from: from.map(str::to_owned),
            valid_to: to.map(str::to_owned),
            ..Network::default()
        };
        let old = span(None, Some("2025-06-30"));
        let clash = |new: &Network, agency| network_fault(agency, new, [("syt", &old)].into_iter()).is_some();
        assert!(clash(&span(None, None), "stc"));
        assert!(clash(&span(Some("2025-06-30"), None), "stc"));
        assert!(!clash(&span(Some("2025-07-01"), None), "stc"));
        assert!(!clash(&span(None, None), "syt"));
    }
}
