//! Exponentially weighted mean and scale in Huber's manner: a residual counts at most `clip` scales.
//!
//! State: `first` f64[warm_up] (the values of the warm-up), `level` f64[4] = (mean, variance, sum of squared weights
//! of the mean, weight not yet given out), `count` i64[1] (values folded, up to `warm_up`).

use super::distance::Answers;
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

/// What is known of one series.
#[derive(Clone, Copy)]
struct Level {
    mean: f64,
    variance: f64,
    /// Variance of the mean in variances of one value: the sum of its squared weights.
    error: f64,
    /// Weight not yet given out, (1 - gain)^t.
    left: f64,
}

/// What follows from `error` alone: it stands still in the long run, and is then not computed again.
struct Spread {
    error: f64,
    /// Variance of the next residual in variances of one value.
    square: f64,
    root: f64,
    /// Turns the square of a learned residual into a variance of one value.
    per_square: f64,
}

/// Squares of residuals beyond this are learned as this: what is summed must stay finite.
const SQUARE_MAX: f64 = 1e300;
/// Variances below this are none.
const VARIANCE_MIN: f64 = 1e-290;
/// A weight not given out that is lost in rounding: one less it is one.
const ALL_GIVEN: f64 = f64::EPSILON / 8.0;
/// Scales below this part of the mean are rounding, not noise.
const RESOLUTION: f64 = 1e-12;
/// Turns the median absolute deviation of a normal law into its standard deviation.
const PER_MEDIAN: f64 = 1.4826;
/// The same for the mean absolute deviation, sqrt(pi / 2).
const PER_MEAN: f64 = 1.2533141373155003;

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

/// A residual beyond the limit, and its square: apart, and never in line, or a compiler computes it for every point.
#[cold]
#[inline(never)]
fn drawn_in(mut residual: f64, mut square: f64, limit_square: f64) -> (f64, f64) {
    if square > limit_square {
        residual = limit_square.sqrt().copysign(residual);
        square = limit_square;
    }
    if square > SQUARE_MAX {
        // The mean takes all of it, or it could never come back from a number like 1e200.
        residual = residual.clamp(-f64::MAX, f64::MAX);
        square = SQUARE_MAX;
    }
    (residual, square)
}

impl Ewma {
    pub fn new(half_life: f64, clip: f64, scale_min: f64, width: f64) -> Self {
        let gain = -libm::expm1(-std::f64::consts::LN_2 / half_life);
        Self { gain, clip, kept: kept_square(clip), scale_min, width }
    }

    fn spread(&self, error: f64) -> Spread {
        let square = 1.0 + error;
        Spread { error, square, root: square.sqrt(), per_square: 1.0 / (self.kept * square) }
    }

    /// Variance of the noise, not below the floor.
    #[inline]
    fn noise_square(&self, level: &Level) -> f64 {
        let floor = self.scale_min.max(RESOLUTION * level.mean.abs());
        level.variance.max(floor * floor)
    }

    /// Learns a residual of at most the square root of `limit_square`; in full, if that is infinite.
    #[inline]
    fn learn(&self, level: &mut Level, spread: &Spread, value: f64, limit_square: f64) {
        let mut residual = value - level.mean;
        let mut square = residual * residual;
        // No root is taken where nothing is clipped, which keeps the chain from point to point short.
        if square > limit_square.min(SQUARE_MAX) {
            (residual, square) = drawn_in(residual, square, limit_square);
        }
        let left = level.left * (1.0 - self.gain);
        // Weights add up to one from the first point on: these are gain / (1 - (1 - gain)^t).
        let (mut for_mean, mut for_variance) = (self.gain, self.gain);
        if level.left > 0.0 {
            for_mean = self.gain / (1.0 - left);
            for_variance = self.gain / (1.0 - level.left);
        }
        level.mean += for_mean * residual;
        level.variance += for_variance * (square * spread.per_square - level.variance);
        level.error = (1.0 - for_mean) * (1.0 - for_mean) * level.error + for_mean * for_mean;
        // Numbers too small to matter become zero before they become slow.
        level.left = if left > ALL_GIVEN { left } else { 0.0 };
        if level.variance < VARIANCE_MIN {
            level.variance = 0.0;
        }
    }

    /// The warm-up is over: its values, outliers drawn in, are folded in order.
    fn open(&self, first: &[f64]) -> Level {
        let mut sorted = first.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let centre = middle(&sorted);
        let mut deviations: Vec<f64> = sorted.iter().map(|v| (v - centre).abs()).collect();
        deviations.sort_unstable_by(f64::total_cmp);
        let mut robust = PER_MEDIAN * middle(&deviations);
        if robust == 0.0 {
            // Most values are equal; the others are what little is known of the noise.
            robust = PER_MEAN * deviations.iter().sum::<f64>() / deviations.len() as f64;
        }
        let reach = self.clip * robust.max(self.scale_min).max(RESOLUTION * centre.abs());
        let near = |value: f64| if reach > 0.0 { value.clamp(centre - reach, centre + reach) } else { value };
        let mut level = Level { mean: near(first[0]), variance: 0.0, error: 1.0, left: 1.0 - self.gain };
        for &value in &first[1..] {
            let spread = self.spread(level.error);
            self.learn(&mut level, &spread, near(value), f64::INFINITY);
        }
        level
    }
}

impl Kernel for Ewma {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([first, packed]) = <[&mut [f64]; 2]>::try_from(row.f64s) else {
            unreachable!("two f64 arrays")
        };
        let Ok([count]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        let mut level = Level { mean: packed[0], variance: packed[1], error: packed[2], left: packed[3] };
        let mut seen = count[0] as usize;
        let mut spread = self.spread(level.error);
        let mut answers = Answers::of(slice, self.width);
        answers.say_all(|values, expected, scale| {
            for ((&value, expected), scale) in values.iter().zip(expected).zip(scale) {
                if seen < first.len() {
                    (*expected, *scale) = (f64::NAN, f64::NAN);
                    if value.is_finite() {
                        first[seen] = value;
                        seen += 1;
                        if seen == first.len() {
                            level = self.open(first);
                            spread = self.spread(level.error);
                        }
                    }
                    continue;
                }
                let noise_square = self.noise_square(&level);
                (*expected, *scale) = (level.mean, noise_square.sqrt() * spread.root);
                if value.is_finite() {
                    let limit_square = self.clip * self.clip * spread.square * noise_square;
                    // Without any scale nothing could ever be learned: then the whole residual is.
                    let limited = noise_square > VARIANCE_MIN && limit_square < SQUARE_MAX;
                    self.learn(
                        &mut level,
                        &spread,
                        value,
                        if limited { limit_square } else { f64::INFINITY },
                    );
                    if level.error != spread.error {
                        spread = self.spread(level.error);
                    }
                }
            }
        });
        packed.copy_from_slice(&[level.mean, level.variance, level.error, level.left]);
        count[0] = seen as i64;
    }
}
