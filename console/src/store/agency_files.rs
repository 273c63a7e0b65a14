//! Files of notices to agencies, in both directions: received in pieces, so that a slow line or a broken one costs a piece
//! and not the file; whole once their length is reached, then digested and typed by their content.
//!
//! What an agency uploads waits here until the collector has it in its store of evidence, which gives it out behind a
//! password; what the team sends along stays here. Limits: a file, a notice, an agency's day, and everything that waits;
//! what is begun and not gone on with is forgotten after [`ABANDONED_US`].

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::agency_answers::{confirm, received};
use super::agency_notices::{Standing, open, standing, standing_in, tell_leaders, touch};
use super::audit::{Actor, Detail};
use super::cases::{checked, tell};
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::file_kind;
use crate::model::{AgencyFile, AgencyFileState, FileScan, NewAgencyFile, from_wire_name};

/// The largest file that an agency uploads.
pub const MAX_UPLOAD_BYTES: u64 = 50 << 20;
/// The largest document that the team sends along.
pub const MAX_DOCUMENT_BYTES: u64 = 10 << 20;
/// The largest piece of a file.
pub const MAX_PIECE_BYTES: usize = 512 << 10;
/// How many files an agency may upload for one notice.
pub const MAX_UPLOADS: i64 = 50;
/// How many documents go with one notice.
pub const MAX_DOCUMENTS: i64 = 20;
/// How much an agency may upload in a day.
pub const MAX_DAY_BYTES: i64 = 500 << 20;
/// How much of all agencies' files may wait for the collector.
pub const MAX_WAITING_BYTES: i64 = 1 << 30;
/// A file that nobody goes on with is forgotten after so long.
pub const ABANDONED_US: i64 = 6 * 3_600_000_000;

const DAY_US: i64 = 86_400_000_000;
const MAX_NAME: usize = 200;
const MAX_REASON: usize = 500;
/// How much of a file its kind is told from.
const KIND_BYTES: usize = 4096;

/// Which side a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side<'s> {
    /// The agency, for a notice that it received.
    Agency,
    /// The team, for a draft in this case.
    Team(&'s str),
}

/// A file that the collector is to have.
#[derive(Debug, Clone)]
pub struct WaitingFile {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The notice it belongs to, as people call it.
    pub reference: String,
    /// Who uploaded it, by the name they log in with.
    pub by: String,
    /// How often it was tried.
    pub tries: u32,
    /// Its content.
    pub content: Vec<u8>,
}

/// What became of handing a file over.
#[derive(Debug, Clone)]
pub enum Handed {
    /// The collector keeps it.
    Kept {
        /// What it is called there.
        evidence_id: String,
    },
    /// It is tried again at this moment.
    Later {
        /// Why.
        error: String,
        /// When, microseconds.
        next_us: i64,
    },
}

impl Store {
    /// Begins a file; answers its id.
    pub async fn begin_agency_file(
        &self,
        notice_id: &str,
        side: Side<'_>,
        new: &NewAgencyFile,
        actor: &Actor,
    ) -> StoreResult<String> {
        let name = checked("name", &plain_name(&new.name), 1, MAX_NAME)?;
        let (most_bytes, most, from_agency) = match side {
            Side::Agency => (MAX_UPLOAD_BYTES, MAX_UPLOADS, true),
            Side::Team(_) => (MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, false),
        };
        if !(1..=most_bytes).contains(&new.bytes) {
            return Err(StoreError::invalid(
                "bytes",
                format!("use a file of 1 to {most_bytes} bytes; pack or split it"),
            ));
        }
        let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let standing = writable(&mut change, notice_id, side).await?;
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM agency_files WHERE notice_id = $1 AND from_agency = $2")
                .bind(notice_id)
                .bind(from_agency)
                .fetch_one(&mut *change)
                .await?;
        if count >= most {
            return Err(StoreError::refused(
                "too_many_files",
                format!("the notice has {most} files, which is the limit"),
            ));
        }
        if from_agency {
            room_for(&mut change, &standing.agency_id, bytes, now_us).await?;
        }
        let id = new_id();
        sqlx::query(
            "INSERT INTO agency_files (id, notice_id, agency_id, from_agency, name, bytes, received, state, by_id, \
             begun_us, moved_us) VALUES ($1, $2, $3, $4, $5, $6, 0, 'receiving', $7, $8, $8)",
        )
        .bind(&id)
        .bind(notice_id)
        .bind(&standing.agency_id)
        .bind(from_agency)
        .bind(name)
        .bind(bytes)
        .bind(&actor.user_id)
        .bind(now_us)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(id)
    }

