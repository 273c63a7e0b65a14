//! A rule as text: action, header, and options with their values.

use super::{Fault, Reason};

/// The longest rule, in bytes.
const RULE_MAX_BYTES: usize = 64 << 10;
/// The most options of a rule.
const OPTIONS_MAX: usize = 1024;

/// What a rule asks to be done. A sensor that listens only tells; the others decide the order, and `pass` silences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing is to be told of what matches.
    Pass,
    /// Would be dropped in line.
    Drop,
    /// Would be refused in line.
    Reject,
    /// Tell.
    Alert,
    /// Changes what is logged; tells nothing.
    Config,
}

/// One option of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionText {
    /// Its keyword as written.
    pub keyword: String,
    /// What stands behind the colon, without the blanks around it. Escaped semicolons are still escaped.
    pub value: Option<String>,
    /// Character of the rule at which it begins, from 1.
    pub column: u32,
}

/// A rule taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Line on which it begins, from 1.
    pub line: u32,
    /// The action.
    pub action: Action,
    /// What stands between action and options, split at blanks outside of brackets.
    pub header: Vec<String>,
    /// The options in their order.
    pub options: Vec<OptionText>,
    /// The whole rule as it stands, continued lines joined.
    pub text: String,
}

/// Every rule of a file.
pub fn statements(text: &str) -> (Vec<Statement>, Vec<Fault>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (line, rule) in logical_lines(text) {
        match statement(line, &rule) {
            Ok(statement) => good.push(statement),
            Err((column, reason)) => bad.push(Fault { line, column, keyword: String::new(), reason }),
        }
    }
    (good, bad)
}

/// Lines that are rules, continuations joined.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut rules = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if open.is_none() && (line.is_empty() || line.starts_with('#')) {
            continue;
        }
        let (begin, mut rule) = open.take().unwrap_or((number, String::new()));
        match line.strip_suffix('\\') {
            Some(part) => {
                rule.push_str(part);
                open = Some((begin, rule));
            }
            None => {
                rule.push_str(line);
                rules.push((begin, rule));
            }
        }
    }
    rules.extend(open);
    rules
}

fn statement(line: u32, rule: &str) -> Result<Statement, (u32, Reason)> {
    if rule.len() > RULE_MAX_BYTES {
        return Err((1, format!("the rule is longer than {RULE_MAX_BYTES} bytes")));
    }
    let open = rule.find('(').ok_or((1, "there are no options in parentheses".to_owned()))?;
    let (head, rest) = rule.split_at(open);
    let body = rest.get(1..).unwrap_or("");
    let close = body.rfind(')').ok_or((column(rule, open), "the closing parenthesis is missing".to_owned()))?;
    let (body, _) = body.split_at(close);
    let mut words = words(head).into_iter();
    let action = action(&words.next().unwrap_or_default()).map_err(|reason| (1, reason))?;
    let options = options(body, column(rule, open + 1))?;
    Ok(Statement { line, action, header: words.collect(), options, text: rule.to_owned() })
}

fn column(text: &str, at: usize) -> u32 {
    let characters = text.get(..at).map_or(0, |part| part.chars().count());
    u32::try_from(characters + 1).unwrap_or(u32::MAX)
}

fn action(word: &str) -> Result<Action, Reason> {
    Ok(match word {
        "alert" => Action::Alert,
        "pass" => Action::Pass,
        "drop" => Action::Drop,
        "reject" | "rejectsrc" | "rejectdst" | "rejectboth" => Action::Reject,
        "config" => Action::Config,
        other => return Err(format!("{other} is no action (alert, pass, drop, reject, config)")),
    })
}

/// Splits at blanks that stand outside of brackets.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut depth) = (String::new(), 0u32);
    for c in text.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() {
            if depth == 0 && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Options end at semicolons that are neither quoted nor escaped.
fn options(body: &str, first_column: u32) -> Result<Vec<OptionText>, (u32, Reason)> {
    let mut options = Vec::new();
    let (mut text, mut begin) = (String::new(), first_column);
    let (mut quoted, mut escaped) = (false, false);
    for (number, c) in (first_column..).zip(body.chars()) {
        if text.is_empty() && c.is_whitespace() {
            begin = number + 1;
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                options.push(option(&std::mem::take(&mut text), begin));
                begin = number + 1;
                if options.len() > OPTIONS_MAX {
                    return Err((number, format!("there are more than {OPTIONS_MAX} options")));
                }
                continue;
            }
            _ => {}
        }
        text.push(c);
    }
    if quoted {
        return Err((begin, "a quotation mark is never closed".into()));
    }
    if !text.trim().is_empty() {
        return Err((begin, format!("the option {} does not end with a semicolon", text.trim())));
    }
    options.retain(|option| !option.keyword.is_empty());
    Ok(options)
}

fn option(text: &str, column: u32) -> OptionText {
    match text.split_once(':') {
        Some((keyword, value)) => OptionText {
            keyword: keyword.trim().to_owned(),
            value: Some(value.trim().to_owned()).filter(|value| !value.is_empty()),
            column,
        },
        None => OptionText { keyword: text.trim().to_owned(), value: None, column },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Statement {
        let (mut good, bad) = statements(text);
        assert_eq!(bad, []);
        good.remove(0)
    }

    #[test]
    fn options_end_where_they_end() {
        let rule = one(
            r#"alert tcp any any -> any [80, 443] (msg:"a; b \" c"; content:"|3b|\;x"; pcre:"/a\;b/"; nocase; sid:7;)"#,
        );
        let options: Vec<(&str, Option<&str>)> =
            rule.options.iter().map(|o| (o.keyword.as_str(), o.value.as_deref())).collect();
        assert_eq!(
            options,
            [
                ("msg", Some(r#""a; b \" c""#)),
                ("content", Some(r#""|3b|\;x""#)),
                ("pcre", Some(r#""/a\;b/""#)),
                ("nocase", None),
                ("sid", Some("7")),
            ]
        );
        assert_eq!(rule.header, ["tcp", "any", "any", "->", "any", "[80,443]"]);
    }

    #[test]
    fn lines_may_be_continued_and_places_are_told() {
        let (good, bad) = statements(
            "# no\n\nalert tcp any any -> any any (msg:\"x\"; \\\n  sid:1;)\nalert tcp x\nwatch ip a (sid:1;)",
        );
        assert_eq!(good.len(), 1);
        assert_eq!((good[0].line, good[0].options.len()), (3, 2));
        assert_eq!(bad.iter().map(|fault| fault.line).collect::<Vec<_>>(), [5, 6]);
        assert!(bad[1].to_string().contains("watch is no action"), "{}", bad[1]);
    }

    #[test]
    fn what_is_not_closed_is_told() {
        for (text, word) in [
            ("alert tcp a (msg:\"x; sid:1;)", "quotation"),
            ("alert tcp a (sid:1)", "semicolon"),
            ("alert tcp a (sid:1;", "parenthesis"),
        ] {
            let (good, bad) = statements(text);
            assert!(good.is_empty() && bad[0].reason.contains(word), "{text}: {bad:?}");
        }
    }
}
