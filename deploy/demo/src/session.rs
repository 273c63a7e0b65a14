//! A person at the console: logs in and speaks its API with cookie and CSRF token, as the pages do.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::{self, Address, Answer};

/// A logged-in person.
#[derive(Debug, Clone)]
pub struct Session {
    console: Address,
    cookie: String,
    csrf: String,
    /// What the console says of the person.
    pub user: Value,
}

impl Session {
    /// The first person, by the one-time link's token.
    pub fn set_up(console: &Address, token: &str, name: &str, password: &str) -> Result<Self> {
        let body = json!({"token": token, "name": name, "display_name": name, "password": password});
        Session::begin(console, http::send(console, "POST", "/api/v1/setup", &[], Some(&body))?)
    }

    /// Somebody who has a password.
    pub fn log_in(console: &Address, name: &str, password: &str) -> Result<Self> {
        let body = json!({"name": name, "password": password});
        Session::begin(console, http::send(console, "POST", "/api/v1/session", &[], Some(&body))?)
    }

    fn begin(console: &Address, answer: Answer) -> Result<Self> {
        let cookie =
            answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let body = answer.good().context("log in")?;
        ensure!(cookie.starts_with("luytre_session="), "the console gave no session cookie");
        let csrf = body["csrf_token"].as_str().context("the console gave no CSRF token")?.to_owned();
        Ok(Session { console: console.clone(), cookie, csrf, user: body["user"].clone() })
    }

    /// Any request of this person.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let headers = [("Cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf.as_str())];
        http::send(&self.console, method, &format!("/api/v1{path}"), &headers, body)
    }

    /// Reads something.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None)?.good().with_context(|| path.to_owned())
    }

    /// Does something.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Some(body))?.good().with_context(|| path.to_owned())
    }

    /// Searches events.
    pub fn search(&self, query: &str) -> Result<Value> {
        self.post("/search", &json!({"query": query, "limit": 50}))
    }
}
