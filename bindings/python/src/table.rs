//! Tables: answers in columns, which dataframes take as they are, and rows as small tuples for everybody else.

use std::collections::HashMap;
use std::sync::Mutex;

use arrow_array::RecordBatch;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyDict, PyList, PySlice, PyTuple};

use crate::capsule::{schema_of, stream_of};
use crate::cells::{Column, PackedColumn, packed, unpacked};
use crate::policy::PyPolicy;
use crate::shape::class;
use crate::time::Tz;

/// What the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Row,
    Waiting,
    Notice,
    /// With so many leading columns of facts, and the sentence of each row.
    Attainment(usize, Vec<String>),
}

impl Kind {
    fn class(&self) -> &'static str {
        match self {
            Kind::Row => "Row",
            Kind::Waiting => "Waiting",
            Kind::Notice => "Notice",
            Kind::Attainment(..) => "Attainment",
        }
    }

    fn of(word: &str, facts: usize, lines: Vec<String>) -> Option<Kind> {
        match word {
            "Row" => Some(Kind::Row),
            "Waiting" => Some(Kind::Waiting),
            "Notice" => Some(Kind::Notice),
            "Attainment" => Some(Kind::Attainment(facts, lines)),
            _ => None,
        }
    }
}

/// The zones in which a table shows its instants: a clock's own, else the policy's first.
pub(crate) struct Zones {
    main: Tz,
    clocks: HashMap<String, Tz>,
}

impl Zones {
    pub(crate) fn of(py: Python<'_>, policy: &PyPolicy) -> PyResult<Zones> {
        let clocks =
            policy.inner.clocks().iter().filter_map(|clock| {
                Some((clock.name.clone(), policy.clock_zone(&clock.name)?.clone_ref(py)))
            });
        let main = policy.main_zone().map_or_else(|| Tz::utc(py), |zone| Ok(zone.clone_ref(py)))?;
        Ok(Zones { main, clocks: clocks.collect() })
    }

    pub(crate) fn main(&self) -> &Tz {
        &self.main
    }

    pub(crate) fn of_clock(&self, name: &str) -> &Tz {
        self.clocks.get(name).unwrap_or(&self.main)
    }
}

/// The answer to a question with many rows.
///
/// Small tuples, made as they are asked for by place, slice or iteration; and columns, for everything that takes Arrow data:
/// `polars.DataFrame(table)`, `pandas.DataFrame.from_arrow(table)`, `pyarrow.table(table)`, `duckdb.sql("from late")` where
/// `late` is the name of a variable. Columns of instants are timestamps in UTC, rows have them in the zone of the agreement.
// No `collections.abc.Sequence`: polars would take it row by row instead of by its columns.
#[pyclass(frozen, module = "slaclock", name = "Table", sequence)]
pub(crate) struct PyTable {
    batch: RecordBatch,
    columns: Vec<Column>,
    kind: Kind,
    zones: Zones,
    next: Option<u64>,
}

impl PyTable {
    pub(crate) fn new(batch: RecordBatch, kind: Kind, zones: Zones, next: Option<u64>) -> PyResult<PyTable> {
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let columns =
            fields.map(|(field, array)| Column::of(field.name(), array)).collect::<PyResult<_>>()?;
        Ok(PyTable { batch, columns, kind, zones, next })
    }

    fn names(&self) -> Vec<String> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The zone of a row: that of the clock it names.
    fn zone(&self, row: usize) -> &Tz {
        let clock = self.batch.schema_ref().index_of("clock").ok().and_then(|at| self.columns.get(at));
        clock.and_then(|clock| clock.text(row)).map_or(&self.zones.main, |name| self.zones.of_clock(name))
    }

    fn row<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let zone = self.zone(row);
        let cells = self.columns.iter().map(|column| column.cell(py, row, zone));
        let cells = cells.collect::<PyResult<Vec<_>>>()?;
        let cells = match &self.kind {
            Kind::Attainment(facts, _) => {
                let by = PyDict::new(py);
                for (name, value) in self.names().iter().zip(&cells).take(*facts) {
                    by.set_item(name, value)?;
                }
                std::iter::once(by.into_any()).chain(cells.into_iter().skip(*facts)).collect()
            }
            _ => cells,
        };
        let class = class(py, self.kind.class())?;
        if self.kind == Kind::Notice {
            return class.call1(PyTuple::new(py, cells)?);
        }
        // As the class would do it, without looking at names and defaults.
        static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let new = NEW
            .get_or_try_init(py, || Ok::<_, PyErr>(py.get_type::<PyTuple>().getattr("__new__")?.unbind()))?;
        new.bind(py).call1((class, PyTuple::new(py, cells)?))
    }

    fn place(&self, index: isize) -> PyResult<usize> {
        let length = self.batch.num_rows();
        let from_end = || index.unsigned_abs() <= length;
        let place = if index >= 0 {
            index.unsigned_abs()
        } else if from_end() {
            length - index.unsigned_abs()
        } else {
            length
        };
        if place < length {
            Ok(place)
        } else {
            Err(PyIndexError::new_err(format!("row {index}: the table has {length}")))
        }
    }

    fn import<'py>(py: Python<'py>, module: &str, extra: &str) -> PyResult<Bound<'py, PyModule>> {
        py.import(module).inspect_err(|error| {
            let hint = format!("install it, or slaclock[{extra}]; slaclock itself does without");
            let _ = error.add_note(py, &hint);
        })
    }
}

