use numpy::{
    IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2,
};
use pyo3::prelude::*;

use super::batch::{contiguous, guarded};
use crate::kernels::isolation_forest::{fit, path, Trees};

/// Attributes, cuts, left children, sizes, roots, and whether values are compared in single precision.
#[derive(FromPyObject)]
struct TreesArgs<'py>(
    PyReadonlyArray1<'py, i32>,
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, i32>,
    PyReadonlyArray1<'py, i32>,
    PyReadonlyArray1<'py, i64>,
    bool,
);

impl TreesArgs<'_> {
    fn trees(&self) -> PyResult<Trees<'_>> {
        Ok(Trees {
            attributes: self.0.as_slice().map_err(contiguous)?,
            cuts: self.1.as_slice().map_err(contiguous)?,
            lefts: self.2.as_slice().map_err(contiguous)?,
            sizes: self.3.as_slice().map_err(contiguous)?,
            roots: self.4.as_slice().map_err(contiguous)?,
            single: self.5,
        })
    }
}

type Made<'py> = (
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i64>>,
);

#[pyfunction]
fn isolation_forest_fit<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'_, f64>,
    trees: usize,
    samples: usize,
    seed: u64,
) -> PyResult<Made<'py>> {
    let dims = rows.as_array().shape()[1];
    let values = rows.as_slice().map_err(contiguous)?;
    let made = guarded(py, || fit(values, dims, trees, samples, seed))?;
    Ok((
        made.attributes.into_pyarray(py),
        made.cuts.into_pyarray(py),
        made.lefts.into_pyarray(py),
        made.sizes.into_pyarray(py),
        made.roots.into_pyarray(py),
    ))
}

#[pyfunction]
fn isolation_forest_score(
    py: Python<'_>,
    trees: TreesArgs<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    whole: f64,
    mut scores: PyReadwriteArray1<'_, f64>,
) -> PyResult<()> {
    let dims = rows.as_array().shape()[1];
    let (trees, rows) = (trees.trees()?, rows.as_slice().map_err(contiguous)?);
    let scores = scores.as_slice_mut().map_err(contiguous)?;
    guarded(py, || trees.score(rows, dims, whole, scores))
}

#[pyfunction]
fn isolation_forest_shares(
    py: Python<'_>,
    trees: TreesArgs<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    mut shares: PyReadwriteArray2<'_, f64>,
) -> PyResult<()> {
    let dims = rows.as_array().shape()[1];
    let (trees, rows) = (trees.trees()?, rows.as_slice().map_err(contiguous)?);
    let shares = shares.as_slice_mut().map_err(contiguous)?;
    guarded(py, || trees.shares(rows, dims, shares))
}

/// Cuts that set one of `n` rows apart in a random tree, in the mean.
#[pyfunction]
fn isolation_forest_path(n: i64) -> f64 {
    path(n)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(isolation_forest_fit, module)?)?;
    module.add_function(wrap_pyfunction!(isolation_forest_score, module)?)?;
    module.add_function(wrap_pyfunction!(isolation_forest_shares, module)?)?;
    module.add_function(wrap_pyfunction!(isolation_forest_path, module)?)
}
