//! Drift: whether what a model was made for is still what comes. Everything is judged block by block (a day, say).
//!
//! State of a series: `marks` i64 and `life` f64, see the `M_` and `L_` constants; `sketches` f64, one of the values and
//! one of the scores; `ring` f32, what was counted of the last blocks.

use std::sync::Mutex;

use super::drift_blocks::{
    widened, Blocks, FIELDS, F_CUTOFF, F_KNOWN, F_ODD, F_OUTSIDE, F_POINTS, F_RUNS, RING,
};
use super::drift_sketch::{Sketch, Step, SKETCH};
use super::fleet::{Kernel, Slice};

pub const NEVER: i64 = i64::MIN;
/// Cut-off, values, scores, anomaly rate, coverage.
pub const MONITORS: usize = 5;
const CUTOFF: usize = 0;
/// Behind it the scores, as in the sketches.
const VALUES: usize = 1;
const RATE: usize = 3;
const COVERAGE: usize = 4;

/// The present block, its last point, and how many are done since the reference began.
const M_BLOCK: usize = 0;
const M_DONE: usize = 1;
/// Monitors that are out and told, since when, when that was known, and how many blocks it has lasted.
const M_OPEN: usize = 2;
const M_SINCE: usize = 3;
const M_KNOWN: usize = 4;
const M_LASTED: usize = 5;
/// Blocks that ever were in the ring, and whether the last judged point was anomalous.
const M_RING: usize = 6;
const M_ODD: usize = 7;
/// Of every monitor, blocks in a row that it has been out, and where the first of them began.
const M_RUN: usize = 8;
const M_FIRST: usize = M_RUN + MONITORS;
/// Which blocks those of the ring are.
pub const M_WHEN: usize = M_FIRST + MONITORS;
pub const MARKS: usize = M_WHEN + RING;

/// Sums of the present block: the columns of the ring, cut-offs that were added up, and points of any kind.
const L_CUTOFFS: usize = FIELDS;
const L_SEEN: usize = FIELDS + 1;
/// Of the reference: anomalies (without its worst block), points, coverage.
const L_RUNS: usize = FIELDS + 2;
const L_POINTS: usize = FIELDS + 3;
const L_COVERED: usize = FIELDS + 4;
/// Of every monitor its reading, and the limits between which it is well; NaN while there is none.
pub const L_READINGS: usize = FIELDS + 5;
pub const LIFE: usize = L_READINGS + 3 * MONITORS;

pub const SKETCHES: usize = 2 * SKETCH;

/// Blocks that are not looked at: detectors and tails find their shape in them.
const SETTLE: i64 = 2;
/// Blocks over which coverage is told.
const COVERED_OVER: usize = 7;
/// Half-width of the intervals in standard errors: one of a thousand lies outside.
const Z: f64 = 3.29;

/// What is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum What {
    Out = 0,
    Back = 1,
    /// It stayed: from here on the new behaviour is the reference.
    Adopted = 2,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Finding {
    /// Place of its slice in the batch.
    pub slice: usize,
    pub what: What,
    pub since: i64,
    pub known: i64,
    pub over: i64,
    /// Monitors that are out, a bit each, and the one that is farthest out with its reading and limits.
    pub which: i64,
    pub worst: i64,
    pub reading: [f64; 3],
}

pub struct Drift {
    /// Length of a block, ns, and the least points of one: with fewer it goes on.
    pub every: i64,
    pub least: f64,
    /// Blocks of the reference.
    pub reference: i64,
    /// Blocks in a row that a monitor is out before that is told, and blocks after which it is the new reference.
    pub patience: i64,
    pub adopt: i64,
    /// Distances of distributions, changes of the rate and of the coverage that are too small to matter.
    pub distance: f64,
    pub change: f64,
    pub slack: f64,
    /// Share of points that the band is to hold; NaN where nobody says.
    pub nominal: f64,
    pub found: Mutex<Vec<Finding>>,
}

/// One point as the monitors see it; NaN where something is not known.
#[derive(Clone, Copy)]
pub struct Seen {
    pub time: i64,
    pub value: f64,
    pub score: f64,
    pub cutoff: f64,
    /// 1: anomalous, 0: judged and not; 1: within the nominal band, 0: outside.
    pub odd: f64,
    pub covered: f64,
}

pub struct Series<'a> {
    pub slice: usize,
    pub marks: &'a mut [i64],
    pub life: &'a mut [f64],
    pub sketches: &'a mut [f64],
    pub ring: &'a mut [f32],
}

