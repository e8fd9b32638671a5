//! Distance to the nearest value seen before, on a sorted sketch that covers the values of the last `memory` points.
//!
//! The sketch is a subset of the points: at most so many cells, each one value as it came, the number of the point
//! at which it came last, and how far it then lay from its nearest neighbour (its isolation). A full sketch gives up
//! the older cell of its closest pair, so the cells that are left cover what was seen as evenly as they can; a cell
//! not seen for `memory` points is dropped.
//!
//! State: `values`, `isolation` f64[cells] (sorted by value), `seen` i64[cells], `run` f64[RUN], `head` i64[3] =
//! (cells held, points folded, a point before which no cell was last seen); for novelty of the mean or the deviation
//! of the last values also `ring` f64[window + 1] = (values taken, those values).

use super::distance::distance;
use super::fleet::{Kernel, Slice};
use super::usual::{self, Usual};

/// What novelty is looked for in.
#[derive(Clone, Copy, PartialEq)]
pub enum Of {
    Value,
    /// Mean of the last values.
    Mean,
    /// Their deviation from their mean, root mean square.
    Deviation,
}

pub struct GapNovelty {
    pub of: Of,
    pub memory: i64,
    pub warm_up: f64,
    /// Share of the present value in the running level and scale.
    pub gain: f64,
}

pub const RUN: usize = usual::WIDTH;

/// Values are clamped to this, so that no difference overflows.
const LARGEST: f64 = 1e300;
/// The sketch of one series, unpacked.
struct Sketch<'a> {
    values: &'a mut [f64],
    isolation: &'a mut [f64],
    seen: &'a mut [i64],
    held: usize,
    /// No cell was last seen before this point; known from the last search.
    oldest: i64,
}

/// Smallest distance between neighbours, and its place. Four at a time, because a chain of comparisons waits.
fn closest(values: &[f64]) -> usize {
    let mut least = [f64::INFINITY; 4];
    let pairs = || values.iter().zip(&values[1..]).map(|(a, b)| b - a);
    let (left, right) = (values[..values.len() - 1].chunks_exact(4), values[1..].chunks_exact(4));
    for (a, b) in left.clone().zip(right) {
        for lane in 0..4 {
            let gap = b[lane] - a[lane];
            least[lane] = if gap < least[lane] { gap } else { least[lane] };
        }
    }
    let rest = left.len() * 4;
    let least = pairs().skip(rest).chain(least).fold(f64::INFINITY, f64::min);
    pairs().position(|gap| gap == least).unwrap_or(0)
}

impl Sketch<'_> {
    /// Cell nearest to a value; of two as near, the smaller one. The sketch is not empty.
    fn nearest(&self, value: f64) -> usize {
        let above = self.values[..self.held].partition_point(|&v| v < value);
        if above == 0 {
            return 0;
        }
        let below = above - 1;
        if above == self.held || value - self.values[below] <= self.values[above] - value {
            below
        } else {
            above
        }
    }

    fn drop_cell(&mut self, cell: usize) {
        let from = cell + 1..self.held;
        self.values.copy_within(from.clone(), cell);
        self.isolation.copy_within(from.clone(), cell);
        self.seen.copy_within(from, cell);
        self.held -= 1;
    }

    /// Drops cells last seen before point `since`.
    fn expire(&mut self, since: i64) {
        if self.oldest >= since {
            return;
        }
        for cell in (0..self.held).rev() {
            if self.seen[cell] < since {
                self.drop_cell(cell);
            }
        }
        self.oldest = self.seen[..self.held].iter().copied().min().unwrap_or(since);
    }

    /// Gives up the older cell of the closest pair.
    fn make_room(&mut self) {
        let at = closest(&self.values[..self.held]);
        self.drop_cell(if self.seen[at] <= self.seen[at + 1] { at } else { at + 1 });
    }

    /// Takes in the value of point `now`, which lay `gap` from its nearest cell; the first one has none.
    fn learn(&mut self, value: f64, gap: Option<f64>, now: i64) {
        if gap == Some(0.0) {
            let cell = self.nearest(value);
            self.isolation[cell] = 0.0;
            self.seen[cell] = now;
            return;
        }
        if self.held == self.values.len() {
            self.make_room();
        }
        let at = self.values[..self.held].partition_point(|&v| v < value);
        self.values.copy_within(at..self.held, at + 1);
        self.isolation.copy_within(at..self.held, at + 1);
        self.seen.copy_within(at..self.held, at + 1);
        self.values[at] = value;
        self.isolation[at] = gap.unwrap_or(0.0);
        self.seen[at] = now;
        self.held += 1;
    }
}

