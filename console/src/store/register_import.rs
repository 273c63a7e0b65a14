//! Tables brought into the register and taken out of it. What is written was planned in the same transaction and is what the
//! preview showed, or nothing is written at all.

use super::agencies::{link_agency, put_agency, tree};
use super::agency_records::{put_record, records_of};
use super::audit::{Actor, audit, detail};
use super::{Change, Store, StoreError, StoreResult};
use crate::register::plan::{Key, Plan, Snapshot, key, plan};
use crate::register::sheet::Sheet;
use crate::register::{Entry, Table};

impl Store {
    /// What bringing a table in would do.
    pub async fn plan_import(&self, table: Table, sheet: &Sheet) -> StoreResult<Plan> {
        let mut change = self.begin().await?;
        let (now, _) = snapshot(&mut change, table).await?;
        drop(change);
        Ok(plan(table, sheet, &now).0)
    }

    /// Brings a table in, if that does what the preview of this digest showed.
    pub async fn import(&self, table: Table, sheet: &Sheet, digest: &str, actor: &Actor) -> StoreResult<Plan> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let (now, known) = snapshot(&mut change, table).await?;
        let (plan, entries) = plan(table, sheet, &now);
        if plan.digest != digest {
            return Err(StoreError::Conflict(Box::new(serde_json::to_value(&plan).unwrap_or_default())));
        }
        if plan.fault_count > 0 {
            let message = format!("the table has {} faults; correct them first", plan.fault_count);
            return Err(StoreError::refused("import_faults", message));
        }
        let changed: Vec<&Entry> = entries.iter().filter(|entry| now.entries.get(&key(entry)) != Some(entry)).collect();
        for entry in &changed {
            let place = key(entry);
            match entry {
                Entry::Agency(..) => {
                    put_agency(&mut change, entry, now.entries.get(&place), actor, now_us).await?;
                }
                Entry::Record(..) => {
                    put_record(&mut change, entry, known.get(&place), actor, now_us).await?;
                }
            }
        }
        // Whoever stands under an agency of a later row is put there now.
        for entry in &changed {
            link_agency(&mut change, entry).await?;
        }
        let numbers = [plan.new.to_string(), plan.changed.to_string(), plan.unchanged.to_string()];
        let what = detail([("new", &numbers[0]), ("changed", &numbers[1]), ("unchanged", &numbers[2])]);
        audit(&mut change, now_us, actor, "register.imported", &format!("table:{}", table.id()), &what).await?;
        change.commit().await?;
        Ok(plan)
    }

    /// All entries of a table, by their place.
    pub async fn export(&self, table: Table) -> StoreResult<Vec<Entry>> {
        let mut change = self.begin().await?;
        let (now, _) = snapshot(&mut change, table).await?;
        drop(change);
        Ok(now.entries.into_values().collect())
    }
}

type Records = std::collections::HashMap<Key, super::agency_records::Known>;

/// The register as the change sees it.
async fn snapshot(change: &mut Change, table: Table) -> StoreResult<(Snapshot, Records)> {
    let mut now = Snapshot::default();
    for (id, (fields, _)) in tree(change).await? {
        if table == Table::Agencies {
            now.entries.insert((id.clone(), String::new()), Entry::Agency(id.clone(), fields.clone()));
        }
        now.agencies.insert(id, fields);
    }
    let mut records = Records::new();
    if let Some(kind) = table.records() {
        for known in records_of(change, kind).await? {
            now.entries.insert(key(&known.entry), known.entry.clone());
            records.insert(key(&known.entry), known);
        }
    }
    Ok((now, records))
}
