//! Words: how texts and queries are cut up, the same for both.
//!
//! A word is a run of letters and digits of any script, in lower case and without accents, at most 64 letters of it.
//! Scripts that are written without spaces are cut letter by letter. There is no stemming: words of any language mix in
//! one customer's requests, and whoever types the beginning of a word finds all its forms by the prefix.

use tantivy::tokenizer::{AsciiFoldingFilter, TextAnalyzer, Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters of a word that count.
const MAX_LETTERS: usize = 64;

/// A word of a text and where it stands there, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    let mut found = Vec::new();
    while stream.advance() {
        let token = stream.token();
        found.push(Word { text: token.text.clone(), from: token.offset_from, to: token.offset_to });
    }
    found
}

/// What cuts texts up in the index.
pub(crate) fn analyzer() -> TextAnalyzer {
    // Letters that are no accented ones but look alike in ASCII: ø, ß, ł.
    TextAnalyzer::builder(Cutter).filter(AsciiFoldingFilter).build()
}

#[derive(Clone)]
struct Cutter;

struct Cut {
    tokens: std::vec::IntoIter<Token>,
    token: Token,
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Cut;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Cut {
        Cut { tokens: cut(text).into_iter(), token: Token::default() }
    }
}

impl TokenStream for Cut {
    fn advance(&mut self) -> bool {
        let next = self.tokens.next();
        let is_there = next.is_some();
        self.token = next.unwrap_or_default();
        is_there
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

fn cut(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut from = None;
    let mut end = |from: &mut Option<usize>, to: usize| {
        let Some(from) = from.take() else { return };
        let text = folded(&text[from..to]);
        if !text.is_empty() {
            tokens.push(Token {
                offset_from: from,
                offset_to: to,
                position: tokens.len(),
                text,
                position_length: 1,
            });
        }
    };
    for (at, letter) in text.char_indices() {
        if stands_alone(letter) {
            end(&mut from, at);
            from = Some(at);
            end(&mut from, at + letter.len_utf8());
        } else if letter.is_alphanumeric() || (from.is_some() && is_combining_mark(letter)) {
            from.get_or_insert(at);
        } else {
            end(&mut from, at);
        }
    }
    end(&mut from, text.len());
    tokens
}

/// Chinese and Japanese are written without spaces.
fn stands_alone(letter: char) -> bool {
    matches!(u32::from(letter), 0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().take(MAX_LETTERS).map(|letter| letter.to_ascii_lowercase()).collect();
    }
    let plain = word.nfkd().filter(|letter| !is_combining_mark(*letter));
    plain.flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric()).take(MAX_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_plain_words() {
        let cut = |text: &str| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(cut("The VPN-client's 2nd crash"), ["the", "vpn", "client", "s", "2nd", "crash"]);
        assert_eq!(cut("Café, naïve Ångström Øre Straße"), ["cafe", "naive", "angstrom", "ore", "strasse"]);
        assert_eq!(cut("cafe\u{301} \u{301}x"), ["cafe", "x"], "decomposed");
        assert_eq!(cut("Ёлка ЁЛКИ"), ["елка", "елки"]);
        assert_eq!(cut("打印机 坏了"), ["打", "印", "机", "坏", "了"]);
        assert_eq!(cut("ﬁle ２４"), ["file", "24"]);
        assert_eq!(cut(""), [""; 0]);
        assert_eq!(cut(" .;— "), [""; 0]);
        assert_eq!(cut(&"x".repeat(70)), ["x".repeat(64)]);
        assert_eq!(cut(&"é".repeat(70)), ["e".repeat(64)]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "Ein Café!";
        let found = words(text);
        assert_eq!(&text[found[1].from..found[1].to], "Café");
    }
}
