//! A console for one test, and people who use it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use luytre_console::app::App;
use luytre_console::clock::{ManualClock, from_text};
use luytre_console::model::{NewUser, Role};
use luytre_console::settings::Settings;
use luytre_console::{server, setup};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fakes::FakeCollector;

pub const PASSWORD: &str = "Tre già, măng mọc 2026";

/// A console with an empty store, its clock, and the collector it asks.
pub struct Console {
    pub app: Arc<App>,
    pub router: Router,
    pub clock: Arc<ManualClock>,
    pub collector: FakeCollector,
    _folder: tempfile::TempDir,
}

/// Somebody at a browser.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }
}

impl Console {
    pub async fn start() -> Console {
        Console::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Console {
        let folder = tempfile::tempdir().unwrap();
        let collector = FakeCollector::start(&folder.path().join("api.sock")).await;
        let mut settings = Settings::default();
        settings.collector.socket = folder.path().join("api.sock");
        settings.listen.public_url = "https://console.tinh.example:8443".into();
        change(&mut settings);
        let clock = Arc::new(ManualClock::at(from_text("2026-11-22T03:00:00Z").unwrap()));
        let app = App::open(settings, &folder.path().join("data"), clock.clone()).await.unwrap();
        Console { router: server::router(app.clone()), app, clock, collector, _folder: folder }
    }

    /// The file of its store.
    pub fn database(&self) -> std::path::PathBuf {
        self._folder.path().join("data/console.db")
    }

    /// A user with this role who has logged in.
    pub async fn user(&self, name: &str, role: Role) -> Browser {
        self.user_of(name, role, None).await
    }

    /// A user with this role who reaches no further than an agency, logged in.
    pub async fn user_of(&self, name: &str, role: Role, agency: Option<&str>) -> Browser {
        let agency_id = agency.map(str::to_owned);
        let new = NewUser { name: name.into(), display_name: format!("Người dùng {name}"), role, agency_id };
        let user = self.app.store.add_user(&new, &Default::default()).await.unwrap();
        let link = setup::make_link(&self.app, Some(&user.id)).await.unwrap();
        let token = link.url.rsplit_once("#token=").unwrap().1;
        let answer = self
            .call(&Browser::default(), Method::POST, "/api/v1/setup", json!({"token": token, "password": PASSWORD}))
            .await;
        Browser::of(&answer)
    }

    /// Somebody who is known logs in.
    pub async fn log_in(&self, name: &str) -> Browser {
        Browser::of(
            &self.post(&Browser::default(), "/api/v1/session", json!({"name": name, "password": PASSWORD})).await,
        )
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.call(browser, Method::GET, path, Value::Null).await
    }

    pub async fn post(&self, browser: &Browser, path: &str, body: Value) -> Answer {
        self.call(browser, Method::POST, path, body).await
    }

    pub async fn call(&self, browser: &Browser, method: Method, path: &str, body: Value) -> Answer {
        let response = self.send(browser, method, path, body).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, bytes }
    }

    /// Posts without a session, from an address.
    pub async fn post_from(&self, address: &str, path: &str, body: Value) -> Answer {
        let from = std::net::SocketAddr::new(address.parse().unwrap(), 40_000);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .extension(axum::extract::ConnectInfo(from))
            .body(Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, bytes }
    }

    /// Posts bytes that are no JSON.
    pub async fn post_bytes(&self, browser: &Browser, path: &str, bytes: Vec<u8>) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, &browser.cookie)
            .header("x-csrf-token", &browser.csrf)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Body::from(bytes));
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, bytes }
    }

    /// Sends a request and answers with the body still open.
    pub async fn send(&self, browser: &Browser, method: Method, path: &str, body: Value) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path).header(header::COOKIE, &browser.cookie);
        if !browser.csrf.is_empty() {
            request = request.header("x-csrf-token", &browser.csrf);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
    }

    /// Follows the collector until every alert it has is stored, and told to those who look on.
    pub async fn catch_up(&self) {
        let task = tokio::spawn(luytre_console::collector::stream::follow(self.app.clone()));
        let last = self.collector.newest();
        for _ in 0..2000 {
            let told = self.app.alerts_told.load(std::sync::atomic::Ordering::Relaxed);
            if told >= last && self.app.store.alert_cursor().await.unwrap() >= last {
                task.abort();
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the console did not take in alert {last}");
    }
}

impl Browser {
    /// The session of an answer that logged somebody in.
    pub fn of(answer: &Answer) -> Browser {
        assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.bytes));
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Browser { cookie, csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned() }
    }
}
