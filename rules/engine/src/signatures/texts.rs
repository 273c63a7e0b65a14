//! The texts of all rules, so that an alert can carry the one that made it.
//!
//! They are packed in blocks of [`BLOCK_RULES`]: a set of tens of thousands of rules would otherwise hold tens of
//! megabytes that are hardly ever read.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Rules of a block.
const BLOCK_RULES: usize = 16;

/// Texts by number, in the order in which they came.
#[derive(Debug, Default)]
pub struct Texts {
    blocks: Vec<Box<[u8]>>,
    /// Where each text ends in its block.
    ends: Vec<u32>,
    open: String,
}

impl Texts {
    /// Keeps a text; its number.
    pub fn add(&mut self, text: &str) -> u32 {
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.open.push_str(text);
        self.ends.push(u32::try_from(self.open.len()).unwrap_or(u32::MAX));
        if self.ends.len().is_multiple_of(BLOCK_RULES) {
            let block = std::mem::take(&mut self.open);
            self.blocks.push(packed(block.as_bytes()));
        }
        number
    }

    /// The text of a number; empty where there is none.
    pub fn get(&self, number: u32) -> String {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(end) = self.ends.get(at) else { return String::new() };
        let begin = if at % BLOCK_RULES == 0 { Some(&0) } else { self.ends.get(at - 1) };
        let unpacked = match self.blocks.get(at / BLOCK_RULES) {
            Some(block) => {
                let mut text = String::new();
                let _ = DeflateDecoder::new(&**block).read_to_string(&mut text);
                text
            }
            None => self.open.clone(),
        };
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        let range = place(begin.copied().unwrap_or(0))..place(*end);
        unpacked.get(range).unwrap_or("").to_owned()
    }
}

/// Writing into memory never fails; were it to, the texts of a block would be empty.
fn packed(bytes: &[u8]) -> Box<[u8]> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_was() {
        let mut texts = Texts::default();
        let all: Vec<String> = (0..BLOCK_RULES * 2 + 3).map(|n| format!("rule {n} {}", "ế".repeat(n))).collect();
        let numbers: Vec<u32> = all.iter().map(|text| texts.add(text)).collect();
        for (number, text) in numbers.into_iter().zip(&all) {
            assert_eq!(texts.get(number), *text);
        }
        assert_eq!(texts.get(9999), "");
    }
}
