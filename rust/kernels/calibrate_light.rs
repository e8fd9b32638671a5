//! The light tier of `calibrate`, for very many series: the same answers from a tenth of the memory and of the time.
//!
//! A tail per side is a histogram in 42 fixed buckets and one generalised Pareto fitted to its moments in logarithms
//! (Dekkers, Einmahl and de Haan). What follows from the past stands still between two fits, 64 points apart in the long
//! run, so that a point costs a comparison, a look-up and one exponential. Budgets only.
//!
//! State: `cells` f32[2 * SIDE] = for each side its buckets and its fit, `life` f64[LIFE], whose places up to
//! `PEAK_QUIET` are those of `life.rs`.

use super::calibrate::Direction;
use super::counts::{in_a_row, on_whole_numbers, whole, SURE as SURELY};
use super::exps::exps;
use super::fleet::{Kernel, Slice};
use super::incidents::{count_incident, hold, Rate};
use super::life::{EXCESS, HIGH, HOLD_OPEN, INCIDENTS, PEAK, PEAK_QUIET, SEEN, TOTAL};
use super::light_tail::{
    beyond, bin_of, fit, known, often, often_up_to, tail_limit, tail_nats, BINS, EDGES, LIMIT, NATS, SECOND,
    SIDE, START, UNIT,
};
use super::tail::{FILLS, USED};

pub const CELLS: usize = 2 * SIDE;
// Places in `life` beyond those of `life.rs`.
const LIVELY: usize = 12;
const RATE: usize = 13;
const LIMIT_FOR: usize = 16;
/// Signed score at which the present incident opened; infinite once it turned out to be an outage.
const OPENED: usize = 17;
const TAKEN: usize = 18;
const TAKEN_AT: usize = 19;
/// Whole values in a row.
const WHOLE: usize = 20;
pub const LIFE: usize = 21;
type Life = [f64; LIFE];

const SPEAKS: f64 = 20.0;
const SURE: f64 = 1000.0;
const LIVELY_LEAST: f64 = 10.0;
const PRIOR_WIDTH: f64 = 2.5;
const TAKEN_MAX: f64 = 3.0;
const OUTAGE: f64 = -1.0;
/// Largest score that counts.
const HIGHEST: f64 = 1e12;

pub struct CalibrateLight {
    direction: Direction,
    half_life: f64,
    /// What is left of a count of incidents after a point.
    keeps: f64,
    ln_limits: Vec<f64>,
}

fn nats_max(seen: f64) -> f64 {
    4.0 * libm::log(seen + 10.0)
}

/// Points between two fits, a power of two.
fn period(seen: f64) -> i64 {
    match seen {
        s if s <= 64.0 => 4,
        s if s <= 256.0 => 8,
        s if s <= 2048.0 => 32,
        _ => 64,
    }
}

impl CalibrateLight {
    pub fn new(direction: Direction, half_life: f64, p_limit: Vec<f64>) -> Self {
        let keeps = libm::exp2(-1.0 / (1.4 * half_life));
        // Most series of a fleet share one limit.
        let mut last = (f64::NAN, f64::NAN);
        let ln_limits = p_limit.into_iter().map(|limit| {
            if limit != last.0 {
                last = (limit, libm::log(limit));
            }
            last.1
        });
        Self { direction, half_life, keeps, ln_limits: ln_limits.collect() }
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
    fn nats(&self, side: &[f32], life: &Life, z: f64) -> f64 {
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
        let news = match z {
            z if z < 0.5 => 0.0,
            z if z > known(side) => f64::INFINITY,
            z => often(beyond(side, bin_of(z)), life[TOTAL]) - ln_side,
        };
        prior.max(fitted).min(news.max(at_start - ln_side)).max(0.0)
    }

    /// What stands still until the next fit: tails, rate of incidents, limits.
    fn refit(&self, cells: &mut [f32], life: &mut Life, ln_limit: f64) {
        cells.chunks_exact_mut(SIDE).for_each(|side| fit(side, life[SEEN], life[TOTAL]));
        let rate = Rate::of(&life[..]);
        life[RATE..RATE + 3].copy_from_slice(&[rate.ln_rate, rate.mean, rate.k]);
        self.limits(cells, life, ln_limit);
    }

    fn limits(&self, cells: &mut [f32], life: &mut Life, ln_limit: f64) {
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
            if let Some(bin) = often_up_to(side, life[TOTAL], wanted, ln_side) {
                limit = limit.max(if bin == BINS - 1 { known(side) } else { EDGES[bin + 1] });
            }
            let reachable = counts && wanted < nats_max(seen);
            // Rounded once: what is compared and what is shown is the same number.
            side[LIMIT] = if reachable { limit as f32 } else { f32::INFINITY };
        }
    }

