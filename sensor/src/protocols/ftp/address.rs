//! Where a data connection goes: the forms of RFC 959 (six numbers) and RFC 2428 (with a family, or a port alone).

use std::net::{IpAddr, Ipv4Addr};

/// `h1,h2,h3,h4,p1,p2`, wherever it begins in the text: servers put it in brackets or not.
pub fn six_numbers(text: &str) -> Option<(IpAddr, u16)> {
    let digits = text.char_indices().filter(|(_, c)| c.is_ascii_digit());
    let [a, b, c, d, high, low] = digits.map(|(at, _)| at).find_map(|at| starts_numbers(text.get(at..)?))?;
    Some((Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
}

fn starts_numbers(text: &str) -> Option<[u8; 6]> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len());
    let mut numbers = text.get(..end)?.split(',').map(str::parse::<u8>);
    let mut six = [0; 6];
    for number in &mut six {
        *number = numbers.next()?.ok()?;
    }
    numbers.next().is_none().then_some(six)
}

/// `|1|192.0.2.1|2000|`: family, address, port between any one character (RFC 2428 section 2).
pub fn extended(text: &str) -> Option<(IpAddr, u16)> {
    let text = text.trim();
    let mut parts = text.get(text.chars().next()?.len_utf8()..)?.split(text.chars().next()?);
    let _family = parts.next()?;
    let address = parts.next()?.parse().ok()?;
    Some((address, parts.next()?.parse().ok()?))
}

/// `(|||2000|)`: a port alone (RFC 2428 section 3).
pub fn extended_port(text: &str) -> Option<u16> {
    let inside = text.split_once('(')?.1;
    let mark = inside.chars().next()?;
    inside.split(mark).nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms() {
        let at = Some(([192, 0, 2, 7].into(), 0xe1e5));
        assert_eq!(six_numbers("192,0,2,7,225,229"), at);
        assert_eq!(six_numbers("Entering Passive Mode (192,0,2,7,225,229)."), at);
        assert_eq!(six_numbers("227 =192,0,2,7,225,229"), at);
        assert_eq!(six_numbers("114,115"), None);
        assert_eq!(six_numbers("192,0,2,7,300,1"), None);
        assert_eq!(extended("|1|192.0.2.7|2000|"), Some(([192, 0, 2, 7].into(), 2000)));
        assert_eq!(extended("|2|2001:db8::7|2000|"), Some(("2001:db8::7".parse().unwrap(), 2000)));
        assert_eq!(extended("|2|2001:db8::7|"), None);
        assert_eq!(extended(""), None);
        assert_eq!(extended_port("Entering Extended Passive Mode (|||6446|)"), Some(6446));
        assert_eq!(extended_port("Entering Extended Passive Mode"), None);
    }
}
