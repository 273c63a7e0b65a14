//! Passwords: argon2id (RFC 9106) at the parameters OWASP names (19 MiB, 2 passes). At most [`AT_ONCE`] are worked on at
//! once, so that a flood of log-ins can neither exhaust memory nor starve the rest; others wait their turn.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// How many hashes are computed at once.
pub const AT_ONCE: usize = 2;

/// The shortest password, in characters.
pub const MIN_LENGTH: usize = 10;

/// The longest password, in characters.
pub const MAX_LENGTH: usize = 200;

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    turns: Semaphore,
    /// Checked when there is no such user, so that this takes as long as a wrong password.
    nobody: String,
}

impl Passwords {
    /// Ready to work.
    pub fn new() -> anyhow::Result<Self> {
        let nobody = hash(&super::secrets::random_token()?)?;
        Ok(Passwords { turns: Semaphore::new(AT_ONCE), nobody })
    }

    /// The hash to keep, as a PHC string.
    pub async fn hash(&self, password: String) -> anyhow::Result<String> {
        let _turn = self.turns.acquire().await?;
        tokio::task::spawn_blocking(move || hash(&password)).await?
    }

    /// Whether the password belongs to the hash; without a hash it takes the same time and is wrong.
    pub async fn check(&self, password: String, kept: Option<String>) -> anyhow::Result<bool> {
        let _turn = self.turns.acquire().await?;
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.clone());
        let fits = tokio::task::spawn_blocking(move || verify(&password, &kept)).await?;
        Ok(fits && known)
    }
}

/// Why a new password is not taken, or nothing.
pub fn complaint(password: &str, name: &str) -> Option<&'static str> {
    let length = password.chars().count();
    if length < MIN_LENGTH {
        return Some("use at least 10 characters");
    }
    if length > MAX_LENGTH {
        return Some("use at most 200 characters");
    }
    if !name.is_empty() && password.to_lowercase().contains(&name.to_lowercase()) && length < MIN_LENGTH + name.len() {
        return Some("do not use the name in the password");
    }
    let mut letters: Vec<char> = password.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    (letters.len() < 4).then_some("use at least 4 different characters")
}

fn argon() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|cause| anyhow::anyhow!("set argon2 up: {cause}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> anyhow::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|cause| anyhow::anyhow!("draw a random salt: {cause}"))?;
    let salt = SaltString::encode_b64(&bytes).map_err(|cause| anyhow::anyhow!("encode a salt: {cause}"))?;
    let hash = argon()?.hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|cause| anyhow::anyhow!("hash a password: {cause}"))?.to_string())
}

fn verify(password: &str, kept: &str) -> bool {
    let (Ok(argon), Ok(kept)) = (argon(), PasswordHash::new(kept)) else { return false };
    argon.verify_password(password.as_bytes(), &kept).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash("tre-xanh-bao-quanh-làng".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(passwords.check("tre-xanh-bao-quanh-làng".into(), Some(kept.clone())).await.unwrap());
        assert!(!passwords.check("tre-xanh".into(), Some(kept)).await.unwrap());
        assert!(!passwords.check("anything".into(), None).await.unwrap());
    }

    #[test]
    fn poor_passwords_are_named() {
        for poor in ["ngắn", "aaaaaaaaaaaa", "administrator", &"x1y2".repeat(60)] {
            assert!(complaint(poor, "administrator").is_some(), "{poor}");
        }
        assert_eq!(complaint("tre già măng mọc", "lan"), None);
    }
}
