//! The values of a query: from what was written to a typed test, after the field's kind. Errors say what was expected.

use std::net::IpAddr;
use std::ops::Bound;

use ipnet::IpNet;
use luytre_events::Kind;
use luytre_events::catalogue::Field;

use super::lexer::{Char, plain};
use super::query::{FieldRef, Node, Pattern, PatternPart, Test};
use crate::index::words;

/// `field:*`.
pub fn exists(field: &Field) -> Node {
    match field.name.as_str() {
        "@timestamp" | "event.id" => Node::All,
        _ => Node::Field(reference(field), Test::Exists),
    }
}

/// An unquoted value: comparisons and wildcards mean something.
pub fn word(field: &Field, word: &[Char], now_ns: i64) -> Result<Node, String> {
    if let Some((from, to)) = comparison(word) {
        return bounds(field, from, to, now_ns);
    }
    if !word.iter().any(is_wildcard) {
        return exact(field, &plain(word), now_ns);
    }
    match field.kind {
        _ if field.name == "event.id" => Err("event ids have no wildcards; expected SENSOR:NUMBER".to_owned()),
        Kind::Keyword => Ok(test(field, Test::Pattern(pattern(word, words::keyword)))),
        Kind::Text => all_words(word, |pattern| test(field, Test::Pattern(pattern))),
        Kind::Ip => {
            Err("addresses have no wildcards; expected an address or a network such as 192.0.2.0/24".to_owned())
        }
        _ => Err("only text has wildcards; expected a value or a range such as [1 TO 9]".to_owned()),
    }
}

/// The longest regular expression.
const EXPRESSION_MAX: usize = 1000;

/// `~"..."`: a regular expression that the value holds somewhere, upper and lower case alike; `^` and `$` tie it to the
/// value's ends. Of prose, one word must match.
pub fn expression(field: &Field, text: &str) -> Result<Node, String> {
    if !matches!(field.kind, Kind::Keyword | Kind::Text) || field.name == "event.id" {
        return Err(format!("`{}` is no text; only text has regular expressions", field.name));
    }
    if text.len() > EXPRESSION_MAX {
        return Err(format!("the expression is longer than {EXPRESSION_MAX} bytes; expected a shorter one"));
    }
    let (start, rest) = text.strip_prefix('^').map_or(("(.|\n)*", text), |rest| ("", rest));
    let (rest, end) = match rest.strip_suffix('$') {
        Some(tied) if !tied.ends_with('\\') => (tied, ""),
        _ => (rest, "(.|\n)*"),
    };
    let expression = format!("{start}((?i){rest}){end}");
    // Said here with its reason; the index's own automata know less, and say so when they are made.
    regex::Regex::new(&expression).map_err(|error| {
        let reason = error.to_string();
        format!("this is no regular expression: {}", reason.lines().last().unwrap_or_default())
    })?;
    Ok(test(field, Test::Regex(expression)))
}

/// A value taken as it is.
pub fn exact(field: &Field, text: &str, now_ns: i64) -> Result<Node, String> {
    if field.name == "event.id" {
        let id = text.parse().map_err(|_| format!("expected an event id SENSOR:NUMBER, not `{text}`"))?;
        return Ok(test(field, Test::Id(id)));
    }
    let made = match field.kind {
        Kind::Keyword => Test::Keyword(words::keyword(text)),
        Kind::Text => Test::Words(some_words(text)?),
        Kind::Ip => Test::Network(network(text)?),
        Kind::Boolean => Test::Boolean(match text {
            "true" => true,
            "false" => false,
            _ => return Err(format!("expected true or false, not `{text}`")),
        }),
        Kind::Long | Kind::Float | Kind::Date => {
            return bounds(field, Bound::Included(text), Bound::Included(text), now_ns);
        }
        Kind::Bytes => return Err("raw bytes cannot be searched".to_owned()),
    };
    Ok(test(field, made))
}

/// `[from TO to]`; `*` leaves an end open.
pub fn range(field: &Field, from: (&str, bool), to: (&str, bool), now_ns: i64) -> Result<Node, String> {
    bounds(field, end(from), end(to), now_ns)
}

