use numpy::{
    IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2,
};
use pyo3::prelude::*;

use super::batch::{contiguous, guarded};
use super::crowd::answer;
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
fn isolation_forest(
    py: Python<'_>,
    trees: TreesArgs<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    whole: f64,
    scores: Option<PyReadwriteArray1<'_, f64>>,
    shares: Option<PyReadwriteArray2<'_, f64>>,
) -> PyResult<()> {
    let trees = trees.trees()?;
    answer(
        py,
        &rows,
        scores,
        shares,
        |r, k, out| trees.score(r, k, whole, out),
        |r, k, out| trees.shares(r, k, out),
    )
}

/// Cuts that set one of `n` rows apart in a random tree, in the mean.
#[pyfunction]
fn isolation_forest_path(n: i64) -> f64 {
    path(n)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(isolation_forest_fit, module)?)?;
    module.add_function(wrap_pyfunction!(isolation_forest, module)?)?;
    module.add_function(wrap_pyfunction!(isolation_forest_path, module)?)
}
