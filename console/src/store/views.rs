//! Saved views of the queue: of their owner, or shared with everybody.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::reach::Reach;
use super::sql::person;
use super::{Store, StoreError, StoreResult, new_id};
use crate::model::{NewView, View, ViewList};

/// How many views one person may keep.
pub const MAX_VIEWS: i64 = 50;

/// How long a view's name and question may be, in characters.
const MAX_NAME: usize = 80;
const MAX_QUERY: usize = 2000;

impl Store {
    /// The views of somebody: their own and the shared ones, by name. Who does not reach everything has only their own:
    /// views name agencies and addresses.
    pub async fn views(&self, user_id: &str, reach: &Reach) -> StoreResult<ViewList> {
        let rows = sqlx::query(
            "SELECT v.*, u.name AS owner_name, u.display_name AS owner_display FROM views v \
             JOIN users u ON u.id = v.owner_id WHERE v.owner_id = $1 OR (v.shared = 1 AND $2) ORDER BY v.name, v.id LIMIT 500",
        )
        .bind(user_id)
        .bind(!reach.is_narrow())
        .fetch_all(&self.readers)
        .await?;
        Ok(ViewList { items: rows.iter().map(view).collect::<Result<_, _>>()? })
    }

    /// Saves a view; one of the same name and owner is replaced.
    pub async fn save_view(&self, new: &NewView, owner_id: &str, actor: &Actor) -> StoreResult<()> {
        let name = new.name.trim();
        if !(1..=MAX_NAME).contains(&name.chars().count()) {
            return Err(StoreError::invalid("name", format!("use 1 to {MAX_NAME} characters")));
        }
        if new.query.chars().count() > MAX_QUERY {
            return Err(StoreError::invalid("query", format!("use at most {MAX_QUERY} characters")));
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM views WHERE owner_id = $1 AND name <> $2")
            .bind(owner_id.to_owned())
            .bind(name.to_owned())
            .fetch_one(&mut *change)
            .await?;
        if kept >= MAX_VIEWS {
            let message = format!("there are {MAX_VIEWS} views already; delete one first");
            return Err(StoreError::refused("too_many_views", message));
        }
        sqlx::query(
            "INSERT INTO views (id, owner_id, name, query, shared, created_us) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (owner_id, name) DO UPDATE SET query = excluded.query, shared = excluded.shared",
        )
        .bind(new_id())
        .bind(owner_id.to_owned())
        .bind(name.to_owned())
        .bind(new.query.clone())
        .bind(i64::from(new.shared))
        .bind(now_us)
        .execute(&mut *change)
        .await?;
        let what = detail([("name", name), ("shared", if new.shared { "true" } else { "" })]);
        audit(&mut change, now_us, actor, "view.saved", &format!("view:{name}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Deletes a view of one's own; administrators also those of others.
    pub async fn delete_view(&self, id: &str, user_id: &str, any: bool, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("SELECT owner_id, name FROM views WHERE id = $1")
            .bind(id.to_owned())
            .fetch_optional(&mut *change)
            .await?
            .ok_or(StoreError::NotFound("view"))?;
        let (owner_id, name): (String, String) = (row.try_get("owner_id")?, row.try_get("name")?);
        if owner_id != user_id && !any {
            return Err(StoreError::refused("not_yours", "this view belongs to somebody else; ask its owner"));
        }
        sqlx::query("DELETE FROM views WHERE id = $1").bind(id.to_owned()).execute(&mut *change).await?;
        let what = detail([("name", &name)]);
        audit(&mut change, now_us, actor, "view.deleted", &format!("view:{name}"), &what).await?;
        change.commit().await?;
        Ok(())
    }
}

fn view(row: &SqliteRow) -> Result<View, sqlx::Error> {
    Ok(View {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        query: row.try_get("query")?,
        shared: row.try_get::<i64, _>("shared")? != 0,
        owner: person(row, "owner")?,
    })
}
