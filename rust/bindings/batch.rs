//! The arguments that every kernel takes: a batch, state arrays, outputs.

use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::kernels::fleet::{run, Arrays, Batch, Kernel};

/// A `Points` of Python, field by field: (rows, offsets, times, values).
#[derive(FromPyObject)]
pub struct PointsArgs<'py>(
    PyReadonlyArray1<'py, i32>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray2<'py, f64>,
);

/// State arrays by type, each `[series, width]`.
#[derive(Default)]
pub struct StateArgs<'py> {
    pub f64s: Vec<PyReadwriteArray2<'py, f64>>,
    pub f32s: Vec<PyReadwriteArray2<'py, f32>>,
    pub i64s: Vec<PyReadwriteArray2<'py, i64>>,
    pub u16s: Vec<PyReadwriteArray2<'py, u16>>,
}

pub type Outputs<'py> = Vec<PyReadwriteArray1<'py, f64>>;
pub type Columns<'py> = Vec<PyReadonlyArray1<'py, f64>>;

pub fn contiguous<E>(_: E) -> PyErr {
    PyValueError::new_err("kernel arrays must be C-contiguous")
}

/// Runs a kernel over a batch with the GIL released.
pub fn step<K: Kernel>(
    py: Python<'_>,
    kernel: &K,
    mut state: StateArgs<'_>,
    points: &PointsArgs<'_>,
    columns: &Columns<'_>,
    mut outputs: Outputs<'_>,
    threads: usize,
) -> PyResult<()> {
    let mut arrays = Arrays::default();
    for array in &mut state.f64s {
        let width = array.as_array().shape()[1];
        arrays.f64s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    for array in &mut state.f32s {
        let width = array.as_array().shape()[1];
        arrays.f32s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    for array in &mut state.i64s {
        let width = array.as_array().shape()[1];
        arrays.i64s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    for array in &mut state.u16s {
        let width = array.as_array().shape()[1];
        arrays.u16s.push((array.as_slice_mut().map_err(contiguous)?, width));
    }
    let batch = Batch {
        rows: points.0.as_slice().map_err(contiguous)?,
        offsets: points.1.as_slice().map_err(contiguous)?,
        times: points.2.as_slice().map_err(contiguous)?,
        values: points.3.as_slice().map_err(contiguous)?,
        dims: points.3.as_array().shape()[1],
        columns: columns.iter().map(|c| c.as_slice().map_err(contiguous)).collect::<PyResult<_>>()?,
    };
    let mut slots = Vec::with_capacity(outputs.len());
    for output in &mut outputs {
        slots.push(output.as_slice_mut().map_err(contiguous)?);
    }
    py.detach(|| run(kernel, arrays, &batch, slots, threads));
    Ok(())
}
