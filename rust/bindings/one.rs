//! One point of one series, for callers that send point by point: a kernel kept ready with the state of its series.
//!
//! Between calls the state lives here and not in Python's arrays, so that a call neither borrows, checks nor builds any.
//! `core/state.py` brings it home before anybody reads the arrays.

use std::panic::{catch_unwind, AssertUnwindSafe};

use numpy::{Element, PyArray2, PyArrayMethods, PyReadwriteArray2};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::batch::{contiguous, corrupt, StateArgs};
use crate::kernels::fleet::{Kernel, Row, Slice};

const FIELDS: [&str; 6] = ["score", "expected", "lower", "upper", "scale", "flags"];

/// The scores of one point: fields by name, in order, or by number.
#[pyclass(frozen, subclass, sequence, freelist = 64, module = "watchband._kernels")]
pub struct Score {
    #[pyo3(get)]
    score: f64,
    #[pyo3(get)]
    expected: f64,
    #[pyo3(get)]
    lower: f64,
    #[pyo3(get)]
    upper: f64,
    #[pyo3(get)]
    scale: f64,
    #[pyo3(get)]
    flags: f64,
}

#[pymethods]
impl Score {
    #[new]
    fn new(score: f64, expected: f64, lower: f64, upper: f64, scale: f64, flags: f64) -> Self {
        Self { score, expected, lower, upper, scale, flags }
    }

    #[classattr]
    fn _fields(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, FIELDS)
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, FIELDS)
    }

    fn _asdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        for (name, value) in FIELDS.iter().zip(self.numbers()) {
            fields.set_item(name, value)?;
        }
        Ok(fields)
    }

    fn __len__(&self) -> usize {
        FIELDS.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.tuple(py)?.as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.tuple(py)?.try_iter()?.into_any())
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        match other.cast::<Score>() {
            Ok(other) => Ok(self.numbers() == other.get().numbers()),
            Err(_) => self.tuple(py)?.as_any().eq(other),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.tuple(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut words = Vec::with_capacity(FIELDS.len());
        for (name, value) in FIELDS.iter().zip(self.tuple(py)?.iter()) {
            words.push(format!("{name}={}", value.repr()?));
        }
        Ok(format!("Score({})", words.join(", ")))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((py.get_type::<Score>().into_any(), self.tuple(py)?))
    }
}

impl Score {
    pub fn of([score, expected, lower, upper, scale, flags]: [f64; 6]) -> Self {
        Self { score, expected, lower, upper, scale, flags }
    }

    fn numbers(&self) -> [f64; 6] {
        [self.score, self.expected, self.lower, self.upper, self.scale, self.flags]
    }

    fn tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.numbers())
    }
}

/// State arrays of one type: what they hold now, and where they are at home.
struct Lent<T>(Vec<Vec<T>>, Vec<Py<PyArray2<T>>>);

impl<T: Element + Copy> Lent<T> {
    fn of(arrays: &[PyReadwriteArray2<'_, T>]) -> PyResult<Self> {
        let mut lent = Self(Vec::with_capacity(arrays.len()), Vec::with_capacity(arrays.len()));
        for array in arrays {
            lent.0.push(array.as_slice().map_err(contiguous)?.to_vec());
            lent.1.push(Bound::clone(array).unbind());
        }
        Ok(lent)
    }

    fn rows(&mut self) -> Vec<&mut [T]> {
        self.0.iter_mut().map(Vec::as_mut_slice).collect()
    }

    fn bring_home(&self, py: Python<'_>) -> PyResult<()> {
        for (values, home) in self.0.iter().zip(&self.1) {
            let mut array = home.bind(py).try_readwrite()?;
            let place = array.as_slice_mut().map_err(contiguous)?;
            if place.len() != values.len() {
                return Err(contiguous(()));
            }
            place.copy_from_slice(values);
        }
        Ok(())
    }
}

struct Series {
    kernel: Box<dyn Kernel + Send>,
    f64s: Lent<f64>,
    f32s: Lent<f32>,
    i64s: Lent<i64>,
    u16s: Lent<u16>,
}

/// Keeps a detector's kernel and the state of one series, once that detector's kernel has been called for it.
#[pyclass(module = "watchband._kernels")]
pub struct Stepper {
    series: Option<Series>,
    last_time: i64,
    folded: i64,
}

#[pymethods]
impl Stepper {
    #[new]
    fn new(last_time: i64) -> Self {
        Self { series: None, last_time, folded: 0 }
    }

    /// Whether a kernel has moved in.
    pub fn ready(&self) -> bool {
        self.series.is_some()
    }

    /// Scores one point and learns it. None where the arguments want a closer look: nothing has been touched then.
    fn one(
        &mut self,
        py: Python<'_>,
        time: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Score>> {
        let (Ok(time), Ok(value)) = (time.extract::<i64>(), value.extract::<f64>()) else { return Ok(None) };
        Ok(self.fold(py, time, value)?.map(Score::of))
    }

    /// Writes the state back to its arrays; says how many points were folded and the time of the last. The stepper is
    /// of no use afterwards.
    pub fn settle(&mut self, py: Python<'_>) -> PyResult<(i64, i64)> {
        if let Some(series) = &self.series {
            series.f64s.bring_home(py)?;
            series.f32s.bring_home(py)?;
            series.i64s.bring_home(py)?;
            series.u16s.bring_home(py)?;
        }
        self.series = None;
        Ok((std::mem::take(&mut self.folded), self.last_time))
    }
}

impl Stepper {
    /// The answers for one point; None where it does not come after the last.
    pub fn fold(&mut self, py: Python<'_>, time: i64, value: f64) -> PyResult<Option<[f64; 6]>> {
        let Some(series) = self.series.as_mut() else { return Ok(None) };
        if time <= self.last_time {
            return Ok(None);
        }
        let answers = series.one(py, time, value)?;
        self.last_time = time;
        self.folded += 1;
        Ok(Some(answers))
    }

    pub fn adopt(&mut self, kernel: Box<dyn Kernel + Send>, state: &StateArgs<'_>) -> PyResult<()> {
        self.series = Some(Series {
            kernel,
            f64s: Lent::of(&state.f64s)?,
            f32s: Lent::of(&state.f32s)?,
            i64s: Lent::of(&state.i64s)?,
            u16s: Lent::of(&state.u16s)?,
        });
        Ok(())
    }
}

impl Series {
    fn one(&mut self, py: Python<'_>, time: i64, value: f64) -> PyResult<[f64; 6]> {
        // As `Scores.blank` has it.
        let mut answers = [f64::NAN, f64::NAN, f64::NAN, f64::NAN, f64::NAN, 0.0];
        let kernel = &self.kernel;
        let mut slice = Slice {
            index: 0,
            row: Row {
                f64s: self.f64s.rows(),
                f32s: self.f32s.rows(),
                i64s: self.i64s.rows(),
                u16s: self.u16s.rows(),
            },
            times: &[time],
            values: &[value],
            columns: Vec::new(),
            outputs: answers.chunks_exact_mut(1).collect(),
        };
        // The state may stand half way after a panic, which the error says.
        match catch_unwind(AssertUnwindSafe(|| kernel.step(&mut slice))) {
            Ok(()) => Ok(answers),
            Err(panic) => Err(corrupt(py, panic)),
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Score>()?;
    module.add_class::<Stepper>()
}
