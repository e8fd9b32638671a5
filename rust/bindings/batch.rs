//! The arguments that every kernel takes: a batch, state arrays, outputs.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::one::Stepper;
use crate::kernels::fleet::{run, Arrays, Batch, Kernel};

/// A `Points` of Python, field by field: (rows, offsets, times, values).
#[derive(FromPyObject)]
pub struct PointsArgs<'py>(
    pub PyReadonlyArray1<'py, i32>,
    pub PyReadonlyArray1<'py, i64>,
    pub PyReadonlyArray1<'py, i64>,
    pub PyReadonlyArray2<'py, f64>,
);

/// State arrays by type, each `[series, width]`.
#[derive(Default)]
pub struct StateArgs<'py> {
    pub f64s: Vec<PyReadwriteArray2<'py, f64>>,
    pub f32s: Vec<PyReadwriteArray2<'py, f32>>,
    pub i64s: Vec<PyReadwriteArray2<'py, i64>>,
    pub u16s: Vec<PyReadwriteArray2<'py, u16>>,
}

pub type Outputs<'py> = Vec<PyReadwriteArray1<'py, f64>>;
pub type Columns<'py> = Vec<PyReadonlyArray1<'py, f64>>;

/// What a detector's kernel is called for: the columns of a batch, or a stepper in which to stay.
#[derive(FromPyObject)]
pub enum Target<'py> {
    Outputs(Outputs<'py>),
    Stepper(PyRefMut<'py, Stepper>),
}

pub fn contiguous<E>(_: E) -> PyErr {
    PyValueError::new_err("kernel arrays must be C-contiguous")
}

/// Runs a detector's kernel over a batch, or leaves it with a stepper.
pub fn fold<K: Kernel + Send + 'static>(
    py: Python<'_>,
    kernel: K,
    state: StateArgs<'_>,
    points: &PointsArgs<'_>,
    target: Target<'_>,
    threads: usize,
) -> PyResult<()> {
    match target {
        Target::Outputs(outputs) => step(py, &kernel, state, points, &Vec::new(), outputs, threads),
        Target::Stepper(mut stepper) => stepper.adopt(Box::new(kernel), &state),
    }
}

/// Runs a kernel over a batch; see `guarded`.
pub fn step<K: Kernel>(
    py: Python<'_>,
    kernel: &K,
    mut state: StateArgs<'_>,
    points: &PointsArgs<'_>,
    columns: &Columns<'_>,
    mut outputs: Outputs<'_>,
    threads: usize,
) -> PyResult<()> {
    let mut arrays = Arrays::default();
    for array in &mut state.f64s {
        let width = array.as_array().shape()[1];
        arrays.f64s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    for array in &mut state.f32s {
        let width = array.as_array().shape()[1];
        arrays.f32s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    for array in &mut state.i64s {
        let width = array.as_array().shape()[1];
        arrays.i64s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    for array in &mut state.u16s {
        let width = array.as_array().shape()[1];
        arrays.u16s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    let batch = Batch {
        rows: points.0.as_slice().map_err(contiguous)?,
        offsets: points.1.as_slice().map_err(contiguous)?,
        times: points.2.as_slice().map_err(contiguous)?,
        values: points.3.as_slice().map_err(contiguous)?,
        dims: points.3.as_array().shape()[1],
        columns: columns.iter().map(|c| c.as_slice().map_err(contiguous)).collect::<PyResult<_>>()?,
    };
    let mut slots = Vec::with_capacity(outputs.len());
    for output in &mut outputs {
        slots.push(output.as_slice_mut().map_err(contiguous)?);
    }
    guarded(py, || run(kernel, arrays, &batch, slots, threads))
}

/// Runs kernels with the GIL released. What they never meet in a state of their own (an index beyond its ring, say)
/// panics in them, and becomes the StateCorruptError that it is.
pub fn guarded<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    // The arrays may stand half way afterwards, which the error says.
    let work = AssertUnwindSafe(work);
    py.detach(|| catch_unwind(work)).map_err(|panic| corrupt(py, panic))
}

/// The error for a kernel that panicked.
pub fn corrupt(py: Python<'_>, panic: Box<dyn Any + Send>) -> PyErr {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or(panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    let message = format!(
        "This state, or the batch, holds what no fold ever wrote ({words}), and the state now stands half way. Throw \
         it away: restore the last good snapshot, or start cold and fold the log again. If neither came from outside, \
         please report this."
    );
    let class = py.import("watchband.core.errors").and_then(|errors| errors.getattr("StateCorruptError"));
    class.and_then(|class| class.call1((message,))).map_or_else(|error| error, PyErr::from_value)
}
