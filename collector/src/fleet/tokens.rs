//! One-time tokens: a file each, named by the digest of the secret, so that the folder does not give any away.

use std::io;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use luytre_events::token::EnrolmentToken;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FleetError, store};

/// How long a token can be used, in hours.
pub const TOKEN_HOURS: u64 = 24;
/// How long a used or lapsed token is remembered, so that its holder is told which of the two it is.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// Why a token cannot be used. The text reaches whoever enrols the sensor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Never heard of, or forgotten since.
    #[error("the collector does not know this token: make a new one with `luytre-collector token create --name NAME`")]
    Unknown,
    /// Used before.
    #[error(
        "this token has been used already, each works once: make a new one with `luytre-collector token create --name NAME`"
    )]
    Used,
    /// Too old.
    #[error(
        "this token has lapsed, tokens live {TOKEN_HOURS} hours: make a new one with `luytre-collector token create --name NAME`"
    )]
    Lapsed,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    expires_ns: i64,
}

/// Makes a token; returns its text and when it lapses.
pub(super) fn create(folder: &Path, name: &str, authority: [u8; 32], now_ns: i64) -> io::Result<(String, i64)> {
    forget(folder);
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
    let lifetime_ns = i64::try_from(TOKEN_HOURS).map_err(io::Error::other)? * 3_600_000_000_000;
    let expires_ns = now_ns.saturating_add(lifetime_ns);
    let file = folder.join(format!("{}.toml", digest(&secret)));
    store::save(&file, &Stored { name: name.to_owned(), expires_ns })?;
    Ok((EnrolmentToken { secret, authority }.to_string(), expires_ns))
}

/// Uses a token up, if `allow` agrees to its name; of several who try at the same time one succeeds. Returns the name, and what
/// `allow` has prepared for it: what can fail for want of room is done there, so that no token is used up in vain.
pub(super) fn redeem<T>(
    folder: &Path,
    secret: &str,
    now_ns: i64,
    allow: impl FnOnce(&str) -> Result<T, FleetError>,
) -> Result<(String, T), FleetError> {
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(secret).map_err(|_| TokenError::Unknown)?;
    let digest = digest(&secret);
    let (fresh, used) = (folder.join(format!("{digest}.toml")), folder.join(format!("{digest}.used")));
    if used.exists() {
        return Err(TokenError::Used.into());
    }
    let stored: Stored = store::load(&fresh).ok_or(TokenError::Unknown)?;
    if stored.expires_ns <= now_ns {
        return Err(TokenError::Lapsed.into());
    }
    let prepared = allow(&stored.name)?;
    std::fs::rename(&fresh, &used).map_err(|_| TokenError::Used)?;
    Ok((stored.name, prepared))
}

/// Removes what is long over.
fn forget(folder: &Path) {
    for name in store::names(folder) {
        let path = folder.join(name);
        let age = path.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > REMEMBERED) {
            // Tried again with the next token.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn digest(secret: &[u8]) -> String {
    hex::encode(Sha256::digest(secret))
}
