//! What is done to the values of a point before they enter a shingle, and undone in answers: differences, or distances
//! from a moving mean in moving deviations; and the time since the last point as one more value.
//!
//! State `moments` f64: for each value (last, mean, variance, count), then for the time (its upper and lower 32 bits, mean,
//! variance and count of the gaps). Empty if neither a transform nor the time is asked for.

use super::random_cut_box::Width;
use super::random_cut_forest::{Fold, RandomCutForest};
use super::random_cut_intake::VALUE_MAX;

#[derive(Clone, Copy, PartialEq)]
pub enum Transform {
    Plain,
    Difference,
    Normalise,
}

/// Numbers kept for a value, and for the time.
const OF_VALUE: usize = 4;
const OF_TIME: usize = 5;
/// Points whose own value is in the mean that they are measured by: before, there is little to measure by.
const EARLY: f64 = 16.0;
/// Deviations by which one point may pull at mean and deviation.
const PULL_MAX: f64 = 10.0;
/// Largest distance in deviations.
const FAR: f64 = 1e6;
/// The same for gaps in time, whose deviation is at least a tenth of their mean.
const GAP_FAR: f64 = 8.0;
const GAP_SHARE: f64 = 0.1;

/// Width of `moments`.
pub fn moments_of(inputs: usize, transform: Transform, timed: bool) -> usize {
    if transform == Transform::Plain && !timed {
        return 0;
    }
    inputs * OF_VALUE + if timed { OF_TIME } else { 0 }
}

/// Mean, variance and count of what was seen, the past fading.
fn learn(moments: &mut [f64], value: f64, pull: f64, decay: f64) {
    let [mean, variance, count] = moments else { unreachable!("three numbers") };
    let rate = (1.0 / (*count + 1.0)).max(decay);
    let mut delta = value - *mean;
    if *count >= EARLY && pull > 0.0 {
        delta = delta.clamp(-PULL_MAX * pull, PULL_MAX * pull);
    }
    *mean += rate * delta;
    *variance = (1.0 - rate) * (*variance + rate * delta * delta);
    *count = (*count + 1.0).min(1e9);
}

/// Distance from the mean in deviations.
fn standing(value: f64, mean: f64, deviation: f64) -> f64 {
    let distance = value - mean;
    if distance == 0.0 {
        0.0
    } else if deviation > 0.0 {
        (distance / deviation).clamp(-FAR, FAR)
    } else {
        FAR.copysign(distance)
    }
}

/// A number as the trees hold it. Adding zero turns minus zero into zero: equal values are equal bits.
pub fn held(value: f64) -> f32 {
    value.clamp(-VALUE_MAX, VALUE_MAX) as f32 + 0.0
}

