//! Robust recursive least squares on lags, means and the time of day and week; the residual in its scale is the score.
//!
//! State: `weights` f64[FEATURES], `cov` f64[PAIRS] (upper triangle, row by row), `run` f64[RUN], `hours` f64[48]
//! (mean, count), `day` f64[576] (profile, last visit), `counts` f64[288], `week` f64[336], `clock` i64[CLOCK].

use super::fleet::{Kernel, Slice};

pub const FEATURES: usize = 7;
pub const PAIRS: usize = FEATURES * (FEATURES + 1) / 2;
pub const RUN: usize = 19;
pub const CLOCK: usize = 6;
pub const DAY_BINS: usize = 288;
pub const WEEK_BINS: usize = 336;
const DAY_BIN: i64 = 300_000_000_000;
const WEEK_BIN: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// Values are clamped to this, so that no difference or product overflows.
const LARGEST: f64 = 1e140;
/// Features are clamped to this many units: one value cannot own the fit.
const LEVERAGE: f64 = 50.0;
const SPEAKS: f64 = 8.0;
/// Values in a row that may be far out before they are the new level.
const FAR_MOST: f64 = 3.0;
const WARM: f64 = 100.0;
/// E|e| to standard deviation of a normal law.
const TO_SIGMA: f64 = 1.2533;
/// Smallest scale against the size of the values: what is left of rounding.
const RESOLUTION: f64 = 1e-12;

/// Variances of the weights before anything is learned: lags may weigh about 1, profiles must earn it.
const PRIOR: [f64; FEATURES] = [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1];

const LAGS: usize = 0;
const FAST: usize = 3;
const SLOW: usize = 4;
const UNIT: usize = 5;
const SCALE: usize = 6;
const SCALE_SLOW: usize = 7;
const SEEN: usize = 8;
const FAR: usize = 9;
const SIZE: usize = 10;
const DAY_VISIT: usize = 12;
const WEEK_VISIT: usize = 14;
const HOUR_VISIT: usize = 16;
const FIT_UNIT: usize = 18;

/// Places in `clock`: last time, likely interval and its votes, current slot of day, week and hour.
const LAST: usize = 0;
const INTERVAL: usize = 1;
const VOTES: usize = 2;
const DAY_SLOT: usize = 3;
const WEEK_SLOT: usize = 4;
const HOUR_SLOT: usize = 5;

pub struct Residual {
    pub forget: f64,
    pub huber: f64,
    pub width: f64,
}

/// One series' state by name.
struct Memory<'a> {
    weights: &'a mut [f64],
    cov: &'a mut [f64],
    run: &'a mut [f64],
    hours: &'a mut [f64],
    day: &'a mut [f64],
    counts: &'a mut [f64],
    week: &'a mut [f64],
    clock: &'a mut [i64],
}

struct Forecast {
    features: [f64; FEATURES],
    /// In units of the metric.
    expected: f64,
    scale: f64,
}

/// Closes the visit of a slot when time has left it: its mean, if it had points.
fn leave(run: &mut [f64], visit: usize, slot: &mut i64, now: i64) -> Option<(i64, f64, f64)> {
    let (old, sum, count) = (*slot, run[visit], run[visit + 1]);
    if old == now {
        return None;
    }
    *slot = now;
    run[visit] = 0.0;
    run[visit + 1] = 0.0;
    (count > 0.0).then(|| (old, sum / count, count))
}

