//! Packed bodies as receivers unpack them, more leniently than the formats allow: what a body begins with counts for more
//! than what its head says of it.
//!
//! Comes in: bytes of a body in parts, as transferred. Goes out: bytes as they are meant, handed over from where they were
//! made. At most [`LAYERS_MAX`] layers are taken off; a body that turns out not to be packed comes out as it is.

use super::inflate::{Inflate, Step};

/// The most layers that are taken off.
const LAYERS_MAX: usize = 2;
/// So many bytes must unpack before it is believed that they were packed without saying so.
const TRIAL_BYTES: usize = 256;
/// The longest head of a gzip member.
const HEAD_MAX_BYTES: usize = 4096;

/// Takes layers off a body.
pub struct Unpacker {
    layers: Vec<Layer>,
}

/// Takes what was unpacked, part by part.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// What became of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// They were unpacked, or more are needed.
    Good,
    /// They cannot be unpacked any further.
    Broken,
}

impl Unpacker {
    /// For a body with this Content-Encoding; nothing where it names no packing.
    pub fn new(coding: &[u8]) -> Option<Unpacker> {
        let coding = coding.to_ascii_lowercase();
        let packed = |word: &[u8]| [&b"gzip"[..], b"deflate"].iter().any(|name| holds(word, name));
        let count = coding.split(|b| *b == b',').filter(|word| packed(word)).count();
        let layers: Vec<Layer> = (0..count.min(LAYERS_MAX)).map(|_| Layer::default()).collect();
        (!layers.is_empty()).then_some(Unpacker { layers })
    }

    /// Unpacks some bytes.
    pub fn data(&mut self, bytes: &[u8], out: Sink<'_>) -> Unpacked {
        through(&mut self.layers, bytes, out)
    }

    /// No more bytes will come: what was too little to tell comes out as it is. Says whether every layer is whole.
    pub fn finish(&mut self, out: Sink<'_>) -> bool {
        let mut whole = true;
        for outer in 0..self.layers.len() {
            let Some((layer, inner)) = self.layers.get_mut(outer..).and_then(<[Layer]>::split_first_mut) else { break };
            let rest = layer.rest();
            whole &= layer.is_whole();
            if !rest.is_empty() {
                through(inner, &rest, out);
            }
        }
        whole
    }
}

/// Takes bytes and hands on what they unpack to.
fn through(layers: &mut [Layer], bytes: &[u8], out: Sink<'_>) -> Unpacked {
    let Some((layer, inner)) = layers.split_first_mut() else {
        out(bytes);
        return Unpacked::Good;
    };
    let mut state = Unpacked::Good;
    let outer = layer.data(bytes, &mut |part| {
        if through(inner, part, out) == Unpacked::Broken {
            state = Unpacked::Broken;
        }
    });
    if outer == Unpacked::Broken { outer } else { state }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[derive(Default)]
struct Layer {
    place: Place,
    /// What is needed again: the beginning, or the head of a member.
    kept: Vec<u8>,
    inflate: Option<Inflate>,
    gzip: bool,
    made: bool,
    trial: Option<Trial>,
}

/// Bytes that may not be packed at all, and what they unpack to.
#[derive(Default)]
struct Trial {
    input: Vec<u8>,
    output: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The first bytes decide.
    #[default]
    Begin,
    /// In the head of a gzip member.
    Head,
    /// In packed bytes.
    Packed,
    /// So many bytes of a trailer are still to come.
    Trailer(usize),
    /// Not packed.
    Plain,
    /// Nothing more can be unpacked.
    Over,
}

impl Layer {
    fn data(&mut self, bytes: &[u8], out: Sink<'_>) -> Unpacked {
        let mut bytes = bytes;
        let mut held;
        loop {
            match self.place {
                Place::Begin => {
                    self.kept.extend_from_slice(bytes);
                    if self.kept.len() < 2 {
                        return Unpacked::Good;
                    }
                    held = std::mem::take(&mut self.kept);
                    self.begin(&held);
                    bytes = &held;
                }
                Place::Head => {
                    self.kept.extend_from_slice(bytes);
                    let Some(end) = gzip_head_end(&self.kept) else {
                        if self.kept.len() > HEAD_MAX_BYTES {
                            self.place = Place::Over;
                            return Unpacked::Broken;
                        }
                        return Unpacked::Good;
                    };
                    held = self.kept.split_off(end);
                    self.kept.clear();
                    self.inflate = Some(Inflate::new(false));
                    self.place = Place::Packed;
                    bytes = &held;
                }
                Place::Packed => {
                    let Some(rest) = self.packed(bytes, out) else { return Unpacked::Broken };
                    if self.place == Place::Packed {
                        return Unpacked::Good;
                    }
                    bytes = rest;
                }
                Place::Trailer(left) => {
                    let skipped = left.min(bytes.len());
                    bytes = bytes.get(skipped..).unwrap_or(&[]);
                    self.place = if left == skipped { Place::Begin } else { Place::Trailer(left - skipped) };
                    if bytes.is_empty() {
                        return Unpacked::Good;
                    }
                }
                Place::Plain => {
                    out(bytes);
                    return Unpacked::Good;
                }
                Place::Over => return Unpacked::Good,
            }
        }
    }

    /// Looks at the first bytes. After a member of gzip only another one is unpacked.
    fn begin(&mut self, bytes: &[u8]) {
        let zlib = matches!(bytes, [first, second, ..]
            if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31));
        self.place = match bytes {
            [0x1f, 0x8b, ..] => {
                self.gzip = true;
                Place::Head
            }
            _ if self.made => Place::Over,
            _ => {
                self.trial = Some(Trial::default());
                self.inflate = Some(Inflate::new(zlib));
                Place::Packed
            }
        };
    }

    /// Unpacks, at first on trial.
    fn packed<'b>(&mut self, bytes: &'b [u8], out: Sink<'_>) -> Option<&'b [u8]> {
        let Some(mut trial) = self.trial.take() else { return self.inflate(bytes, out) };
        trial.input.extend_from_slice(bytes);
        let rest = self.inflate(bytes, &mut |part| trial.output.extend_from_slice(part));
        if rest.is_none() || self.place == Place::Plain {
            self.place = Place::Plain;
            out(&trial.input);
            return Some(&[]);
        }
        if self.place == Place::Packed && trial.input.len() < TRIAL_BYTES {
            self.trial = Some(trial);
        } else {
            out(&trial.output);
        }
        rest
    }

    /// Unpacks; gives what follows the packed bytes. Nothing where they are no packed bytes.
    fn inflate<'b>(&mut self, bytes: &'b [u8], out: Sink<'_>) -> Option<&'b [u8]> {
        let mut bytes = bytes;
        loop {
            let (step, used, made) = self.inflate.as_mut()?.step(bytes);
            self.made |= !made.is_empty();
            if !made.is_empty() {
                out(made);
            }
            let rest = bytes.get(used..).unwrap_or(&[]);
            match step {
                Step::Over => {
                    self.inflate = None;
                    self.place = if self.gzip { Place::Trailer(8) } else { Place::Over };
                    return Some(rest);
                }
                Step::Hungry => return Some(rest),
                Step::Full => bytes = rest,
                Step::Broken if !self.made && !self.gzip => {
                    // It never was packed, whatever the head says.
                    self.place = Place::Plain;
                    self.inflate = None;
                    out(bytes);
                    return Some(&[]);
                }
                Step::Broken => {
                    self.place = Place::Over;
                    self.inflate = None;
                    return None;
                }
            }
        }
    }

    fn rest(&mut self) -> Vec<u8> {
        match self.trial.take() {
            Some(trial) => trial.output,
            None if self.place == Place::Begin => std::mem::take(&mut self.kept),
            None => Vec::new(),
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self.place, Place::Begin | Place::Plain | Place::Trailer(_))
            || (self.place == Place::Over && !self.gzip)
    }
}

