use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{step, Outputs, PointsArgs, StateArgs};
use crate::kernels::random_cut_forest::RandomCutForest;
use crate::kernels::random_cut_open::widths;
use crate::kernels::random_cut_tree::SAMPLES_MAX;

/// State arrays by type: head, roots, nodes, counts; ring, shingle, boxes; refs, links; weights.
#[derive(FromPyObject)]
struct Arrays<'py>(
    Vec<PyReadwriteArray2<'py, i64>>,
    Vec<PyReadwriteArray2<'py, f32>>,
    Vec<PyReadwriteArray2<'py, u16>>,
    Vec<PyReadwriteArray2<'py, f64>>,
);

/// `sizes` are trees, samples, shingle, dims and span.
#[pyfunction]
fn random_cut_forest(
    py: Python<'_>,
    state: Arrays<'_>,
    points: PointsArgs<'_>,
    outputs: Outputs<'_>,
    sizes: [usize; 5],
    seed: u64,
    decay: f64,
    warm_up: i64,
    frozen: bool,
    displaces: bool,
    attributes: Option<f64>,
    threads: usize,
) -> PyResult<()> {
    let [trees, samples, shingle, dims, span] = sizes;
    let kernel = RandomCutForest {
        trees,
        samples,
        shingle,
        dims,
        seed,
        decay,
        span,
        warm_up,
        frozen,
        displaces,
        attributes,
    };
    let Arrays(i64s, f32s, u16s, f64s) = state;
    let arrays = StateArgs { f64s, f32s, i64s, u16s };
    step(py, &kernel, arrays, &points, &Vec::new(), outputs, threads)
}

/// Widths of the state arrays for these sizes: head, roots, nodes, refs, ring, shingle, and of the derived ones: boxes,
/// links, weights, counts.
#[pyfunction]
fn random_cut_forest_widths(sizes: [usize; 5]) -> [usize; 10] {
    let [trees, samples, shingle, dims, span] = sizes;
    assert!(samples <= SAMPLES_MAX);
    widths(trees, samples, shingle, dims, span)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random_cut_forest, module)?)?;
    module.add_function(wrap_pyfunction!(random_cut_forest_widths, module)?)
}
