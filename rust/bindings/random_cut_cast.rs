use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, Target};
use super::random_cut_forest::{forest, Arrays, Intake, Sizes};
use crate::kernels::random_cut_cast::Cast;
use crate::kernels::random_cut_forest::RandomCutForest;

/// `learning` is the number of points before the first score, whether nothing is learned, whether scores are displacements;
/// `casting` the steps ahead, the errors kept of each, the share outside of intervals.
#[pyfunction]
fn random_cut_cast(
    py: Python<'_>,
    state: Arrays<'_>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    sizes: Sizes,
    intake: Intake,
    seed: u64,
    decay: f64,
    learning: (i64, bool, bool),
    casting: (usize, usize, f64),
    threads: usize,
) -> PyResult<()> {
    let (warm_up, frozen, displaces) = learning;
    let (horizon, kept, outside) = casting;
    let forest = RandomCutForest { warm_up, frozen, displaces, ..forest(sizes, intake, seed, decay) };
    let kernel = Cast { forest, horizon, kept, outside };
    fold(py, kernel, state.into(), &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random_cut_cast, module)?)
}
