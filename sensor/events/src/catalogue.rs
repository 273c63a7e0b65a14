//! The catalogue: every field and dataset that sensors of this release can speak of.
//!
//! `catalogue.json` is generated from the parsers' records (`cargo xtask generate`) and committed; this module embeds
//! it, gives each name a small number ([`FieldId`], the position in name order) and can build other catalogues at run
//! time: a collector learns the one of an older or newer sensor from its greeting and maps ids by name.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::field::{DatasetDef, IndexHint, Kind};

/// A field's number in a [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FieldId(pub u16);

/// A dataset's number in a [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DatasetId(pub u16);

/// A field in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name, for example `source.ip`.
    pub name: String,
    /// The type of the value, or of each item when `list`.
    pub kind: Kind,
    /// Whether the value is a list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
    /// How to index it.
    pub index: IndexHint,
    /// One sentence for people.
    pub doc: String,
}

/// A dataset in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// `event.dataset`.
    pub name: String,
    /// One sentence for people.
    pub doc: String,
    /// Names of the fields of its body; every event also has the envelope's fields.
    pub fields: Vec<String>,
}

/// The file as it is written: fields and datasets in name order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    fields: Vec<Field>,
    datasets: Vec<Dataset>,
}

/// Every field and dataset by name and by number.
#[derive(Debug)]
pub struct Catalogue {
    file: File,
    field_ids: HashMap<String, FieldId>,
    dataset_ids: HashMap<String, DatasetId>,
    digest: [u8; 32],
}

/// Why a catalogue could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The text is not a catalogue.
    #[error("read the catalogue: not valid JSON of its shape")]
    Syntax(#[from] serde_json::Error),
    /// Two records give one field different meanings.
    #[error("field {name} is declared twice with different types ({first} and {second})")]
    Conflict {
        /// The field.
        name: String,
        /// The dataset that declared it first.
        first: String,
        /// The dataset that disagrees.
        second: String,
    },
    /// More names than a field id can number.
    #[error("the catalogue has {0} names; at most 65535 can be numbered")]
    TooLarge(usize),
}

impl Catalogue {
    /// The catalogue of this release.
    ///
    /// # Panics
    /// When the committed `catalogue.json` is not a catalogue, which a test rules out.
    pub fn current() -> &'static Catalogue {
        static CURRENT: OnceLock<Catalogue> = OnceLock::new();
        CURRENT.get_or_init(|| {
            Catalogue::parse(include_str!("../catalogue.json")).expect("the committed catalogue.json is valid")
        })
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Catalogue, CatalogueError> {
        Catalogue::from_file(serde_json::from_str(text)?)
    }

    /// Makes a catalogue from what the parsers declare; the envelope and what the collector adds are joined in.
    pub fn from_datasets(datasets: &[DatasetDef]) -> Result<Catalogue, CatalogueError> {
        let mut file = File::default();
        let mut seen: HashMap<&str, (Kind, bool, &str)> = HashMap::new();
        for dataset in [&crate::event::ENVELOPE, &crate::event::ENRICHMENT].into_iter().chain(datasets) {
            for field in dataset.fields {
                match seen.get(field.name) {
                    Some((kind, list, _)) if *kind == field.kind && *list == field.list => continue,
                    Some((_, _, first)) => {
                        return Err(CatalogueError::Conflict {
                            name: field.name.into(),
                            first: (*first).into(),
                            second: dataset.name.into(),
                        });
                    }
                    None => {
                        seen.insert(field.name, (field.kind, field.list, dataset.name));
                    }
                }
                file.fields.push(Field {
                    name: field.name.into(),
                    kind: field.kind,
                    list: field.list,
                    index: field.index,
                    doc: field.doc.trim().into(),
                });
            }
        }
        // Several records may speak in one dataset (a request and its answer, say): their fields are joined.
        let mut by_name: std::collections::BTreeMap<&str, Dataset> = std::collections::BTreeMap::new();
        for dataset in datasets {
            let entry = by_name.entry(dataset.name).or_insert_with(|| Dataset {
                name: dataset.name.into(),
                doc: dataset.doc.trim().into(),
                fields: Vec::new(),
            });
            entry.fields.extend(dataset.fields.iter().map(|f| f.name.to_owned()));
            entry.fields.sort();
            entry.fields.dedup();
        }
        file.datasets = by_name.into_values().collect();
        file.fields.sort_by(|a, b| a.name.cmp(&b.name));
        Catalogue::from_file(file)
    }

    fn from_file(file: File) -> Result<Catalogue, CatalogueError> {
        let names = file.fields.len().max(file.datasets.len());
        if names > usize::from(u16::MAX) {
            return Err(CatalogueError::TooLarge(names));
        }
        let field_ids = (0..).zip(&file.fields).map(|(i, f)| (f.name.clone(), FieldId(i))).collect();
        let dataset_ids = (0..).zip(&file.datasets).map(|(i, d)| (d.name.clone(), DatasetId(i))).collect();
        let digest = Sha256::digest(serde_json::to_vec(&file)?).into();
        Ok(Catalogue { file, field_ids, dataset_ids, digest })
    }

    /// The text form, as committed.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.file).unwrap_or_default();
        text.push('\n');
        text
    }

    /// SHA-256 over the compact text form: what a sensor's greeting names it by.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// All fields, in name order; position is the field's id.
    pub fn fields(&self) -> &[Field] {
        &self.file.fields
    }

    /// All datasets, in name order; position is the dataset's id.
    pub fn datasets(&self) -> &[Dataset] {
        &self.file.datasets
    }

    /// The number of a field.
    pub fn field_id(&self, name: &str) -> Option<FieldId> {
        self.field_ids.get(name).copied()
    }

    /// The field of a number.
    pub fn field(&self, id: FieldId) -> Option<&Field> {
        self.file.fields.get(usize::from(id.0))
    }

    /// The number of a dataset.
    pub fn dataset_id(&self, name: &str) -> Option<DatasetId> {
        self.dataset_ids.get(name).copied()
    }

    /// The dataset of a number.
    pub fn dataset(&self, id: DatasetId) -> Option<&Dataset> {
        self.file.datasets.get(usize::from(id.0))
    }

    /// The numbers of a record's dataset and fields, in declaration order.
    ///
    /// # Panics
    /// When `catalogue.json` is older than the records: the message says how to regenerate it.
    pub fn resolve(&self, dataset: &DatasetDef) -> (DatasetId, Vec<FieldId>) {
        let known = |found: Option<u16>, name: &str| {
            found.unwrap_or_else(|| panic!("{name} is not in catalogue.json: run `cargo xtask generate`"))
        };
        let id = DatasetId(known(self.dataset_id(dataset.name).map(|d| d.0), dataset.name));
        let fields =
            dataset.fields.iter().map(|f| FieldId(known(self.field_id(f.name).map(|id| id.0), f.name))).collect();
        (id, fields)
    }
}
