use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::forecast_residual::{ForecastResidual, Model};

#[pyfunction]
fn forecast_residual(
    py: Python<'_>,
    floats: Vec<PyReadwriteArray2<'_, f64>>,
    known: PyReadwriteArray2<'_, u16>,
    ints: Vec<PyReadwriteArray2<'_, i64>>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    model: &str,
    alpha: f64,
    season: i64,
    refit: i64,
    rates: [f64; 3],
    width: f64,
    threads: usize,
) -> PyResult<()> {
    let model = match model {
        "ridge" => Model::Ridge,
        "seasonal_naive" => Model::SeasonalNaive,
        _ => Model::Smoothing,
    };
    let kernel = ForecastResidual { model, alpha, season, refit, rates, width };
    let state = StateArgs { f64s: floats, u16s: vec![known], i64s: ints, ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(forecast_residual, module)?)
}
