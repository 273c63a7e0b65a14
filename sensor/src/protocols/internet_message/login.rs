//! Who logs in, as SASL says (RFC 4422). Passwords are noted, never kept.

use base64::Engine as _;

use crate::protocols::text;

/// Bytes kept of a user's name.
const MAX_USER_BYTES: usize = 256;

/// An exchange of SASL.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Login {
    /// Mechanism, in upper case.
    pub mechanism: String,
    /// User, once it was said.
    pub user: Option<String>,
    /// A password went over in the clear, or as good as that.
    pub password: bool,
    answers: u8,
}

impl Login {
    /// Begins with what stands behind the command: a mechanism and perhaps a first answer.
    pub fn new(argument: &[u8]) -> Login {
        let mut words = argument.split(|b| *b == b' ').filter(|word| !word.is_empty());
        let mechanism = text::text(words.next().unwrap_or(&[]), 64).to_ascii_uppercase();
        let mut login = Login { mechanism, ..Login::default() };
        if let Some(answer) = words.next() {
            login.answer(answer);
        }
        login
    }

    /// One answer of the client, in base64.
    pub fn answer(&mut self, line: &[u8]) {
        self.answers = self.answers.saturating_add(1);
        let coded: Vec<u8> = line.trim_ascii().iter().copied().filter(|b| *b != b'=').collect();
        let Ok(plain) = base64::engine::general_purpose::STANDARD_NO_PAD.decode(coded) else { return };
        let shown = |bytes: &[u8]| Some(text::text(bytes, MAX_USER_BYTES)).filter(|shown| !shown.is_empty());
        match self.mechanism.as_str() {
            // authorization NUL authentication NUL password (RFC 4616).
            "PLAIN" if self.user.is_none() => {
                let mut parts = plain.split(|b| *b == 0);
                let (first, second) = (parts.next().unwrap_or(&[]), parts.next().unwrap_or(&[]));
                self.user = shown(second).or_else(|| shown(first));
                self.password |= parts.next().is_some_and(|password| !password.is_empty());
            }
            "LOGIN" if self.answers == 1 => self.user = shown(&plain),
            "LOGIN" => self.password |= !plain.is_empty(),
            // user SPACE digest (RFC 2195).
            "CRAM-MD5" => {
                let end = plain.iter().rposition(|b| *b == b' ').unwrap_or(0);
                self.user = shown(plain.get(..end).unwrap_or(&[]));
            }
            // user=NAME SOH auth=Bearer TOKEN (the form that Google and Microsoft use; RFC 7628 for OAUTHBEARER).
            "XOAUTH2" if self.user.is_none() => {
                let user = plain.strip_prefix(b"user=").and_then(|rest| rest.split(|b| *b == 1).next());
                self.user = user.and_then(shown);
                self.password |= plain.windows(5).any(|window| window == b"auth=");
            }
            // n,a=NAME,... and n,,n=NAME,r=... (RFC 7628, RFC 5802).
            name if name == "OAUTHBEARER" || name.starts_with("SCRAM-") => {
                let user = plain.split(|b| *b == b',').find_map(|part| {
                    part.strip_prefix(b"a=").or_else(|| part.strip_prefix(b"n=")).filter(|user| !user.is_empty())
                });
                self.user = self.user.take().or_else(|| user.and_then(shown));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_and_passwords_only_noted() {
        let plain = Login::new(b"plain AGFuAGJpIG1hdA==");
        assert_eq!((plain.mechanism.as_str(), plain.user.as_deref(), plain.password), ("PLAIN", Some("an"), true));
        let mut login = Login::new(b"LOGIN");
        login.answer(b"YW4=");
        assert_eq!((login.user.as_deref(), login.password), (Some("an"), false));
        login.answer(b"YmkgbWF0");
        assert!(login.password);
        let token = Login::new(b"XOAUTH2 dXNlcj1hbkB4YS5leGFtcGxlAWF1dGg9QmVhcmVyIHgBAQ==");
        assert_eq!((token.user.as_deref(), token.password), (Some("an@xa.example"), true));
        let scram = Login::new(b"SCRAM-SHA-256 biwsbj1hbixyPWFiYw==");
        assert_eq!((scram.user.as_deref(), scram.password), (Some("an"), false));
    }
}
