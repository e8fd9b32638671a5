//! Change of level or of spread: a slow mean and a slow spread of standardised residuals, each against what it usually
//! is, in its own running scale.
//!
//! State: `run` f64[RUN], see the places below; `held` i64[1] (points in a row on which learning was held).

use super::fleet::{Kernel, Slice};

/// Which of the two slow numbers is judged.
#[derive(Clone, Copy, PartialEq)]
pub enum Of {
    Both,
    Level,
    Spread,
}

pub struct LevelShift {
    pub of: Of,
    /// Share of the present point in level and scale, in the slow mean, in the slow spread and in what is usual.
    pub gain: f64,
    pub mean_gain: f64,
    pub spread_gain: f64,
    pub usual_gain: f64,
    pub warm_up: f64,
    pub adopt: i64,
    /// Values until the usual is known well.
    pub warm: f64,
}

const LEVEL: usize = 0;
const SCALE: usize = 1;
const COUNT: usize = 2;
const SIZE: usize = 3;
/// Slow mean of clipped residuals, its usual value and its usual distance from that.
const MEAN: usize = 4;
/// The same of the slow spread.
const SPREAD: usize = 7;
/// Mean of the values since learning is held.
const AFTER: usize = 10;
pub const RUN: usize = 11;

const USUAL: usize = 1;
const DISTANCE: usize = 2;

/// Residuals, in scales, count at most this in the slow mean, in the slow spread and in level and scale.
const MEAN_CLIP: f64 = 3.0;
const SPREAD_CLIP: f64 = 6.0;
const LEARN_CLIP: f64 = 3.0;
/// What the usual may learn of one point, in its own scales.
const USUAL_CLIP: f64 = 4.0;
/// Slow means beyond this are a shift: two thirds of the residuals are clipped, all on one side.
const SHIFTED: f64 = 2.0;
/// Least distance that is taken as usual: a slow mean of nothing but zeros must not be infinitely regular.
const LEAST: f64 = 0.02;
/// Values before residuals are standardised; what comes sooner only teaches level and scale.
const SPEAKS: f64 = 8.0;
/// Share of the present point in the mean after a shift.
const AFTER_GAIN: f64 = 0.125;
/// Mean absolute deviation of a normal law to its standard deviation.
const TO_SIGMA: f64 = 1.2533;
const RESOLUTION: f64 = 1e-12;
/// Values are clamped to this, so that no difference overflows.
const LARGEST: f64 = 1e300;

const HELD: f64 = 1.0;
const ADOPTED: f64 = 2.0;
const WARMING: f64 = 4.0;

/// One slow number: moves it on, and says how far it is from its usual in its usual distances.
fn move_on(slow: &mut [f64], gain: f64, value: f64) -> f64 {
    slow[0] += gain * (value - slow[0]);
    (slow[0] - slow[USUAL]).abs() / slow[DISTANCE].max(LEAST)
}

fn learn_usual(slow: &mut [f64], gain: f64, clipped: bool) {
    let away = slow[0] - slow[USUAL];
    let most = if clipped { USUAL_CLIP * slow[DISTANCE].max(LEAST) } else { f64::INFINITY };
    let taken = away.clamp(-most, most);
    slow[USUAL] += gain * taken;
    slow[DISTANCE] += gain * (TO_SIGMA * taken.abs() - slow[DISTANCE]);
}

/// Residual in scales, clipped; without a scale any difference is as large as one can be.
fn standardised(away: f64, scale: f64) -> f64 {
    if scale > 0.0 {
        (away / scale).clamp(-SPREAD_CLIP, SPREAD_CLIP)
    } else if away == 0.0 {
        0.0
    } else {
        SPREAD_CLIP.copysign(away)
    }
}

/// What is said of one point.
struct Said {
    score: f64,
    expected: f64,
    flags: f64,
}

impl LevelShift {
    fn learn_level(&self, run: &mut [f64], value: f64, clipped: bool) {
        let gain = self.gain.max(1.0 / run[COUNT]);
        if run[COUNT] == 1.0 {
            run[LEVEL] = value;
        }
        let away = value - run[LEVEL];
        let most = if clipped && run[SCALE] > 0.0 { LEARN_CLIP * run[SCALE] } else { f64::INFINITY };
        let taken = away.clamp(-most, most);
        run[LEVEL] += gain * taken;
        run[SCALE] += gain * (TO_SIGMA * taken.abs() - run[SCALE]);
        run[SIZE] += gain * (value.abs().min(run[LEVEL].abs() + taken.abs()) - run[SIZE]);
    }

    /// The level stayed: it is the new one, and what led there is over.
    fn take_over(run: &mut [f64], held: &mut i64) {
        *held = 0;
        run[LEVEL] = run[AFTER];
        run[SIZE] = run[SIZE].max(run[LEVEL].abs());
        run[MEAN] = run[MEAN + USUAL];
        run[SPREAD] = run[SPREAD + USUAL];
    }

    fn step_one(&self, run: &mut [f64], held: &mut i64, value: f64) -> Option<Said> {
        run[COUNT] += 1.0;
        let count = run[COUNT];
        if count <= SPEAKS {
            self.learn_level(run, value, false);
            return None;
        }
        let scale = run[SCALE].max(RESOLUTION * run[SIZE]);
        let z = standardised(value - run[LEVEL], scale);
        let mean = move_on(&mut run[MEAN..MEAN + 3], self.mean_gain, z.clamp(-MEAN_CLIP, MEAN_CLIP));
        let spread = move_on(&mut run[SPREAD..SPREAD + 3], self.spread_gain, z.abs());
        let (mean, spread) = match self.of {
            Of::Both => (mean, spread),
            Of::Level => (mean, -1.0),
            Of::Spread => (-1.0, spread),
        };
        let known = count > self.warm_up;
        let expected = if mean >= spread { run[LEVEL] } else { f64::NAN };
        let mut flags = if count <= self.warm { WARMING } else { 0.0 };
        if known && run[MEAN].abs() >= SHIFTED {
            *held += 1;
            flags += HELD;
            let gain = if *held == 1 { 1.0 } else { AFTER_GAIN };
            run[AFTER] += gain * (value - run[AFTER]);
            if *held >= self.adopt {
                flags += ADOPTED - HELD;
                Self::take_over(run, held);
            }
        } else {
            *held = 0;
            let gain = self.usual_gain.max(1.0 / (count - SPEAKS));
            learn_usual(&mut run[MEAN..MEAN + 3], gain, known);
            learn_usual(&mut run[SPREAD..SPREAD + 3], gain, known);
            self.learn_level(run, value, known);
        }
        known.then_some(Said { score: mean.max(spread), expected, flags })
    }
}

impl Kernel for LevelShift {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([run]) = <[&mut [f64]; 1]>::try_from(row.f64s) else { unreachable!("one f64 array") };
        let Ok([held]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        let Ok([score, expected, _, _, _, flags]) =
            <[&mut [f64]; 6]>::try_from(std::mem::take(&mut slice.outputs))
        else {
            unreachable!("six outputs")
        };
        for (i, &raw) in slice.values.iter().enumerate() {
            if !raw.is_finite() {
                continue;
            }
            if let Some(said) = self.step_one(run, &mut held[0], raw.clamp(-LARGEST, LARGEST)) {
                score[i] = said.score;
                expected[i] = said.expected;
                flags[i] = said.flags;
            }
        }
    }
}
