//! What was asked before and what helped: a customer's history, the FAQ, and search.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Serialize;
use slaclock::search::HitKind;
use slaclock::{ErrorKind, FaqDraft, History, Page, PageKey, SearchQuery};

use crate::db::PyDb;
use crate::error::raised;
use crate::status::{self, outcome_word};
use crate::time::{instant, instant_or_now};

/// An entry with what was done about it.
#[derive(Serialize)]
struct EntryDocument {
    entry: slaclock::FaqEntry,
    records: Vec<slaclock::FaqRecord>,
}

fn page(limit: usize, after: Option<u64>) -> Page {
    after.map_or(Page::first(limit), |key| Page::after(PageKey::from_bits(key), limit))
}

impl PyDb {
    fn shown_history<'py>(&self, py: Python<'py>, history: &History) -> PyResult<Bound<'py, PyAny>> {
        self.shown_as(py, "History", history)
    }
}

#[pymethods]
impl PyDb {
    /// All requests of a customer (after all changes) with what was said, newest receipt first: a page of 1 to 1,000 rows.
    /// `after` is `next` of the page before. The cost is the page's, whatever the customer asked before.
    #[pyo3(signature = (customer, /, *, limit = 100, after = None))]
    fn history<'py>(
        &self,
        py: Python<'py>,
        customer: &str,
        limit: usize,
        after: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let history = self.call(py, |db| db.history(customer, page(limit, after)))?;
        self.shown_history(py, &history)
    }

    /// The requests linked to an FAQ entry, latest link first; see `history`. Raises `NotFoundError` if there is no such
    /// entry.
    #[pyo3(signature = (id, /, *, limit = 100, after = None))]
    fn faq_requests<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        limit: usize,
        after: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let history = self.call(py, |db| db.faq_requests(id, page(limit, after)))?;
        self.shown_history(py, &history)
    }

    /// Publishes an FAQ entry under an id of your own: `"recorded"`, or `"already_recorded"` for the same again. What is left
    /// out of `question` and `answer` comes from `request`: its subject, and the last thing that its customer was told.
    ///
    /// Raises `InvalidArgumentError` for what is neither given nor there, `NotFoundError` if there is no such request,
    /// `ConflictError` if the id was published before with other content.
    #[pyo3(signature = (id, /, question = None, answer = None, *, request = None, by, at = None))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn publish_faq(
        &self,
        py: Python<'_>,
        id: String,
        question: Option<String>,
        answer: Option<String>,
        request: Option<String>,
        by: &str,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        let at = instant_or_now(at, py, "at")?;
        let draft = FaqDraft { id, question, answer, request };
        Ok(outcome_word(self.call(py, |db| db.publish(&draft, at, by))?))
    }

    /// Says otherwise what an FAQ entry asks or answers. What changes nothing is `"already_recorded"`.
    ///
    /// Raises `NotFoundError` if there is no such entry, `ConflictError` if it is withdrawn or was changed after `at`.
    #[pyo3(signature = (id, /, question = None, answer = None, *, by, at = None))]
    fn amend_faq(
        &self,
        py: Python<'_>,
        id: &str,
        question: Option<&str>,
        answer: Option<&str>,
        by: &str,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        let at = instant_or_now(at, py, "at")?;
        Ok(outcome_word(self.call(py, |db| db.amend_faq(id, question, answer, at, by))?))
    }

    /// Withdraws an FAQ entry: it is no longer listed, exported or found. Requests stay linked to it.
    ///
    /// Raises `NotFoundError` if there is no such entry, `ConflictError` if it was withdrawn otherwise or changed after `at`.
    #[pyo3(signature = (id, /, *, by, at = None))]
    fn withdraw_faq(
        &self,
        py: Python<'_>,
        id: &str,
        by: &str,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<&'static str> {
        let at = instant_or_now(at, py, "at")?;
        Ok(outcome_word(self.call(py, |db| db.withdraw_faq(id, at, by))?))
    }

    /// Records that an FAQ entry answers a request. A request counts once, whatever is recorded.
    ///
    /// Raises `NotFoundError` if there is no such request or entry, `InvalidEventError` if the entry is withdrawn.
    #[pyo3(signature = (request, id, /, *, by, at = None))]
    fn link_faq<'py>(
        &self,
        py: Python<'py>,
        request: &str,
        id: &str,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = instant_or_now(at, py, "at")?;
        let answer = self.call(py, |db| db.link_faq(request, id, at, by))?;
        status::recorded(py, &answer, &self.zones(py)?)
    }

    /// Records that an FAQ entry does not answer a request after all.
    ///
    /// Raises `InvalidEventError` if the request was not linked to it then.
    #[pyo3(signature = (request, id, /, *, by, at = None))]
    fn unlink_faq<'py>(
        &self,
        py: Python<'py>,
        request: &str,
        id: &str,
        by: &str,
        at: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = instant_or_now(at, py, "at")?;
        let answer = self.call(py, |db| db.unlink_faq(request, id, at, by))?;
        status::recorded(py, &answer, &self.zones(py)?)
    }

    /// All FAQ entries by id, with how often each was used; withdrawn ones only if they are asked for.
    #[pyo3(signature = (*, withdrawn = false))]
    fn faq<'py>(&self, py: Python<'py>, withdrawn: bool) -> PyResult<Bound<'py, PyAny>> {
        let entries = self.call(py, |db| db.faq(withdrawn))?;
        self.shown_as(py, "FaqEntry", &entries)
    }

    /// An FAQ entry, withdrawn or not, and what was done about it. Raises `NotFoundError` if there is no such entry.
    #[pyo3(signature = (id, /))]
    fn faq_entry<'py>(&self, py: Python<'py>, id: &str) -> PyResult<Bound<'py, PyAny>> {
        let told =
            self.call(py, |db| Ok(EntryDocument { entry: db.faq_entry(id)?, records: db.faq_records(id)? }))?;
        self.shown_as(py, "FaqStory", &told)
    }

    /// The FAQ as Markdown. Every text is escaped.
    #[pyo3(signature = (title = "Frequently asked questions", /))]
    fn faq_markdown(&self, py: Python<'_>, title: &str) -> PyResult<String> {
        self.call(py, |db| Ok(slaclock::faq_markdown(&db.faq(false)?, title)))
    }

    /// The FAQ as one HTML page that needs nothing else. Every text is escaped.
    #[pyo3(signature = (title = "Frequently asked questions", /))]
    fn faq_html(&self, py: Python<'_>, title: &str) -> PyResult<String> {
        self.call(py, |db| slaclock::html::faq_page(&db.faq(false)?, title, None))
    }

    /// Looks for requests and FAQ entries by the words of their subjects, notes, answers and questions, best first: has this
    /// been asked before, and what helped?
    ///
    /// Any of the words is enough, unless `every_word`; case and accents do not count; the last word also finds what begins
    /// with it, unless `prefix=False`. `since` and `until` bound when it was received or published. The index lies in a
    /// folder beside the database (`index` names another), is derived, and follows by itself.
    ///
    /// Raises `InvalidArgumentError` for a query without a word, `OutOfRangeError` for one that is too long or too many hits,
    /// `BusyError` if another process is building the index and there is none yet.
    #[pyo3(signature = (text, /, *, customer = None, since = None, until = None, answered = false, kind = None,
                        every_word = false, prefix = true, limit = 20, skip = 0, index = None))]
    #[allow(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    fn search<'py>(
        &self,
        py: Python<'py>,
        text: String,
        customer: Option<String>,
        since: Option<&Bound<'py, PyAny>>,
        until: Option<&Bound<'py, PyAny>>,
        answered: bool,
        kind: Option<&str>,
        every_word: bool,
        prefix: bool,
        limit: usize,
        skip: usize,
        index: Option<PathBuf>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = match kind {
            None => None,
            Some("request") => Some(HitKind::Request),
            Some("faq") => Some(HitKind::Faq),
            Some(other) => {
                let message = format!("kind \"{other}\": must be \"request\" or \"faq\"");
                return Err(raised(py, ErrorKind::InvalidArgument, message));
            }
        };
        let query = SearchQuery {
            text,
            customer,
            from: since.map(|since| instant(since, "since")).transpose()?,
            to: until.map(|until| instant(until, "until")).transpose()?,
            answered,
            kind,
            every_word,
            prefix,
            limit,
            skip,
            index,
        };
        let found = self.call(py, |db| db.search(&query))?;
        self.shown_as(py, "Hits", &found)
    }
}
