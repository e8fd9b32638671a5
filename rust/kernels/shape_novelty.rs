//! Shape novelty: how far the last eight block means are, after their own mean is taken away, from the nearest eight
//! of the past.
//!
//! `M(t)` is the mean of the last `block` values. The shape of point `t` is `M(t), M(t - block), ... M(t - 7 block)`.
//! It is compared with those that ended a multiple of `stride` before; `stride` divides `block`, so that every mean
//! that a point needs is of one phase. Each phase keeps its means in a ring of its own, in one piece.
//!
//! ```text
//! d(k) = M(t - k block) - M(j - k block)        distance(t, j)^2 = sum d(k)^2 - (sum d(k))^2 / 8
//! ```
//!
//! Every distance is made anew, so nothing drifts and what has left the ring is forgotten to the bit. Half of the
//! blocks bound the distance from below, and most shapes are left after that half.
//!
//! A block is known if half of its values are; shapes with an unknown block (NaN) lose every comparison.
//!
//! State: `values` f64[block], a ring by point number; `past` f64[stride (back + slots)], for each phase a ring by
//! point number / stride, before which its last `back` places are mirrored; `run`, see `usual`; `head` i64[3] =
//! (points, shapes that can be compared with, points from the last shape to the nearest).

use super::distance::distance;
use super::fleet::{Kernel, Slice};
use super::usual::{self, Usual};

pub struct ShapeNovelty {
    pub memory: u64,
    pub block: usize,
    pub stride: usize,
    /// Shapes to compare with before there is an opinion.
    pub warm_up: i64,
    /// Share of the present value in the running level and scale.
    pub gain: f64,
}

pub const BLOCKS: usize = 8;
/// Values are clamped to this, so that no sum of squares overflows.
const LARGEST: f64 = 1e150;
/// Values that the running scale takes in whole, and needs.
const SCALE_VALUES: f64 = 30.0;
const LANES: usize = 4;
/// Blocks whose differences bound a distance, and the rest.
const FIRST: [usize; 4] = [0, 2, 5, 7];
const REST: [usize; 4] = [1, 3, 4, 6];

const POINTS: usize = 0;
const SHAPES: usize = 1;
const LAG: usize = 2;

/// Running sums of differences and of their squares, one shape a lane.
struct Sums {
    plain: [f64; LANES],
    squares: [f64; LANES],
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, own: f64, past: &[f64]) {
        for ((plain, squares), &mean) in self.plain.iter_mut().zip(&mut self.squares).zip(past) {
            let away = own - mean;
            *plain += away;
            *squares += away * away;
        }
    }

    /// Squared distances of the lanes if `blocks` blocks were all.
    #[inline(always)]
    fn squared(&self, blocks: usize) -> [f64; LANES] {
        let share = 1.0 / blocks as f64;
        std::array::from_fn(|lane| self.squares[lane] - self.plain[lane] * self.plain[lane] * share)
    }
}

/// The nearest shape so far: squared distance and place of its last mean.
#[derive(Clone, Copy)]
struct Nearest {
    squared: f64,
    place: usize,
}

impl Nearest {
    /// Takes over what is nearer; NaN never is.
    fn or(&mut self, squared: f64, place: usize) {
        if squared < self.squared {
            *self = Nearest { squared, place };
        }
    }

    fn one(&mut self, own: &[f64; BLOCKS], shape: &[f64; BLOCKS], place: usize) {
        let (mut plain, mut squares) = (0.0, 0.0);
        for k in FIRST.into_iter().chain(REST) {
            let away = own[k] - shape[k];
            plain += away;
            squares += away * away;
        }
        self.or(squares - plain * plain * (1.0 / BLOCKS as f64), place);
    }

    /// All shapes whose last means are `past[from..to]`, and whose blocks lie `step` apart.
    fn all(&mut self, own: &[f64; BLOCKS], past: &[f64], step: usize, from: usize, to: usize) {
        let rows: [&[f64]; BLOCKS] = std::array::from_fn(|k| &past[from - k * step..to - k * step]);
        let whole = (to - from) / LANES * LANES;
        for at in (0..whole).step_by(LANES) {
            let mut sums = Sums { plain: [0.0; LANES], squares: [0.0; LANES] };
            for k in FIRST {
                sums.add(own[k], &rows[k][at..at + LANES]);
            }
            let bound = sums.squared(FIRST.len());
            if !bound.iter().fold(false, |any, &squared| any | (squared < self.squared)) {
                continue;
            }
            for k in REST {
                sums.add(own[k], &rows[k][at..at + LANES]);
            }
            for (lane, squared) in sums.squared(BLOCKS).into_iter().enumerate() {
                self.or(squared, from + at + lane);
            }
        }
        for place in from + whole..to {
            self.one(own, &std::array::from_fn(|k| past[place - k * step]), place);
        }
    }
}

/// Mean of the values that are known, NaN where fewer than half are. Equal values give exactly that value.
fn mean(values: &[f64]) -> f64 {
    let known = || values.iter().filter(|v| !v.is_nan());
    let Some(&anchor) = known().next() else { return f64::NAN };
    let (mut sum, mut count) = (0.0, 0.0);
    for value in known() {
        sum += value - anchor;
        count += 1.0;
    }
    if 2.0 * count < values.len() as f64 {
        return f64::NAN;
    }
    anchor + sum / count
}

