//! Static limits: a score above 1 exactly where a value lies outside them. No state.

use super::fleet::{Kernel, Slice};

/// A limit that is not set is NaN.
pub struct Threshold {
    pub low: f64,
    pub high: f64,
}

/// The next number above 1.
const ABOVE_ONE: f64 = 1.0 + f64::EPSILON;

impl Threshold {
    /// Middle and half range of two limits; a single limit gives neither, for it expects no value.
    fn centre(&self) -> (f64, f64) {
        let half = 0.5 * self.high - 0.5 * self.low;
        (self.low + half, half)
    }

    fn raw(&self, value: f64, centre: f64, half: f64) -> f64 {
        if half.is_finite() {
            return (value - centre).abs() / half;
        }
        let (limit, beyond) =
            if self.high.is_finite() { (self.high, value - self.high) } else { (self.low, self.low - value) };
        let unit = if limit == 0.0 { 1.0 } else { limit.abs() };
        (1.0 + beyond / unit).max(0.0)
    }

    /// Rounding must not decide: beyond a limit the score is above 1, within it at most 1.
    fn score(&self, value: f64, centre: f64, half: f64) -> f64 {
        let raw = self.raw(value, centre, half).min(f64::MAX);
        if value > self.high || value < self.low {
            raw.max(ABOVE_ONE)
        } else {
            raw.min(1.0)
        }
    }
}

impl Kernel for Threshold {
    fn step(&self, slice: &mut Slice<'_>) {
        let [score, expected, lower, upper, scale, _flags] = &mut slice.outputs[..] else {
            unreachable!("six outputs")
        };
        let (centre, half) = self.centre();
        expected.fill(centre);
        scale.fill(half);
        lower.fill(self.low);
        upper.fill(self.high);
        for (score, &value) in score.iter_mut().zip(slice.values) {
            if value.is_finite() {
                *score = self.score(value, centre, half);
            }
        }
    }
}
