//! Words and typography for people: the names of severities, verdicts and states, numbers, dates and times in
//! Vietnamese and English. Vietnamese writes `1.250,5` and `22/11/2026`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::{Lang, wire_name};

/// The names of enum values, by wire name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dictionary {
    severity: BTreeMap<String, String>,
    verdict: BTreeMap<String, String>,
    alert_status: BTreeMap<String, String>,
    sensor_state: BTreeMap<String, String>,
}

/// Which names are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Severities.
    Severity,
    /// Verdicts.
    Verdict,
    /// Where an alert stands.
    AlertStatus,
    /// How a sensor is.
    SensorState,
}

fn dictionary(lang: Lang) -> Option<&'static Dictionary> {
    static VI: OnceLock<Option<Dictionary>> = OnceLock::new();
    static EN: OnceLock<Option<Dictionary>> = OnceLock::new();
    // The texts are part of the program and a test reads them; without them the wire names are shown.
    match lang {
        Lang::Vi => VI.get_or_init(|| toml::from_str(include_str!("../data/words.vi.toml")).ok()).as_ref(),
        Lang::En => EN.get_or_init(|| toml::from_str(include_str!("../data/words.en.toml")).ok()).as_ref(),
    }
}

/// The name of an enum value; its wire name where there is none.
pub fn name(lang: Lang, kind: Kind, value: &impl Serialize) -> String {
    let wire = wire_name(value);
    let names = dictionary(lang).map(|d| match kind {
        Kind::Severity => &d.severity,
        Kind::Verdict => &d.verdict,
        Kind::AlertStatus => &d.alert_status,
        Kind::SensorState => &d.sensor_state,
    });
    names.and_then(|names| names.get(&wire).cloned()).unwrap_or(wire)
}

/// The text with a capital at its start.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A whole number with separators.
pub fn number(lang: Lang, value: u64) -> String {
    grouped(&value.to_string(), separators(lang).0)
}

/// A whole number that may be negative.
pub fn signed(lang: Lang, value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", number(lang, value.unsigned_abs()))
}

/// A number with so many decimals.
pub fn decimal(lang: Lang, value: f64, decimals: usize) -> String {
    let (thousands, point) = separators(lang);
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if value < 0.0 { "-" } else { "" };
    let fraction = if fraction.is_empty() { String::new() } else { format!("{point}{fraction}") };
    format!("{sign}{}{fraction}", grouped(whole, thousands))
}

/// A share of one in per cent. What is not quite everything is never written as 100 %.
pub fn percent(lang: Lang, share: f64) -> String {
    let per_cent = share.clamp(0.0, 1.0) * 100.0;
    let shown = if share < 1.0 && per_cent > 99.99 { 99.99 } else { per_cent };
    let decimals = if shown == 100.0 { 0 } else { 2 };
    format!("{} %", decimal(lang, shown, decimals))
}

/// A day: `22/11/2026`.
pub fn day(date: Date) -> String {
    date.strftime("%d/%m/%Y").to_string()
}

/// A moment in a time zone: `22/11/2026 10:42:07`.
pub fn moment(time_us: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(zone.clone()).strftime("%d/%m/%Y %H:%M:%S").to_string()
}

/// The time of day in a time zone: `10:42:07`.
pub fn time_of_day(time_us: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Text of unknown origin on one line, without control characters, at most so many characters.
pub fn one_line(text: &str, max: usize) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect();
    if text.chars().count() > max {
        line.push('…');
    }
    line
}

/// What a rule wanted, as its engine says it in English with a small fixed grammar, in this language. What does not fit
/// the grammar stays as it is.
pub fn wanted(lang: Lang, text: &str) -> String {
    if lang == Lang::En {
        return text.to_owned();
    }
    if let Some(rest) = text.strip_prefix("not: ") {
        return format!("không: {}", wanted(lang, rest));
    }
    if let Some(whole) = WANTED_WHOLE.iter().find(|(english, _)| *english == text) {
        return whole.1.to_owned();
    }
    let known = WANTED.iter().find_map(|(english, vi)| Some((vi, text.strip_prefix(english)?)));
    known.map_or_else(|| text.to_owned(), |(vi, rest)| format!("{vi}{rest}"))
}

