//! Notice rules, digests, webhooks and channels that die, from the alert to what arrives.

use axum::http::{Method, StatusCode};
use luytre_console::model::Role;
use luytre_console::notify;
use luytre_console::notify::webhook::signature;
use serde_json::{Value, json};

use crate::fakes::{FakeHook, alert, mail_text};
use crate::harness::{Browser, Console};
use crate::mails::with_mail;

const SECRET: &str = "mot-bi-mat-dung-chung";

async fn admin(console: &Console) -> Browser {
    console.user("quan-tri", Role::Admin).await
}

/// The first rule, changed.
async fn change_first_rule(console: &Console, admin: &Browser, change: impl FnOnce(&mut Value)) -> Value {
    let rules = console.get(admin, "/api/v1/notice-rules").await.json();
    let mut first = rules["items"][0].clone();
    change(&mut first["rule"]);
    let path = format!("/api/v1/notice-rules/{}", first["id"].as_str().unwrap());
    let body = json!({"rule": first["rule"], "version": first["version"]});
    let answer = console.call(admin, Method::PUT, &path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    answer.json()["items"][0].clone()
}

async fn add_hook(console: &Console, admin: &Browser, hook: &FakeHook, shape: &str) -> String {
    let wish = json!({"name": format!("phòng trực {shape}"), "shape": shape, "url": hook.url(), "recipient": "4711",
        "secret": SECRET, "enabled": true});
    let answer = console.post(admin, "/api/v1/notice-channels", wish).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(SECRET), "the secret is never shown");
    let items = answer.json()["items"].as_array().unwrap().clone();
    let found = items.iter().find(|item| item["shape"] == shape).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_fresh_database_tells_of_high_alerts_and_an_administrator_changes_whom() {
    let (console, server, mailer) = with_mail().await;
    let admin = admin(&console).await;
    let rules = console.get(&admin, "/api/v1/notice-rules").await.json();
    assert_eq!(rules["items"].as_array().unwrap().len(), 1);
    assert_eq!(rules["items"][0]["rule"]["severity"], "high");
    assert_eq!(rules["items"][0]["rule"]["targets"], json!([{"kind": "configured", "value": ""}]));
    // Only at night, only this agency, and to one address more: at ten in the morning nobody is told.
    let night = change_first_rule(&console, &admin, |rule| {
        rule["agencies"] = json!(["syt"]);
        rule["from"] = json!("22:00");
        rule["until"] = json!("06:00");
        rule["targets"] = json!([{"kind": "address", "value": "truc-dem@tinh.example"}]);
    })
    .await;
    assert_eq!(night["version"], 2);
    console.collector.raise(alert("a1", "critical", "webshell"));
    console.catch_up().await;
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
    console.clock.advance_s(12 * 3600);
    let mut late = alert("a2", "high", "webshell");
    late.raised = "2026-11-22T15:00:00Z".into();
    let mut elsewhere = alert("a3", "high", "webshell");
    elsewhere.agency = None;
    console.collector.raise(late);
    console.collector.raise(elsewhere);
    console.catch_up().await;
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 1);
    let mail = server.mails.lock().unwrap()[0].clone();
    assert!(mail.contains("To: truc-dem@tinh.example"), "{mail}");
    // A text and an HTML part, in which what came from the traffic is no markup.
    assert!(mail.contains("multipart/alternative") && mail.contains("text/html"), "{mail}");
    let text = mail_text(&mail);
    assert!(text.contains("Vì sao có cảnh báo này"), "{text}");
}

