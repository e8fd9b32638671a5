use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::ewma::Ewma;

#[pyfunction]
fn ewma(
    py: Python<'_>,
    first: PyReadwriteArray2<'_, f64>,
    level: PyReadwriteArray2<'_, f64>,
    count: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    half_life: f64,
    clip: Option<f64>,
    scale_min: f64,
    width: f64,
    threads: usize,
) -> PyResult<()> {
    let kernel = Ewma::new(half_life, clip.unwrap_or(f64::INFINITY), scale_min, width);
    let state = StateArgs { f64s: vec![first, level], i64s: vec![count], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(ewma, module)?)
}
