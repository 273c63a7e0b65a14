//! Statements of databases as they are told: bounded, and without the secrets that some of them hold.
//!
//! A statement that speaks of a password is told as far as its first literal and no further; where even bare words can
//! be secrets (procedures that set passwords) as far as the word that says so. Telling literals apart from what stands
//! around them would need each database's own rules for quotes, escapes and comments; a mistake there would tell a secret.

use super::text;

/// Bytes of a statement that are told.
pub const MAX_STATEMENT_BYTES: usize = 2048;

/// Words in statements that carry secrets in their literals.
const SECRETIVE: [&str; 10] =
    ["passw", "passphrase", "pwd", "identified", "secret", "credential", "mat_khau", "matkhau", "mật khẩu", "api_key"];
/// Procedures whose arguments need no quotes.
const PROCEDURES: [&str; 3] = ["sp_addlogin", "sp_password", "sp_addlinkedsrvlogin"];

/// A statement as it is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its text, cut at [`MAX_STATEMENT_BYTES`]; what was cut is marked by `…`.
    pub text: String,
    /// Something was left out because it can be a password.
    pub secret: bool,
}

/// The statement in these bytes; `quotes` are what begins a literal in the words of this database.
pub fn statement(bytes: &[u8], quotes: &[u8]) -> Statement {
    let lower = String::from_utf8_lossy(bytes).to_lowercase();
    let bare = PROCEDURES.iter().any(|word| lower.contains(word));
    if !bare && !SECRETIVE.iter().any(|word| lower.contains(word)) {
        return Statement { text: text::text(bytes, MAX_STATEMENT_BYTES), secret: false };
    }
    let literal = bytes.iter().position(|byte| quotes.contains(byte));
    let hexadecimal = bytes.windows(2).position(|pair| matches!(pair, b"0x" | b"0X"));
    let named = bare.then(|| end_of_procedure(bytes)).flatten();
    let Some(end) = [literal, hexadecimal, named].into_iter().flatten().min() else {
        return Statement { text: text::text(bytes, MAX_STATEMENT_BYTES), secret: false };
    };
    let kept = bytes.get(..end).unwrap_or(bytes);
    let mut told = text::text(kept, MAX_STATEMENT_BYTES);
    if !told.ends_with('…') {
        told.push('…');
    }
    Statement { text: told, secret: true }
}

/// Where the name of such a procedure ends.
fn end_of_procedure(bytes: &[u8]) -> Option<usize> {
    let ends = PROCEDURES.iter().filter_map(|word| {
        let length = word.len();
        let at = bytes.windows(length).position(|window| window.eq_ignore_ascii_case(word.as_bytes()))?;
        Some(at + length)
    });
    ends.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sql: &str) -> (String, bool) {
        let statement = statement(sql.as_bytes(), b"'$\\");
        (statement.text, statement.secret)
    }

    #[test]
    fn passwords_are_left_out() {
        for (sql, shown) in [
            ("ALTER USER an PASSWORD 'bi mat'", "ALTER USER an PASSWORD …"),
            ("/* don't */ create user an identified by 'bi mat'", "/* don…"),
            ("CREATE LOGIN an WITH PASSWORD = 0x01AB HASHED", "CREATE LOGIN an WITH PASSWORD = …"),
            ("do $$ set password $$", "do …"),
            ("EXEC sp_addlogin an, bimat", "EXEC sp_addlogin…"),
        ] {
            assert_eq!(told(sql), (shown.to_owned(), true), "{sql}");
        }
    }

    #[test]
    fn other_statements_are_told() {
        for sql in [
            "SELECT \"user\".password FROM \"user\"",
            "SELECT 'a', ten FROM dan WHERE ma = 7",
            "SELECT id, password FROM users",
        ] {
            assert_eq!(told(sql), (sql.to_owned(), false));
        }
        let long = "SELECT 1".repeat(1000);
        let (text, secret) = told(&long);
        assert!(text.ends_with('…') && text.len() < MAX_STATEMENT_BYTES + 4 && !secret);
    }
}
