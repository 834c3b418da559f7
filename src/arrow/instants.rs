//! A column of instants, read as seconds and given back in its own type.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt32Type,
};
use arrow_array::{
    Array, ArrayRef, Int64Array, PrimitiveArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use chrono::DateTime;

use crate::error::{Error, ErrorKind, Result};
use crate::target::NO_DEADLINE;
use crate::zone::{Edge, Zone};

/// A column of instants in seconds since 1970, that remembers how it came.
///
/// Whole numbers are seconds. Timestamps may have any unit; a fraction of a second is floored. A timestamp with a zone
/// is an instant whatever the zone. One without a zone says nothing until the caller says which zone it is in: then it
/// is read as civil time, in a gap as the instant of the change, in a fold as the first occurrence. Dates are no
/// instants and are refused.
///
/// Nulls are read as [`NO_DEADLINE`], which every batch calculation answers with [`NO_DEADLINE`], and given back as
/// nulls. A column of whole seconds without nulls is not copied.
#[derive(Clone, Debug)]
pub struct Instants {
    seconds: ScalarBuffer<i64>,
    like: Like,
}

/// The type to give back.
#[derive(Clone, Debug)]
enum Like {
    Seconds,
    Timestamps(TimeUnit, Arc<str>),
}

impl Instants {
    /// Reads a column. `zone` is for timestamps that have none of their own.
    ///
    /// # Errors
    /// `InvalidArgument` for a column of another type, or timestamps without a zone when none is given.
    pub fn read(column: &dyn Array, zone: Option<&Zone>) -> Result<Instants> {
        match column.data_type() {
            DataType::Int64 => {
                let column = column.as_primitive::<Int64Type>();
                Ok(Instants { seconds: marked(column.values(), column.nulls()), like: Like::Seconds })
            }
            DataType::Int32 => Ok(widened(column.as_primitive::<Int32Type>())),
            DataType::UInt32 => Ok(widened(column.as_primitive::<UInt32Type>())),
            DataType::Timestamp(unit, own) => timestamps(column, *unit, own.as_deref(), zone),
            DataType::Null => {
                let seconds = vec![NO_DEADLINE; column.len()].into();
                Ok(Instants { seconds, like: Like::Timestamps(TimeUnit::Second, Arc::from("UTC")) })
            }
            DataType::Date32 | DataType::Date64 => Err(Error::new(
                ErrorKind::InvalidArgument,
                "column of dates: must be instants; a date has no time of day",
            )),
            other => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("column of type {other}: must be timestamps, or whole seconds since 1970"),
            )),
        }
    }

    /// The instants in seconds since 1970-01-01T00:00:00Z, in order; [`NO_DEADLINE`] for nulls.
    pub fn seconds(&self) -> &[i64] {
        &self.seconds
    }

    /// Other instants in the type of this column; [`NO_DEADLINE`] becomes null.
    ///
    /// Whole numbers give 64-bit seconds. Timestamps give their unit and zone, civil ones the zone they were read in.
    ///
    /// # Errors
    /// None that a caller could cause: instants below 2100 fit every unit.
    pub fn alike(&self, seconds: Vec<i64>) -> Result<ArrayRef> {
        let nulls = seconds
            .contains(&NO_DEADLINE)
            .then(|| NullBuffer::from_iter(seconds.iter().map(|second| *second != NO_DEADLINE)));
        let Like::Timestamps(unit, zone) = &self.like else {
            return Ok(Arc::new(Int64Array::new(seconds.into(), nulls)));
        };
        let zone = zone.clone();
        let scaled = scaled(seconds, per_second(*unit)).into();
        Ok(match unit {
            TimeUnit::Second => Arc::new(TimestampSecondArray::new(scaled, nulls).with_timezone(zone)),
            TimeUnit::Millisecond => {
                Arc::new(TimestampMillisecondArray::new(scaled, nulls).with_timezone(zone))
            }
            TimeUnit::Microsecond => {
                Arc::new(TimestampMicrosecondArray::new(scaled, nulls).with_timezone(zone))
            }
            TimeUnit::Nanosecond => {
                Arc::new(TimestampNanosecondArray::new(scaled, nulls).with_timezone(zone))
            }
        })
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn scaled(mut seconds: Vec<i64>, factor: i64) -> Vec<i64> {
    if factor > 1 {
        // Seconds below 2100 fit every unit; what stands for null may wrap, and is masked.
        seconds.iter_mut().for_each(|second| *second = second.wrapping_mul(factor));
    }
    seconds
}

/// The values, with what stands for null in the place of nulls. Shares the buffer where there are none.
fn marked(values: &ScalarBuffer<i64>, nulls: Option<&NullBuffer>) -> ScalarBuffer<i64> {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => values.clone(),
        Some(nulls) => {
            let pairs = values.iter().zip(nulls.iter());
            pairs.map(|(value, is_there)| if is_there { *value } else { NO_DEADLINE }).collect()
        }
    }
}

