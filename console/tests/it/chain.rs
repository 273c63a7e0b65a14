//! The chained log, tampered with by hand in the database file: each tampering is found and its first line named.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use luytre_console::clock::SystemClock;
use luytre_console::model::{ChainReport, Role};
use luytre_console::store::Store;
use luytre_console::store::chain::{KnownHead, Line, verify_file};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Row as _, SqlSafeStr as _};
use tower::ServiceExt as _;

use crate::harness::{Browser, Console};

/// A console whose log has a dozen lines, and a way around it into its database.
async fn with_log() -> (Console, SqlitePool) {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Admin).await;
    for theme in ["light", "dark", "light", "dark", "light", "dark"] {
        let answer = console.call(&lan, Method::PATCH, "/api/v1/session", json!({"theme": theme})).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(console.database())).await.unwrap();
    (console, pool)
}

async fn unguard(pool: &SqlitePool) {
    for trigger in ["audit_is_never_changed", "audit_is_never_shortened", "audit_only_grows_at_its_end"] {
        run(pool, &format!("DROP TRIGGER {trigger}")).await;
    }
}

async fn run(pool: &SqlitePool, sql: &str) {
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
}

async fn verify(path: &Path) -> ChainReport {
    verify_file(path, None, None).await.unwrap()
}

/// What is broken: the line and the kind.
async fn broken(console: &Console) -> (i64, String) {
    let report = verify(&console.database()).await;
    assert!(!report.whole);
    let at = report.broken.unwrap();
    assert!(at.message.contains(&at.number.to_string()), "{}", at.message);
    assert_eq!(report.checked, at.number.unsigned_abs() - 1, "everything before it fits");
    (at.number, at.kind)
}

async fn line(pool: &SqlitePool, number: i64) -> Line {
    let row = sqlx::query("SELECT * FROM audit WHERE number = $1").bind(number).fetch_one(pool).await.unwrap();
    Line {
        number,
        at_us: row.get("at_us"),
        by_id: row.get("by_id"),
        by_name: row.get("by_name"),
        action: row.get("action"),
        subject: row.get("subject"),
        detail: row.get("detail"),
        address: row.get("address"),
        previous: row.get("previous"),
    }
}

/// Writes all digests from this line on anew, as somebody does who knows how the chain is made.
async fn forge_from(pool: &SqlitePool, first: i64) {
    let last: i64 = sqlx::query_scalar("SELECT MAX(number) FROM audit").fetch_one(pool).await.unwrap();
    let mut previous = line(pool, first).await.previous;
    for number in first..=last {
        let mut line = line(pool, number).await;
        line.previous.clone_from(&previous);
        let digest = line.digest();
        sqlx::query("UPDATE audit SET previous = $1, digest = $2 WHERE number = $3")
            .bind(&previous)
            .bind(&digest)
            .bind(number)
            .execute(pool)
            .await
            .unwrap();
        previous = digest;
    }
}

#[tokio::test]
async fn an_untouched_log_is_whole_and_the_database_refuses_to_touch_it() {
    let (console, pool) = with_log().await;
    let report = verify(&console.database()).await;
    assert!(report.whole && report.guarded && report.adopted == 0);
    assert_eq!(report.checked, 9, "added, password, log-in, six settings");
    for sql in [
        "UPDATE audit SET action = 'x' WHERE number = 3",
        "DELETE FROM audit WHERE number = 3",
        "INSERT INTO audit SELECT number + 5, at_us, by_id, by_name, action, subject, detail, address, previous, digest \
         FROM audit WHERE number = 9",
        "INSERT INTO audit SELECT 10, at_us, by_id, by_name, action, subject, detail, address, previous, digest \
         FROM audit WHERE number = 9",
    ] {
        assert!(sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.is_err(), "{sql}");
    }
    assert!(verify(&console.database()).await.whole);
}

#[tokio::test]
async fn a_changed_line_is_named() {
    let (console, pool) = with_log().await;
    unguard(&pool).await;
    run(&pool, "UPDATE audit SET by_name = 'minh' WHERE number = 4").await;
    assert_eq!(broken(&console).await, (4, "changed".into()));
}

#[tokio::test]
async fn a_line_replaced_with_its_digest_breaks_the_link_after_it() {
    let (console, pool) = with_log().await;
    unguard(&pool).await;
    let mut forged = line(&pool, 4).await;
    forged.action = "user.changed".into();
    sqlx::query("UPDATE audit SET action = $1, digest = $2 WHERE number = 4")
        .bind(&forged.action)
        .bind(forged.digest())
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(broken(&console).await, (5, "replaced".into()));
}

