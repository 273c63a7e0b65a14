//! Coming in and going out: one-time links, log-in, lock-out, CSRF, sessions.

use axum::http::{Method, StatusCode, header};
use luytre_console::model::Role;
use luytre_console::setup;
use serde_json::json;

use crate::harness::{Browser, Console, PASSWORD};

#[tokio::test]
async fn the_first_administrator_comes_in_through_a_link_that_works_once() {
    let console = Console::start().await;
    let nobody = Browser::default();
    assert_eq!(console.get(&nobody, "/api/v1/setup").await.json()["needed"], true);
    let link = setup::make_link(&console.app, None).await.unwrap();
    let token = link.url.strip_prefix("https://console.tinh.example:8443/setup#token=").unwrap();
    let mut wish = json!({"token": token, "name": "lan", "display_name": "Lan", "password": "ngắn"});
    let weak = console.post(&nobody, "/api/v1/setup", wish.clone()).await;
    assert_eq!((weak.status, &weak.json()["fields"]["password"].is_string()), (StatusCode::BAD_REQUEST, &true));
    wish["password"] = PASSWORD.into();
    let lan = Browser::of(&console.post(&nobody, "/api/v1/setup", wish.clone()).await);
    assert_eq!(console.get(&lan, "/api/v1/session").await.json()["user"]["role"], "admin");
    assert_eq!(console.get(&nobody, "/api/v1/setup").await.json()["needed"], false);
    wish["name"] = "minh".into();
    let again = console.post(&nobody, "/api/v1/setup", wish).await;
    assert_eq!((again.status, &again.json()["code"]), (StatusCode::FORBIDDEN, &json!("link_lapsed")));
}

#[tokio::test]
async fn wrong_password_and_unknown_user_cannot_be_told_apart() {
    let console = Console::start().await;
    console.user("lan", Role::Analyst).await;
    let nobody = Browser::default();
    let wrong = console.post(&nobody, "/api/v1/session", json!({"name": "lan", "password": "sai mật khẩu"})).await;
    let unknown = console.post(&nobody, "/api/v1/session", json!({"name": "ai-do", "password": "sai mật khẩu"})).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!((wrong.status, &wrong.bytes), (unknown.status, &unknown.bytes));
}

#[tokio::test]
async fn five_failures_lock_even_the_right_password_out_for_a_while() {
    let console = Console::start().await;
    console.user("lan", Role::Analyst).await;
    let nobody = Browser::default();
    for _ in 0..5 {
        console.post(&nobody, "/api/v1/session", json!({"name": "lan", "password": "sai mật khẩu"})).await;
    }
    let right = json!({"name": "Lan ", "password": PASSWORD});
    let locked = console.post(&nobody, "/api/v1/session", right.clone()).await;
    assert_eq!((locked.status, &locked.json()["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("locked")));
    assert!(locked.headers.contains_key(header::RETRY_AFTER));
    console.clock.advance_s(11);
    assert_eq!(console.post(&nobody, "/api/v1/session", right).await.status, StatusCode::OK);
}

#[tokio::test]
async fn changes_need_the_csrf_token() {
    let console = Console::start().await;
    let mut lan = console.user("lan", Role::Admin).await;
    let good = lan.csrf.clone();
    for (token, status) in [("", StatusCode::FORBIDDEN), ("x", StatusCode::FORBIDDEN), (&*good, StatusCode::OK)] {
        lan.csrf = token.to_owned();
        let answer = console.call(&lan, Method::PATCH, "/api/v1/session", json!({"theme": "light"})).await;
        assert_eq!(answer.status, status, "{token}");
    }
}

#[tokio::test]
async fn sessions_end_by_log_out_by_time_and_by_shutting_out() {
    let console = Console::start().await;
    let admin = console.user("root", Role::Admin).await;
    let lan = console.user("lan", Role::Analyst).await;
    let out = console.call(&lan, Method::DELETE, "/api/v1/session", json!(null)).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED);

    let minh = console.user("minh", Role::Analyst).await;
    let id = console.get(&minh, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let shut = console.call(&admin, Method::PATCH, &format!("/api/v1/users/{id}"), json!({"disabled": true})).await;
    assert_eq!(shut.status, StatusCode::OK);
    assert_eq!(console.get(&minh, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED);
    let back =
        console.post(&Browser::default(), "/api/v1/session", json!({"name": "minh", "password": PASSWORD})).await;
    assert_eq!(back.json()["code"], "wrong_password");

    console.clock.advance_s(31 * 60);
    assert_eq!(console.get(&admin, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn cookies_are_kept_from_scripts_and_answers_from_caches() {
    let console = Console::start().await;
    console.user("lan", Role::Analyst).await;
    let answer =
        console.post(&Browser::default(), "/api/v1/session", json!({"name": "lan", "password": PASSWORD})).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["luytre_session=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe-eval"), "{policy}");
}

#[tokio::test]
async fn every_log_in_and_failure_is_in_the_audit_log() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    console.post(&Browser::default(), "/api/v1/session", json!({"name": "lan", "password": "sai mật khẩu"})).await;
    let audit = console.get(&root, "/api/v1/audit").await.json();
    let actions: Vec<&str> = audit["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["session.refused", "session.opened", "user.password_set", "user.added"]);
    assert_eq!(audit["items"][0]["subject"], "name:lan");
}

#[tokio::test]
async fn tries_at_the_same_time_do_not_pass_together() {
    let console = Console::start_with(|settings| settings.session.free_failures = 3).await;
    console.user("lan", Role::Analyst).await;
    let nobody = Browser::default();
    let wrong = json!({"name": "lan", "password": "sai mật khẩu"});
    let tries = (0..20).map(|_| console.post(&nobody, "/api/v1/session", wrong.clone()));
    let answers = futures_util::future::join_all(tries).await;
    let looked_at = answers.iter().filter(|a| a.status == StatusCode::UNAUTHORIZED).count();
    let locked = answers.iter().filter(|a| a.status == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!((looked_at, locked), (3, 17));
}

#[tokio::test]
async fn a_stranger_cannot_keep_a_user_out_of_a_known_place() {
    let console = Console::start().await;
    console.user("lan", Role::Analyst).await;
    let (home, right) = ("192.0.2.7", json!({"name": "lan", "password": PASSWORD}));
    assert_eq!(console.post_from(home, "/api/v1/session", right.clone()).await.status, StatusCode::OK);
    for n in 0..60 {
        let wrong = json!({"name": "lan", "password": "sai mật khẩu"});
        console.post_from(&format!("203.0.113.{n}"), "/api/v1/session", wrong).await;
    }
    assert_eq!(console.post_from(home, "/api/v1/session", right.clone()).await.status, StatusCode::OK);
    let elsewhere = console.post_from("198.51.100.1", "/api/v1/session", right).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(elsewhere.json()["retry_after_s"].as_u64().unwrap() <= 61);
}
