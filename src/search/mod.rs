//! Search over what was asked, noted, answered and published, ranked: has this been asked before, and what helped?
//!
//! The engine's index is derived and never believed: it leads to requests and FAQ entries, which are read again from the
//! store and matched once more before anybody sees them.

mod folder;
pub(crate) mod index;
mod update;
mod words;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::store::topics::{About, topic};
use crate::time::Instant;
use index::Terms;
pub(crate) use update::Update;
use words::{Word, words};

/// Longest text of a query, in bytes.
pub const MAX_QUERY_BYTES: usize = 1_000;
/// Most different words of a query.
pub const MAX_WORDS: usize = 32;
/// Most hits of an answer, and most that it can skip.
pub const MAX_HITS: usize = 1_000;
/// The beginning of a word must have so many letters.
const PREFIX_LETTERS: usize = 2;
/// About how many letters of a text are shown.
const SNIPPET_LETTERS: usize = 240;
/// Of these, before the first word that was found.
const LEAD_LETTERS: usize = 60;

/// What a hit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    /// A request.
    Request,
    /// An entry of the FAQ.
    Faq,
}

/// Where the shown text is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundIn {
    /// The subject of a request, or the question of an entry.
    Subject,
    /// What a customer was told, or the answer of an entry.
    Answer,
    /// A note for the record.
    Note,
}

/// What to look for.
///
/// Words are compared in lower case and without accents; there is no stemming, but the last word also finds what begins
/// with it. Any of the words is enough unless [`every_word`](Self::every_word) asks for all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchQuery {
    /// Words, 1 to 32 different ones in at most 1,000 bytes. Everything but letters and digits parts words.
    pub text: String,
    /// Only requests of this customer (after all changes). FAQ entries have none.
    pub customer: Option<String>,
    /// Only what was received or published at or after this instant.
    pub from: Option<Instant>,
    /// Only what was received or published before this instant.
    pub to: Option<Instant>,
    /// Only requests whose customer was told something, and FAQ entries.
    pub answered: bool,
    /// Only requests, or only FAQ entries.
    pub kind: Option<HitKind>,
    /// Every word must be there.
    pub every_word: bool,
    /// The last word, of at least two letters, also finds words that begin with it. True unless set otherwise.
    pub prefix: bool,
    /// How many hits, 1 to 1,000.
    pub limit: usize,
    /// Hits to leave out before them, at most 1,000.
    pub skip: usize,
    /// The folder of the index. `None`: beside the database, `<file>.search`.
    pub index: Option<PathBuf>,
}

impl Default for SearchQuery {
    fn default() -> SearchQuery {
        SearchQuery {
            text: String::new(),
            customer: None,
            from: None,
            to: None,
            answered: false,
            kind: None,
            every_word: false,
            prefix: true,
            limit: 20,
            skip: 0,
            index: None,
        }
    }
}

impl SearchQuery {
    /// The best 20 for these words.
    pub fn new(text: impl Into<String>) -> SearchQuery {
        SearchQuery { text: text.into(), ..SearchQuery::default() }
    }

    /// Only requests of this customer.
    #[must_use]
    pub fn customer(mut self, customer: impl Into<String>) -> SearchQuery {
        self.customer = Some(customer.into());
        self
    }

    /// Only what was received or published at or after this instant.
    #[must_use]
    pub fn from(mut self, from: Instant) -> SearchQuery {
        self.from = Some(from);
        self
    }

    /// Only what was received or published before this instant.
    #[must_use]
    pub fn to(mut self, to: Instant) -> SearchQuery {
        self.to = Some(to);
        self
    }

    /// Only what was answered.
    #[must_use]
    pub fn answered(mut self) -> SearchQuery {
        self.answered = true;
        self
    }

    /// Only requests, or only FAQ entries.
    #[must_use]
    pub fn kind(mut self, kind: HitKind) -> SearchQuery {
        self.kind = Some(kind);
        self
    }

    /// Every word must be there.
    #[must_use]
    pub fn every_word(mut self) -> SearchQuery {
        self.every_word = true;
        self
    }

    /// The last word must be there as it is.
    #[must_use]
    pub fn whole_words(mut self) -> SearchQuery {
        self.prefix = false;
        self
    }

