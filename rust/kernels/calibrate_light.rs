//! The light tier of `calibrate`, for very many series: the same answers from a tenth of the memory and of the time.
//!
//! A tail per side is a histogram in 42 fixed buckets and one generalised Pareto fitted to its moments in logarithms
//! (Dekkers, Einmahl and de Haan). What follows from the past stands still between two fits, 64 points apart in the long
//! run, so that a point costs a comparison, a look-up and one exponential. Budgets only.
//!
//! State: `cells` f32[2 * SIDE] = for each side its buckets and its fit, `life` f64[LIFE], whose places up to
//! `PEAK_QUIET` are those of `life.rs`.

use std::sync::LazyLock;

use super::calibrate::Direction;
use super::fleet::{Kernel, Slice};
use super::incidents::{count_incident, hold, Rate};
use super::life::{EXCESS, HIGH, HOLD_OPEN, INCIDENTS, PEAK, PEAK_QUIET, SEEN, TOTAL};
use super::tail::{FILLS, USED};

const BINS: usize = 42;
// Places in the fit of a side: where the tail begins, -ln p there, scale, shape and weight of the tail, width of the
// prior, highest score but one, limit.
const START: usize = BINS;
const NATS: usize = BINS + 1;
const SIGMA: usize = BINS + 2;
const SHAPE: usize = BINS + 3;
const WEIGHT: usize = BINS + 4;
const UNIT: usize = BINS + 5;
const SECOND: usize = BINS + 6;
const LIMIT: usize = BINS + 7;
const SIDE: usize = BINS + 8;
pub const CELLS: usize = 2 * SIDE;
// Places in `life` beyond those of `life.rs`.
const LIVELY: usize = 12;
const RATE: usize = 13;
const LIMIT_FOR: usize = 16;
/// Signed score at which the present incident opened; infinite once it turned out to be an outage.
const OPENED: usize = 17;
const TAKEN: usize = 18;
const TAKEN_AT: usize = 19;
pub const LIFE: usize = 20;

const SPEAKS: f64 = 20.0;
const SURE: f64 = 1000.0;
const LIVELY_LEAST: f64 = 10.0;
const PRIOR_WIDTH: f64 = 2.5;
const TAIL_LEAST: f64 = 8.0;
const TAKEN_MAX: f64 = 3.0;
const OUTAGE: f64 = -1.0;
/// Largest score that counts.
const HIGHEST: f64 = 1e12;
/// Where little is known of the shape it is this, worth so many points of the tail.
const SHAPE_PRIOR: f64 = 0.05;
const SHAPE_POINTS: f64 = 40.0;

/// Eight buckets an octave from 1 to 8, four from 1/2 to 1 and from 8 to 64: bits of the number, no logarithm.
fn bin_of(z: f64) -> usize {
    let bits = (z as f32).to_bits();
    if z < 0.5 {
        0
    } else if z < 1.0 {
        1 + ((bits >> 21) - (0x3f00_0000 >> 21)) as usize
    } else if z < 8.0 {
        5 + ((bits >> 20) - (0x3f80_0000 >> 20)) as usize
    } else if z < 64.0 {
        29 + ((bits >> 21) - (0x4100_0000 >> 21)) as usize
    } else {
        BINS - 1
    }
}

/// Lower edges of all buckets, and an upper one of the last.
static EDGES: LazyLock<[f64; BINS + 1]> = LazyLock::new(|| {
    std::array::from_fn(|bin| match bin {
        0 => 0.0,
        1..5 => 0.5 + 0.125 * (bin - 1) as f64,
        5..29 => f64::from(1u32 << ((bin - 5) / 8)) * (1.0 + 0.125 * ((bin - 5) % 8) as f64),
        29..41 => f64::from(8u32 << ((bin - 29) / 4)) * (1.0 + 0.25 * ((bin - 29) % 4) as f64),
        41 => 64.0,
        _ => 128.0,
    })
});

/// Logarithms of the edges, and widths in logarithms.
static LOGS: LazyLock<[f64; BINS + 1]> = LazyLock::new(|| EDGES.map(|edge| libm::log(edge.max(0.25))));

pub struct CalibrateLight {
    direction: Direction,
    half_life: f64,
    /// What is left of a count of incidents after a point.
    keeps: f64,
    pub p_limit: Vec<f64>,
}

fn nats_max(seen: f64) -> f64 {
    4.0 * libm::log(seen + 10.0)
}

