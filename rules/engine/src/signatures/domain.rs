//! The parts of a domain name: top level, registered domain, what stands before it.
//!
//! The registered domain is found by a short rule instead of the Public Suffix List: two labels, or three where the
//! second-level label is one that registries of countries sell below (`gov.vn`, `co.uk`).

/// Labels directly under a country's top level below which names are registered.
const SECOND_LEVEL: [&str; 22] = [
    "ac", "ai", "biz", "co", "com", "edu", "go", "gob", "gouv", "gov", "health", "id", "info", "int", "io", "mil",
    "name", "ne", "net", "or", "org", "pro",
];

/// A name taken apart. All parts borrow from the name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The effective top level: `example.gov.vn` has `gov.vn`.
    pub top_level: Option<&'a str>,
    /// What somebody registered: `example.gov.vn`.
    pub registered: Option<&'a str>,
    /// What stands before the registered domain, without its dot.
    pub subdomain: Option<&'a str>,
}

/// Takes a name apart. Addresses and names of one label have no registered domain.
pub fn split(name: &str) -> Parts<'_> {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let Some(last) = dots.next() else { return Parts::default() };
    let top = after(name, last);
    if top.is_empty() || top.bytes().all(|b| b.is_ascii_digit()) || name.contains(':') {
        return Parts::default();
    }
    let second_dot = dots.next();
    let second = second_dot.map_or(before(name, last), |dot| name.get(dot + 1..last).unwrap_or(""));
    let country = top.len() == 2 && SECOND_LEVEL.contains(&second);
    let (suffix_dot, registered_dot) = match (country, second_dot) {
        (true, None) => return Parts { top_level: Some(name), ..Parts::default() },
        (true, Some(dot)) => (dot, dots.next()),
        (false, _) => (last, second_dot),
    };
    Parts {
        top_level: Some(after(name, suffix_dot)),
        registered: Some(registered_dot.map_or(name, |dot| after(name, dot))),
        subdomain: registered_dot.map(|dot| before(name, dot)).filter(|s| !s.is_empty()),
    }
}

fn after(name: &str, dot: usize) -> &str {
    name.get(dot + 1..).unwrap_or("")
}

fn before(name: &str, dot: usize) -> &str {
    name.get(..dot).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
        let p = split(name);
        (p.subdomain, p.registered, p.top_level)
    }

    #[test]
    fn names_come_apart() {
        assert_eq!(parts("www.example.com"), (Some("www"), Some("example.com"), Some("com")));
        assert_eq!(parts("a.b.cong.gov.vn"), (Some("a.b"), Some("cong.gov.vn"), Some("gov.vn")));
        assert_eq!(parts("gov.vn"), (None, None, Some("gov.vn")));
        assert_eq!(parts("example.org"), (None, Some("example.org"), Some("org")));
        assert_eq!(parts("localhost"), (None, None, None));
        assert_eq!(parts("192.0.2.1"), (None, None, None));
        assert_eq!(parts(".com"), (None, Some(".com"), Some("com")));
        assert_eq!(parts(""), (None, None, None));
    }
}
