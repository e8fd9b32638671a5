use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::contiguous;
use crate::kernels::pulse::{Finding, Pulse, MOMENTS, RHYTHM};

type Points<'py> = (
    PyReadonlyArray1<'py, i32>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, f64>,
);
type Columns<'py> = (
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
);

fn columns<'py>(py: Python<'py>, found: &[Finding]) -> Columns<'py> {
    (
        PyArray1::from_iter(py, found.iter().map(|f| f.row)),
        PyArray1::from_iter(py, found.iter().map(|f| f.what as i64)),
        PyArray1::from_iter(py, found.iter().map(|f| f.since)),
        PyArray1::from_iter(py, found.iter().map(|f| f.known)),
        PyArray1::from_iter(py, found.iter().map(|f| f.over)),
        PyArray1::from_iter(py, found.iter().map(|f| f.value)),
    )
}

fn widths(moments: &PyReadwriteArray2<'_, i64>, rhythm: &[usize]) -> PyResult<()> {
    let found = (moments.as_array().shape()[1], rhythm[1]);
    let rows = moments.as_array().shape()[0] == rhythm[0];
    if found == (MOMENTS, RHYTHM) && rows {
        Ok(())
    } else {
        Err(PyValueError::new_err("other arrays than pulse's"))
    }
}

/// Readings of some series, each slice in time order.
#[pyfunction]
fn pulse_readings<'py>(
    py: Python<'py>,
    mut moments: PyReadwriteArray2<'py, i64>,
    mut rhythm: PyReadwriteArray2<'py, f64>,
    points: Points<'py>,
    missed: f64,
    least: f64,
    equal: f64,
) -> PyResult<Columns<'py>> {
    widths(&moments, rhythm.as_array().shape())?;
    let (rows, offsets, times, values) = points;
    let (rows, offsets) = (rows.as_slice()?, offsets.as_slice()?);
    let (times, values) = (times.as_slice()?, values.as_slice()?);
    let moments = moments.as_slice_mut().map_err(contiguous)?;
    let rhythm = rhythm.as_slice_mut().map_err(contiguous)?;
    let kernel = Pulse { missed, least, equal };
    let mut found = Vec::new();
    for (&row, pair) in rows.iter().zip(offsets.windows(2)) {
        let at = row as usize;
        let state = (
            moments.get_mut(at * MOMENTS..(at + 1) * MOMENTS),
            rhythm.get_mut(at * RHYTHM..(at + 1) * RHYTHM),
        );
        let (Some(moments), Some(rhythm)) = state else {
            return Err(PyValueError::new_err(format!("row {row} beyond the state")));
        };
        for i in pair[0] as usize..pair[1] as usize {
            kernel.reading(row, moments, rhythm, times[i], values[i], &mut found);
        }
    }
    Ok(columns(py, &found))
}

/// Time has passed for every series.
#[pyfunction]
fn pulse_watermark<'py>(
    py: Python<'py>,
    mut moments: PyReadwriteArray2<'py, i64>,
    rhythm: PyReadonlyArray2<'py, f64>,
    now: i64,
    missed: f64,
    least: f64,
) -> PyResult<Columns<'py>> {
    widths(&moments, rhythm.as_array().shape())?;
    let kernel = Pulse { missed, least, equal: 0.0 };
    let mut found = Vec::new();
    kernel.watermark(moments.as_slice_mut().map_err(contiguous)?, rhythm.as_slice()?, now, &mut found);
    Ok(columns(py, &found))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(pulse_readings, module)?)?;
    module.add_function(wrap_pyfunction!(pulse_watermark, module)?)
}
