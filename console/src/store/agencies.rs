//! The tree of agencies: listed with what each has in numbers, added, changed, taken over from the collector's list.

use std::collections::{BTreeMap, HashMap};

use luytre_collector_api::AgencyNetworks;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::agency_records::put_record;
use super::audit::{Actor, Detail, HistoryOf, audit, history};
use super::reach::Reach;
use super::sql::Conditions;
use super::{Change, Store, StoreError, StoreResult};
use crate::model::{AgencyDetail, AgencyFields, AgencyRow, ChangeAgency, Network, NewAgency, RecordContent};
use crate::register::{Entry, Fault, tree_faults};

/// How many agencies there may be.
pub const MAX_AGENCIES: i64 = 2_000;

/// Agencies with how they are, by id.
pub type Tree = BTreeMap<String, (AgencyFields, i64)>;

impl Store {
    /// The agencies within reach, by name. Contacts that were last verified on `due_by` or before are due.
    pub async fn agencies(
        &self,
        reach: &Reach,
        viewer: &str,
        today: &str,
        due_by: &str,
    ) -> StoreResult<Vec<AgencyRow>> {
        let mut conditions = Conditions::default();
        reach.narrow(&mut conditions, "g.id")?;
        let sql = format!("SELECT g.* FROM agencies g{} ORDER BY g.name, g.id", conditions.clause());
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut numbers = self.agency_numbers(viewer, due_by).await?;
        let mut successors: HashMap<String, Vec<String>> = HashMap::new();
        for (agency, successor) in self.successions().await? {
            successors.entry(agency).or_default().push(successor);
        }
        rows.iter()
            .map(|row| {
                let id: String = row.try_get("id")?;
                let fields = fields_of(row, successors.remove(&id).unwrap_or_default())?;
                Ok(numbers.remove(&id).unwrap_or_default().of(id, fields, row.try_get("version")?, today))
            })
            .collect()
    }

