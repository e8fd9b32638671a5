use pyo3::prelude::*;

use super::batch::{step, Outputs, PointsArgs};
use super::random_cut_forest::{forest, Arrays, Intake, Sizes};
use crate::kernels::random_cut_ask::{Ask, Question};

/// `question` is a word and its number.
#[pyfunction]
fn random_cut_ask(
    py: Python<'_>,
    state: Arrays<'_>,
    points: PointsArgs<'_>,
    outputs: Outputs<'_>,
    sizes: Sizes,
    intake: Intake,
    seed: u64,
    decay: f64,
    question: (String, f64),
    threads: usize,
) -> PyResult<()> {
    let question = match (question.0.as_str(), question.1) {
        ("impute", _) => Question::Impute,
        ("density", power) => Question::Density(power),
        ("neighbours", least) => Question::Neighbours(least as i64),
        ("forecast", tail) => Question::Ahead(tail),
        (other, _) => panic!("no question is called {other:?}"),
    };
    let kernel = Ask { forest: forest(sizes, intake, seed, decay), question };
    step(py, &kernel, state.into(), &points, &Vec::new(), outputs, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random_cut_ask, module)?)
}
