//! Commands: what is told of their arguments, and what is not.

use super::record::RedisCommand;
use super::resp::{Item, MAX_PART_BYTES};
use crate::protocols::text;

/// Arguments that are told.
const MAX_ARGUMENTS: usize = 8;
/// Bytes of an argument that are told.
const MAX_ARGUMENT_BYTES: usize = 128;
/// What stands for a secret.
const HIDDEN: &str = "…";

/// Commands whose first argument says more of what they do.
const WITH_SUBCOMMANDS: [&str; 14] = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "MEMORY", "MODULE", "OBJECT", "PUBSUB",
    "SCRIPT", "SENTINEL", "XGROUP",
];
/// Commands by which people and programs begin in plain lines.
const LINES: [&str; 12] =
    ["AUTH", "CLIENT", "CONFIG", "DBSIZE", "EVAL", "FLUSHALL", "GET", "INFO", "KEYS", "PING", "SELECT", "SLAVEOF"];
/// Settings that are passwords.
const SECRET_SETTINGS: [&str; 5] =
    ["requirepass", "masterauth", "tls-key-file-pass", "tls-client-key-file-pass", "sentinel-pass"];

/// Whether a command in a plain line begins here; nothing while that cannot be told.
pub fn begins_line(bytes: &[u8]) -> Option<bool> {
    let word: Vec<u8> = bytes.iter().copied().take_while(u8::is_ascii_alphabetic).collect();
    let upper = word.to_ascii_uppercase();
    match bytes.get(word.len()) {
        Some(b' ' | b'\r' | b'\n') => Some(LINES.iter().any(|line| line.as_bytes() == upper)),
        Some(_) => Some(false),
        None if LINES.iter().any(|line| line.as_bytes().starts_with(&upper)) => None,
        None => Some(false),
    }
}

/// What is told of a command.
pub fn record(item: &Item) -> RedisCommand {
    let mut parts = item.parts.iter();
    let name = parts.next().map(|name| text::text(name, 32).to_uppercase()).unwrap_or_default();
    let mut record = RedisCommand {
        argument_count: Some(item.items.saturating_sub(1)),
        request_bytes: Some(item.bytes),
        ..RedisCommand::default()
    };
    let mut words: Vec<&[u8]> = parts.map(Vec::as_slice).collect();
    record.command = name;
    if WITH_SUBCOMMANDS.contains(&record.command.as_str()) && !words.is_empty() {
        let sub = text::text(words.remove(0), 32).to_uppercase();
        record.command = format!("{} {sub}", record.command);
    }
    let script = matches!(record.command.as_str(), "EVAL" | "EVAL_RO" | "SCRIPT LOAD" | "FUNCTION LOAD");
    let limit = if script { MAX_PART_BYTES } else { MAX_ARGUMENT_BYTES };
    let hidden = secrets(&mut record, &words);
    record.arguments = words
        .iter()
        .enumerate()
        .take(MAX_ARGUMENTS)
        .map(|(place, word)| if hidden.contains(&place) { HIDDEN.to_owned() } else { text::text(word, limit) })
        .collect();
    record.password_seen = (!hidden.is_empty()).then_some(true);
    record
}

/// Which arguments are secrets; of log-ins also who logs in.
fn secrets(record: &mut RedisCommand, words: &[&[u8]]) -> Vec<usize> {
    let is = |place: usize, word: &str| words.get(place).is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()));
    let name = |place: usize| words.get(place).map(|it| text::text(it, MAX_ARGUMENT_BYTES));
    let mut hidden = Vec::new();
    match record.command.as_str() {
        "AUTH" if words.len() == 1 => hidden.push(0),
        "AUTH" => {
            record.user = name(0);
            hidden.extend(1..words.len());
        }
        "HELLO" => {
            if let Some(at) = (0..words.len()).find(|place| is(*place, "AUTH")) {
                record.user = name(at + 1);
                hidden.push(at + 2);
            }
        }
        "MIGRATE" => {
            for place in 0..words.len() {
                if is(place, "AUTH") {
                    hidden.push(place + 1);
                } else if is(place, "AUTH2") {
                    hidden.push(place + 2);
                }
            }
        }
        "CONFIG SET" => {
            let secret = |place: &usize| SECRET_SETTINGS.iter().any(|setting| is(*place, setting));
            hidden.extend((0..words.len()).filter(secret).map(|place| place + 1));
        }
        "SENTINEL SET" => hidden.extend((0..words.len()).filter(|at| is(*at, "auth-pass")).map(|at| at + 1)),
        "ACL SETUSER" => {
            let rule =
                |place: &usize| words.get(*place).and_then(|word| word.first()).is_some_and(|b| b"><#!".contains(b));
            hidden.extend((1..words.len()).filter(rule));
        }
        _ => {}
    }
    // Scripts that set a password.
    let speaks = |word: &[u8]| {
        let lower = word.to_ascii_lowercase();
        let says = |setting: &str| lower.windows(setting.len()).any(|window| window == setting.as_bytes());
        lower.len() > 24 && SECRET_SETTINGS.iter().any(|setting| says(setting))
    };
    hidden.extend((0..words.len()).filter(|place| words.get(*place).is_some_and(|word| speaks(word))));
    hidden.retain(|place| *place < words.len());
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> RedisCommand {
        let parts: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        record(&Item { items: parts.len() as u64, parts, ..Item::default() })
    }

    #[test]
    fn passwords_are_left_out() {
        for (line, command, arguments) in [
            ("auth bimat", "AUTH", vec!["…"]),
            ("AUTH an bimat", "AUTH", vec!["an", "…"]),
            ("HELLO 3 AUTH an bimat SETNAME x", "HELLO", vec!["3", "AUTH", "an", "…", "SETNAME", "x"]),
            ("config set requirepass bimat", "CONFIG SET", vec!["requirepass", "…"]),
            ("ACL SETUSER an on >bimat ~*", "ACL SETUSER", vec!["an", "on", "…", "~*"]),
            ("EVAL redis.call('config','set','requirepass','bimat') 0", "EVAL", vec!["…", "0"]),
        ] {
            let record = told(line);
            assert_eq!((record.command.as_str(), record.password_seen), (command, Some(true)), "{line}");
            assert_eq!(record.arguments, arguments, "{line}");
        }
        assert_eq!(told("SET a b").password_seen, None);
    }
}
