//! The chain of the audit log: each line carries the SHA-256 of its own text, and its text names the digest of the line
//! before it. Whoever changes, removes, swaps or puts in a line breaks the chain at that place; whoever rewrites
//! everything after it changes the head, which people have written down elsewhere.
//!
//! A line's text is a JSON array without spaces: number, microseconds since 1970, user's id, user's name, action,
//! subject, particulars (themselves JSON, as a text), address, digest of the line before. It needs nothing of ours to be
//! checked: `luytre-console verify --export FILE` writes digest and text of each line.

use std::io::Write;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{Row as _, SqliteConnection};

use super::audit::{Actor, audit, detail};
use super::{Change, Store, StoreResult};
use crate::clock;
use crate::model::{ChainBreak, ChainHead, ChainReport, ChainState};

/// What the first line names as the digest before it.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The action of the line that says how much was in the log before it was chained.
pub const ADOPTED: &str = "log.adopted";

/// How many lines are read at once.
const PAGE: i64 = 5_000;

/// The triggers that refuse changes.
const GUARDS: [&str; 3] = ["audit_is_never_changed", "audit_is_never_shortened", "audit_only_grows_at_its_end"];

const COLUMNS: &str = "number, at_us, by_id, by_name, action, subject, detail, address, previous, digest";

/// A line as it is chained.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Its number.
    pub number: i64,
    /// When, microseconds.
    pub at_us: i64,
    /// Who.
    pub by_id: Option<String>,
    /// The name they logged in with then.
    pub by_name: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// The particulars, JSON.
    pub detail: String,
    /// From where.
    pub address: Option<String>,
    /// The digest of the line before.
    pub previous: String,
}

impl Line {
    /// The text that is digested.
    pub fn text(&self) -> String {
        let parts = (
            self.number,
            self.at_us,
            &self.by_id,
            &self.by_name,
            &self.action,
            &self.subject,
            &self.detail,
            &self.address,
            &self.previous,
        );
        serde_json::to_string(&parts).unwrap_or_default()
    }

    /// The digest of the text.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.text().as_bytes()))
    }
}

/// A line and the digest that stands beside it.
fn line(row: &SqliteRow) -> Result<(Line, String), sqlx::Error> {
    let line = Line {
        number: row.try_get("number")?,
        at_us: row.try_get("at_us")?,
        by_id: row.try_get("by_id")?,
        by_name: row.try_get("by_name")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
        address: row.try_get("address")?,
        previous: row.try_get("previous")?,
    };
    Ok((line, row.try_get("digest")?))
}

/// Adds a line at the end, in the transaction of what it tells of.
pub(super) async fn append(change: &mut Change, mut line: Line) -> StoreResult<()> {
    let last = sqlx::query("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1");
    let last = last.fetch_optional(&mut **change).await?;
    // Numbers have no gaps: there is one writer, and the number is taken in its transaction.
    (line.number, line.previous) = match last {
        Some(row) => (row.try_get::<i64, _>("number")? + 1, row.try_get("digest")?),
        None => (1, BEGINNING.to_owned()),
    };
    let digest = line.digest();
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO audit ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    )))
    .bind(line.number)
    .bind(line.at_us)
    .bind(line.by_id)
    .bind(line.by_name)
    .bind(line.action)
    .bind(line.subject)
    .bind(line.detail)
    .bind(line.address)
    .bind(line.previous)
    .bind(digest)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Follows the chain line by line.
#[derive(Debug)]
struct Follower {
    next: i64,
    previous: String,
    last_us: i64,
    adopted: u64,
}

impl Follower {
    fn new() -> Self {
        Follower { next: 1, previous: BEGINNING.to_owned(), last_us: 0, adopted: 0 }
    }

    /// Takes the next line, or says what is wrong with it.
    fn take(&mut self, line: &Line, digest: &str) -> Result<(), ChainBreak> {
        let broken = |number: i64, kind: &str, message: String| ChainBreak { number, kind: kind.to_owned(), message };
        if line.number > self.next {
            let many = line.number - self.next;
            let message = format!("line {} is missing ({many} in a row)", self.next);
            return Err(broken(self.next, "missing", message));
        }
        if line.number < self.next {
            return Err(broken(line.number, "inserted", format!("line {} does not belong here", line.number)));
        }
        if line.digest() != digest {
            let message = format!("line {} was changed: it does not fit its own digest", line.number);
            return Err(broken(line.number, "changed", message));
        }
        if line.previous != self.previous {
            let message = match line.number {
                1 => "line 1 was replaced: it names a line before the first".to_owned(),
                n => format!("line {n} does not follow line {}: one of the two was replaced", n - 1),
            };
            return Err(broken(line.number, "replaced", message));
        }
        if line.action == ADOPTED {
            self.adopted = line.number.unsigned_abs().saturating_sub(1);
        }
        self.next += 1;
        self.previous = digest.to_owned();
        self.last_us = line.at_us;
        Ok(())
    }

