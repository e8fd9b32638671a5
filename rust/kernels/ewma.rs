//! Exponentially weighted mean and scale in Huber's manner: a residual counts at most `clip` scales.
//!
//! State: `first` f64[warm_up] (the values of the warm-up), `level` f64[4] = (mean, variance, sum of squared weights
//! of the mean, weight not yet given out), `count` i64[1] (values folded, up to `warm_up`).

use super::distance::say;
use super::fleet::{Kernel, Slice};

pub struct Ewma {
    gain: f64,
    /// Largest residual in scales that is learned; infinite for none.
    clip: f64,
    /// Part of the square of a clipped standard normal that is left.
    kept: f64,
    scale_min: f64,
    width: f64,
}

/// Residuals beyond this are learned as this: their squares must stay finite.
const RESIDUAL_MAX: f64 = 1e150;
/// Scales below this part of the mean are rounding, not noise.
const RESOLUTION: f64 = 1e-12;
/// Turns the median absolute deviation of a normal law into its standard deviation.
const PER_MEDIAN: f64 = 1.4826;

/// E[min(z², c²)] of a standard normal z.
fn kept_square(clip: f64) -> f64 {
    if clip.is_infinite() {
        return 1.0;
    }
    let tail = libm::erfc(clip / std::f64::consts::SQRT_2);
    let density = libm::exp(-0.5 * clip * clip) / (2.0 * std::f64::consts::PI).sqrt();
    1.0 - tail - 2.0 * clip * density + clip * clip * tail
}

fn middle(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    0.5 * sorted[(n - 1) / 2] + 0.5 * sorted[n / 2]
}

impl Ewma {
    pub fn new(half_life: f64, clip: f64, scale_min: f64, width: f64) -> Self {
        let gain = -libm::expm1(-std::f64::consts::LN_2 / half_life);
        Self { gain, clip, kept: kept_square(clip), scale_min, width }
    }

    /// Scale of the next residual: the noise, and the error of the mean itself.
    fn scale(&self, level: &[f64]) -> f64 {
        let noise = level[1].sqrt().max(self.scale_min).max(RESOLUTION * level[0].abs());
        noise * (1.0 + level[2]).sqrt()
    }

    /// Learns a residual whose largest size is `limit`.
    fn learn(&self, level: &mut [f64], value: f64, limit: f64) {
        let spread = 1.0 + level[2];
        let left = level[3] * (1.0 - self.gain);
        // Weights add up to one from the first point on: these are gain / (1 - (1 - gain)^t).
        let (for_mean, for_variance) = (self.gain / (1.0 - left), self.gain / (1.0 - level[3]));
        let residual = (value - level[0]).clamp(-limit, limit);
        level[0] += for_mean * residual;
        level[1] += for_variance * (residual * residual / (self.kept * spread) - level[1]);
        level[2] = (1.0 - for_mean) * (1.0 - for_mean) * level[2] + for_mean * for_mean;
        level[3] = left;
    }

    /// The warm-up is over: its values, outliers drawn in, are folded in order.
    fn open(&self, level: &mut [f64], first: &[f64]) {
        let mut sorted = first.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let centre = middle(&sorted);
        let mut deviations: Vec<f64> = sorted.iter().map(|v| (v - centre).abs()).collect();
        deviations.sort_unstable_by(f64::total_cmp);
        let floor = self.scale_min.max(RESOLUTION * centre.abs());
        let reach = self.clip * (PER_MEDIAN * middle(&deviations)).max(floor);
        let drawn_in =
            |value: f64| if reach > 0.0 { value.clamp(centre - reach, centre + reach) } else { value };
        level.copy_from_slice(&[drawn_in(first[0]), 0.0, 1.0, 1.0 - self.gain]);
        for &value in &first[1..] {
            self.learn(level, drawn_in(value), RESIDUAL_MAX);
        }
    }

    fn push(&self, first: &mut [f64], level: &mut [f64], count: &mut i64, value: f64, scale: f64) {
        if *count < first.len() as i64 {
            first[*count as usize] = value;
            *count += 1;
            if *count == first.len() as i64 {
                self.open(level, first);
            }
            return;
        }
        // Without any scale nothing could ever be learned: then the whole residual is.
        let reach = self.clip * scale;
        self.learn(level, value, if reach > 0.0 { reach.min(RESIDUAL_MAX) } else { RESIDUAL_MAX });
    }
}

impl Kernel for Ewma {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([first, level]) = <[&mut [f64]; 2]>::try_from(row.f64s) else {
            unreachable!("two f64 arrays")
        };
        let Ok([count]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        for i in 0..slice.values.len() {
            let value = slice.values[i];
            let scale = self.scale(level);
            if count[0] == first.len() as i64 {
                say(slice, i, level[0], scale, self.width);
            }
            if value.is_finite() {
                self.push(first, level, &mut count[0], value, scale);
            }
        }
    }
}