/// The state of one series.
struct Past<'a> {
    values: &'a mut [f64],
    past: &'a mut [f64],
    head: &'a mut [i64],
    kernel: &'a ShapeNovelty,
    /// Points of a shape.
    length: u64,
    stride: u64,
    /// Places from one block to the next, and from the first to the last.
    step: usize,
    back: usize,
    /// Places of one phase, without and with those mirrored.
    slots: usize,
    width: usize,
}

impl<'a> Past<'a> {
    fn new(
        kernel: &'a ShapeNovelty,
        values: &'a mut [f64],
        past: &'a mut [f64],
        head: &'a mut [i64],
    ) -> Self {
        let (step, width) = (kernel.block / kernel.stride, past.len() / kernel.stride);
        let back = (BLOCKS - 1) * step;
        let (length, stride) = ((BLOCKS * kernel.block) as u64, kernel.stride as u64);
        Self { values, past, head, kernel, length, stride, step, back, slots: width - back, width }
    }

    /// Where the mean of a point is.
    fn place(&self, point: u64) -> usize {
        let (phase, number) = ((point % self.stride) as usize, point / self.stride);
        phase * self.width + self.back + (number % self.slots as u64) as usize
    }

    /// Keeps the mean of a point, and mirrors it where its ring ends.
    fn keep(&mut self, point: u64, mean: f64) {
        let place = self.place(point);
        self.past[place] = mean;
        if place % self.width >= self.slots {
            self.past[place - self.slots] = mean;
        }
    }

    fn shape(&self, point: u64) -> [f64; BLOCKS] {
        let place = self.place(point);
        std::array::from_fn(|k| self.past[place - k * self.step])
    }

    /// Counts the shapes that point `now` is the first to be compared with, and those that it no longer is.
    fn count(&mut self, now: u64) {
        for (lag, by) in [(self.length, 1), (self.kernel.memory + 1, -1)] {
            if now.checked_sub(lag).is_some_and(|point| known(&self.shape(point))) {
                self.head[SHAPES] = self.head[SHAPES].wrapping_add(by);
            }
        }
    }

    /// Least squared distance of a shape to those before; infinite if there is none.
    fn least(&mut self, own: &[f64; BLOCKS], now: u64) -> f64 {
        let oldest = now.saturating_sub(self.kernel.memory);
        // Ends of the range that are of the phase of `now`.
        let (first, last) = (now - (now - oldest) / self.stride * self.stride, now - self.length);
        let (from, to) = (self.place(first), self.place(last) + 1);
        let mut nearest = Nearest { squared: f64::INFINITY, place: usize::MAX };
        // What was nearest to the point before is most often near to this one, and spares much of the rest.
        let guess = now.wrapping_sub(self.head[LAG] as u64);
        if (first..=last).contains(&guess) && guess % self.stride == now % self.stride {
            nearest.one(own, &self.shape(guess), self.place(guess));
        }
        if from < to {
            nearest.all(own, self.past, self.step, from, to);
        } else {
            let phase = (now % self.stride) as usize * self.width;
            nearest.all(own, self.past, self.step, phase + self.back, to);
            nearest.all(own, self.past, self.step, from, phase + self.width);
        }
        if nearest.squared < f64::INFINITY {
            let slots = self.slots as u64;
            let number = (nearest.place % self.width - self.back) as u64;
            let behind = (now / self.stride % slots + slots - number) % slots;
            self.head[LAG] = (behind * self.stride) as i64;
        }
        nearest.squared
    }

    /// Folds one value, NaN if it is missing; gives the distance to the nearest shape if there is an opinion.
    fn push(&mut self, value: f64) -> Option<f64> {
        let now = self.head[POINTS] as u64;
        self.head[POINTS] = self.head[POINTS].wrapping_add(1);
        self.values[(now % self.kernel.block as u64) as usize] = value;
        self.keep(now, mean(self.values));
        self.count(now);
        let own = self.shape(now);
        if value.is_nan() || self.head[SHAPES] < self.kernel.warm_up || now < self.length || !known(&own) {
            return None;
        }
        let squared = self.least(&own, now);
        squared.is_finite().then(|| (squared.max(0.0) / BLOCKS as f64).sqrt())
    }
}

fn known(shape: &[f64; BLOCKS]) -> bool {
    !shape.iter().any(|mean| mean.is_nan())
}

impl Kernel for ShapeNovelty {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([values, past, run]) = <[&mut [f64]; 3]>::try_from(row.f64s) else {
            unreachable!("three f64 arrays")
        };
        let Ok([head]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        let usual = Usual { gain: self.gain, warm_up: SCALE_VALUES };
        let mut past = Past::new(self, values, past, head);
        for (score, &raw) in slice.outputs[0].iter_mut().zip(slice.values) {
            if !raw.is_finite() {
                past.push(f64::NAN);
                continue;
            }
            let value = raw.clamp(-LARGEST, LARGEST);
            if let Some(away) = past.push(value) {
                if run[usual::COUNT] >= SCALE_VALUES {
                    *score = distance(away, 0.0, usual::scale(run));
                }
            }
            usual.learn(run, value);
        }
    }
}
