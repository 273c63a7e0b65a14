//! How large an expression is: states of its automaton, repetitions written out, and repetitions inside repetitions.

use regex_syntax::hir::{Hir, HirKind};

/// How many states an automaton for it would have, about.
pub fn states(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            states(&repetition.sub).saturating_mul(u64::from(times))
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(1, |sum, part| states(part).saturating_add(sum))
        }
    }
}

/// Whether something that repeats without end holds something that does: a backtracking search may then try
/// exponentially many ways. Read from the text, because it speaks of what no automaton can do.
pub fn repeats_inside_itself(text: &str) -> bool {
    // For each open group: whether something inside it repeats without end.
    let mut open = vec![false];
    let mut closed: Option<bool> = None;
    let mut in_class = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let behind = closed.take();
        match c {
            '\\' => drop(characters.next()),
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' => open.push(false),
            ')' => closed = open.pop(),
            '*' | '+' | '{' => {
                let endless = c != '{' || {
                    let bounds: String = std::iter::from_fn(|| characters.next_if(|c| *c != '}')).collect();
                    bounds.ends_with(',') && bounds.len() > 1
                };
                // What holds on to what it has goes no other way.
                let holds_on = characters.peek() == Some(&'+');
                if endless && !holds_on {
                    if behind == Some(true) {
                        return true;
                    }
                    if let Some(inside) = open.last_mut() {
                        *inside = true;
                    }
                }
                continue;
            }
            _ => {}
        }
        // A group that repeats nothing hands on what it holds.
        if let (Some(true), Some(outer)) = (closed, open.last_mut()) {
            *outer = true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_inside_repetition_is_seen() {
        for (text, inside) in [
            ("(a+)+", true),
            ("(?:(a*)b)*", true),
            ("(a{2,})+", true),
            ("(a{2,9})+", false),
            ("(a+)b+", false),
            (r"(a\+)+", false),
            ("([+*])+", false),
            ("(a)+", false),
        ] {
            assert_eq!(repeats_inside_itself(text), inside, "{text}");
        }
    }
}