/// Points between two fits, a power of two.
fn period(seen: f64) -> u64 {
    match seen {
        s if s <= 64.0 => 4,
        s if s <= 256.0 => 8,
        s if s <= 2048.0 => 32,
        _ => 64,
    }
}

/// Weight of the scores in this bucket and above.
fn beyond(side: &[f32], bin: usize) -> f64 {
    f64::from(side[bin.max(1)..BINS].iter().sum::<f32>())
}

/// What was often seen is not news: -ln p is at most this.
fn often(g: f64, points: f64) -> f64 {
    let sure = g - 2.0 * g.sqrt();
    if sure > 0.0 {
        libm::log(points / sure)
    } else {
        f64::INFINITY
    }
}

/// -ln of the fitted tail beyond its start.
fn tail_nats(side: &[f32], z: f64) -> f64 {
    let [start, nats, sigma, shape, weight] =
        [START, NATS, SIGMA, SHAPE, WEIGHT].map(|at| f64::from(side[at]));
    let y = (z - start) / sigma;
    let plain = if shape.abs() < 1e-3 {
        y
    } else if shape * y <= -0.999 {
        return f64::MAX;
    } else {
        libm::log1p(shape * y) / shape
    };
    nats + weight * libm::log1p(plain / weight)
}

/// The score at which `tail_nats` is this.
fn tail_limit(side: &[f32], wanted: f64) -> f64 {
    let [start, nats, sigma, shape, weight] =
        [START, NATS, SIGMA, SHAPE, WEIGHT].map(|at| f64::from(side[at]));
    if wanted <= nats {
        return start;
    }
    let plain = weight * libm::expm1((wanted - nats) / weight);
    let y = if shape.abs() < 1e-3 { plain } else { libm::expm1(shape * plain) / shape };
    start + sigma * y
}

impl CalibrateLight {
    pub fn new(direction: Direction, half_life: f64, p_limit: Vec<f64>) -> Self {
        let keeps = libm::exp2(-1.0 / (1.4 * half_life));
        Self { direction, half_life, keeps, p_limit }
    }

    /// Ln of a side's share of the false alarms, and whether the side counts.
    fn shares(&self) -> (f64, [bool; 2]) {
        match self.direction {
            Direction::Both => (std::f64::consts::LN_2, [true, true]),
            Direction::Above => (0.0, [true, false]),
            Direction::Below => (0.0, [false, true]),
        }
    }

    /// -ln p of level 1 for a score on a side.
    fn nats(&self, side: &[f32], life: &[f64], z: f64) -> f64 {
        let seen = life[SEEN];
        let (ln_side, _) = self.shares();
        let (start, at_start) = (f64::from(side[START]), f64::from(side[NATS]));
        if start > 0.0 && z < start {
            // The body, between the middle and the start of the tail: as a normal law bends.
            let part = z / start;
            return (part * part * at_start - ln_side).max(0.0);
        }
        let unit = PRIOR_WIDTH * f64::from(side[UNIT]);
        let mut prior = 0.5 * (z / unit) * (z / unit);
        if life[LIVELY] < LIVELY_LEAST {
            prior = prior.min(libm::log((seen + 2.0) / 0.1));
        }
        let fitted = if start > 0.0 { tail_nats(side, z) - ln_side } else { 0.0 };
        let news = if z < 0.5 { 0.0 } else { often(beyond(side, bin_of(z)), life[TOTAL]) - ln_side };
        prior.max(fitted).min(news.max(at_start - ln_side)).max(0.0)
    }