fn widened<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>) -> Instants
where
    T::Native: Into<i64>,
{
    let seconds = column.iter().map(|value| value.map_or(NO_DEADLINE, Into::into)).collect();
    Instants { seconds, like: Like::Seconds }
}

fn timestamps(
    column: &dyn Array,
    unit: TimeUnit,
    own: Option<&str>,
    zone: Option<&Zone>,
) -> Result<Instants> {
    let (values, nulls) = match unit {
        TimeUnit::Second => parts(column.as_primitive::<TimestampSecondType>()),
        TimeUnit::Millisecond => parts(column.as_primitive::<TimestampMillisecondType>()),
        TimeUnit::Microsecond => parts(column.as_primitive::<TimestampMicrosecondType>()),
        TimeUnit::Nanosecond => parts(column.as_primitive::<TimestampNanosecondType>()),
    };
    let factor = per_second(unit);
    let mut seconds = marked(values, nulls);
    if factor > 1 {
        let floored =
            |value: &i64| if *value == NO_DEADLINE { NO_DEADLINE } else { value.div_euclid(factor) };
        seconds = seconds.iter().map(floored).collect();
    }
    let name = match (own, zone) {
        (Some(own), _) => own,
        (None, Some(zone)) => {
            seconds = seconds.iter().map(|civil| from_civil(*civil, zone)).collect();
            zone.name()
        }
        (None, None) => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "column of timestamps without a time zone: give the zone they are in, or convert them to UTC",
            ));
        }
    };
    Ok(Instants { seconds, like: Like::Timestamps(unit, Arc::from(name)) })
}

fn parts<T: ArrowPrimitiveType<Native = i64>>(
    column: &PrimitiveArray<T>,
) -> (&ScalarBuffer<i64>, Option<&NullBuffer>) {
    (column.values(), column.nulls())
}

/// A civil time, written as if it were UTC, as an instant; as it is where the calendar has no such date.
fn from_civil(civil: i64, zone: &Zone) -> i64 {
    match DateTime::from_timestamp(civil, 0) {
        Some(at) if civil != NO_DEADLINE => zone.from_local(at.naive_utc(), Edge::Open),
        _ => civil,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::TzData;

    fn read(column: &dyn Array) -> Instants {
        Instants::read(column, None).unwrap()
    }

    #[test]
    fn seconds_without_nulls_are_not_copied() {
        let column = Int64Array::from(vec![1, 2, 3]);
        assert_eq!(read(&column).seconds().as_ptr(), column.values().as_ptr());
        let part = column.slice(1, 2);
        assert_eq!(read(&part).seconds(), [2, 3]);
    }

    #[test]
    fn every_unit_is_floored_and_given_back() {
        let zone = "Europe/Moscow";
        let milli = TimestampMillisecondArray::from(vec![Some(1_999), None, Some(-1)]).with_timezone(zone);
        let micro =
            TimestampMicrosecondArray::from(vec![Some(1_999_999), None, Some(-1)]).with_timezone(zone);
        let nano =
            TimestampNanosecondArray::from(vec![Some(1_999_999_999), None, Some(-1)]).with_timezone(zone);
        for column in [&milli as &dyn Array, &micro, &nano] {
            let instants = read(column);
            assert_eq!(instants.seconds(), [1, NO_DEADLINE, -1]);
            let back = instants.alike(vec![4_102_444_799, NO_DEADLINE, 7]).unwrap();
            assert_eq!(back.data_type(), column.data_type());
            assert_eq!(read(&back).seconds(), [4_102_444_799, NO_DEADLINE, 7]);
            assert!(back.is_null(1));
        }
    }

    #[test]
    fn nulls_of_a_slice_stay_in_place() {
        let column = Int64Array::from(vec![Some(1), None, Some(3), None]).slice(1, 3);
        assert_eq!(read(&column).seconds(), [NO_DEADLINE, 3, NO_DEADLINE]);
    }

    #[test]
    fn civil_times_need_a_zone() {
        let zone = TzData::bundled().zone("America/New_York").unwrap();
        // 02:30 on 2026-03-08 does not exist; 01:30 on 2026-11-01 comes twice.
        let column = TimestampSecondArray::from(vec![1_772_937_000, 1_793_496_600]);
        let error = Instants::read(&column, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let instants = Instants::read(&column, Some(&zone)).unwrap();
        assert_eq!(instants.seconds(), [1_772_953_200, 1_793_511_000]);
        let back = instants.alike(vec![0, 0]).unwrap();
        assert_eq!(back.data_type(), &DataType::Timestamp(TimeUnit::Second, Some("America/New_York".into())));
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let dates = arrow_array::Date32Array::from(vec![1]);
        let floats = arrow_array::Float64Array::from(vec![1.5]);
        for (column, said) in [(&dates as &dyn Array, "dates"), (&floats, "Float64")] {
            let error = Instants::read(column, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(said), "{error}");
        }
    }
}
