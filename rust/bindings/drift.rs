use std::sync::Mutex;

use numpy::{IntoPyArray, PyArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::{step, Columns, PointsArgs, StateArgs};
use crate::kernels::drift::{Drift, LIFE, L_READINGS, MARKS, MONITORS, M_WHEN, SKETCHES};
use crate::kernels::drift_blocks::{FIELDS, RING};

/// The state arrays: marks, life, sketches, ring.
#[derive(FromPyObject)]
struct DriftState<'py>(
    PyReadwriteArray2<'py, i64>,
    PyReadwriteArray2<'py, f64>,
    PyReadwriteArray2<'py, f64>,
    PyReadwriteArray2<'py, f32>,
);

type Findings<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>);

/// Whole settings: length of a block, blocks of the reference, patience, blocks until it is the new reference. Real
/// ones: least points of a block, distance, change, coverage's slack; and the share that the band is to hold.
#[pyfunction]
fn drift<'py>(
    py: Python<'py>,
    state: DriftState<'py>,
    points: PointsArgs<'py>,
    columns: Columns<'py>,
    whole: (i64, i64, i64, i64),
    real: (f64, f64, f64, f64, f64),
    threads: usize,
) -> PyResult<Findings<'py>> {
    let DriftState(marks, life, sketches, ring) = state;
    let widths = [marks.as_array().shape()[1], life.as_array().shape()[1], sketches.as_array().shape()[1]];
    if widths != [MARKS, LIFE, SKETCHES] || ring.as_array().shape()[1] != RING * FIELDS {
        return Err(PyValueError::new_err("other arrays than drift's"));
    }
    if columns.len() != 4 || whole.0 <= 0 {
        return Err(PyValueError::new_err("four columns, and a block that lasts"));
    }
    let (every, reference, patience, adopt) = whole;
    let (least, distance, change, slack, nominal) = real;
    let found = Mutex::new(Vec::new());
    let kernel = Drift { every, least, reference, patience, adopt, distance, change, slack, nominal, found };
    let state =
        StateArgs { f64s: vec![life, sketches], f32s: vec![ring], i64s: vec![marks], ..Default::default() };
    step(py, &kernel, state, &points, &columns, Vec::new(), threads)?;
    let mut found = kernel.found.into_inner().expect("no panic while held");
    // Of one series they are in order already.
    found.sort_by_key(|f| f.slice);
    let whole: Vec<i64> = found
        .iter()
        .flat_map(|f| [f.slice as i64, f.what as i64, f.since, f.known, f.over, f.which, f.worst])
        .collect();
    let real: Vec<f64> = found.iter().flat_map(|f| f.reading).collect();
    Ok((whole.into_pyarray(py), real.into_pyarray(py)))
}

/// Widths of marks, life, sketches and ring; where readings begin in life and blocks in marks; blocks of the ring, and
/// monitors.
#[pyfunction]
fn drift_widths() -> (usize, usize, usize, usize, usize, usize, usize, usize) {
    (MARKS, LIFE, SKETCHES, RING * FIELDS, L_READINGS, M_WHEN, RING, MONITORS)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(drift, module)?)?;
    module.add_function(wrap_pyfunction!(drift_widths, module)?)
}