const WANTED_WHOLE: &[(&str, &str)] =
    &[("is absent", "không có"), ("is present", "có mặt"), ("the same in all events", "giống nhau ở mọi sự kiện")];

/// The longer beginnings first.
const WANTED: &[(&str, &str)] = &[
    ("is one of ", "là một trong "),
    ("is in ", "thuộc "),
    ("is the same as ", "giống "),
    ("is >= ", "ít nhất "),
    ("is <= ", "nhiều nhất "),
    ("is > ", "lớn hơn "),
    ("is < ", "nhỏ hơn "),
    ("is ", "là "),
    ("contains ", "chứa "),
    ("begins with ", "bắt đầu bằng "),
    ("ends with ", "kết thúc bằng "),
    ("matches ", "khớp mẫu "),
    ("satisfies ", "thỏa "),
    ("reached the rule's threshold within ", "đạt ngưỡng của luật trong "),
    ("file matches ", "tệp khớp "),
    ("domain ", "tên miền trong danh sách: "),
    ("ip ", "địa chỉ trong danh sách: "),
    ("cidr ", "địa chỉ trong danh sách: "),
    ("url ", "URL trong danh sách: "),
    ("hash ", "mã băm trong danh sách: "),
];

fn separators(lang: Lang) -> (char, char) {
    match lang {
        Lang::Vi => ('.', ','),
        Lang::En => (',', '.'),
    }
}

fn grouped(digits: &str, separator: char) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Verdict;

    #[test]
    fn numbers_follow_the_language() {
        assert_eq!(number(Lang::Vi, 1_234_567), "1.234.567");
        assert_eq!(number(Lang::En, 1_000), "1,000");
        assert_eq!(number(Lang::Vi, 7), "7");
        assert_eq!(decimal(Lang::Vi, 1250.5, 1), "1.250,5");
        assert_eq!(signed(Lang::Vi, -1234), "-1.234");
    }

    #[test]
    fn almost_everything_is_not_everything() {
        assert_eq!(percent(Lang::Vi, 1.0), "100 %");
        assert_eq!(percent(Lang::Vi, 0.999_999_9), "99,99 %");
        assert_eq!(percent(Lang::En, 0.5), "50.00 %");
    }

    #[test]
    fn every_name_is_there_in_both_languages() {
        for lang in [Lang::Vi, Lang::En] {
            let d = dictionary(lang).expect("the dictionary reads");
            for severity in crate::store::sql::SEVERITIES {
                assert!(d.severity.contains_key(&wire_name(&severity)));
            }
            assert_eq!((d.verdict.len(), d.alert_status.len(), d.sensor_state.len()), (4, 4, 3));
        }
        assert_eq!(name(Lang::Vi, Kind::Verdict, &Verdict::TruePositive), "cảnh báo đúng");
        assert_eq!(capital("đặc biệt"), "Đặc biệt");
    }

    #[test]
    fn what_a_rule_wanted_is_said_in_the_language_of_the_reader() {
        assert_eq!(wanted(Lang::Vi, "not: contains \"union\""), "không: chứa \"union\"");
        assert_eq!(wanted(Lang::Vi, "is >= 50"), "ít nhất 50");
        assert_eq!(wanted(Lang::Vi, "is present"), "có mặt");
        assert_eq!(wanted(Lang::Vi, "something else"), "something else");
        assert_eq!(wanted(Lang::En, "is present"), "is present");
    }

    #[test]
    fn strange_text_stays_on_its_line() {
        assert_eq!(one_line("a\r\nBcc: x", 20), "a  Bcc: x");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }
}