/// Without the last eight bits: the same values in another order shall give the same number.
fn steady(number: f64) -> f64 {
    f64::from_bits(number.to_bits() & !0xff)
}

impl GapNovelty {
    /// What the sketch holds of a value; nothing until the ring is full.
    fn read(&self, ring: &mut [f64], value: f64) -> Option<f64> {
        if self.of == Of::Value {
            return Some(value);
        }
        let (taken, kept) = ring.split_first_mut()?;
        let window = kept.len();
        kept[*taken as usize % window] = value;
        // Counts to twice the window and no further: the place and whether it is full are all that matters.
        *taken += 1.0;
        if *taken >= 2.0 * window as f64 {
            *taken -= window as f64;
        }
        if *taken < window as f64 {
            return None;
        }
        let count = window as f64;
        let mean = kept.iter().fold(0.0, |sum, v| sum + v) / count;
        if self.of == Of::Mean {
            return Some(steady(mean));
        }
        // By the largest distance, so that no square overflows or vanishes.
        let far = kept.iter().fold(0.0, |far: f64, v| far.max((v - mean).abs()));
        if far == 0.0 {
            return Some(0.0);
        }
        let squares = kept.iter().fold(0.0, |sum, v| sum + ((v - mean) / far) * ((v - mean) / far));
        Some(steady(far * (squares / count).sqrt()))
    }
}

impl Kernel for GapNovelty {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let mut arrays = row.f64s.into_iter();
        let (Some(values), Some(isolation), Some(run)) = (arrays.next(), arrays.next(), arrays.next()) else {
            unreachable!("three f64 arrays")
        };
        let ring = arrays.next().unwrap_or(&mut []);
        let Ok([seen, head]) = <[&mut [i64]; 2]>::try_from(row.i64s) else { unreachable!("two i64 arrays") };
        let Ok([score, expected, ..]) = <[&mut [f64]; 6]>::try_from(std::mem::take(&mut slice.outputs))
        else {
            unreachable!("six outputs")
        };
        let mut sketch = Sketch { values, isolation, seen, held: head[0] as usize, oldest: head[2] };
        let usual = Usual { gain: self.gain, warm_up: self.warm_up };
        for (i, &raw) in slice.values.iter().enumerate() {
            let now = head[1];
            head[1] = now.wrapping_add(1);
            sketch.expire(now.saturating_sub(self.memory));
            if !raw.is_finite() {
                continue;
            }
            let Some(value) = self.read(ring, raw.clamp(-LARGEST, LARGEST)) else { continue };
            let mut near = None;
            if sketch.held > 0 {
                let cell = sketch.nearest(value);
                let nearest = sketch.values[cell];
                let gap = (value - nearest).abs();
                near = Some(gap);
                if run[usual::COUNT] >= self.warm_up {
                    let scale = usual::scale(run);
                    // New beside a value that was itself alone is less new.
                    let discount = if gap > 0.0 { (1.0 + sketch.isolation[cell] / gap).sqrt() } else { 1.0 };
                    score[i] = distance(value, nearest, scale * discount);
                    expected[i] = nearest;
                }
            }
            sketch.learn(value, near, now);
            usual.learn(run, value);
        }
        head[0] = sketch.held as i64;
        head[2] = sketch.oldest;
    }
}
