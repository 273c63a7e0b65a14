//! Who is asking: set by the guard before a handler runs, taken by handlers as an argument.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::problem::Problem;
use crate::model::{Person, TokenScope, User};
use crate::store::reach::Reach;
use crate::store::sessions::Entry;

/// Somebody with a valid session.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: User,
    /// Digest of the session's secret: how the store knows the session.
    pub session: String,
    /// What changes must carry.
    pub csrf_token: String,
    /// When the session ends at the latest, microseconds.
    pub expires_us: i64,
    /// The address the request came from.
    pub address: Option<String>,
    /// How they came in.
    pub entry: Entry,
    /// When the password was set with which they came in, microseconds.
    pub password_set_us: Option<i64>,
    /// What a program that comes with a token may do; nothing for people with a session.
    pub token: Option<TokenScope>,
}

impl Caller {
    /// How far they reach.
    pub fn reach(&self) -> Reach {
        Reach::of(&self.user)
    }

    /// The user as histories name them.
    pub fn person(&self) -> Person {
        self.user.person()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::not_logged_in)
    }
}