    /// Takes a piece of a file; answers the file, and the case with its version where it is whole now.
    pub async fn put_agency_piece(
        &self,
        (notice_id, file_id): (&str, &str),
        side: Side<'_>,
        at: u64,
        content: &[u8],
        actor: &Actor,
    ) -> StoreResult<(AgencyFile, Option<(String, i64)>)> {
        if !(1..=MAX_PIECE_BYTES).contains(&content.len()) {
            return Err(StoreError::invalid("piece", format!("send pieces of 1 to {MAX_PIECE_BYTES} bytes")));
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        writable(&mut change, notice_id, side).await?;
        let row = moving(&mut change, notice_id, file_id, side).await?;
        let (bytes, here): (i64, i64) = (row.try_get("bytes")?, row.try_get("received")?);
        let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
        if here.unsigned_abs() != at {
            let message = format!("{here} bytes of the file are here; go on from there");
            return Err(StoreError::refused("other_place", message));
        }
        if here + length > bytes {
            return Err(StoreError::refused("file_longer", "the file is longer than was said; begin it again"));
        }
        sqlx::query("INSERT INTO agency_file_pieces (file_id, at, bytes, content) VALUES ($1, $2, $3, $4)")
            .bind(file_id)
            .bind(here)
            .bind(length)
            .bind(content)
            .execute(&mut *change)
            .await?;
        sqlx::query("UPDATE agency_files SET received = received + $1, moved_us = $2 WHERE id = $3")
            .bind(length)
            .bind(now_us)
            .bind(file_id)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        let told = if here + length == bytes { self.finish_agency_file(file_id, actor).await? } else { None };
        Ok((self.agency_file(notice_id, file_id).await?, told))
    }

    /// Digests and types a file that is all here. Answers the case and its version; nothing where it was done already.
    async fn finish_agency_file(&self, file_id: &str, actor: &Actor) -> StoreResult<Option<(String, i64)>> {
        // Outside of the change: a large file takes a moment, and nobody else should wait for it.
        let mut digest = Sha256::new();
        let mut beginning = Vec::new();
        let mut at: i64 = 0;
        loop {
            let piece = sqlx::query("SELECT content, bytes FROM agency_file_pieces WHERE file_id = $1 AND at = $2")
                .bind(file_id)
                .bind(at)
                .fetch_optional(&self.readers)
                .await?;
            let Some(piece) = piece else { break };
            let content: Vec<u8> = piece.try_get("content")?;
            digest.update(&content);
            let wanted = KIND_BYTES.saturating_sub(beginning.len());
            beginning.extend(content.iter().take(wanted));
            at += piece.try_get::<i64, _>("bytes")?;
        }
        let digest = hex::encode(digest.finalize());
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query(
            "UPDATE agency_files SET state = CASE WHEN from_agency = 1 THEN 'waiting' ELSE 'kept' END, digest = $1, \
             kind = $2, done_us = $3, next_us = $3 WHERE id = $4 AND state = 'receiving' AND received = bytes \
             AND bytes = $5 RETURNING notice_id, name, bytes, from_agency",
        )
        .bind(&digest)
        .bind(file_kind::of(&beginning))
        .bind(now_us)
        .bind(file_id)
        .bind(at)
        .fetch_optional(&mut *change)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let notice_id: String = row.try_get("notice_id")?;
        let standing = standing(&mut change, &notice_id).await?;
        let mut what: Detail = standing.what();
        what.insert("file".to_owned(), row.try_get("name")?);
        what.insert("bytes".to_owned(), row.try_get::<i64, _>("bytes")?.to_string());
        what.insert("sha256".to_owned(), digest);
        if row.try_get("from_agency")? {
            confirm(&mut change, &notice_id, &standing, actor, now_us).await?;
            sqlx::query("UPDATE agency_notices SET logs_us = COALESCE(logs_us, $1) WHERE id = $2")
                .bind(now_us)
                .bind(&notice_id)
                .execute(&mut *change)
                .await?;
            tell(&mut change, &standing.case_id, "agency_file", &what, actor, now_us).await?;
            tell_leaders(&mut change, &standing, actor, now_us).await?;
        } else {
            tell(&mut change, &standing.case_id, "agency_document", &what, actor, now_us).await?;
        }
        let version = touch(&mut change, &standing.case_id, now_us).await?;
        change.commit().await?;
        Ok(Some((standing.case_id, version)))
    }

    /// Finishes what is all here and was not finished, because the program ended in between. Answers the cases.
    pub async fn finish_agency_files(&self) -> StoreResult<Vec<(String, i64)>> {
        let left =
            sqlx::query("SELECT id, by_id FROM agency_files WHERE state = 'receiving' AND received = bytes LIMIT 20")
                .fetch_all(&self.readers)
                .await?;
        let mut cases = Vec::new();
        for row in &left {
            let (id, user_id): (String, Option<String>) = (row.try_get("id")?, row.try_get("by_id")?);
            let actor = Actor { user_id, ..Actor::default() };
            cases.extend(self.finish_agency_file(&id, &actor).await?);
        }
        Ok(cases)
    }

    /// A file of a notice.
    pub async fn agency_file(&self, notice_id: &str, file_id: &str) -> StoreResult<AgencyFile> {
        let row = sqlx::query(
            "SELECT e.*, u.name AS by_name, u.display_name AS by_display FROM agency_files e \
             LEFT JOIN users u ON u.id = e.by_id WHERE e.id = $1 AND e.notice_id = $2",
        )
        .bind(file_id)
        .bind(notice_id)
        .fetch_optional(&self.readers)
        .await?;
        Ok(file(&row.ok_or(StoreError::NotFound("file"))?)?)
    }

    /// Takes away a file that is not whole yet, or a document of a draft.
    pub async fn drop_agency_file(&self, notice_id: &str, file_id: &str, side: Side<'_>) -> StoreResult<()> {
        let mut change = self.begin().await?;
        writable(&mut change, notice_id, side).await?;
        let whole = if side == Side::Agency { "AND state = 'receiving'" } else { "" };
        let sql = format!("DELETE FROM agency_files WHERE id = $1 AND notice_id = $2 AND from_agency = $3 {whole}");
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(file_id)
            .bind(notice_id)
            .bind(side == Side::Agency)
            .execute(&mut *change)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound("file"));
        }
        change.commit().await?;
        Ok(())
    }

    /// The content of a document that the team sent along.
    pub async fn agency_document(&self, notice_id: &str, file_id: &str) -> StoreResult<(AgencyFile, Vec<u8>)> {
        let file = self.agency_file(notice_id, file_id).await?;
        if file.from_agency || file.state != AgencyFileState::Kept {
            return Err(StoreError::NotFound("file"));
        }
        Ok((file, self.content(file_id).await?))
    }

    async fn content(&self, file_id: &str) -> StoreResult<Vec<u8>> {
        let pieces: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT content FROM agency_file_pieces WHERE file_id = $1 ORDER BY at")
                .bind(file_id)
                .fetch_all(&self.readers)
                .await?;
        Ok(pieces.concat())
    }

    /// The next file that the collector is to have; nothing where none is due.
    pub async fn waiting_agency_file(&self) -> StoreResult<Option<WaitingFile>> {
        let row = sqlx::query(
            "SELECT f.id, f.name, f.tries, u.name AS by_name, c.number AS case_number, n.number FROM agency_files f \
             JOIN agency_notices n ON n.id = f.notice_id JOIN cases c ON c.id = n.case_id LEFT JOIN users u ON u.id = f.by_id \
             WHERE f.state = 'waiting' AND f.next_us <= $1 ORDER BY f.next_us, f.id LIMIT 1",
        )
        .bind(self.now_us())
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.try_get("id")?;
        let (case, number): (i64, i64) = (row.try_get("case_number")?, row.try_get("number")?);
        Ok(Some(WaitingFile {
            content: self.content(&id).await?,
            name: row.try_get("name")?,
            reference: format!("{case}-{number}"),
            by: row.try_get::<Option<String>, _>("by_name")?.unwrap_or_default(),
            tries: row.try_get("tries")?,
            id,
        }))
    }

    /// Writes down what became of handing a file over. Once the collector keeps it, it is no longer kept here.
    pub async fn agency_file_handed(&self, file_id: &str, handed: &Handed) -> StoreResult<Option<(String, i64)>> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        match handed {
            Handed::Kept { evidence_id } => {
                sqlx::query("UPDATE agency_files SET state = 'kept', evidence_id = $1, last_error = '' WHERE id = $2")
                    .bind(evidence_id)
                    .bind(file_id)
                    .execute(&mut *change)
                    .await?;
                sqlx::query("DELETE FROM agency_file_pieces WHERE file_id = $1")
                    .bind(file_id)
                    .execute(&mut *change)
                    .await?;
            }
            Handed::Later { error, next_us } => {
                sqlx::query("UPDATE agency_files SET tries = tries + 1, last_error = $1, next_us = $2 WHERE id = $3")
                    .bind(error)
                    .bind(*next_us)
                    .bind(file_id)
                    .execute(&mut *change)
                    .await?;
            }
        }
        let case_id: Option<String> = sqlx::query_scalar(
            "SELECT n.case_id FROM agency_files f JOIN agency_notices n ON n.id = f.notice_id WHERE f.id = $1",
        )
        .bind(file_id)
        .fetch_optional(&mut *change)
        .await?;
        let told = match case_id {
            Some(case_id) => Some((case_id.clone(), touch(&mut change, &case_id, now_us).await?)),
            None => None,
        };
        change.commit().await?;
        Ok(told)
    }

    /// Forgets files that nobody goes on with; answers how many.
    pub async fn forget_abandoned_files(&self) -> StoreResult<u64> {
        let sql = "SELECT COUNT(*) FROM agency_files WHERE state = 'receiving' AND received < bytes AND moved_us < $1";
        let before_us = self.now_us() - ABANDONED_US;
        let there: i64 = sqlx::query_scalar(sql).bind(before_us).fetch_one(&self.readers).await?;
        if there == 0 {
            return Ok(0);
        }
        let mut change = self.begin().await?;
        let gone =
            sqlx::query("DELETE FROM agency_files WHERE state = 'receiving' AND received < bytes AND moved_us < $1")
                .bind(before_us)
                .execute(&mut *change)
                .await?;
        change.commit().await?;
        Ok(gone.rows_affected())
    }

    /// Writes down that somebody of the team takes out what an agency uploaded, before they have it; answers what the
    /// collector calls it.
    pub async fn take_agency_file(
        &self,
        (case_id, notice_id, file_id): (&str, &str, &str),
        reason: &str,
        actor: &Actor,
    ) -> StoreResult<String> {
        let reason = checked("reason", reason, 1, MAX_REASON)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let standing = standing_in(&mut change, case_id, notice_id).await?;
        let row = sqlx::query(
            "SELECT name, digest, evidence_id, state FROM agency_files WHERE id = $1 AND notice_id = $2 AND from_agency = 1",
        )
        .bind(file_id)
        .bind(notice_id)
        .fetch_optional(&mut *change)
        .await?;
        let row = row.ok_or(StoreError::NotFound("file"))?;
        let evidence_id: Option<String> = row.try_get("evidence_id")?;
        let Some(evidence_id) = evidence_id else {
            let message = "the collector has not got the file yet; it is given out once it is kept there";
            return Err(StoreError::refused("not_kept_yet", message));
        };
        let mut what = standing.what();
        what.insert("file".to_owned(), row.try_get("name")?);
        what.insert("sha256".to_owned(), row.try_get("digest")?);
        what.insert("reason".to_owned(), reason);
        tell(&mut change, case_id, "agency_file_read", &what, actor, now_us).await?;
        touch(&mut change, case_id, now_us).await?;
        change.commit().await?;
        Ok(evidence_id)
    }
}

