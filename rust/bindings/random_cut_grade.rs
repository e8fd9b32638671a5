use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, Target};
use super::random_cut_forest::{forest, Arrays, Intake, Sizes};
use crate::kernels::random_cut_forest::RandomCutForest;
use crate::kernels::random_cut_grade::{Grade, Margin, GRADING};

/// `learning` is the number of points before the first score and whether nothing is learned; `limits` the factor, the least
/// score and what fades of the scores' mean; `margins` above and below, absolute and as a share.
#[pyfunction]
fn random_cut_grade(
    py: Python<'_>,
    state: Arrays<'_>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    sizes: Sizes,
    intake: Intake,
    seed: u64,
    decay: f64,
    learning: (i64, bool),
    limits: (f64, f64, f64),
    margins: [(f64, f64); 2],
    threads: usize,
) -> PyResult<()> {
    let (warm_up, frozen) = learning;
    let (factor, least, fade) = limits;
    let [above, below] = margins;
    let forest = RandomCutForest { warm_up, frozen, ..forest(sizes, intake, seed, decay) };
    let kernel = Grade { forest, factor, least, fade, margin: Margin { above, below } };
    fold(py, kernel, state.into(), &points, target, threads)
}

/// Width of the numbers beside the forest's.
#[pyfunction]
fn random_cut_grade_width() -> usize {
    GRADING
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random_cut_grade, module)?)?;
    module.add_function(wrap_pyfunction!(random_cut_grade_width, module)?)
}
