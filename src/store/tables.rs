//! The tables of the file: their names, what they hold, and reading and writing of checked values.
//!
//! Every value is framed: kind, format version and a checksum bound to its key, verified at each read.

use std::cell::OnceCell;
use std::ops::Deref;

use redb::{AccessGuard, ReadOnlyTable, Table as RedbTable, TableDefinition, WriteTransaction};

use super::file::{ReadTxn, errors};
use super::frame;
use crate::error::{Error, ErrorKind, Result};

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// The tables with number keys. The numbers go into the frames and are part of the file format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Table { $($(#[$doc])* $name = $code,)* }

        impl Table {
            pub(crate) const ALL: &'static [Table] = &[$(Table::$name,)*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Table::$name => $text,)* }
            }
        }
    };
}

tables! {
    /// Key 0: format and origin. Key 1: the head.
    Meta = 1, "meta";
    /// Edition → policy as installed.
    Policies = 2, "policies";
    /// Sequence number → what one commit changed, request by request.
    Log = 3, "log";
    /// First slot of a block → requests' text, packed.
    Records = 4, "records";
    /// Block → request rows.
    Requests = 5, "requests";
    /// Block → clock rows.
    Clocks = 6, "clocks";
    /// Block → groups of events, each with a pointer to the request's group before.
    Events = 7, "events";
    /// Run and block → sorted (hash of external id, slot).
    Ids = 8, "ids";
    /// Index and block → sorted (instant, slot).
    Index = 9, "index";
    /// Number of the first → notices, packed.
    Notices = 10, "notices";
    /// Hash of the name → consumer and its cursor.
    Consumers = 11, "consumers";
    /// Number of the entry → what was declared, amended, ended or withdrawn.
    Interruptions = 12, "interruptions";
    /// Sequence number → what one commit moved in the indexes.
    Moves = 13, "moves";
    /// Hash of the customer → its expedites.
    Expedites = 14, "expedites";
    /// Edition and number → what the policy asks of people, and who has done it.
    Reminders = 15, "reminders";
    /// Run and block → sorted (topic, instant, request): by customer, and by FAQ entry.
    Topics = 16, "topics";
    /// Hash of the id → the FAQ entry as it is.
    Faq = 17, "faq";
    /// Number → what was published, amended or withdrawn.
    FaqActs = 18, "faq_acts";
    /// Version, clock and month → the cohort of a promised share.
    Periods = 19, "periods";
}

pub(crate) const META_FORMAT: u64 = 0;
pub(crate) const META_HEAD: u64 = 1;

fn definition(table: Table) -> TableDefinition<'static, u64, &'static [u8]> {
    TableDefinition::new(table.name())
}

fn damaged(table: Table, key: u64, error: Error) -> Error {
    error.context(format_args!("table {}, key {key}", table.name()))
}

/// A verified payload where the engine has it, without a copy. It keeps its page in memory.
pub(crate) struct Value(AccessGuard<'static, &'static [u8]>);

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.value().get(frame::HEADER_BYTES..).unwrap_or_default()
    }
}

/// Reads one committed state of the file. A table is opened when it is first asked for.
pub(crate) struct Reader {
    /// Before the transaction, which ends after them.
    tables: [OnceCell<ReadOnlyTable<u64, &'static [u8]>>; Table::ALL.len()],
    transaction: ReadTxn,
}

impl Reader {
    pub(crate) fn new(transaction: ReadTxn) -> Reader {
        Reader { tables: Default::default(), transaction }
    }

    fn table(&self, table: Table) -> Result<&ReadOnlyTable<u64, &'static [u8]>> {
        let place = &self.tables[table as usize - 1];
        if let Some(opened) = place.get() {
            return Ok(opened);
        }
        let opened = self.transaction.open_table(definition(table)).map_err(errors::from_table)?;
        Ok(place.get_or_init(|| opened))
    }

    /// Hands the verified payload at `key` to `read`; `None` if there is no such key.
    pub(crate) fn with<T>(
        &self,
        table: Table,
        key: u64,
        read: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.table(table)?.get(key).map_err(errors::from_storage)? else { return Ok(None) };
        let payload = frame::open(table as u8, &key.to_be_bytes(), value.value());
        payload.and_then(read).map(Some).map_err(|error| damaged(table, key, error))
    }

    /// As [`with`](Self::with), but a missing key is damage.
    pub(crate) fn must<T>(&self, table: Table, key: u64, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        self.with(table, key, read)?
            .ok_or_else(|| damaged(table, key, Error::new(ErrorKind::Damaged, "the value is missing")))
    }

