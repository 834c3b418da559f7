//! Answers as record batches.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray, TimestampSecondArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, Field, Schema};
use chrono::NaiveDate;

use super::lent::Lender;
use crate::attainment::{PeriodRange, Tally};
use crate::clock::{Stage, ThresholdKind};
use crate::db::spare::Spare;
use crate::db::{Db, Group, Notice, Query, Row, ScanTable, Waiting};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Instant;

/// Every running clock that a query asks for, from one snapshot, earliest due first.
///
/// Columns: `request` (text), `clock` and `stage` (dictionaries of text), `cycle` (int64), `due_at`, `limit_at` and
/// `started_at` (timestamps in seconds, UTC; `limit_at` is null without a backstop).
///
/// # Errors
/// The errors of the file.
pub fn scan(db: &Db, query: &Query) -> Result<RecordBatch> {
    of_table(db.scan_table(query)?, &db.spare)
}

/// Rows of scans, in the order given. Columns are those of [`scan`].
///
/// # Errors
/// None that a caller could cause.
pub fn rows(rows: &[Row]) -> Result<RecordBatch> {
    of_table(ScanTable::of(rows), &Arc::default())
}

/// The columns of a table, without a copy; their memory goes back to `spare` when nobody uses them any more.
fn of_table(table: ScanTable, spare: &Arc<Spare>) -> Result<RecordBatch> {
    let lender = Lender::new(spare);
    let offsets = OffsetBuffer::new(lender.values(table.id_ends));
    let requests = LargeStringArray::try_new(offsets, lender.buffer(table.ids.into_bytes()), None);
    let clocks = DictionaryArray::<Int32Type>::try_new(
        Int32Array::new(lender.values(table.clock), None),
        Arc::new(StringArray::from(table.clock_names)),
    );
    // A stage's number is its place among all.
    let mut stages = spare.column(table.stage.len());
    stages.extend(table.stage.iter().map(|stage| *stage as i32));
    let stages = DictionaryArray::<Int32Type>::try_new(
        Int32Array::new(lender.values(stages), None),
        Arc::new(StringArray::from_iter_values(Stage::ALL.map(Stage::word))),
    );
    let limits = table.limit_at;
    let has_limit = BooleanBuffer::collect_bool(limits.len(), |row| limits[row] != ScanTable::NO_LIMIT);
    let limits = TimestampSecondArray::try_new(lender.values(limits), Some(NullBuffer::new(has_limit)));
    let instants = |column| TimestampSecondArray::new(lender.values(column), None).with_timezone(UTC);
    batch(vec![
        column("request", requests.map_err(refused)?),
        column("clock", clocks.map_err(refused)?),
        column("cycle", Int64Array::new(lender.values(table.cycle), None)),
        column("stage", stages.map_err(refused)?),
        column("due_at", instants(table.due_at)),
        optional("limit_at", limits.map_err(refused)?.with_timezone(UTC)),
        column("started_at", instants(table.started_at)),
    ])
}

/// Notices, in the order given.
///
/// Columns: `number` (int64), `request` (text), `clock` (dictionary), `cycle` (int64), `threshold` (dictionary:
/// `warning`, `late`, `breached`, `waived`, and for reminders about no request `review`, `reading`; about a period `budget_exhausted`, `period_breached`), `percent` (int64, of warnings only), `at` (timestamp in seconds, UTC),
/// `by_change` and `retracted` (booleans), `period` (text, of notices about one, such as `2026-03`).
///
/// # Errors
/// None that a caller could cause.
pub fn notices(notices: &[Notice]) -> Result<RecordBatch> {
    let (mut clocks, mut thresholds) = (Words::new(), Words::new());
    for notice in notices {
        clocks.append_value(&notice.clock);
        thresholds.append_value(match notice.threshold {
            ThresholdKind::Warning(_) => "warning",
            ThresholdKind::Late => "late",
            ThresholdKind::Breached => "breached",
            ThresholdKind::Waived => "waived",
            ThresholdKind::Review => "review",
            ThresholdKind::Reading => "reading",
            ThresholdKind::BudgetExhausted => "budget_exhausted",
            ThresholdKind::PeriodBreached => "period_breached",
        });
    }
    let percent = notices.iter().map(|notice| match notice.threshold {
        ThresholdKind::Warning(percent) => Some(i64::from(percent)),
        _ => None,
    });
    let periods = notices.iter().map(|notice| notice.period.map(PeriodRange::code));
    batch(vec![
        column("number", int64(notices.iter().map(|notice| notice.number))),
        column("request", LargeStringArray::from_iter_values(notices.iter().map(|notice| &notice.request))),
        column("clock", clocks.finish()),
        column("cycle", int64(notices.iter().map(|notice| u64::from(notice.cycle)))),
        column("threshold", thresholds.finish()),
        optional("percent", Int64Array::from_iter(percent)),
        column("at", seconds(notices.iter().map(|notice| notice.at))),
        column("by_change", booleans(notices.iter().map(|notice| notice.by_change))),
        column("retracted", booleans(notices.iter().map(|notice| notice.retracted))),
        optional("period", LargeStringArray::from_iter(periods)),
    ])
}

