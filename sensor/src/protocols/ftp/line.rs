//! Lines of one direction, put together from pieces; longer ones are cut.

/// Bytes of a line that are kept.
pub const MAX_LINE_BYTES: usize = 4096;

/// A line in the making.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    cut: bool,
    /// The beginning is missing: what comes up to the next line end is not told.
    torn: bool,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// What stands in it, at most [`MAX_LINE_BYTES`].
    pub bytes: Vec<u8>,
    /// There was more.
    pub cut: bool,
}

impl Lines {
    /// Takes bytes up to the end of a line; gives the line, if it is whole now, and what follows it.
    pub fn next<'a>(&mut self, bytes: &'a [u8]) -> (Option<Line>, &'a [u8]) {
        let end = bytes.iter().position(|&b| b == b'\n');
        let (part, rest) = match end {
            Some(end) => (bytes.get(..end).unwrap_or(&[]), bytes.get(end + 1..).unwrap_or(&[])),
            None => (bytes, &[][..]),
        };
        let room = MAX_LINE_BYTES - self.partial.len().min(MAX_LINE_BYTES);
        self.partial.extend_from_slice(part.get(..room).unwrap_or(part));
        self.cut |= part.len() > room;
        if end.is_none() {
            return (None, rest);
        }
        let line = self.take();
        (line, rest)
    }

    /// What has come of a line whose end has not.
    pub fn take(&mut self) -> Option<Line> {
        let mut bytes = std::mem::take(&mut self.partial);
        let cut = std::mem::take(&mut self.cut);
        let torn = std::mem::take(&mut self.torn);
        while bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        (!torn).then_some(Line { bytes, cut })
    }

    /// Bytes are missing.
    pub fn gap(&mut self) {
        *self = Lines { torn: true, ..Lines::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_cut_or_not_at_all() {
        let mut lines = Lines::default();
        assert_eq!(lines.next(b"US"), (None, &b""[..]));
        let (line, rest) = lines.next(b"ER an\r\nPASS");
        assert_eq!((line, rest), (Some(Line { bytes: b"USER an".to_vec(), cut: false }), &b"PASS"[..]));
        let (line, _) = lines.next(&[&[b'a'; 5000][..], b"\n"].concat());
        assert_eq!(line.map(|line| (line.bytes.len(), line.cut)), Some((MAX_LINE_BYTES, true)));
        lines.gap();
        assert_eq!(lines.next(b"half\nQUIT\n"), (None, &b"QUIT\n"[..]));
        assert_eq!(lines.next(b"QUIT\n").0, Some(Line { bytes: b"QUIT".to_vec(), cut: false }));
    }
}