/// Where a notice stands that somebody may add files to: an agency to what it received, the team to a draft of the case.
async fn writable(change: &mut Change, notice_id: &str, side: Side<'_>) -> StoreResult<Standing> {
    match side {
        Side::Agency => received(change, notice_id).await,
        Side::Team(case_id) => {
            let standing = standing_in(change, case_id, notice_id).await?;
            if standing.state == "draft" {
                return Ok(standing);
            }
            open(&standing)?;
            Err(StoreError::refused("notice_sent", "the notice was sent; documents go with it before that"))
        }
    }
}

/// A file of this side whose pieces are still coming.
async fn moving(change: &mut Change, notice_id: &str, file_id: &str, side: Side<'_>) -> StoreResult<SqliteRow> {
    let row = sqlx::query("SELECT * FROM agency_files WHERE id = $1 AND notice_id = $2 AND from_agency = $3")
        .bind(file_id.to_owned())
        .bind(notice_id.to_owned())
        .bind(side == Side::Agency)
        .fetch_optional(&mut **change)
        .await?;
    let row = row.ok_or(StoreError::NotFound("file"))?;
    if row.try_get::<String, _>("state")? != "receiving" {
        return Err(StoreError::refused("file_whole", "the file is whole already"));
    }
    Ok(row)
}

