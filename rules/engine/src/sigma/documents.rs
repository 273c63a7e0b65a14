//! Where things stand in a Sigma file: its documents, and the line an error speaks of.
//!
//! The YAML parser forgets lines once a document is read, and the rule parser names none for most of its errors, so
//! they are found again by what the message quotes.

/// One document of a file.
pub(super) struct Document<'t> {
    /// Its text.
    pub text: &'t str,
    /// The line of the file where it begins, from 1.
    pub line: u32,
}

/// The documents of a file, as `---` parts them. A file that uses collection actions (`action: global`) is kept
/// whole, because its documents belong together.
pub(super) fn split(text: &str) -> Vec<Document<'_>> {
    if text.lines().any(|line| line.starts_with("action:")) {
        return vec![Document { text, line: 1 }];
    }
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (line, number) in text.split_inclusive('\n').zip(1u32..) {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            push(&mut documents, text.get(start..at), start_line);
            (start, start_line) = (at + line.len(), number + 1);
        }
        at += line.len();
    }
    push(&mut documents, text.get(start..), start_line);
    documents
}

fn push<'t>(documents: &mut Vec<Document<'t>>, text: Option<&'t str>, line: u32) {
    let says_something = |l: &str| !l.trim().is_empty() && !l.trim_start().starts_with('#');
    if let Some(text) = text.filter(|t| t.lines().any(says_something)) {
        let skipped = text.lines().take_while(|l| !says_something(l)).count();
        documents.push(Document { text, line: line + u32::try_from(skipped).unwrap_or(0) });
    }
}

/// The line of the file that a message about a document beginning at `first` speaks of, as well as can be told: the
/// line it names, else the one that holds what it quotes, else the document's first.
pub(super) fn line_of(text: &str, first: u32, message: &str) -> Option<u32> {
    let says_something = |l: &&str| !l.trim().is_empty() && !l.trim_start().starts_with('#');
    let skipped = text.lines().take_while(|l| !says_something(l)).count();
    let start = first.saturating_sub(u32::try_from(skipped).unwrap_or(0));
    let below = named_line(message)
        .or_else(|| quoted(message).find_map(|word| find(text, word)))
        .or_else(|| message.to_lowercase().contains("condition").then(|| find(text, "condition:")).flatten());
    Some(below.map_or(first, |line| start + line - 1))
}

/// `at line 7 column 3` of a YAML error.
fn named_line(message: &str) -> Option<u32> {
    let digits = message.split("line ").nth(1)?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What stands between quotes, and the last word (engines often end with the name they did not know).
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    let between = ['\'', '`', '"'].into_iter().flat_map(|mark| message.split(mark).skip(1).step_by(2));
    between.chain(message.rsplit(": ").next()).filter(|word| word.len() > 1)
}

fn find(text: &str, word: &str) -> Option<u32> {
    text.lines().zip(1u32..).find(|(line, _)| line.contains(word)).map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_lines() {
        let text = "# head\ntitle: a\nx: 1\n---\n\ntitle: b\n---\n# nothing\n";
        let found: Vec<(u32, &str)> = split(text).iter().map(|d| (d.line, d.text)).collect();
        assert_eq!(found, [(2, "# head\ntitle: a\nx: 1\n"), (6, "\ntitle: b\n")]);
    }

    #[test]
    fn collection_actions_keep_a_file_whole() {
        assert_eq!(split("action: global\n---\ntitle: a\n").len(), 1);
    }

    #[test]
    fn lines_are_found_by_number_quote_or_key() {
        let text = "\ntitle: a\ndetection:\n  selection:\n    x|contians: 1\n  condition: selecton\n";
        assert_eq!(line_of(text, 12, "bad at line 3 column 1"), Some(13));
        assert_eq!(line_of(text, 12, "Unknown modifier 'contians'"), Some(15));
        assert_eq!(line_of(text, 12, "unknown detection identifier: selecton"), Some(16));
        assert_eq!(line_of(text, 12, "Condition parse error"), Some(16));
        assert_eq!(line_of(text, 12, "Missing required field 'logsource'"), Some(12));
    }
}
