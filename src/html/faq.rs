//! The FAQ as one page.

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::render;
use crate::error::Result;
use crate::model::FaqEntry;

/// The entries as an HTML page of its own under `title`, in UTF-8: the questions, then each with its answer, in the order
/// given. `as_of` is shown as it is, for the date of the page.
///
/// Like the page of a report it loads nothing and has no script; every text is escaped, and line breaks of an answer stay.
///
/// # Errors
/// `Internal` if the template fails, which would be a defect.
pub fn faq_page(entries: &[FaqEntry], title: &str, as_of: Option<&str>) -> Result<String> {
    let count = match entries.len() {
        1 => "1 question".to_owned(),
        count => format!("{count} questions"),
    };
    let entries = Value::from(Serde(entries));
    let values = context! { title, as_of, count, entries, style => include_str!("report.css") };
    render("faq.html", include_str!("faq.html"), values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    #[test]
    fn nothing_that_a_customer_wrote_is_markup() {
        let at = Instant::from_secs(7).unwrap();
        let entry = FaqEntry {
            id: "x".into(),
            question: "</title><script>alert(1)</script>".into(),
            answer: "\"><img src=x onerror=alert(2)>\nnext & 'last'".into(),
            request: None,
            published_at: at,
            published_by: "ann".into(),
            changed_at: at,
            changed_by: "ann".into(),
            withdrawn: false,
            uses: 0,
            last_used_at: None,
        };
        let page = faq_page(&[entry], "<FAQ>", Some("6 March")).unwrap();
        for text in ["<script", "<img", "<FAQ>", "http:", "https:"] {
            assert!(!page.contains(text), "{text}");
        }
        assert_eq!(page.matches("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;").count(), 2, "{page}");
        assert!(
            page.contains("&quot;&gt;&lt;img src=x onerror=alert(2)&gt;\nnext &amp; &#x27;last&#x27;"),
            "{page}"
        );
        assert!(page.contains("<h1>&lt;FAQ&gt;</h1>") && page.contains("1 question · as of 6 March"));
        let none = faq_page(&[], "FAQ", None).unwrap();
        assert!(none.contains("0 questions") && !none.contains("<nav"));
    }
}
