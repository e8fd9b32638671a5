use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;

use super::batch::{contiguous, fold, PointsArgs, StateArgs, Target};
use crate::kernels::light_band::{LightBand, WIDTH};
use crate::kernels::light_band_season::TABLES;
use crate::kernels::seasonal_band_calendar::Calendar;

/// Widths of core, clock and tables.
#[pyfunction]
fn light_band_widths() -> (usize, usize, usize) {
    (WIDTH, 3, TABLES)
}

#[pyfunction]
fn light_band(
    py: Python<'_>,
    core: PyReadwriteArray2<'_, f64>,
    clock: PyReadwriteArray2<'_, i64>,
    tables: PyReadwriteArray2<'_, f32>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    zone: (PyReadonlyArray1<'_, i64>, PyReadonlyArray1<'_, i64>),
    hold: (f64, f64),
    width: f64,
    threads: usize,
) -> PyResult<()> {
    let kernel = LightBand {
        calendar: Calendar {
            zone_from: zone.0.as_slice().map_err(contiguous)?.to_vec(),
            zone_offset: zone.1.as_slice().map_err(contiguous)?.to_vec(),
            holidays: Vec::new(),
        },
        hold_seconds: hold.0,
        hold_points: hold.1,
        width,
    };
    let state = StateArgs { f64s: vec![core], f32s: vec![tables], i64s: vec![clock], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(light_band_widths, module)?)?;
    module.add_function(wrap_pyfunction!(light_band, module)?)
}
