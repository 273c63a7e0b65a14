//! A store of the first release, opened by this one.

use std::sync::Arc;

use luytre_console::clock::SystemClock;
use luytre_console::model::AlertQuery;
use luytre_console::store::Store;
use luytre_console::store::reach::Reach;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::fakes::alert;

#[tokio::test]
async fn alerts_of_the_first_release_are_kept_whole_and_can_be_grouped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let old = SqlitePool::connect_with(options).await.unwrap();
    let first = include_str!("../../migrations/0001_first.sql").into_sql_str();
    let first = Migration::new(1, "first".into(), MigrationType::Simple, first, false);
    Migrator { migrations: vec![first].into(), ..Migrator::DEFAULT }.run(&old).await.unwrap();
    for (n, source) in [(1_i64, "192.0.2.66"), (2, "172.20.1.5"), (3, "192.0.2.66")] {
        sqlx::query(
            "INSERT INTO alerts (id, sequence, time_us, received_us, severity, rule_id, rule_name, rule_kind, source_ip, \
             destination_ip, sensor, event_count, status, version, words, body) VALUES ($1, $2, $2, $2, 3, 'webshell', \
             'Web shell', 'sigma', $3, '198.51.100.10', 's', 1, 'open', 1, 'w', $4)",
        )
        .bind(format!("a{n}"))
        .bind(n)
        .bind(source)
        .bind(serde_json::to_string(&alert(&format!("a{n}"), "high", "webshell")).unwrap())
        .execute(&old)
        .await
        .unwrap();
    }
    old.close().await;

    let store = Store::open(&path, Arc::new(SystemClock)).await.unwrap();
    assert_eq!(
        store.alert("a2", &Reach::Everything).await.unwrap().alert.id,
        "a2",
        "what the collector found is still there"
    );
    let groups = store.alert_groups(&AlertQuery::default(), &Reach::Everything).await.unwrap();
    assert_eq!((groups.total, groups.alerts, groups.until), (2, 3, 3));
    let hosts: Vec<Option<&str>> = groups.items.iter().map(|group| group.host.as_deref()).collect();
    assert_eq!(hosts, [Some("198.51.100.10"), Some("172.20.1.5")], "newest first");
    let new: Vec<u64> = groups.items.iter().map(|group| group.new_destinations).collect();
    assert_eq!(new, [1, 0], "the first alert of the rule brought the destination");
}