    fn head(&self) -> Option<ChainHead> {
        (self.next > 1).then(|| ChainHead {
            number: self.next - 1,
            digest: self.previous.clone(),
            at: clock::to_text(self.last_us),
        })
    }
}

/// A head that somebody wrote down: `NUMBER:DIGEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHead {
    /// The line's number.
    pub number: i64,
    /// Its digest.
    pub digest: String,
}

impl std::str::FromStr for KnownHead {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write it as the console shows it: NUMBER:DIGEST, the digest with 64 digits".to_owned();
        let (number, digest) = text.trim().split_once(':').ok_or_else(wrong)?;
        let digest = digest.to_ascii_lowercase();
        let fits = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = number.parse().ok().filter(|number| *number > 0 && fits).ok_or_else(wrong)?;
        Ok(KnownHead { number, digest })
    }
}

/// Reads the whole chain; `each` sees every line that fits and its digest.
async fn follow(
    pool: &SqlitePool,
    known: Option<&KnownHead>,
    each: &mut (dyn FnMut(&Line, &str) -> std::io::Result<()> + Send),
) -> anyhow::Result<ChainReport> {
    let mut follower = Follower::new();
    let mut broken = None;
    let mut checked = 0u64;
    let mut after = i64::MIN;
    'pages: loop {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE number > $1 ORDER BY number LIMIT {PAGE}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after).fetch_all(pool).await?;
        for row in &rows {
            let (line, digest) = line(row)?;
            after = line.number;
            if let Err(at) = follower.take(&line, &digest) {
                broken = Some(at);
                break 'pages;
            }
            checked += 1;
            each(&line, &digest)?;
            if known.is_some_and(|known| known.number == line.number && known.digest != digest) {
                broken = Some(ChainBreak {
                    number: line.number,
                    kind: "rewritten".to_owned(),
                    message: format!(
                        "line {} is not the one whose digest was noted: the log was rewritten",
                        line.number
                    ),
                });
                break 'pages;
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    if let Some(known) = known.filter(|known| broken.is_none() && known.number >= follower.next) {
        broken = Some(ChainBreak {
            number: follower.next,
            kind: "shortened".to_owned(),
            message: format!(
                "line {} is missing: the log was shortened; line {} was noted",
                follower.next, known.number
            ),
        });
    }
    let guarded = guarded(pool).await?;
    let (head, adopted) = (follower.head(), follower.adopted);
    Ok(ChainReport { whole: broken.is_none(), checked, adopted, guarded, broken, head })
}

/// Whether the database itself still refuses changes.
async fn guarded(pool: &SqlitePool) -> Result<bool, sqlx::Error> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
            .fetch_all(pool)
            .await?;
    Ok(GUARDS.iter().all(|guard| names.iter().any(|name| name == guard)))
}

/// Verifies the log of a database file that nobody need have open, and nothing is written to.
pub async fn verify_file(
    path: &Path,
    known: Option<&KnownHead>,
    export: Option<&mut (dyn Write + Send)>,
) -> anyhow::Result<ChainReport> {
    use anyhow::Context as _;
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    let pool = pool.with_context(|| format!("open the database {}; name it with --database", path.display()))?;
    let old: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'audit_before_chain'")
        .fetch_one(&pool)
        .await
        .with_context(|| format!("read the database {}", path.display()))?;
    anyhow::ensure!(old == 0, "the log is not chained yet; start this version's console once on it, then verify again");
    let report = match export {
        Some(file) => follow(&pool, known, &mut |line, digest| writeln!(file, "{digest} {}", line.text())).await,
        None => follow(&pool, known, &mut |_, _| Ok(())).await,
    };
    pool.close().await;
    report.with_context(|| format!("read the log in {}", path.display()))
}

impl Store {
    /// Takes what stood in the log before it was chained into the chain, once, all or nothing.
    pub(super) async fn adopt_old_log(&self) -> StoreResult<()> {
        let mut change = self.begin().await?;
        let old: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'audit_before_chain'")
            .fetch_one(&mut *change)
            .await?;
        if old == 0 {
            return Ok(());
        }
        let lines = adopt(&mut change).await?;
        if lines > 0 {
            let (lines, span) = (lines.to_string(), format!("log:1-{lines}"));
            let what = detail([("lines", &lines)]);
            audit(&mut change, self.now_us(), &Actor::default(), ADOPTED, &span, &what).await?;
        }
        sqlx::query("DROP TABLE audit_before_chain").execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }

    /// Where the chain ends, without verifying it.
    pub async fn chain_state(&self) -> StoreResult<ChainState> {
        let row = sqlx::query("SELECT number, digest, at_us FROM audit ORDER BY number DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await?;
        let head = match row {
            Some(row) => Some(ChainHead {
                number: row.try_get("number")?,
                digest: row.try_get("digest")?,
                at: clock::to_text(row.try_get("at_us")?),
            }),
            None => None,
        };
        let adopted: Option<i64> = sqlx::query_scalar("SELECT MIN(number) - 1 FROM audit WHERE action = $1")
            .bind(ADOPTED)
            .fetch_one(&self.readers)
            .await?;
        Ok(ChainState {
            head,
            adopted: adopted.unwrap_or_default().unsigned_abs(),
            guarded: guarded(&self.readers).await?,
        })
    }

    /// Verifies the chain from the first line to the last.
    pub async fn verify_chain(&self) -> anyhow::Result<ChainReport> {
        follow(&self.readers, None, &mut |_, _| Ok(())).await
    }

    /// The lines after a number as they are exported: digest, a space, text; and the number of the last one.
    pub async fn chain_lines(&self, after: i64) -> StoreResult<Option<(i64, String)>> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE number > $1 ORDER BY number LIMIT {PAGE}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after).fetch_all(&self.readers).await?;
        let mut text = String::new();
        let mut last = None;
        for row in &rows {
            let (line, digest) = line(row)?;
            text.push_str(&format!("{digest} {}\n", line.text()));
            last = Some(line.number);
        }
        Ok(last.map(|last| (last, text)))
    }
}

