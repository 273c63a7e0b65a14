//! Filters of searches as people write them (RFC 4515).

use crate::protocols::asn1::Element;
use crate::protocols::text;

/// The longest text of a filter; what does not fit is cut, and says so.
const FILTER_BYTES: usize = 1024;
/// Filters in filters.
const MAX_LEVEL: usize = 32;
/// Bytes of a value that are told.
const VALUE_BYTES: usize = 256;

/// The text of a filter.
pub fn text(filter: Element<'_>) -> String {
    let mut out = String::new();
    push(&mut out, filter, 0);
    if out.len() > FILTER_BYTES {
        let end = out.char_indices().map(|(at, _)| at).take_while(|at| *at <= FILTER_BYTES).last().unwrap_or(0);
        out.truncate(end);
        out.push('…');
    }
    out
}

fn push(out: &mut String, filter: Element<'_>, level: usize) {
    if level >= MAX_LEVEL || out.len() > FILTER_BYTES {
        out.push_str("(…)");
        return;
    }
    out.push('(');
    let mut parts = filter.items();
    match filter.tag {
        0xa0..=0xa2 => {
            out.push(match filter.tag {
                0xa0 => '&',
                0xa1 => '|',
                _ => '!',
            });
            for part in parts {
                push(out, part, level + 1);
                if out.len() > FILTER_BYTES {
                    break;
                }
            }
        }
        0xa3 | 0xa5 | 0xa6 | 0xa8 => {
            let (name, value) = (parts.next(), parts.next());
            out.push_str(&shown(name));
            out.push_str(match filter.tag {
                0xa3 => "=",
                0xa5 => ">=",
                0xa6 => "<=",
                _ => "~=",
            });
            out.push_str(&shown(value));
        }
        0xa4 => {
            out.push_str(&shown(parts.next()));
            out.push('=');
            let mut open = false;
            for part in parts.next().into_iter().flat_map(|list| list.items()) {
                // A part in the middle or at the end has something before it.
                if part.tag != 0x80 {
                    out.push('*');
                }
                out.push_str(&shown(Some(part)));
                open = part.tag != 0x82;
                if out.len() > FILTER_BYTES {
                    break;
                }
            }
            if open {
                out.push('*');
            }
        }
        0x87 => {
            out.push_str(&shown(Some(filter)));
            out.push_str("=*");
        }
        0xa9 => {
            let of = |tag: u8| filter.items().find(|part| part.tag == tag);
            out.push_str(&of(0x82).map(|name| shown(Some(name))).unwrap_or_default());
            if of(0x84).is_some_and(|dn| dn.content.first().is_some_and(|yes| *yes != 0)) {
                out.push_str(":dn");
            }
            if let Some(rule) = of(0x81) {
                out.push(':');
                out.push_str(&shown(Some(rule)));
            }
            out.push_str(":=");
            out.push_str(&shown(of(0x83)));
        }
        _ => out.push('?'),
    }
    out.push(')');
}

/// A name or a value; what has a meaning in the text of filters is written as its number.
fn shown(part: Option<Element<'_>>) -> String {
    let Some(part) = part else { return "?".to_owned() };
    let shown = text::text(part.content, VALUE_BYTES);
    match shown.contains(['(', ')', '*']) {
        true => shown.replace('(', "\\28").replace(')', "\\29").replace('*', "\\2a"),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, content.len() as u8], content].concat()
    }

    fn shown(filter: &[u8]) -> String {
        text(crate::protocols::asn1::items(filter).next().unwrap())
    }

    #[test]
    fn filters_read_as_people_write_them() {
        let name = element(4, b"cn");
        let equal = element(0xa3, &[name.clone(), element(4, b"a*(b)")].concat());
        let parts = element(0x30, &[element(0x80, b"an"), element(0x81, b"van")].concat());
        let substring = element(0xa4, &[name, parts].concat());
        let not = element(0xa2, &element(0x87, b"mail"));
        let rule = element(
            0xa9,
            &[element(0x81, b"1.2.840.113556.1.4.803"), element(0x82, b"uac"), element(0x83, b"2")].concat(),
        );
        let all = element(0xa0, &[equal, substring, not, rule].concat());
        let wanted = "(&(cn=a\\2a\\28b\\29)(cn=an*van*)(!(mail=*))(uac:1.2.840.113556.1.4.803:=2))";
        assert_eq!(shown(&all), wanted);
    }

    #[test]
    fn deep_filters_end() {
        let mut filter = element(0x87, b"a");
        for _ in 0..40 {
            filter = element(0xa2, &filter);
        }
        assert!(shown(&filter).contains("(…)"));
    }
}
