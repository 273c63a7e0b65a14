//! How far somebody reaches: everything, or one agency with what stands under it and what became part of it.
//!
//! It follows from the user alone, is asked anew at every request, and is put into the question itself, so that counts,
//! pages and orders are those of what may be seen. An agency's own people without an agency reach nothing.

use super::sql::Conditions;
use super::{Change, Store, StoreResult};
use crate::model::{Role, User};

/// The ids of an agency and of everything that stands under it or became part of it: `?` is the agency.
const BELOW: &str = "(WITH RECURSIVE below (id) AS (SELECT ? UNION SELECT e.lower FROM agency_edges e JOIN below ON \
    e.upper = below.id) SELECT id FROM below)";

/// The condition that a column names an agency that somebody reaches, where only their id is at hand: `place` stands for it.
/// Nobody in particular reaches everything.
pub(super) fn within_sql(column: &str, place: &str) -> String {
    let narrow = format!("FROM users v WHERE v.id = {place} AND (v.agency_id IS NOT NULL OR v.role = 'agency')");
    let below = BELOW.replace('?', &format!("v.agency_id {narrow}"));
    format!("(NOT EXISTS (SELECT 1 {narrow}) OR {column} IN {below})")
}

/// How far somebody reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    #[default]
    Everything,
    /// This agency, what stands under it and what became part of it.
    Agency(String),
    /// Nothing at all.
    Nothing,
}

impl Reach {
    /// How far a user reaches.
    pub fn of(user: &User) -> Reach {
        match (&user.agency_id, user.role) {
            (Some(id), _) => Reach::Agency(id.clone()),
            (None, Role::Agency) => Reach::Nothing,
            (None, _) => Reach::Everything,
        }
    }

    /// Whether there is anything that is out of reach.
    pub fn is_narrow(&self) -> bool {
        *self != Reach::Everything
    }

    /// Adds the condition that a column names an agency within reach.
    pub(super) fn narrow(&self, conditions: &mut Conditions, column: &str) -> StoreResult<()> {
        match self {
            Reach::Everything => {}
            Reach::Agency(id) => {
                let place = conditions.bind(id.clone())?;
                conditions.add_plain(format!("{column} IN {}", BELOW.replace('?', &place)));
            }
            Reach::Nothing => conditions.add_plain("1 = 0".to_owned()),
        }
        Ok(())
    }
}

/// Whether an agency is within reach, as a change sees it.
pub(super) async fn reaches(change: &mut Change, reach: &Reach, agency_id: Option<&str>) -> StoreResult<bool> {
    if !reach.is_narrow() {
        return Ok(true);
    }
    let mut conditions = Conditions::default();
    conditions.add("g.id = ?", agency_id.map(str::to_owned))?;
    reach.narrow(&mut conditions, "g.id")?;
    let sql = format!("SELECT COUNT(*) FROM agencies g{}", conditions.clause());
    let found: i64 =
        sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_one(&mut **change).await?;
    Ok(found > 0)
}

/// What a route names, to be found within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// An alert.
    Alert,
    /// A decision: all alerts that it changed.
    Act,
    /// A suppression.
    Suppression,
    /// An agency.
    Agency,
    /// A notice that was sent to an agency.
    AgencyNotice,
}

impl Named {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Named::Alert => "alert",
            Named::Act => "decision",
            Named::Suppression => "suppression",
            Named::Agency => "agency",
            Named::AgencyNotice => "notice",
        }
    }
}

impl Store {
    /// Whether what a route names is within reach; what does not exist is not.
    pub async fn names_reached(&self, named: Named, id: &str, reach: &Reach) -> StoreResult<bool> {
        let (from, column) = match named {
            Named::Alert => ("alerts a WHERE a.id = ?", "a.agency_id"),
            Named::Act => ("act_members m JOIN alerts a ON a.id = m.alert_id WHERE m.act_id = ?", "a.agency_id"),
            Named::Suppression => ("suppressions s WHERE s.id = ?", "s.agency_id"),
            Named::Agency => ("agencies g WHERE g.id = ?", "g.id"),
            Named::AgencyNotice => ("agency_notices n WHERE n.state <> 'draft' AND n.id = ?", "n.agency_id"),
        };
        let mut conditions = Conditions::default();
        let place = conditions.bind(id.to_owned())?;
        reach.narrow(&mut conditions, column)?;
        let within = conditions.clause().replacen(" WHERE ", "", 1);
        let within = if within.is_empty() { "1 = 1".to_owned() } else { within };
        let sql = format!(
            "SELECT COUNT(*) > 0 AND COUNT(*) = COALESCE(SUM(CASE WHEN {within} THEN 1 ELSE 0 END), 0) FROM {}",
            from.replace('?', &place)
        );
        let reached = sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments());
        Ok(reached.fetch_one(&self.readers).await?)
    }

    /// The agencies within reach, by id; nothing in particular where it is everything.
    pub async fn within(&self, reach: &Reach) -> StoreResult<Option<Vec<String>>> {
        match reach {
            Reach::Everything => Ok(None),
            Reach::Nothing => Ok(Some(Vec::new())),
            Reach::Agency(id) => {
                let sql = BELOW.replace('?', "$1");
                let sql = sql.trim_start_matches('(').trim_end_matches(')').to_owned();
                Ok(Some(sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(&self.readers).await?))
            }
        }
    }

    /// Whether an agency is within reach; one that is not named is only within everything.
    pub async fn reaches(&self, reach: &Reach, agency_id: Option<&str>) -> StoreResult<bool> {
        Ok(match self.within(reach).await? {
            None => true,
            Some(within) => agency_id.is_some_and(|id| within.iter().any(|each| each == id)),
        })
    }
}
