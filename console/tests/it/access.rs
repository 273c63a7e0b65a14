//! Second factors, tokens of programs, and what a policy profile demands.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use luytre_console::auth::roles::{Access, TABLE};
use luytre_console::auth::totp;
use luytre_console::clock::Clock as _;
use luytre_console::model::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::harness::{Browser, Console, PASSWORD};

/// The code that an app shows now.
fn code_of(console: &Console, secret: &str) -> String {
    totp::shown(secret, console.clock.now_us()).unwrap()
}

/// Sets a second factor up; answers its secret and the recovery codes.
async fn enrol(console: &Console, who: &Browser) -> (String, Vec<String>) {
    let proposed = console.post(who, "/api/v1/session/code", Value::Null).await.json();
    let secret = proposed["secret"].as_str().unwrap().to_owned();
    assert!(proposed["address"].as_str().unwrap().contains(&secret));
    let wrong = console.call(who, Method::PUT, "/api/v1/session/code", json!({"code": "000"})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let code = code_of(console, &secret);
    let codes = console.call(who, Method::PUT, "/api/v1/session/code", json!({"code": code})).await.json();
    let codes = codes["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}

async fn log_in(console: &Console, code: Option<&str>) -> crate::harness::Answer {
    let mut wish = json!({"name": "lan", "password": PASSWORD});
    if let Some(code) = code {
        wish["code"] = code.into();
    }
    console.post(&Browser::default(), "/api/v1/session", wish).await
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_no_code_works_twice() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let (secret, recovery) = enrol(&console, &lan).await;
    let without = log_in(&console, None).await;
    assert_eq!((without.status, &without.json()["code"]), (StatusCode::UNAUTHORIZED, &json!("code_needed")));
    assert!(!without.headers.contains_key(header::SET_COOKIE));
    let wrong = log_in(&console, Some("12345")).await;
    assert_eq!((wrong.status, &wrong.json()["code"]), (StatusCode::UNAUTHORIZED, &json!("wrong_code")));
    console.clock.advance_s(120);
    let code = code_of(&console, &secret);
    assert_eq!(log_in(&console, Some(&code)).await.status, StatusCode::OK);
    assert_eq!(log_in(&console, Some(&code)).await.status, StatusCode::UNAUTHORIZED, "the same code again");
    assert_eq!(log_in(&console, Some(&recovery[3])).await.status, StatusCode::OK);
    assert_eq!(log_in(&console, Some(&recovery[3])).await.status, StatusCode::UNAUTHORIZED, "the same recovery code");
}

#[tokio::test]
async fn who_lost_app_and_codes_is_let_in_by_an_administrator_and_the_log_says_so() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    let lan = console.user("lan", Role::Analyst).await;
    enrol(&console, &lan).await;
    let id = console.get(&lan, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    let freed = console.call(&root, Method::PATCH, &path, json!({"remove_code": true})).await.json();
    assert_eq!(freed["two_factor"], false);
    assert_eq!(console.get(&lan, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "sessions end");
    assert_eq!(log_in(&console, None).await.status, StatusCode::OK);
    let log = console.get(&root, "/api/v1/audit?kind=user").await.json();
    assert_eq!(log["items"][0]["detail"]["code_removed"], "true");
}

#[tokio::test]
async fn a_link_stands_for_the_password_alone() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    enrol(&console, &lan).await;
    let id = console.get(&lan, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let link = luytre_console::setup::make_link(&console.app, Some(&id)).await.unwrap();
    let token = link.url.rsplit_once("#token=").unwrap().1;
    let answer = console
        .post(&Browser::default(), "/api/v1/setup", json!({"token": token, "password": "Một mật khẩu khác, 2026"}))
        .await;
    assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::UNAUTHORIZED, &json!("code_needed")));
    assert!(!answer.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn level_3_ends_sessions_sooner_and_makes_administrators_enrol_first() {
    let console = Console::start_with(|settings| settings.access.profile = "level-3".into()).await;
    let weak = luytre_console::setup::make_link(&console.app, None).await.unwrap();
    let token = weak.url.rsplit_once("#token=").unwrap().1;
    let wish = json!({"token": token, "name": "root", "password": "tre già măng mọc"});
    let refused = console.post(&Browser::default(), "/api/v1/setup", wish).await;
    assert_eq!((refused.status, refused.json()["fields"]["password"].is_string()), (StatusCode::BAD_REQUEST, true));
    let root = console.user("root", Role::Admin).await;
    assert_eq!(console.get(&root, "/api/v1/session").await.json()["must_enrol"], true);
    let early = console.get(&root, "/api/v1/alerts").await;
    assert_eq!((early.status, &early.json()["code"]), (StatusCode::FORBIDDEN, &json!("enrol_first")));
    enrol(&console, &root).await;
    assert_eq!(console.get(&root, "/api/v1/alerts").await.status, StatusCode::OK);
    let lan = console.user("lan", Role::Analyst).await;
    console.clock.advance_s(5 * 60 + 1);
    assert_eq!(console.get(&root, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED, "five minutes");
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.status, StatusCode::OK);
    console.clock.advance_s(15 * 60 + 1);
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED, "a quarter of an hour");
}

/// Asks as a program.
async fn program(console: &Console, secret: &str, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let mut request =
        Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {secret}"));
    let body = if body.is_null() {
        Body::empty()
    } else {
        request = request.header(header::CONTENT_TYPE, "application/json");
        Body::from(body.to_string())
    };
    let answer = console.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn token(console: &Console, who: &Browser, scope: &str, days: u32) -> Value {
    let made = console.post(who, "/api/v1/tokens", json!({"name": "đồng bộ", "scope": scope, "days": days})).await;
    assert_eq!(made.status, StatusCode::OK, "{}", String::from_utf8_lossy(&made.bytes));
    made.json()
}

#[tokio::test]
async fn a_token_acts_as_its_owner_within_its_scope_until_it_ends() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let made = token(&console, &lan, "read", 1).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("luytre_"));
    assert_eq!(program(&console, secret, Method::GET, "/api/v1/alerts", Value::Null).await.0, StatusCode::OK);
    assert_eq!(program(&console, secret, Method::POST, "/api/v1/search", json!({"query": ""})).await.0, StatusCode::OK);
    let new = json!({"title": "Từ chương trình", "severity": "low"});
    let (status, answer) = program(&console, secret, Method::POST, "/api/v1/cases", new.clone()).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &json!("token_scope")));
    assert_eq!(program(&console, secret, Method::GET, "/api/v1/audit", Value::Null).await.0, StatusCode::FORBIDDEN);

    let write = token(&console, &lan, "write", 1).await;
    let write = write["secret"].as_str().unwrap();
    let (status, case) = program(&console, write, Method::POST, "/api/v1/cases", new).await;
    assert_eq!((status, &case["opened_by"]["name"]), (StatusCode::OK, &json!("lan")));
    for path in ["/api/v1/session", "/api/v1/tokens", "/api/v1/users", "/api/v1/live"] {
        assert_eq!(program(&console, write, Method::GET, path, Value::Null).await.0, StatusCode::FORBIDDEN, "{path}");
    }

    let listed = console.get(&lan, "/api/v1/tokens").await;
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(secret), "shown once");
    assert!(listed.json()["items"][1]["used_at"].is_string());
    let id = made["token"]["id"].as_str().unwrap();
    let minh = console.user("minh", Role::Analyst).await;
    let others = console.call(&minh, Method::DELETE, &format!("/api/v1/tokens/{id}"), Value::Null).await;
    assert_eq!(others.status, StatusCode::NOT_FOUND, "only one's own");
    console.call(&lan, Method::DELETE, &format!("/api/v1/tokens/{id}"), Value::Null).await;
    let (status, answer) = program(&console, secret, Method::GET, "/api/v1/alerts", Value::Null).await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("bad_token")));
    console.clock.advance_s(86_401);
    assert_eq!(program(&console, write, Method::GET, "/api/v1/alerts", Value::Null).await.0, StatusCode::UNAUTHORIZED);
    let lan = console.log_in("lan").await;
    let bad = console.post(&lan, "/api/v1/tokens", json!({"name": "x", "scope": "read", "days": 366}));
    assert_eq!(bad.await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn tokens_of_every_role_reach_what_the_role_may_and_never_more() {
    let console = Console::start().await;
    for role in [Role::Analyst, Role::Manager, Role::Auditor, Role::Admin] {
        let browser = console.user(&format!("{role:?}").to_lowercase(), role).await;
        let read = token(&console, &browser, "read", 1).await["secret"].as_str().unwrap().to_owned();
        for (method, route, access, _) in TABLE {
            if *access == Access::Public {
                continue;
            }
            let parts = route.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            let (status, _) = program(&console, &read, method.clone(), &path, json!({})).await;
            let people =
                ["/session", "/tokens", "/users", "/live"].iter().any(|p| route.starts_with(&format!("/api/v1{p}")));
            let reads = *method == Method::GET || *route == "/api/v1/search";
            let may = access.allows(role) && reads && !people;
            assert_eq!(status != StatusCode::FORBIDDEN, may, "{role:?} {method} {route}: {status}");
        }
    }
}

#[tokio::test]
async fn agencies_reach_nothing_but_their_session_and_what_was_sent_to_them() {
    let console = Console::start().await;
    let agency = console.user("so-y-te", Role::Agency).await;
    for (method, route, access, _) in TABLE {
        let parts = route.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        if matches!(access, Access::Roles(_)) {
            let status = console.send(&agency, method.clone(), &path, json!({})).await.status();
            let theirs = route.starts_with("/api/v1/agency-work");
            assert_eq!(status == StatusCode::FORBIDDEN, !theirs, "{method} {route}: {status}");
        }
    }
}