impl Memory<'_> {
    /// Moves the clock on: votes for an interval, closes visits, drops lags that a gap made stale.
    fn tick(&mut self, time: i64) {
        let step = time.saturating_sub(self.clock[LAST]);
        if self.run[SEEN] > 0.0 {
            if step == self.clock[INTERVAL] {
                self.clock[VOTES] = (self.clock[VOTES] + 1).min(64);
            } else if self.clock[VOTES] > 0 {
                self.clock[VOTES] -= 1;
            } else {
                self.clock[INTERVAL] = step;
            }
        }
        self.clock[LAST] = time;
        if let Some((slot, mean, _)) =
            leave(self.run, DAY_VISIT, &mut self.clock[DAY_SLOT], time.div_euclid(DAY_BIN))
        {
            let bin = slot.rem_euclid(DAY_BINS as i64) as usize;
            self.counts[bin] = (self.counts[bin] + 1.0).min(4.0);
            self.day[bin] += (mean - self.day[bin]) / self.counts[bin];
            self.day[DAY_BINS + bin] = mean;
        }
        if let Some((slot, mean, _)) =
            leave(self.run, WEEK_VISIT, &mut self.clock[WEEK_SLOT], time.div_euclid(WEEK_BIN))
        {
            self.week[slot.rem_euclid(WEEK_BINS as i64) as usize] = mean;
        }
        if let Some((slot, mean, count)) =
            leave(self.run, HOUR_VISIT, &mut self.clock[HOUR_SLOT], time.div_euclid(HOUR))
        {
            let bin = slot.rem_euclid(24) as usize;
            let n = (self.hours[24 + bin] + count).min((8.0 * count).max(100.0));
            self.hours[24 + bin] = n;
            self.hours[bin] += (mean - self.hours[bin]) * count / n;
        }
        if self.clock[VOTES] > 8 && step / 12 > self.clock[INTERVAL] {
            let usual = self.run[SLOW] + self.profile(time)[0];
            self.run[LAGS..LAGS + 3].fill(usual);
            self.run[FAST] = usual;
        }
    }

    /// What the time of day, yesterday and last week say, as distances from the slow mean at that time, so that they
    /// hold at any level; the next coarser one where there is nothing.
    fn profile(&self, time: i64) -> [f64; 3] {
        let bin = time.div_euclid(DAY_BIN).rem_euclid(DAY_BINS as i64) as usize;
        let yesterday = self.day[DAY_BINS + bin];
        let week = self.week[time.div_euclid(WEEK_BIN).rem_euclid(WEEK_BINS as i64) as usize];
        [self.day[bin], yesterday, if week.is_nan() { yesterday } else { week }]
    }

    /// How much wider the residual is at this hour than on the whole, interpolated, shrunk to 1 while little is known.
    fn hour_factor(&self, time: i64) -> f64 {
        let at = |bin: usize| {
            let n = self.hours[24 + bin];
            ((30.0 + n * self.hours[bin]) / (30.0 + n)).max(0.2)
        };
        let place = (time.rem_euclid(24 * HOUR) as f64) / HOUR as f64 - 0.5;
        let place = if place < 0.0 { place + 24.0 } else { place };
        let bin = place as usize;
        let part = place - bin as f64;
        at(bin % 24) * (1.0 - part) + at((bin + 1) % 24) * part
    }

    fn scale(&self) -> f64 {
        self.run[SCALE].max(0.2 * self.run[SCALE_SLOW]).max(RESOLUTION * self.run[SIZE])
    }

    /// What features are measured in; a noise that begins after silence is known by its residuals first.
    fn unit(&self) -> f64 {
        self.run[UNIT].max(self.run[SCALE])
    }

    fn forecast(&self, time: i64) -> Forecast {
        let (level, unit) = (self.run[SLOW], self.unit());
        let mut features = [0.0; FEATURES];
        if unit > 0.0 {
            let [usual, yesterday, week] = self.profile(time);
            let [one, two, three, fast] =
                [LAGS, LAGS + 1, LAGS + 2, FAST].map(|place| self.run[place] - level);
            let sources = [one, two, three, fast, usual, yesterday, week];
            for (feature, source) in features.iter_mut().zip(sources) {
                *feature = (source / unit).clamp(-LEVERAGE, LEVERAGE);
            }
        }
        let ahead: f64 = features.iter().zip(self.weights.iter()).map(|(f, w)| f * w).sum();
        Forecast {
            features,
            expected: level + unit * ahead.clamp(-LEVERAGE, LEVERAGE),
            scale: self.scale() * self.hour_factor(time),
        }
    }

    /// Recursive least squares with forgetting; the error comes in units and is already clipped.
    fn fit(&mut self, features: &[f64; FEATURES], error: f64, forget: f64) {
        let mut gain = [0.0; FEATURES];
        let mut place = 0;
        for i in 0..FEATURES {
            for j in i..FEATURES {
                gain[i] += self.cov[place] * features[j];
                if j > i {
                    gain[j] += self.cov[place] * features[i];
                }
                place += 1;
            }
        }
        let energy: f64 = gain.iter().zip(features).map(|(g, f)| g * f).sum();
        if !(0.0..1e12).contains(&energy) {
            self.reset();
            return;
        }
        let divisor = 1.0 / (forget + energy);
        let (mut shrink, mut place) = ([1.0; FEATURES], 0);
        for i in 0..FEATURES {
            self.weights[i] += gain[i] * error * divisor;
            for j in i..FEATURES {
                self.cov[place] = (self.cov[place] - gain[i] * gain[j] * divisor) / forget;
                if i == j && self.cov[place] > PRIOR[i] {
                    shrink[i] = (PRIOR[i] / self.cov[place]).sqrt();
                }
                place += 1;
            }
        }
        if shrink.iter().any(|&s| s < 1.0) {
            self.scale_cov(&shrink);
        }
    }

    /// What was learned in a smaller unit weighs less in a larger one, as its squares say.
    fn change_unit(&mut self, unit: f64) {
        let before = if self.run[FIT_UNIT] > 0.0 { self.run[FIT_UNIT] } else { unit };
        let ratio = (unit / before).clamp(1e-6, 1e6);
        self.cov.iter_mut().for_each(|c| *c *= ratio * ratio);
        self.run[FIT_UNIT] = unit;
    }

    /// Holds variances at their prior: a feature that says nothing for weeks must not explode when it speaks again.
    fn scale_cov(&mut self, shrink: &[f64; FEATURES]) {
        let mut place = 0;
        for i in 0..FEATURES {
            for j in i..FEATURES {
                self.cov[place] *= shrink[i] * shrink[j];
                place += 1;
            }
        }
    }

    /// The covariance no longer is one: begin it anew, keep the weights.
    fn reset(&mut self) {
        let mut place = 0;
        for (i, &variance) in PRIOR.iter().enumerate() {
            self.cov[place..place + FEATURES - i].fill(0.0);
            self.cov[place] = variance;
            place += FEATURES - i;
        }
    }

    /// Learns a finite value. Up to three values in a row that are far out enter the state as little more than the
    /// forecast, so that a spike leaves no echo; from the fourth on they are the new level.
    fn learn(&mut self, value: f64, forecast: &Forecast, kernel: &Residual) {
        let seen = self.run[SEEN] + 1.0;
        self.run[SEEN] = seen;
        if seen == 1.0 {
            self.reset();
            self.anchor(value);
        }
        let expected = if seen == 1.0 { value } else { forecast.expected };
        let (scale, error) = (self.scale(), value - expected);
        let known = seen > SPEAKS && scale > 0.0;
        let limit = if known { 6.0 * scale } else { 2.0 * LARGEST };
        let unit = self.unit();
        // A feature at its bound says nothing of proportions.
        if unit > 0.0 && seen > 4.0 && forecast.features.iter().all(|f| f.abs() < LEVERAGE) {
            let most = if known { kernel.huber * scale } else { 2.0 * LARGEST };
            let clipped = (error.clamp(-most, most) / unit).clamp(-LEVERAGE, LEVERAGE);
            self.change_unit(unit);
            self.fit(&forecast.features, clipped, kernel.forget);
        }
        if seen > 2.0 {
            self.learn_scale(error, scale, known, seen);
        }
        self.run[FAR] = if error.abs() > limit { (self.run[FAR] + 1.0).min(60.0) } else { 0.0 };
        if self.run[FAR] > FAR_MOST {
            self.anchor(value);
            self.learn_level(value, seen);
        } else {
            self.learn_level(expected + error.clamp(-limit, limit), seen);
        }
    }

    fn anchor(&mut self, value: f64) {
        self.run[LAGS..LAGS + 3].fill(value);
        self.run[FAST] = value;
        self.run[SLOW] = value;
    }

    fn learn_scale(&mut self, error: f64, scale: f64, known: bool, seen: f64) {
        let size = TO_SIGMA * error.abs();
        // While values stay out the limit doubles: a wider noise is learned, a single spike is not.
        let most = if known { 4.0 * scale * libm::exp2(self.run[FAR]) } else { f64::MAX };
        self.run[SCALE] += (size.min(most) - self.run[SCALE]) * (1.0 / (seen - 2.0)).max(0.005);
        self.run[SCALE_SLOW] += (size.min(most) - self.run[SCALE_SLOW]) * (1.0 / (seen - 2.0)).max(0.0005);
        if known {
            let bin = self.clock[HOUR_SLOT].rem_euclid(24) as usize;
            let usual = if self.hours[24 + bin] > 0.0 { self.hours[bin] } else { 1.0 };
            self.run[HOUR_VISIT] += (size / scale).min(5.0 * usual.max(0.3));
            self.run[HOUR_VISIT + 1] += 1.0;
        }
    }

    fn learn_level(&mut self, value: f64, seen: f64) {
        let run = &mut self.run;
        let away = (value - run[FAST]).abs();
        let known = run[UNIT] > 0.0 && seen > SPEAKS;
        let most = if known { 10.0 * run[UNIT] * libm::exp2(run[FAR]) } else { f64::MAX };
        let above_mean = (value - run[SLOW]).clamp(-most, most);
        run[UNIT] += (away.min(most) - run[UNIT]) * (1.0 / seen).max(0.002);
        run[SIZE] += (value.abs() - run[SIZE]) * (1.0 / seen).max(0.01);
        run[FAST] += (value - run[FAST]) * (1.0 / seen).max(0.2);
        run[SLOW] += (value - run[SLOW]) * (1.0 / seen).max(0.01);
        run[LAGS + 2] = run[LAGS + 1];
        run[LAGS + 1] = run[LAGS];
        run[LAGS] = value;
        for visit in [DAY_VISIT, WEEK_VISIT] {
            run[visit] += above_mean;
            run[visit + 1] += 1.0;
        }
    }
}