    /// The opening of an outage is taken back; true if the point leaves no trace.
    fn outage(&self, cells: &mut [f32], life: &mut Life) -> bool {
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

    /// Learns a score; true where the tails were fitted anew.
    fn learn(&self, cells: &mut [f32; CELLS], life: &mut Life, z: f64, nats: f64, ln_limit: f64) -> bool {
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
        if (seen as i64) & (every - 1) == 0 {
            let keeps = libm::exp2(-(every as f64) / self.half_life);
            life[TOTAL] *= keeps;
            for side in cells.chunks_exact_mut(SIDE) {
                side[..BINS].iter_mut().for_each(|bin| *bin = (f64::from(*bin) * keeps) as f32);
            }
            self.refit(cells, life, ln_limit);
            return true;
        }
        false
    }
}

fn rate(life: &Life) -> Rate {
    Rate::new(life[RATE], life[RATE + 1], life[RATE + 2])
}

/// Limits above and below at a point; those of a metric that counts end on whole numbers.
fn limits_at(cells: &[f32; CELLS], life: &Life, value: f64, expected: f64, scale: f64) -> [f64; 2] {
    let limits = [f64::from(cells[LIMIT]), f64::from(cells[SIDE + LIMIT])];
    let counts = life[WHOLE] >= SURELY && scale > 0.0 && (value.is_nan() || whole(value));
    if !counts {
        return limits;
    }
    on_whole_numbers(expected, scale, [expected + limits[0] * scale, expected - limits[1] * scale], limits)
}

impl Kernel for CalibrateLight {
    fn step(&self, slice: &mut Slice<'_>) {
        let [life] = &mut slice.row.f64s[..] else { unreachable!("one f64 array") };
        let [cells] = &mut slice.row.f32s[..] else { unreachable!("one f32 array") };
        let Ok(life) = <&mut Life>::try_from(&mut **life) else { unreachable!("widths as declared") };
        let Ok(cells) = <&mut [f32; CELLS]>::try_from(&mut **cells) else {
            unreachable!("widths as declared")
        };
        // Without the fourth every point is learned.
        let [score, expected, scale, ref learn @ ..] = slice.columns[..] else {
            unreachable!("three columns")
        };
        let n = slice.times.len();
        let (score, expected, scale) = (&score[..n], &expected[..n], &scale[..n]);
        let learn = learn.first();
        let [p_value, anomaly, above, below, confidence] = &mut slice.outputs[..] else {
            unreachable!("five outputs")
        };
        let dims = slice.values.len() / n.max(1);
        let ln_limit = self.ln_limits[slice.index];
        if n > 0 && life[LIMIT_FOR] != ln_limit {
            self.limits(cells, life, ln_limit);
        }
        let (_, counts) = self.shares();
        let mut standing = rate(life);
        for i in 0..n {
            let value = slice.values[i * dims];
            let gap = value - expected[i];
            let z = if scale[i] > 0.0 { gap / scale[i] } else { score[i] * gap.signum() };
            let usable = scale[i].is_finite() && expected[i].is_finite();
            let z = if usable { z.clamp(-HIGHEST, HIGHEST) } else { f64::NAN };
            let side = usize::from(z < 0.0);
            let z = if z == 0.0 || z.is_nan() || counts[side] { z } else { 0.0 };
            let seen = life[SEEN];
            confidence[i] = if seen < SURE { seen / SURE } else { 1.0 };
            (above[i], below[i], anomaly[i]) = (f64::NAN, f64::NAN, f64::NAN);
            let mut nats = f64::NAN;
            if seen >= SPEAKS && usable {
                let limits = limits_at(cells, life, value, expected[i], scale[i]);
                [above[i], below[i]] = limits;
                if !z.is_nan() {
                    nats = self.nats(&cells[side * SIDE..(side + 1) * SIDE], life, z.abs());
                    if nats > 13.0 {
                        // Below that no history that speaks at all is too short.
                        nats = nats.min(nats_max(seen));
                    }
                    let calibrated = if seen >= USED { standing.apply(nats) } else { nats };
                    let graded = calibrated / -ln_limit;
                    anomaly[i] =
                        if z.abs() > limits[side] { graded.max(1.0 + 1e-9) } else { graded.min(1.0) };
                }
            }
            let learns = learn.map_or(1.0, |learn| learn[i]);
            let no_trace = learns == OUTAGE && self.outage(cells, life);
            if learns != 0.0 && !no_trace && !z.is_nan() {
                life[WHOLE] = in_a_row(life[WHOLE], value);
                if self.learn(cells, life, z, nats, ln_limit) {
                    standing = rate(life);
                }
            }
        }
        exps(ln_limit, &anomaly[..n], &mut p_value[..n]);
    }
}
