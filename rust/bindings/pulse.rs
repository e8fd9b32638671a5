use numpy::{PyArray1, PyReadonlyArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::contiguous;
use crate::kernels::pulse::{Finding, Pulse, Series, MOMENTS, RHYTHM};

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

type Settings = (f64, f64, f64, f64, f64);

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

fn kernel((missed, least, most, equal, ends): Settings) -> Pulse {
    Pulse { missed, least, most, equal, ends }
}

/// Readings of some series, each slice in time order; `seen` is how far each one's watermark was.
#[pyfunction]
fn pulse_readings<'py>(
    py: Python<'py>,
    mut moments: PyReadwriteArray2<'py, i64>,
    mut rhythm: PyReadwriteArray2<'py, f64>,
    points: Points<'py>,
    seen: PyReadonlyArray1<'py, i64>,
    settings: Settings,
) -> PyResult<Columns<'py>> {
    widths(&moments, rhythm.as_array().shape())?;
    let (rows, offsets, times, values) = points;
    let (rows, offsets, seen) = (rows.as_slice()?, offsets.as_slice()?, seen.as_slice()?);
    let (times, values) = (times.as_slice()?, values.as_slice()?);
    let moments = moments.as_slice_mut().map_err(contiguous)?;
    let rhythm = rhythm.as_slice_mut().map_err(contiguous)?;
    if seen.len() != rows.len() {
        return Err(PyValueError::new_err("one watermark a slice"));
    }
    let kernel = kernel(settings);
    let mut found = Vec::new();
    for ((&row, pair), &seen) in rows.iter().zip(offsets.windows(2)).zip(seen) {
        let at = row as usize;
        let state = (
            moments.get_mut(at * MOMENTS..(at + 1) * MOMENTS),
            rhythm.get_mut(at * RHYTHM..(at + 1) * RHYTHM),
        );
        let (Some(moments), Some(rhythm)) = state else {
            return Err(PyValueError::new_err(format!("row {row} beyond the state")));
        };
        let mut series = Series { row, moments, rhythm };
        let here = pair[0] as usize..pair[1] as usize;
        let (Some(times), Some(values)) = (times.get(here.clone()), values.get(here)) else {
            return Err(PyValueError::new_err(format!("slice of row {row} beyond the points")));
        };
        for (&time, &value) in times.iter().zip(values) {
            kernel.reading(&mut series, time, value, seen, &mut found);
        }
    }
    Ok(columns(py, &found))
}

/// Time has passed for the series of one source; -1: of all.
#[pyfunction]
fn pulse_watermark<'py>(
    py: Python<'py>,
    mut moments: PyReadwriteArray2<'py, i64>,
    mut rhythm: PyReadwriteArray2<'py, f64>,
    source: i64,
    now: i64,
    settings: Settings,
) -> PyResult<Columns<'py>> {
    widths(&moments, rhythm.as_array().shape())?;
    let mut found = Vec::new();
    kernel(settings).watermark(
        moments.as_slice_mut().map_err(contiguous)?,
        rhythm.as_slice_mut().map_err(contiguous)?,
        source,
        now,
        &mut found,
    );
    Ok(columns(py, &found))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(pulse_readings, module)?)?;
    module.add_function(wrap_pyfunction!(pulse_watermark, module)?)
}
