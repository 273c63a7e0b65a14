//! Notices to agencies, from both sides: the team sends, an agency's contact answers, and nobody else learns of it.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use luytre_console::model::Role;
use luytre_console::notify::{self, Mailer};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fakes::{FakeMailServer, mail_text};
use crate::harness::{Answer, Browser, Console};
use crate::mails::with_mail;

/// Stands in everything of the case that no agency may see.
const INNER: &str = "CHUYENNOIBO";

/// A team and a contact of two agencies each.
struct Two {
    console: Console,
    server: FakeMailServer,
    mailer: Mailer,
    lan: Browser,
    ours: Browser,
    theirs: Browser,
    case: String,
}

async fn two() -> Two {
    let (console, server, mailer) = with_mail().await;
    let root = console.user("root", Role::Admin).await;
    for (id, name) in [("stc", "Sở Tài chính"), ("syt", "Sở Y tế")] {
        let made = console.post(&root, "/api/v1/agencies", json!({"id": id, "fields": {"name": name}})).await;
        assert_eq!(made.status, StatusCode::OK);
    }
    let record = json!({"kind": "contact", "name": "Văn thư", "email": "van-thu@stc.example"});
    assert_eq!(console.post(&root, "/api/v1/agencies/stc/records", record).await.status, StatusCode::OK);
    let lan = console.user("lan", Role::Analyst).await;
    let ours = console.user_of("dau-moi-stc", Role::Agency, Some("stc")).await;
    let theirs = console.user_of("dau-moi-syt", Role::Agency, Some("syt")).await;
    let id = me(&console, &ours).await;
    let address = json!({"mail": "dau-moi@stc.example"});
    let path = format!("/api/v1/notice-addresses/{id}");
    assert_eq!(console.call(&root, Method::PUT, &path, address).await.status, StatusCode::OK);
    let open = json!({"title": format!("Hồ sơ {INNER}"), "severity": "high", "summary": INNER});
    let case = console.post(&lan, "/api/v1/cases", open).await.json()["id"].as_str().unwrap().to_owned();
    let note = json!({"text": format!("Trao đổi {INNER}")});
    assert_eq!(console.post(&lan, &format!("/api/v1/cases/{case}/notes"), note).await.status, StatusCode::OK);
    Two { console, server, mailer, lan, ours, theirs, case }
}

