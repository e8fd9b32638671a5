use numpy::{PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::prelude::*;

use super::batch::{contiguous, fold, PointsArgs, StateArgs, Target};
use crate::kernels::{exps, standing::Standing};

#[pyfunction]
fn standing(
    py: Python<'_>,
    ring: PyReadwriteArray2<'_, f64>,
    ordered: PyReadwriteArray2<'_, f64>,
    head: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    share: f64,
    threads: usize,
) -> PyResult<()> {
    let state = StateArgs { f64s: vec![ring, ordered], i64s: vec![head], ..Default::default() };
    fold(py, Standing { share }, state, &points, target, threads)
}

/// `found[i]` = exp(`values[i]`), the bits of `libm`.
#[pyfunction]
fn exps_of(values: PyReadonlyArray1<'_, f64>, mut found: PyReadwriteArray1<'_, f64>) -> PyResult<()> {
    let n = found.as_array().len().min(values.as_array().len());
    let (values, found) = (values.as_slice().map_err(contiguous)?, found.as_slice_mut().map_err(contiguous)?);
    exps::exps(1.0, &values[..n], &mut found[..n]);
    Ok(())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(standing, module)?)?;
    module.add_function(wrap_pyfunction!(exps_of, module)?)
}
