//! How text becomes search terms: keywords whole and in lower case, prose word by word without Vietnamese diacritics.
//!
//! Comes in: field values and query words. Goes out: the same terms for both, so that they meet. Overlong terms are cut
//! at [`KEYWORD_MAX_BYTES`] on both sides, overlong words are left out.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Keywords longer than this are searched by their first bytes only.
pub const KEYWORD_MAX_BYTES: usize = 4096;
/// Words longer than this are not searched for: they are data, not language.
pub const WORD_MAX_BYTES: usize = 80;
/// At most this many words of one value are searchable; the value itself is kept whole.
pub const WORDS_MAX: usize = 4096;

/// The term of a keyword: lower case, cut at [`KEYWORD_MAX_BYTES`].
pub fn keyword(text: &str) -> String {
    let text = cut(text);
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}

/// The part of a text that is searched.
pub fn cut(text: &str) -> &str {
    if text.len() <= KEYWORD_MAX_BYTES {
        return text;
    }
    let end = (0..=KEYWORD_MAX_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or(text)
}

/// The words of a text, folded: letters and digits only, lower case, no diacritics.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if is_combining(c) {
            continue;
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase().map(fold).filter(|c| !is_combining(*c)));
        } else if !word.is_empty() {
            let word = std::mem::take(&mut word);
            if word.len() <= WORD_MAX_BYTES {
                words.push(word);
            }
            if words.len() >= WORDS_MAX {
                break;
            }
        }
    }
    words
}

/// Marks that follow a letter in decomposed Unicode text (block "Combining Diacritical Marks").
fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// A lower-case letter without its Vietnamese diacritics.
fn fold(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' | 'ắ' | 'ằ' | 'ẳ' | 'ẵ' | 'ặ' => {
            'a'
        }
        'è'..='ë' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => 'e',
        'ì'..='ï' | 'ĩ' | 'ỉ' | 'ị' => 'i',
        'ò'..='ö' | 'ơ' | 'ọ' | 'ỏ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ' | 'ớ' | 'ờ' | 'ở' | 'ỡ' | 'ợ' => {
            'o'
        }
        'ù'..='ü' | 'ũ' | 'ư' | 'ụ' | 'ủ' | 'ứ' | 'ừ' | 'ử' | 'ữ' | 'ự' => 'u',
        'ý' | 'ÿ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => 'y',
        'đ' => 'd',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

/// [`keyword`] as the index's tokenizer.
#[derive(Debug, Clone, Default)]
pub struct KeywordTokenizer;

/// [`words`] as the index's tokenizer.
#[derive(Debug, Clone, Default)]
pub struct WordTokenizer;

/// The terms of one value.
#[derive(Debug)]
pub struct Terms {
    words: std::vec::IntoIter<String>,
    token: Token,
}

impl Terms {
    fn new(words: Vec<String>) -> Self {
        let token = Token { position: usize::MAX, ..Token::default() };
        Terms { words: words.into_iter(), token }
    }
}

impl Tokenizer for KeywordTokenizer {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        Terms::new(vec![keyword(text)])
    }
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms {
        Terms::new(words(text))
    }
}

impl TokenStream for Terms {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        self.token.text = word;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_folds_composed_and_decomposed() {
        let plain = ["so", "y", "te", "duong", "di"];
        assert_eq!(words("Sở Y tế, ĐƯỜNG đi"), plain);
        assert_eq!(words("So\u{31b}\u{309} Y te\u{302}\u{301}, ĐU\u{31b}O\u{31b}\u{300}NG đi"), plain);
    }

    #[test]
    fn names_and_paths_split_into_words() {
        assert_eq!(words("/dang-nhap?user=An1"), ["dang", "nhap", "user", "an1"]);
        assert_eq!(words(&"x".repeat(WORD_MAX_BYTES + 1)), Vec::<String>::new());
    }

    #[test]
    fn keywords_are_cut_at_a_character() {
        let long = "ế".repeat(KEYWORD_MAX_BYTES);
        assert!(keyword(&long).len() <= KEYWORD_MAX_BYTES);
        assert_eq!(keyword("GET"), "get");
    }
}
