use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::left_discord::LeftDiscord;

/// values, steps, sums, norms, covariances, last
type Floats<'py> = Vec<PyReadwriteArray2<'py, f64>>;

#[pyfunction]
fn left_discord(
    py: Python<'_>,
    floats: Floats<'_>,
    head: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    length: usize,
    window: usize,
    exclusion: usize,
    warm_up: i64,
    threads: usize,
) -> PyResult<()> {
    let kernel = LeftDiscord { length, window, exclusion, warm_up };
    let state = StateArgs { f64s: floats, i64s: vec![head], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(left_discord, module)?)
}