#[pymethods]
impl PyTable {
    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __getitem__<'py>(slf: &Bound<'py, Self>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, table) = (slf.py(), slf.get());
        let Ok(slice) = index.cast::<PySlice>() else {
            return table.row(py, table.place(index.extract()?)?);
        };
        let places = slice.indices(isize::try_from(table.batch.num_rows()).unwrap_or(isize::MAX))?;
        let (mut at, rows) = (places.start, PyList::empty(py));
        for _ in 0..places.slicelength {
            rows.append(table.row(py, at.unsigned_abs())?)?;
            at += places.step;
        }
        Ok(rows.into_any())
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyTableRows {
        PyTableRows { table: slf.unbind(), at: Mutex::new(0) }
    }

    /// The names of its columns.
    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.names())
    }

    /// Where the next page begins, for `after=`; `None` if this is everything.
    #[getter]
    fn next(&self) -> Option<u64> {
        self.next
    }

    /// The rows as plain dicts.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let names = self.names();
        let row = |row: usize| {
            let dict = PyDict::new(py);
            for (name, column) in names.iter().zip(&self.columns) {
                dict.set_item(name, column.cell(py, row, self.zone(row))?)?;
            }
            Ok(dict)
        };
        (0..self.batch.num_rows()).map(row).collect()
    }

    /// As a pandas data frame; needs pandas.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let pandas = PyTable::import(slf.py(), "pandas", "pandas")?;
        pandas.getattr("DataFrame")?.call_method1("from_arrow", (slf,))
    }

    /// As a polars data frame; needs polars.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        PyTable::import(slf.py(), "polars", "polars")?.call_method1("DataFrame", (slf,))
    }

    /// Its columns, by the Arrow PyCapsule interface. Nothing is copied.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer keep to its own schema.
        let _ = requested_schema;
        stream_of(py, &self.batch)
    }

    /// The schema of its columns, by the Arrow PyCapsule interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_of(py, &self.batch)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PyTable>().is_ok_and(|other| {
            let other = other.get();
            other.kind == self.kind && other.batch == self.batch
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let restore = py.import("slaclock._slaclock")?.getattr("table_of")?;
        let (facts, lines) = match &self.kind {
            Kind::Attainment(facts, lines) => (*facts, lines.clone()),
            _ => (0, Vec::new()),
        };
        let zones = PyDict::new(py);
        for (clock, zone) in &self.zones.clocks {
            zones.set_item(clock, zone.object())?;
        }
        let columns = PyList::empty(py);
        for (field, column) in self.batch.schema_ref().fields().iter().zip(&self.columns) {
            columns.append((field.name(), field.is_nullable(), packed(py, column)?))?;
        }
        let main = self.zones.main.object();
        Ok((restore, (self.kind.class(), facts, lines, main, zones, columns, self.next).into_pyobject(py)?))
    }

    fn __repr__(&self) -> String {
        format!(
            "<slaclock.Table of {} × {}: {}>",
            self.batch.num_rows(),
            self.kind.class(),
            self.names().join(", ")
        )
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        match &self.kind {
            Kind::Attainment(_, lines) => Ok(lines.join("\n")),
            _ => self.shown(py, "text"),
        }
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        self.shown(py, "html")
    }
}

impl PyTable {
    /// The first rows, laid out by `slaclock._show`.
    fn shown(&self, py: Python<'_>, form: &str) -> PyResult<String> {
        const MOST: usize = 20;
        let rows = (0..self.batch.num_rows().min(MOST)).map(|row| {
            let cells = self.columns.iter().map(|column| column.cell(py, row, self.zone(row)));
            cells.collect::<PyResult<Vec<_>>>()
        });
        let rows = rows.collect::<PyResult<Vec<_>>>()?;
        let show = py.import("slaclock._show")?.getattr(form)?;
        show.call1((self.names(), rows, self.batch.num_rows()))?.extract()
    }
}

/// A pickled table, put together again.
#[pyfunction]
#[pyo3(signature = (kind, facts, lines, main, zones, columns, next, /))]
#[allow(clippy::too_many_arguments, reason = "called by pickle alone, with what __reduce__ gave")]
pub(crate) fn table_of(
    kind: &str,
    facts: usize,
    lines: Vec<String>,
    main: Bound<'_, PyAny>,
    zones: HashMap<String, Bound<'_, PyAny>>,
    columns: Vec<PackedColumn<'_>>,
    next: Option<u64>,
) -> PyResult<PyTable> {
    let wrong = |what: &str| pyo3::exceptions::PyValueError::new_err(format!("a pickled table: {what}"));
    let kind = Kind::of(kind, facts, lines).ok_or_else(|| wrong("of an unknown kind"))?;
    let batch = unpacked(columns)?;
    if facts > batch.num_columns() {
        return Err(wrong("with more facts than columns"));
    }
    let zones = Zones {
        main: Tz::from_object(&main),
        clocks: zones.into_iter().map(|(clock, zone)| (clock, Tz::from_object(&zone))).collect(),
    };
    PyTable::new(batch, kind, zones, next)
}

/// The rows of a table, one after the other.
#[pyclass(frozen, module = "slaclock._slaclock", name = "TableRows")]
pub(crate) struct PyTableRows {
    table: Py<PyTable>,
    at: Mutex<usize>,
}

#[pymethods]
impl PyTableRows {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let table = self.table.get();
        let row = {
            // Held for a moment only, and never while Python code runs.
            let mut at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let row = *at;
            *at += usize::from(row < table.batch.num_rows());
            row
        };
        if row < table.batch.num_rows() { table.row(py, row).map(Some) } else { Ok(None) }
    }

    fn __length_hint__(&self) -> usize {
        let at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.table.get().batch.num_rows() - *at
    }
}
