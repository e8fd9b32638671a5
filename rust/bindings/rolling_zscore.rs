use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::rolling_zscore::RollingZscore;

#[pyfunction]
fn rolling_zscore(
    py: Python<'_>,
    values: PyReadwriteArray2<'_, f64>,
    squares: PyReadwriteArray2<'_, f64>,
    sums: PyReadwriteArray2<'_, f64>,
    head: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    window: usize,
    ddof: usize,
    inclusive: bool,
    width: f64,
    threads: usize,
) -> PyResult<()> {
    let kernel = RollingZscore { window, ddof, inclusive, width };
    let state = StateArgs { f64s: vec![values, squares, sums], i64s: vec![head], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(rolling_zscore, module)?)
}
