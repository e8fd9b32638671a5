use numpy::PyReadwriteArray2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::gap_novelty::{GapNovelty, Of, RUN};

#[pyfunction]
fn gap_novelty(
    py: Python<'_>,
    values: PyReadwriteArray2<'_, f64>,
    isolation: PyReadwriteArray2<'_, f64>,
    seen: PyReadwriteArray2<'_, i64>,
    run: PyReadwriteArray2<'_, f64>,
    head: PyReadwriteArray2<'_, i64>,
    ring: Option<PyReadwriteArray2<'_, f64>>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    memory: i64,
    warm_up: usize,
    gain: f64,
    of: &str,
    threads: usize,
) -> PyResult<()> {
    let of = match of {
        "value" => Of::Value,
        "mean" => Of::Mean,
        "deviation" => Of::Deviation,
        _ => return Err(PyValueError::new_err(format!("of is value, mean or deviation, got {of}"))),
    };
    let kernel = GapNovelty { of, memory, warm_up: warm_up as f64, gain };
    let mut f64s = vec![values, isolation, run];
    f64s.extend(ring);
    let state = StateArgs { f64s, i64s: vec![seen, head], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

/// Numbers of the running level and scale.
#[pyfunction]
fn gap_novelty_width() -> usize {
    RUN
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(gap_novelty, module)?)?;
    module.add_function(wrap_pyfunction!(gap_novelty_width, module)?)
}
