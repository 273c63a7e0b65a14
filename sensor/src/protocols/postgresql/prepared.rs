//! Prepared statements of a session and the portals that hold their values.

use std::collections::VecDeque;

/// Prepared statements and portals that are remembered; the oldest goes first.
pub const MAX_STATEMENTS: usize = 64;

/// A statement that was prepared.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// As it is told.
    pub statement: String,
    /// Bytes of the whole.
    pub bytes: u64,
    /// Something that may be a password was left out.
    pub secret: bool,
    /// Values that were given to it, of a portal.
    pub values: Option<u64>,
}

/// Statements or portals by name.
#[derive(Debug, Default)]
pub struct Names {
    known: VecDeque<(String, Prepared)>,
}

impl Names {
    /// Remembers under a name; says whether an older one had to be forgotten.
    pub fn set(&mut self, name: String, prepared: Prepared) -> bool {
        self.known.retain(|(known, _)| *known != name);
        let full = self.known.len() >= MAX_STATEMENTS;
        if full {
            self.known.pop_front();
        }
        self.known.push_back((name, prepared));
        full
    }

    /// What is known under a name.
    pub fn get(&self, name: &str) -> Option<&Prepared> {
        self.known.iter().find(|(known, _)| known == name).map(|(_, prepared)| prepared)
    }
}
