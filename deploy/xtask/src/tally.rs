//! Counting results: how many tests a step's output says have passed and failed.
//!
//! Every runner we use writes `N passed` and `N failed` somewhere in a line (cargo: `test result: ok. 12 passed; 0
//! failed; ...`; ours and vitest the like). Lines that say so are summed.

use std::ops::AddAssign;

/// Passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
}

impl Tally {
    /// One thing that passed or failed.
    pub fn one(passed: bool) -> Self {
        Tally { passed: passed.into(), failed: (!passed).into() }
    }

    /// What a step's output says. A step that ended badly without naming a failure is itself a failure, and one that
    /// ended well without a count is one thing that passed: nothing is silently left out.
    pub fn of(succeeded: bool, output: &str) -> Self {
        let mut tally = output.lines().filter_map(count_line).fold(Tally::default(), |mut sum, line| {
            sum += line;
            sum
        });
        if !succeeded && tally.failed == 0 {
            tally.failed = 1;
        }
        if succeeded && tally == Tally::default() {
            tally.passed = 1;
        }
        tally
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// A line of results: cargo's begins with `test result:`, vitest's with `Tests`, ours is only the two numbers.
fn count_line(line: &str) -> Option<Tally> {
    let line = line.trim();
    let ours = line.split_once(" passed, ").is_some_and(|(number, rest)| {
        number.parse::<u64>().is_ok() && rest.strip_suffix(" failed").is_some_and(|n| n.parse::<u64>().is_ok())
    });
    if !(ours || line.starts_with("test result:") || line.starts_with("Tests ")) {
        return None;
    }
    Some(Tally { passed: number_before(line, "passed"), failed: number_before(line, "failed") })
}

/// The number in front of a word; 0 where the line does not have it.
fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [number, name] if *name == word => number.parse().ok(),
            _ => None,
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runner_is_understood() {
        let output = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured\n\
                      test result: FAILED. 3 passed; 2 failed; 0 ignored\n\
                      \u{20}     Tests  1 failed | 20 passed (21)\n\
                      4 passed, 1 failed\n\
                      about 7 passed, they said, and 9 failed\n";
        assert_eq!(Tally::of(false, output), Tally { passed: 39, failed: 4 });
    }

    #[test]
    fn a_step_without_a_count_counts_as_one() {
        assert_eq!(Tally::of(true, "all well\n"), Tally::one(true));
        assert_eq!(Tally::of(false, "3 passed, 0 failed\n"), Tally { passed: 3, failed: 1 });
    }
}