    /// An agency; `today` and `due_by` as for the list.
    pub async fn agency(&self, id: &str, viewer: &str, today: &str, due_by: &str) -> StoreResult<AgencyDetail> {
        let row = sqlx::query("SELECT * FROM agencies WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        let row = row.ok_or(StoreError::NotFound("agency"))?;
        let successions = self.successions().await?;
        let fields =
            fields_of(&row, successions.iter().filter(|(old, _)| old == id).map(|(_, new)| new.clone()).collect())?;
        let numbers = self.agency_numbers(viewer, due_by).await?.remove(id).unwrap_or_default();
        Ok(AgencyDetail {
            agency: numbers.of(id.to_owned(), fields, row.try_get("version")?, today),
            predecessors: successions.into_iter().filter(|(_, new)| new == id).map(|(old, _)| old).collect(),
            history: self.history_of(HistoryOf::Agency, id).await?,
        })
    }

    /// Adds an agency.
    pub async fn add_agency(&self, new: &NewAgency, actor: &Actor) -> StoreResult<String> {
        let mut change = self.begin().await?;
        let tree = tree(&mut change).await?;
        if tree.contains_key(&new.id) {
            return Err(StoreError::invalid("id", "there is an agency of this id already"));
        }
        let mut entry = Entry::Agency(new.id.clone(), new.fields.clone());
        checked(&mut entry, &tree)?;
        put_agency(&mut change, &entry, None, actor, self.now_us()).await?;
        change.commit().await?;
        Ok(new.id.clone())
    }

    /// Changes an agency; a newer version than the one that was seen is a conflict and answers the agency as it is.
    pub async fn change_agency(&self, id: &str, wish: &ChangeAgency, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        let tree = tree(&mut change).await?;
        let (before, version) = tree.get(id).ok_or(StoreError::NotFound("agency"))?;
        if *version != wish.version {
            let current =
                serde_json::json!({"version": version, "fields": Entry::Agency(id.to_owned(), before.clone()).cells()});
            return Err(StoreError::Conflict(Box::new(current)));
        }
        let before = Entry::Agency(id.to_owned(), before.clone());
        let mut entry = Entry::Agency(id.to_owned(), wish.fields.clone());
        checked(&mut entry, &tree)?;
        if entry != before {
            put_agency(&mut change, &entry, Some(&before), actor, self.now_us()).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Takes over agencies that the collector names and the register does not know yet, with their networks. Those that
    /// are known stay as people have made them. Answers how many were taken over.
    pub async fn adopt_agencies(&self, named: &[AgencyNetworks]) -> StoreResult<usize> {
        let known: Vec<String> = sqlx::query_scalar("SELECT id FROM agencies").fetch_all(&self.readers).await?;
        let unknown: Vec<&AgencyNetworks> = named.iter().filter(|each| !known.contains(&each.id)).collect();
        if unknown.is_empty() {
            return Ok(0);
        }
        let now_us = self.now_us();
        let actor = Actor::default();
        let mut change = self.begin().await?;
        let mut tree = tree(&mut change).await?;
        let mut adopted = 0;
        for each in unknown {
            let fields = AgencyFields { name: each.name.clone(), ..AgencyFields::default() };
            let mut entry = Entry::Agency(each.id.clone(), fields.clone());
            // What the collector calls by a name that cannot stand here stays with the collector alone.
            if tree.contains_key(&each.id) || checked(&mut entry, &tree).is_err() {
                continue;
            }
            put_agency(&mut change, &entry, None, &actor, now_us).await?;
            tree.insert(each.id.clone(), (fields, 1));
            for network in &each.networks {
                let network = Network { network: network.clone(), ..Network::default() };
                let mut entry = Entry::Record(each.id.clone(), RecordContent::Network(network));
                if checked(&mut entry, &tree).is_ok() {
                    put_record(&mut change, &entry, None, &actor, now_us).await?;
                }
            }
            adopted += 1;
        }
        change.commit().await?;
        Ok(adopted)
    }

    /// The name of an agency.
    pub async fn agency_name(&self, id: &str) -> StoreResult<Option<String>> {
        let name = sqlx::query_scalar("SELECT name FROM agencies WHERE id = $1").bind(id);
        Ok(name.fetch_optional(&self.readers).await?)
    }

    async fn successions(&self) -> StoreResult<Vec<(String, String)>> {
        let rows =
            sqlx::query("SELECT agency_id, successor_id FROM agency_successors ORDER BY agency_id, successor_id")
                .fetch_all(&self.readers)
                .await?;
        Ok(rows
            .iter()
            .map(|row| Ok((row.try_get("agency_id")?, row.try_get("successor_id")?)))
            .collect::<Result<_, sqlx::Error>>()?)
    }

    /// What each agency has, counted in three questions for all of them.
    async fn agency_numbers(&self, viewer: &str, due_by: &str) -> StoreResult<HashMap<String, Numbers>> {
        let mut numbers: HashMap<String, Numbers> = HashMap::new();
        let rows = sqlx::query(
            "SELECT agency_id, kind, COUNT(*) AS n, MAX(level) AS level, \
             SUM(CASE WHEN verified_on IS NULL OR verified_on <= $1 THEN 1 ELSE 0 END) AS due FROM agency_records \
             GROUP BY agency_id, kind",
        )
        .bind(due_by)
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let count = row.try_get::<i64, _>("n")?.unsigned_abs();
            let of = numbers.entry(row.try_get("agency_id")?).or_default();
            match row.try_get::<String, _>("kind")?.as_str() {
                "contact" => {
                    of.contacts = count;
                    of.contacts_due = row.try_get::<i64, _>("due")?.unsigned_abs();
                }
                "network" => of.networks = count,
                "system" => {
                    of.systems = count;
                    of.highest_level = row.try_get::<Option<i64>, _>("level")?.and_then(|n| u8::try_from(n).ok());
                }
                _ => of.assets = count,
            }
        }
        let rows = sqlx::query(
            "SELECT agency_id, COUNT(*) AS n FROM alerts WHERE status = 'open' AND agency_id IS NOT NULL GROUP BY agency_id",
        )
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            numbers.entry(row.try_get("agency_id")?).or_default().open_alerts =
                row.try_get::<i64, _>("n")?.unsigned_abs();
        }
        let mut conditions = Conditions::default();
        let place = conditions.bind(viewer.to_owned())?;
        conditions.add_plain(super::cases::visible(&place));
        conditions.add_plain("c.status <> 'closed' AND c.agency_id IS NOT NULL".to_owned());
        let sql = format!("SELECT c.agency_id, COUNT(*) AS n FROM cases c{} GROUP BY c.agency_id", conditions.clause());
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        for row in &rows {
            numbers.entry(row.try_get("agency_id")?).or_default().open_cases =
                row.try_get::<i64, _>("n")?.unsigned_abs();
        }
        Ok(numbers)
    }
}

/// What an agency has.
#[derive(Default)]
struct Numbers {
    contacts: u64,
    contacts_due: u64,
    networks: u64,
    systems: u64,
    highest_level: Option<u8>,
    assets: u64,
    open_alerts: u64,
    open_cases: u64,
}

impl Numbers {
    fn of(self, id: String, fields: AgencyFields, version: i64, today: &str) -> AgencyRow {
        let valid = fields.valid_from.as_deref().is_none_or(|from| from <= today)
            && fields.valid_to.as_deref().is_none_or(|to| today <= to);
        AgencyRow {
            id,
            code: fields.code,
            name: fields.name,
            kind: fields.kind,
            parent_id: fields.parent_id,
            valid_from: fields.valid_from,
            valid_to: fields.valid_to,
            valid,
            successors: fields.successors,
            note: fields.note,
            version,
            contacts: self.contacts,
            contacts_due: self.contacts_due,
            networks: self.networks,
            systems: self.systems,
            highest_level: self.highest_level,
            assets: self.assets,
            open_alerts: self.open_alerts,
            open_cases: self.open_cases,
        }
    }
}

fn fields_of(row: &SqliteRow, successors: Vec<String>) -> Result<AgencyFields, sqlx::Error> {
    Ok(AgencyFields {
        code: row.try_get("code")?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        parent_id: row.try_get("parent_id")?,
        valid_from: row.try_get("valid_from")?,
        valid_to: row.try_get("valid_to")?,
        successors,
        note: row.try_get("note")?,
    })
}

/// The whole tree, as the change sees it.
pub(super) async fn tree(change: &mut Change) -> StoreResult<Tree> {
    let mut tree = Tree::new();
    for row in sqlx::query("SELECT * FROM agencies").fetch_all(&mut **change).await? {
        tree.insert(row.try_get("id")?, (fields_of(&row, Vec::new())?, row.try_get("version")?));
    }
    for row in sqlx::query("SELECT agency_id, successor_id FROM agency_successors ORDER BY agency_id, successor_id")
        .fetch_all(&mut **change)
        .await?
    {
        let id: String = row.try_get("agency_id")?;
        if let Some((fields, _)) = tree.get_mut(&id) {
            fields.successors.push(row.try_get("successor_id")?);
        }
    }
    Ok(tree)
}

/// Writes an entry one way, or says what is wrong with it.
pub(super) fn checked(entry: &mut Entry, tree: &Tree) -> StoreResult<()> {
    let mut faults = Vec::new();
    entry.check(&mut faults);
    match entry {
        Entry::Agency(id, fields) => {
            let all = tree.iter().map(|(id, (fields, _))| (id.clone(), fields.clone())).collect();
            faults.extend(tree_faults(id, fields, &all));
        }
        Entry::Record(agency, _) if !tree.contains_key(agency) => return Err(StoreError::NotFound("agency")),
        Entry::Record(..) => {}
    }
    match faults.into_iter().next() {
        None => Ok(()),
        Some(Fault { column, message, .. }) => Err(StoreError::Invalid { field: field_name(&column), message }),
    }
}

/// The field of a request that a column stands for.
pub(super) fn field_name(column: &str) -> &'static str {
    const NAMES: [&str; 21] = [
        "id",
        "code",
        "name",
        "kind",
        "valid_from",
        "valid_to",
        "successors",
        "note",
        "role",
        "email",
        "telephone",
        "verified_on",
        "network",
        "level",
        "approval",
        "decision_number",
        "decision_date",
        "decision_authority",
        "operator",
        "address",
        "place",
    ];
    match column {
        "parent" => "parent_id",
        _ => NAMES.iter().find(|name| **name == column).copied().unwrap_or("content"),
    }
}