/// Chains the old lines in their order, and answers how many there were.
async fn adopt(change: &mut Change) -> StoreResult<u64> {
    let mut lines = 0;
    let mut after = i64::MIN;
    loop {
        let rows = sqlx::query(
            "SELECT a.*, u.name AS by_name FROM audit_before_chain a LEFT JOIN users u ON u.id = a.by_id \
             WHERE a.number > $1 ORDER BY a.number LIMIT 5000",
        )
        .bind(after)
        .fetch_all::<&mut SqliteConnection>(&mut *change)
        .await?;
        if rows.is_empty() {
            return Ok(lines);
        }
        for row in rows {
            after = row.try_get("number")?;
            lines += 1;
            let line = Line {
                at_us: row.try_get("at_us")?,
                by_id: row.try_get("by_id")?,
                by_name: row.try_get("by_name")?,
                action: row.try_get("action")?,
                subject: row.try_get("subject")?,
                detail: row.try_get("detail")?,
                address: row.try_get("address")?,
                ..Line::default()
            };
            append(change, line).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by hand with `printf %s TEXT | sha256sum`, as an auditor would.
    #[test]
    fn the_digest_is_that_of_the_text_as_anybody_computes_it() {
        let line = Line {
            number: 1,
            at_us: 1_795_316_400_000_000,
            action: "session.opened".into(),
            subject: "user:lan".into(),
            detail: "{}".into(),
            previous: BEGINNING.into(),
            ..Line::default()
        };
        let text = format!(r#"[1,1795316400000000,null,null,"session.opened","user:lan","{{}}",null,"{BEGINNING}"]"#);
        assert_eq!(line.text(), text);
        assert_eq!(line.digest(), "81539de03c4706d794539c48611e8402e9831d94dd9fc1bff7b9818986ebf55d");
    }

    #[test]
    fn a_noted_head_is_read_strictly() {
        let head: KnownHead = format!("17:{}", "A".repeat(64)).parse().unwrap();
        assert_eq!((head.number, head.digest), (17, "a".repeat(64)));
        for bad in ["", "17", "17:abc", "x:0", &format!("0:{BEGINNING}"), &format!("-1:{BEGINNING}")] {
            assert!(bad.parse::<KnownHead>().is_err(), "{bad}");
        }
    }
}