/// Refuses what would be more than an agency may upload in a day, or more than may wait for the collector.
async fn room_for(change: &mut Change, agency_id: &str, bytes: i64, now_us: i64) -> StoreResult<()> {
    let sum = "SELECT COALESCE(SUM(bytes), 0) FROM agency_files WHERE from_agency = 1";
    let day: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("{sum} AND agency_id = $1 AND begun_us > $2")))
        .bind(agency_id.to_owned())
        .bind(now_us - DAY_US)
        .fetch_one(&mut **change)
        .await?;
    if day + bytes > MAX_DAY_BYTES {
        let message = format!("an agency may upload {MAX_DAY_BYTES} bytes in a day; go on tomorrow, or call the team");
        return Err(StoreError::refused("day_full", message));
    }
    let waiting: i64 =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("{sum} AND state <> 'kept'"))).fetch_one(&mut **change).await?;
    if waiting + bytes > MAX_WAITING_BYTES {
        let message = "too many files wait to be kept; try again later, or call the team";
        return Err(StoreError::refused("waiting_full", message));
    }
    Ok(())
}

/// A name without folders and without letters that change how others are shown.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let strange = |c: char| {
        c.is_control()
            || matches!(c, '"' | ':' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    last.chars().map(|c| if strange(c) { '_' } else { c }).collect()
}

