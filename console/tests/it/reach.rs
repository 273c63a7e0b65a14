//! Somebody who looks after one agency, and everything that belongs to another: every route of the table, and ways around.

use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use luytre_collector_api::Agency;
use luytre_console::auth::roles::{Access, TABLE, Within};
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::fakes::alert;
use crate::harness::{Browser, Console};

/// Stands in everything that belongs to the other agency, and in nothing else.
const MARK: &str = "KHONGPHAICUAMINH";

/// Two agencies with an alert, a case, a suppression and a contact each; `stc` also took in `cu`, and has `tram` under it.
struct Two {
    console: Console,
    root: Browser,
    case: String,
    suppression: String,
    act: String,
    notice: String,
}

async fn two() -> Two {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    let theirs = format!("Sở Y tế {MARK}");
    for (id, name, parent) in [
        ("stc", "Sở Tài chính", None),
        ("tram", "Trạm", Some("stc")),
        ("cu", "Sở cũ", None),
        ("syt", theirs.as_str(), None),
    ] {
        let fields = json!({"name": name, "parent_id": parent});
        let made = console.post(&root, "/api/v1/agencies", json!({"id": id, "fields": fields})).await;
        assert_eq!(made.status, StatusCode::OK);
    }
    let merged = json!({"version": 1, "fields": {"name": "Sở cũ", "valid_to": "2025-06-30", "successors": ["stc"]}});
    assert_eq!(console.call(&root, Method::PUT, "/api/v1/agencies/cu", merged).await.status, StatusCode::OK);
    let contact = json!({"kind": "contact", "name": format!("Người {MARK}")});
    console.post(&root, "/api/v1/agencies/syt/records", contact).await;
    console.post(&root, "/api/v1/agencies/stc/records", json!({"kind": "contact", "name": "Đầu mối"})).await;
    for (id, agency) in [("ours", "stc"), ("theirs", "syt"), ("nobodys", ""), ("old", "cu"), ("below", "tram")] {
        let mut raised = alert(id, "high", "webshell");
        raised.agency = (!agency.is_empty()).then(|| Agency {
            id: agency.to_owned(),
            name: if agency == "syt" { theirs.clone() } else { format!("Tên {agency}") },
        });
        if agency == "syt" {
            raised.matched[0].value = MARK.to_owned();
        }
        console.collector.raise(raised);
    }
    console.catch_up().await;
    let open = json!({"title": format!("Hồ sơ {MARK}"), "severity": "high", "agency_id": "syt"});
    let case = console.post(&root, "/api/v1/cases", open).await.json()["id"].as_str().unwrap().to_owned();
    let notice = json!({"agency_id": "syt", "subject": MARK, "text": MARK, "tlp": "amber", "asks": ["confirm"]});
    let notices = format!("/api/v1/cases/{case}/agency-notices");
    let notice = console.post(&root, &notices, notice).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(console.post(&root, &format!("{notices}/{notice}/send"), json!({})).await.status, StatusCode::OK);
    let root_id = console.get(&root, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let suppress = json!({"scope": {"rule_id": "webshell", "agency_id": "syt", "source_ip": "203.0.113.200"},
        "reason": MARK, "owner_id": root_id, "expires_at": "2026-12-01T00:00:00Z", "hide_open": false});
    let suppression = console.post(&root, "/api/v1/suppressions", suppress).await;
    assert_eq!(suppression.status, StatusCode::OK, "{}", String::from_utf8_lossy(&suppression.bytes));
    let suppression = suppression.json()["suppression"]["id"].as_str().unwrap().to_owned();
    let close = json!({"ids": ["theirs"], "action": "close", "verdict": "benign", "reason": MARK});
    let act = console.post(&root, "/api/v1/alerts/bulk", close).await.json()["act_id"].as_str().unwrap().to_owned();
    let view = json!({"name": format!("Bộ lọc {MARK}"), "query": "agency=syt", "shared": true});
    assert_eq!(console.post(&root, "/api/v1/views", view).await.status, StatusCode::OK);
    console.user_of(&format!("nguoi-{}", MARK.to_lowercase()), Role::Analyst, Some("syt")).await;
    Two { console, root, case, suppression, act, notice }
}

impl Two {
    /// A route that names what belongs to the other agency.
    fn theirs(&self, route: &str) -> String {
        let id = match route.split('/').nth(3).unwrap_or_default() {
            "alerts" => "theirs",
            "cases" => &self.case,
            "acts" => &self.act,
            "suppressions" => &self.suppression,
            "agencies" => "syt",
            "agency-work" => &self.notice,
            _ => "none",
        };
        let filled = route.replace("{id}", id).replace("{table}", "contacts").replace("{name}", "daily-summary");
        let parts = filled.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    /// How everything of the other agency stands, as somebody sees it who reaches everything.
    async fn state(&self) -> Vec<Value> {
        let mut state = Vec::new();
        for path in [
            "/api/v1/alerts/theirs",
            "/api/v1/agencies/syt",
            &format!("/api/v1/cases/{}", self.case),
            "/api/v1/suppressions",
        ] {
            state.push(self.console.get(&self.root, path).await.json());
        }
        state
    }
}

#[tokio::test]
async fn no_route_tells_of_another_agency_or_changes_anything_of_it() {
    let two = two().await;
    let before = two.state().await;
    for role in [Role::Analyst, Role::Manager, Role::Auditor, Role::Agency] {
        let name = format!("{role:?}").to_lowercase();
        let browser = two.console.user_of(&name, role, Some("stc")).await;
        for (method, route, access, within) in TABLE {
            let leaves = *route == "/api/v1/session" && *method == Method::DELETE;
            if *access == Access::Public || leaves || *route == "/api/v1/live" {
                continue;
            }
            let path = two.theirs(route);
            let answer = two.console.call(&browser, method.clone(), &path, json!({})).await;
            let said = String::from_utf8_lossy(&answer.bytes).into_owned();
            let place = format!("{role:?} {method} {path}: {} {said}", answer.status);
            assert!(!said.contains(MARK) && !said.contains("\"theirs\""), "{place}");
            match within {
                _ if !access.allows(role) => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{place}"),
                Within::Whole => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{place}"),
                Within::Named(_) | Within::Case => assert_eq!(answer.status, StatusCode::NOT_FOUND, "{place}"),
                Within::Narrowed if *method == Method::GET => {
                    let asked = ["/api/v1/suppressions/preview", "/api/v1/tasks"].contains(route);
                    assert!(answer.status == StatusCode::OK || asked, "{place}");
                }
                Within::Narrowed | Within::Any => assert_ne!(answer.status, StatusCode::FORBIDDEN, "{place}"),
            }
        }
    }
    assert_eq!(two.state().await, before, "nothing of the other agency changed");
}

#[tokio::test]
async fn an_agency_sees_itself_what_is_under_it_and_what_became_part_of_it() {
    let two = two().await;
    let lan = two.console.user_of("lan", Role::Analyst, Some("stc")).await;
    let list = two.console.get(&lan, "/api/v1/alerts?status=all").await.json();
    let mut ids: Vec<&str> = list["items"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["below", "old", "ours"]);
    assert_eq!((list["total"].as_u64(), list["counts"]["open"].as_u64()), (Some(3), Some(3)));
    let groups = two.console.get(&lan, "/api/v1/alerts/groups").await.json();
    assert_eq!((groups["alerts"].as_u64(), groups["counts"]["open"].as_u64()), (Some(3), Some(3)));
    let agencies = two.console.get(&lan, "/api/v1/agencies").await.json();
    assert_eq!(agencies["total"], 3);
    let preview = two.console.get(&lan, "/api/v1/suppressions/preview?rule_id=webshell").await.json();
    assert_eq!(preview["alerts"], 3);
    let csv = two.console.get(&lan, "/api/v1/register/export/contacts").await;
    assert_eq!(String::from_utf8(csv.bytes).unwrap().lines().count(), 2);
    let nobody = two.console.user("dau-moi", Role::Agency).await;
    assert_eq!(two.console.get(&nobody, "/api/v1/session").await.status, StatusCode::OK);
    let below = two.console.user_of("tram", Role::Analyst, Some("tram")).await;
    assert_eq!(two.console.get(&below, "/api/v1/alerts?status=all").await.json()["total"], 1);
}

#[tokio::test]
async fn ways_around_lead_nowhere() {
    let two = two().await;
    let console = &two.console;
    let lan = console.user_of("lan", Role::Analyst, Some("stc")).await;
    let before = two.state().await;
    let reopen = json!({"ids": ["theirs", "nobodys"], "action": "reopen", "reason": "thử"});
    let done = console.post(&lan, "/api/v1/alerts/bulk", reopen).await.json();
    assert_eq!((done["changed"].as_u64(), done["failed"].as_u64()), (Some(0), Some(2)), "{done}");
    let groups = console.get(&two.root, "/api/v1/alerts/groups?status=all").await.json();
    let close = json!({"groups": [groups["items"][0]["key"]], "filter": {"status": "all", "until": groups["until"]},
        "action": "assign", "user_id": null, "ids": []});
    let done = console.post(&lan, "/api/v1/alerts/bulk", close).await.json();
    assert_eq!(done["changed"].as_u64().unwrap() + done["unchanged"].as_u64().unwrap(), 3, "{done}");
    let into = json!({"version": 1, "case_id": two.case});
    assert_eq!(console.post(&lan, "/api/v1/alerts/ours/escalate", into).await.status, StatusCode::NOT_FOUND);
    for open in [
        json!({"title": "Của họ", "severity": "low", "agency_id": "syt"}),
        json!({"title": "Của ai", "severity": "low", "agency_id": "none"}),
    ] {
        assert_eq!(console.post(&lan, "/api/v1/cases", open).await.status, StatusCode::BAD_REQUEST);
    }
    let take = json!({"title": "Lấy cảnh báo", "severity": "low", "alert_ids": ["ours", "theirs"]});
    assert_eq!(console.post(&lan, "/api/v1/cases", take).await.status, StatusCode::NOT_FOUND);
    let own = json!({"title": "Của mình", "severity": "low", "alert_ids": ["ours"]});
    let own = console.post(&lan, "/api/v1/cases", own).await.json();
    assert_eq!(own["agency"]["id"], "stc", "a case without an agency is theirs who open it");
    let path = format!("/api/v1/cases/{}", own["id"].as_str().unwrap());
    let give = json!({"version": own["version"], "agency_id": "syt"});
    assert_eq!(console.call(&lan, Method::PATCH, &path, give).await.status, StatusCode::BAD_REQUEST);
    let link = console.post(&lan, &format!("{path}/links"), json!({"case_id": two.case})).await;
    assert_eq!(link.status, StatusCode::NOT_FOUND);
    let seal = json!({"alert_id": "theirs", "reason": "thử"});
    assert_eq!(console.post(&lan, &format!("{path}/evidence"), seal).await.status, StatusCode::NOT_FOUND);
    let lan_id = console.get(&lan, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    for agency in [json!("syt"), Value::Null] {
        let hide = json!({"scope": {"rule_id": "webshell", "agency_id": agency}, "reason": "thử", "owner_id": lan_id,
            "expires_at": "2026-12-01T00:00:00Z", "hide_open": true});
        assert_eq!(console.post(&lan, "/api/v1/suppressions", hide).await.status, StatusCode::BAD_REQUEST);
    }
    for (path, body) in [
        ("/api/v1/agencies", json!({"id": "moi", "fields": {"name": "Mới"}})),
        ("/api/v1/agencies", json!({"id": "moi", "fields": {"name": "Mới", "parent_id": "syt"}})),
    ] {
        assert_eq!(console.post(&lan, path, body).await.status, StatusCode::BAD_REQUEST);
    }
    let root_up = json!({"version": 1, "fields": {"name": "Sở Tài chính", "parent_id": "syt"}});
    assert_eq!(console.call(&lan, Method::PUT, "/api/v1/agencies/stc", root_up).await.status, StatusCode::BAD_REQUEST);
    let encoded = console.get(&lan, "/api/v1/alerts/%74heirs").await;
    assert_eq!(encoded.status, StatusCode::NOT_FOUND, "an id in another writing is the same id");
    assert_eq!(two.state().await, before);
}

#[tokio::test]
async fn searches_carry_the_restriction_whatever_was_sent() {
    let two = two().await;
    let lan = two.console.user_of("lan", Role::Analyst, Some("stc")).await;
    for wish in [
        json!({"query": "*"}),
        json!({"query": "*", "agencies": ["syt"]}),
        json!({"query": "organization.id:syt OR *", "agencies": null}),
        json!({"query": "* | count by organization.id", "set": "cu"}),
    ] {
        assert_eq!(two.console.post(&lan, "/api/v1/search", wish).await.status, StatusCode::OK);
    }
    two.console.get(&lan, "/api/v1/alerts/ours/related").await;
    let searches = two.console.collector.searches.lock().unwrap().clone();
    assert_eq!(searches.len(), 5);
    for search in searches {
        let mut agencies = search.agencies.expect("every search is narrowed");
        agencies.sort_unstable();
        assert_eq!(agencies, ["cu", "stc", "tram"], "{}", search.query);
    }
    let root = two.console.post(&two.root, "/api/v1/search", json!({"query": "*"})).await;
    assert_eq!(root.status, StatusCode::OK);
    assert_eq!(two.console.collector.searches.lock().unwrap().last().unwrap().agencies, None);
}

#[tokio::test]
async fn the_live_stream_tells_of_ones_own_only() {
    let two = two().await;
    let lan = two.console.user_of("lan", Role::Analyst, Some("stc")).await;
    let response = two.console.send(&lan, Method::GET, "/api/v1/live", Value::Null).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    two.console.app.tell_alert("theirs", false).await;
    two.console.app.tell_case(&two.case, 2).await;
    two.console.app.tell_alerts(&vec!["theirs".to_owned(); 30]).await;
    two.console.app.tell_alert("nobodys", false).await;
    two.console.app.tell_alert("ours", false).await;
    let mut text = String::new();
    while !text.contains("\"id\":\"ours\"") {
        let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("the alert is told of");
        text.push_str(std::str::from_utf8(frame.unwrap().unwrap().data_ref().unwrap()).unwrap());
    }
    assert!(!text.contains("theirs") && !text.contains(&two.case) && !text.contains("nobodys"), "{text}");
    assert!(text.contains("event: resync"), "many changes at once: look again");
    assert!(text.contains("\"sensors\":[]"), "names of sensors belong to everybody");
}

#[tokio::test]
async fn who_is_given_another_agency_must_log_in_again_and_administrators_have_none() {
    let two = two().await;
    let lan = two.console.user_of("lan", Role::Analyst, Some("stc")).await;
    let id = two.console.get(&lan, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    let change = |wish: Value| two.console.call(&two.root, Method::PATCH, &path, wish);
    assert_eq!(change(json!({"agency_id": "none"})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(change(json!({"role": "admin"})).await.status, StatusCode::BAD_REQUEST);
    let moved = change(json!({"agency_id": "tram"})).await.json();
    assert_eq!(moved["agency_id"], "tram");
    assert_eq!(two.console.get(&lan, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED);
    let lan = two.console.log_in("lan").await;
    assert_eq!(two.console.get(&lan, "/api/v1/alerts?status=all").await.json()["total"], 1);
    change(json!({"agency_id": ""})).await;
    let lan = two.console.log_in("lan").await;
    assert_eq!(two.console.get(&lan, "/api/v1/alerts?status=all").await.json()["total"], 5);
}
