//! Envelopes of SOAP as devices send them: elements one after the other, without a tree. What is no XML gives nothing.

/// An element's first tag and the text up to the next tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// What stands before the colon of its name; empty without one.
    pub prefix: &'a [u8],
    /// Its name without prefix.
    pub name: &'a [u8],
    /// Its attributes as sent.
    pub attributes: &'a [u8],
    /// Its text, without blanks around it.
    pub text: &'a [u8],
}

/// The elements of a document in the order of their first tags.
pub fn elements(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        loop {
            let start = rest.iter().position(|byte| *byte == b'<')? + 1;
            let tag = rest.get(start..)?;
            let end = tag.iter().position(|byte| *byte == b'>')?;
            let (inside, after) = (tag.get(..end)?, tag.get(end + 1..)?);
            rest = after;
            if inside.starts_with(b"/") || inside.starts_with(b"?") || inside.starts_with(b"!") {
                continue;
            }
            let inside = inside.strip_suffix(b"/").unwrap_or(inside);
            let name = inside.split(u8::is_ascii_whitespace).next().unwrap_or(inside);
            let attributes = inside.get(name.len()..).unwrap_or(&[]).trim_ascii();
            let colon = name.iter().position(|byte| *byte == b':');
            let (prefix, name) = match colon {
                Some(at) => (name.get(..at).unwrap_or(&[]), name.get(at + 1..).unwrap_or(&[])),
                None => (&[][..], name),
            };
            let length = after.iter().position(|byte| *byte == b'<').unwrap_or(after.len());
            return Some(Element { prefix, name, attributes, text: after.get(..length)?.trim_ascii() });
        }
    })
}

impl<'a> Element<'a> {
    /// The value of an attribute by its whole name.
    pub fn attribute(&self, wanted: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.attributes;
        loop {
            let equals = rest.iter().position(|byte| *byte == b'=')?;
            let name = rest.get(..equals)?.trim_ascii();
            let after = rest.get(equals + 1..)?.trim_ascii_start();
            let quote = *after.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
            let value = after.get(1..)?;
            let end = value.iter().position(|byte| *byte == quote)?;
            if name == wanted {
                return value.get(..end);
            }
            rest = value.get(end + 1..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_with_their_texts_and_attributes() {
        let all: Vec<_> = elements(b"<?xml?><a:b x=\"1\" y = 'two'> text <c/></a:b><!-- no --><d>").collect();
        let names: Vec<_> = all.iter().map(|element| (element.prefix, element.name, element.text)).collect();
        assert_eq!(names, [(&b"a"[..], &b"b"[..], &b"text"[..]), (b"", b"c", b""), (b"", b"d", b"")]);
        assert_eq!(all.first().and_then(|element| element.attribute(b"y")), Some(&b"two"[..]));
        assert_eq!(all.first().and_then(|element| element.attribute(b"z")), None);
        assert_eq!(elements(b"no xml < at all").count(), 0);
    }
}