    /// How many hits.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> SearchQuery {
        self.limit = limit;
        self
    }

    /// Hits to leave out before them.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> SearchQuery {
        self.skip = skip;
        self
    }

    /// The folder of the index.
    #[must_use]
    pub fn index(mut self, folder: impl Into<PathBuf>) -> SearchQuery {
        self.index = Some(folder.into());
        self
    }

    pub(crate) fn terms(&self) -> Result<Terms> {
        let out = |message: String| Err(Error::new(ErrorKind::OutOfRange, message));
        if self.text.len() > MAX_QUERY_BYTES {
            return out(format!("query of {} bytes: at most {MAX_QUERY_BYTES} are allowed", self.text.len()));
        }
        if !(1..=MAX_HITS).contains(&self.limit) || self.skip > MAX_HITS {
            return out(format!(
                "{} hits after {}: must be 1 to {MAX_HITS} after at most {MAX_HITS}",
                self.limit, self.skip
            ));
        }
        let mut distinct: Vec<String> = Vec::new();
        let asked = words(&self.text);
        let last = asked.last().map(|word| word.text.clone());
        for word in asked {
            if !distinct.contains(&word.text) {
                distinct.push(word.text);
            }
        }
        let Some(last) = last else {
            let message = format!("query `{}`: has no word; give letters or digits", self.text);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        if distinct.len() > MAX_WORDS {
            return out(format!("query of {} words: at most {MAX_WORDS} are allowed", distinct.len()));
        }
        // The last word stays the last.
        distinct.retain(|word| *word != last);
        let prefix = self.prefix && last.chars().count() >= PREFIX_LETTERS;
        distinct.push(last);
        Ok(Terms {
            words: distinct,
            prefix,
            every: self.every_word,
            faq: self.kind.map(|kind| kind == HitKind::Faq),
            answered: self.answered,
            customer: self.customer.as_ref().map(|customer| topic(About::Customer, customer)),
            from: self.from.map(Instant::raw),
            to: self.to.map(Instant::raw),
        })
    }
}

/// A piece of a text: as it is, or one of the words that were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// It was looked for.
    pub hit: bool,
}

/// A request or an FAQ entry that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Which of both.
    pub kind: HitKind,
    /// External id of the request, or the entry's id.
    pub id: String,
    /// How well it fits, in thousandths: compares hits of one answer, and nothing else.
    pub score: u64,
    /// The customer of a request, after all changes.
    pub customer: Option<String>,
    /// The subject, or the question.
    pub subject: Option<String>,
    /// When it was received, or published.
    pub at: Instant,
    /// Of a request: `open`, `resolved`, `cancelled` or `refused`.
    pub state: Option<&'static str>,
    /// When it came to that; `None` while open.
    pub handled_at: Option<Instant>,
    /// What helped: the last thing that the customer was told, or the entry's answer.
    pub answer: Option<String>,
    /// The FAQ entries that a request is linked to.
    pub faq: Vec<String>,
    /// Where the shown text is from.
    pub found_in: FoundIn,
    /// The text around what was looked for. Pieces put together are the text; what is left out is `…`.
    pub snippet: Vec<Piece>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// Best first, those of equal score newest first.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub matches: u64,
    /// The index covered everything that was recorded before the search. If not, another process was building it, or the
    /// folder cannot be written: what is newest may be missing, but what is there is right.
    pub complete: bool,
}

/// Which of the words looked for a word is.
fn term_of(terms: &Terms, word: &str) -> Option<usize> {
    let whole = terms.words.iter().position(|term| term == word);
    let last = terms.words.len() - 1;
    whole.or_else(|| (terms.prefix && word.starts_with(&terms.words[last])).then_some(last))
}

/// Where the words are in texts, and the part of the best text to show; `None` if the texts do not match.
pub(crate) fn matched(terms: &Terms, texts: &[(FoundIn, &str)]) -> Option<(FoundIn, Vec<Piece>)> {
    let mut seen = vec![false; terms.words.len()];
    let mut best: Option<(usize, usize, Vec<Word>)> = None;
    for (at, (_, text)) in texts.iter().enumerate() {
        let mut here = vec![false; terms.words.len()];
        let mut found = words(text);
        found.retain(|word| {
            let mut is_there = false;
            // The beginning that was typed is found by a whole word that was typed, too.
            if let Some(term) = term_of(terms, &word.text) {
                (here[term], is_there) = (true, true);
            }
            let last = terms.words.len() - 1;
            if terms.prefix && word.text.starts_with(&terms.words[last]) {
                (here[last], is_there) = (true, true);
            }
            is_there
        });
        seen.iter_mut().zip(&here).for_each(|(seen, here)| *seen |= here);
        let count = here.iter().filter(|here| **here).count();
        if count > best.as_ref().map_or(0, |(most, ..)| *most) {
            best = Some((count, at, found));
        }
    }
    let (_, at, found) = best?;
    if terms.every && seen.contains(&false) {
        return None;
    }
    Some((texts[at].0, snippet(texts[at].1, &found)))
}

