//! Cases in depth: what several people do in one, and who does not even learn that it is there.

use axum::http::{Method, StatusCode};
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::harness::{Browser, Console};
use crate::triage::between;

struct Team {
    console: Console,
    lan: Browser,
    minh: Browser,
}

/// Two analysts, two alerts of different rules between the same hosts.
async fn team() -> Team {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let minh = console.user("minh", Role::Analyst).await;
    console.collector.raise(between("a1", "high", "webshell", "192.0.2.66", "198.51.100.10"));
    console.collector.raise(between("a2", "low", "scan", "192.0.2.66", "198.51.100.11"));
    console.catch_up().await;
    Team { console, lan, minh }
}

impl Team {
    async fn case(&self, wish: Value) -> String {
        let case = self.console.post(&self.lan, "/api/v1/cases", wish).await;
        assert_eq!(case.status, StatusCode::OK, "{}", String::from_utf8_lossy(&case.bytes));
        format!("/api/v1/cases/{}", case.json()["id"].as_str().unwrap())
    }

    async fn plain(&self) -> String {
        self.case(json!({"title": "Web shell trên cổng", "severity": "high", "alert_ids": ["a1"]})).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.console.get(&self.lan, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json()
    }

    async fn done(&self, who: &Browser, method: Method, path: &str, body: Value) -> Value {
        let answer = self.console.call(who, method, path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json()
    }

    async fn id_of(&self, who: &Browser) -> String {
        self.console.get(who, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn of_two_who_change_fields_the_second_is_told_and_a_note_disturbs_nobody() {
    let t = team().await;
    let path = t.plain().await;
    let seen = t.get(&path).await["version"].clone();
    t.done(&t.minh, Method::POST, &format!("{path}/notes"), json!({"text": "đang xem nhật ký"})).await;
    let lan = t.done(&t.lan, Method::PATCH, &path, json!({"summary": "Tệp lạ up.php", "version": seen})).await;
    assert_eq!(lan["summary"], "Tệp lạ up.php", "a note in between is no conflict");
    let minh = t.console.call(&t.minh, Method::PATCH, &path, json!({"summary": "khác", "version": seen})).await;
    assert_eq!((minh.status, &minh.json()["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    assert_eq!(minh.json()["current"]["summary"], "Tệp lạ up.php");
    let ahead = t.console.call(&t.minh, Method::PATCH, &path, json!({"summary": "x", "version": 999})).await;
    assert_eq!(ahead.status, StatusCode::CONFLICT, "a version that never was");
}

#[tokio::test]
async fn phases_are_data_with_their_citation_and_keep_their_times() {
    let t = team().await;
    let data = t.get("/api/v1/case-data").await;
    assert_eq!(data["phases"]["entry"].as_array().unwrap().len(), 8);
    assert!(data["phases"]["citation"].as_str().unwrap().contains("Điều 9"));
    let path = t.plain().await;
    let mut case = t.get(&path).await;
    for phase in ["detect", "contain", "detect"] {
        let wish = json!({"phase": phase, "note": "theo kế hoạch", "version": case["version"]});
        case = t.done(&t.lan, Method::POST, &format!("{path}/phase"), wish).await;
        t.console.clock.advance_s(900);
    }
    let phases: Vec<(&str, &str)> = case["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["phase"].as_str().unwrap(), p["at"].as_str().unwrap()))
        .collect();
    assert_eq!(
        phases,
        [("detect", "2026-11-22T03:00:00Z"), ("contain", "2026-11-22T03:15:00Z"), ("detect", "2026-11-22T03:30:00Z")]
    );
    assert_eq!((&case["phase"], &case["status"]), (&json!("detect"), &json!("in_progress")), "work has begun");
    let stale = json!({"phase": "respond", "version": 1});
    let minh = t.console.log_in("minh").await;
    assert_eq!(t.console.post(&minh, &format!("{path}/phase"), stale).await.status, StatusCode::CONFLICT);
    let unknown = json!({"phase": "party", "version": case["version"]});
    assert_eq!(t.console.post(&t.lan, &format!("{path}/phase"), unknown).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn tasks_of_a_template_fall_due_and_lists_show_it() {
    let mut t = team().await;
    let path = t.case(json!({"title": "Mã độc", "severity": "high", "template": "malware"})).await;
    let case = t.get(&path).await;
    let tasks = case["tasks"].as_array().unwrap().clone();
    let (checks, todo): (Vec<_>, Vec<_>) = tasks.iter().partition(|task| task["check"] == true);
    assert!(!checks.is_empty());
    assert_eq!(
        (&case["open_tasks"], &case["overdue_tasks"]),
        (&json!(todo.len()), &json!(0)),
        "checks are not counted"
    );
    assert_eq!(case["next_due"], "2026-11-22T04:00:00Z");
    t.console.clock.advance_s(2 * 3600 + 1);
    (t.lan, t.minh) = (t.console.log_in("lan").await, t.console.log_in("minh").await);
    let listed = t.get("/api/v1/cases?overdue=true").await;
    assert_eq!((&listed["total"], &listed["items"][0]["overdue_tasks"]), (&json!(1), &json!(2)));

    let task = format!("{path}/tasks/{}", todo[0]["id"].as_str().unwrap());
    let minh_id = t.id_of(&t.minh).await;
    let given = t.done(&t.lan, Method::PATCH, &task, json!({"assignee_id": minh_id, "version": 1})).await;
    let stale = t.console.call(&t.minh, Method::PATCH, &task, json!({"state": "done", "version": 1})).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "somebody gave it to somebody in between");
    let mine = t.console.get(&t.minh, "/api/v1/tasks").await.json();
    assert_eq!((&mine["items"][0]["title"], &mine["items"][0]["overdue"]), (&todo[0]["title"], &json!(true)));
    assert_eq!(given["version"].as_i64().unwrap(), case["version"].as_i64().unwrap() + 1);
    let inbox = t.console.get(&t.minh, "/api/v1/inbox").await.json();
    assert_eq!(
        (&inbox["unseen"], &inbox["items"][0]["kind"], &inbox["items"][0]["by"]["name"]),
        (&json!(1), &json!("task"), &json!("lan"))
    );

    let done = t.done(&t.minh, Method::PATCH, &task, json!({"state": "done", "version": 2})).await;
    let one = done["tasks"].as_array().unwrap().iter().find(|one| one["id"] == todo[0]["id"]).unwrap().clone();
    assert_eq!(
        (&one["state"], &one["done_by"]["name"], &one["overdue"]),
        (&json!("done"), &json!("minh"), &json!(false))
    );
    let again = t.done(&t.lan, Method::POST, &format!("{path}/template"), json!({"template": "malware"})).await;
    assert_eq!(again["tasks"].as_array().unwrap().len(), tasks.len(), "what is there is not added twice");
    let auditor = t.console.user("kiem-toan", Role::Auditor).await;
    let wrong = json!({"title": "x", "assignee_id": t.id_of(&auditor).await});
    assert_eq!(t.console.post(&t.lan, &format!("{path}/tasks"), wrong).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn three_classifications_stand_side_by_side_and_a_value_of_one_is_none_of_another() {
    let t = team().await;
    let path = t.plain().await;
    let mut case = t.get(&path).await;
    for (field, value) in [("national", "takeover"), ("rsit", "intrusions/application-compromise"), ("internal", "n2")]
    {
        case = t.done(&t.lan, Method::PATCH, &path, json!({field: value, "version": case["version"]})).await;
    }
    case = t.done(&t.lan, Method::PATCH, &path, json!({"national": "malware", "version": case["version"]})).await;
    let facts = &case["facts"];
    assert_eq!(
        (&facts["national"], &facts["rsit"], &facts["internal"]),
        (&json!("malware"), &json!("intrusions/application-compromise"), &json!("n2"))
    );
    let wrong =
        t.console.call(&t.lan, Method::PATCH, &path, json!({"national": "n2", "version": case["version"]})).await;
    assert_eq!((wrong.status, wrong.json()["fields"]["national"].is_string()), (StatusCode::BAD_REQUEST, true));
    let found = t.get("/api/v1/cases?group=n2").await;
    assert_eq!((&found["total"], &t.get("/api/v1/cases?group=n1").await["total"]), (&json!(1), &json!(0)));
    let forms = json!({"handled_by": "domestic", "helpers": "VNCERT", "damage_vnd": 120_000_000, "tlp": "red",
        "priority": "p2", "occurred_at": "2026-11-21T20:00:00Z", "version": case["version"],
        "review": {"cause": "Lỗ hổng chưa vá", "lessons": "Rà soát hằng tháng"}});
    let case = t.done(&t.lan, Method::PATCH, &path, forms).await;
    assert_eq!(
        (&case["facts"]["damage_vnd"], &case["tlp"], &case["priority"]),
        (&json!(120_000_000), &json!("red"), &json!("p2"))
    );
    assert_eq!(case["facts"]["review"]["cause"], "Lỗ hổng chưa vá");
    let cleared = json!({"damage_vnd": -1, "priority": "", "occurred_at": "", "version": case["version"]});
    let case = t.done(&t.lan, Method::PATCH, &path, cleared).await;
    assert!(
        case["facts"]["damage_vnd"].is_null() && case["priority"].is_null() && case["facts"]["occurred_at"].is_null()
    );
}

#[tokio::test]
async fn observables_come_from_alerts_and_from_a_paste_and_are_seen_elsewhere() {
    let t = team().await;
    let path = t.plain().await;
    let other = t.case(json!({"title": "Quét cổng", "severity": "low", "alert_ids": ["a2"]})).await;
    let add = async |path: &str, body: Value| t.done(&t.lan, Method::POST, &format!("{path}/observables"), body).await;
    let added = add(&path, json!({"from_alerts": true})).await;
    assert!(added["added"].as_u64().unwrap() >= 2, "{added}");
    let pasted =
        add(&other, json!({"text": "192[.]0[.]2[.]66 hxxp://evil[.]example/a nhảm", "note": "từ đơn vị"})).await;
    assert_eq!((&pasted["added"], &pasted["not_understood"]), (&json!(2), &json!(["nhảm"])));
    assert_eq!(add(&other, json!({"text": "192.0.2.66"})).await["known"], 1);
    let nothing = t.console.post(&t.lan, &format!("{path}/observables"), json!({"text": "không có gì"})).await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST);

    let case = t.get(&path).await;
    let shared = case["observables"].as_array().unwrap().iter().find(|o| o["value"] == "192.0.2.66").unwrap().clone();
    assert_eq!((&shared["origin"], &shared["other_cases"]), (&json!("alert"), &json!(1)));
    let seen = t.get(&format!("{path}/observables/{}/sightings", shared["id"].as_str().unwrap())).await;
    assert_eq!(
        (&seen["alerts"], &seen["events"], &seen["cases"][0]["title"]),
        (&json!(2), &json!(1250), &json!("Quét cổng"))
    );
    assert_eq!(seen["query"], "source.ip:\"192.0.2.66\" OR destination.ip:\"192.0.2.66\"");
    let similar = t.get(&format!("{path}/similar")).await;
    assert_eq!((&similar["items"][0]["number"], &similar["items"][0]["shared_observables"]), (&json!(2), &json!(1)));

    let removed = t
        .done(&t.lan, Method::DELETE, &format!("{path}/observables/{}", shared["id"].as_str().unwrap()), Value::Null)
        .await;
    assert!(removed["observables"].as_array().unwrap().iter().all(|o| o["value"] != "192.0.2.66"));
}

#[tokio::test]
async fn who_is_called_in_a_note_is_told_in_the_console() {
    let t = team().await;
    t.console.user("so-y-te", Role::Agency).await;
    let path = t.plain().await;
    t.done(&t.lan, Method::POST, &format!("{path}/notes"), json!({"text": "@minh xem giúp, @lan @so-y-te @khong-co"}))
        .await;
    let inbox = t.console.get(&t.minh, "/api/v1/inbox").await.json();
    assert_eq!(
        (&inbox["unseen"], &inbox["items"][0]["kind"], &inbox["items"][0]["case_number"]),
        (&json!(1), &json!("mentioned"), &json!(1))
    );
    assert_eq!(t.get("/api/v1/inbox").await["unseen"], 0, "nobody is told of what they wrote themselves");
    let seen = t.done(&t.minh, Method::POST, "/api/v1/inbox/seen", Value::Null).await;
    assert_eq!((&seen["unseen"], &seen["items"][0]["seen"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn a_restricted_case_is_not_there_for_anybody_else() {
    let t = team().await;
    let admin = t.console.user("root", Role::Admin).await;
    let path =
        t.case(json!({"title": "Vi phạm nội bộ", "severity": "high", "restricted": true, "alert_ids": ["a1"]})).await;
    t.done(&t.lan, Method::POST, &format!("{path}/observables"), json!({"text": "203.0.113.77"})).await;
    let open = t.case(json!({"title": "Thường", "severity": "low"})).await;
    t.done(&t.lan, Method::POST, &format!("{open}/observables"), json!({"text": "203.0.113.77"})).await;
    t.done(&t.lan, Method::POST, &format!("{path}/links"), json!({"case_id": open.rsplit('/').next().unwrap()})).await;

    let mut stream = t.console.send(&t.minh, Method::GET, "/api/v1/live", Value::Null).await.into_body();
    for other in [&t.minh, &admin] {
        let list = t.console.get(other, "/api/v1/cases").await.json();
        assert_eq!((&list["total"], list["items"].as_array().unwrap().len()), (&json!(1), 1), "lists and counts");
        assert_eq!(t.console.get(other, "/api/v1/cases?text=noi%20bo").await.json()["total"], 0, "search");
        for (method, below, body) in [
            (Method::GET, "", Value::Null),
            (Method::PATCH, "", json!({"version": 1})),
            (Method::POST, "/notes", json!({"text": "x"})),
            (Method::POST, "/tasks", json!({"title": "x"})),
            (Method::GET, "/similar", Value::Null),
            (Method::PUT, "/access", json!({"restricted": false, "version": 1})),
        ] {
            let answer = t.console.call(other, method, &format!("{path}{below}"), body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{below}");
        }
        let seen = t.console.get(other, &open).await.json();
        assert_eq!((&seen["observables"][0]["other_cases"], seen["links"].as_array().unwrap().len()), (&json!(0), 0));
        let id = seen["observables"][0]["id"].as_str().unwrap();
        let sightings = t.console.get(other, &format!("{open}/observables/{id}/sightings")).await.json();
        assert_eq!(sightings["cases"].as_array().unwrap().len(), 0);
        assert_eq!(t.console.get(other, &format!("{open}/similar")).await.json()["items"].as_array().unwrap().len(), 0);
    }
    let case_id = path.rsplit('/').next().unwrap();
    let into = t.console.post(&t.minh, "/api/v1/alerts/a2/escalate", json!({"case_id": case_id, "version": 1})).await;
    assert_eq!(into.status, StatusCode::NOT_FOUND, "nobody puts an alert where they may not look");
    let bulk = json!({"ids": ["a2"], "action": "escalate", "case_id": case_id});
    assert_eq!(t.console.post(&t.minh, "/api/v1/alerts/bulk", bulk).await.json()["failed"], 1);
    let preview = t.console.get(&t.minh, "/api/v1/suppressions/preview?rule_id=webshell").await.json();
    assert_eq!((&preview["in_cases"], preview["cases"].as_array().unwrap().len()), (&json!(1), 0));
    let task = json!({"title": "x", "assignee_id": t.id_of(&t.minh).await});
    assert_eq!(t.console.post(&t.lan, &format!("{path}/tasks"), task).await.status, StatusCode::BAD_REQUEST);
    t.done(&t.lan, Method::POST, &format!("{path}/notes"), json!({"text": "@minh"})).await;
    assert_eq!(t.console.get(&t.minh, "/api/v1/inbox").await.json()["unseen"], 0);
    t.done(&t.lan, Method::POST, &format!("{open}/notes"), json!({"text": "xong"})).await;
    let heard = heard_until(&mut stream, open.rsplit('/').next().unwrap()).await;
    assert!(!heard.contains(case_id), "the live stream names it: {heard}");

    let audit = t.console.get(&admin, "/api/v1/audit?kind=case").await;
    let audit = String::from_utf8(audit.bytes).unwrap();
    assert!(audit.contains(case_id) && !audit.contains("Vi phạm nội bộ"), "the log knows it without its title");

    let version = t.get(&path).await["version"].clone();
    let wish = json!({"restricted": true, "user_ids": [t.id_of(&t.minh).await], "version": version});
    let named = t.done(&t.lan, Method::PUT, &format!("{path}/access"), wish).await;
    let names: Vec<&Value> = named["members"].as_array().unwrap().iter().map(|m| &m["name"]).collect();
    assert_eq!(names, ["lan", "minh"], "whoever asks stays in");
    assert_eq!(t.console.get(&t.minh, &path).await.status, StatusCode::OK);
    assert_eq!(t.console.get(&t.minh, "/api/v1/inbox").await.json()["items"][0]["kind"], "member");
    assert_eq!(t.console.get(&admin, &path).await.status, StatusCode::NOT_FOUND);
}

/// What a live stream says until it speaks of a case.
async fn heard_until(body: &mut axum::body::Body, case_id: &str) -> String {
    use http_body_util::BodyExt as _;
    let mut text = String::new();
    while !text.contains(case_id) {
        let frame = body.frame().await.expect("the stream goes on").unwrap();
        text.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
    text
}

#[tokio::test]
async fn a_merged_case_hands_its_alerts_over_and_stays_readable() {
    let t = team().await;
    let path = t.plain().await;
    let other = t.case(json!({"title": "Quét cổng", "severity": "low", "alert_ids": ["a2"]})).await;
    t.done(&t.lan, Method::POST, &format!("{other}/notes"), json!({"text": "ghi chú cũ"})).await;
    t.done(&t.lan, Method::POST, &format!("{other}/observables"), json!({"text": "203.0.113.5"})).await;
    let (id, version) = (path.rsplit('/').next().unwrap(), t.get(&other).await["version"].clone());
    let merged = t.done(&t.lan, Method::POST, &format!("{other}/merge"), json!({"into": id, "version": version})).await;
    assert_eq!((&merged["number"], &merged["alert_count"]), (&json!(1), &json!(2)));
    assert!(merged["observables"].as_array().unwrap().iter().any(|o| o["value"] == "203.0.113.5"));
    let old = t.get(&other).await;
    assert_eq!((&old["status"], &old["facts"]["merged_into"]["number"]), (&json!("closed"), &json!(1)));
    assert_eq!(old["notes"][0]["text"], "ghi chú cũ");
    let more = t.console.post(&t.lan, &format!("{other}/tasks"), json!({"title": "x"})).await;
    assert_eq!((more.status, &more.json()["code"]), (StatusCode::CONFLICT, &json!("case_merged")));
    let reopened =
        t.console.call(&t.lan, Method::PATCH, &other, json!({"status": "new", "version": old["version"]})).await;
    assert_eq!(reopened.json()["code"], "case_merged");
    let itself = t.console.post(&t.lan, &format!("{path}/merge"), json!({"into": id, "version": 1})).await;
    assert_eq!(itself.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn evidence_has_a_chain_of_custody_and_every_read_a_reason() {
    let t = team().await;
    let path = t.plain().await;
    let seal = |alert: &str, reason: &str| json!({"alert_id": alert, "reason": reason});
    let foreign = t.console.post(&t.lan, &format!("{path}/evidence"), seal("a2", "x")).await;
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST, "an alert of no case");
    let case = t.done(&t.lan, Method::POST, &format!("{path}/evidence"), seal("a1", "chứng minh web shell")).await;
    let item = &case["evidence"][0];
    assert_eq!((&item["digest"], &item["missing"][0]), (&json!("5e".repeat(32)), &json!("packets of one flow")));
    let of = format!("{path}/evidence/{}", item["id"].as_str().unwrap());
    let silent = t.console.post(&t.minh, &format!("{of}/read"), json!({"reason": " "})).await;
    assert_eq!(silent.status, StatusCode::BAD_REQUEST);
    let read = t.console.post(&t.minh, &format!("{of}/read"), json!({"reason": "so sánh mẫu"})).await;
    assert_eq!(
        (read.status, &*read.bytes, &read.headers["x-luytre-password"]),
        (StatusCode::OK, &b"PK sealed"[..], &"mo-ra".parse().unwrap())
    );
    let case = t.done(&t.lan, Method::POST, &format!("{of}/release"), json!({"reason": "hồ sơ kết thúc"})).await;
    let custody: Vec<(&str, &str, &str)> = case["evidence"][0]["custody"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["action"].as_str().unwrap(), c["by"]["name"].as_str().unwrap(), c["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        custody,
        [
            ("sealed", "lan", "chứng minh web shell"),
            ("read", "minh", "so sánh mẫu"),
            ("released", "lan", "hồ sơ kết thúc")
        ]
    );
    let auditor = t.console.user("kiem-toan", Role::Auditor).await;
    let log = t.console.get(&auditor, "/api/v1/audit?kind=evidence").await.json();
    let actions: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert_eq!(actions, ["evidence.released", "evidence.read", "evidence.sealed"]);
    assert_eq!(
        t.console.post(&auditor, &format!("{of}/read"), json!({"reason": "x"})).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn the_timeline_takes_what_happened_before_and_a_closed_case_takes_no_work() {
    let t = team().await;
    let path = t.plain().await;
    let event = json!({"at": "2026-11-21T22:15:00Z", "text": "Người dân báo trang bị đổi giao diện"});
    t.done(&t.lan, Method::POST, &format!("{path}/events"), event.clone()).await;
    let system = json!({"name": "Cổng dịch vụ công", "level": 3, "operator": "Trung tâm dữ liệu"});
    let case = t.done(&t.lan, Method::POST, &format!("{path}/systems"), system).await;
    assert_eq!((&case["events"][0]["at"], &case["systems"][0]["level"]), (&json!("2026-11-21T22:15:00Z"), &json!(3)));
    let bad = t.console.post(&t.lan, &format!("{path}/systems"), json!({"name": "x", "level": 6})).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    let gone = format!("{path}/systems/{}", case["systems"][0]["id"].as_str().unwrap());
    let case = t.done(&t.lan, Method::DELETE, &gone, Value::Null).await;
    assert_eq!(case["systems"].as_array().unwrap().len(), 0);
    let case = t.done(&t.lan, Method::PATCH, &path, json!({"status": "closed", "version": case["version"]})).await;
    for (below, body) in
        [("events", event), ("tasks", json!({"title": "x"})), ("observables", json!({"text": "192.0.2.1"}))]
    {
        let refused = t.console.post(&t.lan, &format!("{path}/{below}"), body).await;
        assert_eq!(refused.json()["code"], "case_closed", "{below}");
    }
    t.done(&t.lan, Method::PATCH, &path, json!({"status": "in_progress", "version": case["version"]})).await;
    t.done(&t.lan, Method::POST, &format!("{path}/tasks"), json!({"title": "x"})).await;
}
