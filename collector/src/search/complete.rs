//! Completion: what can stand at a place in a query.
//!
//! Comes in: the text of a query bar and the place of its cursor. Goes out: a few proposals, each with the text it replaces.
//! Names come from the catalogue and from what may follow a `|`; values are those that events of the last day have. It
//! looks at the text before the cursor only, and never fails over a query that is not finished: at worst there are no
//! proposals.

use luytre_collector_api::{CompletionKind, CompletionRequest, Proposal, SearchRequest};
use luytre_events::catalogue::Field;
use luytre_events::{Catalogue, IndexHint, Kind};

use super::Search;

/// The most proposals.
const PROPOSALS_MAX: usize = 20;
/// The longest query that is looked at, in characters.
const QUERY_MAX: usize = 10_000;
/// Values are looked for in events of so much time.
const VALUES_SINCE: &str = "now-1d";
/// What begins a stage, and what it does.
const STAGES: [(&str, &str); 14] = [
    ("count by ", "counts of groups"),
    ("sum ", "the sum of a field"),
    ("avg ", "the mean of a field"),
    ("min ", "the least value of a field"),
    ("max ", "the greatest value of a field"),
    ("p95 ", "what 95 of 100 values do not exceed"),
    ("distinct ", "how many different values"),
    ("first", "time of the first event"),
    ("last", "time of the last event"),
    ("top ", "the greatest groups"),
    ("rare ", "the least groups"),
    ("table ", "fields of the newest events"),
    ("timeline ", "counts over time"),
    ("join ", "events that share a value with others"),
];
/// Between terms.
const OPERATORS: [(&str, &str); 3] = [("AND ", "both"), ("OR ", "one of both"), ("NOT ", "not what follows")];

