//! One point of one series for an ensemble: its members' steppers side by side, the band's first.
//!
//! What each reads, and that it gets NaN while learning is held back, is as in `pipeline/ensemble.py`.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::one::{Score, Stepper};

/// Largest distance from what was expected, in scales, that a member reads.
const FAR: f64 = 1e9;
const HELD: i64 = 1;

/// The scores of one point, with those of an ensemble's further members.
#[pyclass(frozen, extends = Score, module = "watchband._kernels")]
pub struct EnsembleScore {
    members: Vec<f64>,
}

impl EnsembleScore {
    fn of(numbers: [f64; 6], members: Vec<f64>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Score::of(numbers)).add_subclass(Self { members })
    }
}

#[pymethods]
impl EnsembleScore {
    #[new]
    fn new(
        score: f64,
        expected: f64,
        lower: f64,
        upper: f64,
        scale: f64,
        flags: f64,
        members: Vec<f64>,
    ) -> PyClassInitializer<Self> {
        Self::of([score, expected, lower, upper, scale, flags], members)
    }

    #[getter]
    fn members<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.members)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let own = slf.get();
        let mut arguments: Vec<Bound<'py, PyAny>> = slf.try_iter()?.collect::<PyResult<_>>()?;
        arguments.push(own.members(py)?.into_any());
        Ok((slf.get_type().into_any(), PyTuple::new(py, arguments)?))
    }
}

struct Member {
    stepper: Py<Stepper>,
    reads_residual: bool,
    holds: bool,
}

/// Keeps the kernels and states of an ensemble's members between calls for one point.
#[pyclass(module = "watchband._kernels")]
pub struct Steppers {
    members: Vec<Member>,
}

#[pymethods]
impl Steppers {
    /// Of each member its stepper, whether it reads the residual, and whether it learns nothing of what is held back.
    #[new]
    fn new(members: Vec<(Py<Stepper>, bool, bool)>) -> Self {
        let member = |(stepper, reads_residual, holds)| Member { stepper, reads_residual, holds };
        Self { members: members.into_iter().map(member).collect() }
    }

    fn ready(&self, py: Python<'_>) -> bool {
        !self.members.is_empty() && self.members.iter().all(|member| member.stepper.borrow(py).ready())
    }

    /// Scores one point and learns it. None where the arguments want a closer look: nothing has been touched then.
    fn one(
        &mut self,
        py: Python<'_>,
        time: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Py<EnsembleScore>>> {
        let (Ok(time), Ok(value)) = (time.extract::<i64>(), value.extract::<f64>()) else { return Ok(None) };
        let Some((band, further)) = self.members.split_first() else { return Ok(None) };
        // All have folded the same points: if the first takes this one, so do the others.
        let Some(found) = band.stepper.borrow_mut(py).fold(py, time, value)? else { return Ok(None) };
        let [_, expected, _, _, scale, flags] = found;
        let away = if scale > 0.0 { ((value - expected) / scale).clamp(-FAR, FAR) } else { f64::NAN };
        let held = flags as i64 & HELD != 0;
        let mut scores = Vec::with_capacity(further.len());
        for member in further {
            let given = if member.reads_residual { away } else { value };
            let given = if held && member.holds { f64::NAN } else { given };
            let own = member.stepper.borrow_mut(py).fold(py, time, given)?;
            scores.push(own.map_or(f64::NAN, |own| own[0]));
        }
        Py::new(py, EnsembleScore::of(found, scores)).map(Some)
    }

    /// Writes the states back to their arrays; says how many points were folded and the time of the last. The steppers
    /// are of no use afterwards.
    fn settle(&mut self, py: Python<'_>) -> PyResult<(i64, i64)> {
        let mut folded = (0, i64::MIN);
        for member in &self.members {
            folded = member.stepper.borrow_mut(py).settle(py)?;
        }
        self.members.clear();
        Ok(folded)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<EnsembleScore>()?;
    module.add_class::<Steppers>()
}
