//! Addresses in a field (RFC 5322 section 3.4): `Name <a@b.example>, c@d.example (note)`.

use super::words;

/// Bytes kept of an address or a name.
const MAX_BYTES: usize = 320;
/// Addresses told of a kind.
pub const MAX_ADDRESSES: usize = 64;

/// One address, and the name beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// In lower case.
    pub address: String,
    /// Decoded.
    pub name: Option<String>,
}

/// The addresses of a field's value; one more than are told, to know that there are more.
pub fn addresses(value: &[u8]) -> Vec<Address> {
    items(value).into_iter().filter_map(|item| address(&item)).collect()
}

/// What stands between the commas, which do not count in quotes, comments and brackets. The names of groups are let go.
fn items(value: &[u8]) -> Vec<Vec<u8>> {
    let (mut items, mut item) = (Vec::new(), Vec::new());
    let (mut quoted, mut comment, mut bracket, mut escaped) = (false, 0u32, false, false);
    for byte in value {
        let open = quoted || comment > 0;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if open => escaped = true,
            b'"' if comment == 0 => quoted = !quoted,
            b'(' if !quoted => comment = comment.saturating_add(1),
            b')' if !quoted => comment = comment.saturating_sub(1),
            b'<' | b'>' if !open => bracket = *byte == b'<',
            b':' if !open && !bracket => {
                item.clear();
                continue;
            }
            b',' | b';' if !open && !bracket => {
                items.push(std::mem::take(&mut item));
                continue;
            }
            _ => {}
        }
        if items.len() > MAX_ADDRESSES {
            return items;
        }
        item.push(*byte);
    }
    items.push(item);
    items
}

fn address(item: &[u8]) -> Option<Address> {
    let item = item.trim_ascii();
    let open = item.iter().rposition(|b| *b == b'<');
    let (name, address) = match open.and_then(|at| item.split_at_checked(at)) {
        Some((name, rest)) => {
            let inner = rest.get(1..)?;
            let end = inner.iter().position(|b| *b == b'>').unwrap_or(inner.len());
            (name.trim_ascii(), inner.get(..end)?.trim_ascii())
        }
        None => {
            let end = item.iter().position(|b| *b == b'(').unwrap_or(item.len());
            (&[][..], item.get(..end)?.trim_ascii())
        }
    };
    let unquoted = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
    let name = words::decoded(unquoted, MAX_BYTES).replace("\\\"", "\"");
    let address = words::decoded(address, MAX_BYTES).to_lowercase();
    (!address.is_empty()).then(|| Address { address, name: Some(name).filter(|name| !name.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_names() {
        let read = addresses(
            "\"An, Nguyen\" <AN@xa.example>, =?utf-8?B?xJDhu6lj?= <duc@xa.example>, tran@xa.example (chi), nhom: b@c.example;"
                .as_bytes(),
        );
        let shown: Vec<(&str, Option<&str>)> = read.iter().map(|a| (a.address.as_str(), a.name.as_deref())).collect();
        assert_eq!(
            shown,
            [
                ("an@xa.example", Some("An, Nguyen")),
                ("duc@xa.example", Some("Đức")),
                ("tran@xa.example", None),
                ("b@c.example", None)
            ]
        );
        assert!(addresses(b"").is_empty());
        assert!(addresses(b"<>").is_empty());
    }
}