    /// The verified payload at `key`; a missing key is damage.
    pub(crate) fn value(&self, table: Table, key: u64) -> Result<Value> {
        let missing = || damaged(table, key, Error::new(ErrorKind::Damaged, "the value is missing"));
        let found = self.table(table)?.get(key).map_err(errors::from_storage)?.ok_or_else(missing)?;
        frame::open(table as u8, &key.to_be_bytes(), found.value())
            .map_err(|error| damaged(table, key, error))?;
        Ok(Value(found))
    }

    /// Hands the verified payload at the greatest key ≤ `key` to `read`, with that key.
    pub(crate) fn with_last_until<T>(
        &self,
        table: Table,
        key: u64,
        read: impl FnOnce(u64, &[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut range = self.table(table)?.range(..=key).map_err(errors::from_storage)?;
        let Some(entry) = range.next_back() else { return Ok(None) };
        let (found, value) = entry.map_err(errors::from_storage)?;
        let found = found.value();
        let payload = frame::open(table as u8, &found.to_be_bytes(), value.value());
        payload
            .and_then(|payload| read(found, payload))
            .map(Some)
            .map_err(|error| damaged(table, found, error))
    }

    /// Visits the verified payloads of `keys` in rising order, until `visit` returns false.
    pub(crate) fn visit(
        &self,
        table: Table,
        keys: std::ops::RangeInclusive<u64>,
        mut visit: impl FnMut(u64, &[u8]) -> Result<bool>,
    ) -> Result<()> {
        for entry in self.table(table)?.range(keys).map_err(errors::from_storage)? {
            let (key, value) = entry.map_err(errors::from_storage)?;
            let key = key.value();
            let payload = frame::open(table as u8, &key.to_be_bytes(), value.value());
            let go_on = payload
                .and_then(|payload| visit(key, payload))
                .map_err(|error| damaged(table, key, error))?;
            if !go_on {
                break;
            }
        }
        Ok(())
    }
}

/// Writes into one table.
pub(crate) struct TableWriter<'t> {
    table: Table,
    opened: RedbTable<'t, u64, &'static [u8]>,
    /// The value before, so that the next one needs no memory of its own.
    framed: Vec<u8>,
}

impl TableWriter<'_> {
    /// Writes one framed value.
    pub(crate) fn put(&mut self, key: u64, payload: &[u8]) -> Result<()> {
        frame::seal_into(&mut self.framed, self.table as u8, &key.to_be_bytes(), payload);
        self.opened.insert(key, self.framed.as_slice()).map(drop).map_err(errors::from_storage)
    }
}

/// Writes within one transaction.
pub(crate) struct Writer<'t> {
    transaction: &'t WriteTransaction,
}

impl<'t> Writer<'t> {
    pub(crate) fn new(transaction: &'t WriteTransaction) -> Writer<'t> {
        Writer { transaction }
    }

    fn open(&self, table: Table) -> Result<RedbTable<'t, u64, &'static [u8]>> {
        self.transaction.open_table(definition(table)).map_err(errors::from_table)
    }

    /// Makes every table, so that readers find them.
    pub(crate) fn create_tables(&self) -> Result<()> {
        Table::ALL.iter().try_for_each(|table| self.open(*table).map(drop))
    }

    /// Writes one framed value.
    pub(crate) fn put(&self, table: Table, key: u64, payload: &[u8]) -> Result<()> {
        self.put_all(table, std::iter::once((key, payload)))
    }

    /// Writes framed values.
    pub(crate) fn put_all<P: AsRef<[u8]>>(
        &self,
        table: Table,
        values: impl Iterator<Item = (u64, P)>,
    ) -> Result<()> {
        let mut opened = self.table(table)?;
        for (key, payload) in values {
            opened.put(key, payload.as_ref())?;
        }
        Ok(())
    }

    /// Opens a table to write many values, one after the other.
    pub(crate) fn table(&self, table: Table) -> Result<TableWriter<'t>> {
        Ok(TableWriter { table, opened: self.open(table)?, framed: Vec::new() })
    }

    /// Removes every key in the range.
    pub(crate) fn remove_range(&self, table: Table, keys: std::ops::RangeInclusive<u64>) -> Result<()> {
        let mut opened = self.open(table)?;
        opened.retain_in(keys, |_, _| false).map_err(errors::from_storage)
    }
}