fn end((text, included): (&str, bool)) -> Bound<&str> {
    match text {
        "*" | "" => Bound::Unbounded,
        _ if included => Bound::Included(text),
        _ => Bound::Excluded(text),
    }
}

fn bounds<S: AsRef<str>>(field: &Field, from: Bound<S>, to: Bound<S>, now_ns: i64) -> Result<Node, String> {
    let from = from.as_ref().map(AsRef::as_ref);
    let to = to.as_ref().map(AsRef::as_ref);
    if matches!((&from, &to), (Bound::Unbounded, Bound::Unbounded)) {
        return Ok(exists(field));
    }
    let made = match field.kind {
        Kind::Long => Test::Long(convert(from, long)?, convert(to, long)?),
        Kind::Float => Test::Float(convert(from, float)?, convert(to, float)?),
        Kind::Ip => Test::Addresses(convert(from, address)?, convert(to, address)?),
        Kind::Date => {
            let span = |text: &str| time_span(text, now_ns);
            // A day or a minute is a span: a range from it begins with its start, a range to it ends with its end.
            let from = match convert(from, span)? {
                Bound::Included((start, _)) => Bound::Included(start),
                Bound::Excluded((_, end)) => Bound::Included(end),
                Bound::Unbounded => Bound::Unbounded,
            };
            let to = match convert(to, span)? {
                Bound::Included((_, end)) => Bound::Excluded(end),
                Bound::Excluded((start, _)) => Bound::Excluded(start),
                Bound::Unbounded => Bound::Unbounded,
            };
            Test::Time(from, to)
        }
        _ => return Err(format!("`{}` has no order; expected a number, a time or an address for a range", field.name)),
    };
    Ok(test(field, made))
}

