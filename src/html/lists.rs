//! The ids behind the numbers: each number links to a list at the end of the page.

use serde::Serialize;

use super::words;
use crate::report::Ids;

/// A number with its list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Linked {
    pub(super) text: String,
    /// The anchor of the list; none for nothing.
    anchor: Option<String>,
}

/// One list.
#[derive(Debug, Serialize)]
struct List {
    anchor: String,
    title: String,
    count: String,
    ids: Vec<String>,
    unlisted: Option<String>,
}

/// Lists under one heading.
#[derive(Debug, Serialize)]
pub(super) struct Chapter {
    title: String,
    lists: Vec<List>,
}

/// All lists of a page, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Lists {
    chapters: Vec<Chapter>,
    count: usize,
}

impl Lists {
    /// What follows stands under this heading.
    pub(super) fn chapter(&mut self, title: impl Into<String>) {
        self.chapters.push(Chapter { title: title.into(), lists: Vec::new() });
    }

    /// The number of requests, linked to their ids under this title.
    pub(super) fn link(&mut self, title: impl Into<String>, ids: &Ids) -> Linked {
        let text = words::count(ids.total);
        let Some(chapter) = self.chapters.last_mut().filter(|_| !ids.first.is_empty()) else {
            return Linked { text, anchor: None };
        };
        self.count += 1;
        let anchor = format!("ids-{}", self.count);
        let unlisted = ids.unlisted();
        chapter.lists.push(List {
            anchor: anchor.clone(),
            title: title.into(),
            count: text.clone(),
            ids: ids.first.clone(),
            unlisted: (unlisted > 0).then(|| words::count(unlisted)),
        });
        Linked { text, anchor: Some(anchor) }
    }

    /// The chapters that have lists.
    pub(super) fn chapters(self) -> Vec<Chapter> {
        self.chapters.into_iter().filter(|chapter| !chapter.lists.is_empty()).collect()
    }
}
