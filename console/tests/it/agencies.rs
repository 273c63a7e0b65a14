//! The register of agencies: the tree, what belongs to each, tables in and out.

use axum::http::{Method, StatusCode};
use luytre_console::collector::watch::look_at_agencies;
use luytre_console::model::Role;
use serde_json::{Value, json};

use crate::harness::{Browser, Console};

async fn add(console: &Console, who: &Browser, id: &str, name: &str, parent: Option<&str>) -> Value {
    let fields = json!({"name": name, "kind": "department", "parent_id": parent});
    let answer = console.post(who, "/api/v1/agencies", json!({"id": id, "fields": fields})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.bytes));
    answer.json()["agency"].clone()
}

async fn import(
    console: &Console,
    who: &Browser,
    table: &str,
    text: &str,
    apply: Option<&str>,
) -> crate::harness::Answer {
    let apply = apply.map(|digest| format!("&apply={digest}")).unwrap_or_default();
    let path = format!("/api/v1/register/import/{table}?format=csv{apply}");
    console.post_bytes(who, &path, text.as_bytes().to_vec()).await
}

/// Previews and carries out.
async fn bring(console: &Console, who: &Browser, table: &str, text: &str) -> Value {
    let preview = import(console, who, table, text, None).await.json();
    let digest = preview["digest"].as_str().unwrap();
    let done = import(console, who, table, text, Some(digest)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", String::from_utf8_lossy(&done.bytes));
    done.json()
}

#[tokio::test]
async fn the_collectors_agencies_are_taken_over_once_and_then_belong_to_people() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    look_at_agencies(&console.app).await;
    let list = console.get(&lan, "/api/v1/agencies").await.json();
    let syt = &list["items"][0];
    assert_eq!(
        (syt["id"].as_str(), syt["name"].as_str(), syt["networks"].as_u64()),
        (Some("syt"), Some("Sở Y tế"), Some(1))
    );
    let fields = json!({"name": "Sở Y tế tỉnh", "kind": "department"});
    let wish = json!({"version": syt["version"], "fields": fields});
    let changed = console.call(&lan, Method::PUT, "/api/v1/agencies/syt", wish).await;
    assert_eq!(changed.status, StatusCode::OK);
    look_at_agencies(&console.app).await;
    let list = console.get(&lan, "/api/v1/agencies").await.json();
    assert_eq!((list["total"].as_u64(), list["items"][0]["name"].as_str()), (Some(1), Some("Sở Y tế tỉnh")));
}

#[tokio::test]
async fn two_who_change_an_agency_do_not_overwrite_each_other_and_the_log_tells_both() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    let lan = console.user("lan", Role::Manager).await;
    let agency = add(&console, &root, "syt", "Sở Y tế", None).await;
    let wish = |name: &str| json!({"version": agency["version"], "fields": {"name": name, "kind": "department"}});
    let first = console.call(&root, Method::PUT, "/api/v1/agencies/syt", wish("Sở Y tế mới")).await;
    assert_eq!(first.status, StatusCode::OK);
    let second = console.call(&lan, Method::PUT, "/api/v1/agencies/syt", wish("Sở Y tế khác")).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert_eq!(second.json()["current"]["fields"]["name"], "Sở Y tế mới");
    let history = &first.json()["history"];
    assert_eq!(history[1]["action"], "changed");
    assert_eq!(history[1]["detail"], json!({"name": "Sở Y tế mới"}), "only what changed is told");
    let log = console.get(&root, "/api/v1/audit?kind=agency").await.json();
    let actions: Vec<&str> = log["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["agency.changed", "agency.added"]);
    assert_eq!(console.get(&root, "/api/v1/audit/verify").await.json()["broken"], Value::Null);
}

#[tokio::test]
async fn a_tree_takes_no_circles_and_a_merger_keeps_the_old_agency() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    add(&console, &root, "tinh", "UBND tỉnh", None).await;
    let stttt = add(&console, &root, "stttt", "Sở Thông tin và Truyền thông", Some("tinh")).await;
    add(&console, &root, "skhcn", "Sở Khoa học và Công nghệ", Some("tinh")).await;
    let circle = json!({"version": 1, "fields": {"name": "UBND tỉnh", "parent_id": "skhcn"}});
    let refused = console.call(&root, Method::PUT, "/api/v1/agencies/tinh", circle).await;
    assert_eq!((refused.status, refused.json()["fields"]["parent_id"].is_string()), (StatusCode::BAD_REQUEST, true));
    let merged = json!({"version": stttt["version"], "fields": {"name": "Sở Thông tin và Truyền thông",
        "parent_id": "tinh", "valid_to": "28/02/2025", "successors": ["skhcn"]}});
    let done = console.call(&root, Method::PUT, "/api/v1/agencies/stttt", merged).await.json();
    assert_eq!(
        (done["agency"]["valid"].as_bool(), done["agency"]["valid_to"].as_str()),
        (Some(false), Some("2025-02-28"))
    );
    let new = console.get(&root, "/api/v1/agencies/skhcn").await.json();
    assert_eq!(new["predecessors"], json!(["stttt"]));
    assert_eq!(new["agency"]["valid"], true);
}