fn convert<T>(bound: Bound<&str>, read: impl Fn(&str) -> Result<T, String>) -> Result<Bound<T>, String> {
    Ok(match bound {
        Bound::Included(text) => Bound::Included(read(text)?),
        Bound::Excluded(text) => Bound::Excluded(read(text)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}

/// `>5`, `>=5`, `<5`, `<=5`.
fn comparison(word: &[Char]) -> Option<(Bound<String>, Bound<String>)> {
    let (sign, rest) = word.split_first()?;
    if sign.escaped || !matches!(sign.c, '<' | '>') {
        return None;
    }
    let (included, rest) = match rest.split_first() {
        Some((Char { c: '=', escaped: false }, rest)) => (true, rest),
        _ => (false, rest),
    };
    let value = if included { Bound::Included(plain(rest)) } else { Bound::Excluded(plain(rest)) };
    Some(if sign.c == '>' { (value, Bound::Unbounded) } else { (Bound::Unbounded, value) })
}

/// A bare word: `*` is everything, an address or network, else words of any text.
pub fn bare(word: &[Char]) -> Result<Node, String> {
    if matches!(word, [Char { c: '*', escaped: false }]) {
        return Ok(Node::All);
    }
    let text = plain(word);
    if let Ok(network) = network(&text) {
        return Ok(Node::Address(network));
    }
    if word.iter().any(is_wildcard) { all_words(word, Node::WordPattern) } else { Ok(Node::Words(some_words(&text)?)) }
}

/// Bare quoted text: words of any text, one after the other.
pub fn bare_quoted(text: &str) -> Result<Node, String> {
    Ok(Node::Words(some_words(text)?))
}

fn some_words(text: &str) -> Result<Vec<String>, String> {
    let words = words::words(text);
    if words.is_empty() {
        Err(format!("`{text}` has no word to search for; expected letters or digits"))
    } else {
        Ok(words)
    }
}

fn is_wildcard(c: &Char) -> bool {
    !c.escaped && matches!(c.c, '*' | '?')
}

/// The pattern of a whole value; `normal` makes the text parts what terms look like.
fn pattern(word: &[Char], normal: impl Fn(&str) -> String) -> Pattern {
    let mut parts = Vec::new();
    let mut text = String::new();
    for c in word {
        if is_wildcard(c) {
            if !text.is_empty() {
                parts.push(PatternPart::Text(normal(&std::mem::take(&mut text))));
            }
            let part = if c.c == '*' { PatternPart::Many } else { PatternPart::One };
            if !(part == PatternPart::Many && parts.last() == Some(&PatternPart::Many)) {
                parts.push(part);
            }
        } else {
            text.push(c.c);
        }
    }
    if !text.is_empty() {
        parts.push(PatternPart::Text(normal(&text)));
    }
    Pattern { parts }
}

/// Each word of a text with wildcards as a test of its own.
fn all_words(word: &[Char], make: impl Fn(Pattern) -> Node) -> Result<Node, String> {
    let fold = |text: &str| words::words(text).concat();
    let nodes: Vec<Node> = word
        .split(|c| !is_wildcard(c) && !c.c.is_alphanumeric())
        .filter(|piece| piece.iter().any(|c| !is_wildcard(c)))
        .map(|piece| make(pattern(piece, fold)))
        .collect();
    match nodes.len() {
        0 => Err("expected some letters or digits beside the wildcards".to_owned()),
        1 => Ok(nodes.into_iter().next().unwrap_or(Node::All)),
        _ => Ok(Node::And(nodes)),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let expected = || format!("expected an address or a network such as 192.0.2.0/24, not `{text}`");
    match text.parse::<IpAddr>() {
        Ok(ip) => Ok(IpNet::from(ip)),
        Err(_) => text.parse::<IpNet>().map(|net| net.trunc()).map_err(|_| expected()),
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("expected an address, not `{text}`"))
}

fn long(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number, not `{text}`"))
}

fn float(text: &str) -> Result<f64, String> {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| format!("expected a number, not `{text}`"))
}

/// The span that a written time stands for: start and first moment after it, nanoseconds.
pub fn time_span(text: &str, now_ns: i64) -> Result<(i64, i64), String> {
    const SECOND_NS: i64 = 1_000_000_000;
    let expected = || format!("expected a time such as 2026-11-22, 2026-11-22T08:30:00Z or now-1h, not `{text}`");
    if let Some(rest) = text.strip_prefix("now") {
        let moved_ms = match rest.split_at_checked(1) {
            None => 0,
            Some(("-", step)) => -i64::try_from(duration_ms(step).ok_or_else(expected)?).map_err(|_| expected())?,
            Some(("+", step)) => i64::try_from(duration_ms(step).ok_or_else(expected)?).map_err(|_| expected())?,
            Some(_) => return Err(expected()),
        };
        let at = now_ns.saturating_add(moved_ms.saturating_mul(1_000_000));
        return Ok((at, at.saturating_add(1)));
    }
    let spans = |start_ns: i128, length_ns: i64| -> Result<(i64, i64), String> {
        let start = i64::try_from(start_ns).map_err(|_| expected())?;
        Ok((start, start.saturating_add(length_ns)))
    };
    let utc = |moment: jiff::civil::DateTime| {
        moment.to_zoned(jiff::tz::TimeZone::UTC).map(|z| z.timestamp().as_nanosecond()).map_err(|_| expected())
    };
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return spans(at.as_nanosecond(), 1);
    }
    if let Ok(day) = jiff::civil::Date::strptime("%Y-%m-%d", text) {
        return spans(utc(day.at(0, 0, 0, 0))?, 86_400 * SECOND_NS);
    }
    if let Ok(minute) = jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M", text) {
        return spans(utc(minute)?, 60 * SECOND_NS);
    }
    if let Ok(second) = jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%S", text) {
        return spans(utc(second)?, SECOND_NS);
    }
    Err(expected())
}

/// `500ms`, `30s`, `5m`, `1h`, `1d`, `1w` in milliseconds.
pub fn duration_ms(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit_ms)
}

fn reference(field: &Field) -> FieldRef {
    FieldRef { name: field.name.clone(), kind: field.kind }
}

fn test(field: &Field, test: Test) -> Node {
    Node::Field(reference(field), test)
}
