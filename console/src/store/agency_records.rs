//! What belongs to agencies: contacts, networks, systems, assets. Each record has a version of its own.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::agencies::{checked, differences, field_name, tree};
use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::reach::Reach;
use super::sql::{Conditions, contains_pattern, cursor_parts, cursor_text, folded, page_size};
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    AgencyRecord, ChangeRecord, Network, RecordContent, RecordKind, RecordList, RecordQuery, wire_name,
};
use crate::register::{Entry, network_fault};
use crate::register_data::register_data;

/// How many records there may be in all.
pub const MAX_RECORDS: i64 = 50_000;

/// How many words of a text filter count.
const MAX_WORDS: usize = 8;

const ROW: &str = "SELECT r.*, g.name AS agency_name FROM agency_records r JOIN agencies g ON g.id = r.agency_id";

/// A record as it stands.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// What it says.
    pub entry: Entry,
}

impl Store {
    /// A page of records within reach, by name.
    pub async fn records(&self, query: &RecordQuery, reach: &Reach, today: &str) -> StoreResult<RecordList> {
        let size = page_size(query.limit);
        let count = filter(query, reach, today)?;
        let sql = format!("SELECT COUNT(*) FROM agency_records r{}", count.clause());
        let total: i64 =
            sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), count.into_arguments()).fetch_one(&self.readers).await?;
        let mut conditions = filter(query, reach, today)?;
        if let Some(cursor) = &query.cursor {
            let mut parts = cursor_parts(cursor, 2)?.into_iter();
            let (name, id) = (
                conditions.bind(parts.next().unwrap_or_default())?,
                conditions.bind(parts.next().unwrap_or_default())?,
            );
            conditions.add_plain(format!("(r.name > {name} OR (r.name = {name} AND r.id > {id}))"));
        }
        let sql = format!("{ROW}{} ORDER BY r.name, r.id LIMIT {}", conditions.clause(), size + 1);
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let shown = rows.get(..size as usize).unwrap_or(&rows);
        let items = shown.iter().map(|row| record(row, today)).collect::<StoreResult<Vec<_>>>()?;
        let last = items.last().filter(|_| rows.len() > shown.len());
        let next_cursor = last.map(|last| cursor_text(&[last.content.name().to_owned(), last.id.clone()]));
        Ok(RecordList { items, total: total.unsigned_abs(), next_cursor })
    }

    /// A record.
    pub async fn record(&self, id: &str, today: &str) -> StoreResult<AgencyRecord> {
        let sql = format!("{ROW} WHERE r.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        record(&row.ok_or(StoreError::NotFound("record"))?, today)
    }

    /// Adds a record to an agency; answers its id.
    pub async fn add_record(&self, agency: &str, content: &RecordContent, actor: &Actor) -> StoreResult<String> {
        let mut change = self.begin().await?;
        let tree = tree(&mut change).await?;
        let mut entry = Entry::Record(agency.to_owned(), content.clone());
        checked(&mut entry, &tree)?;
        refuse_taken(&mut change, &entry, None).await?;
        let id = put_record(&mut change, &entry, None, actor, self.now_us()).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Changes a record of an agency; a newer version than the one that was seen is a conflict.
    pub async fn change_record(&self, agency: &str, id: &str, wish: &ChangeRecord, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        let before = known(&mut change, agency, id, wish.version).await?;
        let tree = tree(&mut change).await?;
        let mut entry = Entry::Record(agency.to_owned(), wish.content.clone());
        checked(&mut entry, &tree)?;
        let (Entry::Record(_, old), Entry::Record(_, new)) = (&before.entry, &entry) else { return Ok(()) };
        if old.kind() != new.kind() {
            return Err(StoreError::invalid("content", "a record stays of its kind; add another one instead"));
        }
        if entry != before.entry {
            refuse_taken(&mut change, &entry, Some(id)).await?;
            put_record(&mut change, &entry, Some(&before), actor, self.now_us()).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Says that everything about a contact was found right on a day.
    pub async fn verify_contact(
        &self,
        agency: &str,
        id: &str,
        version: i64,
        day: &str,
        actor: &Actor,
    ) -> StoreResult<()> {
        let mut change = self.begin().await?;
        let before = known(&mut change, agency, id, version).await?;
        let mut entry = before.entry.clone();
        let Entry::Record(_, RecordContent::Contact(contact)) = &mut entry else {
            return Err(StoreError::NotFound("contact"));
        };
        contact.verified_on = Some(day.to_owned());
        put_record(&mut change, &entry, Some(&before), actor, self.now_us()).await?;
        change.commit().await?;
        Ok(())
    }

    /// Removes a record of an agency.
    pub async fn remove_record(&self, agency: &str, id: &str, version: i64, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let before = known(&mut change, agency, id, version).await?;
        sqlx::query("DELETE FROM agency_records WHERE id = $1").bind(id.to_owned()).execute(&mut *change).await?;
        let Entry::Record(_, content) = &before.entry else { return Ok(()) };
        told(&mut change, agency, id, content, "removed", &Detail::new(), actor, now_us).await?;
        change.commit().await?;
        Ok(())
    }
}

/// A record of an agency in the version that was seen; another version is a conflict.
async fn known(change: &mut Change, agency: &str, id: &str, seen: i64) -> StoreResult<Known> {
    let row = sqlx::query("SELECT * FROM agency_records WHERE id = $1 AND agency_id = $2")
        .bind(id.to_owned())
        .bind(agency.to_owned())
        .fetch_optional(&mut **change)
        .await?;
    let known = known_of(&row.ok_or(StoreError::NotFound("record"))?)?;
    if known.version != seen {
        let Entry::Record(_, content) = &known.entry else { return Err(StoreError::NotFound("record")) };
        let current = serde_json::json!({"version": known.version, "content": content});
        return Err(StoreError::Conflict(Box::new(current)));
    }
    Ok(known)
}

pub(super) fn known_of(row: &SqliteRow) -> StoreResult<Known> {
    let content = content_of(row)?;
    let entry = Entry::Record(row.try_get("agency_id")?, content);
    Ok(Known { id: row.try_get("id")?, version: row.try_get("version")?, entry })
}

fn content_of(row: &SqliteRow) -> StoreResult<RecordContent> {
    let body: String = row.try_get("body")?;
    serde_json::from_str(&body).map_err(|cause| StoreError::Database(sqlx::Error::Decode(Box::new(cause))))
}

/// The records of a kind, as the change sees them.
pub(super) async fn records_of(change: &mut Change, kind: RecordKind) -> StoreResult<Vec<Known>> {
    let rows = sqlx::query("SELECT * FROM agency_records WHERE kind = $1 ORDER BY agency_id, name")
        .bind(wire_name(&kind))
        .fetch_all(&mut **change)
        .await?;
    rows.iter().map(known_of).collect()
}

/// Refuses what another record says already: a name at the agency, a network at another one.
async fn refuse_taken(change: &mut Change, entry: &Entry, own: Option<&str>) -> StoreResult<()> {
    let Entry::Record(agency, content) = entry else { return Ok(()) };
    let taken: Option<String> =
        sqlx::query_scalar("SELECT id FROM agency_records WHERE agency_id = $1 AND kind = $2 AND name = $3")
            .bind(agency.clone())
            .bind(wire_name(&content.kind()))
            .bind(content.name().to_owned())
            .fetch_optional(&mut **change)
            .await?;
    if taken.is_some_and(|id| own != Some(id.as_str())) {
        let field = if content.kind() == RecordKind::Network { "network" } else { "name" };
        return Err(StoreError::invalid(field, "the agency has this already; change that one"));
    }
    let RecordContent::Network(network) = content else { return Ok(()) };
    let all = records_of(change, RecordKind::Network).await?;
    match network_fault(agency, network, networks(&all)) {
        None => Ok(()),
        Some(fault) => Err(StoreError::invalid(field_name(&fault.column), fault.message)),
    }
}

/// Networks with the agencies that have them.
pub(super) fn networks(all: &[Known]) -> impl Iterator<Item = (&str, &Network)> {
    all.iter().filter_map(|known| match &known.entry {
        Entry::Record(agency, RecordContent::Network(network)) => Some((agency.as_str(), network)),
        _ => None,
    })
}

/// Writes a record that was checked: a new one, or over how it was before. Answers its id.
pub(super) async fn put_record(
    change: &mut Change,
    entry: &Entry,
    before: Option<&Known>,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<String> {
    let Entry::Record(agency, content) = entry else { return Err(StoreError::NotFound("record")) };
    if before.is_none() {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM agency_records").fetch_one(&mut **change).await?;
        if count >= MAX_RECORDS {
            let message = format!("there are {MAX_RECORDS} records, which is the limit; remove some first");
            return Err(StoreError::refused("too_many_records", message));
        }
    }
    let (mut address, mut level, mut verified_on, mut valid_from, mut valid_to) = (None, None, None, None, None);
    match content.clone() {
        RecordContent::Contact(contact) => verified_on = contact.verified_on,
        RecordContent::Network(network) => {
            address = Some(network.network);
            (valid_from, valid_to) = (network.valid_from, network.valid_to);
        }
        RecordContent::System(system) => level = system.level.map(i64::from),
        RecordContent::Asset(asset) => address = Some(asset.address).filter(|text| !text.is_empty()),
    }
    let id = before.map_or_else(new_id, |known| known.id.clone());
    let words: Vec<String> = entry.cells().into_values().collect();
    sqlx::query(
        "INSERT INTO agency_records (id, agency_id, kind, name, address, level, verified_on, valid_from, valid_to, body, words, \
         version, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12) ON CONFLICT (id) DO UPDATE SET \
         name = excluded.name, address = excluded.address, level = excluded.level, verified_on = excluded.verified_on, \
         valid_from = excluded.valid_from, valid_to = excluded.valid_to, body = excluded.body, words = excluded.words, version = agency_records.version + 1, \
         updated_us = excluded.updated_us",
    )
    .bind(id.clone())
    .bind(agency.clone())
    .bind(wire_name(&content.kind()))
    .bind(content.name().to_owned())
    .bind(address)
    .bind(level)
    .bind(verified_on)
    .bind(valid_from)
    .bind(valid_to)
    .bind(serde_json::to_string(content).unwrap_or_default())
    .bind(folded(&words.join(" ")))
    .bind(now_us)
    .execute(&mut **change)
    .await?;
    let what = differences(before.map(|known| &known.entry), entry);
    let action = if before.is_some() { "changed" } else { "added" };
    told(change, agency, &id, content, action, &what, actor, now_us).await?;
    Ok(id)
}

/// Writes into history and log what happened to a record. Of contacts only the names of columns: the log is for ever, and
/// people's telephone numbers are not.
#[expect(clippy::too_many_arguments, reason = "one line of two logs, with everything in it")]
async fn told(
    change: &mut Change,
    agency: &str,
    id: &str,
    content: &RecordContent,
    action: &str,
    what: &Detail,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    let kind = wire_name(&content.kind());
    let columns: Vec<&str> = what.keys().map(String::as_str).filter(|column| *column != "agency").collect();
    let columns = columns.join(", ");
    let mut line = match content {
        RecordContent::Contact(_) => detail([("changed", &columns)]),
        _ => {
            let mut line = what.clone();
            line.insert("name".to_owned(), content.name().to_owned());
            line
        }
    };
    line.insert("record".to_owned(), id.to_owned());
    line.insert("kind".to_owned(), kind.clone());
    let action = format!("{kind}_{action}");
    history(change, now_us, HistoryOf::Agency, agency, actor.user_id.as_deref(), &action, &line).await?;
    audit(change, now_us, actor, &format!("agency.{action}"), &format!("agency:{agency}"), &line).await
}

fn filter(query: &RecordQuery, reach: &Reach, today: &str) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    reach.narrow(&mut conditions, "r.agency_id")?;
    if let Some(kind) = query.kind {
        // Written out, so that the index of kinds and names puts the page in order.
        conditions.add_plain(format!("r.kind = '{}'", wire_name(&kind)));
    }
    if let Some(agency) = query.agency.as_deref().filter(|id| !id.is_empty()) {
        if query.below == Some(true) {
            Reach::Agency(agency.to_owned()).narrow(&mut conditions, "r.agency_id")?;
        } else {
            conditions.add("r.agency_id = ?", agency.to_owned())?;
        }
    }
    for word in query.text.as_deref().unwrap_or_default().split_whitespace().take(MAX_WORDS) {
        conditions.add("r.words LIKE ? ESCAPE '\\'", contains_pattern(&folded(word)))?;
    }
    if query.due == Some(true) {
        conditions.add(
            "r.kind = 'contact' AND (r.verified_on IS NULL OR r.verified_on <= ?)",
            due_by(today).ok_or_else(|| StoreError::invalid("due", "today is no day"))?,
        )?;
    }
    if let Some(day) = query.on.as_deref().filter(|day| !day.is_empty()) {
        if day.parse::<jiff::civil::Date>().is_err() {
            return Err(StoreError::invalid("on", "use YYYY-MM-DD"));
        }
        conditions.add_plain("r.kind = 'network'".to_owned());
        conditions.add("COALESCE(r.valid_from, ?) <= ? AND COALESCE(r.valid_to, ?) >= ?", day.to_owned())?;
    }
    Ok(conditions)
}

/// The day on or before which a verification must have been for it to be due on this day.
pub fn due_by(today: &str) -> Option<String> {
    moved(today, -i64::from(register_data().verification.every_days))
}

fn moved(day: &str, days: i64) -> Option<String> {
    let day: jiff::civil::Date = day.parse().ok()?;
    Some(day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?.to_string())
}

fn record(row: &SqliteRow, today: &str) -> StoreResult<AgencyRecord> {
    let content = content_of(row)?;
    let (due_on, due) = match &content {
        RecordContent::Contact(contact) => {
            let every = i64::from(register_data().verification.every_days);
            let due_on = contact.verified_on.as_deref().and_then(|day| moved(day, every));
            let due = due_on.as_deref().is_none_or(|day| day <= today);
            (due_on, due)
        }
        _ => (None, false),
    };
    Ok(AgencyRecord {
        id: row.try_get("id")?,
        agency_id: row.try_get("agency_id")?,
        agency_name: row.try_get("agency_name")?,
        content,
        due_on,
        due,
        version: row.try_get("version")?,
        updated_at: clock::to_text(row.try_get("updated_us")?),
    })
}