impl RandomCutForest {
    /// Mean and deviation by which a value is measured now: (0, 1) where it is taken as it is.
    fn unit(&self, moments: &[f64], value: usize) -> (f64, f64) {
        if self.transform != Transform::Normalise {
            return (0.0, 1.0);
        }
        (moments[value * OF_VALUE + 1], moments[value * OF_VALUE + 2].sqrt())
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Notes by what values are measured now.
    pub(super) fn measure(&mut self) {
        if self.kernel.transform == Transform::Normalise {
            for (value, unit) in self.units.iter_mut().enumerate() {
                *unit = self.kernel.unit(self.moments, value);
            }
        }
    }

    /// A value of the newest point as it enters the shingle; learns from it.
    pub(super) fn enter(&mut self, value: usize, number: f64, first: bool) -> f32 {
        let kernel = self.kernel;
        let number = number.clamp(-VALUE_MAX, VALUE_MAX);
        if self.moments.is_empty() {
            return held(number);
        }
        let moments = &mut self.moments[value * OF_VALUE..][..OF_VALUE];
        let before = std::mem::replace(&mut moments[0], number);
        let moved = if first { 0.0 } else { number - before };
        let raw = if kernel.transform == Transform::Difference { moved } else { number };
        // The first difference is none.
        let learns = !(kernel.frozen || first && kernel.transform == Transform::Difference);
        let deviation = moments[2].sqrt();
        let early = moments[3] < EARLY;
        if learns && early {
            learn(&mut moments[1..], raw, deviation, kernel.fade);
        }
        let (mean, now) = (moments[1], moments[2].sqrt());
        if learns && !early {
            learn(&mut moments[1..], raw, deviation, kernel.fade);
        }
        if kernel.transform != Transform::Normalise {
            return held(raw);
        }
        self.units[value] = (mean, now);
        held(standing(raw, mean, now))
    }

    /// A value that the point does not have was taken to be this: the next difference is from there.
    pub(super) fn assume(&mut self, value: usize, entered: f32) {
        if self.kernel.transform == Transform::Difference {
            self.moments[value * OF_VALUE] += f64::from(entered);
        }
    }

    /// The time since the last point as it enters the shingle: in deviations from the usual gap, as wide as the values are.
    pub(super) fn enter_time(&mut self, time: i64, first: bool) -> f32 {
        let kernel = self.kernel;
        let (values, clock) = self.moments.split_at_mut(kernel.inputs * OF_VALUE);
        let before = ((clock[0] as i64) << 32) | clock[1] as i64;
        clock[0] = (time >> 32) as f64;
        clock[1] = (time & 0xFFFF_FFFF) as f64;
        if first {
            return 0.0;
        }
        let gap = (time - before) as f64;
        let deviation = clock[3].sqrt().max(GAP_SHARE * clock[2]);
        let far = if clock[4] > 0.0 && deviation > 0.0 {
            ((gap - clock[2]) / deviation).clamp(-GAP_FAR, GAP_FAR)
        } else {
            0.0
        };
        if !kernel.frozen {
            learn(&mut clock[2..], gap, deviation, kernel.fade);
        }
        if kernel.transform == Transform::Normalise {
            return held(far);
        }
        let wide: f64 = values.chunks(OF_VALUE).map(|of| of[2].sqrt()).sum();
        held(far * wide / kernel.inputs as f64)
    }

    /// Numbers that enter in the place of values asked about: a shingle of values as it would enter now, oldest first,
    /// in a transform by differences with one point more before it.
    pub(super) fn enter_all(&self, values: &[f64], point: &mut [f32], known: &mut [f32]) {
        let kernel = self.kernel;
        let (inputs, dims) = (kernel.inputs, kernel.dims);
        let differs = kernel.transform == Transform::Difference;
        for at in 0..kernel.shingle {
            for k in 0..dims {
                let place = at * dims + k;
                // A gap as usual, for times are not asked about.
                (point[place], known[place]) = (0.0, 1.0);
                if k == inputs {
                    continue;
                }
                let row = at + usize::from(differs);
                let mut number = values[row * inputs + k].clamp(-VALUE_MAX, VALUE_MAX);
                if differs {
                    number -= values[(row - 1) * inputs + k].clamp(-VALUE_MAX, VALUE_MAX);
                }
                if kernel.transform == Transform::Normalise {
                    let (mean, deviation) = self.units[k];
                    number = standing(number, mean, deviation);
                }
                known[place] =
                    if values[row * inputs + k].is_finite() && !number.is_nan() { 1.0 } else { 0.0 };
                point[place] = if known[place] > 0.0 { held(number) } else { 0.0 };
            }
        }
    }

    /// What a number at a place of the newest shingle is in units of the metric.
    pub(super) fn leave(&self, place: usize, number: f64) -> f64 {
        let (dims, kernel) = (self.kernel.dims, self.kernel);
        let value = place % dims;
        if value >= kernel.inputs {
            return f64::NAN;
        }
        match kernel.transform {
            Transform::Plain => number,
            Transform::Normalise => {
                let (mean, deviation) = self.units[value];
                mean + deviation * number
            }
            Transform::Difference => {
                // From the newest value back to the one before this place, then on by the number.
                let moved: f64 = self.shingle[place..].iter().step_by(dims).map(|&d| f64::from(d)).sum();
                self.moments[value * OF_VALUE] - moved + number
            }
        }
    }

    /// The newest value in units of the metric.
    pub(super) fn newest(&self, value: usize) -> f64 {
        let from = self.shingle.len() - self.kernel.dims;
        self.leave(from + value, f64::from(self.shingle[from + value]))
    }

    /// The value after `before`, in units of the metric, where this number comes next.
    pub(super) fn follow(&self, value: usize, before: f64, number: f64) -> f64 {
        match self.kernel.transform {
            Transform::Plain => number,
            Transform::Difference => before + number,
            Transform::Normalise => {
                let (mean, deviation) = self.units[value];
                mean + deviation * number
            }
        }
    }

    /// True if the numbers kept are such as some forest wrote.
    pub(super) fn measured(&self) -> bool {
        let values = self.kernel.inputs * OF_VALUE;
        let sound = |of: &[f64]| of[1] >= 0.0 && of[2] >= 0.0;
        self.moments.iter().all(|m| m.abs() < 1e300)
            && self.moments[..values.min(self.moments.len())].chunks(OF_VALUE).all(|of| sound(&of[1..]))
            && self.moments.get(values..).unwrap_or(&[]).chunks(OF_TIME).all(|of| sound(&of[2..]))
    }
}
