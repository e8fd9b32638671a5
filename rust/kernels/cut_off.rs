//! The decision rules in units of a score: where it is cut off.

use super::buckets::HIGHEST;
use super::calibrate::{Calibrate, Rule, SPEAKS};
use super::life::{COUNT, CUT, MEAN, SQUARES};
use super::tail::Tail;

impl Calibrate {
    /// The cut-off of the rules that have one; NaN while it is not known.
    pub fn cut(&self, tails: &[Tail<'_>], life: &[f64]) -> f64 {
        match self.rule {
            Rule::Budget => f64::NAN,
            Rule::Cutoff(x) => x,
            Rule::Contamination(share) if life[COUNT] >= SPEAKS => tails[0].quantile(1.0 - share),
            Rule::Sigma { train, .. } if train > 0.0 && life[COUNT] >= train => life[CUT],
            Rule::Sigma { train, .. } if train > 0.0 => f64::NAN,
            Rule::Sigma { k, robust, .. } if life[COUNT] >= SPEAKS => spread(&tails[0], life, k, robust),
            _ => f64::NAN,
        }
    }
}

/// A score in units of its cut-off, NaN where either is not known.
pub fn in_units_of(cut: f64, score: f64) -> f64 {
    if cut.is_nan() || score.is_nan() {
        return f64::NAN;
    }
    (score / cut.max(1.0 / HIGHEST)).min(HIGHEST)
}

/// Mean and k deviations of past scores, or median and k scaled median deviations.
pub fn spread(tail: &Tail<'_>, life: &[f64], k: f64, robust: bool) -> f64 {
    if robust {
        let median = tail.quantile(0.5);
        return median + k * 1.4826 * tail.deviation(median);
    }
    life[MEAN] + k * (life[SQUARES] / life[COUNT]).sqrt()
}