impl Kernel for Residual {
    fn step(&self, slice: &mut Slice<'_>) {
        let [weights, cov, run, hours, day, counts, week] = &mut slice.row.f64s[..] else {
            unreachable!("seven f64 arrays")
        };
        let [clock] = &mut slice.row.i64s[..] else { unreachable!("one i64 array") };
        let mut memory = Memory { weights, cov, run, hours, day, counts, week, clock };
        let [score, expected, lower, upper, scale, flags] = &mut slice.outputs[..] else {
            unreachable!("six outputs")
        };
        for (i, (&time, &raw)) in slice.times.iter().zip(slice.values).enumerate() {
            memory.tick(time);
            let forecast = memory.forecast(time);
            let seen = memory.run[SEEN];
            if seen >= SPEAKS {
                let half = self.width * forecast.scale;
                expected[i] = forecast.expected;
                scale[i] = forecast.scale;
                lower[i] = forecast.expected - half;
                upper[i] = forecast.expected + half;
                if raw.is_finite() {
                    // A series that never moved has no scale: equal is 0, different is infinitely strange, capped.
                    let gap = (raw - forecast.expected).abs();
                    score[i] = if gap > 0.0 { (gap / forecast.scale).min(f64::MAX) } else { 0.0 };
                }
            }
            flags[i] = if seen < WARM { 4.0 } else { 0.0 };
            if raw.is_finite() {
                memory.learn(raw.clamp(-LARGEST, LARGEST), &forecast, self);
            }
        }
    }
}