    /// Fits the tail of a side anew, and its prior.
    fn fit(&self, side: &mut [f32], life: &[f64]) {
        let (seen, points) = (life[SEEN], life[TOTAL]);
        side[UNIT] = (f64::from(side[SECOND]) / 3.2).max(1.0) as f32;
        (side[START], side[NATS]) = (0.0, 0.0);
        if seen < USED || points <= 0.0 {
            return;
        }
        let wanted = (0.05 * points).max((0.15 * points).min(50.0));
        let (mut weight, mut start) = (0.0, BINS);
        while start > 1 && weight < wanted {
            start -= 1;
            weight += f64::from(side[start]);
        }
        if weight < TAIL_LEAST {
            return;
        }
        let (ln_start, low) = (LOGS[start], EDGES[start]);
        let (mut first, mut second, mut width) = (0.0, 0.0, 0.0);
        for bin in start..BINS {
            let share = f64::from(side[bin]) / weight;
            let y = 0.5 * (LOGS[bin] + LOGS[bin + 1]) - ln_start;
            first += share * y;
            second += share * y * y;
            width += share * (LOGS[bin + 1] - LOGS[bin]);
        }
        // Within a bucket scores fall off about as fast as the tail does: their mean lies below the middle.
        let rate = width / first;
        let inside = width * (1.0 / rate - 1.0 / libm::expm1(rate) - 0.5);
        second += 2.0 * inside * first + width * width / 12.0;
        first += inside;
        let bend = 1.0 - 0.5 / (1.0 - (first * first / second).min(0.95));
        let shape = ((weight * (first + bend) + SHAPE_POINTS * SHAPE_PRIOR) / (weight + SHAPE_POINTS))
            .clamp(-0.4, 0.8);
        side[START] = low as f32;
        side[NATS] = libm::log(points / weight) as f32;
        side[SHAPE] = shape as f32;
        side[SIGMA] = (low * first * (1.0 - bend.min(0.0))).max(1e-6) as f32;
        side[WEIGHT] = weight as f32;
        let age = (seen / USED).sqrt();
        side[UNIT] = (f64::from(side[UNIT]) * age * age.sqrt()) as f32;
    }

    /// What stands still until the next fit: tails, rate of incidents, limits.
    fn refit(&self, cells: &mut [f32], life: &mut [f64], ln_limit: f64) {
        cells.chunks_exact_mut(SIDE).for_each(|side| self.fit(side, life));
        let rate = Rate::of(life);
        life[RATE..RATE + 3].copy_from_slice(&[rate.ln_rate, rate.mean, rate.k]);
        self.limits(cells, life, ln_limit);
    }

    fn limits(&self, cells: &mut [f32], life: &mut [f64], ln_limit: f64) {
        life[LIMIT_FOR] = ln_limit;
        let seen = life[SEEN];
        let (ln_side, counts) = self.shares();
        let wanted = if seen >= USED { rate(life).invert(-ln_limit) } else { -ln_limit };
        for (side, counts) in cells.chunks_exact_mut(SIDE).zip(counts) {
            let prior = (2.0 * wanted).sqrt() * PRIOR_WIDTH * f64::from(side[UNIT]);
            let quiet = life[LIVELY] < LIVELY_LEAST && wanted > libm::log((seen + 2.0) / 0.1);
            let mut limit = if quiet { f64::INFINITY } else { prior };
            if side[START] > 0.0 {
                limit = limit.min(tail_limit(side, wanted + ln_side));
            }
            let mut g = 0.0;
            for bin in (1..BINS).rev() {
                g += f64::from(side[bin]);
                if g > 1.0 && often(g, life[TOTAL]) - ln_side < wanted {
                    limit = limit.max(EDGES[bin + 1]);
                    break;
                }
            }
            let reachable = counts && wanted < nats_max(seen);
            // Rounded once: what is compared and what is shown is the same number.
            side[LIMIT] = if reachable { limit as f32 } else { f32::INFINITY };
        }
    }

    /// The opening of an outage is taken back; true if the point leaves no trace.
    fn outage(&self, cells: &mut [f32], life: &mut [f64]) -> bool {
        let opened = life[OPENED];
        if opened == 0.0 || !opened.is_finite() {
            return opened != 0.0;
        }
        let taken = life[TAKEN] * libm::exp2((life[TAKEN_AT] - life[SEEN]) / self.half_life);
        if taken + 1.0 > TAKEN_MAX {
            life[OPENED] = 0.0;
            return false;
        }
        (life[TAKEN], life[TAKEN_AT], life[OPENED]) = (taken + 1.0, life[SEEN], f64::INFINITY);
        if life[SEEN] > FILLS {
            let bin = &mut cells[if opened > 0.0 { 0 } else { SIDE } + bin_of(opened.abs())];
            *bin = (*bin - 1.0).max(0.0);
            life[TOTAL] = (life[TOTAL] - 1.0).max(0.0);
        }
        if life[PEAK] > 0.0 {
            life[INCIDENTS] = (life[INCIDENTS] - 1.0).max(0.0);
            life[EXCESS] = (life[EXCESS] - life[PEAK]).max(0.0);
            (life[PEAK], life[PEAK_QUIET]) = (0.0, 0.0);
        }
        true
    }

