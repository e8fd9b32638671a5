use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::random_cut_forest::RandomCutForest;
use crate::kernels::random_cut_open::widths;
use crate::kernels::random_cut_transform::{moments_of, Transform};
use crate::kernels::random_cut_tree::SAMPLES_MAX;

/// State arrays by type: head, roots, nodes, counts; ring, shingle, boxes; refs, links; weights, moments.
#[derive(FromPyObject)]
pub struct Arrays<'py>(
    pub Vec<PyReadwriteArray2<'py, i64>>,
    pub Vec<PyReadwriteArray2<'py, f32>>,
    pub Vec<PyReadwriteArray2<'py, u16>>,
    pub Vec<PyReadwriteArray2<'py, f64>>,
);

impl<'py> From<Arrays<'py>> for StateArgs<'py> {
    fn from(Arrays(i64s, f32s, u16s, f64s): Arrays<'py>) -> Self {
        Self { f64s, f32s, i64s, u16s }
    }
}

/// `sizes` are trees, samples, shingle, values of a point as the trees hold it and span.
pub type Sizes = [usize; 5];

/// Values of a point as it comes, whether the time is one more, the transform (0 none, 1 difference, 2 normalise), what fades
/// of a moving mean, whether missing values are imputed.
pub type Intake = (usize, bool, usize, f64, bool);

pub fn transform(number: usize) -> Transform {
    [Transform::Plain, Transform::Difference, Transform::Normalise][number]
}

/// What `sizes`, `intake` and the rest say, with nothing asked for.
pub fn forest(sizes: Sizes, intake: Intake, seed: u64, decay: f64) -> RandomCutForest {
    let [trees, samples, shingle, dims, span] = sizes;
    let (inputs, timed, number, fade, imputes) = intake;
    RandomCutForest {
        trees,
        samples,
        shingle,
        dims,
        inputs,
        timed,
        transform: transform(number),
        fade,
        imputes,
        expects: false,
        seed,
        decay,
        span,
        warm_up: 0,
        frozen: false,
        displaces: false,
        attributes: None,
    }
}

#[pyfunction]
fn random_cut_forest(
    py: Python<'_>,
    state: Arrays<'_>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    sizes: Sizes,
    intake: Intake,
    seed: u64,
    decay: f64,
    warm_up: i64,
    frozen: bool,
    displaces: bool,
    expects: bool,
    attributes: Option<f64>,
    threads: usize,
) -> PyResult<()> {
    let kernel = RandomCutForest {
        warm_up,
        frozen,
        displaces,
        expects,
        attributes,
        ..forest(sizes, intake, seed, decay)
    };
    fold(py, kernel, state.into(), &points, target, threads)
}

/// Widths of the state arrays for these sizes: head, roots, nodes, refs, ring, shingle, and of the derived ones: boxes,
/// links, weights, counts.
#[pyfunction]
fn random_cut_forest_widths(sizes: Sizes) -> [usize; 10] {
    let [trees, samples, shingle, dims, span] = sizes;
    assert!(samples <= SAMPLES_MAX);
    widths(trees, samples, shingle, dims, span)
}

/// Width of the numbers by which values are transformed: values of a point, transform, whether the time is a value.
#[pyfunction]
fn random_cut_forest_moments(inputs: usize, number: usize, timed: bool) -> usize {
    moments_of(inputs, transform(number), timed)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random_cut_forest, module)?)?;
    module.add_function(wrap_pyfunction!(random_cut_forest_widths, module)?)?;
    module.add_function(wrap_pyfunction!(random_cut_forest_moments, module)?)
}
