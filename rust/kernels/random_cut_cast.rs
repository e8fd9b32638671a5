//! A forest that forecasts after every point and keeps how wrong it was, so that its intervals hold what they promise.
//!
//! State beside the forest's, for `horizon` steps and `inputs` values a point: `cast` f64[horizon * steps], the forecasts not
//! yet come true, one row for each point in turn; `shifts` f64[steps], what is added to the share left out; `errors`
//! f32[steps * kept], a ring for each step; `cast_counts` i64[1 + steps], points seen, then errors seen of each step.

use super::fleet::{Kernel, Slice};
use super::random_cut_ahead::Ahead;
use super::random_cut_box::Width;
use super::random_cut_forest::{Fold, RandomCutForest};
use super::random_cut_open::{open, Work};

/// By how much one miss moves the share left out (Gibbs and Candès, 2021).
const PACE: f64 = 0.005;
/// The share left out is never raised by more.
const SHIFT_MAX: f64 = 0.5;

/// Columns that every kernel fills: score, expected, lower, upper, scale, flags.
const OUTPUTS: usize = 6;

pub struct Cast {
    pub forest: RandomCutForest,
    pub horizon: usize,
    /// Errors kept of each step.
    pub kept: usize,
    /// Share of the points outside of an interval.
    pub outside: f64,
}

/// The arrays of the state that are not the forest's.
struct Book<'a> {
    cast: &'a mut [f64],
    shifts: &'a mut [f64],
    errors: &'a mut [f32],
    counts: &'a mut [i64],
}

/// The value at a place between the sorted ones, which reorders them.
fn at_rank(values: &mut [f32], place: f64) -> f64 {
    let last = values.len() - 1;
    let below = (place.clamp(0.0, last as f64)) as usize;
    let share = place.clamp(0.0, last as f64) - below as f64;
    let (_, &mut lower, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let upper = above.iter().copied().fold(f32::INFINITY, f32::min);
    let lower = f64::from(lower);
    if share > 0.0 {
        lower + (f64::from(upper) - lower) * share
    } else {
        lower
    }
}

impl Cast {
    /// Errors kept of a step, as many as there are.
    fn errors<'a>(&self, book: &'a Book<'_>, step: usize) -> &'a [f32] {
        let count = (book.counts[1 + step] as usize).min(self.kept);
        &book.errors[step * self.kept..][..count]
    }

    /// What lies between a forecast and the ends of its interval. NaN while too few errors are known.
    fn ends(&self, book: &Book<'_>, step: usize, room: &mut Vec<f32>) -> (f64, f64) {
        let errors = self.errors(book, step);
        let ranks = errors.len() as f64 + 1.0;
        if ranks * self.outside < 2.0 {
            return (f64::NAN, f64::NAN);
        }
        let place = ranks * (self.outside + book.shifts[step]) / 2.0 - 1.0;
        room.clear();
        room.extend_from_slice(errors);
        let lower = at_rank(room, place);
        (lower, at_rank(room, errors.len() as f64 - 1.0 - place))
    }

    /// Learns how wrong the forecasts for a point were that now has come.
    fn judge(&self, book: &mut Book<'_>, values: &[f64]) {
        let (inputs, now) = (self.forest.inputs, book.counts[0]);
        for ahead in 0..self.horizon.min(now as usize) {
            let made = ((now - 1 - ahead as i64) % self.horizon as i64) as usize;
            for (k, &value) in values.iter().enumerate() {
                let step = ahead * inputs + k;
                let error = value - book.cast[made * self.horizon * inputs + step];
                if !error.is_finite() {
                    continue;
                }
                let error = error.clamp(-1e38, 1e38) as f32;
                let errors = self.errors(book, step);
                let below = errors.iter().filter(|&&e| e < error).count();
                let same = errors.iter().filter(|&&e| e == error).count();
                let ranks = errors.len() as f64 + 1.0;
                let rank = (below as f64 + same as f64 / 2.0 + 0.5) / ranks;
                if ranks * self.outside >= 2.0 {
                    let left_out = self.outside + book.shifts[step];
                    let missed = rank.min(1.0 - rank) < left_out / 2.0;
                    let shift = book.shifts[step] + PACE * (self.outside - f64::from(u8::from(missed)));
                    book.shifts[step] = shift.clamp(-self.outside, SHIFT_MAX);
                }
                let slot = (book.counts[1 + step] % self.kept as i64) as usize;
                book.errors[step * self.kept + slot] = error;
                book.counts[1 + step] += 1;
            }
        }
    }
}

impl Kernel for Cast {
    fn step(&self, slice: &mut Slice<'_>) {
        open(self, slice);
    }
}

impl Work for Cast {
    fn forest(&self) -> &RandomCutForest {
        &self.forest
    }

    fn work<W: Width>(&self, fold: &mut Fold<'_, '_, W>, slice: &mut Slice<'_>) {
        let row = &mut slice.row;
        let (Some(counts), Some(errors), Some(shifts), Some(cast)) =
            (row.i64s.pop(), row.f32s.pop(), row.f64s.pop(), row.f64s.pop())
        else {
            unreachable!("four arrays beside the forest's")
        };
        let mut book = Book { cast, shifts, errors, counts };
        let (inputs, steps) = (self.forest.inputs, self.horizon * self.forest.inputs);
        let mut ahead = Ahead::default();
        let mut room = Vec::with_capacity(self.kept);
        for i in 0..slice.times.len() {
            let values = &slice.values[i * inputs..][..inputs];
            let now = book.counts[0];
            if now > 0 {
                let made = ((now - 1) % self.horizon as i64) as usize;
                let expected = book.cast[made * steps];
                let (lower, upper) = self.ends(&book, 0, &mut room);
                slice.outputs[1][i] = expected;
                slice.outputs[2][i] = expected + lower;
                slice.outputs[3][i] = expected + upper;
                // Of further values three columns each, where somebody asks for them.
                for k in 1..inputs.min(slice.outputs.len().saturating_sub(OUTPUTS) / 3 + 1) {
                    let expected = book.cast[made * steps + k];
                    let (lower, upper) = self.ends(&book, k, &mut room);
                    for (place, said) in
                        [expected, expected + lower, expected + upper].into_iter().enumerate()
                    {
                        slice.outputs[OUTPUTS + 3 * (k - 1) + place][i] = said;
                    }
                }
            }
            self.judge(&mut book, values);
            slice.outputs[0][i] = fold.point(slice.times[i], values);
            fold.look_ahead(self.horizon, None, &mut ahead);
            let here = (now % self.horizon as i64) as usize;
            book.cast[here * steps..][..steps].copy_from_slice(&ahead.middles);
            book.counts[0] += 1;
        }
    }
}
