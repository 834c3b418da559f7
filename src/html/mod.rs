//! A report, or the FAQ, as one page: no script, no network, nothing beside the file.
//!
//! The figures are the report's; this room only finds words, plots and a place for them. Every text that comes from a
//! customer is escaped by the template engine.

mod faq;
mod lists;
mod plots;
mod view;
mod words;

pub use faq::faq_page;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};

use crate::error::{Error, ErrorKind, Result};
use crate::policy::Policy;
use crate::report::Report;

/// The report as an HTML page of its own, in UTF-8. Times are shown in the zones of `policy`, the newest of the database
/// that gave the report.
///
/// The page loads nothing: styles and plots are in it, there is no script, and a content security policy forbids the rest.
/// It follows the reader's light or dark preference, fits a phone, and prints without the lists of ids.
///
/// # Errors
/// `Internal` if the template fails, which would be a defect.
pub fn page(report: &Report, policy: &Policy) -> Result<String> {
    let view = view::View::of(report, policy)?;
    let values = context! { page => Value::from(Serde(&view)), style => include_str!("report.css") };
    render("report.html", include_str!("report.html"), values)
}

/// Fills a template in which every value is escaped.
fn render(name: &str, template: &str, values: Value) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map(|syntax| environment.set_syntax(syntax))
        .and_then(|()| environment.add_template(name, template))
        .and_then(|()| environment.get_template(name)?.render(values))
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("the page {name}")).because(cause))
}
