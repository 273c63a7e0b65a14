//! How far somebody reaches: everything, or one agency with what stands under it and what became part of it.
//!
//! It follows from the user alone, is asked anew at every request, and is put into the question itself, so that counts,
//! pages and orders are those of what may be seen. An agency's own people without an agency reach nothing.

use super::sql::Conditions;
use super::{Store, StoreResult};
use crate::model::{Role, User};

/// The ids of an agency and of everything that stands under it or became part of it: `?` is the agency.
const BELOW: &str = "(WITH RECURSIVE below (id) AS (SELECT ? UNION SELECT e.lower FROM agency_edges e JOIN below ON \
    e.upper = below.id) SELECT id FROM below)";

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

impl Store {
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
