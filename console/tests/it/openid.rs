//! Coming in by an identity provider: who gets in, as whom, and everything that must not.

use axum::http::{Method, StatusCode, header};
use luytre_console::auth::openid::settings::Grant;
use luytre_console::auth::totp;
use luytre_console::clock::Clock as _;
use luytre_console::model::{ChangeUser, Role};
use luytre_console::settings::Settings;
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, Console, PASSWORD};
use crate::provider::{self, Provider, Visit};

/// A console beside a provider.
struct Town {
    console: Console,
    provider: Provider,
    _folder: tempfile::TempDir,
}

/// A browser that was sent to the provider.
struct Gone {
    cookie: String,
    visit: Visit,
}

impl Town {
    async fn with(change: impl FnOnce(&mut Settings)) -> Town {
        let provider = Provider::start().await;
        let folder = tempfile::tempdir().unwrap();
        let console = Console::start_with(|settings| {
            provider.configure(settings, &folder);
            change(settings);
        });
        Town { console: console.await, provider, _folder: folder }
    }

    /// A town where the account at the provider, `sub-lan`, is linked with the analyst `lan`.
    async fn linked() -> (Town, Browser) {
        let town = Town::with(|_| {}).await;
        let lan = town.console.user("lan", Role::Analyst).await;
        let gone = town.go(&lan, "/api/v1/session/identity", "sub-lan").await;
        let code = town.provider.let_in(&gone.visit);
        let back = json!({"state": gone.visit.asked["state"], "code": code});
        let linked = town.come_back(&lan, &gone, Method::PUT, "/api/v1/session/identity", back).await;
        assert_eq!(linked.json()["linked"], true, "{linked:?}");
        (town, lan)
    }

    /// Presses the button.
    async fn go(&self, who: &Browser, path: &str, subject: &str) -> Gone {
        let answer = self.console.post(who, path, Value::Null).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        for part in ["luytre_openid=", "HttpOnly", "Secure", "SameSite=Strict"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let now_s = self.console.clock.now_us() / 1_000_000;
        let visit = self.provider.visit(answer.json()["address"].as_str().unwrap(), subject, now_s);
        Gone { cookie, visit }
    }

    async fn come_back(&self, who: &Browser, gone: &Gone, method: Method, path: &str, body: Value) -> Answer {
        let cookie = format!("{}; {}", gone.cookie, who.cookie);
        let browser = Browser { cookie, csrf: who.csrf.clone() };
        self.console.call(&browser, method, path, body).await
    }

    /// Comes back with this.
    async fn return_with(&self, gone: &Gone, back: Value) -> Answer {
        self.come_back(&Browser::default(), gone, Method::POST, "/api/v1/openid/session", back).await
    }

    /// A whole log-in of an account at the provider, whose claims a test may change.
    async fn log_in(&self, subject: &str, change: impl FnOnce(&mut Value)) -> Answer {
        let mut gone = self.go(&Browser::default(), "/api/v1/openid", subject).await;
        change(&mut gone.visit.claims);
        let code = self.provider.let_in(&gone.visit);
        self.return_with(&gone, json!({"state": gone.visit.asked["state"], "code": code})).await
    }

    /// The newest line of the log about log-ins.
    async fn told(&self) -> Value {
        let auditor = self.console.user("kiem-toan", Role::Auditor).await;
        let log = self.console.get(&auditor, "/api/v1/audit?kind=session").await.json();
        let lines = log["items"].as_array().unwrap();
        lines.iter().find(|line| line["by"]["name"] != "kiem-toan").unwrap().clone()
    }
}

fn code(answer: &Answer) -> (StatusCode, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn refused(code: &str) -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, code.to_owned())
}

