//! Median and median absolute deviation of the last `window` finite values, both exact.
//!
//! State: `ring` f64[window] in order of time, `sorted` f64[window] and `heads` i64[blocks] as `sorted.rs` keeps
//! them, `head` i64[2] = (values held, next place to write).

use super::distance::Answers;
use super::fleet::{Kernel, Slice};
use super::sorted::{Sorted, FLAT_MAX};

pub struct RollingMedian {
    pub window: usize,
    pub inclusive: bool,
    pub width: f64,
}

/// Turns the median absolute deviation of a normal law into its standard deviation.
const PER_MEDIAN: f64 = 1.4826;
/// The same for the mean absolute deviation, sqrt(pi / 2).
const PER_MEAN: f64 = 1.2533141373155003;

/// The state of one series, and where the search for the deviation began last (a matter of speed only).
struct Window<'a, const FLAT: bool> {
    ring: &'a mut [f64],
    head: &'a mut [i64],
    sorted: Sorted<'a, FLAT>,
    hint: usize,
}

impl<const FLAT: bool> Window<'_, FLAT> {
    fn push(&mut self, value: f64) {
        // Minus zero and zero are equal; adding zero makes them the same bits, so that ties cannot show.
        let value = value + 0.0;
        let window = self.ring.len();
        let at = self.head[1] as usize;
        let old = std::mem::replace(&mut self.ring[at], value);
        self.head[1] = ((at + 1) % window) as i64;
        if self.head[0] == window as i64 {
            return self.sorted.replace(old, value);
        }
        self.head[0] += 1;
        if self.head[0] == window as i64 {
            self.sorted.fill(self.ring);
        }
    }

    /// Median and scale of a full window. Where most values are equal the median deviation is zero and the mean
    /// deviation takes its place; where all are, the scale is zero.
    fn centre(&mut self) -> (f64, f64) {
        let median = self.sorted.median();
        let deviation = self.sorted.median_deviation(median, &mut self.hint);
        let scale = if deviation > 0.0 {
            PER_MEDIAN * deviation
        } else {
            PER_MEAN * self.sorted.mean_deviation(median)
        };
        (median, scale)
    }
}

impl RollingMedian {
    fn fold<const FLAT: bool>(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([ring, cells]) = <[&mut [f64]; 2]>::try_from(row.f64s) else { unreachable!("two f64 arrays") };
        let Ok([heads, head]) = <[&mut [i64]; 2]>::try_from(row.i64s) else { unreachable!("two i64 arrays") };
        let mut window =
            Window { ring, head, sorted: Sorted::<FLAT> { cells, heads }, hint: self.window / 4 };
        let mut answers = Answers::of(slice, self.width);
        for i in 0..answers.values.len() {
            let value = answers.values[i];
            let known = value.is_finite();
            if self.inclusive && known {
                window.push(value);
            }
            if window.head[0] == self.window as i64 {
                let (median, scale) = window.centre();
                answers.say(i, median, scale);
            }
            if !self.inclusive && known {
                window.push(value);
            }
        }
    }
}

impl Kernel for RollingMedian {
    fn step(&self, slice: &mut Slice<'_>) {
        if self.window <= FLAT_MAX {
            self.fold::<true>(slice);
        } else {
            self.fold::<false>(slice);
        }
    }
}