#[tokio::test]
async fn of_two_who_change_a_rule_the_second_is_told_and_nonsense_is_refused() {
    let console = Console::start().await;
    let admin = admin(&console).await;
    let first = console.get(&admin, "/api/v1/notice-rules").await.json()["items"][0].clone();
    change_first_rule(&console, &admin, |rule| rule["name"] = json!("Ca đêm")).await;
    let path = format!("/api/v1/notice-rules/{}", first["id"].as_str().unwrap());
    let late = json!({"rule": first["rule"], "version": first["version"]});
    let conflict = console.call(&admin, Method::PUT, &path, late).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert_eq!(conflict.json()["current"]["rule"]["name"], "Ca đêm");
    let changes: [(&str, Value); 6] = [
        ("targets", json!([])),
        ("targets", json!([{"kind": "address", "value": "not an address"}])),
        ("days", json!([8])),
        ("from", json!("7h")),
        ("ladder", json!([{"target": {"kind": "user", "value": "x"}, "wait_minutes": 0}])),
        ("ladder", json!([{"target": {"kind": "configured"}, "wait_minutes": 5}])),
    ];
    for (field, value) in changes {
        let mut rule = first["rule"].clone();
        rule[field] = value.clone();
        let answer = console.post(&admin, "/api/v1/notice-rules", json!({"rule": rule})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} {value}: {}", answer.json());
    }
    // No mail server: the rule says that it reaches nobody.
    let now = console.get(&admin, "/api/v1/notice-rules").await.json();
    assert_eq!(now["items"][0]["problems"][0]["problem"], "no_mail_server");
}

#[tokio::test]
async fn a_digest_tells_of_an_hour_once_and_not_again_of_what_grows() {
    let (console, server, mailer) = with_mail().await;
    let admin = admin(&console).await;
    change_first_rule(&console, &admin, |rule| {
        rule["rhythm"] = json!("hourly");
        rule["targets"] = json!([{"kind": "address", "value": "lanh-dao@tinh.example"}]);
    })
    .await;
    for n in 1..=3 {
        console.collector.raise(alert(&format!("a{n}"), "high", "webshell"));
    }
    console.catch_up().await;
    notify::tick(&console.app).await.unwrap();
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
    console.clock.advance_s(3600);
    notify::tick(&console.app).await.unwrap();
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 1);
    let text = mail_text(&server.mails.lock().unwrap()[0]);
    assert!(text.contains("3 cảnh báo trong kỳ"), "{text}");
    assert_eq!(text.matches("[CAO] Tải lên web shell").count(), 3, "{text}");
    console.collector.raise(alert("a1", "critical", "webshell"));
    console.catch_up().await;
    console.clock.advance_s(2 * 3600);
    notify::tick(&console.app).await.unwrap();
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
}

#[tokio::test]
async fn who_has_had_very_many_gets_the_rest_as_a_digest() {
    let (console, server, mailer) = with_mail().await;
    let admin = admin(&console).await;
    change_first_rule(&console, &admin, |rule| {
        rule["targets"] = json!([{"kind": "address", "value": "truc-ban@tinh.example"}]);
    })
    .await;
    for n in 0..75 {
        console.collector.raise(alert(&format!("a{n}"), "high", "webshell"));
    }
    console.catch_up().await;
    while notify::send_round(&console.app, &mailer).await.unwrap() > 0 {}
    assert_eq!(server.mails.lock().unwrap().len(), 60);
    assert_eq!(console.app.metrics.notices_gathered.get(), 15);
    console.clock.advance_s(3600);
    notify::tick(&console.app).await.unwrap();
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 1);
    let last = mail_text(server.mails.lock().unwrap().last().unwrap());
    assert!(last.contains("15 cảnh báo trong kỳ"), "{last}");
}

