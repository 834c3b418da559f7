//! The cells of a table as Python objects, and columns as plain data for pickling.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type, TimestampSecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int64Array, LargeStringArray, RecordBatch,
    TimestampSecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use chrono::{Days, NaiveDate};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use slaclock::{Instant, Span};

use crate::time::{Tz, delta, python_date};

/// A column of a table of ours, by what it holds.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    Text(LargeStringArray),
    /// Few different texts: each row has the number of its own.
    Word(Vec<String>, ArrayRef),
    Number(Int64Array),
    /// Seconds, as the column's name says.
    Span(Int64Array),
    Flag(BooleanArray),
    Instant(TimestampSecondArray),
    Date(Date32Array),
}

impl Column {
    pub(crate) fn of(name: &str, array: &ArrayRef) -> PyResult<Column> {
        Ok(match array.data_type() {
            DataType::LargeUtf8 => Column::Text(array.as_string::<i64>().clone()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_dictionary::<Int32Type>();
                let words = dictionary.values().as_string::<i32>();
                Column::Word(
                    words.iter().map(|word| word.unwrap_or_default().to_owned()).collect(),
                    Arc::clone(array),
                )
            }
            DataType::Int64 if name.ends_with("_s") => {
                Column::Span(array.as_primitive::<Int64Type>().clone())
            }
            DataType::Int64 => Column::Number(array.as_primitive::<Int64Type>().clone()),
            DataType::Boolean => Column::Flag(array.as_boolean().clone()),
            DataType::Timestamp(TimeUnit::Second, _) => {
                Column::Instant(array.as_primitive::<TimestampSecondType>().clone())
            }
            DataType::Date32 => Column::Date(array.as_primitive::<Date32Type>().clone()),
            other => return Err(PyValueError::new_err(format!("a table with a column of {other}"))),
        })
    }

    /// The text of a row, where the column has texts.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Column::Text(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Column::Word(words, array) => {
                let keys = array.as_dictionary::<Int32Type>();
                words.get(keys.key(row)?).map(String::as_str)
            }
            _ => None,
        }
    }

    /// The value of a row.
    pub(crate) fn cell<'py>(&self, py: Python<'py>, row: usize, zone: &Tz) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Column::Text(_) | Column::Word(..) => Ok(self.text(row).into_pyobject(py)?),
            Column::Number(numbers) => {
                Ok(numbers.is_valid(row).then(|| numbers.value(row)).into_pyobject(py)?)
            }
            Column::Span(seconds) => {
                let span = seconds.is_valid(row).then(|| Span::from_secs(seconds.value(row)));
                Ok(span.map(|span| delta(py, span)).transpose()?.into_pyobject(py)?)
            }
            Column::Flag(flags) => Ok(flags.is_valid(row).then(|| flags.value(row)).into_pyobject(py)?),
            Column::Instant(seconds) => {
                let at = seconds.is_valid(row).then(|| Instant::from_secs(seconds.value(row)).ok()).flatten();
                Ok(zone.optional(py, at)?.into_pyobject(py)?)
            }
            Column::Date(days) => {
                let date = days.is_valid(row).then(|| date_of(days.value(row))).flatten();
                Ok(date.map(|date| python_date(py, date)).transpose()?.into_pyobject(py)?)
            }
        }
    }
}

/// Days since 1970-01-01.
fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_days(Days::new(u64::try_from(days).ok()?))
}

/// A column as a word for its type and a list of plain values.
pub(crate) fn packed<'py>(py: Python<'py>, column: &Column) -> PyResult<(&'static str, Bound<'py, PyList>)> {
    Ok(match column {
        Column::Text(texts) => ("text", PyList::new(py, texts.iter())?),
        Column::Word(_, array) => ("word", PyList::new(py, (0..array.len()).map(|row| column.text(row)))?),
        Column::Number(numbers) | Column::Span(numbers) => ("number", PyList::new(py, numbers.iter())?),
        Column::Flag(flags) => ("flag", PyList::new(py, flags.iter())?),
        Column::Instant(seconds) => ("instant", PyList::new(py, seconds.iter())?),
        Column::Date(days) => ("date", PyList::new(py, days.iter())?),
    })
}

/// Name, whether values may be missing, and the column as [`packed`] gives it.
pub(crate) type PackedColumn<'py> = (String, bool, (String, Bound<'py, PyAny>));

/// The table of columns that were packed.
pub(crate) fn unpacked(columns: Vec<PackedColumn<'_>>) -> PyResult<RecordBatch> {
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (name, nullable, (word, values)) in columns {
        let array: ArrayRef = match word.as_str() {
            "text" => Arc::new(LargeStringArray::from(values.extract::<Vec<Option<String>>>()?)),
            "word" => {
                let mut words = StringDictionaryBuilder::<Int32Type>::new();
                values
                    .extract::<Vec<Option<String>>>()?
                    .iter()
                    .for_each(|word| words.append_option(word.as_deref()));
                Arc::new(words.finish())
            }
            "number" => Arc::new(Int64Array::from(values.extract::<Vec<Option<i64>>>()?)),
            "flag" => Arc::new(BooleanArray::from(values.extract::<Vec<Option<bool>>>()?)),
            "instant" => Arc::new(
                TimestampSecondArray::from(values.extract::<Vec<Option<i64>>>()?).with_timezone("UTC"),
            ),
            "date" => Arc::new(Date32Array::from(values.extract::<Vec<Option<i32>>>()?)),
            _ => return Err(PyValueError::new_err(format!("a pickled table: a column of `{word}`"))),
        };
        fields.push(Field::new(name, array.data_type().clone(), nullable));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|error| PyValueError::new_err(format!("a pickled table: {error}")))
}
