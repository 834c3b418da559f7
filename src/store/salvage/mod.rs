//! Getting out of a damaged file what can still be read, without the engine, which refuses such files or panics.
//!
//! The file is only read. Memory is bounded whatever it holds: values are verified piece by piece and remembered by
//! their place, requests are put together a window of slots at a time, and a value is held in memory only up to
//! [`MOST_VALUE_BYTES`].

mod gather;
mod pages;
pub(crate) mod shape;
mod source;
mod values;

use std::path::Path;

pub(crate) use gather::{Found, Gatherer};
use source::Source;
use values::{Rank, Value, Values};

use super::MAGIC;
use super::bytes::Input;
use super::head::Head;
use super::tables::{META_FORMAT, META_HEAD, Table};
use crate::error::{Error, ErrorKind, Result};

/// The longest value that is read into memory; a call writes less. If there is no memory for it, it counts as lost.
const MOST_VALUE_BYTES: usize = 320 << 20;

/// What can be read of a damaged file.
pub(crate) struct Wreck {
    source: Source,
    values: Values,
    /// The newest head that was found, and how.
    head: Option<(Head, Rank)>,
}

impl Wreck {
    /// Searches the file for values of ours.
    ///
    /// # Errors
    /// `NotFound`; `NotADatabase` if it is no regular file or holds nothing of ours; `NewerFormat` if what it holds is
    /// a newer release's; `Busy` while somebody has it open; `Io`.
    pub(crate) fn search(path: &Path) -> Result<Wreck> {
        let source = Source::open(path)?;
        let values = Values::find(&source);
        let mut wreck = Wreck { source, values, head: None };
        wreck.check_format().map_err(|error| error.context(path.display()))?;
        wreck.head = wreck.find_head();
        Ok(wreck)
    }

    fn check_format(&self) -> Result<()> {
        let newer = |what: String| Err(Error::new(ErrorKind::NewerFormat, what));
        let formats = self.values.at(Table::Meta, META_FORMAT).first().and_then(|value| {
            let payload = self.payload(value)?;
            let mut input = Input::new(&payload);
            (input.array::<8>().ok()? == MAGIC).then(|| input.u32().ok())?
        });
        match formats {
            Some(format) if format > super::FORMAT => {
                newer(format!("the file has format {format}: use a newer slaclock"))
            }
            _ if self.values.newer > 0 => {
                let count = self.values.newer;
                newer(format!(
                    "{count} values have a newer format than this release reads: use a newer slaclock"
                ))
            }
            _ if self.values.len() == 0 => {
                let what = format!("nothing of a slaclock database in {} bytes", self.source.bytes());
                Err(Error::new(ErrorKind::NotADatabase, what))
            }
            _ => Ok(()),
        }
    }

    /// The best head; of several that are equally good, the newest.
    fn find_head(&self) -> Option<(Head, Rank)> {
        let heads = self.values.at(Table::Meta, META_HEAD).iter().filter_map(|value| {
            let head = Head::read(&self.payload(value)?).ok()?;
            Some((head, value.rank))
        });
        heads.max_by_key(|(head, rank)| (*rank, head.epoch, head.seq))
    }

    fn payload(&self, value: &Value) -> Option<Vec<u8>> {
        (value.payload_bytes() <= MOST_VALUE_BYTES).then(|| value.payload(&self.source)).flatten()
    }

    /// The head, if one was found.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref().map(|(head, _)| head)
    }

    /// Whether the head is that of the latest commit, as far as the file can tell.
    pub(crate) fn is_head_sure(&self) -> bool {
        matches!(self.head, Some((_, Rank::Tree)))
    }

    /// Length of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    /// Sectors that the disk refused.
    pub(crate) fn refused(&self) -> u64 {
        self.source.refused()
    }

    /// Pages that are not as they were written: how many, and where the first ones begin.
    pub(crate) fn damaged_pages(&self) -> (u64, &[u64]) {
        (self.values.damaged_pages, &self.values.damaged_at)
    }

    /// Whether the file holds more values than are remembered, so that some were left out.
    pub(crate) fn overflowed(&self) -> bool {
        self.values.overflowed
    }

    /// The payloads of a table by rising key, the best of each key.
    pub(crate) fn payloads(&self, table: Table) -> impl Iterator<Item = (u64, Vec<u8>)> {
        let mut last = None;
        let first_of_key =
            self.values.of(table).iter().filter(move |value| last.replace(value.key) != Some(value.key));
        first_of_key.filter_map(|value| Some((value.key, self.payload(value)?)))
    }
}