#[tokio::test]
async fn a_signed_webhook_is_verified_by_its_receiver_and_tried_again_when_it_fails() {
    let console = Console::start().await;
    let admin = admin(&console).await;
    let hook = FakeHook::start().await;
    let id = add_hook(&console, &admin, &hook, "json").await;
    change_first_rule(&console, &admin, |rule| rule["targets"] = json!([{"kind": "webhook", "value": id}])).await;
    hook.refuse(1);
    console.collector.raise(alert("a1", "high", "webshell"));
    console.catch_up().await;
    assert_eq!(notify::send_hooks(&console.app).await.unwrap(), 1);
    let waiting = console.get(&admin, "/api/v1/notices").await.json()["items"][0].clone();
    assert_eq!(waiting["state"], "queued");
    // The receiver repeats what it was sent: the secret is still in nothing that is kept.
    assert!(waiting["last_error"].as_str().unwrap().contains("503"), "{waiting}");
    assert!(!waiting.to_string().contains(SECRET), "{waiting}");
    assert_eq!(notify::send_hooks(&console.app).await.unwrap(), 0, "not before its time");
    console.clock.advance_s(31);
    assert_eq!(notify::send_hooks(&console.app).await.unwrap(), 1);
    let request = hook.taken().pop().unwrap();
    let signed = signature(SECRET, &request.headers["x-luytre-time"], &request.body);
    assert_eq!(request.headers["x-luytre-signature"], signed);
    let now_s = luytre_console::clock::from_text("2026-11-22T03:00:31Z").unwrap() / 1_000_000;
    assert_eq!(request.headers["x-luytre-time"], now_s.to_string());
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        (&body["kind"], &body["alert"]["id"], &body["alert"]["severity"]),
        (&json!("alert"), &json!("a1"), &json!("high"))
    );
    assert!(body["text"].as_str().unwrap().contains("https://console.tinh.example:8443/alerts/a1"), "{body}");
    let sent = console.get(&admin, "/api/v1/notices").await.json()["items"][0].clone();
    assert_eq!((&sent["state"], &sent["receipt"]), (&json!("sent"), &json!("200 {\"ok\":true,\"error\":0}")));
}

