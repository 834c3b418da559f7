//! The FAQ: answers for all to read, what was done about them, and the list as Markdown.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// What was done about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaqAct {
    /// It is there for all to read.
    Published,
    /// It says something else.
    Amended,
    /// It is no longer given.
    Withdrawn,
}

/// An entry of the journal: what was done, and what the FAQ says after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaqRecord {
    /// The FAQ entry's id.
    pub id: String,
    /// What was done.
    pub act: FaqAct,
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: String,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// External id of the request it came from.
    pub request: Option<String>,
}

/// What is to be published.
///
/// Either both question and answer are given, or a request whose subject and last answer to the customer stand in for
/// what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaqDraft {
    /// The entry's id: the caller's own, 1 to 255 bytes of text.
    pub id: String,
    /// The question, up to 64 KiB; `None` for the request's subject.
    pub question: Option<String>,
    /// The answer, up to 64 KiB; `None` for the last thing that the request's customer was told.
    pub answer: Option<String>,
    /// External id of the request it comes from.
    pub request: Option<String>,
}

/// An entry of the FAQ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaqEntry {
    /// Its id.
    pub id: String,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// External id of the request it came from.
    pub request: Option<String>,
    /// When it was published.
    pub published_at: Instant,
    /// By whom.
    pub published_by: String,
    /// When it was published, amended or withdrawn last.
    pub changed_at: Instant,
    /// By whom.
    pub changed_by: String,
    /// It is no longer given.
    pub withdrawn: bool,
    /// Requests linked to it.
    pub uses: u64,
    /// When a request was linked to it last, of those that are.
    pub last_used_at: Option<Instant>,
}

/// The entries as a Markdown document under `title`: a table of contents, then each question with its answer.
///
/// Questions and answers are plain text: what means something in Markdown or HTML is escaped, and line breaks stay.
pub fn faq_markdown(entries: &[FaqEntry], title: &str) -> String {
    let mut out = format!("# {}\n", escaped(title));
    if entries.is_empty() {
        out.push_str("\nNo entries yet.\n");
    } else {
        out.push('\n');
    }
    for (number, entry) in (1..).zip(entries) {
        let _ = writeln!(out, "{number}. [{}](#faq-{number})", escaped(&entry.question));
    }
    for (number, entry) in (1..).zip(entries) {
        let _ = write!(out, "\n<a id=\"faq-{number}\"></a>\n\n## {}\n", escaped(&entry.question));
        for paragraph in entry.answer.split("\n\n").filter(|text| !text.trim().is_empty()) {
            let lines: Vec<String> =
                paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).map(escaped).collect();
            let _ = write!(out, "\n{}\n", lines.join("  \n"));
        }
    }
    out
}

/// One line of plain text in which nothing means anything in Markdown or HTML.
fn escaped(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len());
    for (at, letter) in line.char_indices() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '$' => {
                out.extend(['\\', letter]);
            }
            // A list or a rule begins a line so.
            '+' | '-' | '=' if at == 0 => out.extend(['\\', letter]),
            '.' if line[..at].bytes().all(|byte| byte.is_ascii_digit()) => out.push_str("\\."),
            // A bare address would become a link.
            ':' if line[at..].starts_with("://") => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(question: &str, answer: &str) -> FaqEntry {
        let at = Instant::from_secs(7).unwrap();
        FaqEntry {
            id: "vpn".into(),
            question: question.into(),
            answer: answer.into(),
            request: None,
            published_at: at,
            published_by: "ann".into(),
            changed_at: at,
            changed_by: "ann".into(),
            withdrawn: false,
            uses: 0,
            last_used_at: None,
        }
    }

    #[test]
    fn markdown_has_every_question_and_nothing_that_means_something() {
        let entries = [
            entry("Why does <b>VPN</b> drop?", "Restart *it*.\n1. Then\nwait.\n\n\n- So?"),
            entry("[x](javascript:alert(1))", "# no heading\n    no code\nhttps://example.org a@b.c"),
        ];
        let expected = r##"# FAQ &amp; more

1. [Why does &lt;b&gt;VPN&lt;/b&gt; drop?](#faq-1)
2. [\[x\]\(javascript:alert\(1\)\)](#faq-2)

<a id="faq-1"></a>

## Why does &lt;b&gt;VPN&lt;/b&gt; drop?

Restart \*it\*.  
1\. Then  
wait.

\- So?

<a id="faq-2"></a>

## \[x\]\(javascript:alert\(1\)\)

\# no heading  
no code  
https&#58;//example.org a&#64;b.c
"##;
        assert_eq!(faq_markdown(&entries, "FAQ & more"), expected);
        assert_eq!(faq_markdown(&[], "FAQ"), "# FAQ\n\nNo entries yet.\n");
    }
}
