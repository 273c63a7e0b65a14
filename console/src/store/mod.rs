//! What the console keeps: people, decisions, cases, notices, the audit log.
//!
//! SQLite in write-ahead mode: one connection writes, a few read. The SQL keeps to what PostgreSQL understands as well:
//! text ids (UUID v7), integer microseconds, JSON as text, `$n` placeholders. On overload writers wait for each other
//! (at most [`BUSY_TIMEOUT`]); after a crash SQLite replays the write-ahead log itself.

pub mod access;
pub mod acts;
pub mod agencies;
pub mod agency_answers;
pub mod agency_files;
pub mod agency_notices;
pub mod agency_records;
mod alert_filter;
pub mod alerts;
pub mod audit;
pub mod case_evidence;
mod case_facts;
pub mod case_links;
pub mod case_observables;
pub mod case_people;
pub mod case_work;
pub mod cases;
pub mod chain;
pub mod decide;
pub mod escalations;
pub mod figures;
pub mod groups;
pub mod handovers;
pub mod identities;
pub mod links;
pub mod notes;
pub mod notice_rules;
pub mod notices;
pub mod overview;
pub mod passwords;
pub mod reach;
pub mod register_import;
pub mod rosters;
pub mod sessions;
pub mod settings;
pub mod sql;
pub mod suppressions;
pub mod users;
pub mod views;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, Sqlite, Transaction};

use crate::clock::Clock;

/// How long a writer waits for another one.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections read at once.
const READERS: u32 = 4;

/// The schema, step by step; a step that was released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/0001_first.sql")),
    (2, "triage", include_str!("../../migrations/0002_triage.sql")),
    (3, "chain", include_str!("../../migrations/0003_chain.sql")),
    (4, "cases", include_str!("../../migrations/0004_cases.sql")),
    (5, "access", include_str!("../../migrations/0005_access.sql")),
    (6, "agencies", include_str!("../../migrations/0006_agencies.sql")),
    (7, "notices", include_str!("../../migrations/0007_notices.sql")),
    (8, "agency_notices", include_str!("../../migrations/0008_agency_notices.sql")),
    (9, "doors", include_str!("../../migrations/0009_doors.sql")),
];

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It was changed in the meantime; this is how it is now.
    #[error("it was changed in the meantime")]
    Conflict(Box<serde_json::Value>),
    /// It is not in a state in which this can be done.
    #[error("{message}")]
    Refused {
        /// A stable word.
        code: &'static str,
        /// What to do.
        message: String,
    },
    /// A value cannot be kept.
    #[error("{field}: {message}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The database failed.
    #[error("use the database: {0}")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        StoreError::Invalid { field, message: message.into() }
    }

    fn refused(code: &'static str, message: impl Into<String>) -> Self {
        StoreError::Refused { code, message: message.into() }
    }
}

/// What store functions answer.
pub type StoreResult<T> = Result<T, StoreError>;

/// A transaction that writes.
type Change = Transaction<'static, Sqlite>;

/// The console's database.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database file, makes it when it is missing, and brings its schema up to date.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> anyhow::Result<Store> {
        use anyhow::Context as _;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await;
        let writer = writer.with_context(|| format!("open the database {}", path.display()))?;
        migrator().run(&writer).await.with_context(|| format!("bring the database {} up to date", path.display()))?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await;
        let readers = readers.with_context(|| format!("open the database {} for reading", path.display()))?;
        let store = Store { writer, readers, clock };
        store.adopt_old_log().await.with_context(|| format!("chain the log of the database {}", path.display()))?;
        Ok(store)
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// True when the database answers.
    pub async fn works(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.readers).await.is_ok()
    }

    async fn begin(&self) -> StoreResult<Change> {
        // Taken at once: a transaction that begins by reading and then writes would fail beside another process.
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    fn now_us(&self) -> i64 {
        self.clock.now_us()
    }
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    Migrator { migrations, ..Migrator::DEFAULT }
}

/// A new id; ids rise with time.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Stores for tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::clock::ManualClock;

    /// An empty store in a folder that goes with it, and its clock.
    pub(crate) struct TestStore {
        pub(crate) store: Store,
        pub(crate) clock: Arc<ManualClock>,
        _folder: tempfile::TempDir,
    }

    pub(crate) async fn store() -> TestStore {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(crate::clock::from_text("2026-11-22T03:00:00Z").unwrap()));
        let store = Store::open(&folder.path().join("console.db"), clock.clone()).await.unwrap();
        TestStore { store, clock, _folder: folder }
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn opening_twice_finds_the_schema_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console.db");
        let clock = std::sync::Arc::new(crate::clock::SystemClock);
        for _ in 0..2 {
            let store = super::Store::open(&path, clock.clone()).await.unwrap();
            assert!(store.works().await);
            store.close().await;
        }
    }
}