pub(super) fn file(row: &SqliteRow) -> Result<AgencyFile, sqlx::Error> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let number = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(name)?.unsigned_abs());
    let done_us: Option<i64> = row.try_get("done_us")?;
    let from_agency: bool = row.try_get("from_agency")?;
    Ok(AgencyFile {
        id: text("id")?,
        name: text("name")?,
        from_agency,
        bytes: number("bytes")?,
        received: number("received")?,
        digest: text("digest")?,
        kind: text("kind")?,
        state: from_wire_name(&text("state")?).unwrap_or(AgencyFileState::Receiving),
        at: clock::to_text(done_us.unwrap_or(row.try_get("begun_us")?)),
        by: person(row, "by")?,
        scan: from_agency.then_some(from_wire_name(&text("scan")?).unwrap_or(FileScan::NotScanned)),
        matches: serde_json::from_str(&text("matches")?).unwrap_or_default(),
        problem: text("last_error")?,
    })
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_keep_to_their_folder_and_their_direction() {
        assert_eq!(plain_name("C:\\nhat ky\\máy chủ 1.evtx"), "máy chủ 1.evtx");
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name("log\u{202e}gpj.exe"), "log_gpj.exe");
        assert_eq!(plain_name("a\"b\r\n.log"), "a_b__.log");
    }
}