async fn me(console: &Console, browser: &Browser) -> String {
    console.get(browser, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned()
}

fn wish(more: Value) -> Value {
    let mut wish = json!({"agency_id": "stc", "subject": "Máy chủ gửi thư rác", "text": "Đề nghị kiểm tra máy chủ thư.",
        "tlp": "amber", "asks": ["confirm", "answer", "logs", "remediation"], "due_at": "2026-11-23T03:00:00Z"});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wish
}

impl Two {
    fn of(&self, rest: &str) -> String {
        format!("/api/v1/cases/{}/agency-notices{rest}", self.case)
    }

    async fn draft(&self, more: Value) -> String {
        let made = self.console.post(&self.lan, &self.of(""), wish(more)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", String::from_utf8_lossy(&made.bytes));
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn sent(&self, more: Value) -> String {
        let id = self.draft(more).await;
        let sent = self.console.post(&self.lan, &self.of(&format!("/{id}/send")), Value::Null).await;
        assert_eq!(sent.status, StatusCode::OK, "{}", String::from_utf8_lossy(&sent.bytes));
        id
    }

    /// The notice as the team sees it.
    async fn seen(&self, id: &str) -> Value {
        let case = self.console.get(&self.lan, &format!("/api/v1/cases/{}", self.case)).await.json();
        case["agency_notices"].as_array().unwrap().iter().find(|notice| notice["id"] == id).unwrap().clone()
    }

    async fn put(&self, browser: &Browser, path: &str, piece: Vec<u8>) -> Answer {
        let request = Request::put(path)
            .header(header::COOKIE, &browser.cookie)
            .header("x-csrf-token", &browser.csrf)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::from(piece));
        let response = self.console.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, bytes }
    }

    /// A contact uploads a file in pieces of this size; answers the file.
    async fn upload(&self, notice: &str, name: &str, content: &[u8], piece: usize) -> Value {
        let path = format!("/api/v1/agency-work/{notice}/files");
        let begun = self.console.post(&self.ours, &path, json!({"name": name, "bytes": content.len()})).await;
        assert_eq!(begun.status, StatusCode::OK, "{}", String::from_utf8_lossy(&begun.bytes));
        let mut file = begun.json();
        let path = format!("{path}/{}", file["id"].as_str().unwrap());
        for (number, part) in content.chunks(piece).enumerate() {
            let put = self.put(&self.ours, &format!("{path}?at={}", number * piece), part.to_vec()).await;
            assert_eq!(put.status, StatusCode::OK, "{}", String::from_utf8_lossy(&put.bytes));
            file = put.json();
        }
        file
    }

    /// Time goes by, and everybody logs in again.
    async fn later(&mut self, seconds: i64) {
        self.console.clock.advance_s(seconds);
        self.lan = self.console.log_in("lan").await;
        self.ours = self.console.log_in("dau-moi-stc").await;
    }

    /// A contact begins a file.
    async fn begin(&self, notice: &str, name: &str, bytes: u64) -> Answer {
        let path = format!("/api/v1/agency-work/{notice}/files");
        self.console.post(&self.ours, &path, json!({"name": name, "bytes": bytes})).await
    }

    async fn mails(&self) -> Vec<String> {
        notify::send_round(&self.console.app, &self.mailer).await.unwrap();
        self.server.mails.lock().unwrap().clone()
    }
}

fn sha256(content: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(content))
}