/// Where the head of a gzip member ends (RFC 1952 section 2.3); digests of heads are passed over.
fn gzip_head_end(bytes: &[u8]) -> Option<usize> {
    const EXTRA: u8 = 0x04;
    const NAME: u8 = 0x08;
    const COMMENT: u8 = 0x10;
    const DIGEST: u8 = 0x02;
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        at += 2 + usize::from(length);
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            at += bytes.get(at..)?.iter().position(|b| *b == 0)? + 1;
        }
    }
    if flags & DIGEST != 0 {
        at += 2;
    }
    (at <= bytes.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(coding: &[u8], bytes: &[u8], step: usize) -> (Vec<u8>, bool) {
        let mut unpacker = Unpacker::new(coding).unwrap();
        let mut out = Vec::new();
        for part in bytes.chunks(step) {
            unpacker.data(part, &mut |part| out.extend_from_slice(part));
        }
        let whole = unpacker.finish(&mut |part| out.extend_from_slice(part));
        (out, whole)
    }

    #[test]
    fn bodies_are_unpacked_however_they_are_cut() {
        let text = b"tre xanh tre xanh tre xanh, xanh tu bao gio".repeat(50);
        let two_members = [gzipped(&text), gzipped(b"second")].concat();
        for step in [1, 7, 4096] {
            assert_eq!(unpacked(b"gzip", &gzipped(&text), step), (text.clone(), true));
            assert_eq!(unpacked(b"x-gzip", &two_members, step).0, [text.as_slice(), b"second"].concat());
            assert_eq!(unpacked(b"deflate", &deflated(&text), step).0, text);
            assert_eq!(unpacked(b"gzip, gzip", &gzipped(&gzipped(&text)), step).0, text);
            assert_eq!(unpacked(b"deflate,gzip", &gzipped(&text), step).0, text);
            assert_eq!(unpacked(b"gzip", b"not packed at all", step).0, b"not packed at all");
        }
        assert!(Unpacker::new(b"identity").is_none());
    }

    #[test]
    fn odd_heads_of_gzip_are_passed_over() {
        let mut reserved = gzipped(b"abc");
        reserved[3] = 0x20;
        assert_eq!(unpacked(b"gzip", &reserved, 3).0, b"abc");
        let mut digest = gzipped(b"abc");
        digest[3] = 0x02;
        digest.splice(10..10, [0, 0]);
        assert_eq!(unpacked(b"gzip", &digest, 3).0, b"abc");
    }

    #[test]
    fn what_was_unpacked_before_an_error_counts() {
        let mut broken = gzipped(&b"abcdefghij".repeat(2000));
        let length = broken.len();
        broken.truncate(length / 2);
        let (out, whole) = unpacked(b"gzip", &broken, 16);
        assert!(!out.is_empty() && !whole);
    }
}
