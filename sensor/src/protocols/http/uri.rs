//! The target of a request as servers understand it: escapes of the path undone, detours taken out (RFC 3986 section 6.2.2).

/// Path and query as a server looks them up.
pub fn normalized(method: &[u8], target: &[u8]) -> Vec<u8> {
    if method == b"CONNECT" {
        return target.to_vec();
    }
    let (_, local) = split(target);
    let query = local.iter().position(|b| *b == b'?').unwrap_or(local.len());
    let (path, query) = local.split_at_checked(query).unwrap_or((local, &[]));
    let mut out = without_detours(&decoded(path));
    out.extend_from_slice(query);
    out
}

/// Host and port of a target that names them.
pub fn authority(method: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    if method == b"CONNECT" {
        return Some(target.to_vec());
    }
    let (authority, _) = split(target);
    authority.map(|authority| authority.rsplit(|b| *b == b'@').next().unwrap_or(authority).to_vec())
}

/// A host without its port.
pub fn host_name(host: &[u8]) -> &[u8] {
    if host.first() == Some(&b'[') {
        let end = host.iter().position(|b| *b == b']').map_or(host.len(), |at| at + 1);
        return host.get(..end).unwrap_or(host);
    }
    let end = host.iter().position(|b| *b == b':').unwrap_or(host.len());
    host.get(..end).unwrap_or(host)
}

/// Authority and local part; the authority only where there is a scheme before it.
fn split(target: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some(at) = target.windows(3).position(|part| part == b"://") else { return (None, target) };
    let scheme = target.get(..at).unwrap_or(&[]);
    if scheme.is_empty() || !scheme.iter().all(u8::is_ascii_alphanumeric) {
        return (None, target);
    }
    let rest = target.get(at + 3..).unwrap_or(&[]);
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, local) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    (Some(authority), local)
}

/// Escapes undone; what is no escape stays.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digit = |b: &u8| char::from(*b).to_digit(16);
        if let (b'%', [high, low, behind @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
            rest = behind;
        } else {
            out.push(*first);
        }
    }
    out
}

/// Slashes that repeat, and segments that lead nowhere or back, taken out.
fn without_detours(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let rooted = path.first() == Some(&b'/');
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut parts = path.split(|b| *b == b'/').peekable();
    let mut ends_in_folder = false;
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            b"" | b"." => ends_in_folder = last,
            b".." if rooted => {
                segments.pop();
                ends_in_folder = last;
            }
            part => {
                segments.push(part);
                ends_in_folder = false;
            }
        }
    }
    if rooted {
        out.push(b'/');
    }
    out.extend(segments.join(&b'/'));
    if ends_in_folder && !segments.is_empty() {
        out.push(b'/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_servers_do() {
        for (target, wanted) in [
            (&b"/a/../b//c/./d%41?x=%41&y=../"[..], &b"/b/c/dA?x=%41&y=../"[..]),
            (b"/", b"/"),
            (b"/a/", b"/a/"),
            (b"/a/b/..", b"/a/"),
            (b"/../../a", b"/a"),
            (b"http://h.example:80/p%2fq", b"/p/q"),
            (b"*", b"*"),
            (b"/%zz%4", b"/%zz%4"),
        ] {
            assert_eq!(String::from_utf8_lossy(&normalized(b"GET", target)), String::from_utf8_lossy(wanted));
        }
        assert_eq!(authority(b"GET", b"http://u@h.example/x").unwrap(), b"h.example");
        assert_eq!(host_name(b"h.example:80"), b"h.example");
        assert_eq!(host_name(b"[2001:db8::1]:80"), b"[2001:db8::1]");
    }
}