#[tokio::test]
async fn a_contact_confirms_answers_uploads_and_reports_and_the_team_sees_all_of_it() {
    let two = two().await;
    let id = two.draft(json!({})).await;
    assert_eq!(two.console.get(&two.ours, "/api/v1/agency-work").await.json()["total"], 0, "a draft is nobody's work");
    let hidden = two.console.get(&two.ours, &format!("/api/v1/agency-work/{id}")).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let sent = two.console.post(&two.lan, &two.of(&format!("/{id}/send")), Value::Null).await;
    assert_eq!(sent.status, StatusCode::OK);

    let mut to: Vec<String> = Vec::new();
    for mail in two.mails().await {
        to.extend(mail.lines().find_map(|line| line.strip_prefix("To: ").map(str::to_owned)));
        let text = mail_text(&mail);
        assert!(text.contains(&format!("/assigned/{id}")) && text.contains("23/11/2026"), "{text}");
        assert!(!mail.contains("thư rác") && !text.contains("thư rác"), "TLP:AMBER names no particulars: {text}");
    }
    to.sort();
    assert_eq!(to, ["dau-moi@stc.example", "van-thu@stc.example"]);
    assert_eq!(two.seen(&id).await["told_to"], json!(["dau-moi@stc.example", "van-thu@stc.example"]));

    let path = format!("/api/v1/agency-work/{id}");
    let work = two.console.get(&two.ours, "/api/v1/agency-work").await.json();
    assert_eq!(work["agency"]["name"], "Sở Tài chính");
    assert_eq!(work["items"][0]["missing"], json!(["confirm", "answer", "logs", "remediation"]));
    for _ in 0..2 {
        let confirmed = two.console.post(&two.ours, &format!("{path}/confirm"), Value::Null).await;
        assert_eq!(confirmed.status, StatusCode::OK);
    }
    let answer = json!({"text": "Đã cô lập máy chủ."});
    assert_eq!(two.console.post(&two.ours, &format!("{path}/answers"), answer).await.status, StatusCode::OK);
    let log: Vec<u8> = "2026-11-22 10:42:07 đăng nhập thất bại\n".repeat(30_000).into_bytes();
    let file = two.upload(&id, "nhat-ky.log", &log, 400_000).await;
    assert_eq!((file["state"].as_str(), file["kind"].as_str()), (Some("waiting"), Some("text/plain")));
    assert_eq!(file["digest"], sha256(&log));
    let report = json!({"text": "Đã vá lỗ hổng.", "done_at": "2026-11-22T02:00:00Z", "done_by": "Tổ kỹ thuật"});
    let last = two.console.post(&two.ours, &format!("{path}/remediation"), report).await.json();
    assert_eq!((last["state"].as_str(), &last["missing"]), (Some("met"), &json!([])));

    notify::agency::round(&two.console.app).await.unwrap();
    let seen = two.seen(&id).await;
    let kinds: Vec<&str> = seen["entries"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["confirmed", "answer", "remediation"], "confirmed once");
    assert_eq!(seen["entries"][2]["done_by"], "Tổ kỹ thuật");
    assert_eq!(seen["confirmed_by"]["name"], "dau-moi-stc");
    let kept = &seen["files"][0];
    assert_eq!((kept["state"].as_str(), kept["scan"].as_str()), (Some("kept"), Some("not_scanned")));
    let documents = two.console.collector.documents.lock().unwrap().clone();
    assert_eq!(documents.len(), 1);
    assert_eq!((documents[0].by.as_str(), documents[0].content == log), ("dau-moi-stc", true), "as it was uploaded");
    let case = two.console.get(&two.lan, &format!("/api/v1/cases/{}", two.case)).await.json();
    let history: Vec<&str> =
        case["history"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    for action in ["agency_sent", "agency_confirmed", "agency_answered", "agency_file", "agency_remediated"] {
        assert_eq!(history.iter().filter(|one| **one == action).count(), 1, "{action} in {history:?}");
    }
    let inbox = two.console.get(&two.lan, "/api/v1/inbox").await.json();
    assert!(inbox["items"].as_array().unwrap().iter().any(|item| item["kind"] == "agency"), "{inbox}");
}

#[tokio::test]
async fn nothing_of_the_case_nor_of_another_agency_reaches_a_contact() {
    let two = two().await;
    let id = two.sent(json!({})).await;
    let (work, one) = ("/api/v1/agency-work".to_owned(), format!("/api/v1/agency-work/{id}"));
    for path in [&work, &one] {
        let said = String::from_utf8(two.console.get(&two.ours, path).await.bytes).unwrap();
        assert!(said.contains("thư rác") && !said.contains(INNER) && !said.contains("evidence"), "{said}");
    }
    assert_eq!(two.console.get(&two.theirs, &work).await.json()["total"], 0);
    let file = two.upload(&id, "a.log", b"abc", 3).await["id"].as_str().unwrap().to_owned();
    let tries = [
        (Method::GET, one.clone(), Value::Null),
        (Method::POST, format!("{one}/confirm"), Value::Null),
        (Method::POST, format!("{one}/answers"), json!({"text": "x"})),
        (Method::POST, format!("{one}/files"), json!({"name": "x", "bytes": 1})),
        (Method::GET, format!("{one}/files/{file}"), Value::Null),
        (Method::DELETE, format!("{one}/files/{file}"), Value::Null),
    ];
    for (method, path, body) in tries {
        let answer = two.console.call(&two.theirs, method.clone(), &path, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    assert_eq!(two.put(&two.theirs, &format!("{one}/files/{file}?at=3"), vec![1]).await.status, StatusCode::NOT_FOUND);
    for path in ["/api/v1/cases", &format!("/api/v1/cases/{}", two.case), "/api/v1/alerts", "/api/v1/live"] {
        assert_eq!(two.console.get(&two.ours, path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let upload = two.console.get(&two.ours, &format!("{one}/files/{file}")).await;
    assert_eq!(upload.status, StatusCode::NOT_FOUND, "what was uploaded is not given out to agencies");
    assert_eq!(two.seen(&id).await["entries"].as_array().unwrap().len(), 1, "only the upload confirmed receipt");
}

#[tokio::test]
async fn uploads_go_on_after_a_break_and_are_bounded() {
    let mut two = two().await;
    let id = two.sent(json!({})).await;
    let path = format!("/api/v1/agency-work/{id}/files");
    for (name, bytes) in [("a.log", 0), ("a.log", (50 << 20) + 1), ("", 5)] {
        assert_eq!(two.begin(&id, name, bytes).await.status, StatusCode::BAD_REQUEST, "{name} {bytes}");
    }
    let begun = two.console.post(&two.ours, &path, json!({"name": "../../x\u{202e}gol.exe", "bytes": 6})).await.json();
    assert_eq!(begun["name"], "x_gol.exe");
    let one = format!("{path}/{}", begun["id"].as_str().unwrap());
    assert_eq!(two.put(&two.ours, &format!("{one}?at=0"), b"MZ\x90".to_vec()).await.json()["received"], 3);
    let again = two.put(&two.ours, &format!("{one}?at=0"), b"MZ\x90".to_vec()).await;
    assert_eq!((again.status, again.json()["code"].as_str()), (StatusCode::CONFLICT, Some("other_place")));
    let longer = two.put(&two.ours, &format!("{one}?at=3"), vec![0; 4]).await;
    assert_eq!(longer.status, StatusCode::CONFLICT, "longer than was said");
    assert_eq!(two.put(&two.ours, &format!("{one}?at=3"), Vec::new()).await.status, StatusCode::BAD_REQUEST);
    let whole = two.put(&two.ours, &format!("{one}?at=3"), vec![0; 3]).await.json();
    assert_eq!(whole["kind"], "application/vnd.microsoft.portable-executable", "its name does not matter");
    assert_eq!(whole["digest"], sha256(b"MZ\x90\0\0\0"));
    let huge = two.put(&two.ours, &format!("{one}?at=6"), vec![0; 600 << 10]).await;
    assert_eq!(huge.status, StatusCode::BAD_REQUEST, "larger than a piece");
    let too_much = two.put(&two.ours, &format!("{one}?at=6"), vec![0; 2 << 20]).await;
    assert_eq!(too_much.status, StatusCode::PAYLOAD_TOO_LARGE);

    for n in 0..9 {
        let begun = two.begin(&id, &format!("{n}.log"), 50 << 20).await;
        assert_eq!(begun.status, StatusCode::OK, "{n}");
    }
    let full = two.begin(&id, "10.log", 50 << 20).await;
    assert_eq!((full.status, full.json()["code"].as_str()), (StatusCode::CONFLICT, Some("day_full")));
    assert_eq!(two.seen(&id).await["files"].as_array().unwrap().len(), 10);
    two.later(6 * 3600 + 1).await;
    notify::agency::round(&two.console.app).await.unwrap();
    let left = two.seen(&id).await["files"].as_array().unwrap().clone();
    assert_eq!(left.len(), 1, "what nobody goes on with is forgotten, what is whole is not");
    assert_eq!(two.console.app.metrics.uploads_abandoned.get(), 9);
    assert_eq!(two.begin(&id, "10.log", 50 << 20).await.status, StatusCode::OK, "and counts no longer");
}

#[tokio::test]
async fn a_collector_that_is_away_gets_the_file_later_and_it_leaves_behind_a_password() {
    let two = two().await;
    let id = two.sent(json!({})).await;
    two.console.collector.refuse_documents(2);
    let file = two.upload(&id, "a.log", b"abc", 3).await["id"].as_str().unwrap().to_owned();
    let read = two.of(&format!("/{id}/files/{file}/read"));
    for turn in 0..2 {
        notify::agency::round(&two.console.app).await.unwrap();
        notify::agency::round(&two.console.app).await.unwrap();
        let seen = two.seen(&id).await["files"][0].clone();
        assert_eq!(seen["state"], "waiting", "turn {turn}");
        assert!(seen["problem"].as_str().unwrap().contains("full"), "{seen}");
        let early = two.console.post(&two.lan, &read, json!({"reason": "xem"})).await;
        assert_eq!((early.status, early.json()["code"].as_str()), (StatusCode::CONFLICT, Some("not_kept_yet")));
        two.console.clock.advance_s(30);
    }
    assert_eq!(two.console.collector.documents.lock().unwrap().len(), 0);
    notify::agency::round(&two.console.app).await.unwrap();
    assert_eq!(two.seen(&id).await["files"][0]["state"], "kept");
    let without = two.console.post(&two.lan, &read, json!({"reason": " "})).await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST, "nobody takes it out without a reason");
    let taken = two.console.post(&two.lan, &read, json!({"reason": "phân tích"})).await;
    assert_eq!(taken.status, StatusCode::OK);
    assert_eq!(taken.headers["x-luytre-password"], "mo-ra");
    assert!(taken.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    let case = two.console.get(&two.lan, &format!("/api/v1/cases/{}", two.case)).await.json();
    let last = case["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (last["action"].as_str(), last["detail"]["reason"].as_str()),
        (Some("agency_file_read"), Some("phân tích"))
    );
}

#[tokio::test]
async fn documents_go_with_a_draft_and_are_never_shown_in_place() {
    let two = two().await;
    let id = two.draft(json!({})).await;
    let files = two.of(&format!("/{id}/files"));
    let html = b"<html><script>alert(1)</script></html>".to_vec();
    let begun = two.console.post(&two.lan, &files, json!({"name": "hướng dẫn.html", "bytes": html.len()})).await.json();
    let one = format!("{files}/{}", begun["id"].as_str().unwrap());
    let early = two.console.post(&two.lan, &two.of(&format!("/{id}/send")), Value::Null).await;
    assert_eq!(early.json()["code"], "file_on_its_way");
    assert_eq!(two.put(&two.lan, &format!("{one}?at=0"), html.clone()).await.json()["state"], "kept");
    let sent = two.console.post(&two.lan, &two.of(&format!("/{id}/send")), Value::Null).await;
    assert_eq!(sent.status, StatusCode::OK);
    let late = two.console.post(&two.lan, &files, json!({"name": "b", "bytes": 1})).await;
    assert_eq!(late.json()["code"], "notice_sent", "what was sent is as it was sent");
    let path = format!("/api/v1/agency-work/{id}/files/{}", begun["id"].as_str().unwrap());
    for (browser, path) in [(&two.ours, path.as_str()), (&two.lan, one.as_str())] {
        let got = two.console.get(browser, path).await;
        assert_eq!((got.status, &got.bytes), (StatusCode::OK, &html));
        assert_eq!(got.headers[header::CONTENT_TYPE], "application/octet-stream");
        let disposition = got.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
        assert!(disposition.starts_with("attachment;") && disposition.contains("UTF-8''h%C6%B0"), "{disposition}");
        assert_eq!(got.headers["x-content-type-options"], "nosniff");
    }
    assert_eq!(two.console.get(&two.theirs, &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_late_is_told_once_and_reminders_are_not_too_many() {
    let mut two = two().await;
    let id = two.sent(json!({"tlp": "green"})).await;
    assert!(two.mails().await.iter().any(|mail| mail_text(mail).contains("thư rác")), "TLP:GREEN may name the subject");
    let remind = two.of(&format!("/{id}/remind"));
    let soon = two.console.post(&two.lan, &remind, Value::Null).await;
    assert_eq!(soon.json()["code"], "reminded", "they were told just now");
    two.later(3700).await;
    assert_eq!(two.console.post(&two.lan, &remind, Value::Null).await.status, StatusCode::OK);
    assert_eq!(two.mails().await.len(), 4, "two people, twice");
    two.later(86_400).await;
    let due = two.console.get(&two.ours, "/api/v1/agency-work").await.json();
    assert_eq!(due["items"][0]["overdue"], true);
    for _ in 0..3 {
        notify::agency::round(&two.console.app).await.unwrap();
    }
    assert_eq!(two.mails().await.len(), 6);
    let lan = &two.lan;
    let case = two.console.get(lan, &format!("/api/v1/cases/{}", two.case)).await.json();
    let entries = case["agency_notices"][0]["entries"].as_array().unwrap().clone();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reminder", "late"]);
    let path = format!("/api/v1/cases/{}", two.case);
    let close = json!({"version": case["version"], "status": "closed"});
    let closed = two.console.call(lan, Method::PATCH, &path, close).await.json();
    let last = closed["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["detail"]["unanswered"], "1-1 Sở Tài chính", "closing says what is unanswered: {last}");
}

#[tokio::test]
async fn what_an_agency_says_is_taken_after_the_case_is_closed_and_not_after_the_notice_ended() {
    let two = two().await;
    let id = two.sent(json!({})).await;
    let path = format!("/api/v1/cases/{}", two.case);
    let case = two.console.get(&two.lan, &path).await.json();
    let close = json!({"version": case["version"], "status": "closed"});
    assert_eq!(two.console.call(&two.lan, Method::PATCH, &path, close).await.status, StatusCode::OK);
    let answers = format!("/api/v1/agency-work/{id}/answers");
    assert_eq!(two.console.post(&two.ours, &answers, json!({"text": "muộn"})).await.status, StatusCode::OK);
    let end = two.of(&format!("/{id}/end"));
    let refused = two.console.post(&two.lan, &end, json!({"reason": "đủ"})).await;
    assert_eq!(refused.json()["code"], "case_closed", "the team opens the case again first");
    let case = two.console.get(&two.lan, &path).await.json();
    let open = json!({"version": case["version"], "status": "in_progress"});
    assert_eq!(two.console.call(&two.lan, Method::PATCH, &path, open).await.status, StatusCode::OK);
    assert_eq!(two.console.post(&two.lan, &end, json!({"reason": "đã đủ thông tin"})).await.status, StatusCode::OK);
    let late = two.console.post(&two.ours, &answers, json!({"text": "nữa"})).await;
    assert_eq!((late.status, late.json()["code"].as_str()), (StatusCode::CONFLICT, Some("notice_ended")));
    let seen = two.console.get(&two.ours, &format!("/api/v1/agency-work/{id}")).await.json();
    assert_eq!((seen["state"].as_str(), seen["ended_reason"].as_str()), (Some("ended"), Some("đã đủ thông tin")));
}

#[tokio::test]
async fn a_restricted_case_tells_its_agency_and_nobody_else_and_the_log_names_no_subject() {
    let two = two().await;
    let path = format!("/api/v1/cases/{}", two.case);
    let case = two.console.get(&two.lan, &path).await.json();
    let restrict = json!({"version": case["version"], "restricted": true, "user_ids": []});
    let done = two.console.call(&two.lan, Method::PUT, &format!("{path}/access"), restrict).await;
    assert_eq!(done.status, StatusCode::OK);
    let id = two.sent(json!({})).await;
    let minh = two.console.user("minh", Role::Analyst).await;
    assert_eq!(two.console.get(&minh, &path).await.status, StatusCode::NOT_FOUND);
    let remind = two.console.post(&minh, &two.of(&format!("/{id}/remind")), Value::Null).await;
    assert_eq!(remind.status, StatusCode::NOT_FOUND);
    let shift = two.console.get(&minh, "/api/v1/shift").await.json();
    assert_eq!((shift["unanswered_total"].as_u64(), shift["unanswered"].as_array().unwrap().len()), (Some(1), 0));
    assert_eq!(two.console.get(&two.ours, "/api/v1/agency-work").await.json()["total"], 1);
    let auditor = two.console.user("kiem-toan", Role::Auditor).await;
    let log = String::from_utf8(two.console.get(&auditor, "/api/v1/audit?limit=200").await.bytes).unwrap();
    assert!(log.contains("case.agency_sent") && !log.contains("thư rác"), "{log}");
}
