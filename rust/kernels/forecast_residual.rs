//! Forecast residual: how far a value is from what a forecaster said one step ahead, in the median of its last errors.
//!
//! State, f64: `filled`[window] values by point number, a gap is the value before it; `weights`[lags + 2], see `ridge`;
//! `errors`[spread] sizes of the last errors, a ring; `sorted`[spread] the same in order; `slots` of `seasons`;
//! `run`[3] = (level, trend, last value). u16: `known`[window], whether a value was there. i64: `slot_times`; `head`[4] =
//! (points, errors, next place of an error, period of the last fit). `leads`, `spells`, `spell`: see `forecast_leads`.

use super::distance::Answers;
use super::fleet::{Kernel, Slice};
use super::forecast_leads::{Spells, ODD};
use super::ridge::{self, History};
use super::seasons::Seasons;

#[derive(Clone, Copy, PartialEq)]
pub enum Model {
    /// Linear in the last values.
    Ridge,
    /// The value of the season before.
    SeasonalNaive,
    /// Level, damped trend and season, each following at its own rate.
    Smoothing,
}

pub struct ForecastResidual {
    pub model: Model,
    pub alpha: f64,
    /// Length of a season, ns; 0 is none.
    pub season: i64,
    /// The ridge is fitted anew when a multiple of this passes, ns.
    pub refit: i64,
    /// Rates at which level, trend and season follow.
    pub rates: [f64; 3],
    pub width: f64,
}

/// Errors that are seen before there is an opinion.
const ERRORS_MIN: usize = 48;
/// Median size of a normal law to its standard deviation, and mean size.
const PER_MEDIAN: f64 = 1.4826;
const PER_MEAN: f64 = 1.2533141373155003;
const DAMPING: f64 = 0.98;
/// Level, trend and season are moved by at most so many scales.
const FAR: f64 = 16.0;
/// Values are clamped to this, so that no sum of squares overflows.
const LARGEST: f64 = 1e140;
/// Smallest scale against what was expected: what is left of rounding.
const RESOLUTION: f64 = 1e-9;

const POINTS: usize = 0;
const COUNT: usize = 1;
const PLACE: usize = 2;
const PERIOD: usize = 3;
const LEVEL: usize = 0;
const TREND: usize = 1;
const LAST: usize = 2;

/// The sizes of the last errors, in order of time and of size.
struct Errors<'a> {
    ring: &'a mut [f64],
    sorted: &'a mut [f64],
}

impl Errors<'_> {
    fn push(&mut self, head: &mut [i64], size: f64) {
        let spread = self.ring.len();
        let count = (head[COUNT] as usize).min(spread);
        let place = head[PLACE] as usize % spread;
        let from = if count == spread {
            let old = self.ring[place];
            self.sorted.partition_point(|&v| v < old).min(spread - 1)
        } else {
            head[COUNT] += 1;
            count
        };
        self.ring[place] = size;
        head[PLACE] = ((place + 1) % spread) as i64;
        let live = head[COUNT] as usize;
        // Closed where the old one was, opened where the new one belongs.
        self.sorted.copy_within(from + 1..live.max(from + 1), from);
        let to = self.sorted[..live - 1].partition_point(|&v| v < size);
        self.sorted.copy_within(to..live - 1, to + 1);
        self.sorted[to] = size;
    }

    /// Robust standard deviation; NaN while too few are known.
    fn scale(&self, head: &[i64]) -> f64 {
        let count = (head[COUNT] as usize).min(self.ring.len());
        if count < ERRORS_MIN.min(self.ring.len()) {
            return f64::NAN;
        }
        let live = &self.sorted[..count];
        let median = 0.5 * live[(count - 1) / 2] + 0.5 * live[count / 2];
        if median > 0.0 {
            return PER_MEDIAN * median;
        }
        let mut sum = 0.0;
        for size in live {
            sum += size;
        }
        PER_MEAN * sum / count as f64
    }
}

/// The state of one series.
struct Course<'a> {
    kernel: &'a ForecastResidual,
    filled: &'a mut [f64],
    known: &'a mut [u16],
    weights: &'a mut [f64],
    seasons: Seasons<'a>,
    errors: Errors<'a>,
    run: &'a mut [f64],
    head: &'a mut [i64],
}

