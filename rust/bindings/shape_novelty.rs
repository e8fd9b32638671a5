use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::shape_novelty::{ShapeNovelty, BLOCKS};
use crate::kernels::usual;

#[pyfunction]
fn shape_novelty(
    py: Python<'_>,
    floats: Vec<PyReadwriteArray2<'_, f64>>,
    head: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    memory: u64,
    block: usize,
    stride: usize,
    warm_up: i64,
    gain: f64,
    threads: usize,
) -> PyResult<()> {
    let kernel = ShapeNovelty { memory, block, stride, warm_up, gain };
    let state = StateArgs { f64s: floats, i64s: vec![head], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

/// Blocks of a shape, and numbers of the running level and scale.
#[pyfunction]
fn shape_novelty_widths() -> (usize, usize) {
    (BLOCKS, usual::WIDTH)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(shape_novelty, module)?)?;
    module.add_function(wrap_pyfunction!(shape_novelty_widths, module)?)
}
