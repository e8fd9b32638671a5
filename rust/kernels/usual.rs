//! The running level of a metric and its mean distance from it: the measure of detectors whose score is a distance
//! between values or shapes.

/// Places in the state: running level, mean distance from it, values seen, values in a row that were clipped, size.
pub const LEVEL: usize = 0;
pub const SCALE: usize = 1;
pub const COUNT: usize = 2;
pub const OUT: usize = 3;
pub const SIZE: usize = 4;
pub const WIDTH: usize = 5;

/// A value teaches the running scale at most so many scales, and twice as many with each that stays out.
const CLIP: f64 = 4.0;
const OUT_MAX: f64 = 60.0;
/// Smallest scale against the size of the values: what is left of rounding.
const RESOLUTION: f64 = 1e-12;

pub struct Usual {
    /// Share of the present value, once more values than its inverse have been seen.
    pub gain: f64,
    /// Values that are learned whole.
    pub warm_up: f64,
}

/// What one unit of score is worth; 0 while all values were equal to zero.
#[inline]
pub fn scale(run: &[f64]) -> f64 {
    run[SCALE].max(RESOLUTION * run[SIZE])
}

impl Usual {
    /// One value far out moves level and scale by little, a level that stays by all.
    #[inline]
    pub fn learn(&self, run: &mut [f64], value: f64) {
        run[COUNT] += 1.0;
        let count = run[COUNT];
        if count == 1.0 {
            run[LEVEL] = value;
        }
        let away = value - run[LEVEL];
        let known = count > self.warm_up && run[SCALE] > 0.0;
        let most = if known { CLIP * run[SCALE] * libm::exp2(run[OUT]) } else { f64::INFINITY };
        run[OUT] = if away.abs() > most { (run[OUT] + 1.0).min(OUT_MAX) } else { 0.0 };
        let taken = away.clamp(-most, most);
        let gain = self.gain.max(1.0 / count);
        run[LEVEL] += gain * taken;
        run[SCALE] += gain * (taken.abs() - run[SCALE]);
        run[SIZE] += gain * (value.abs().min(run[LEVEL].abs() + taken.abs()) - run[SIZE]);
    }
}
