//! Sparse counts: whole numbers of which few are expected. There the expected value wanders between two whole numbers,
//! and how far a plain 0 is from it says nothing; how often a value as far out came says it all.
//!
//! State: COUNTS numbers of `life`: whole values in a row, then the weight of 0, 1, … 7, and of 8 and above.

use super::life::COUNTED;
use super::quantum::is_whole;

const RUN: usize = COUNTED;
const VALUES: usize = COUNTED + 1;
/// Values below this are told apart, and matter while less than half as many are expected.
const MOST: usize = 8;
pub const COUNTS: usize = 2 + MOST;
/// Values that are as far out in less than this share of points may be news.
const OFTEN: f64 = 0.02;
/// Whole values in a row after which a metric counts something.
pub const SURE: f64 = 100.0;

pub fn whole(value: f64) -> bool {
    value >= 0.0 && is_whole(value)
}

/// Whole values in a row after one more.
pub fn in_a_row(run: f64, value: f64) -> f64 {
    if whole(value) {
        (run + 1.0).min(SURE)
    } else {
        0.0
    }
}

/// Limits in units of score, above and below, of a band from `lower` to `upper` brought in to whole numbers.
pub fn on_whole_numbers(expected: f64, scale: f64, [upper, lower]: [f64; 2], limits: [f64; 2]) -> [f64; 2] {
    let (upper, lower) = match (upper.floor(), lower.ceil()) {
        (high, low) if high >= low => (high, low),
        _ => (upper, lower),
    };
    let limit = |away: f64, given: f64| if away.is_finite() { away / scale } else { given };
    [limit(upper - expected, limits[0]), limit(expected - lower, limits[1])]
}

/// A metric that counts, at one point.
#[derive(Clone, Copy)]
pub struct Counts {
    value: f64,
    expected: f64,
    /// Less than half of `MOST` are expected.
    pub few: bool,
}

impl Counts {
    /// None where values are not whole numbers. `value` may be missing.
    pub fn of(life: &[f64], value: f64, expected: f64) -> Option<Counts> {
        let counts = life[RUN] >= SURE && (value.is_nan() || whole(value)) && expected.is_finite();
        counts.then_some(Counts { value, expected, few: expected < 0.5 * MOST as f64 })
    }

    /// Ln of the least probability of a value this far above, and below: that of what was often seen.
    pub fn often(&self, life: &[f64], gain: f64) -> [f64; 2] {
        let total = sum(life, 0, MOST) / gain;
        let ln_p = |found: Option<f64>| {
            let g = found.unwrap_or(0.0) / gain;
            let sure = g - 2.0 * g.sqrt();
            if sure > 0.0 && g >= OFTEN * total {
                libm::log(sure / total)
            } else {
                f64::NEG_INFINITY
            }
        };
        let known = self.few && self.value < MOST as f64;
        let at = self.value as usize;
        let above = (known && self.value > self.expected).then(|| sum(life, at, MOST));
        let below = (known && self.value < self.expected).then(|| sum(life, 0, at));
        [ln_p(above), ln_p(below)]
    }

    /// Limits in units of score such that nothing often seen is beyond them, and the band ends on whole numbers.
    pub fn limits(&self, life: &[f64], gain: f64, wanted: f64, scale: f64, limits: [f64; 2]) -> [f64; 2] {
        let [above, below] = limits;
        if scale == 0.0 {
            return limits;
        }
        let (mut upper, mut lower) = (self.expected + above * scale, self.expected - below * scale);
        if self.few {
            let total = sum(life, 0, MOST);
            let root = 1.0 + (1.0 + total / gain * libm::exp(wanted)).sqrt();
            let enough = (root * root * gain).max(OFTEN * total);
            let highest = (0..MOST).rev().find(|&x| x as f64 > self.expected && sum(life, x, MOST) >= enough);
            let lowest = (0..MOST).find(|&x| (x as f64) < self.expected && sum(life, 0, x) >= enough);
            upper = highest.map_or(upper, |x| upper.max(x as f64));
            lower = lowest.map_or(lower, |x| lower.min(x as f64));
        }
        on_whole_numbers(self.expected, scale, [upper, lower], limits)
    }
}

/// Weight of the values from one to another, both included.
fn sum(life: &[f64], from: usize, to: usize) -> f64 {
    life[VALUES + from..=VALUES + to].iter().sum()
}

/// Looks at a value that is known.
pub fn look(life: &mut [f64], value: f64) {
    life[RUN] = in_a_row(life[RUN], value);
}

/// Keeps a value where few are expected.
pub fn learn(life: &mut [f64], value: f64, expected: f64, weight: f64) {
    if whole(value) && expected < 0.5 * MOST as f64 {
        life[VALUES + (value.min(MOST as f64) as usize)] += weight;
    }
}

pub fn shrink(life: &mut [f64], factor: f64) {
    life[VALUES..RUN + COUNTS].iter_mut().for_each(|weight| *weight *= factor);
}