#[tokio::test]
async fn a_removed_line_is_missing() {
    let (console, pool) = with_log().await;
    unguard(&pool).await;
    run(&pool, "DELETE FROM audit WHERE number IN (6, 7)").await;
    assert_eq!(broken(&console).await, (6, "missing".into()));
}

#[tokio::test]
async fn two_swapped_lines_are_named_at_the_first() {
    let (console, pool) = with_log().await;
    unguard(&pool).await;
    run(&pool, "UPDATE audit SET number = -1 WHERE number = 3").await;
    run(&pool, "UPDATE audit SET number = 3 WHERE number = 7").await;
    run(&pool, "UPDATE audit SET number = 7 WHERE number = -1").await;
    assert_eq!(broken(&console).await, (3, "changed".into()));
}

#[tokio::test]
async fn a_line_put_in_pushes_the_others_out_of_their_places() {
    let (console, pool) = with_log().await;
    unguard(&pool).await;
    for number in (5..=9).rev() {
        run(&pool, &format!("UPDATE audit SET number = {} WHERE number = {number}", number + 1)).await;
    }
    let before = line(&pool, 4).await;
    let forged = Line { number: 5, previous: before.digest(), action: "session.closed".into(), ..before };
    sqlx::query(
        "INSERT INTO audit SELECT 5, at_us, by_id, by_name, $1, subject, detail, address, $2, $3 FROM audit \
         WHERE number = 4",
    )
    .bind(&forged.action)
    .bind(&forged.previous)
    .bind(forged.digest())
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(broken(&console).await, (6, "changed".into()), "the forged line itself is chained; what follows is not");
}

#[tokio::test]
async fn what_was_noted_elsewhere_finds_a_log_that_was_shortened_or_rewritten_as_a_whole() {
    let (console, pool) = with_log().await;
    unguard(&pool).await;
    let head = verify(&console.database()).await.head.unwrap();
    let noted: KnownHead = format!("{}:{}", head.number, head.digest).parse().unwrap();
    let against = async || verify_file(&console.database(), Some(&noted), None).await.unwrap();
    assert!(against().await.whole);

    run(&pool, "DELETE FROM audit WHERE number > 7").await;
    assert!(verify(&console.database()).await.whole, "the chain alone cannot know what came after");
    assert_eq!(against().await.broken.map(|b| (b.number, b.kind)), Some((8, "shortened".into())));

    let (console, pool) = with_log().await;
    let head = verify(&console.database()).await.head.unwrap();
    let noted: KnownHead = format!("{}:{}", head.number, head.digest).parse().unwrap();
    unguard(&pool).await;
    run(&pool, "UPDATE audit SET by_name = 'minh' WHERE number = 4").await;
    forge_from(&pool, 4).await;
    assert!(verify(&console.database()).await.whole, "rewritten by somebody who knows how");
    let report = verify_file(&console.database(), Some(&noted), None).await.unwrap();
    assert_eq!(report.broken.map(|b| (b.number, b.kind)), Some((9, "rewritten".into())));
}

