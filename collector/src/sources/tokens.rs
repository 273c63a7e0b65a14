//! What senders of a source show: a token each source, of which only the digest is kept.
//!
//! `sources/NAME.toml` in the data directory. A new token replaces the one before, which works for [`OLD_HOURS`] more, so
//! that senders can be changed over one after the other; revoking ends both at once.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fleet::store;
use crate::room::Room;

/// How long a replaced token works, in hours.
pub const OLD_HOURS: i64 = 24;
const HOUR_NS: i64 = 3_600_000_000_000;
/// What a token begins with, so that it is known for what it is wherever it turns up.
const MARK: &str = "lts_";

/// What is kept of a source's tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    digest: String,
    made_ns: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

/// The tokens of one source.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    kept: Mutex<Option<Kept>>,
    room: Room,
}

impl Tokens {
    /// Of the source of this name, kept in a folder.
    pub fn open(folder: &Path, name: &str) -> Tokens {
        let path = folder.join(format!("{name}.toml"));
        Tokens { kept: Mutex::new(store::load(&path)), path, room: Room::default() }
    }

    /// The same, telling of the room of the folder.
    pub fn in_room(self, room: &Room) -> Tokens {
        Tokens { room: room.clone(), ..self }
    }

    /// Makes a new token.
    pub fn create(&self, now_ns: i64) -> anyhow::Result<String> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| anyhow::anyhow!("make a token: {error}"))?;
        let token = format!("{MARK}{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret));
        let mut kept = self.lock();
        let before = kept.as_ref().map(|kept| kept.digest.clone());
        let new = Kept { digest: digest(&token), made_ns: now_ns, before };
        let saved = self.room.note(store::save(&self.path, &new));
        saved.with_context(|| format!("keep a token in {}; check the room on its disk", self.path.display()))?;
        *kept = Some(new);
        Ok(token)
    }

    /// From now on no token is taken.
    pub fn revoke(&self) -> std::io::Result<()> {
        let mut kept = self.lock();
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => {
                *kept = None;
                Ok(())
            }
        }
    }

    /// Whether a token is ours and in force. Digests are compared, so that the time it takes tells nothing of a token.
    pub fn admit(&self, token: &str, now_ns: i64) -> bool {
        let shown = digest(token);
        self.lock().as_ref().is_some_and(|kept| {
            let is_before = kept.before.as_ref() == Some(&shown);
            kept.digest == shown || (is_before && now_ns < kept.made_ns.saturating_add(OLD_HOURS * HOUR_NS))
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_outlives_a_restart_and_its_replacement_by_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Tokens::open(folder.path(), "win");
        assert!(!open().admit("", 0), "without a token nobody is let in");
        let first = open().create(5).unwrap();
        let tokens = open();
        assert!(tokens.admit(&first, 6) && !tokens.admit(&first[..first.len() - 1], 6));
        let second = tokens.create(7).unwrap();
        let reopened = open();
        assert!(reopened.admit(&second, i64::MAX) && reopened.admit(&first, 7));
        assert!(!reopened.admit(&first, 7 + OLD_HOURS * HOUR_NS));
        let kept = std::fs::read_to_string(folder.path().join("win.toml")).unwrap();
        assert!(!kept.contains(&second[MARK.len()..]), "only the digest is kept");
        reopened.revoke().unwrap();
        reopened.revoke().unwrap();
        assert!(!reopened.admit(&second, 8) && !open().admit(&second, 8));
    }
}