#[tokio::test]
async fn records_have_versions_of_their_own_and_contacts_become_due() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    add(&console, &lan, "syt", "Sở Y tế", None).await;
    let content =
        json!({"kind": "contact", "name": "Đầu mối chính", "email": "syt@tinh.example", "telephone": "0257 000"});
    let made = console.post(&lan, "/api/v1/agencies/syt/records", content.clone()).await.json();
    assert_eq!((made["due"].as_bool(), made["version"].as_i64()), (Some(true), Some(1)), "{made}");
    let again = console.post(&lan, "/api/v1/agencies/syt/records", content).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "the same twice");
    let path = format!("/api/v1/agencies/syt/records/{}", made["id"].as_str().unwrap());
    let verified = console.post(&lan, &format!("{path}/verify"), json!({"version": 1})).await.json();
    assert_eq!(verified["content"]["verified_on"], "2026-11-22");
    assert_eq!((verified["due"].as_bool(), verified["due_on"].as_str()), (Some(false), Some("2027-11-22")));
    let due = "/api/v1/agency-records?due=true";
    assert_eq!(console.get(&lan, due).await.json()["total"], 0);
    console.clock.advance_s(366 * 86_400);
    let lan = console.log_in("lan").await;
    assert_eq!(console.get(&lan, due).await.json()["total"], 1);
    assert_eq!(console.get(&lan, "/api/v1/agencies/syt").await.json()["agency"]["contacts_due"], 1);
    let late = json!({"version": 1, "content": {"kind": "contact", "name": "Khác"}});
    assert_eq!(console.call(&lan, Method::PUT, &path, late).await.status, StatusCode::CONFLICT);
    let other = json!({"version": 2, "content": {"kind": "asset", "name": "Khác"}});
    assert_eq!(console.call(&lan, Method::PUT, &path, other).await.status, StatusCode::BAD_REQUEST);
    let gone = console.call(&lan, Method::DELETE, &format!("{path}?version=2"), Value::Null).await;
    assert_eq!(gone.json()["agency"]["contacts"], 0);
    let log = console.get(&lan, "/api/v1/audit?kind=agency").await;
    let text = String::from_utf8_lossy(&log.bytes).into_owned();
    assert!(!text.contains("0257 000") && !text.contains("syt@tinh"), "the log is for ever, telephone numbers are not");
}

#[tokio::test]
async fn a_network_moves_from_one_agency_to_another_on_a_day() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    add(&console, &root, "a", "A", None).await;
    add(&console, &root, "b", "B", None).await;
    let network = |from: Value, to: Value| json!({"kind": "network", "network": "203.0.113.9/27", "valid_from": from, "valid_to": to});
    let old = console.post(&root, "/api/v1/agencies/a/records", network(Value::Null, json!("2026-06-30"))).await;
    assert_eq!(old.json()["content"]["network"], "203.0.113.0/27");
    let early = console.post(&root, "/api/v1/agencies/b/records", network(json!("2026-06-01"), Value::Null)).await;
    assert_eq!((early.status, early.json()["fields"]["network"].is_string()), (StatusCode::BAD_REQUEST, true));
    let new = console.post(&root, "/api/v1/agencies/b/records", network(json!("2026-07-01"), Value::Null)).await;
    assert_eq!(new.status, StatusCode::OK);
    for (day, owner) in [("2026-06-30", "a"), ("2026-07-01", "b")] {
        let found = console.get(&root, &format!("/api/v1/agency-records?kind=network&on={day}")).await.json();
        assert_eq!((found["total"].as_u64(), found["items"][0]["agency_id"].as_str()), (Some(1), Some(owner)), "{day}");
    }
}

