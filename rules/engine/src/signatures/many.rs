//! Numbers of which a transaction has several: which of them must be as the rule says (documentation, "Multi-integers").

use super::language::{NumberTest, Reason};

/// What a rule asks of the numbers of one buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManyTest {
    /// What one of them must be; nothing where they are only counted.
    test: Option<NumberTest>,
    which: Which,
    /// Only those from the first place up to the second; places below zero count from the end.
    slice: Option<(i64, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Any,
    /// Any, or there are none.
    OrAbsent,
    All,
    /// All, or there are none.
    AllOrAbsent,
    /// The one at this place.
    At(i64),
    /// The one at this place, or there is no such place.
    AtOrBeyond(i64),
    /// So many of them.
    Times(NumberTest),
}

impl ManyTest {
    /// Reads `test[,which[,from:to]]` or `count test`.
    pub fn parse(text: &str, named: &dyn Fn(&str) -> Option<u64>) -> Result<ManyTest, Reason> {
        let text = text.trim();
        if let Some(count) = text.strip_prefix("count").filter(|rest| !rest.starts_with(char::is_alphanumeric)) {
            return Ok(ManyTest { test: None, which: Which::Times(NumberTest::parse(count)?), slice: None });
        }
        let mut parts = text.split(',').map(str::trim);
        let test = Some(NumberTest::parse_with(parts.next().unwrap_or(""), named)?);
        let which = parts.next().map_or(Ok(Which::Any), which)?;
        let slice = parts.next().map(slice).transpose()?;
        match parts.next() {
            None => Ok(ManyTest { test, which, slice }),
            Some(more) => Err(format!("{more} is one part too many")),
        }
    }

    /// Whether rules may be asked where there is no such number at all.
    pub fn holds_of_none(&self) -> bool {
        self.accepts(&[])
    }

    /// Whether the numbers are as they must be.
    pub fn accepts(&self, numbers: &[u64]) -> bool {
        let numbers = match self.slice {
            None => numbers,
            Some((from, to)) => match (place(from, numbers.len()), place(to, numbers.len())) {
                (Some(from), Some(to)) => numbers.get(from..to).unwrap_or(&[]),
                _ => &[],
            },
        };
        let good = |number: &u64| self.test.is_none_or(|test| test.accepts(*number));
        let at = |at: i64| place(at, numbers.len()).and_then(|at| numbers.get(at));
        match self.which {
            Which::Any => numbers.iter().any(good),
            Which::OrAbsent => numbers.is_empty() || numbers.iter().any(good),
            Which::All => !numbers.is_empty() && numbers.iter().all(good),
            Which::AllOrAbsent => numbers.iter().all(good),
            Which::At(place) => at(place).is_some_and(good),
            Which::AtOrBeyond(place) => at(place).is_none_or(good),
            Which::Times(times) => times.accepts(numbers.iter().filter(|number| good(number)).count() as u64),
        }
    }
}

fn which(text: &str) -> Result<Which, Reason> {
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("{text} is no place"));
    Ok(match text {
        "" | "any" => Which::Any,
        "or_absent" => Which::OrAbsent,
        "all" => Which::All,
        "all_or_absent" => Which::AllOrAbsent,
        _ => match (text.strip_prefix("oob_or"), text.strip_prefix("nb")) {
            (Some(place), _) => Which::AtOrBeyond(number(place)?),
            (_, Some(times)) => Which::Times(NumberTest::parse(times)?),
            _ => Which::At(number(text)?),
        },
    })
}

fn slice(text: &str) -> Result<(i64, i64), Reason> {
    let wrong = || format!("{text} is no part of a list");
    let (from, to) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong());
    Ok((number(from)?, number(to)?))
}

/// A place of a list of this length, if it is not outside.
fn place(at: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let at = if at < 0 { length.checked_add(at)? } else { at };
    usize::try_from(at).ok().filter(|_| at <= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_list_holds_as_documented() {
        for (text, yes, no) in [
            ("3", &[1, 3][..], &[1, 2][..]),
            ("3,any", &[3, 1], &[]),
            (">1,all", &[2, 3], &[1, 2]),
            (">1,all", &[2], &[]),
            (">1,all_or_absent", &[], &[1]),
            ("3,or_absent", &[], &[1]),
            ("3,1", &[1, 3], &[3, 1]),
            ("3,-1", &[1, 3], &[3, 1]),
            ("3,oob_or 2", &[1, 1], &[1, 1, 1]),
            ("3,nb>1", &[3, 1, 3], &[3, 1]),
            ("3,any,2:4", &[0, 0, 0, 3, 0], &[3, 3, 0, 0, 3]),
            ("3,any,-2:-1", &[0, 3, 0], &[0, 0, 3]),
            ("count >1", &[7, 7], &[7]),
        ] {
            let test = ManyTest::parse(text, &|_| None).unwrap();
            assert!(test.accepts(yes), "{text} {yes:?}");
            assert!(!test.accepts(no), "{text} {no:?}");
        }
        for text in ["", "3,x", "3,any,1", "3,any,1:2,4", "count"] {
            assert!(ManyTest::parse(text, &|_| None).is_err(), "{text}");
        }
    }
}