/// What stands before the cursor.
#[derive(Debug, PartialEq, Eq)]
enum Place<'q> {
    /// In a term: the beginning of a field's name or a word.
    Term(&'q str),
    /// Behind `field:`.
    Value(&'q str, &'q str),
    /// Straight behind `|`.
    Stage(&'q str),
    /// Where a stage wants a field.
    Field(&'q str),
    /// In quotes, or where only a person knows.
    Free,
}

impl Search {
    /// Proposals for the place.
    pub fn complete(&self, request: &CompletionRequest, now_ns: i64) -> Vec<Proposal> {
        let query: Vec<char> = request.query.chars().take(QUERY_MAX).collect();
        let position = (request.position as usize).min(query.len());
        let before: String = query.iter().take(position).collect();
        let place = place(&before);
        let begun = match place {
            Place::Term(begun) | Place::Value(_, begun) | Place::Stage(begun) | Place::Field(begun) => begun,
            Place::Free => return Vec::new(),
        };
        let from = position - begun.chars().count();
        let proposal = |text: String, kind: CompletionKind, note: &str| Proposal {
            text,
            kind,
            note: note.to_owned(),
            from: u32::try_from(from).unwrap_or(u32::MAX),
            to: u32::try_from(position).unwrap_or(u32::MAX),
        };
        let words = |table: &[(&str, &str)], kind: CompletionKind| -> Vec<Proposal> {
            let fitting = table.iter().filter(|(word, _)| starts(word, begun));
            fitting.map(|(word, note)| proposal((*word).to_owned(), kind, note)).collect()
        };
        let mut proposals = match place {
            Place::Term(_) => {
                let mut all =
                    fields(begun, |field| proposal(format!("{}:", field.name), CompletionKind::Field, &field.doc));
                all.extend(words(&OPERATORS, CompletionKind::Operator));
                all
            }
            Place::Field(_) => fields(begun, |field| proposal(field.name.clone(), CompletionKind::Field, &field.doc)),
            Place::Stage(_) => words(&STAGES, CompletionKind::Stage),
            Place::Value(name, _) => {
                let values = self.values(name, begun, request, now_ns);
                values.into_iter().map(|(text, note)| proposal(text, CompletionKind::Value, &note)).collect()
            }
            Place::Free => Vec::new(),
        };
        proposals.truncate(PROPOSALS_MAX);
        proposals
    }

    /// The most frequent values of a field that begin like this, as they are written in a query.
    fn values(&self, name: &str, begun: &str, request: &CompletionRequest, now_ns: i64) -> Vec<(String, String)> {
        let Some(field) = Catalogue::current().fields().iter().find(|field| field.name == name) else {
            return Vec::new();
        };
        if field.kind == Kind::Boolean {
            return ["true", "false"].map(|value| (value.to_owned(), String::new())).to_vec();
        }
        if !matches!(field.kind, Kind::Keyword | Kind::Ip | Kind::Long) || field.index == IndexHint::Stored {
            return Vec::new();
        }
        let is_keyword = field.kind == Kind::Keyword && !begun.is_empty();
        let pattern = if is_keyword { format!("{}*", escaped(begun)) } else { "*".to_owned() };
        let wished = SearchRequest {
            query: format!(
                "{name}:{pattern} | count by {name} | top {}",
                if is_keyword { PROPOSALS_MAX } else { 1000 }
            ),
            from: Some(request.from.clone().unwrap_or_else(|| VALUES_SINCE.to_owned())),
            set: request.set.clone(),
            ..SearchRequest::default()
        };
        let Ok(answer) = self.run(&wished, now_ns) else { return Vec::new() };
        let rows = answer.table.map(|table| table.rows).unwrap_or_default();
        let value = |row: &Vec<serde_json::Value>| {
            let text =
                row.first()?.as_str().map_or_else(|| row.first().map(ToString::to_string), |t| Some(t.to_owned()))?;
            starts(&text, begun).then(|| (written(&text), row.get(1).map(ToString::to_string).unwrap_or_default()))
        };
        rows.iter().filter_map(value).collect()
    }
}

/// Fields whose name, or a part of it, begins like this; names that begin so come first.
fn fields(begun: &str, make: impl Fn(&Field) -> Proposal) -> Vec<Proposal> {
    let fits = |field: &&Field| field.kind != Kind::Bytes;
    let all = || Catalogue::current().fields().iter().filter(fits);
    let first = all().filter(|field| starts(&field.name, begun));
    let within = |field: &&Field| {
        !begun.is_empty() && !starts(&field.name, begun) && field.name.split('.').any(|part| starts(part, begun))
    };
    let mut found: Vec<&Field> = first.collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.extend(all().filter(within));
    found.into_iter().take(PROPOSALS_MAX).map(make).collect()
}

fn starts(text: &str, begun: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    begun.chars().flat_map(char::to_lowercase).all(|c| text.next() == Some(c))
}

/// What the language would take for something else, marked as text.
fn escaped(text: &str) -> String {
    let marked = |c: char| if c.is_alphanumeric() || "._-".contains(c) { format!("{c}") } else { format!("\\{c}") };
    text.chars().map(marked).collect()
}

/// A value as it is written in a query.
fn written(text: &str) -> String {
    match text.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)) && !["AND", "OR", "NOT", "TO"].contains(&text)
    {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// Where the text ends.
fn place(before: &str) -> Place<'_> {
    let (mut in_quotes, mut is_escaped) = (false, false);
    let (mut word, mut stage) = (0, None);
    for (at, c) in before.char_indices() {
        let behind = at + c.len_utf8();
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            '|' => (word, stage) = (behind, Some(behind)),
            // The query of a join is one of its own.
            '(' if stage.is_some() => (word, stage) = (behind, None),
            c if c.is_whitespace() || "(),".contains(c) => word = behind,
            _ => {}
        }
    }
    let begun = before.get(word..).unwrap_or_default();
    if in_quotes {
        return Place::Free;
    }
    let Some(stage) = stage else {
        let begun = begun.trim_start_matches('-');
        return match begun.split_once(':') {
            Some((_, value)) if value.starts_with(['[', '{', '~', '<', '>', '"']) => Place::Free,
            Some((name, value)) => Place::Value(name, value.trim_start_matches('(')),
            None => Place::Term(begun),
        };
    };
    let said = before.get(stage..word).unwrap_or_default();
    let mut words = said.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    match (words.next(), words.next_back()) {
        (None, _) => Place::Stage(begun),
        (Some("top" | "rare" | "timeline"), _) => Place::Free,
        (Some("count" | "first" | "last"), None) if said.trim_end().ends_with(',') => Place::Stage(begun),
        (Some("count" | "first" | "last"), None) => Place::Free,
        _ => Place::Field(begun),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_before_the_cursor_says_what_is_wanted() {
        for (text, expected) in [
            ("", Place::Term("")),
            ("sour", Place::Term("sour")),
            ("source.ip:192.0.2.7 AND dns", Place::Term("dns")),
            ("-dns.q", Place::Term("dns.q")),
            ("dns.question.name:mot", Place::Value("dns.question.name", "mot")),
            ("event.dataset:(dns OR fl", Place::Term("fl")),
            ("url.path:\"/a b", Place::Free),
            ("\"a | b", Place::Free),
            ("source.bytes:>=1", Place::Free),
            ("* | ", Place::Stage("")),
            ("* |co", Place::Stage("co")),
            ("* | count by sou", Place::Field("sou")),
            ("* | count by source.ip, dest", Place::Field("dest")),
            ("* | sum net", Place::Field("net")),
            ("* | count, su", Place::Stage("su")),
            ("* | count by source.ip | t", Place::Stage("t")),
            ("* | top 5", Place::Free),
            ("* | join network.community_id (event.da", Place::Term("event.da")),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn values_are_written_so_that_they_can_be_searched() {
        assert_eq!(written("mot-cua.example"), "mot-cua.example");
        assert_eq!(written("/a \"b\""), "\"/a \\\"b\\\"\"");
        assert_eq!(written("AND"), "\"AND\"");
        assert_eq!(escaped("/a*"), "\\/a\\*");
    }
}