#[tokio::test]
async fn an_auditor_verifies_in_place_and_takes_the_log_along() {
    let (console, pool) = with_log().await;
    let auditor = console.user("kiem-toan", Role::Auditor).await;
    let state = console.get(&auditor, "/api/v1/audit/chain").await.json();
    assert_eq!((&state["head"]["number"], &state["guarded"]), (&json!(12), &json!(true)));
    let report = console.get(&auditor, "/api/v1/audit/verify").await.json();
    assert_eq!((&report["whole"], &report["checked"], &report["head"]), (&json!(true), &json!(12), &state["head"]));

    let export = console.get(&auditor, "/api/v1/audit/export").await;
    let text = String::from_utf8(export.bytes).unwrap();
    assert_eq!(text.lines().count(), 13, "taking it along is itself a line");
    for line in text.lines() {
        let (digest, text) = line.split_once(' ').unwrap();
        assert_eq!(digest, hex(&Sha256::digest(text.as_bytes())));
    }
    assert!(text.lines().last().unwrap().contains("log.exported"));
    let request = Request::get("/api/v1/audit/export").header(header::COOKIE, &auditor.cookie);
    let request = request.header(header::ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap();
    let packed = console.router.clone().oneshot(request).await.unwrap();
    assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip", "as browsers ask for it");
    let packed = packed.into_body().collect().await.unwrap().to_bytes();
    let length = u32::from_le_bytes(packed[packed.len() - 4..].try_into().unwrap());
    assert!(length as usize > text.len(), "the end of the packed file says how long it was (RFC 1952)");

    unguard(&pool).await;
    run(&pool, "UPDATE audit SET detail = '{\"role\":\"admin\"}' WHERE number = 2").await;
    let report = console.get(&auditor, "/api/v1/audit/verify").await.json();
    assert_eq!(
        (&report["whole"], &report["broken"]["number"], &report["guarded"]),
        (&json!(false), &json!(2), &json!(false))
    );
}

#[tokio::test]
async fn lines_can_be_asked_for_by_kind_subject_and_person() {
    let (console, _pool) = with_log().await;
    let auditor = console.user("kiem-toan", Role::Auditor).await;
    let total = async |question: &str| {
        console.get(&auditor, &format!("/api/v1/audit?{question}")).await.json()["total"].clone()
    };
    assert_eq!(total("").await, 12);
    assert_eq!(total("kind=session").await, 2);
    assert_eq!(total("kind=%25").await, 0, "what is typed is no pattern");
    let lan = console.app.store.user_by_name("lan").await.unwrap().unwrap().0.id;
    assert_eq!(total(&format!("user_id={lan}")).await, 8);
    assert_eq!(total(&format!("subject=user:{lan}")).await, 9);
}

#[tokio::test]
async fn a_change_of_rules_is_a_line_once() {
    let console = Console::start().await;
    let auditor = console.user("kiem-toan", Role::Auditor).await;
    for _ in 0..3 {
        luytre_console::collector::watch::look_at_rules(&console.app).await;
    }
    let lines = console.get(&auditor, "/api/v1/audit?kind=rules").await.json();
    assert_eq!((&lines["total"], &lines["items"][0]["subject"]), (&json!(1), &json!("rule_set:abc")));
}

#[tokio::test]
async fn the_log_of_an_earlier_release_is_taken_into_the_chain_and_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.db");
    let old =
        SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path).create_if_missing(true)).await.unwrap();
    let steps = [
        (1, "first", include_str!("../../migrations/0001_first.sql")),
        (2, "triage", include_str!("../../migrations/0002_triage.sql")),
    ];
    let steps: Vec<_> = steps
        .into_iter()
        .map(|(version, name, sql)| {
            let kind = sqlx::migrate::MigrationType::Simple;
            sqlx::migrate::Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
        })
        .collect();
    sqlx::migrate::Migrator { migrations: steps.into(), ..sqlx::migrate::Migrator::DEFAULT }.run(&old).await.unwrap();
    run(
        &old,
        "INSERT INTO users (id, name, display_name, role, locale, theme, created_us) VALUES \
        ('u1', 'lan', 'Lan', 'admin', 'vi', 'dark', 0)",
    )
    .await;
    for number in 1..=3 {
        run(
            &old,
            &format!(
                "INSERT INTO audit (number, at_us, by_id, action, subject, detail, address) VALUES \
            ({number}, {number}, 'u1', 'session.opened', 'user:u1', '{{}}', '192.0.2.7')"
            ),
        )
        .await;
    }
    old.close().await;
    assert!(verify_file(&path, None, None).await.is_err(), "there is nothing to verify yet");

    for _ in 0..2 {
        Store::open(&path, Arc::new(SystemClock)).await.unwrap().close().await;
    }
    let report = verify(&path).await;
    assert_eq!((report.whole, report.checked, report.adopted), (true, 4, 3));
    let mut text = Vec::new();
    verify_file(&path, None, Some(&mut text)).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.lines().next().unwrap().contains(r#","u1","lan","session.opened","user:u1","{}","192.0.2.7","#),
        "{text}"
    );
}

#[tokio::test]
async fn nobody_but_auditors_and_administrators_reads_the_log() {
    let console = Console::start().await;
    for (name, role) in [("lan", Role::Analyst), ("minh", Role::Manager), ("so-y-te", Role::Agency)] {
        let browser = console.user(name, role).await;
        for path in ["/api/v1/audit", "/api/v1/audit/chain", "/api/v1/audit/verify", "/api/v1/audit/export"] {
            assert_eq!(console.get(&browser, path).await.status, StatusCode::FORBIDDEN, "{name} {path}");
        }
    }
    assert_eq!(console.get(&Browser::default(), "/api/v1/audit/export").await.status, StatusCode::UNAUTHORIZED);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
