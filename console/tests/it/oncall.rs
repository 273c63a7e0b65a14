//! On call: rosters, ladders that ask the next one, and the links that acknowledge.

use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use luytre_console::app::App;
use luytre_console::clock::from_text;
use luytre_console::model::Role;
use luytre_console::notify::{self, Mailer};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fakes::{FakeMailServer, alert, mail_text};
use crate::harness::{Browser, Console};
use crate::mails::with_mail;

struct Watch {
    console: Console,
    server: FakeMailServer,
    mailer: Mailer,
    admin: Browser,
    /// Ids of the two who are asked.
    people: [String; 2],
}

/// A console with a mail server, two people with addresses, and a rule whose ladder asks one and then the other.
async fn watch() -> Watch {
    let (console, server, mailer) = with_mail().await;
    let admin = console.user("quan-tri", Role::Admin).await;
    let mut people = Vec::new();
    for name in ["lan", "minh"] {
        console.user(name, Role::Analyst).await;
        let id = console.app.store.user_by_name(name).await.unwrap().unwrap().0.id;
        let path = format!("/api/v1/notice-addresses/{id}");
        let set = console.call(&admin, Method::PUT, &path, json!({"mail": format!("{name}@tinh.example")})).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.json());
        people.push(id);
    }
    let people: [String; 2] = people.try_into().unwrap();
    let first = console.get(&admin, "/api/v1/notice-rules").await.json()["items"][0].clone();
    let mut rule = first["rule"].clone();
    rule["targets"] = json!([]);
    rule["ladder"] =
        people.iter().map(|id| json!({"target": {"kind": "user", "value": id}, "wait_minutes": 10})).collect();
    let path = format!("/api/v1/notice-rules/{}", first["id"].as_str().unwrap());
    let body = json!({"rule": rule, "version": first["version"]});
    assert_eq!(console.call(&admin, Method::PUT, &path, body).await.status, StatusCode::OK);
    Watch { console, server, mailer, admin, people }
}

impl Watch {
    async fn raise(&self, id: &str) {
        self.console.collector.raise(alert(id, "critical", "webshell"));
        self.console.catch_up().await;
    }

    /// What is due is done, and all mails are sent; answers to whom mails went so far.
    async fn go_on(&self) -> Vec<String> {
        go_on(&self.console.app, &self.mailer).await;
        let mails = self.server.mails.lock().unwrap().clone();
        let to = |mail: &String| mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap_or_default().to_owned();
        mails.iter().map(to).collect()
    }

    /// The token of the link in a mail.
    fn token(&self, mail: usize) -> String {
        let text = mail_text(&self.server.mails.lock().unwrap()[mail]);
        let (_, rest) = text.split_once("https://console.tinh.example:8443/acknowledge#token=").unwrap();
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
    }

    async fn escalation(&self) -> Value {
        let session = self.console.log_in("quan-tri").await;
        self.console.get(&session, "/api/v1/escalations").await.json()["items"][0].clone()
    }

