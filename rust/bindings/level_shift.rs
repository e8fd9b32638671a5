use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::level_shift::{LevelShift, Of, RUN};

#[pyfunction]
fn level_shift(
    py: Python<'_>,
    run: PyReadwriteArray2<'_, f64>,
    held: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    gains: (f64, f64, f64, f64),
    warm_up: usize,
    warm: usize,
    adopt: i64,
    of: &str,
    threads: usize,
) -> PyResult<()> {
    let (gain, mean_gain, spread_gain, usual_gain) = gains;
    let (warm_up, warm) = (warm_up as f64, warm as f64);
    let of = match of {
        "level" => Of::Level,
        "spread" => Of::Spread,
        _ => Of::Both,
    };
    let kernel = LevelShift { of, gain, mean_gain, spread_gain, usual_gain, warm_up, adopt, warm };
    let state = StateArgs { f64s: vec![run], i64s: vec![held], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

/// Numbers of a series' running state.
#[pyfunction]
fn level_shift_width() -> usize {
    RUN
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(level_shift, module)?)?;
    module.add_function(wrap_pyfunction!(level_shift_width, module)?)
}
