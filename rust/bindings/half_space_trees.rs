use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;

use super::batch::{contiguous, step, Outputs, PointsArgs, StateArgs};
use crate::kernels::half_space_trees::{HalfSpaceTrees, Plan};

/// Attributes and cuts of all nodes.
type PlanArgs<'py> = (PyReadonlyArray1<'py, u16>, PyReadonlyArray1<'py, f64>);

#[pyfunction]
fn half_space_trees(
    py: Python<'_>,
    masses: PyReadwriteArray2<'_, u16>,
    floats: Vec<PyReadwriteArray2<'_, f64>>,
    head: PyReadwriteArray2<'_, i64>,
    plan: PlanArgs<'_>,
    points: PointsArgs<'_>,
    outputs: Outputs<'_>,
    trees: usize,
    height: usize,
    dims: usize,
    window: i64,
    first: i64,
    limit: u16,
    threads: usize,
) -> PyResult<()> {
    let (attributes, cuts) = &plan;
    let (attributes, cuts) =
        (attributes.as_slice().map_err(contiguous)?, cuts.as_slice().map_err(contiguous)?);
    let kernel = HalfSpaceTrees { attributes, cuts, trees, height, dims, window, first, limit };
    let state = StateArgs { f64s: floats, i64s: vec![head], u16s: vec![masses], ..Default::default() };
    step(py, &kernel, state, &points, &Vec::new(), outputs, threads)
}

/// Attribute and cut of every node.
#[pyfunction]
fn half_space_trees_plan(
    py: Python<'_>,
    trees: usize,
    height: usize,
    dims: usize,
    seed: u64,
) -> (Bound<'_, PyArray1<u16>>, Bound<'_, PyArray1<f64>>) {
    let plan = Plan::new(trees, height, dims, seed);
    (plan.attributes.into_pyarray(py), plan.cuts.into_pyarray(py))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(half_space_trees, module)?)?;
    module.add_function(wrap_pyfunction!(half_space_trees_plan, module)?)
}
