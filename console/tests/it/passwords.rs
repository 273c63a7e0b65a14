//! Passwords as the policy wants them: changed by their owners, growing old, not coming back; accounts nobody uses.

use axum::http::{Method, StatusCode};
use luytre_console::model::Role;
use luytre_console::setup;
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, Console, PASSWORD};

const DAY_S: i64 = 86_400;

/// The n-th of many good passwords.
fn another(n: u32) -> String {
    format!("Tre già, măng mọc lần {n}")
}

async fn change(console: &Console, who: &Browser, current: &str, new: &str) -> Answer {
    let wish = json!({"current": current, "password": new});
    console.call(who, Method::PUT, "/api/v1/session/password", wish).await
}

async fn log_in(console: &Console, name: &str, password: &str) -> Answer {
    console.post(&Browser::default(), "/api/v1/session", json!({"name": name, "password": password})).await
}

async fn id_of(console: &Console, who: &Browser) -> String {
    console.get(who, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn people_change_their_own_password_and_their_other_sessions_end() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    let lan = console.user("lan", Role::Analyst).await;
    let elsewhere = console.log_in("lan").await;
    let wrong = change(&console, &lan, "không phải mật khẩu này", &another(1)).await;
    assert_eq!((wrong.status, wrong.json()["fields"]["current"].is_string()), (StatusCode::BAD_REQUEST, true));
    let weak = change(&console, &lan, PASSWORD, "ngắn").await;
    assert_eq!((weak.status, weak.json()["fields"]["password"].is_string()), (StatusCode::BAD_REQUEST, true));
    assert_eq!(console.get(&elsewhere, "/api/v1/alerts").await.status, StatusCode::OK, "nothing was changed yet");

    assert_eq!(change(&console, &lan, PASSWORD, &another(1)).await.status, StatusCode::OK);
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.status, StatusCode::OK, "this session stays");
    assert_eq!(console.get(&elsewhere, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&console, "lan", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&console, "lan", &another(1)).await.status, StatusCode::OK);
    let log = console.get(&root, "/api/v1/audit?kind=user").await.json();
    let actions: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert_eq!(actions[..2], ["user.password_changed", "user.password_refused"]);
}

#[tokio::test]
async fn guessing_at_the_current_password_is_slowed_down() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    for _ in 0..5 {
        change(&console, &lan, "không phải mật khẩu này", &another(1)).await;
    }
    let locked = change(&console, &lan, PASSWORD, &another(1)).await;
    assert_eq!((locked.status, &locked.json()["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("locked")));
}

#[tokio::test]
async fn none_of_the_last_ten_passwords_comes_back_neither_by_a_link() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let mut current = PASSWORD.to_owned();
    for n in 1..=10 {
        assert_eq!(change(&console, &lan, &current, &another(n)).await.status, StatusCode::OK, "{n}");
        current = another(n);
    }
    for n in [1, 5, 10] {
        let again = change(&console, &lan, &current, &another(n)).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{n}");
        assert!(again.json()["fields"]["password"].as_str().unwrap().contains("last 10"), "{n}");
    }
    let id = id_of(&console, &lan).await;
    let link = setup::make_link(&console.app, Some(&id)).await.unwrap();
    let token = link.url.rsplit_once("#token=").unwrap().1;
    let by_link = |password: String| json!({"token": token, "password": password});
    let nobody = Browser::default();
    assert_eq!(console.post(&nobody, "/api/v1/setup", by_link(another(3))).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        console.post(&nobody, "/api/v1/setup", by_link(PASSWORD.to_owned())).await.status,
        StatusCode::OK,
        "ten others were used since"
    );
}

#[tokio::test]
async fn an_administrators_password_grows_old_and_must_be_changed_before_anything_else() {
    let console = Console::start().await;
    console.user("root", Role::Admin).await;
    console.user("lan", Role::Analyst).await;
    console.clock.advance_s(59 * DAY_S);
    let root = console.log_in("root").await;
    let info = console.get(&root, "/api/v1/session").await.json();
    assert_eq!(
        (&info["must_change_password"], &info["password_ends_at"]),
        (&json!(false), &json!("2027-01-21T03:00:00Z"))
    );
    assert_eq!(console.get(&root, "/api/v1/alerts").await.status, StatusCode::OK);

    console.clock.advance_s(DAY_S);
    let root = console.log_in("root").await;
    assert_eq!(console.get(&root, "/api/v1/session").await.json()["must_change_password"], true);
    let early = console.get(&root, "/api/v1/alerts").await;
    assert_eq!((early.status, &early.json()["code"]), (StatusCode::FORBIDDEN, &json!("change_password_first")));
    let changed = change(&console, &root, PASSWORD, &another(1)).await;
    assert_eq!(changed.json()["must_change_password"], false);
    assert_eq!(console.get(&root, "/api/v1/alerts").await.status, StatusCode::OK);

    let lan = console.log_in("lan").await;
    assert_eq!(console.get(&lan, "/api/v1/alerts").await.status, StatusCode::OK, "only administrators' grow old");
    assert!(console.get(&lan, "/api/v1/session").await.json()["password_ends_at"].is_null());
}

#[tokio::test]
async fn at_level_3_an_account_that_nobody_used_is_shut_and_let_in_again_by_an_administrator() {
    let console = Console::start_with(|settings| settings.access.profile = "level-3".into()).await;
    console.user("lan", Role::Analyst).await;
    let minh = console.user("minh", Role::Analyst).await;
    let id = id_of(&console, &minh).await;
    console.clock.advance_s(44 * DAY_S);
    console.log_in("lan").await;
    console.clock.advance_s(DAY_S);
    assert_eq!(
        log_in(&console, "minh", PASSWORD).await.json()["code"],
        "wrong_password",
        "as any account that is shut"
    );
    console.log_in("lan").await;

    let auditor = console.user("kiem-toan", Role::Auditor).await;
    let log = console.get(&auditor, "/api/v1/audit?kind=user").await.json();
    let shut: Vec<&Value> =
        log["items"].as_array().unwrap().iter().filter(|line| line["action"] == "user.shut_unused").collect();
    assert_eq!((shut.len(), &shut[0]["detail"]["unused_days"]), (1, &json!("45")));
    assert_eq!(shut[0]["subject"], format!("user:{id}"));

    let again = luytre_console::model::ChangeUser { disabled: Some(false), ..Default::default() };
    console.app.store.change_user(&id, &again, &Default::default()).await.unwrap();
    assert_eq!(log_in(&console, "minh", PASSWORD).await.status, StatusCode::OK);
}
