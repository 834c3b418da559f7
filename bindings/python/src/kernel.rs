//! Columns of instants through a rule: whole arrays in, whole arrays out, with the interpreter released.
#![allow(unsafe_code, reason = "buffers are read and filled in place, not copied")]

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use slaclock::arrow::Instants;
use slaclock::policy::Rule;
use slaclock::target::NO_DEADLINE;
use slaclock::zone::Zone;
use slaclock::{ErrorKind, Policy};

use crate::batch::known_zone;
use crate::capsule::{chunks, column_of};
use crate::error::{detached, raised};

/// Whose rule it is: a policy's is borrowed from it by index, so that nothing is compiled or copied.
pub(crate) enum Owner {
    Policy {
        policy: Policy,
        clock: usize,
        rule: usize,
    },
    /// A rule of its own for each row of the column, by its number.
    Rows {
        policy: Policy,
        clock: usize,
        rules: Vec<u32>,
    },
    Own(Box<Rule>),
}

/// A rule that turns a column of receipts into a column of due instants.
#[pyclass(frozen, module = "slaclock._slaclock", name = "Kernel")]
pub(crate) struct PyKernel {
    owner: Owner,
}

/// Seconds that are scaled at once where a column counts in finer units: they stay in the processor's cache.
const BLOCK: usize = 4_096;

impl PyKernel {
    pub(crate) fn new(owner: Owner) -> PyKernel {
        PyKernel { owner }
    }

    /// The rules over whole seconds from row `first` of the column on.
    fn due(&self, first: usize, received: &[i64], out: &mut [i64]) -> slaclock::Result<()> {
        match &self.owner {
            Owner::Own(rule) => return rule.due_many(received, out),
            Owner::Policy { policy, clock, rule } => {
                if let Some(rule) = policy.clocks().get(*clock).and_then(|clock| clock.rules.get(*rule)) {
                    return rule.due_many(received, out);
                }
            }
            Owner::Rows { policy, clock, rules } => {
                let rules = rules.get(first..first + received.len());
                if let Some((clock, rules)) = policy.clocks().get(*clock).zip(rules) {
                    return clock.due_many_by_rule(received, rules, out);
                }
            }
        }
        // The numbers were taken from this very policy, and the lengths were compared.
        out.fill(NO_DEADLINE);
        Ok(())
    }

    /// The same. Where a receipt is missing, so is the answer.
    fn run(&self, first: usize, received: &[i64], out: &mut [i64]) -> slaclock::Result<()> {
        let Err(error) = self.due(first, received, out) else { return Ok(()) };
        // Missing receipts are no error; whatever else is wrong shows once they are out of the way.
        if !received.contains(&NO_DEADLINE) {
            return Err(error);
        }
        let filled: Vec<i64> =
            received.iter().map(|second| if *second == NO_DEADLINE { 0 } else { *second }).collect();
        self.due(first, &filled, out)?;
        for (out, received) in out.iter_mut().zip(received) {
            if *received == NO_DEADLINE {
                *out = NO_DEADLINE;
            }
        }
        Ok(())
    }

    /// The same over a finer unit.
    fn run_scaled(&self, received: &[i64], out: &mut [i64], per_second: i64) -> slaclock::Result<()> {
        let floored =
            |value: &i64| if *value == NO_DEADLINE { NO_DEADLINE } else { value.div_euclid(per_second) };
        let mut seconds = [0_i64; BLOCK];
        for (block, (values, due)) in received.chunks(BLOCK).zip(out.chunks_mut(BLOCK)).enumerate() {
            let Some(seconds) = seconds.get_mut(..values.len()) else { continue };
            seconds.iter_mut().zip(values).for_each(|(second, value)| *second = floored(value));
            if let Err(error) = self.run(block * BLOCK, seconds, due) {
                // Once more as a whole, for the row's place in the column.
                let seconds: Vec<i64> = received.iter().map(floored).collect();
                return self.run(0, &seconds, out).and(Err(error));
            }
            for value in due.iter_mut().filter(|value| **value != NO_DEADLINE) {
                *value *= per_second;
            }
        }
        Ok(())
    }

    /// Facts that are columns must be as long as the column of receipts.
    fn check_rows(&self, py: Python<'_>, rows: usize) -> PyResult<()> {
        match &self.owner {
            Owner::Rows { rules, .. } if rules.len() != rows => {
                let message = format!("facts of {} rows for {rows} receipts: must be as many", rules.len());
                Err(raised(py, ErrorKind::InvalidArgument, message))
            }
            _ => Ok(()),
        }
    }
}

