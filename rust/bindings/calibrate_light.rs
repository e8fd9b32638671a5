use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;

use super::batch::{contiguous, step, Columns, Outputs, PointsArgs, StateArgs};
use crate::kernels::calibrate::Direction;
use crate::kernels::calibrate_light::{CalibrateLight, CELLS, LIFE};

#[pyfunction]
fn calibrate_light(
    py: Python<'_>,
    cells: PyReadwriteArray2<'_, f32>,
    life: PyReadwriteArray2<'_, f64>,
    points: PointsArgs<'_>,
    columns: Columns<'_>,
    outputs: Outputs<'_>,
    p_limit: PyReadonlyArray1<'_, f64>,
    direction: &str,
    half_life: f64,
    threads: usize,
) -> PyResult<()> {
    let direction = match direction {
        "above" => Direction::Above,
        "below" => Direction::Below,
        _ => Direction::Both,
    };
    let p_limit = p_limit.as_slice().map_err(contiguous)?.to_vec();
    let kernel = CalibrateLight::new(direction, half_life, p_limit);
    let state = StateArgs { f64s: vec![life], f32s: vec![cells], ..Default::default() };
    step(py, &kernel, state, &points, &columns, outputs, threads)
}

/// Widths of the state arrays of `calibrate_light`: buckets and fits, the rest.
#[pyfunction]
fn calibrate_light_widths() -> (usize, usize) {
    (CELLS, LIFE)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(calibrate_light, module)?)?;
    module.add_function(wrap_pyfunction!(calibrate_light_widths, module)?)
}
