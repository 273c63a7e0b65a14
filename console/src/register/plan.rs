//! What bringing a table in would do: each row new, changed or unchanged, what the table does not name, and every fault.
//! Nothing is written here; the same plan is made again in the transaction that writes, and has to have the same digest.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::cells::Cells;
use super::sheet::Sheet;
use super::{Entry, Fault, Table, network_fault, tree_faults};
use crate::model::{AgencyFields, Network, RecordContent};

/// How many faults are told; more are counted.
pub const MAX_FAULTS: usize = 500;

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// The register does not have it yet.
    New,
    /// It differs.
    Changed,
    /// It is there already.
    Unchanged,
}

/// A cell that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CellChange {
    /// The column.
    pub column: String,
    /// As it is.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// A row that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlannedRow {
    /// Its number in the file.
    pub row: u32,
    /// Whose it is, or the agency itself.
    pub agency: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub state: RowState,
    /// What changes; of new ones nothing.
    pub changes: Vec<CellChange>,
}

/// A fault with its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowFault {
    /// Its number in the file; 1 for headings.
    pub row: u32,
    /// What is wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What bringing a table in would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportPlan)]
pub struct Plan {
    /// The rows that were understood.
    pub rows: Vec<PlannedRow>,
    /// How many are new.
    pub new: u64,
    /// How many change.
    pub changed: u64,
    /// How many are there already.
    pub unchanged: u64,
    /// What the register has and the table does not name; it stays as it is.
    pub missing: Vec<String>,
    /// The first faults. While there is one, nothing is written.
    pub faults: Vec<RowFault>,
    /// How many faults there are.
    pub fault_count: u64,
    /// What the preview showed, in short: writing asks for it.
    pub digest: String,
}

/// A record's place: agency and name; of agencies only the id.
pub type Key = (String, String);

/// The register as it stands.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The tree.
    pub agencies: BTreeMap<String, AgencyFields>,
    /// The entries of the table.
    pub entries: BTreeMap<Key, Entry>,
}

/// The place of an entry.
pub fn key(entry: &Entry) -> Key {
    match entry {
        Entry::Agency(id, _) => (id.clone(), String::new()),
        Entry::Record(agency, content) => (agency.clone(), content.name().to_owned()),
    }
}

/// Plans; answers also the entries to write, in the order of the rows.
pub fn plan(table: Table, sheet: &Sheet, now: &Snapshot) -> (Plan, Vec<Entry>) {
    let mut plan = Plan::default();
    for fault in &sheet.faults {
        tell(&mut plan, 1, fault.clone());
    }
    let mut entries: Vec<(u32, Entry)> = Vec::new();
    let mut seen: BTreeMap<Key, u32> = BTreeMap::new();
    for row in &sheet.rows {
        let mut faults = Vec::new();
        let entry = merged(table, &row.cells, now, &mut faults);
        if let Some(first) = seen.insert(key(&entry), row.number) {
            let column = if table == Table::Agencies { "id" } else { "name" };
            let message = format!("row {first} names the same; take one of them away");
            faults.push(Fault::new(column, "double_row", &key(&entry).0, message));
        }
        for fault in faults {
            tell(&mut plan, row.number, fault);
        }
        entries.push((row.number, entry));
    }
    among_each_other(&mut plan, &entries, now);
    for (row, entry) in &entries {
        let planned = planned(*row, entry, now);
        match planned.state {
            RowState::New => plan.new += 1,
            RowState::Changed => plan.changed += 1,
            RowState::Unchanged => plan.unchanged += 1,
        }
        plan.rows.push(planned);
    }
    let missing = now.entries.keys().filter(|key| !seen.contains_key(key));
    plan.missing = missing
        .map(|(agency, name)| if name.is_empty() { agency.clone() } else { format!("{agency}: {name}") })
        .collect();
    plan.digest = digest(&plan);
    (plan, entries.into_iter().map(|(_, entry)| entry).collect())
}

/// A row over what the register has: columns that the table does not have stay.
fn merged(table: Table, cells: &Cells, now: &Snapshot, faults: &mut Vec<Fault>) -> Entry {
    let mut entry = Entry::of(table, cells, faults);
    // Written one way first, so that what the register has is found under its name; what is wrong is not in it any more.
    let mut written = Entry::of(table, cells, &mut Vec::new());
    written.check(&mut Vec::new());
    if let Some(known) = now.entries.get(&key(&written)) {
        let mut whole = known.cells();
        whole.extend(cells.iter().map(|(column, cell)| (*column, cell.clone())));
        entry = Entry::of(table, &whole, &mut Vec::new());
    }
    entry.check(faults);
    entry
}

/// Faults that only the whole shows: circles, agencies that do not exist, networks of two.
fn among_each_other(plan: &mut Plan, entries: &[(u32, Entry)], now: &Snapshot) {
    let mut agencies = now.agencies.clone();
    let mut networks: BTreeMap<Key, &Network> = BTreeMap::new();
    for entry in now.entries.values().chain(entries.iter().map(|(_, entry)| entry)) {
        match entry {
            Entry::Agency(id, fields) => {
                agencies.insert(id.clone(), fields.clone());
            }
            Entry::Record(_, RecordContent::Network(network)) => {
                networks.insert(key(entry), network);
            }
            Entry::Record(..) => {}
        }
    }
    let mut by_text: BTreeMap<&str, Vec<(&str, &Network)>> = BTreeMap::new();
    for ((agency, text), network) in &networks {
        by_text.entry(text).or_default().push((agency, network));
    }
    for (row, entry) in entries {
        match entry {
            Entry::Agency(id, fields) => {
                for fault in tree_faults(id, fields, &agencies) {
                    tell(plan, *row, fault);
                }
            }
            Entry::Record(agency, content) => {
                if !agencies.contains_key(agency) {
                    let code = if agency.is_empty() { "missing_value" } else { "unknown_agency" };
                    let message = "there is no agency of this id; bring the agencies in first";
                    tell(plan, *row, Fault::new("agency", code, agency, message));
                }
                if let RecordContent::Network(network) = content {
                    let others = by_text.get(network.network.as_str()).into_iter().flatten().copied();
                    if let Some(fault) = network_fault(agency, network, others) {
                        tell(plan, *row, fault);
                    }
                }
            }
        }
    }
}