#[tokio::test]
async fn a_table_is_shown_before_it_is_written_and_comes_back_as_it_was_taken_out() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    // The parent stands after its children, as tables that people keep are.
    let tree = "Mã hệ thống;Tên đơn vị;Loại;Đơn vị cấp trên\nsyt;Sở Y tế;Sở, ban, ngành;tinh\ntinh;UBND tỉnh;;\n";
    let preview = import(&console, &root, "agencies", tree, None).await.json();
    assert_eq!((preview["new"].as_u64(), preview["fault_count"].as_u64()), (Some(2), Some(0)), "{preview}");
    assert_eq!(console.get(&root, "/api/v1/agencies").await.json()["total"], 0, "a preview writes nothing");
    bring(&console, &root, "agencies", tree).await;
    assert_eq!(console.get(&root, "/api/v1/agencies/syt").await.json()["agency"]["parent_id"], "tinh");
    bring(&console, &root, "systems", "agency,name,level,approval\nsyt,Một cửa,3,approved\nsyt,Trang tin,,\n").await;
    bring(&console, &root, "assets", "agency,name,kind,address\nsyt,Máy chủ một cửa,Máy chủ,203.0.113.5\n").await;
    bring(&console, &root, "contacts", "agency,name,telephone\nsyt,Đầu mối,'+84 257\n").await;
    bring(&console, &root, "networks", "agency,network,valid_from\nsyt,203.0.113.0/27,1/7/2025\n").await;
    let agency = console.get(&root, "/api/v1/agencies/syt").await.json()["agency"].clone();
    assert_eq!((agency["systems"].as_u64(), agency["highest_level"].as_u64()), (Some(2), Some(3)));
    assert_eq!(
        (agency["assets"].as_u64(), agency["contacts"].as_u64(), agency["networks"].as_u64()),
        (Some(1), Some(1), Some(1))
    );
    for table in ["agencies", "contacts", "networks", "systems", "assets"] {
        let csv = console.get(&root, &format!("/api/v1/register/export/{table}")).await;
        let text = String::from_utf8(csv.bytes).unwrap();
        let back = import(&console, &root, table, &text, None).await.json();
        let rows = text.lines().count() as u64 - 1;
        assert_eq!(
            (back["unchanged"].as_u64(), back["fault_count"].as_u64()),
            (Some(rows), Some(0)),
            "{table}: {back}"
        );
        assert!(rows > 0, "{table} has rows");
    }
}

#[tokio::test]
async fn nothing_is_written_with_a_fault_or_after_somebody_else_changed_it() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    let faulty = "id,name\nsyt,Sở Y tế\nSAI MÃ,Sở Khác\n";
    let preview = import(&console, &root, "agencies", faulty, None).await.json();
    assert_eq!((preview["faults"][0]["row"].as_u64(), preview["faults"][0]["column"].as_str()), (Some(3), Some("id")));
    let done = import(&console, &root, "agencies", faulty, preview["digest"].as_str()).await;
    assert_eq!((done.status, done.json()["code"].as_str().unwrap()), (StatusCode::CONFLICT, "import_faults"));
    assert_eq!(console.get(&root, "/api/v1/agencies").await.json()["total"], 0);

    let good = "id,name\nsyt,Sở Y tế\n";
    let digest = import(&console, &root, "agencies", good, None).await.json()["digest"].as_str().unwrap().to_owned();
    add(&console, &root, "syt", "Tên của người khác", None).await;
    let late = import(&console, &root, "agencies", good, Some(&digest)).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(late.json()["current"]["changed"], 1, "the answer shows what it would do now");
    assert_eq!(console.get(&root, "/api/v1/agencies/syt").await.json()["agency"]["name"], "Tên của người khác");
    let no_table = console.post_bytes(&root, "/api/v1/register/import/agencies?format=xlsx", b"PK no".to_vec()).await;
    assert_eq!((no_table.status, no_table.json()["code"].as_str().unwrap()), (StatusCode::BAD_REQUEST, "bad_file"));
}

#[tokio::test]
async fn a_province_is_listed_searched_and_paged() {
    let console = Console::start().await;
    let root = console.user("root", Role::Admin).await;
    let agencies: String = (0..252).map(|n| format!("dv-{n},Đơn vị {n}\n")).collect();
    bring(&console, &root, "agencies", &format!("id,name\n{agencies}")).await;
    let assets: String = (0..1668)
        .map(|n| format!("dv-{},Dịch vụ {n:04},{}\n", n % 252, if n < 1400 { "service" } else { "camera" }))
        .collect();
    let plan = bring(&console, &root, "assets", &format!("agency,name,asset_kind\n{assets}")).await;
    assert_eq!(plan["new"], 1668);
    assert_eq!(console.get(&root, "/api/v1/agencies").await.json()["total"], 252);
    let mut path = "/api/v1/agency-records?kind=asset&limit=200".to_owned();
    let mut names = Vec::new();
    loop {
        let page = console.get(&root, &path).await.json();
        names.extend(
            page["items"].as_array().unwrap().iter().map(|each| each["content"]["name"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/agency-records?kind=asset&limit=200&cursor={cursor}");
    }
    assert_eq!(names.len(), 1668);
    assert!(names.is_sorted());
    let found = console.get(&root, "/api/v1/agency-records?kind=asset&text=dich%20vu%200007").await.json();
    assert_eq!((found["total"].as_u64(), found["items"][0]["agency_id"].as_str()), (Some(1), Some("dv-7")));
}