#[tokio::test]
async fn without_a_provider_there_is_no_button_and_no_way() {
    let console = Console::start().await;
    let nobody = Browser::default();
    assert_eq!(console.get(&nobody, "/api/v1/openid").await.json(), json!({}));
    assert_eq!(console.post(&nobody, "/api/v1/openid", Value::Null).await.status, StatusCode::NOT_FOUND);
    let back = json!({"state": "x", "code": "y"});
    assert_eq!(console.post(&nobody, "/api/v1/openid/session", back).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_linked_account_comes_in_and_the_log_says_how() {
    let (town, _) = Town::linked().await;
    let state = town.console.get(&Browser::default(), "/api/v1/openid").await.json();
    assert_eq!(state["provider"], "Tài khoản công vụ");
    let answer = town.log_in("sub-lan", |_| {}).await;
    let lan = Browser::of(&answer);
    let info = answer.json();
    assert_eq!((&info["user"]["name"], &info["by_provider"]), (&json!("lan"), &json!(true)));
    assert!(
        info["log_out_address"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{}/logout?client_id=luytre", town.provider.issuer))
    );
    assert_eq!(town.console.get(&lan, "/api/v1/alerts").await.status, StatusCode::OK);
    let line = town.told().await;
    assert_eq!((&line["action"], &line["detail"]["by"]), (&json!("session.opened"), &json!("openid")));

    let out = town.console.call(&lan, Method::DELETE, "/api/v1/session", Value::Null).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(town.console.get(&lan, "/api/v1/alerts").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_account_that_nobody_linked_stays_outside() {
    let (town, lan) = Town::linked().await;
    let stranger = town.log_in("sub-khac", |claims| {
        claims["preferred_username"] = json!("lan");
        claims["email"] = json!("lan@tinh.example");
        claims["email_verified"] = json!(true);
    });
    assert_eq!(code(&stranger.await), refused("openid_unknown"), "neither a name nor an address makes a link");
    let line = town.told().await;
    assert_eq!((&line["action"], &line["detail"]["why"]), (&json!("session.refused"), &json!("openid_unknown")));
    assert_eq!(line["subject"], "openid:sub-khac");

    let undone = town.console.call(&lan, Method::DELETE, "/api/v1/session/identity", Value::Null).await;
    assert_eq!(undone.json()["linked"], false);
    assert_eq!(code(&town.log_in("sub-lan", |_| {}).await), refused("openid_unknown"));
}

#[tokio::test]
async fn a_link_is_made_by_who_began_it_and_an_account_belongs_to_one_user() {
    let (town, _) = Town::linked().await;
    let minh = town.console.user("minh", Role::Analyst).await;
    let hoa = town.console.user("hoa", Role::Analyst).await;
    let path = "/api/v1/session/identity";
    let gone = town.go(&minh, path, "sub-minh").await;
    let back = json!({"state": gone.visit.asked["state"], "code": town.provider.let_in(&gone.visit)});
    let other = town.come_back(&hoa, &gone, Method::PUT, path, back.clone()).await;
    assert_eq!(code(&other), refused("openid_state"), "begun by somebody else");
    assert_eq!(code(&town.return_with(&gone, back).await), refused("openid_state"), "and used up by that");

    let gone = town.go(&minh, path, "sub-lan").await;
    let back = json!({"state": gone.visit.asked["state"], "code": town.provider.let_in(&gone.visit)});
    let taken = town.come_back(&minh, &gone, Method::PUT, path, back).await;
    assert_eq!(code(&taken), (StatusCode::CONFLICT, "openid_linked".to_owned()));
}

#[tokio::test]
async fn spoilt_tokens_let_nobody_in() {
    let (town, _) = Town::linked().await;
    type Spoil = fn(&mut Value, i64);
    let spoils: [(&str, Spoil); 6] = [
        ("audience", |claims, _| claims["aud"] = json!("another")),
        ("issuer", |claims, _| claims["iss"] = json!("https://id.khac.example")),
        ("expired", |claims, now_s| claims["exp"] = json!(now_s - 61)),
        ("future", |claims, now_s| claims["iat"] = json!(now_s + 61)),
        ("nonce", |claims, _| claims["nonce"] = json!("another")),
        ("nobody", |claims, _| claims["sub"] = Value::Null),
    ];
    for (what, spoil) in spoils {
        let now_s = town.console.clock.now_us() / 1_000_000;
        let answer = town.log_in("sub-lan", |claims| spoil(claims, now_s)).await;
        assert_eq!(code(&answer), refused("openid_token"), "{what}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "{what}");
        town.console.clock.advance_s(900);
    }
    assert_eq!(town.told().await["detail"]["why"], "openid_token");
}

#[tokio::test]
async fn forged_signatures_let_nobody_in() {
    let (town, _) = Town::linked().await;
    let forger = provider::new_key();
    for head in
        [json!({"alg": "ES256", "kid": "k1"}), json!({"alg": "ES256"}), json!({"alg": "none"}), json!({"alg": "HS256"})]
    {
        let gone = town.go(&Browser::default(), "/api/v1/openid", "sub-lan").await;
        let forged = provider::signed(&forger, &head, &gone.visit.claims);
        let code_of = town.provider.let_in_with(&gone.visit, forged);
        let answer = town.return_with(&gone, json!({"state": gone.visit.asked["state"], "code": code_of})).await;
        assert_eq!(code(&answer), refused("openid_token"), "{head}");
    }
}

#[tokio::test]
async fn a_state_is_good_once_in_its_browser_and_in_its_time() {
    let (town, _) = Town::linked().await;
    let nobody = Browser::default();
    let gone = town.go(&nobody, "/api/v1/openid", "sub-lan").await;
    let state = gone.visit.asked["state"].clone();
    let back = |code: String| json!({"state": state, "code": code});
    let code_of = town.provider.let_in(&gone.visit);
    let elsewhere = town.console.post(&nobody, "/api/v1/openid/session", back(code_of.clone())).await;
    assert_eq!(code(&elsewhere), refused("openid_state"), "another browser");
    assert_eq!(town.return_with(&gone, back(code_of)).await.status, StatusCode::OK);
    let again = town.provider.let_in(&gone.visit);
    assert_eq!(code(&town.return_with(&gone, back(again)).await), refused("openid_state"), "replayed");

    let late = town.go(&nobody, "/api/v1/openid", "sub-lan").await;
    let code_of = town.provider.let_in(&late.visit);
    town.console.clock.advance_s(601);
    let answer = town.return_with(&late, json!({"state": late.visit.asked["state"], "code": code_of})).await;
    assert_eq!(code(&answer), refused("openid_state"), "ten minutes are over");
}

#[tokio::test]
async fn a_code_of_somebody_elses_log_in_is_refused() {
    let (town, _) = Town::linked().await;
    let nobody = Browser::default();
    let (mine, theirs) =
        (town.go(&nobody, "/api/v1/openid", "sub-lan").await, town.go(&nobody, "/api/v1/openid", "sub-lan").await);
    let stolen = town.provider.let_in(&theirs.visit);
    let answer = town.return_with(&mine, json!({"state": mine.visit.asked["state"], "code": stolen})).await;
    assert_eq!(code(&answer), refused("openid_refused"), "the proof of possession is of another log-in");
    let gone = town.go(&nobody, "/api/v1/openid", "sub-lan").await;
    let answer = town.return_with(&gone, json!({"state": gone.visit.asked["state"], "error": "access_denied"})).await;
    assert_eq!(code(&answer), refused("openid_refused"));
}

#[tokio::test]
async fn keys_may_change_and_a_provider_that_is_away_is_said_to_be() {
    let (town, _) = Town::linked().await;
    let before = town.provider.keys_asked();
    town.provider.change_keys("k2");
    town.console.clock.advance_s(11);
    assert_eq!(town.log_in("sub-lan", |_| {}).await.status, StatusCode::OK);
    assert_eq!(town.provider.keys_asked(), before + 1);
    town.provider.change_keys("k3");
    assert_eq!(code(&town.log_in("sub-lan", |_| {}).await), refused("openid_token"), "asked for keys a moment ago");
    assert_eq!(town.provider.keys_asked(), before + 1);

    let away = Town::with(|_| {}).await;
    away.provider.go_away(true);
    let answer = away.console.post(&Browser::default(), "/api/v1/openid", Value::Null).await;
    assert_eq!(code(&answer), (StatusCode::SERVICE_UNAVAILABLE, "openid_unreachable".to_owned()));
    away.console.user("lan", Role::Analyst).await;
    let wish = json!({"name": "lan", "password": PASSWORD});
    assert_eq!(away.console.post(&Browser::default(), "/api/v1/session", wish).await.status, StatusCode::OK);
    away.provider.go_away(false);
    away.console.clock.advance_s(6);
    assert_eq!(away.console.post(&Browser::default(), "/api/v1/openid", Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_verified_mail_address_makes_the_link_where_that_is_configured() {
    let town = Town::with(|settings| settings.openid.match_mail = true).await;
    let lan = town.console.user("lan", Role::Analyst).await;
    let id = town.console.get(&lan, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let wish = ChangeUser { mail: Some("Lan@tinh.example".into()), ..Default::default() };
    town.console.app.store.change_user(&id, &wish, &Default::default()).await.unwrap();
    let by_mail = |verified: bool| {
        move |claims: &mut Value| {
            claims["email"] = json!("LAN@tinh.example");
            claims["email_verified"] = json!(verified);
        }
    };
    assert_eq!(code(&town.log_in("sub-1", by_mail(false)).await), refused("openid_unknown"), "not verified");
    assert_eq!(town.log_in("sub-1", by_mail(true)).await.json()["user"]["name"], "lan");
    assert_eq!(town.log_in("sub-1", |_| {}).await.json()["user"]["name"], "lan", "linked from then on");
    let other = town.log_in("sub-2", by_mail(true)).await;
    assert_eq!(
        code(&other),
        (StatusCode::CONFLICT, "openid_linked".to_owned()),
        "an address that was given to another"
    );
}

fn grant(value: &str, role: Role, agency_claim: Option<&str>) -> Grant {
    let agency_claim = agency_claim.map(str::to_owned);
    Grant { claim: "groups".into(), value: value.into(), role, agency: None, agency_claim }
}

#[tokio::test]
async fn grants_decide_role_and_agency_at_every_log_in_and_make_accounts_only_where_configured() {
    let grants = vec![
        grant("truong-ca", Role::Manager, None),
        grant("dau-moi", Role::Agency, Some("don_vi")),
        grant("soc", Role::Analyst, None),
    ];
    let town = Town::with(|settings| {
        settings.openid.grant = grants.clone();
        settings.openid.make_accounts = true;
    });
    let town = town.await;
    let agency = json!({"id": "syt", "fields": {"name": "Sở Y tế", "kind": "department"}});
    let root = town.console.user("root", Role::Admin).await;
    let made = town.console.post(&root, "/api/v1/agencies", agency).await;
    let who = |groups: Value| {
        move |claims: &mut Value| {
            claims["groups"] = groups;
            claims["preferred_username"] = json!("Hoa.Tran@tinh.example");
            claims["name"] = json!("Trần Thị Hoa");
            claims["don_vi"] = json!("syt");
        }
    };
    assert_eq!(code(&town.log_in("sub-hoa", who(json!(["ke-toan"]))).await), refused("openid_no_role"));
    let user = town.log_in("sub-hoa", who(json!(["soc"]))).await.json()["user"].clone();
    assert_eq!(
        (&user["name"], &user["display_name"], &user["role"]),
        (&json!("hoa.tran"), &json!("Trần Thị Hoa"), &json!("analyst"))
    );
    let user = town.log_in("sub-hoa", who(json!(["truong-ca", "soc"]))).await.json()["user"].clone();
    assert_eq!((&user["role"], &user["agency_id"]), (&json!("manager"), &Value::Null), "another role from now on");
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    let user = town.log_in("sub-hoa", who(json!(["dau-moi"]))).await.json()["user"].clone();
    assert_eq!((&user["role"], &user["agency_id"]), (&json!("agency"), &json!("syt")));
    let lost = town.log_in("sub-hoa", |claims| claims["groups"] = json!(["dau-moi"]));
    assert_eq!(code(&lost.await), refused("openid_no_role"), "without the agency it says nothing");
    assert_eq!(code(&town.log_in("sub-khac", who(json!(["soc"]))).await), refused("openid_name"), "the name is taken");

    let strict = Town::with(|settings| settings.openid.grant = grants).await;
    assert_eq!(code(&strict.log_in("sub-hoa", who(json!(["soc"]))).await), refused("openid_unknown"));
}

#[tokio::test]
async fn who_is_shut_out_stays_out() {
    let (town, lan) = Town::linked().await;
    let id = town.console.get(&lan, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let shut = ChangeUser { disabled: Some(true), ..Default::default() };
    town.console.app.store.change_user(&id, &shut, &Default::default()).await.unwrap();
    assert_eq!(code(&town.log_in("sub-lan", |_| {}).await), refused("openid_shut"));
}

#[tokio::test]
async fn a_second_factor_here_is_asked_for_unless_the_provider_asked_for_one() {
    let (town, lan) = Town::linked().await;
    let proposed = town.console.post(&lan, "/api/v1/session/code", Value::Null).await.json();
    let secret = proposed["secret"].as_str().unwrap().to_owned();
    let shown = || totp::shown(&secret, town.console.clock.now_us()).unwrap();
    town.console.call(&lan, Method::PUT, "/api/v1/session/code", json!({"code": shown()})).await;
    town.console.clock.advance_s(60);

    assert_eq!(town.log_in("sub-lan", |claims| claims["amr"] = json!(["pwd", "otp"])).await.status, StatusCode::OK);
    let gone = town.go(&Browser::default(), "/api/v1/openid", "sub-lan").await;
    let state = gone.visit.asked["state"].clone();
    let code_of = town.provider.let_in(&gone.visit);
    let asked = town.return_with(&gone, json!({"state": state, "code": code_of})).await;
    assert_eq!(code(&asked), (StatusCode::UNAUTHORIZED, "code_needed".to_owned()));
    assert!(!asked.headers.contains_key(header::SET_COOKIE));
    let wrong = town.return_with(&gone, json!({"state": state, "second": "000000"})).await;
    assert_eq!(code(&wrong), (StatusCode::UNAUTHORIZED, "wrong_code".to_owned()));
    let right = town.return_with(&gone, json!({"state": state, "second": shown()})).await;
    assert_eq!(right.json()["user"]["name"], "lan", "{right:?}");
    let again = town.return_with(&gone, json!({"state": state, "second": shown()})).await;
    assert_eq!(code(&again), refused("openid_state"));
}

#[tokio::test]
async fn at_level_3_a_providers_second_factor_will_do_for_administrators() {
    let grants = vec![grant("quan-tri", Role::Admin, None)];
    let town = Town::with(|settings| {
        settings.access.profile = "level-3".into();
        settings.openid.grant = grants;
        settings.openid.make_accounts = true;
    });
    let town = town.await;
    let who = |amr: Value| {
        move |claims: &mut Value| {
            claims["groups"] = json!(["quan-tri"]);
            claims["preferred_username"] = json!("quan-tri");
            claims["amr"] = amr;
        }
    };
    let weak = Browser::of(&town.log_in("sub-root", who(json!(["pwd"]))).await);
    assert_eq!(town.console.get(&weak, "/api/v1/alerts").await.json()["code"], "enrol_first");
    let strong = Browser::of(&town.log_in("sub-root", who(json!(["pwd", "mfa"]))).await);
    assert_eq!(town.console.get(&strong, "/api/v1/alerts").await.status, StatusCode::OK);
}