/// Writes an agency that was checked: a new one, or over how it was before.
pub(super) async fn put_agency(
    change: &mut Change,
    entry: &Entry,
    before: Option<&Entry>,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    let Entry::Agency(id, fields) = entry else { return Ok(()) };
    if before.is_none() {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM agencies").fetch_one(&mut **change).await?;
        if count >= MAX_AGENCIES {
            let message = format!("there are {MAX_AGENCIES} agencies, which is the limit");
            return Err(StoreError::refused("too_many_agencies", message));
        }
    }
    // A parent that comes later in the same table is set when all agencies are there.
    sqlx::query(
        "INSERT INTO agencies (id, code, name, kind, parent_id, valid_from, valid_to, note, version, updated_us) \
         VALUES ($1, $2, $3, $4, (SELECT id FROM agencies WHERE id = $5), $6, $7, $8, 1, $9) ON CONFLICT (id) DO UPDATE SET \
         code = excluded.code, name = excluded.name, kind = excluded.kind, parent_id = excluded.parent_id, \
         valid_from = excluded.valid_from, valid_to = excluded.valid_to, note = excluded.note, \
         version = agencies.version + 1, updated_us = excluded.updated_us",
    )
    .bind(id.clone())
    .bind(fields.code.clone())
    .bind(fields.name.clone())
    .bind(fields.kind.clone())
    .bind(fields.parent_id.clone())
    .bind(fields.valid_from.clone())
    .bind(fields.valid_to.clone())
    .bind(fields.note.clone())
    .bind(now_us)
    .execute(&mut **change)
    .await?;
    link_agency(change, entry).await?;
    let action = if before.is_some() { "changed" } else { "added" };
    let what = differences(before, entry);
    history(change, now_us, HistoryOf::Agency, id, actor.user_id.as_deref(), action, &what).await?;
    audit(change, now_us, actor, &format!("agency.{action}"), &format!("agency:{id}"), &what).await
}

