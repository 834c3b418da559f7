//! One column of a table, read as texts or instants, whatever producers send.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::error::{Error, ErrorKind, Result};

/// The texts of a column; missing where the column has nulls.
///
/// Takes text (plain, large and view), whole numbers and booleans, and dictionaries of them.
///
/// # Errors
/// `InvalidArgument` for a column of another type.
pub(super) fn texts(name: &str, column: &dyn Array) -> Result<Vec<Option<String>>> {
    macro_rules! shown {
        ($array:expr) => {
            $array.iter().map(|value| value.map(|value| value.to_string())).collect()
        };
    }
    Ok(match column.data_type() {
        DataType::Utf8 => shown!(column.as_string::<i32>()),
        DataType::LargeUtf8 => shown!(column.as_string::<i64>()),
        DataType::Utf8View => shown!(column.as_string_view()),
        DataType::Boolean => shown!(column.as_boolean()),
        DataType::Int8 => shown!(column.as_primitive::<Int8Type>()),
        DataType::Int16 => shown!(column.as_primitive::<Int16Type>()),
        DataType::Int32 => shown!(column.as_primitive::<Int32Type>()),
        DataType::Int64 => shown!(column.as_primitive::<Int64Type>()),
        DataType::UInt8 => shown!(column.as_primitive::<UInt8Type>()),
        DataType::UInt16 => shown!(column.as_primitive::<UInt16Type>()),
        DataType::UInt32 => shown!(column.as_primitive::<UInt32Type>()),
        DataType::UInt64 => shown!(column.as_primitive::<UInt64Type>()),
        DataType::Null => vec![None; column.len()],
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => looked_up::<Int8Type>(name, column)?,
            DataType::Int16 => looked_up::<Int16Type>(name, column)?,
            DataType::Int32 => looked_up::<Int32Type>(name, column)?,
            DataType::Int64 => looked_up::<Int64Type>(name, column)?,
            DataType::UInt8 => looked_up::<UInt8Type>(name, column)?,
            DataType::UInt16 => looked_up::<UInt16Type>(name, column)?,
            DataType::UInt32 => looked_up::<UInt32Type>(name, column)?,
            _ => looked_up::<UInt64Type>(name, column)?,
        },
        other => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("column `{name}` of type {other}: must be text, whole numbers or booleans"),
            ));
        }
    })
}

fn looked_up<K: ArrowDictionaryKeyType>(name: &str, column: &dyn Array) -> Result<Vec<Option<String>>> {
    let dictionary = column.as_dictionary::<K>();
    let words = texts(name, dictionary.values())?;
    let text = |key: Option<usize>| words.get(key?).cloned().flatten();
    Ok(dictionary.keys_iter().map(text).collect())
}

/// The column of this name, if the table has one.
///
/// # Errors
/// `InvalidArgument` if it has several.
pub(super) fn find<'t>(table: &'t arrow_array::RecordBatch, name: &str) -> Result<Option<&'t ArrayRef>> {
    let schema = table.schema_ref();
    let mut places = schema.fields().iter().enumerate().filter(|(_, field)| field.name() == name);
    let first = places.next();
    if places.next().is_some() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("column `{name}`: the table has it twice"),
        ));
    }
    Ok(first.map(|(place, _)| table.column(place)))
}
