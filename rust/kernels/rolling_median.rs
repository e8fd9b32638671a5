//! Median and median absolute deviation of the last `window` finite values, both exact.
//!
//! State: `ring` f64[window] in order of time, `sorted` f64[window], once it is full, in order of value, `heads`
//! i64[blocks] zeros, `head` i64[2] = (values held, next place to write). Points that come singly move the sorted
//! window (`sorted.rs`); many at once are ranked together (`ranked.rs`), which gives the same bits.

use super::distance::Answers;
use super::fleet::{Kernel, Slice};
use super::ranked::Ranked;
use super::sorted::Sorted;

pub struct RollingMedian {
    pub window: usize,
    pub inclusive: bool,
    pub width: f64,
}

/// Turns the median absolute deviation of a normal law into its standard deviation.
const PER_MEDIAN: f64 = 1.4826;
/// The same for the mean absolute deviation, sqrt(pi / 2).
const PER_MEAN: f64 = 1.2533141373155003;

/// Batches of fewer points than this part of a window, or of so few at all, are not worth ranking.
const PART: usize = 4;
const FEW: usize = 64;

/// The state of one series, and where the search for the deviation began last (a matter of speed only).
struct Window<'a> {
    ring: &'a mut [f64],
    head: &'a mut [i64],
    sorted: Sorted<'a>,
    hint: usize,
}

/// Minus zero and zero are equal; adding zero makes them the same bits, so that ties cannot show.
fn entering(value: f64) -> f64 {
    value + 0.0
}

/// The scale that belongs to a median deviation. Where most values are equal that is zero and the mean deviation
/// takes its place; where all are, the scale is zero.
#[inline]
fn scale(deviation: f64, mean_deviation: impl FnOnce() -> f64) -> f64 {
    if deviation > 0.0 {
        PER_MEDIAN * deviation
    } else {
        PER_MEAN * mean_deviation()
    }
}

impl Window<'_> {
    fn is_full(&self) -> bool {
        self.head[0] == self.ring.len() as i64
    }

    /// Puts a value in the ring; gives back what was in its place.
    #[inline]
    fn turn(&mut self, value: f64) -> f64 {
        let at = self.head[1] as usize;
        let next = at + 1;
        self.head[1] = if next == self.ring.len() { 0 } else { next as i64 };
        std::mem::replace(&mut self.ring[at], value)
    }

    fn push(&mut self, value: f64) {
        let value = entering(value);
        let old = self.turn(value);
        if self.is_full() {
            return self.sorted.replace(old, value);
        }
        self.head[0] += 1;
        if self.is_full() {
            self.sorted.fill(self.ring);
        }
    }

    fn centre(&mut self) -> (f64, f64) {
        let median = self.sorted.median();
        let deviation = self.sorted.median_deviation(median, &mut self.hint);
        (median, scale(deviation, || self.sorted.mean_deviation(median)))
    }
}

impl RollingMedian {
    /// Folds points until what is left is enough to rank; gives back the first not folded.
    fn fold_singly(&self, window: &mut Window<'_>, answers: &mut Answers<'_>) -> usize {
        let points = answers.values.len();
        let many = FEW.max(self.window / PART);
        for i in 0..points {
            if points - i >= many && window.is_full() {
                return i;
            }
            let value = answers.values[i];
            let known = value.is_finite();
            if self.inclusive && known {
                window.push(value);
            }
            if window.is_full() {
                let (median, scale) = window.centre();
                answers.say(i, median, scale);
            } else {
                answers.pass(i);
            }
            if !self.inclusive && known {
                window.push(value);
            }
        }
        points
    }

    /// All points from this one on; the window is full.
    fn fold_ranked(&self, window: &mut Window<'_>, answers: &mut Answers<'_>, from: usize) {
        let (newer, older) = window.ring.split_at(window.head[1] as usize);
        let mut ranked = Ranked::new(older.iter().chain(newer).copied());
        let points = answers.values.len();
        let mut i = from;
        while i < points {
            let end = points.min(i + Ranked::stretch(self.window));
            let coming = answers.values[i..end].iter().filter(|value| value.is_finite());
            ranked.expect(coming.map(|&value| entering(value)));
            while i < end {
                let value = answers.values[i];
                let known = value.is_finite();
                if known {
                    window.turn(entering(value));
                }
                if self.inclusive && known {
                    ranked.advance();
                }
                let median = ranked.median();
                let deviation = ranked.median_deviation(median);
                answers.say(i, median, scale(deviation, || ranked.mean_deviation(median)));
                if !self.inclusive && known {
                    ranked.advance();
                }
                i += 1;
            }
        }
        for (cell, value) in window.sorted.cells.iter_mut().zip(ranked.ascending()) {
            *cell = value;
        }
    }
}

impl Kernel for RollingMedian {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([ring, cells]) = <[&mut [f64]; 2]>::try_from(row.f64s) else { unreachable!("two f64 arrays") };
        let Ok([heads, head]) = <[&mut [i64]; 2]>::try_from(row.i64s) else { unreachable!("two i64 arrays") };
        let mut window = Window { ring, head, sorted: Sorted { cells }, hint: self.window / 4 };
        if heads.iter().any(|&head| head != 0) {
            // A state of old, in blocks.
            heads.fill(0);
            window.sorted.fill(window.ring);
        }
        let mut answers = Answers::of(slice, self.width);
        let singly = self.fold_singly(&mut window, &mut answers);
        if singly < answers.values.len() {
            self.fold_ranked(&mut window, &mut answers, singly);
        }
    }
}
