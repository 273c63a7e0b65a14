//! Keywords about the rule itself: what it says, who made it, how often it tells.

use std::collections::HashMap;

use super::super::buffer;
use super::super::language::Reason;
use super::super::rule::{Limit, LimitKind, Track};
use super::Draft;
use super::content::unquoted;

/// The longest message.
const MESSAGE_MAX_BYTES: usize = 1024;
/// What this engine says of itself where a rule asks (`requires`).
const VERSION: [u32; 3] = [8, 0, 6];

/// Keywords that say something to people, or ask for what is done elsewhere.
const NOTED: &[&str] = &[
    "metadata",
    "reference",
    "target",
    "tag",
    "bypass",
    "replace",
    "logto",
    "tls.store",
    "tls_store",
    "requires",
    "config",
];

/// Priorities of the classes that published rules use.
pub fn classes() -> HashMap<String, u8> {
    include_str!("classes.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, priority)| Some((name.to_owned(), priority.trim().parse().ok()?)))
        .collect()
}

impl Draft {
    /// Takes a keyword of this family.
    pub fn meta(
        &mut self,
        keyword: &str,
        value: Option<&str>,
        classes: &HashMap<String, u8>,
    ) -> Option<Result<(), Reason>> {
        let text = value.unwrap_or("").trim();
        let number = || text.parse::<u32>().map_err(|_| format!("{text} is no number"));
        Some(match keyword {
            "msg" => {
                let message = unescaped(unquoted(text));
                if message.len() > MESSAGE_MAX_BYTES {
                    return Some(Err(format!("the message is longer than {MESSAGE_MAX_BYTES} bytes")));
                }
                self.rule.message = message;
                Ok(())
            }
            "sid" => number().and_then(|sid| {
                self.rule.sid = sid;
                self.sid_seen = true;
                if sid == 0 { Err("0 is no sid".into()) } else { Ok(()) }
            }),
            "gid" => number().map(|gid| self.rule.gid = gid),
            "rev" => number().map(|rev| self.rule.rev = rev),
            "classtype" => {
                if let Some(priority) = classes.get(text) {
                    self.rule.priority = *priority;
                }
                self.rule.class = Some(text.to_owned());
                Ok(())
            }
            "priority" => match text.parse::<u8>() {
                Ok(priority @ 1..=255) => {
                    self.rule.priority = priority;
                    Ok(())
                }
                _ => Err(format!("{text} is no priority (1 to 255)")),
            },
            // What passes is told only where the rule says so.
            "alert" => {
                self.rule.tells_pass = true;
                Ok(())
            }
            "noalert" => {
                self.rule.silent = true;
                Ok(())
            }
            "threshold" => limit(text, None).map(|limit| self.rule.limits.push(limit)),
            "detection_filter" => limit(text, Some(LimitKind::Filter)).map(|limit| self.rule.limits.push(limit)),
            // What is to be looked for first is a packet's, where it is not a buffer's.
            "prefilter" => {
                self.addresses_only = false;
                Ok(())
            }
            // Whoever wants a file kept waits for one.
            "filestore" => {
                self.addresses_only = false;
                self.lists.there(buffer::FILE_DATA)
            }
            keyword if NOTED.contains(&keyword) => Ok(()),
            _ => return None,
        })
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(c);
    }
    out
}

/// `type limit, track by_src, count 1, seconds 60`.
fn limit(text: &str, fixed: Option<LimitKind>) -> Result<Limit, Reason> {
    let (mut kind, mut track, mut count, mut seconds) = (fixed, None, None, None);
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        let value = value.trim();
        let number = || value.parse::<u32>().map_err(|_| format!("{value} is no number"));
        match name {
            "type" if fixed.is_none() => {
                kind = Some(match value {
                    "limit" => LimitKind::Limit,
                    "threshold" => LimitKind::Threshold,
                    "both" => LimitKind::Both,
                    "backoff" => LimitKind::Backoff(1),
                    other => return Err(format!("{other} is no type")),
                });
            }
            "track" => {
                track = Some(match value {
                    "by_src" => Track::Source,
                    "by_dst" => Track::Destination,
                    "by_both" => Track::Both,
                    "by_rule" => Track::Rule,
                    "by_flow" => Track::Flow,
                    other => return Err(format!("{other} cannot be tracked")),
                });
            }
            "count" => count = Some(number()?),
            "seconds" => seconds = Some(number()?),
            "multiplier" => kind = Some(LimitKind::Backoff(number()?)),
            other => return Err(format!("{other} is unknown")),
        }
    }
    let missing = |what: &str| format!("{what} is missing");
    let count = count.ok_or_else(|| missing("count"))?;
    Ok(Limit {
        kind: kind.ok_or_else(|| missing("type"))?,
        track: track.ok_or_else(|| missing("track"))?,
        count: if count == 0 { return Err("the count is 0".into()) } else { count },
        seconds: match (seconds, kind) {
            (Some(seconds), _) => seconds,
            // It lasts as long as the flow.
            (None, Some(LimitKind::Backoff(_))) => 86_400,
            (None, _) => return Err(missing("seconds")),
        },
    })
}

/// Whether this engine is what a rule requires.
pub fn required(text: &str) -> bool {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let (name, value) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        match name {
            "version" => value.split('|').any(|all| versions(all.trim())),
            "keyword" => super::super::known_keyword(value.trim()),
            "feature" => ["ja3", "ja4"].contains(&value.trim()),
            _ => false,
        }
    })
}

/// `>= 7.0.4 < 8`.
fn versions(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let mut any = false;
    while let Some(word) = words.next() {
        let sign_length = word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
        let (sign, number) = word.split_at(sign_length);
        let number = if number.is_empty() { words.next().unwrap_or("") } else { number };
        let mut parts = number.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
        let wanted = [(); 3].map(|()| parts.next().unwrap_or(0));
        any = true;
        let good = match sign {
            ">=" => VERSION >= wanted,
            "<=" => VERSION <= wanted,
            ">" => VERSION > wanted,
            "<" => VERSION < wanted,
            _ => false,
        };
        if !good {
            return false;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_number_by_number() {
        assert!(versions(">= 7.0.4") && versions(">=8.0.0 <9") && !versions("< 8.0.0") && !versions(">= 8.1"));
        assert!(required("version >= 7 | >= 9, keyword bsize") && !required("feature geoip"));
    }

    #[test]
    fn limits_are_read() {
        let limit = limit("type both, track by_dst, count 5, seconds 60", None).unwrap();
        assert_eq!((limit.kind, limit.track, limit.count), (LimitKind::Both, Track::Destination, 5));
        assert!(super::limit("type limit, track by_src, seconds 1", None).is_err());
    }
}
