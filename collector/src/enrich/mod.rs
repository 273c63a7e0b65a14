//! Enrichment: which agency an event concerns, by its addresses.
//!
//! Comes in: events and `agencies.toml` (`[[agency]] id = "..", name = "..", networks = ["203.0.113.0/27"]`). Goes out:
//! the same events with `organization.id` and `organization.name`. The longest prefix wins. Where both sides of a flow
//! belong to an agency, the side that opened the flow is taken: it is the one that acted. An agency that the sensor has
//! named stays: private addresses mean somebody else on each agency's link. The file is looked at again
//! every [`RELOAD_EVERY`]; one that is wrong is reported and the old table stays in force.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use ipnet::IpNet;
use luytre_collector_api::Agency;
use luytre_events::{Catalogue, Event, FieldId, Value};
use serde::Deserialize;

use crate::health::Problems;

/// How often the file is looked at for changes.
pub const RELOAD_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyLine {
    id: String,
    name: String,
    networks: Vec<IpNet>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AgencyFile {
    agency: Vec<AgencyLine>,
}

/// Networks of the agencies.
#[derive(Debug, Default)]
pub struct Agencies {
    list: Vec<Agency>,
    /// Agencies by network, one table for each prefix length, longest first; IPv4 and IPv6 apart.
    v4: Vec<(u8, HashMap<IpNet, usize>)>,
    v6: Vec<(u8, HashMap<IpNet, usize>)>,
}

impl Agencies {
    /// Reads the text of an agencies file; the path is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Agencies, luytre_settings::SettingsError> {
        let file: AgencyFile = luytre_settings::parse(text, path)?;
        let mut agencies = Agencies::default();
        for (number, line) in file.agency.into_iter().enumerate() {
            for network in line.networks {
                let tables = if network.addr().is_ipv4() { &mut agencies.v4 } else { &mut agencies.v6 };
                let length = network.prefix_len();
                let place = tables.binary_search_by(|(other, _)| length.cmp(other)).unwrap_or_else(|place| {
                    tables.insert(place, (length, HashMap::new()));
                    place
                });
                if let Some((_, table)) = tables.get_mut(place) {
                    table.insert(network.trunc(), number);
                }
            }
            agencies.list.push(Agency { id: line.id, name: line.name });
        }
        Ok(agencies)
    }

    /// All of them, in the file's order.
    pub fn list(&self) -> &[Agency] {
        &self.list
    }

    /// The networks of the agency at a place of [`Agencies::list`], in order.
    pub fn networks(&self, number: usize) -> Vec<IpNet> {
        let tables = self.v4.iter().chain(&self.v6).flat_map(|(_, table)| table);
        let mut networks: Vec<IpNet> = tables.filter(|(_, of)| **of == number).map(|(network, _)| *network).collect();
        networks.sort_unstable();
        networks
    }

    /// The agency of an address, by the longest prefix.
    pub fn of(&self, ip: IpAddr) -> Option<&Agency> {
        let tables = if ip.is_ipv4() { &self.v4 } else { &self.v6 };
        tables.iter().find_map(|(length, table)| {
            let network = IpNet::new(ip, *length).ok()?.trunc();
            self.list.get(*table.get(&network)?)
        })
    }

    /// Adds the agency to an event that does not name one.
    pub fn add_to(&self, event: &mut Event) {
        let (Some((id, name)), Some(flow)) = (agency_fields(), &event.flow) else { return };
        let Some(agency) = self.of(flow.source.0).or_else(|| self.of(flow.destination.0)) else { return };
        if event.fields.iter().all(|(field, _)| *field != id) {
            event.fields.push((id, Value::Str(agency.id.as_str().into())));
            event.fields.push((name, Value::Str(agency.name.as_str().into())));
        }
    }
}

/// The fields that agencies fill.
fn agency_fields() -> Option<(FieldId, FieldId)> {
    static FIELDS: OnceLock<Option<(FieldId, FieldId)>> = OnceLock::new();
    *FIELDS.get_or_init(|| {
        let catalogue = Catalogue::current();
        Some((catalogue.field_id("organization.id")?, catalogue.field_id("organization.name")?))
    })
}

/// The table in force, shared between the pipeline and the API.
#[derive(Debug, Clone, Default)]
pub struct SharedAgencies(Arc<RwLock<Arc<Agencies>>>);