    /// Looks at a link, as its page does and as programs that scan mails may.
    async fn look(&self, token: &str) -> (StatusCode, Value) {
        let request = Request::get("/api/v1/acknowledgement").header("x-luytre-link", token);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = self.console.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn acknowledge(&self, token: &str) -> (StatusCode, Value) {
        let answer = self.console.post_from("198.51.100.20", "/api/v1/acknowledgement", json!({"token": token})).await;
        (answer.status, answer.json())
    }
}

async fn go_on(app: &App, mailer: &Mailer) {
    // A step at which nobody can be asked is followed by the next at once.
    for _ in 0..3 {
        notify::tick(app).await.unwrap();
    }
    while notify::send_round(app, mailer).await.unwrap() > 0 {}
}

#[tokio::test]
async fn the_next_one_is_asked_and_a_link_acknowledges_once() {
    let watch = watch().await;
    watch.raise("a1").await;
    assert_eq!(watch.go_on().await, ["lan@tinh.example"]);
    watch.console.clock.advance_s(9 * 60);
    assert_eq!(watch.go_on().await.len(), 1, "not before the time is over");
    watch.console.clock.advance_s(60);
    assert_eq!(watch.go_on().await, ["lan@tinh.example", "minh@tinh.example"]);

    let (first, second) = (watch.token(0), watch.token(1));
    assert_ne!(first, second);
    for _ in 0..3 {
        let (status, about) = watch.look(&second).await;
        assert_eq!((status, &about["open"], &about["state"]), (StatusCode::OK, &json!(true), &json!("waiting")));
        assert_eq!(about["user"]["name"], "minh");
    }
    let (status, about) = watch.acknowledge(&second).await;
    assert_eq!(
        (status, &about["state"], &about["ended_by"]["name"]),
        (StatusCode::OK, &json!("acknowledged"), &json!("minh"))
    );
    assert_eq!(watch.acknowledge(&second).await.0, StatusCode::CONFLICT, "once");
    assert_eq!(watch.acknowledge(&first).await.0, StatusCode::CONFLICT, "nothing waits any more");
    assert_eq!(watch.look(&first).await.1["open"], false);
    assert_eq!(watch.look("made-up").await.0, StatusCode::FORBIDDEN);
    watch.console.clock.advance_s(3600);
    assert_eq!(watch.go_on().await.len(), 2, "nobody else is asked");

    let done = watch.escalation().await;
    assert_eq!(
        (&done["state"], &done["how"], &done["steps"][1]["user"]["name"]),
        (&json!("acknowledged"), &json!("link"), &json!("minh"))
    );
    assert!(done["steps"][0]["receipt"].as_str().unwrap().starts_with("250"), "{done}");
    let admin = watch.console.log_in("quan-tri").await;
    let log = watch.console.get(&admin, "/api/v1/audit?kind=escalation").await.json();
    let lines: Vec<&str> = log["items"].as_array().unwrap().iter().filter_map(|line| line["action"].as_str()).collect();
    assert_eq!(lines, ["escalation.acknowledged", "escalation.asked", "escalation.asked", "escalation.opened"]);
    assert_eq!(
        (&log["items"][0]["by"]["name"], &log["items"][0]["address"]),
        (&json!("minh"), &json!("198.51.100.20"))
    );
    assert_eq!(watch.console.get(&admin, "/api/v1/audit/verify").await.json()["whole"], true);
    // No link that works is kept.
    let kept = std::fs::read(watch.console.database()).unwrap();
    assert!(!kept.windows(second.len()).any(|bytes| bytes == second.as_bytes()));
}

#[tokio::test]
async fn a_restart_between_two_steps_loses_none_and_takes_none_twice() {
    let watch = watch().await;
    watch.raise("a1").await;
    watch.go_on().await;
    let folder = watch.console.database().parent().unwrap().to_owned();
    watch.console.app.store.close().await;
    watch.console.clock.advance_s(3600);
    let again = App::open(watch.console.app.settings.clone(), &folder, watch.console.clock.clone()).await.unwrap();
    go_on(&again, &watch.mailer).await;
    go_on(&again, &watch.mailer).await;
    let to: Vec<String> = watch.server.mails.lock().unwrap().iter().map(|mail| mail_to(mail)).collect();
    assert_eq!(to, ["lan@tinh.example", "minh@tinh.example"]);
    let rules = again.store.notice_rules().await.unwrap();
    assert_eq!(rules.len(), 1, "the first rule is not made a second time");
}

fn mail_to(mail: &str) -> String {
    mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn work_in_the_console_ends_it_and_nobody_at_the_end_is_an_alarm() {
    let watch = watch().await;
    watch.raise("a1").await;
    watch.go_on().await;
    let lan = watch.console.log_in("lan").await;
    let assigned =
        watch.console.post(&lan, "/api/v1/alerts/a1/assign", json!({"user_id": watch.people[0], "version": 1}));
    assert_eq!(assigned.await.status, StatusCode::OK);
    watch.console.clock.advance_s(600);
    assert_eq!(watch.go_on().await.len(), 1);
    assert_eq!(watch.escalation().await["state"], "handled");

    let mut other = alert("a2", "critical", "beacon");
    other.raised = "2026-11-22T03:10:00Z".into();
    watch.console.collector.raise(other);
    watch.console.catch_up().await;
    for _ in 0..3 {
        watch.go_on().await;
        watch.console.clock.advance_s(600);
    }
    assert_eq!(watch.go_on().await.len(), 3);
    let alone = watch.escalation().await;
    assert_eq!((&alone["state"], &alone["alert_id"]), (&json!("exhausted"), &json!("a2")));
    let lan = watch.console.log_in("lan").await;
    assert_eq!(watch.console.get(&lan, "/api/v1/notice-alarms").await.json()["exhausted"], 1);
    // Late is better than never, also without a link.
    let path = format!("/api/v1/escalations/{}/acknowledge", alone["id"].as_str().unwrap());
    let answer = watch.console.post(&lan, &path, Value::Null).await.json();
    let done = answer["items"].as_array().unwrap().iter().find(|one| one["id"] == alone["id"]).unwrap().clone();
    assert_eq!(
        (&done["state"], &done["how"], &done["ended_by"]["name"]),
        (&json!("acknowledged"), &json!("console"), &json!("lan"))
    );
    assert_eq!(watch.console.get(&lan, "/api/v1/notice-alarms").await.json()["exhausted"], 0);
}

#[tokio::test]
async fn alerts_of_the_same_kind_join_and_a_step_without_an_address_is_passed_over() {
    let watch = watch().await;
    let path = format!("/api/v1/notice-addresses/{}", watch.people[0]);
    watch.console.call(&watch.admin, Method::PUT, &path, json!({"mail": ""})).await;
    for n in 0..40 {
        watch.raise(&format!("a{n}")).await;
    }
    assert_eq!(watch.go_on().await, ["minh@tinh.example"], "forty alerts ask one person once");
    let one = watch.escalation().await;
    assert_eq!((&one["alerts"], &one["steps"][0]["problem"]), (&json!(40), &json!("no_address")));
}

#[tokio::test]
async fn a_roster_says_who_is_asked_and_who_stands_in_goes_first() {
    let watch = watch().await;
    let manager = watch.console.user("truong", Role::Manager).await;
    let [lan, minh] = &watch.people;
    // 22/11/2026, 10:00 in Viet Nam, is a Sunday.
    let handovers = json!([{"week": 1, "day": 1, "time": "08:00", "user_id": lan},
        {"week": 1, "day": 6, "time": "08:00", "user_id": minh}]);
    let wish = json!({"name": "Trực chính", "weeks": 1, "first_day": "2026-11-16", "handovers": handovers});
    let rosters = watch.console.post(&manager, "/api/v1/rosters", wish.clone()).await.json();
    let roster = rosters["items"][0].clone();
    assert_eq!(roster["duty"][0]["user"]["name"], "minh");
    assert_eq!(roster["duty"][0]["to"], "2026-11-23T01:00:00Z", "Monday at eight");
    let last = roster["duty"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(from_text(last["to"].as_str().unwrap()), from_text("2026-12-06T03:00:00Z"), "two weeks ahead");
    for (field, value) in [
        ("weeks", json!(0)),
        ("first_day", json!("soon")),
        ("handovers", json!([{"week": 2, "day": 1, "time": "08:00", "user_id": lan}])),
    ] {
        let mut bad = wish.clone();
        bad["name"] = json!("khác");
        bad[field] = value;
        assert_eq!(
            watch.console.post(&manager, "/api/v1/rosters", bad).await.status,
            StatusCode::BAD_REQUEST,
            "{field}"
        );
    }
    let analyst = watch.console.log_in("lan").await;
    assert_eq!(watch.console.post(&analyst, "/api/v1/rosters", wish).await.status, StatusCode::FORBIDDEN);

    let id = roster["id"].as_str().unwrap();
    let stand_in =
        json!({"user_id": lan, "from": "2026-11-22T02:00:00Z", "to": "2026-11-22T05:00:00Z", "reason": "đổi ca"});
    let rosters = watch.console.post(&analyst, &format!("/api/v1/rosters/{id}/overrides"), stand_in).await.json();
    assert_eq!(rosters["items"][0]["duty"][0]["user"]["name"], "lan");
    assert_eq!(rosters["items"][0]["duty"][1]["user"]["name"], "minh");

    let first = watch.console.get(&watch.admin, "/api/v1/notice-rules").await.json()["items"][0].clone();
    let mut rule = first["rule"].clone();
    rule["targets"] = json!([{"kind": "roster", "value": id}]);
    rule["ladder"] = json!([]);
    let path = format!("/api/v1/notice-rules/{}", first["id"].as_str().unwrap());
    let body = json!({"rule": rule, "version": first["version"]});
    assert_eq!(watch.console.call(&watch.admin, Method::PUT, &path, body).await.status, StatusCode::OK);
    watch.raise("a1").await;
    assert_eq!(watch.go_on().await, ["lan@tinh.example"]);
    // The next shift is not told again of what the last one knows.
    watch.console.clock.advance_s(3 * 3600);
    watch.raise("a1").await;
    assert_eq!(watch.go_on().await, ["lan@tinh.example"]);
}
