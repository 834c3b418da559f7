//! From text to policy: reading, checking, compiling, and running the worked examples.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::sync::Arc;

use super::care::Care;
use super::clocks::{Builder, interruptions};
use super::doc::PolicyDoc;
use super::read::Read;
use super::text::{self, Fault, Format, decode};
use super::words::shown;
use super::{Body, Clock, Policy, calendars, example};
use crate::calendar::Calendar;
use crate::error::{Error, ErrorKind, Result};
use crate::zone::TzData;

/// Most calendars of a policy.
const MAX_CALENDARS: usize = 64;

impl Policy {
    /// Reads and checks the policy file at `path`: JSON if it ends in `.json`, else TOML. Holiday files are found
    /// beside it. Uses the bundled time zone data.
    ///
    /// # Errors
    /// `NotFound` or `Io` if a file cannot be read; `InvalidPolicy`, `InvalidCalendar` or `UnknownZone` with line and
    /// column if the policy is wrong or contradicts one of its own examples.
    pub fn load(path: impl AsRef<Path>) -> Result<Policy> {
        Policy::load_with(path, &TzData::bundled())
    }

    /// As [`Policy::load`], with other time zone data.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_with(path: impl AsRef<Path>, zones: &TzData) -> Result<Policy> {
        let path = path.as_ref();
        let named = |error: Error| error.context(path.display());
        let text = decode(read_file(path)?, ErrorKind::InvalidPolicy).map_err(named)?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let folder = path.parent().unwrap_or(Path::new(""));
        let beside = |name: &str| beside(folder, name);
        let format = if is_json { Format::Json } else { Format::Toml };
        read(&text, format, &beside, zones, Examples::Run).map_err(named)
    }

    /// Reads and checks a policy in TOML, with the bundled time zone data.
    ///
    /// ```
    /// let policy = slaclock::policy::Policy::from_toml(r#"
    ///     [policy]
    ///     name = "care"
    ///     version = 1
    ///
    ///     [calendar.office]
    ///     zone = "Europe/Moscow"
    ///     hours = { mon-fri = "09:00-18:00" }
    ///
    ///     [[clock]]
    ///     name = "resolution"
    ///     start = "received"
    ///     stop = "resolved"
    ///     target = { working = "8h" }
    /// "#)?;
    /// assert_eq!(policy.clock("resolution")?.rules.len(), 1);
    /// # Ok::<(), slaclock::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidPolicy`, `InvalidCalendar` or `UnknownZone`, with line and column.
    pub fn from_toml(text: &str) -> Result<Policy> {
        read(text, Format::Toml, &no_files, &TzData::bundled(), Examples::Run)
    }

    /// Reads and checks a policy in JSON, with the bundled time zone data.
    ///
    /// # Errors
    /// `InvalidPolicy`, `InvalidCalendar` or `UnknownZone`, with line and column.
    pub fn from_json(text: &str) -> Result<Policy> {
        read(text, Format::Json, &no_files, &TzData::bundled(), Examples::Run)
    }

    /// Reads and checks a policy in TOML, or in JSON if the text begins with a brace. Reads back what
    /// [`Policy::source`] gave.
    ///
    /// # Errors
    /// `InvalidPolicy`, `InvalidCalendar` or `UnknownZone`, with line and column.
    pub fn from_text(text: &str, zones: &TzData) -> Result<Policy> {
        read(text, Format::of(text), &no_files, zones, Examples::Run)
    }

    /// As [`Policy::from_text`], for a text whose worked examples were found true with the same zones' data before, when
    /// it was installed: they are not run again. All else is checked.
    ///
    /// # Errors
    /// As [`Policy::from_text`].
    pub(crate) fn from_proved_text(text: &str, zones: &TzData) -> Result<Policy> {
        read(text, Format::of(text), &no_files, zones, Examples::Proved)
    }
}

/// What becomes of the worked examples.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Examples {
    Run,
    /// They held before.
    Proved,
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let named = |error: std::io::Error| Error::from(error).context(path.display());
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to see that a file is too large, whatever it is.
    let limit = text::MAX_BYTES as u64 + 1;
    // Asked first: opening a pipe would wait for whoever writes into it.
    if !std::fs::metadata(path).map_err(named)?.is_file() {
        return Err(Error::new(
            ErrorKind::Io,
            format!("{}: is no regular file, and must be one", path.display()),
        ));
    }
    std::fs::File::open(path).map_err(named)?.take(limit).read_to_end(&mut bytes).map_err(named)?;
    Ok(bytes)
}

