//! How a log-in goes, as its prompts and answers tell it.

/// Bytes of the server's last words that are looked at.
const TAIL_BYTES: usize = 256;
/// Bytes of what the client types that are kept.
const MAX_TYPED_BYTES: usize = 128;

/// What a prompt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A name.
    Name,
    /// A password.
    Password,
}

/// What came of what was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A name was typed.
    Name(Vec<u8>),
    /// A password was typed.
    Password,
    /// It was refused.
    Refused,
    /// Somebody is in.
    In,
}

/// The state of a log-in.
#[derive(Debug, Default)]
pub struct Login {
    tail: String,
    asked: Option<Asked>,
    typed: Vec<u8>,
    /// A password was typed and the server has not said what it thinks of it.
    judging: bool,
}

/// What the end of a text asks for.
pub fn asks(tail: &str) -> Option<Asked> {
    let line = tail.rsplit('\n').next().unwrap_or(tail).trim().to_lowercase();
    let line = line.strip_suffix([':', '>', '?'])?.trim_end();
    let ends = |words: &[&str]| words.iter().any(|word| line.ends_with(word));
    if ends(&["password", "passwd", "passcode", "mật khẩu", "passphrase"]) {
        return Some(Asked::Password);
    }
    let last = line.starts_with("last login");
    (!last && ends(&["login", "username", "user name", "user", "account", "user id", "login name", "tên đăng nhập"]))
        .then_some(Asked::Name)
}

impl Login {
    /// The server writes.
    pub fn written(&mut self, bytes: &[u8]) -> Option<Step> {
        self.tail.extend(String::from_utf8_lossy(bytes).chars().filter(|c| !matches!(c, '\0' | '\r')));
        if self.tail.len() > TAIL_BYTES {
            let cut = self.tail.char_indices().map(|(at, _)| at).find(|at| self.tail.len() - at <= TAIL_BYTES);
            self.tail.drain(..cut.unwrap_or(0));
        }
        let asked = asks(&self.tail);
        if asked.is_some() {
            (self.asked, self.typed) = (asked, Vec::new());
        }
        if !self.judging {
            return None;
        }
        let words = self.tail.to_lowercase();
        let no = [
            "incorrect",
            "fail",
            "invalid",
            "denied",
            "wrong",
            "bad password",
            "bad passwords",
            "not correct",
            "error",
        ];
        if asked.is_some() || no.iter().any(|word| words.contains(word)) {
            self.judging = false;
            return Some(Step::Refused);
        }
        let prompt = words.trim_end().ends_with(['$', '#', '>', '%', ']']);
        let greeted = ["last login", "welcome", "logged in"].iter().any(|word| words.contains(word));
        (prompt || greeted).then(|| {
            self.judging = false;
            Step::In
        })
    }

    /// The client types: nothing, until the line is whole.
    pub fn typed(&mut self, bytes: &[u8], mut told: impl FnMut(Step)) {
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    if let Some(step) = self.entered() {
                        told(step);
                    }
                }
                0 => {}
                8 | 0x7f => {
                    self.typed.pop();
                }
                _ if self.asked.is_some() && self.typed.len() < MAX_TYPED_BYTES => self.typed.push(byte),
                _ => {}
            }
        }
    }

    fn entered(&mut self) -> Option<Step> {
        let typed = std::mem::take(&mut self.typed);
        let asked = self.asked.take()?;
        self.tail.clear();
        match asked {
            Asked::Name => (!typed.is_empty()).then_some(Step::Name(typed)),
            Asked::Password => {
                self.judging = true;
                Some(Step::Password)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_told_apart() {
        assert_eq!(asks("Ubuntu 22.04\r\nmay-chu login: "), Some(Asked::Name));
        assert_eq!(asks("Username:"), Some(Asked::Name));
        assert_eq!(asks("Password: "), Some(Asked::Password));
        assert_eq!(asks("Mật khẩu:"), Some(Asked::Password));
        assert_eq!(asks("Last login: "), None);
        assert_eq!(asks("login: an\nnothing"), None);
    }

    #[test]
    fn a_log_in_is_followed() {
        let mut login = Login::default();
        let mut steps = Vec::new();
        assert_eq!(login.written(b"may login: "), None);
        login.typed(b"am\x7fn\r\0", |step| steps.push(step));
        assert_eq!(login.written(b"an\r\nPassword: "), None);
        login.typed(b"bi mat\r\n", |step| steps.push(step));
        assert_eq!(steps, [Step::Name(b"an".to_vec()), Step::Password]);
        assert_eq!(login.written(b"\r\n"), None);
        assert_eq!(login.written(b"Login incorrect\r\nmay login: "), Some(Step::Refused));
        login.typed(b"an\r", |_| ());
        login.written(b"an\r\nPassword: ");
        login.typed(b"x\r", |_| ());
        assert_eq!(login.written(b"\r\nLinux\r\nan@may:~$ "), Some(Step::In));
    }
}