#[pymethods]
impl PyKernel {
    /// Fills `out` from `received`, both contiguous buffers of 64-bit integers with `per_second` units in a second.
    #[pyo3(signature = (received, out, per_second, /))]
    fn fill(
        &self,
        py: Python<'_>,
        received: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
        per_second: i64,
    ) -> PyResult<()> {
        let (received, out) = (PyBuffer::<i64>::get(received)?, PyBuffer::<i64>::get(out)?);
        let contiguous = || PyBufferError::new_err("columns must be contiguous");
        if out.readonly() {
            return Err(PyBufferError::new_err("the column to fill is read-only"));
        }
        if per_second < 1 {
            return Err(PyValueError::new_err("a unit longer than a second"));
        }
        let from = received.as_slice_ptr().ok_or_else(contiguous)?;
        let to = out.as_slice_ptr().ok_or_else(contiguous)?;
        let (from_at, to_at) = (from.cast::<u8>().as_ptr() as usize, to.cast::<u8>().as_ptr() as usize);
        if from_at < to_at + size_of::<i64>() * to.len() && to_at < from_at + size_of::<i64>() * from.len() {
            return Err(PyBufferError::new_err(
                "the column to fill shares its memory with the column to read",
            ));
        }
        // SAFETY: the buffers keep their memory alive and in place until they are dropped at the end of this
        // function; they do not overlap (checked above); of both the documentation says, as
        // numpy does, that no other thread may use them meanwhile.
        let (from, to) = unsafe { (from.as_ref(), &mut *to.as_ptr()) };
        self.check_rows(py, from.len())?;
        detached(py, || match per_second {
            1 => self.run(0, from, to),
            _ => self.run_scaled(from, to, per_second),
        })
    }

    /// The column of any Arrow producer, chunk by chunk, in its own type.
    #[pyo3(signature = (column, zone = None, /))]
    fn arrow(
        &self,
        py: Python<'_>,
        column: &Bound<'_, PyAny>,
        zone: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<PyColumn>> {
        let zone: Option<Zone> = zone.map(|zone| known_zone(py, zone)).transpose()?;
        let chunks = chunks(column)?;
        self.check_rows(py, chunks.iter().map(|chunk| chunk.len()).sum())?;
        detached(py, || {
            let mut first = 0;
            let one = |chunk: ArrayRef| {
                let received = Instants::read(chunk.as_ref(), zone.as_ref())?;
                let mut due = vec![NO_DEADLINE; received.seconds().len()];
                self.run(first, received.seconds(), &mut due)?;
                first += due.len();
                Ok(PyColumn { array: received.alike(due)? })
            };
            chunks.into_iter().map(one).collect()
        })
    }
}

/// A column of any kind through a kernel; which kinds there are, `slaclock._columns` knows.
pub(crate) fn columns<'py>(
    py: Python<'py>,
    kernel: PyKernel,
    column: &Bound<'py, PyAny>,
    zone: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("slaclock._columns")?.call_method1("through", (kernel, column, zone, out))
}

/// A column, for everything that takes Arrow arrays: `pyarrow.array(column)`, `polars.Series(column)`.
#[pyclass(frozen, module = "slaclock", name = "Column")]
pub(crate) struct PyColumn {
    array: ArrayRef,
}

#[pymethods]
impl PyColumn {
    fn __len__(&self) -> usize {
        self.array.len()
    }

    /// How many values are missing.
    #[getter]
    fn null_count(&self) -> usize {
        self.array.null_count()
    }

    /// Its Arrow type.
    #[getter]
    fn r#type(&self) -> String {
        self.array.data_type().to_string()
    }

    /// The column, by the Arrow PyCapsule interface. Nothing is copied.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface lets a producer keep to its own type.
        let _ = requested_schema;
        column_of(py, &self.array)
    }

    /// Its type, by the Arrow PyCapsule interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        crate::capsule::type_of(py, &self.array)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PyColumn>().is_ok_and(|other| {
            Arc::ptr_eq(&other.get().array, &self.array) || *other.get().array == *self.array
        })
    }

    fn __repr__(&self) -> String {
        format!(
            "<slaclock.Column of {} {}, {} missing>",
            self.array.len(),
            self.r#type(),
            self.array.null_count()
        )
    }
}