/// The text around the first words found, in pieces.
fn snippet(text: &str, found: &[Word]) -> Vec<Piece> {
    let first = found.first().map_or(0, |word| word.from);
    // A beginning at a space, if there is one in reach.
    let before = &text[..first];
    let start = match before.char_indices().rev().nth(LEAD_LETTERS - 1) {
        None | Some((0, _)) => 0,
        Some((at, _)) => before[at..].find(char::is_whitespace).map_or(at, |space| at + space + 1),
    };
    let end = match text[start..].char_indices().nth(SNIPPET_LETTERS) {
        None => text.len(),
        Some((length, _)) => {
            let cut = &text[start..start + length];
            let space = cut.rfind(char::is_whitespace).map_or(start + length, |space| start + space);
            // The first word is shown whatever its length.
            space.max(found.first().map_or(0, |word| word.to))
        }
    };
    let mut pieces = Vec::new();
    let mut push = |text: &str, hit: bool| {
        if !text.is_empty() {
            let text = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
            pieces.push(Piece { text, hit });
        }
    };
    push(if start > 0 { "…" } else { "" }, false);
    let mut at = start;
    for word in found.iter().filter(|word| word.to <= end) {
        push(&text[at..word.from], false);
        push(&text[word.from..word.to], true);
        at = word.to;
    }
    push(&text[at..end.max(at)], false);
    push(if end < text.len() { "…" } else { "" }, false);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &SearchQuery, texts: &[(FoundIn, &str)]) -> Option<(FoundIn, String)> {
        let (found_in, pieces) = matched(&query.terms().unwrap(), texts)?;
        let text = pieces
            .iter()
            .map(|piece| if piece.hit { format!("[{}]", piece.text) } else { piece.text.clone() });
        Some((found_in, text.collect()))
    }

    #[test]
    fn the_text_with_most_of_the_words_is_shown() {
        let texts = [
            (FoundIn::Subject, "VPN drops"),
            (FoundIn::Answer, "Restart the VPN client, then the laptop."),
            (FoundIn::Note, "Client is a crèche"),
        ];
        let query = SearchQuery::new("vpn CLIENT");
        let answer = "Restart the [VPN] [client], then the laptop.".to_owned();
        assert_eq!(shown(&query, &texts), Some((FoundIn::Answer, answer)));
        assert_eq!(shown(&SearchQuery::new("creche"), &texts).unwrap().1, "Client is a [crèche]");
        assert_eq!(
            shown(&SearchQuery::new("lap"), &texts).unwrap().1,
            "Restart the VPN client, then the [laptop]."
        );
        assert_eq!(shown(&SearchQuery::new("lap").whole_words(), &texts), None);
        assert_eq!(shown(&SearchQuery::new("l"), &texts), None, "one letter is no beginning");
        assert_eq!(shown(&SearchQuery::new("lap vpn").whole_words().every_word(), &texts), None);
        assert!(
            shown(&SearchQuery::new("creche drops restart").every_word(), &texts).is_some(),
            "in several texts"
        );
        assert!(shown(&SearchQuery::new("vpn vp").every_word(), &texts).is_some(), "one word is both");
    }

    #[test]
    fn long_texts_are_cut_at_words() {
        let text = format!("{}needle {}", "hay ".repeat(100), "straw ".repeat(100));
        let (_, shown) = shown(&SearchQuery::new("needle"), &[(FoundIn::Note, &text)]).unwrap();
        assert!(shown.starts_with("…hay hay") && shown.ends_with("straw…"), "{shown}");
        assert!(shown.contains(" [needle] ") && shown.chars().count() < 250, "{shown}");
        let one = "é".repeat(300);
        let pieces = matched(&SearchQuery::new("ee").terms().unwrap(), &[(FoundIn::Note, &one)]).unwrap().1;
        assert_eq!((pieces.len(), pieces[0].text.chars().count()), (1, 300), "a single word is not cut");
    }

    #[test]
    fn bad_queries_are_named() {
        let kind = |query: SearchQuery| query.terms().map(drop).unwrap_err().kind();
        assert_eq!(kind(SearchQuery::new("")), ErrorKind::InvalidArgument);
        assert_eq!(kind(SearchQuery::new("?! —")), ErrorKind::InvalidArgument);
        assert_eq!(kind(SearchQuery::new("x".repeat(1_001))), ErrorKind::OutOfRange);
        assert!(SearchQuery::new("x".repeat(1_000)).terms().is_ok());
        let many = |count: usize| (0..count).map(|number| format!("w{number} ")).collect::<String>();
        assert!(SearchQuery::new(many(32)).terms().is_ok());
        assert!(SearchQuery::new(many(32).repeat(2)).terms().is_ok(), "different ones");
        assert_eq!(kind(SearchQuery::new(many(33))), ErrorKind::OutOfRange);
        for (limit, skip, good) in
            [(0, 0, false), (1, 0, true), (1_000, 1_000, true), (1_001, 0, false), (1, 1_001, false)]
        {
            assert_eq!(SearchQuery::new("x").limit(limit).skip(skip).terms().is_ok(), good, "{limit} {skip}");
        }
    }
}
