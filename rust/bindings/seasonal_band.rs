use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;

use super::batch::{contiguous, fold, PointsArgs, StateArgs, Target};
use crate::kernels::seasonal_band::SeasonalBand;
use crate::kernels::seasonal_band_calendar::Calendar;
use crate::kernels::seasonal_band_core::Core;
use crate::kernels::seasonal_band_hold::Hold;
use crate::kernels::seasonal_band_season::{ECHO_WIDTH, WIDTH};
use crate::kernels::seasonal_band_tail::{Tail, CELLS};

/// Widths of core, clock, tables, tail and echo.
#[pyfunction]
fn seasonal_band_widths() -> (usize, usize, usize, usize, usize) {
    (Core::WIDTH, 3, WIDTH, CELLS, ECHO_WIDTH)
}

#[pyfunction]
fn seasonal_band(
    py: Python<'_>,
    core: PyReadwriteArray2<'_, f64>,
    clock: PyReadwriteArray2<'_, i64>,
    tables: PyReadwriteArray2<'_, f32>,
    tail: PyReadwriteArray2<'_, f32>,
    echo: PyReadwriteArray2<'_, f32>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    zone: (PyReadonlyArray1<'_, i64>, PyReadonlyArray1<'_, i64>),
    holidays: PyReadonlyArray1<'_, i64>,
    coverage: f64,
    logical_range: (f64, f64),
    hold: (f64, f64),
    threads: usize,
) -> PyResult<()> {
    let kernel = SeasonalBand {
        calendar: Calendar {
            zone_from: zone.0.as_slice().map_err(contiguous)?.to_vec(),
            zone_offset: zone.1.as_slice().map_err(contiguous)?.to_vec(),
            holidays: holidays.as_slice().map_err(contiguous)?.to_vec(),
        },
        coverage,
        range_low: logical_range.0,
        range_high: logical_range.1,
        hold: Hold { seconds: hold.0, points: hold.1 },
        tail: Tail::new(),
    };
    let state = StateArgs {
        f64s: vec![core],
        f32s: vec![tables, tail, echo],
        i64s: vec![clock],
        ..Default::default()
    };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(seasonal_band_widths, module)?)?;
    module.add_function(wrap_pyfunction!(seasonal_band, module)?)
}
