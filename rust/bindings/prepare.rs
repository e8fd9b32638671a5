use numpy::{PyArray1, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::{contiguous, guarded};
use crate::kernels::prepare::{run, Aggregate, Arrays, Gap, Prepare, Raw};

type State<'py> = (
    PyReadwriteArray2<'py, i64>,
    PyReadwriteArray2<'py, i64>,
    PyReadwriteArray2<'py, f64>,
    PyReadwriteArray2<'py, i64>,
    PyReadwriteArray1<'py, i64>,
    PyReadwriteArray1<'py, i64>,
);

type Readings<'py> = (
    PyReadonlyArray1<'py, i32>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, f64>,
);

type Columns<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
);

fn aggregate(word: &str) -> PyResult<Aggregate> {
    Ok(match word {
        "mean" => Aggregate::Mean,
        "sum" => Aggregate::Sum,
        "max" => Aggregate::Max,
        "last" => Aggregate::Last,
        _ => return Err(PyValueError::new_err(format!("no aggregate {word}"))),
    })
}

fn gap(word: &str) -> PyResult<Gap> {
    Ok(match word {
        "ignore" => Gap::Ignore,
        "zero" => Gap::Zero,
        "fixed" => Gap::Fixed,
        "previous" => Gap::Previous,
        "linear" => Gap::Linear,
        "model" => Gap::Model,
        _ => return Err(PyValueError::new_err(format!("no gap policy {word}"))),
    })
}

#[pyfunction]
#[pyo3(name = "prepare")]
fn prepare_points<'py>(
    py: Python<'py>,
    state: State<'py>,
    raw: Readings<'py>,
    mut row_ordinal: PyReadwriteArray1<'py, i64>,
    interval_ns: i64,
    resample_ns: i64,
    aggregate_word: &str,
    gap_word: &str,
    gap_value: f64,
    gap_limit: i64,
    counters: PyReadonlyArray1<'py, bool>,
    flush: bool,
    threads: usize,
) -> PyResult<Columns<'py>> {
    let kernel = Prepare {
        interval: interval_ns,
        resample: resample_ns,
        aggregate: aggregate(aggregate_word)?,
        gap: gap(gap_word)?,
        gap_value,
        gap_limit,
    };
    let (mut counts, mut clock, mut values, mut steps, mut points_seen, mut last_time) = state;
    let steps_width = steps.as_array().shape()[1];
    let arrays = Arrays {
        counts: counts.as_slice_mut().map_err(contiguous)?,
        clock: clock.as_slice_mut().map_err(contiguous)?,
        values: values.as_slice_mut().map_err(contiguous)?,
        steps: steps.as_slice_mut().map_err(contiguous)?,
        steps_width,
        points_seen: points_seen.as_slice_mut().map_err(contiguous)?,
        last_time: last_time.as_slice_mut().map_err(contiguous)?,
    };
    let readings = Raw {
        rows: raw.0.as_slice().map_err(contiguous)?,
        offsets: raw.1.as_slice().map_err(contiguous)?,
        times: raw.2.as_slice().map_err(contiguous)?,
        values: raw.3.as_slice().map_err(contiguous)?,
    };
    let counters = counters.as_slice().map_err(contiguous)?;
    if counters.len() != readings.rows.len() {
        return Err(PyValueError::new_err("prepare wants to know of every slice whether it counts up"));
    }
    let ordinals = row_ordinal.as_slice_mut().map_err(contiguous)?;
    let (points, lengths) =
        guarded(py, || run(&kernel, arrays, &readings, counters, ordinals, flush, threads))?;
    Ok((
        PyArray1::from_vec(py, points.times),
        PyArray1::from_vec(py, points.values),
        PyArray1::from_vec(py, points.imputed),
        PyArray1::from_vec(py, points.ordinal),
        PyArray1::from_vec(py, points.interval),
        PyArray1::from_vec(py, lengths),
    ))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(prepare_points, module)?)
}