impl SharedAgencies {
    /// The table in force.
    pub fn get(&self) -> Arc<Agencies> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, agencies: Agencies) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(agencies);
    }
}

/// Adds agencies to events.
#[derive(Debug)]
pub struct Enricher {
    path: PathBuf,
    shared: SharedAgencies,
    current: Arc<Agencies>,
    problems: Problems,
    modified: Option<SystemTime>,
    looked: Option<Instant>,
}

impl Enricher {
    /// Reads the agencies file if there is one; `shared` shows what is in force.
    pub fn new(path: PathBuf, shared: SharedAgencies, problems: Problems) -> Enricher {
        let mut enricher = Enricher { path, current: shared.get(), shared, problems, modified: None, looked: None };
        enricher.look();
        enricher
    }

    /// Adds the agency to each event whose sensor has not named it.
    pub fn enrich(&mut self, events: &mut [Event]) {
        if self.looked.is_none_or(|at| at.elapsed() >= RELOAD_EVERY) {
            self.look();
        }
        for event in events {
            self.current.add_to(event);
        }
    }

    /// Reads the file again when it has changed.
    fn look(&mut self) {
        self.looked = Some(Instant::now());
        let modified = std::fs::metadata(&self.path).and_then(|meta| meta.modified()).ok();
        if modified == self.modified {
            return;
        }
        self.modified = modified;
        if modified.is_none() {
            return;
        }
        let read = std::fs::read_to_string(&self.path)
            .map_err(|error| format!("read {}: {error}", self.path.display()))
            .and_then(|text| Agencies::parse(&text, &self.path).map_err(|error| error.to_string()));
        match read {
            Ok(agencies) => {
                tracing::info!(agencies = agencies.list.len(), file = %self.path.display(), "read the agencies");
                self.shared.set(agencies);
                self.current = self.shared.get();
                self.problems.clear("agencies");
            }
            Err(reason) => self.problems.raise("agencies", format!("{reason}; the table before stays in force")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [[agency]]
        id = "tinh"
        name = "Tỉnh"
        networks = ["203.0.113.0/24", "2001:db8:cafe::/48"]
        [[agency]]
        id = "so-y-te"
        name = "Sở Y tế"
        networks = ["203.0.113.0/27", "2001:db8:cafe:1::/64"]
    "#;

    #[test]
    fn the_longest_prefix_wins() {
        let agencies = Agencies::parse(FILE, Path::new("agencies.toml")).unwrap();
        let of = |ip: &str| agencies.of(ip.parse().unwrap()).map(|a| a.id.as_str());
        assert_eq!(of("203.0.113.5"), Some("so-y-te"));
        assert_eq!(of("203.0.113.40"), Some("tinh"));
        assert_eq!(of("2001:db8:cafe:1::9"), Some("so-y-te"));
        assert_eq!(of("2001:db8:cafe:2::9"), Some("tinh"));
        assert_eq!(of("192.0.2.1"), None);
    }

    #[test]
    fn an_agency_that_the_sensor_has_named_stays() {
        use luytre_events::{CommunityId, DatasetId, EventId, FlowContext, Transport};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agencies.toml");
        std::fs::write(&path, FILE).unwrap();
        let mut enricher = Enricher::new(path, SharedAgencies::default(), Problems::default());
        let id = Catalogue::current().field_id("organization.id").unwrap();
        let event = |fields| Event {
            id: EventId { sensor: "s".into(), sequence: 1 },
            time_ns: 0,
            dataset: DatasetId(0),
            flow: Some(FlowContext {
                source: ([203, 0, 113, 40].into(), 1),
                destination: ([192, 0, 2, 1].into(), 2),
                transport: Transport::UDP,
                vlan: None,
                community_id: CommunityId([0; 20]),
                protocol: None,
            }),
            fields,
        };
        let named = |text: &str| (id, Value::Str(text.into()));
        let mut events = [event(vec![named("so-a")]), event(Vec::new())];
        enricher.enrich(&mut events);
        assert_eq!(events[0].fields, [named("so-a")]);
        assert_eq!(events[1].fields.first(), Some(&named("tinh")));
    }

    #[test]
    fn a_wrong_file_is_named() {
        let error = Agencies::parse("[[agency]]\nid = 'a'\nname = 'A'\nnetwork = []", Path::new("agencies.toml"));
        assert!(error.unwrap_err().to_string().contains("did you mean `networks`"));
    }
}