#[tokio::test]
async fn messages_for_chats_have_their_shape_and_a_refusal_inside_an_answer_is_one() {
    let console = Console::start().await;
    let admin = admin(&console).await;
    let hook = FakeHook::start().await;
    for shape in ["telegram", "zalo"] {
        let id = add_hook(&console, &admin, &hook, shape).await;
        let tried = console.post(&admin, &format!("/api/v1/notice-channels/{id}/test"), Value::Null).await;
        assert_eq!(tried.json()["queued"], 1, "{}", tried.json());
        assert_eq!(notify::send_hooks(&console.app).await.unwrap(), 1);
    }
    let taken = hook.taken();
    let (telegram, zalo): (Value, Value) =
        (serde_json::from_str(&taken[0].body).unwrap(), serde_json::from_str(&taken[1].body).unwrap());
    assert_eq!(telegram["chat_id"], "4711");
    assert!(telegram["text"].as_str().unwrap().contains("Thử thông báo"), "{telegram}");
    assert_eq!(zalo["recipient"]["user_id"], "4711");
    assert_eq!(taken[1].headers["access_token"], SECRET);
    hook.answer(r#"{"error": -216, "message": "Access token is invalid"}"#);
    let zalo = console.get(&admin, "/api/v1/notice-channels").await.json()["items"][1]["id"].clone();
    console.post(&admin, &format!("/api/v1/notice-channels/{}/test", zalo.as_str().unwrap()), Value::Null).await;
    notify::send_hooks(&console.app).await.unwrap();
    let refused = console.get(&admin, "/api/v1/notices").await.json()["items"][0].clone();
    assert_eq!(refused["state"], "queued");
    assert!(refused["last_error"].as_str().unwrap().contains("-216"), "{refused}");
}

#[tokio::test]
async fn a_secret_goes_to_no_other_address_and_nothing_leaves_in_clear() {
    let console = Console::start().await;
    let admin = admin(&console).await;
    let hook = FakeHook::start().await;
    let id = add_hook(&console, &admin, &hook, "json").await;
    let wish = |url: &str| json!({"name": "x", "shape": "json", "url": url, "enabled": true, "version": 1});
    let path = format!("/api/v1/notice-channels/{id}");
    let moved = console.call(&admin, Method::PUT, &path, wish("https://elsewhere.example/")).await;
    assert_eq!(moved.json()["fields"]["secret"].as_str().map(|text| text.contains("again")), Some(true));
    assert_eq!(console.call(&admin, Method::PUT, &path, wish(&hook.url())).await.status, StatusCode::OK);
    for bad in ["http://10.0.0.5/x", "file:///etc/passwd", "gopher://127.0.0.1/"] {
        let mut wish = wish(bad);
        wish["secret"] = json!("s");
        let answer = console.post(&admin, "/api/v1/notice-channels", wish).await;
        assert!(answer.json()["fields"]["url"].is_string(), "{bad}: {}", answer.json());
    }
    let log = console.get(&admin, "/api/v1/audit?kind=channel").await;
    assert!(log.json()["items"].as_array().unwrap().len() >= 2);
    assert!(!String::from_utf8_lossy(&log.bytes).contains(SECRET));
}

#[tokio::test]
async fn a_dead_channel_is_told_of_once_through_the_others_and_on_the_screens() {
    let (console, server, mailer) = with_mail().await;
    let admin = admin(&console).await;
    let hook = FakeHook::start().await;
    add_hook(&console, &admin, &hook, "json").await;
    change_first_rule(&console, &admin, |rule| {
        rule["targets"] = json!([{"kind": "address", "value": "truc-ban@tinh.example"}]);
    })
    .await;
    *server.refuse.lock().unwrap() = 6;
    for n in 0..6 {
        console.collector.raise(alert(&format!("a{n}"), "high", "webshell"));
    }
    console.catch_up().await;
    notify::send_round(&console.app, &mailer).await.unwrap();
    notify::send_hooks(&console.app).await.unwrap();
    let told: Vec<Value> = hook.taken().iter().map(|one| serde_json::from_str(&one.body).unwrap()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["kind"], "channel");
    let alarms = console.get(&admin, "/api/v1/notice-alarms").await.json();
    assert_eq!(alarms["dead"][0]["name"], "mail");
    assert!(alarms["dead"][0]["error"].as_str().unwrap().contains("busy"), "{alarms}");
    console.clock.advance_s(60);
    notify::send_round(&console.app, &mailer).await.unwrap();
    assert_eq!(console.get(&admin, "/api/v1/notice-alarms").await.json()["dead"], json!([]));
    let log = console.get(&admin, "/api/v1/audit?kind=channel").await.json();
    let actions: Vec<&str> = log["items"].as_array().unwrap().iter().filter_map(|one| one["action"].as_str()).collect();
    assert_eq!(actions, ["channel.alive", "channel.dead", "channel.saved"]);
}

#[tokio::test]
async fn every_template_can_be_seen_before_it_is_sent() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    for template in ["alert", "escalation", "digest", "test", "channel"] {
        for lang in ["vi", "en"] {
            let path = format!("/api/v1/notice-preview?template={template}&lang={lang}");
            let mail = console.get(&lan, &path).await.json();
            assert_eq!(mail["real"], false);
            assert!(mail["html"].as_str().unwrap().contains("</html>"), "{path}");
            assert!(!mail["subject"].as_str().unwrap().is_empty());
            for shape in ["json", "telegram", "zalo"] {
                let body = console.get(&lan, &format!("{path}&shape={shape}")).await.json();
                let body: Value = serde_json::from_str(body["text"].as_str().unwrap()).unwrap();
                assert!(body.is_object(), "{path} {shape}");
            }
        }
    }
    console.collector.raise(alert("a1", "high", "webshell"));
    console.catch_up().await;
    assert_eq!(console.get(&lan, "/api/v1/notice-preview").await.json()["real"], true);
    assert_eq!(console.get(&lan, "/api/v1/notice-preview?template=none").await.status, StatusCode::BAD_REQUEST);
}