/// The text of a holiday file beside the policy.
fn beside(folder: &Path, name: &str) -> Result<String> {
    if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
        let message = format!("holiday file `{}`: must lie beside the policy or below it", shown(name));
        return Err(Error::new(ErrorKind::InvalidPolicy, message));
    }
    let path = folder.join(name);
    // Whoever writes policies may be able to make links, too; what those lead to is not for them to read.
    let real = |path: &Path| std::fs::canonicalize(path);
    let own = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if let (Ok(own), Ok(real)) = (real(own), real(&path))
        && !real.starts_with(&own)
    {
        let message = format!("holiday file `{}`: leads out of the folder of the policy", shown(name));
        return Err(Error::new(ErrorKind::InvalidPolicy, message));
    }
    let bytes = read_file(&path).map_err(|error| error.context("holiday file"))?;
    decode(bytes, ErrorKind::InvalidCalendar).map_err(|error| error.context(format!("holiday file `{name}`")))
}

fn no_files(name: &str) -> Result<String> {
    let message = format!(
        "holiday file `{}`: a policy that is read from text has no folder; load it from its file, or add \
         the file's \
         text as [[attached]]",
        shown(name)
    );
    Err(Error::new(ErrorKind::InvalidPolicy, message))
}

fn read(
    text: &str,
    format: Format,
    files: calendars::Files<'_>,
    zones: &TzData,
    examples: Examples,
) -> Result<Policy> {
    let node = text::parse(text, format, ErrorKind::InvalidPolicy)?;
    let doc = PolicyDoc::read(&node).map_err(|fault| fault.into_error(ErrorKind::InvalidPolicy, text))?;
    let attached: HashMap<&str, &str> =
        doc.attached.iter().flatten().map(|file| (file.name.0.as_str(), file.text.as_str())).collect();
    let added = std::cell::RefCell::new(Vec::new());
    let gather = |name: &str| -> Result<String> {
        if let Some(text) = attached.get(name) {
            return Ok((*text).to_owned());
        }
        let text = files(name)?;
        added.borrow_mut().push((name.to_owned(), text.clone()));
        Ok(text)
    };
    let built = build(text, &doc, &gather, zones, examples);
    let (calendars, clocks, care) =
        built.map_err(|fault| fault.into_error(ErrorKind::InvalidPolicy, text))?;
    let source = with_attached(text, format, &added.into_inner())?;
    let header = &doc.policy;
    Ok(Policy(Arc::new(Body {
        name: header.name.value.0.clone(),
        version: header.version.value.0,
        statement: header
            .statement
            .as_ref()
            .map_or(String::new(), |statement| statement.value.trim().to_owned()),
        review_at: header.review_at.as_ref().map(|date| date.value.0),
        interruptions: interruptions(&doc),
        care,
        calendars,
        clocks,
        source,
        doc,
    })))
}

/// What a document compiles to.
type Built = (Vec<Arc<Calendar>>, Vec<Clock>, Care);

fn build(
    text: &str,
    doc: &PolicyDoc,
    files: calendars::Files<'_>,
    zones: &TzData,
    examples: Examples,
) -> Result<Built, Fault> {
    if doc.calendar.0.is_empty() {
        return Err(Fault::new(
            0,
            "the policy has no calendar; give at least one [calendar.NAME] with zone and hours",
        ));
    }
    if let Some((name, _)) = doc.calendar.0.get(MAX_CALENDARS) {
        let count = doc.calendar.0.len();
        return Err(Fault::new(
            name.at,
            format!("the policy has {count} calendars: at most {MAX_CALENDARS} are allowed"),
        ));
    }
    let calendars = calendars::compile(doc, files, zones)?;
    let clocks = Builder { text, doc, calendars: &calendars }.clocks()?;
    if examples == Examples::Run {
        example::run(text, doc, &calendars, &clocks)?;
    }
    let care = Care::of(doc, &calendars)?;
    Ok((calendars, clocks, care))
}

/// The text with the files it names at its end, so that it can be read without them.
fn with_attached(text: &str, format: Format, files: &[(String, String)]) -> Result<String> {
    let mut whole = text.to_owned();
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match (format, text.rfind('}')) {
        _ if files.is_empty() => {}
        (Format::Json, Some(end)) => {
            let tables = files
                .iter()
                .map(|(name, text)| format!("{{\"name\":{},\"text\":{}}}", quoted(name), quoted(text)));
            let tables: Vec<String> = tables.collect();
            whole.truncate(end);
            whole.push_str(&format!(",\n\"attached\": [{}]}}\n", tables.join(",")));
        }
        _ => {
            for (name, text) in files {
                let (name, text) = (toml::Value::from(name.as_str()), toml::Value::from(text.as_str()));
                whole.push_str(&format!("\n[[attached]]\nname = {name}\ntext = {text}\n"));
            }
        }
    }
    if whole.len() > text::MAX_BYTES {
        let message = format!(
            "the policy and its holiday files have {} bytes together: at most {} are allowed",
            whole.len(),
            text::MAX_BYTES
        );
        return Err(Error::new(ErrorKind::InvalidPolicy, message));
    }
    Ok(whole)
}
