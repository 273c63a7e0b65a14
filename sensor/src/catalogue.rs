//! What this sensor can say: the datasets of every stage, from which `sensor/events/catalogue.json` is generated.
//!
//! The committed file is checked against the records by a test; after a change of a record write the output of
//! `luytre-sensor catalogue` to it (or run `cargo xtask generate`).

use luytre_events::catalogue::CatalogueError;
use luytre_events::{Catalogue, DatasetDef, other};

use crate::canary::watch::CanaryRun;
use crate::files::record::FileSeen;
use crate::flow::record::FlowRecord;
use crate::protocols::anomaly::Anomaly;
use crate::protocols::{LINK_DATASETS, PROTOCOLS};
use crate::run::load::LoadChange;
use crate::signatures::record::SignatureAlert;

/// Every dataset that this sensor can speak in.
pub fn datasets() -> Vec<DatasetDef> {
    let protocols = PROTOCOLS.iter().flat_map(|protocol| protocol.datasets.iter().copied());
    let link = LINK_DATASETS.iter().copied();
    let stages = [FlowRecord::DATASET, FileSeen::DATASET, Anomaly::DATASET, LoadChange::DATASET, CanaryRun::DATASET];
    let others = [other::LOG, other::WINDOWS];
    stages.into_iter().chain([SignatureAlert::DATASET]).chain(link).chain(protocols).chain(others).collect()
}

/// The catalogue as the records declare it, without a look at the committed one.
pub fn declared() -> Result<Catalogue, CatalogueError> {
    Catalogue::from_datasets(&datasets())
}

/// The manual of events (`docs/manual/events.md`): every dataset with its fields, every protocol with how it is found.
pub fn manual(catalogue: &Catalogue) -> String {
    let mut page = String::from(MANUAL_HEAD);
    page.push_str(
        "\n## Protocols\n\n| protocol | over | looked for first on | datasets |\n| --- | --- | --- | --- |\n",
    );
    let mut protocols: Vec<_> = PROTOCOLS.iter().collect();
    protocols.sort_by_key(|protocol| protocol.name);
    for protocol in protocols {
        let over: Vec<&str> = protocol.transports.iter().map(|transport| transport.name()).collect();
        let ports: Vec<String> = protocol.ports.iter().map(u16::to_string).collect();
        let datasets: Vec<&str> = protocol.datasets.iter().map(|dataset| dataset.name).collect();
        page += &row(&[protocol.name, &over.join(", "), &ports.join(", "), &datasets.join(", ")]);
    }
    for dataset in catalogue.datasets() {
        page += &format!(
            "\n## {}\n\n{}\n\n| field | type | meaning |\n| --- | --- | --- |\n",
            dataset.name,
            dataset.doc.trim()
        );
        for field in dataset.fields.iter().filter_map(|name| catalogue.field(catalogue.field_id(name)?)) {
            let list = if field.list { " list" } else { "" };
            let kind = format!("{:?}{list}", field.kind).to_lowercase();
            page += &row(&[&format!("`{}`", field.name), &kind, field.doc.trim()]);
        }
    }
    page
}

const MANUAL_HEAD: &str = "# Events

What a sensor says, made from the parsers themselves (`cargo xtask generate`). Every event has `@timestamp`,
`event.dataset` and, where it belongs to a flow, `source`, `destination`, `network.transport`, `network.protocol` and
`network.community_id`. Content decides which protocol a flow speaks; the ports are where it is looked for first.
";

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_manual_is_not_stale() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/manual/events.md");
        let committed = std::fs::read_to_string(path).unwrap();
        assert_eq!(manual(&declared().unwrap()), committed, "run `cargo xtask generate`");
    }

    #[test]
    fn the_committed_catalogue_is_not_stale() {
        let declared = declared().unwrap();
        assert_eq!(
            declared.to_json(),
            Catalogue::current().to_json(),
            "write the output of `luytre-sensor catalogue` to sensor/events/catalogue.json"
        );
    }
}