    fn learn(&self, cells: &mut [f32], life: &mut [f64], z: f64, nats: f64, ln_limit: f64) {
        life[SEEN] += 1.0;
        let seen = life[SEEN];
        let side = if z >= 0.0 { 0 } else { SIDE };
        let size = z.abs();
        let mut weight = 1.0;
        if !nats.is_nan() {
            let was_open = life[HOLD_OPEN] != 0.0;
            weight = hold(life, nats);
            match (was_open, life[HOLD_OPEN] != 0.0) {
                (false, true) => life[OPENED] = z,
                (true, false) => life[OPENED] = 0.0,
                _ => {}
            }
            if seen > USED {
                count_incident(life, nats, self.keeps);
            }
        }
        if size > 0.05 && size < 12.0 {
            life[LIVELY] = (life[LIVELY] + 1.0).min(LIVELY_LEAST);
        }
        if weight == 1.0 {
            let row = HIGH + usize::from(side > 0);
            let second = &mut cells[side + SECOND];
            *second = second.max(size.min(life[row]) as f32);
            life[row] = life[row].max(size);
        }
        if seen > FILLS {
            cells[side + bin_of(size)] += weight as f32;
            life[TOTAL] += weight;
        }
        let every = period(seen);
        if (seen as u64) & (every - 1) == 0 {
            let keeps = libm::exp2(-(every as f64) / self.half_life);
            life[TOTAL] *= keeps;
            for side in cells.chunks_exact_mut(SIDE) {
                side[..BINS].iter_mut().for_each(|bin| *bin = (f64::from(*bin) * keeps) as f32);
            }
            self.refit(cells, life, ln_limit);
        }
    }
}

fn rate(life: &[f64]) -> Rate {
    Rate { ln_rate: life[RATE], mean: life[RATE + 1], k: life[RATE + 2] }
}

impl Kernel for CalibrateLight {
    fn step(&self, slice: &mut Slice<'_>) {
        let [life] = &mut slice.row.f64s[..] else { unreachable!("one f64 array") };
        let [cells] = &mut slice.row.f32s[..] else { unreachable!("one f32 array") };
        let [score, expected, scale, learn] = slice.columns[..] else { unreachable!("four columns") };
        let [p_value, anomaly, above, below, confidence] = &mut slice.outputs[..] else {
            unreachable!("five outputs")
        };
        let dims = slice.values.len() / slice.times.len().max(1);
        let ln_limit = libm::log(self.p_limit[slice.index]);
        if !slice.times.is_empty() && life[LIMIT_FOR] != ln_limit {
            self.limits(cells, life, ln_limit);
        }
        let (_, counts) = self.shares();
        for i in 0..slice.times.len() {
            let gap = slice.values[i * dims] - expected[i];
            let z = if scale[i] > 0.0 { gap / scale[i] } else { score[i] * gap.signum() };
            let usable = scale[i].is_finite() && expected[i].is_finite();
            let z = if usable { z.clamp(-HIGHEST, HIGHEST) } else { f64::NAN };
            let z = match (z > 0.0, z < 0.0) {
                (true, _) if !counts[0] => 0.0,
                (_, true) if !counts[1] => 0.0,
                _ => z,
            };
            let seen = life[SEEN];
            confidence[i] = (seen / SURE).min(1.0);
            let speaks = seen >= SPEAKS && usable;
            let mut nats = f64::NAN;
            if speaks {
                let sides = [f64::from(cells[LIMIT]), f64::from(cells[SIDE + LIMIT])];
                (above[i], below[i]) = (sides[0], sides[1]);
                if !z.is_nan() {
                    let side = usize::from(z < 0.0);
                    nats = self.nats(&cells[side * SIDE..(side + 1) * SIDE], life, z.abs());
                    if nats > 13.0 {
                        // Below that no history that speaks at all is too short.
                        nats = nats.min(nats_max(seen));
                    }
                    let calibrated = if seen >= USED { rate(life).apply(nats) } else { nats };
                    let graded = calibrated / -ln_limit;
                    anomaly[i] = if z.abs() > sides[side] { graded.max(1.0 + 1e-9) } else { graded.min(1.0) };
                    p_value[i] = libm::exp(anomaly[i] * ln_limit);
                }
            }
            let no_trace = learn[i] == OUTAGE && self.outage(cells, life);
            if learn[i] != 0.0 && !no_trace && !z.is_nan() {
                self.learn(cells, life, z, nats, ln_limit);
            }
        }
    }
}
