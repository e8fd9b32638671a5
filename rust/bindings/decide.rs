use std::sync::Mutex;

use numpy::{IntoPyArray, PyArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::{step, Columns, Outputs, PointsArgs, StateArgs};
use crate::kernels::decide::Decide;
use crate::kernels::policy::{Missing, Policy};

/// The state arrays: window, moments, quiet, alert, run.
#[derive(FromPyObject)]
struct DecideState<'py>(
    PyReadwriteArray2<'py, f64>,
    PyReadwriteArray2<'py, i64>,
    PyReadwriteArray2<'py, f64>,
    PyReadwriteArray2<'py, f64>,
    PyReadwriteArray2<'py, i64>,
);

type Records<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>);

#[pyfunction]
fn decide<'py>(
    py: Python<'py>,
    state: DecideState<'py>,
    points: PointsArgs<'py>,
    columns: Columns<'py>,
    outputs: Outputs<'py>,
    direction: i64,
    min_deviation: (f64, f64),
    min_count: f64,
    range_: (f64, f64),
    missing: &str,
    limit: f64,
    close_level: f64,
    close_after: usize,
    max_points: i64,
    cool_down: i64,
    consecutive: usize,
    m_of_n: (usize, usize),
    threads: usize,
) -> PyResult<Records<'py>> {
    let missing = match missing {
        "missing" => Missing::Missing,
        "not_breaching" => Missing::NotBreaching,
        "breaching" => Missing::Breaching,
        "ignore" => Missing::Ignore,
        other => return Err(PyValueError::new_err(format!("unknown missing-data policy {other:?}"))),
    };
    let kernel = Decide {
        policy: Policy {
            direction,
            min_deviation: min_deviation.0,
            min_deviation_relative: min_deviation.1,
            min_count,
            range_low: range_.0,
            range_high: range_.1,
            missing,
        },
        limit,
        close_level,
        close_after,
        max_points,
        cool_down,
        consecutive,
        m: m_of_n.0,
        n: m_of_n.1,
        records: Mutex::new(Vec::new()),
    };
    let DecideState(window, moments, quiet, alert, run) = state;
    let state =
        StateArgs { f64s: vec![window, quiet, alert], i64s: vec![moments, run], ..Default::default() };
    step(py, &kernel, state, &points, &columns, outputs, threads)?;
    let mut records = kernel.records.into_inner().expect("no panic while held");
    records.sort_by_key(|r| (r.slice, r.ints[0]));
    let ints: Vec<i64> = records.iter().flat_map(|r| std::iter::once(r.slice as i64).chain(r.ints)).collect();
    let floats: Vec<f64> = records.iter().flat_map(|r| r.floats).collect();
    Ok((ints.into_pyarray(py), floats.into_pyarray(py)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decide, module)?)
}