impl Series<'_> {
    fn blocks(&self) -> Blocks<'_> {
        Blocks { ring: self.ring, count: self.marks[M_RING].max(0) as usize }
    }

    fn read(&mut self, monitor: usize, reading: [f64; 3]) {
        let at = L_READINGS + 3 * monitor;
        self.life[at..at + 3].copy_from_slice(&reading);
    }

    fn reading(&self, monitor: usize) -> [f64; 3] {
        let at = L_READINGS + 3 * monitor;
        [self.life[at], self.life[at + 1], self.life[at + 2]]
    }

    fn is_out(&self, monitor: usize) -> bool {
        let [value, low, high] = self.reading(monitor);
        value < low || value > high
    }
}

impl Drift {
    /// One point of a series.
    pub fn point(&self, series: &mut Series<'_>, seen: Seen, found: &mut Vec<Finding>) {
        let block = seen.time.div_euclid(self.every);
        if series.marks[M_BLOCK] == NEVER {
            series.marks[M_BLOCK] = block;
        } else if block > series.marks[M_BLOCK] && series.life[L_SEEN] >= self.least {
            self.close(series, seen.time, found);
            series.marks[M_BLOCK] = block;
        }
        let life = &mut *series.life;
        if !seen.odd.is_nan() || !seen.value.is_nan() {
            life[L_SEEN] += 1.0;
        }
        if !seen.odd.is_nan() {
            life[F_POINTS] += 1.0;
            life[F_ODD] += seen.odd;
            life[F_RUNS] += if seen.odd > 0.0 && series.marks[M_ODD] == 0 { 1.0 } else { 0.0 };
            series.marks[M_ODD] = i64::from(seen.odd > 0.0);
        }
        if !seen.covered.is_nan() {
            life[F_KNOWN] += 1.0;
            life[F_OUTSIDE] += 1.0 - seen.covered;
        }
        if seen.cutoff.is_finite() {
            life[F_CUTOFF] += seen.cutoff;
            life[L_CUTOFFS] += 1.0;
        }
        let step = self.step(series.marks[M_DONE]);
        for (sketch, x) in series.sketches.chunks_exact_mut(SKETCH).zip([seen.value, seen.score]) {
            Sketch(sketch).add(x, step);
        }
    }

    /// What a sketch does in the block behind `done` others.
    fn step(&self, done: i64) -> Step {
        match done.saturating_sub(SETTLE) {
            ..0 => Step::Rest,
            0 => Step::Sample,
            n if n <= self.reference => Step::Refer,
            _ => Step::Watch,
        }
    }

    fn close(&self, series: &mut Series<'_>, now: i64, found: &mut Vec<Finding>) {
        let step = self.step(series.marks[M_DONE]);
        keep(series);
        let mut readings = [[f64::NAN; 3]; MONITORS];
        for (k, sketch) in series.sketches.chunks_exact_mut(SKETCH).enumerate() {
            readings[VALUES + k] = Sketch(sketch).close(step, self.reference as f64, self.distance);
        }
        series.marks[M_DONE] = series.marks[M_DONE].saturating_add(1);
        if step == Step::Refer && self.step(series.marks[M_DONE]) == Step::Watch {
            self.refer(series);
        }
        if step == Step::Watch {
            readings[CUTOFF] = series.blocks().cutoff();
            readings[RATE] = self.rate(series);
            readings[COVERAGE] = self.coverage(series);
            for (monitor, reading) in readings.into_iter().enumerate() {
                series.read(monitor, reading);
            }
            self.tell(series, now, found);
        }
    }

    /// What the reference says of anomalies and coverage.
    fn refer(&self, series: &mut Series<'_>) {
        let (runs, points, _) = series.blocks().counted(self.reference as usize);
        let (covered, _, _) = series.blocks().coverage(self.reference as usize);
        series.life[L_RUNS] = runs;
        series.life[L_POINTS] = points;
        series.life[L_COVERED] = covered;
    }

    /// How many times as often as in the reference anomalies begin, each without its worst block: one outage is no
    /// drift. The limits hold the change that does not matter and what chance does to counts that come in clumps.
    fn rate(&self, series: &Series<'_>) -> [f64; 3] {
        let since = series.marks[M_DONE].saturating_sub(SETTLE + 1 + self.reference);
        let (runs, points, clumps) = series.blocks().counted(since.clamp(0, self.reference) as usize);
        let (base, over) = (series.life[L_RUNS], series.life[L_POINTS]);
        if points <= 0.0 || over <= 0.0 {
            return [f64::NAN; 3];
        }
        let ratio = ((runs + 0.5) / points) / ((base + 0.5) / over);
        let error = (clumps * (1.0 / (runs + 0.5) + 1.0 / (base + 0.5))).sqrt();
        let chance = libm::exp(Z * error);
        [ratio, (1.0 - self.change) / chance, (1.0 + self.change) * chance]
    }

