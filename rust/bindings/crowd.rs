use numpy::{
    IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2,
};
use pyo3::prelude::*;

use super::batch::{contiguous, guarded};
use crate::kernels::crowd::{Crowd, Support};
use crate::kernels::local_outlier_factor::{fit as fit_factor, Neighbourhood};
use crate::kernels::principal::{fit as fit_principal, Kept};

type Matrix<'py> = PyReadonlyArray2<'py, f64>;
type Vector<'py> = PyReadonlyArray1<'py, f64>;
type Scores<'py> = PyReadwriteArray1<'py, f64>;
type Shares<'py> = PyReadwriteArray2<'py, f64>;
type Column<'py> = Bound<'py, PyArray1<f64>>;

fn crowd<'a>(values: &'a Matrix<'_>) -> PyResult<Crowd<'a>> {
    Ok(Crowd { values: values.as_slice().map_err(contiguous)?, count: values.as_array().shape()[1] })
}

fn slice<'a>(values: &'a Vector<'_>) -> PyResult<&'a [f64]> {
    values.as_slice().map_err(contiguous)
}

fn dims(rows: &Matrix<'_>) -> usize {
    rows.as_array().shape()[1]
}

/// Fills scores or shares, whichever are asked for, with the GIL released.
pub fn answer(
    py: Python<'_>,
    rows: &Matrix<'_>,
    scores: Option<Scores<'_>>,
    shares: Option<Shares<'_>>,
    score: impl FnOnce(&[f64], usize, &mut [f64]) + Send,
    share: impl FnOnce(&[f64], usize, &mut [f64]) + Send,
) -> PyResult<()> {
    let (k, rows) = (dims(rows), rows.as_slice().map_err(contiguous)?);
    if let Some(mut scores) = scores {
        let scores = scores.as_slice_mut().map_err(contiguous)?;
        guarded(py, || score(rows, k, scores))?;
    }
    if let Some(mut shares) = shares {
        let shares = shares.as_slice_mut().map_err(contiguous)?;
        guarded(py, || share(rows, k, shares))?;
    }
    Ok(())
}

#[pyfunction]
fn one_class_svm(
    py: Python<'_>,
    model: (Matrix<'_>, Vector<'_>, f64),
    rows: Matrix<'_>,
    scores: Option<Scores<'_>>,
    shares: Option<Shares<'_>>,
) -> PyResult<()> {
    let found = Support { crowd: crowd(&model.0)?, weights: slice(&model.1)?, gamma: model.2 };
    answer(py, &rows, scores, shares, |r, k, out| found.score(r, k, out), |r, k, out| found.shares(r, k, out))
}

#[pyfunction]
fn local_outlier_factor_fit<'py>(
    py: Python<'py>,
    values: Matrix<'_>,
    neighbours: usize,
    floor: f64,
) -> PyResult<(Column<'py>, Column<'py>)> {
    let (found, k) = (crowd(&values)?, values.as_array().shape()[0]);
    let (reaches, densities) = guarded(py, || fit_factor(found, k, neighbours, floor))?;
    Ok((reaches.into_pyarray(py), densities.into_pyarray(py)))
}

/// Rows, reaches, densities, neighbours, floor.
type FactorArgs<'py> = (Matrix<'py>, Vector<'py>, Vector<'py>, usize, f64);

#[pyfunction]
fn local_outlier_factor(
    py: Python<'_>,
    model: FactorArgs<'_>,
    rows: Matrix<'_>,
    scores: Option<Scores<'_>>,
    shares: Option<Shares<'_>>,
) -> PyResult<()> {
    let found = Neighbourhood {
        crowd: crowd(&model.0)?,
        reaches: slice(&model.1)?,
        densities: slice(&model.2)?,
        neighbours: model.3,
        floor: model.4,
    };
    answer(py, &rows, scores, shares, |r, k, out| found.score(r, k, out), |r, k, out| found.shares(r, k, out))
}

#[pyfunction]
fn principal_fit<'py>(
    py: Python<'py>,
    rows: Matrix<'_>,
) -> PyResult<(Column<'py>, Column<'py>, Column<'py>)> {
    let (k, rows) = (dims(&rows), rows.as_slice().map_err(contiguous)?);
    let found = guarded(py, || fit_principal(rows, k))?;
    Ok((found.mean.into_pyarray(py), found.variances.into_pyarray(py), found.axes.into_pyarray(py)))
}

#[pyfunction]
fn principal(
    py: Python<'_>,
    model: (Vector<'_>, Vector<'_>, f64),
    rows: Matrix<'_>,
    scores: Option<Scores<'_>>,
    shares: Option<Shares<'_>>,
) -> PyResult<()> {
    let found = Kept { mean: slice(&model.0)?, axes: slice(&model.1)?, usual: model.2 };
    answer(py, &rows, scores, shares, |r, k, out| found.score(r, k, out), |r, k, out| found.shares(r, k, out))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(one_class_svm, module)?)?;
    module.add_function(wrap_pyfunction!(local_outlier_factor_fit, module)?)?;
    module.add_function(wrap_pyfunction!(local_outlier_factor, module)?)?;
    module.add_function(wrap_pyfunction!(principal_fit, module)?)?;
    module.add_function(wrap_pyfunction!(principal, module)?)
}
