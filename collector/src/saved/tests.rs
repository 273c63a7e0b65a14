//! Tests of what is kept: whose it is, who changes it, what is refused.

use luytre_collector_api::{QueryAlert, Severity};

use super::*;

pub(super) fn wished(query: &str) -> SavedQueryRequest {
    SavedQueryRequest {
        name_vi: "Dò mật khẩu".to_owned(),
        name: "Password guessing".to_owned(),
        query: query.to_owned(),
        shared: false,
        schedule: None,
        version: None,
        by: None,
    }
}

pub(super) fn alerting(query: &str, threshold: u64) -> SavedQueryRequest {
    let alert = QueryAlert {
        threshold,
        severity: Severity::High,
        reason_vi: "Nhiều lần đăng nhập sai".to_owned(),
        reason: "Many failed logons".to_owned(),
        advice_vi: None,
        advice: None,
    };
    let schedule = Schedule { every_s: 60, window_s: Some(120), alert: Some(alert) };
    SavedQueryRequest { schedule: Some(schedule), ..wished(query) }
}

fn by(name: &str, query: SavedQueryRequest) -> SavedQueryRequest {
    SavedQueryRequest { by: Some(name.to_owned()), ..query }
}

#[test]
fn a_query_is_its_owners_and_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let saved = SavedQueries::open(folder.path()).unwrap();
    let made = saved.create(by("a", wished("event.dataset:dns"))).unwrap();
    assert!(saved.list(Some("b")).is_empty() && saved.get(&made.id, Some("b")).is_err());
    assert!(matches!(saved.save(&made.id, by("b", wished("*"))), Err(SavedError::Unknown(_))));
    let shared = SavedQueryRequest { shared: true, version: Some(1), ..by("a", wished("*")) };
    assert_eq!(saved.save(&made.id, shared.clone()).unwrap().version, 2);
    assert!(matches!(saved.save(&made.id, shared), Err(SavedError::Changed(2))), "somebody else was faster");
    assert_eq!(saved.list(Some("b")).len(), 1);
    assert!(matches!(saved.remove(&made.id, Some("b")), Err(SavedError::NotYours)));
    std::fs::write(folder.path().join("bad.json"), "{").unwrap();
    let again = SavedQueries::open(folder.path()).unwrap();
    assert_eq!(again.get(&made.id, Some("a")).unwrap().query, "*");
    again.remove(&made.id, None).unwrap();
    assert!(SavedQueries::open(folder.path()).unwrap().list(None).is_empty());
}

#[test]
fn what_cannot_run_or_alert_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let saved = SavedQueries::open(folder.path()).unwrap();
    let no = |wished: SavedQueryRequest| saved.create(wished).unwrap_err().to_string();
    assert!(no(wished("source.ip:")).contains("expected"), "{}", no(wished("source.ip:")));
    assert!(no(alerting("* | timeline 5m", 1)).contains("no timeline"));
    assert!(no(alerting("*", 0)).contains("at least 1"));
    assert!(no(SavedQueryRequest { name_vi: " ".to_owned(), ..wished("*") }).contains("both languages"));
    let often = Schedule { every_s: 5, window_s: None, alert: None };
    assert!(no(SavedQueryRequest { schedule: Some(often), ..wished("*") }).contains("60 to 604800"));
    let made = saved.create(alerting("* | count by source.ip", 5)).unwrap();
    assert!(made.shared, "alerts are seen by all, so is what makes them");
}