impl Course<'_> {
    fn next(&self) -> usize {
        (self.head[POINTS] as u64 % self.filled.len() as u64) as usize
    }

    /// Fits the ridge to the window, in order of time.
    fn refit(&mut self, time: i64) {
        let period = time.div_euclid(self.kernel.refit);
        let fitted = !self.weights[0].is_nan();
        let due = if fitted { period != self.head[PERIOD] } else { self.head[POINTS] % 16 == 0 };
        let lags = self.weights.len() - 2;
        if !due || self.head[POINTS] < 3 * lags as i64 {
            return;
        }
        let count = (self.head[POINTS] as usize).min(self.filled.len());
        let next = if count < self.filled.len() { 0 } else { self.next() };
        let turned = |at: usize| (next + at) % self.filled.len();
        let filled: Vec<f64> = (0..count).map(|at| self.filled[turned(at)]).collect();
        let known: Vec<bool> = (0..count).map(|at| self.known[turned(at)] != 0).collect();
        ridge::fit(&History { filled: &filled, known: &known }, self.kernel.alpha, self.weights);
        self.head[PERIOD] = period;
    }

    fn linear(&self) -> f64 {
        let lags = self.weights.len() - 2;
        let (size, next) = (self.filled.len(), self.next());
        if self.head[POINTS] < lags as i64 {
            return f64::NAN;
        }
        let (intercept, anchor) = (self.weights[lags], self.weights[lags + 1]);
        let mut sum = intercept;
        for (k, weight) in self.weights[..lags].iter().enumerate() {
            sum += weight * (self.filled[(next + size - lags + k) % size] - anchor);
        }
        anchor + sum
    }

    fn expected(&mut self, time: i64) -> f64 {
        match self.kernel.model {
            Model::Ridge => {
                self.refit(time);
                self.linear()
            }
            Model::SeasonalNaive => self.seasons.before(time).unwrap_or(self.run[LAST]),
            Model::Smoothing => {
                let ahead = self.run[LEVEL] + DAMPING * self.run[TREND];
                ahead + self.seasons.before(time).unwrap_or(0.0)
            }
        }
    }

    /// What the error of a value is made of, against what was usual just before: the value itself, then the lags and the
    /// level that the ridge falls back to, or the season before, or level, trend and season.
    fn parts(&self, time: i64, value: f64) -> Vec<f64> {
        let last = self.run[LAST];
        match self.kernel.model {
            Model::Ridge => self.linear_parts(value),
            Model::SeasonalNaive => vec![value - last, last - self.seasons.before(time).unwrap_or(last)],
            Model::Smoothing => {
                let (level, trend) = (self.run[LEVEL], DAMPING * self.run[TREND]);
                vec![value - last, last - level, -trend, -self.seasons.before(time).unwrap_or(0.0)]
            }
        }
    }

    fn linear_parts(&self, value: f64) -> Vec<f64> {
        let lags = self.weights.len() - 2;
        let (size, next) = (self.filled.len(), self.next());
        let before: Vec<f64> = (1..=lags).map(|back| self.filled[(next + size - back) % size]).collect();
        let mut ordered = before.clone();
        ordered.sort_by(f64::total_cmp);
        let usual = ordered[lags / 2];
        let mut parts = vec![value - usual];
        let mut whole = 0.0;
        for (back, lag) in before.iter().enumerate() {
            let weight = self.weights[lags - 1 - back];
            whole += weight;
            parts.push(-weight * (lag - usual));
        }
        parts.push(-(self.weights[lags] + (self.weights[lags + 1] - usual) * (1.0 - whole)));
        parts
    }

    fn learn(&mut self, time: i64, value: f64, expected: f64, scale: f64) {
        let known = !value.is_nan();
        match self.kernel.model {
            Model::Ridge => {
                let next = self.next();
                self.filled[next] = if known { value } else { self.run[LAST] };
                self.known[next] = u16::from(known);
            }
            Model::SeasonalNaive if known => self.seasons.write(time, value),
            Model::SeasonalNaive => {}
            Model::Smoothing => self.smooth(time, value, expected, scale),
        }
        if known {
            self.run[LAST] = value;
        }
        self.head[POINTS] = self.head[POINTS].wrapping_add(1);
    }

    fn smooth(&mut self, time: i64, value: f64, expected: f64, scale: f64) {
        let [level, trend, season] = self.kernel.rates;
        if value.is_nan() || expected.is_nan() {
            if !value.is_nan() {
                self.run[LEVEL] = value;
                self.run[TREND] = 0.0;
            } else if !self.run[LEVEL].is_nan() {
                self.run[LEVEL] += DAMPING * self.run[TREND];
                self.run[TREND] *= DAMPING;
            }
            return;
        }
        let most = if scale > 0.0 { FAR * scale } else { f64::INFINITY };
        let moved = (value - expected).clamp(-most, most);
        self.run[LEVEL] += DAMPING * self.run[TREND] + level * moved;
        self.run[TREND] = DAMPING * self.run[TREND] + level * trend * moved;
        // A place of the season that was never seen takes over all that the level does not.
        let before = self.seasons.before(time);
        let rate = if before.is_some() { season } else { 1.0 };
        self.seasons.write(time, before.unwrap_or(0.0) + rate * (1.0 - level) * moved);
    }
}

impl Kernel for ForecastResidual {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([filled, weights, ring, sorted, slots, run, leads]) = <[&mut [f64]; 7]>::try_from(row.f64s)
        else {
            unreachable!("seven f64 arrays")
        };
        let Ok([slot_times, head, spells, spell]) = <[&mut [i64]; 4]>::try_from(row.i64s) else {
            unreachable!("four i64 arrays")
        };
        let Ok([known]) = <[&mut [u16]; 1]>::try_from(row.u16s) else { unreachable!("one u16 array") };
        let seasons = Seasons { values: slots, times: slot_times, season: self.season };
        let errors = Errors { ring, sorted };
        let mut spells = Spells { spells, spell, leads };
        let mut course = Course { kernel: self, filled, known, weights, seasons, errors, run, head };
        let times = slice.times;
        let mut answers = Answers::of(slice, self.width);
        for (i, &time) in times.iter().enumerate() {
            let raw = answers.values[i];
            let value = if raw.is_finite() { raw.clamp(-LARGEST, LARGEST) } else { f64::NAN };
            let expected = course.expected(time);
            let usual = course.errors.scale(course.head);
            let scale = if usual.is_nan() { usual } else { usual.max(RESOLUTION * expected.abs()) };
            if expected.is_nan() || scale.is_nan() {
                answers.pass(i);
            } else {
                answers.say(i, expected, scale);
                let error = value - expected;
                if !error.is_nan() && spells.step(time, error.abs() > ODD * scale) {
                    spells.note(&course.parts(time, value), error);
                }
            }
            if value.is_finite() && expected.is_finite() {
                course.errors.push(course.head, (value - expected).abs());
            }
            course.learn(time, value, expected, scale);
        }
    }
}
