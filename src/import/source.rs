//! Reading a CSV file, plain or gzip, row by row.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, StringRecord};

use super::mapping::{Column, Mapping};
use crate::error::{Error, ErrorKind, Result};

/// Longest row, in bytes of text: a file without line ends, or a decompression bomb, must not fill the memory.
const MAX_ROW_BYTES: u64 = 4 << 20;

/// Most column names that a message lists.
const SHOWN_COLUMNS: usize = 40;

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// One data row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Line on which it begins; the header is line 1.
    pub(super) line: u64,
    fields: StringRecord,
}

impl Row {
    /// The field as written. The column was found in the header, and every row has as many fields.
    pub(super) fn get(&self, column: usize) -> &str {
        self.fields.get(column).unwrap_or("")
    }

    /// Whether both hold the same text, wherever they stand.
    pub(super) fn same_text(&self, other: &Row) -> bool {
        self.fields == other.fields
    }
}

/// What stands next in the file.
pub(super) enum Next {
    Row(Row),
    /// A row that cannot be used, and why.
    Bad {
        line: u64,
        why: String,
    },
    End,
}

/// The rows of a file.
pub(super) struct Rows {
    reader: csv::Reader<Limited>,
    since_row: Arc<AtomicU64>,
    header: StringRecord,
    record: ByteRecord,
    read: Arc<AtomicU64>,
    /// Size of the file in bytes, as stored.
    pub(super) total: Option<u64>,
}

/// Refuses to read on when a row does not end.
struct Limited {
    inner: Box<dyn Read>,
    since_row: Arc<AtomicU64>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let since = self.since_row.fetch_add(count as u64, Ordering::Relaxed);
        if since > MAX_ROW_BYTES {
            return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        }
        Ok(count)
    }
}

struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Rows {
    pub(super) fn open(path: &Path, mapping: &Mapping) -> Result<Rows> {
        let named = |cause: std::io::Error| Error::from(cause).context(path.display());
        let file = File::open(path).map_err(named)?;
        let meta = file.metadata().map_err(named)?;
        if meta.is_dir() {
            let message = format!("{}: is a folder; give a CSV file", path.display());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Rows::new(file, Some(meta.len()), mapping).map_err(|error| error.context(path.display()))
    }

    pub(super) fn new(reader: impl Read + 'static, total: Option<u64>, mapping: &Mapping) -> Result<Rows> {
        let read = Arc::new(AtomicU64::new(0));
        let mut counting =
            BufReader::with_capacity(64 * 1024, Counting { inner: reader, read: read.clone() });
        let mut head = Vec::with_capacity(GZIP.len());
        counting.by_ref().take(GZIP.len() as u64).read_to_end(&mut head)?;
        let zipped = head == GZIP;
        let whole = Cursor::new(head).chain(counting);
        let text: Box<dyn Read> =
            if zipped { Box::new(flate2::read::MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        // Row lengths are checked here, so that one short row is a row's fault and not the file's.
        let since_row = Arc::new(AtomicU64::new(0));
        let limited = Limited { inner: text, since_row: since_row.clone() };
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).delimiter(mapping.delimiter).from_reader(limited);
        let header: StringRecord = match reader.headers() {
            // Spreadsheets begin a file with a byte order mark; it is no part of the first name.
            Ok(header) => header.iter().map(|name| name.strip_prefix('\u{feff}').unwrap_or(name)).collect(),
            Err(cause) => return Err(broken(cause)),
        };
        if header.iter().all(str::is_empty) {
            let message = "the file is empty: a header line with column names is expected";
            return Err(Error::new(ErrorKind::InvalidRow, message));
        }
        Ok(Rows { reader, since_row, header, record: ByteRecord::new(), read, total })
    }

    /// The place of a column that the mapping names.
    pub(super) fn column(&self, column: &Column) -> Result<usize> {
        let mut places = self.header.iter().enumerate().filter(|(_, name)| *name == column.name);
        let (first, second) = (places.next(), places.next());
        let wrong = |message: String| Err(Error::new(ErrorKind::InvalidMapping, message).at(column.place));
        match (first, second) {
            (Some((place, _)), None) => Ok(place),
            (Some(_), Some(_)) => {
                wrong(format!("column `{}`: stands twice in the file's header line", column.name))
            }
            (None, _) => {
                let mut known = self.header.iter().take(SHOWN_COLUMNS).collect::<Vec<_>>().join(", ");
                if self.header.len() > SHOWN_COLUMNS {
                    known += &format!(" and {} more", self.header.len() - SHOWN_COLUMNS);
                }
                wrong(format!("column `{}`: is not in the file, which has: {known}", column.name))
            }
        }
    }

    pub(super) fn optional(&self, column: &Option<Column>) -> Result<Option<usize>> {
        column.as_ref().map(|column| self.column(column)).transpose()
    }

    /// Bytes of the file read so far, as stored.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(super) fn next(&mut self) -> Result<Next> {
        self.since_row.store(0, Ordering::Relaxed);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return Ok(Next::End),
            Ok(true) => {}
            Err(cause) => return Err(broken(cause)),
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        if self.record.len() != self.header.len() {
            let why = format!("has {} fields, the header has {}", self.record.len(), self.header.len());
            return Ok(Next::Bad { line, why });
        }
        match StringRecord::from_byte_record(self.record.clone()) {
            Ok(fields) => Ok(Next::Row(Row { line, fields })),
            Err(_) => Ok(Next::Bad { line, why: "is not UTF-8 text".to_owned() }),
        }
    }
}

/// A file that cannot be read on.
fn broken(cause: csv::Error) -> Error {
    let line = cause.position().map(csv::Position::line);
    match cause.into_kind() {
        csv::ErrorKind::Io(cause) => match cause.kind() {
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                Error::new(ErrorKind::Damaged, format!("the gzip data is damaged: {cause}")).because(cause)
            }
            std::io::ErrorKind::FileTooLarge => {
                let message = format!("a row is longer than {MAX_ROW_BYTES} bytes: is this a CSV file?");
                Error::new(ErrorKind::InvalidRow, message)
            }
            std::io::ErrorKind::UnexpectedEof => {
                Error::new(ErrorKind::Damaged, "the gzip data ends in the middle").because(cause)
            }
            _ => Error::from(cause),
        },
        csv::ErrorKind::Utf8 { .. } => {
            let place = line.map_or(String::new(), |line| format!("line {line}: "));
            Error::new(ErrorKind::InvalidRow, format!("{place}is not UTF-8 text"))
        }
        other => Error::new(ErrorKind::InvalidRow, format!("{other:?}")),
    }
}
