//! What this sensor can say: the datasets of every stage, from which `sensor/events/catalogue.json` is generated.
//!
//! The committed file is checked against the records by a test; after a change of a record write the output of
//! `luytre-sensor catalogue` to it (or run `cargo xtask generate`).

use luytre_events::catalogue::CatalogueError;
use luytre_events::{Catalogue, DatasetDef};

use crate::files::record::FileSeen;
use crate::flow::record::FlowRecord;
use crate::protocols::anomaly::Anomaly;
use crate::protocols::{LINK_DATASETS, PROTOCOLS};

/// Every dataset that this sensor can speak in.
pub fn datasets() -> Vec<DatasetDef> {
    let protocols = PROTOCOLS.iter().flat_map(|protocol| protocol.datasets.iter().copied());
    let link = LINK_DATASETS.iter().copied();
    [FlowRecord::DATASET, FileSeen::DATASET, Anomaly::DATASET].into_iter().chain(link).chain(protocols).collect()
}

/// The catalogue as the records declare it, without a look at the committed one.
pub fn declared() -> Result<Catalogue, CatalogueError> {
    Catalogue::from_datasets(&datasets())
}

#[cfg(test)]
mod tests {
    use super::*;

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
