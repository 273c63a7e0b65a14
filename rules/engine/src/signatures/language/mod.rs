//! The text of rules, taken apart: Suricata's rule language without yet knowing what any keyword means.
//!
//! Comes in: the text of a rule file. Goes out: [`Statement`]s with the place of every option, and a [`Fault`] for each
//! rule that cannot be taken apart; the other rules go on. Lines may be continued with a backslash. Bounds: the length of
//! a rule and the number of its options.

mod header;
mod number;
mod statement;

pub use header::{AddressSet, Arrow, Header, PortSet, Variables};
pub use number::{Comparison, NumberTest, number};
pub use statement::{Action, OptionText, Statement, statements};

/// Why a rule, or one of its options, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {}{reason}", if keyword.is_empty() { String::new() } else { format!("{keyword}: ") })]
pub struct Fault {
    /// Line of the file on which the rule begins, from 1.
    pub line: u32,
    /// Character of the rule at which the option begins, from 1.
    pub column: u32,
    /// The keyword, where it is about one.
    pub keyword: String,
    /// What is wrong.
    pub reason: String,
}

/// What is wrong with a value, in words; the caller knows the place.
pub type Reason = String;
