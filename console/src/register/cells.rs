//! Entries as cells of a row, and back. A cell that is missing leaves what was there before as it is.

use std::collections::BTreeMap;

use super::{Entry, Fault, Table};
use crate::model::{AgencyFields, Asset, Contact, Network, RecordContent, System};

/// Cells by the id of their column.
pub type Cells = BTreeMap<&'static str, String>;

impl Entry {
    /// The row of an entry, every cell of it.
    pub fn cells(&self) -> Cells {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let (agency, content) = match self {
            Entry::Agency(id, fields) => {
                return Cells::from([
                    ("id", id.clone()),
                    ("code", optional(&fields.code)),
                    ("name", fields.name.clone()),
                    ("kind", fields.kind.clone()),
                    ("parent", optional(&fields.parent_id)),
                    ("valid_from", optional(&fields.valid_from)),
                    ("valid_to", optional(&fields.valid_to)),
                    ("successors", fields.successors.join("; ")),
                    ("note", fields.note.clone()),
                ]);
            }
            Entry::Record(agency, content) => (agency.clone(), content),
        };
        let mut cells = match content {
            RecordContent::Contact(contact) => Cells::from([
                ("name", contact.name.clone()),
                ("role", contact.role.clone()),
                ("email", contact.email.clone()),
                ("telephone", contact.telephone.clone()),
                ("verified_on", optional(&contact.verified_on)),
            ]),
            RecordContent::Network(network) => Cells::from([
                ("network", network.network.clone()),
                ("valid_from", optional(&network.valid_from)),
                ("valid_to", optional(&network.valid_to)),
                ("note", network.note.clone()),
            ]),
            RecordContent::System(system) => Cells::from([
                ("name", system.name.clone()),
                ("level", system.level.map(|level| level.to_string()).unwrap_or_default()),
                ("approval", system.approval.clone()),
                ("decision_number", system.decision_number.clone()),
                ("decision_date", optional(&system.decision_date)),
                ("decision_authority", system.decision_authority.clone()),
                ("operator", system.operator.clone()),
                ("note", system.note.clone()),
            ]),
            RecordContent::Asset(asset) => Cells::from([
                ("name", asset.name.clone()),
                ("asset_kind", asset.asset_kind.clone()),
                ("address", asset.address.clone()),
                ("system", asset.system.clone()),
                ("place", asset.place.clone()),
                ("note", asset.note.clone()),
            ]),
        };
        cells.insert("agency", agency);
        cells
    }

    /// The entry of a row; cells that say nothing understandable are faults.
    pub fn of(table: Table, cells: &Cells, faults: &mut Vec<Fault>) -> Entry {
        let text = |column: &str| cells.get(column).map(|cell| cell.trim().to_owned()).unwrap_or_default();
        let optional = |column: &str| Some(text(column)).filter(|text| !text.is_empty());
        let content = match table {
            Table::Agencies => {
                let successors = text("successors");
                let successors = successors.split([';', ',']).map(str::trim).filter(|id| !id.is_empty());
                let fields = AgencyFields {
                    code: optional("code"),
                    name: text("name"),
                    kind: text("kind"),
                    parent_id: optional("parent"),
                    valid_from: optional("valid_from"),
                    valid_to: optional("valid_to"),
                    successors: successors.map(str::to_owned).collect(),
                    note: text("note"),
                };
                return Entry::Agency(text("id"), fields);
            }
            Table::Contacts => RecordContent::Contact(Contact {
                name: text("name"),
                role: text("role"),
                email: text("email"),
                telephone: text("telephone"),
                verified_on: optional("verified_on"),
            }),
            Table::Networks => RecordContent::Network(Network {
                network: text("network"),
                valid_from: optional("valid_from"),
                valid_to: optional("valid_to"),
                note: text("note"),
            }),
            Table::Systems => RecordContent::System(System {
                name: text("name"),
                level: level(&text("level"), faults),
                approval: text("approval"),
                decision_number: text("decision_number"),
                decision_date: optional("decision_date"),
                decision_authority: text("decision_authority"),
                operator: text("operator"),
                note: text("note"),
            }),
            Table::Assets => RecordContent::Asset(Asset {
                name: text("name"),
                asset_kind: text("asset_kind"),
                address: text("address"),
                system: text("system"),
                place: text("place"),
                note: text("note"),
            }),
        };
        Entry::Record(text("agency"), content)
    }
}

/// A level as people write it: `3`, `3.0` (a spreadsheet's number) or `Cấp độ 3`.
fn level(text: &str, faults: &mut Vec<Fault>) -> Option<u8> {
    let digits: String = text.trim_end_matches(".0").chars().filter(char::is_ascii_digit).collect();
    if text.is_empty() {
        return None;
    }
    match digits.parse::<u8>() {
        Ok(level) if digits.len() == 1 => Some(level),
        _ => {
            faults.push(Fault::new("level", "bad_level", text, "use a level from 1 to 5, or leave it empty"));
            None
        }
    }
}