/// Attainment, one row a group, in the order given.
///
/// Columns: one of text for each fact counted apart by; `period_first` and `period_last` (dates), `clock`
/// (dictionary); the counts `met`, `missed`, `undecided`, `not_started`, `no_deadline`, `cancelled`, `waived`,
/// `missed_within_limit`, `missed_limit_open`, `missed_breached`, `cycles_met`, `cycles_missed` (int64); `share_bp`
/// and `goal_bp` (hundredths of a percent), `allowed_misses`, `budget_left` (int64, null where there is none) and
/// `verdict` (text: `kept`, `open`, `broken`).
///
/// # Errors
/// None that a caller could cause.
pub fn groups(groups: &[Group]) -> Result<RecordBatch> {
    let names = groups.first().map_or(&[][..], |group| &group.by);
    let facts = names.iter().enumerate().map(|(at, (name, _))| {
        let values = groups.iter().map(|group| group.by.get(at).and_then(|(_, value)| value.as_deref()));
        optional(name, LargeStringArray::from_iter(values))
    });
    let mut columns: Vec<Column> = facts.collect();
    let mut clocks = Words::new();
    groups.iter().for_each(|group| clocks.append_value(&group.attainment.clock));
    let each = || groups.iter().map(|group| &group.attainment);
    columns.push(column("period_first", dates(each().map(|attainment| attainment.period.first()))));
    columns.push(column("period_last", dates(each().map(|attainment| attainment.period.last()))));
    columns.push(column("clock", clocks.finish()));
    let counts: [(&str, Count); 12] = [
        ("met", |tally| tally.met),
        ("missed", |tally| tally.missed),
        ("undecided", |tally| tally.undecided),
        ("not_started", |tally| tally.not_started),
        ("no_deadline", |tally| tally.no_deadline),
        ("cancelled", |tally| tally.cancelled),
        ("waived", |tally| tally.waived),
        ("missed_within_limit", |tally| tally.missed_within_limit),
        ("missed_limit_open", |tally| tally.missed_limit_open),
        ("missed_breached", |tally| tally.missed_breached),
        ("cycles_met", |tally| tally.cycles_met),
        ("cycles_missed", |tally| tally.cycles_missed),
    ];
    for (name, count) in counts {
        columns.push(column(name, int64(each().map(|attainment| count(&attainment.tally)))));
    }
    let share = each().map(|attainment| attainment.tally.share_bp().map(i64::from));
    columns.push(optional("share_bp", Int64Array::from_iter(share)));
    let goal = each().map(|attainment| attainment.goal.as_ref().map(|goal| i64::from(goal.share_bp)));
    columns.push(optional("goal_bp", Int64Array::from_iter(goal)));
    let allowed = each().map(|attainment| {
        let allowed = attainment.tally.allowed_misses(attainment.goal.as_ref()?);
        Some(i64::try_from(allowed).unwrap_or(i64::MAX))
    });
    columns.push(optional("allowed_misses", Int64Array::from_iter(allowed)));
    let left = each().map(|attainment| Some(attainment.tally.budget_left(attainment.goal.as_ref()?)));
    columns.push(optional("budget_left", Int64Array::from_iter(left)));
    let verdict = each().map(|attainment| attainment.verdict().map(|verdict| verdict.to_string()));
    columns.push(optional("verdict", LargeStringArray::from_iter(verdict)));
    batch(columns)
}

/// Time on hold by reason, in the order given.
///
/// Columns: `reason` (text), `requests` and `holds` (int64), `elapsed_s`, `working_s` and `median_s` (int64, seconds).
///
/// # Errors
/// None that a caller could cause.
pub fn waiting(waiting: &[Waiting]) -> Result<RecordBatch> {
    let spans = |of: fn(&Waiting) -> i64| Int64Array::from_iter_values(waiting.iter().map(of));
    batch(vec![
        column("reason", LargeStringArray::from_iter_values(waiting.iter().map(|line| &line.reason))),
        column("requests", int64(waiting.iter().map(|line| line.requests))),
        column("holds", int64(waiting.iter().map(|line| line.holds))),
        column("elapsed_s", spans(|line| line.elapsed.as_secs())),
        column("working_s", spans(|line| line.working.as_secs())),
        column("median_s", spans(|line| line.median.as_secs())),
    ])
}

/// A stream of one batch, as the Arrow C stream interface wants it.
pub fn reader(batch: RecordBatch) -> Box<dyn RecordBatchReader + Send> {
    let schema = batch.schema();
    Box::new(RecordBatchIterator::new([Ok::<_, ArrowError>(batch)], schema))
}

const UTC: &str = "UTC";

fn refused(cause: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, format!("a column that does not fit: {cause}"))
}

type Words = StringDictionaryBuilder<Int32Type>;
type Column = (Field, ArrayRef);
type Count = fn(&Tally) -> u64;

fn column(name: &str, array: impl arrow_array::Array + 'static) -> Column {
    (Field::new(name, array.data_type().clone(), false), Arc::new(array))
}

fn optional(name: &str, array: impl arrow_array::Array + 'static) -> Column {
    (Field::new(name, array.data_type().clone(), true), Arc::new(array))
}

fn batch(columns: Vec<Column>) -> Result<RecordBatch> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("columns that do not fit: {cause}")))
}

fn int64(values: impl Iterator<Item = u64>) -> Int64Array {
    Int64Array::from_iter_values(values.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
}

fn booleans(values: impl Iterator<Item = bool>) -> BooleanArray {
    values.map(Some).collect()
}

fn seconds(values: impl Iterator<Item = Instant>) -> TimestampSecondArray {
    TimestampSecondArray::from_iter_values(values.map(Instant::as_secs)).with_timezone(UTC)
}

fn dates(values: impl Iterator<Item = NaiveDate>) -> Date32Array {
    Date32Array::from_iter_values(values.map(|date| date.to_epoch_days()))
}
