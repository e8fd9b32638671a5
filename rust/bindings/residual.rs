use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::residual::{Residual, CLOCK, DAY_BINS, FEATURES, PAIRS, RUN, WEEK_BINS};

/// weights, cov, run, hours, day, counts, week
type Floats<'py> = Vec<PyReadwriteArray2<'py, f64>>;

#[pyfunction]
fn residual(
    py: Python<'_>,
    floats: Floats<'_>,
    clock: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    forget: f64,
    huber: f64,
    width: f64,
    threads: usize,
) -> PyResult<()> {
    let kernel = Residual { forget, huber, width };
    let state = StateArgs { f64s: floats, i64s: vec![clock], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

/// Widths of the state arrays of `residual` in their order, `clock` last.
#[pyfunction]
fn residual_widths() -> [usize; 8] {
    [FEATURES, PAIRS, RUN, 48, 2 * DAY_BINS, DAY_BINS, WEEK_BINS, CLOCK]
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(residual, module)?)?;
    module.add_function(wrap_pyfunction!(residual_widths, module)?)
}
