//! Small help around SQL: conditions that are put together, columns that become people, words that are searched.

use luytre_collector_api::{Agency, Endpoint, Severity};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Row as _};

use super::{StoreError, StoreResult};
use crate::model::Person;

/// The conditions of a query and the values they speak of.
#[derive(Default)]
pub struct Conditions {
    parts: Vec<String>,
    arguments: SqliteArguments,
    count: usize,
}

impl Conditions {
    /// Adds a condition in which `?` stands for the value. Only texts of ours go in here, values are bound.
    pub fn add<'q, T>(&mut self, condition: &'static str, value: T) -> StoreResult<()>
    where
        T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let place = self.bind(value)?;
        self.parts.push(condition.replace('?', &place));
        Ok(())
    }

    /// Adds a condition without a value.
    pub fn add_plain(&mut self, condition: String) {
        self.parts.push(condition);
    }

    /// Binds a value and answers its placeholder.
    pub fn bind<'q, T>(&mut self, value: T) -> StoreResult<String>
    where
        T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.arguments.add(value).map_err(|cause| StoreError::Database(sqlx::Error::Encode(cause)))?;
        self.count += 1;
        Ok(format!("${}", self.count))
    }

    /// ` WHERE …`, or nothing.
    pub fn clause(&self) -> String {
        if self.parts.is_empty() { String::new() } else { format!(" WHERE {}", self.parts.join(" AND ")) }
    }

    /// The values, in the order of their placeholders.
    pub fn into_arguments(self) -> SqliteArguments {
        self.arguments
    }
}

/// A severity as the database keeps it: 0 to 4.
pub fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// All severities, by their number.
pub const SEVERITIES: [Severity; 5] =
    [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// The severity of a number; unknown numbers are critical, so that nothing is overlooked.
pub fn severity_of(number: i64) -> Severity {
    usize::try_from(number).ok().and_then(|n| SEVERITIES.get(n).copied()).unwrap_or(Severity::Critical)
}

/// The person in the columns `<prefix>_id`, `<prefix>_name` and `<prefix>_display`.
pub fn person(row: &SqliteRow, prefix: &str) -> Result<Option<Person>, sqlx::Error> {
    let id: Option<String> = row.try_get(format!("{prefix}_id").as_str())?;
    let Some(id) = id else { return Ok(None) };
    let name: Option<String> = row.try_get(format!("{prefix}_name").as_str())?;
    let display_name: Option<String> = row.try_get(format!("{prefix}_display").as_str())?;
    Ok(Some(Person { id, name: name.unwrap_or_default(), display_name: display_name.unwrap_or_default() }))
}

/// The agency in the columns `agency_id` and `agency_name`.
pub fn agency(row: &SqliteRow) -> Result<Option<Agency>, sqlx::Error> {
    let id: Option<String> = row.try_get("agency_id")?;
    let name: Option<String> = row.try_get("agency_name")?;
    Ok(id.map(|id| Agency { name: name.unwrap_or_else(|| id.clone()), id }))
}

/// The endpoint in the columns `<prefix>_ip` and `<prefix>_port`.
pub fn endpoint(row: &SqliteRow, prefix: &str) -> Result<Option<Endpoint>, sqlx::Error> {
    let ip: Option<String> = row.try_get(format!("{prefix}_ip").as_str())?;
    let port: Option<i64> = row.try_get(format!("{prefix}_port").as_str())?;
    Ok(ip.map(|ip| Endpoint { ip, port: port.and_then(|port| u16::try_from(port).ok()) }))
}

/// Text as it is searched: small letters without Vietnamese (or other Latin) diacritics.
pub fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).filter_map(fold_letter).collect()
}

/// The letter without its marks; nothing for a combining mark.
fn fold_letter(letter: char) -> Option<char> {
    let plain = match letter {
        '\u{300}'..='\u{36f}' => return None,
        'à'..='å' | 'ā' | 'ă' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' | 'ắ' | 'ằ' | 'ẳ' | 'ẵ' | 'ặ' => {
            'a'
        }
        'è'..='ë' | 'ē' | 'ĕ' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => 'e',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ỉ' | 'ị' => 'i',
        'ò'..='ö' | 'ō' | 'ŏ' | 'ọ' | 'ỏ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ' | 'ơ' | 'ớ' | 'ờ' | 'ở' | 'ỡ' | 'ợ' => {
            'o'
        }
        'ù'..='ü' | 'ũ' | 'ū' | 'ụ' | 'ủ' | 'ư' | 'ứ' | 'ừ' | 'ử' | 'ữ' | 'ự' => 'u',
        'ý' | 'ÿ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => 'y',
        'đ' => 'd',
        other => other,
    };
    Some(plain)
}

/// A `LIKE` pattern for text that contains this word, `\` as the escape.
pub fn contains_pattern(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A `LIKE` pattern for text that begins with this word, `\` as the escape.
pub fn starts_pattern(word: &str) -> String {
    contains_pattern(word).trim_start_matches('%').to_owned()
}

/// A place in a list, as an opaque text.
pub fn cursor_text(parts: &[String]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(parts.join("\n"))
}

/// The place of an opaque text, in `expected` parts.
pub fn cursor_parts(text: &str, expected: usize) -> StoreResult<Vec<String>> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok();
    let parts: Option<Vec<String>> =
        bytes.and_then(|b| String::from_utf8(b).ok()).map(|t| t.split('\n').map(str::to_owned).collect());
    parts
        .filter(|parts| parts.len() == expected)
        .ok_or_else(|| StoreError::invalid("cursor", "this is no place in the list; ask without it"))
}

/// A page's size from what was wished.
pub fn page_size(wished: Option<u32>) -> u32 {
    wished.unwrap_or(50).clamp(1, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_takes_vietnamese_marks_away() {
        assert_eq!(folded("Tải lên WEB SHELL vào cổng dịch vụ Đắk Lắk"), "tai len web shell vao cong dich vu dak lak");
        assert_eq!(folded("ế ễ ặ ữ ợ ỵ Ắ"), "e e a u o y a");
        // Decomposed letters fold to the same.
        assert_eq!(folded("e\u{302}\u{301}"), "e");
    }

    #[test]
    fn patterns_take_wildcards_literally() {
        assert_eq!(contains_pattern("50%_a\\b"), "%50\\%\\_a\\\\b%");
    }

    #[test]
    fn cursors_go_there_and_back_and_nonsense_is_refused() {
        let parts = vec!["12".to_owned(), "a-b".to_owned()];
        assert_eq!(cursor_parts(&cursor_text(&parts), 2).unwrap(), parts);
        assert!(cursor_parts("%%%", 2).is_err());
        assert!(cursor_parts(&cursor_text(&parts), 3).is_err());
    }
}
