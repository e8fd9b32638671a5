use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::threshold::Threshold;

#[pyfunction]
fn threshold(
    py: Python<'_>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    low: Option<f64>,
    high: Option<f64>,
    threads: usize,
) -> PyResult<()> {
    let kernel = Threshold { low: low.unwrap_or(f64::NAN), high: high.unwrap_or(f64::NAN) };
    fold(py, kernel, StateArgs::default(), &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(threshold, module)?)
}
