//! The Arrow PyCapsule interface: the one way in which tables and columns cross, whatever package they belong to.
//!
//! All `unsafe` of the Python module that is about Arrow is here.
#![allow(unsafe_code, reason = "capsules hold pointers to C structures")]

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_schema::{FieldRef, Schema};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const STREAM: &CStr = c"arrow_array_stream";
const ARRAY: &CStr = c"arrow_array";
const SCHEMA: &CStr = c"arrow_schema";

/// A table as the capsule of a stream.
pub(crate) fn stream_of<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyCapsule>> {
    let stream = FFI_ArrowArrayStream::new(slaclock::arrow::reader(batch.clone()));
    // The capsule owns the structure, which frees itself unless a consumer has moved it out.
    PyCapsule::new_with_value(py, stream, STREAM)
}

/// The schema of a table as a capsule.
pub(crate) fn schema_of<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(batch.schema_ref().as_ref()).map_err(wrong)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// The type of a column as a capsule.
pub(crate) fn type_of<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(column.data_type()).map_err(wrong)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// A column as the capsules of its type and its values.
pub(crate) fn column_of<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Bound<'py, PyTuple>> {
    let (array, schema) = to_ffi(&column.to_data()).map_err(wrong)?;
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    (schema, array).into_pyobject(py)
}

/// The chunks of any object that offers its data by capsules: one if it is an array, any number if it is a stream.
///
/// # Errors
/// `TypeError` for an object that does not; `ValueError` for what it offers but cannot be read.
pub(crate) fn chunks(producer: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    let py = producer.py();
    if let Some(method) = producer.getattr_opt(intern!(py, "__arrow_c_stream__"))? {
        let capsule = method.call0()?.cast_into::<PyCapsule>()?;
        return from_stream(&capsule);
    }
    if let Some(method) = producer.getattr_opt(intern!(py, "__arrow_c_array__"))? {
        let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = method.call0()?.extract()?;
        return Ok(vec![from_array(&schema, &array)?]);
    }
    let found = producer.get_type().fully_qualified_name()?;
    Err(PyTypeError::new_err(format!(
        "a value of type {found}: must be a column or table of pyarrow, polars, pandas or numpy, or anything else that \
         offers Arrow data by __arrow_c_stream__ or __arrow_c_array__"
    )))
}

fn from_stream(capsule: &Bound<'_, PyCapsule>) -> PyResult<Vec<ArrayRef>> {
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: by the Arrow PyCapsule interface a capsule of this name points to a valid `ArrowArrayStream`. It is
    // moved out, and the empty structure left behind tells the capsule's destructor that nothing is left to free.
    let stream = unsafe { std::ptr::replace(pointer.as_ptr(), FFI_ArrowArrayStream::empty()) };
    let reader = ArrayStreamReader::try_new(stream).map_err(wrong)?;
    reader.map(|chunk| chunk.map_err(wrong)).collect()
}

fn from_array(schema: &Bound<'_, PyCapsule>, array: &Bound<'_, PyCapsule>) -> PyResult<ArrayRef> {
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: by the Arrow PyCapsule interface capsules of these names point to a valid `ArrowArray` and the
    // `ArrowSchema` that describes it, both owned by the capsules, which live until the end of this function. The
    // array is moved out, with an empty structure left behind; the schema is only read.
    let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) };
    let mut data = data.map_err(wrong)?;
    // Producers need not align their buffers as Rust does.
    data.align_buffers();
    Ok(make_array(data))
}

/// A table from its chunks: record batches, which come as structures.
pub(crate) fn batches(producer: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let batch = |chunk: ArrayRef| match chunk.as_struct_opt() {
        Some(rows) if rows.null_count() == 0 => Ok(RecordBatch::from(rows.clone())),
        Some(_) => Err(PyValueError::new_err("a table with rows that are null as a whole: drop them")),
        None => Err(PyTypeError::new_err(format!("a column of {}: must be a table", chunk.data_type()))),
    };
    chunks(producer)?.into_iter().map(batch).collect()
}

/// The same table with columns under other names.
pub(crate) fn renamed(batch: &RecordBatch, names: &[(String, String)]) -> PyResult<RecordBatch> {
    let schema = batch.schema();
    for (_, theirs) in names {
        if schema.index_of(theirs).is_err() {
            let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let message = format!("column `{theirs}`: the table has {}", found.join(", "));
            return Err(PyValueError::new_err(message));
        }
    }
    let fields: Vec<FieldRef> = schema
        .fields()
        .iter()
        .map(|field| match names.iter().find(|(_, theirs)| theirs == field.name()) {
            Some((ours, _)) => Arc::new(field.as_ref().clone().with_name(ours)),
            None => Arc::clone(field),
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, batch.columns().to_vec(), &options).map_err(wrong)
}

fn wrong(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("Arrow data: {error}"))
}