/// Sets whom an agency stands under and whom it became, as far as those are there.
pub(super) async fn link_agency(change: &mut Change, entry: &Entry) -> StoreResult<()> {
    let Entry::Agency(id, fields) = entry else { return Ok(()) };
    sqlx::query("UPDATE agencies SET parent_id = (SELECT p.id FROM agencies p WHERE p.id = $1) WHERE id = $2")
        .bind(fields.parent_id.clone())
        .bind(id.clone())
        .execute(&mut **change)
        .await?;
    sqlx::query("DELETE FROM agency_successors WHERE agency_id = $1").bind(id.clone()).execute(&mut **change).await?;
    for successor in &fields.successors {
        sqlx::query(
            "INSERT INTO agency_successors (agency_id, successor_id) SELECT $1, id FROM agencies WHERE id = $2",
        )
        .bind(id.clone())
        .bind(successor.clone())
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

/// The cells that differ, as they are now.
pub(super) fn differences(before: Option<&Entry>, after: &Entry) -> Detail {
    let before = before.map(Entry::cells).unwrap_or_default();
    let differs =
        |(column, cell): &(&'static str, String)| before.get(column).map_or("", String::as_str) != cell.as_str();
    after.cells().into_iter().filter(differs).map(|(column, cell)| (column.to_owned(), cell)).collect()
}
