use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::{contiguous, step, Columns, Outputs, PointsArgs, StateArgs};
use crate::kernels::buckets::BINS;
use crate::kernels::calibrate::{Calibrate, Direction, Rule};
use crate::kernels::life::LIFE;
use crate::kernels::tail::FIT;
use crate::kernels::together::TOGETHER;
use crate::kernels::voter::VOTER;

/// The rule as Python names it: (kind, x, train, robust).
type RuleArgs<'py> = (&'py str, f64, usize, bool);

#[pyfunction]
fn calibrate(
    py: Python<'_>,
    bins: PyReadwriteArray2<'_, f32>,
    fits: PyReadwriteArray2<'_, f64>,
    life: PyReadwriteArray2<'_, f64>,
    points: PointsArgs<'_>,
    columns: Columns<'_>,
    outputs: Outputs<'_>,
    p_limit: PyReadonlyArray1<'_, f64>,
    rule: RuleArgs<'_>,
    direction: &str,
    half_life: f64,
    weights: Vec<f64>,
    strengths: Vec<f64>,
    sparse: Vec<bool>,
    threads: usize,
) -> PyResult<()> {
    let (kind, x, train, robust) = rule;
    let rule = match kind {
        "budget" => Rule::Budget,
        "cutoff" => Rule::Cutoff(x),
        "sigma" => Rule::Sigma { k: x, train: train as f64, robust },
        "contamination" => Rule::Contamination(x),
        _ => return Err(PyValueError::new_err("unknown rule")),
    };
    let direction = match direction {
        "above" => Direction::Above,
        "below" => Direction::Below,
        _ => Direction::Both,
    };
    let p_limit = p_limit.as_slice().map_err(contiguous)?.to_vec();
    let kernel = Calibrate::new(rule, direction, half_life, weights, strengths, sparse, p_limit);
    let state = StateArgs { f64s: vec![fits, life], f32s: vec![bins], ..Default::default() };
    step(py, &kernel, state, &points, &columns, outputs, threads)
}

/// Widths of the state arrays of `calibrate`: of one row's buckets, of one row's fit, of the rest, of that of each
/// further member, and of what an ensemble has once.
#[pyfunction]
fn calibrate_widths() -> (usize, usize, usize, usize, usize) {
    (BINS, FIT, LIFE, VOTER, TOGETHER)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(calibrate, module)?)?;
    module.add_function(wrap_pyfunction!(calibrate_widths, module)?)
}