fn planned(row: u32, entry: &Entry, now: &Snapshot) -> PlannedRow {
    let before = now.entries.get(&key(entry));
    let mut changes = Vec::new();
    if let Some(before) = before {
        let (old, new) = (before.cells(), entry.cells());
        let columns: BTreeSet<&&str> = old.keys().chain(new.keys()).collect();
        for column in columns {
            let cell = |cells: &Cells| cells.get(*column).cloned().unwrap_or_default();
            if cell(&old) != cell(&new) {
                changes.push(CellChange { column: (*column).to_string(), before: cell(&old), after: cell(&new) });
            }
        }
    }
    let state = match before {
        None => RowState::New,
        Some(_) if changes.is_empty() => RowState::Unchanged,
        Some(_) => RowState::Changed,
    };
    let (agency, name) = match entry {
        Entry::Agency(id, fields) => (id.clone(), fields.name.clone()),
        Entry::Record(agency, content) => (agency.clone(), content.name().to_owned()),
    };
    PlannedRow { row, agency, name, state, changes }
}

fn tell(plan: &mut Plan, row: u32, fault: Fault) {
    plan.fault_count += 1;
    if plan.faults.len() < MAX_FAULTS {
        plan.faults.push(RowFault { row, fault });
    }
}

/// SHA-256 of everything that the preview shows.
fn digest(plan: &Plan) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(plan).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Format, read};
    use super::*;

    fn now(rows: &str) -> Snapshot {
        let sheet = read(Table::Agencies, Format::Csv, rows.as_bytes()).unwrap();
        let (plan, entries) = plan(Table::Agencies, &sheet, &Snapshot::default());
        assert_eq!(plan.fault_count, 0, "{:?}", plan.faults);
        let mut snapshot = Snapshot::default();
        for entry in entries {
            if let Entry::Agency(id, fields) = &entry {
                snapshot.agencies.insert(id.clone(), fields.clone());
            }
            snapshot.entries.insert(key(&entry), entry);
        }
        snapshot
    }

    fn planned(table: Table, rows: &str, now: &Snapshot) -> Plan {
        plan(table, &read(table, Format::Csv, rows.as_bytes()).unwrap(), now).0
    }

    #[test]
    fn rows_are_new_changed_or_unchanged_and_the_rest_is_missing() {
        let now = now("id,name,kind,parent,note\na,Tỉnh,,,x\nb,Sở Y tế,department,a,giữ\nc,Sở Cũ,department,a,\n");
        let plan = planned(Table::Agencies, "id,name,parent\na,Tỉnh,\nb,Sở Y tế mới,a\nd,Xã Mới,a\n", &now);
        let states: Vec<RowState> = plan.rows.iter().map(|row| row.state).collect();
        assert_eq!(states, [RowState::Unchanged, RowState::Changed, RowState::New]);
        assert_eq!((plan.new, plan.changed, plan.unchanged), (1, 1, 1));
        assert_eq!(plan.missing, ["c"]);
        let change = &plan.rows[1].changes;
        assert_eq!((change.len(), change[0].column.as_str()), (1, "name"), "columns that are missing stay: {change:?}");
    }

    #[test]
    fn every_fault_has_its_row_and_column() {
        let now = now("id,name\na,Tỉnh\n");
        let rows = "id,name,kind,parent,valid_from\nB,,sở,z,1/13/2026\na,Tỉnh,,e,\ne,E,,a,\na,Hai lần,,,\n";
        let plan = planned(Table::Agencies, rows, &now);
        let told: Vec<String> =
            plan.faults.iter().map(|each| format!("{}:{}:{}", each.row, each.fault.column, each.fault.code)).collect();
        for wanted in [
            "2:id:bad_id",
            "2:name:missing_value",
            "2:kind:not_listed",
            "2:valid_from:bad_date",
            "2:parent:unknown_agency",
            "5:id:double_row",
        ] {
            assert!(told.iter().any(|one| one == wanted), "{wanted} in {told:?}");
        }
        let circle = planned(Table::Agencies, "id,name,parent\na,Tỉnh,e\ne,E,a\n", &now);
        assert_eq!(circle.faults[0].fault.code, "cycle", "a circle that the table itself makes");
    }

    #[test]
    fn networks_of_two_in_the_same_table_are_faults_on_both_rows() {
        let now = now("id,name\na,A\nb,B\n");
        let plan =
            planned(Table::Networks, "agency,network\na,192.0.2.9/24\nb,192.0.2.0/24\nc,198.51.100.0/24\n", &now);
        let told: Vec<(u32, &str)> = plan.faults.iter().map(|each| (each.row, each.fault.code.as_str())).collect();
        assert_eq!(told, [(2, "taken"), (3, "taken"), (4, "unknown_agency")]);
    }

    #[test]
    fn a_plan_of_another_state_has_another_digest() {
        let rows = "id,name\na,Mới\n";
        let (one, other) = (now("id,name\na,A\n"), now("id,name\na,B\n"));
        let digest = |now: &Snapshot| planned(Table::Agencies, rows, now).digest;
        assert_eq!(digest(&one), digest(&one));
        assert_ne!(digest(&one), digest(&other));
    }
}
