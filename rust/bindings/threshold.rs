use pyo3::prelude::*;

use super::batch::{step, Outputs, PointsArgs, StateArgs};
use crate::kernels::threshold::Threshold;

#[pyfunction]
fn threshold(
    py: Python<'_>,
    points: PointsArgs<'_>,
    outputs: Outputs<'_>,
    low: Option<f64>,
    high: Option<f64>,
    threads: usize,
) -> PyResult<()> {
    let kernel = Threshold { low: low.unwrap_or(f64::NAN), high: high.unwrap_or(f64::NAN) };
    step(py, &kernel, StateArgs::default(), &points, &Vec::new(), outputs, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(threshold, module)?)
}
