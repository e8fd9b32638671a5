use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::rolling_median::RollingMedian;
use crate::kernels::sorted::blocks;

/// Integers a series that a window of this many values needs for its blocks.
#[pyfunction]
fn rolling_median_blocks(window: usize) -> usize {
    blocks(window)
}

#[pyfunction]
fn rolling_median(
    py: Python<'_>,
    ring: PyReadwriteArray2<'_, f64>,
    cells: PyReadwriteArray2<'_, f64>,
    heads: PyReadwriteArray2<'_, i64>,
    head: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    window: usize,
    inclusive: bool,
    width: f64,
    threads: usize,
) -> PyResult<()> {
    let kernel = RollingMedian { window, inclusive, width };
    let state = StateArgs { f64s: vec![ring, cells], i64s: vec![heads, head], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(rolling_median, module)?)?;
    module.add_function(wrap_pyfunction!(rolling_median_blocks, module)?)
}