    /// The share of points that the nominal band held. A band that was always wider than it says is none the worse.
    fn coverage(&self, series: &Series<'_>) -> [f64; 3] {
        let (covered, error, blocks) = series.blocks().coverage(COVERED_OVER);
        if blocks < COVERED_OVER {
            return [f64::NAN; 3];
        }
        let room = self.slack.max(widened(Z, blocks as f64 - 1.0) * error);
        let usual = series.life[L_COVERED];
        let most = if usual > self.nominal { usual } else { self.nominal };
        [covered, self.nominal - room, most + room]
    }

    /// Counts how long each monitor has been out, and says what there is to say.
    fn tell(&self, series: &mut Series<'_>, now: i64, found: &mut Vec<Finding>) {
        let begun = series.marks[M_BLOCK].saturating_mul(self.every);
        let mut which = 0;
        for monitor in 0..MONITORS {
            let run = M_RUN + monitor;
            if !series.is_out(monitor) {
                series.marks[run] = 0;
                continue;
            }
            if series.marks[run] == 0 {
                series.marks[M_FIRST + monitor] = begun;
            }
            series.marks[run] = series.marks[run].saturating_add(1);
            which |= i64::from(series.marks[run] >= self.patience) << monitor;
        }
        let before = series.marks[M_OPEN];
        if which == 0 && before == 0 {
            return;
        }
        if before == 0 {
            let first = (0..MONITORS).filter(|m| which >> m & 1 == 1).map(|m| series.marks[M_FIRST + m]);
            series.marks[M_SINCE] = first.min().unwrap_or(begun);
            series.marks[M_KNOWN] = now;
            series.marks[M_LASTED] = 0;
        }
        series.marks[M_LASTED] = series.marks[M_LASTED].saturating_add(1);
        let what = match which {
            0 => What::Back,
            _ if self.adopt > 0 && series.marks[M_LASTED] >= self.adopt => What::Adopted,
            _ => What::Out,
        };
        if what != What::Out || which != before {
            found.push(self.told(series, what, now, if which == 0 { before } else { which }));
        }
        series.marks[M_OPEN] = if what == What::Out { which } else { 0 };
        if what == What::Adopted {
            anew(series);
        }
    }

    fn told(&self, series: &Series<'_>, what: What, now: i64, which: i64) -> Finding {
        let far = |monitor: &usize| {
            let [value, low, high] = series.reading(*monitor);
            let width = (high - low).abs().max(f64::MIN_POSITIVE);
            ((value - high).max(low - value) / width).clamp(-f64::MAX, f64::MAX)
        };
        let some = (0..MONITORS).filter(|m| which >> m & 1 == 1);
        let worst = some.max_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0);
        let over = if what == What::Out { NEVER } else { now };
        let (since, known) = (series.marks[M_SINCE], series.marks[M_KNOWN]);
        Finding {
            slice: series.slice,
            what,
            since,
            known,
            over,
            which,
            worst: worst as i64,
            reading: series.reading(worst),
        }
    }
}

impl Kernel for Drift {
    fn step(&self, slice: &mut Slice<'_>) {
        let [life, sketches] = &mut slice.row.f64s[..] else { unreachable!("two arrays of f64") };
        let [score, cutoff, odd, covered] = slice.columns[..] else { unreachable!("four columns") };
        let mut series =
            Series { slice: slice.index, marks: slice.row.i64s[0], life, sketches, ring: slice.row.f32s[0] };
        let mut found = Vec::new();
        for (i, (&time, &value)) in slice.times.iter().zip(slice.values).enumerate() {
            let seen =
                Seen { time, value, score: score[i], cutoff: cutoff[i], odd: odd[i], covered: covered[i] };
            self.point(&mut series, seen, &mut found);
        }
        if !found.is_empty() {
            self.found.lock().expect("no panic while held").append(&mut found);
        }
    }
}

/// The present block goes into the ring, and the next begins.
fn keep(series: &mut Series<'_>) {
    let at = (series.marks[M_RING].max(0) as usize) % RING;
    let cutoffs = series.life[L_CUTOFFS];
    let mut sums = [0.0; FIELDS];
    sums.copy_from_slice(&series.life[..FIELDS]);
    sums[F_CUTOFF] = if cutoffs > 0.0 { sums[F_CUTOFF] / cutoffs } else { f64::NAN };
    for (place, sum) in series.ring[at * FIELDS..(at + 1) * FIELDS].iter_mut().zip(sums) {
        *place = sum as f32;
    }
    series.marks[M_WHEN + at] = series.marks[M_BLOCK];
    series.marks[M_RING] = series.marks[M_RING].saturating_add(1);
    series.life[..=L_SEEN].fill(0.0);
}

/// The reference is learned anew, from the next block on.
fn anew(series: &mut Series<'_>) {
    series.marks[M_DONE] = SETTLE;
    series.marks[M_RUN..M_WHEN].fill(0);
    series.sketches.fill(0.0);
    series.life[L_READINGS..].fill(f64::NAN);
}
