//! A window kept sorted: replace one value, read any rank in constant time.

use std::ops::Range;

/// Integers of the state that are zero: windows above 2,048 values were once kept in blocks of 128, each a ring with
/// its head here, and such a state is still read.
pub fn blocks(window: usize) -> usize {
    if window <= 2048 {
        1
    } else {
        window.div_ceil(128)
    }
}

/// How many values are the half of so many.
pub fn half(values: usize) -> usize {
    (values - 1) / 2 + 1
}

pub struct Sorted<'a> {
    pub cells: &'a mut [f64],
}

impl Sorted<'_> {
    /// Starts anew from these values, in any order.
    pub fn fill(&mut self, values: &[f64]) {
        self.cells.copy_from_slice(values);
        self.cells.sort_unstable_by(f64::total_cmp);
    }

    #[inline]
    fn get(&self, rank: usize) -> f64 {
        self.cells[rank]
    }

    /// Number of values below `value`: counts samples at a wide stride, then at narrower ones between two samples.
    /// Loads do not wait for each other and no branch depends on the data, unlike in a search by halves.
    #[inline]
    fn rank(&self, value: f64) -> usize {
        let range = self.narrow::<256>(0..self.cells.len(), value);
        let range = self.narrow::<16>(range, value);
        range.start + self.cells[range].iter().map(|&v| usize::from(v < value)).sum::<usize>()
    }

    /// The part of a range of ranks, less than `STRIDE` wide, in which the first value not below `value` is.
    #[inline]
    fn narrow<const STRIDE: usize>(&self, range: Range<usize>, value: f64) -> Range<usize> {
        let chunks = self.cells[range.clone()].chunks_exact(STRIDE);
        let below: usize = chunks.map(|chunk| usize::from(chunk[STRIDE - 1] < value)).sum();
        let start = range.start + below * STRIDE;
        start..range.end.min(start + STRIDE - 1)
    }

    /// Takes one `old` out, which must be there, and puts `new` in.
    pub fn replace(&mut self, old: f64, new: f64) {
        let (from, to) = (self.rank(old), self.rank(new));
        if to > from {
            self.cells.copy_within(from + 1..to, from);
            self.cells[to - 1] = new;
        } else {
            self.cells.copy_within(to..from, to + 1);
            self.cells[to] = new;
        }
    }

    pub fn median(&self) -> f64 {
        let n = self.cells.len();
        // Halves before the sum: the same number, and no overflow.
        0.5 * self.get((n - 1) / 2) + 0.5 * self.get(n / 2)
    }

    /// Median of the absolute deviations from `centre`, the median.
    ///
    /// The half of the values nearest to the centre are neighbours in rank; `hint` is where they began last time,
    /// which decides the speed and never the answer.
    pub fn median_deviation(&self, centre: f64, hint: &mut usize) -> f64 {
        let n = self.cells.len();
        let half = half(n);
        let start = self.nearest(centre, half, *hint);
        *hint = start;
        let inner = (centre - self.get(start)).max(self.get(start + half - 1) - centre);
        if n % 2 == 1 {
            return inner;
        }
        let left = if start > 0 { centre - self.get(start - 1) } else { f64::INFINITY };
        let right = if start + half < n { self.get(start + half) - centre } else { f64::INFINITY };
        0.5 * inner + 0.5 * left.min(right)
    }

    /// First rank of the `count` values nearest to `centre`: gallops from the hint, then halves.
    #[inline]
    fn nearest(&self, centre: f64, count: usize, hint: usize) -> usize {
        let last = self.cells.len() - count;
        // True as long as the value that would enter on the right is nearer than the one that would leave.
        let onward = |start: usize| centre - self.get(start) > self.get(start + count) - centre;
        let (mut low, mut high) = (0, last);
        let mut stride = 1;
        let mut at = hint.min(last);
        if at < last && onward(at) {
            low = at + 1;
            while low < last {
                at = (low + stride - 1).min(last - 1);
                if !onward(at) {
                    high = at;
                    break;
                }
                low = at + 1;
                stride *= 2;
            }
        } else {
            high = at;
            while high > 0 {
                at = high.saturating_sub(stride);
                if onward(at) {
                    low = at + 1;
                    break;
                }
                high = at;
                stride *= 2;
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if onward(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Mean absolute deviation from `centre`: for windows most of whose values are equal, reads the others only.
    pub fn mean_deviation(&self, centre: f64) -> f64 {
        let n = self.cells.len();
        let below = self.rank(centre);
        let mut sum = 0.0;
        for rank in 0..below {
            sum += centre - self.get(rank);
        }
        for rank in (below..n).rev() {
            let value = self.get(rank);
            if value <= centre {
                break;
            }
            sum += value - centre;
        }
        sum / n as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(window: usize, seed: u64) {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            // Few distinct values: ties are what goes wrong.
            ((state >> 33) % 97) as f64 - ((state >> 50) % 3) as f64 * 0.25
        };
        let mut ring: Vec<f64> = (0..window).map(|_| next()).collect();
        let mut cells = vec![0.0; window];
        let mut sorted = Sorted { cells: &mut cells };
        sorted.fill(&ring);
        let mut hint = 0;
        for step in 0..2000 {
            let value = next() + if step % 400 < 100 { 500.0 } else { 0.0 };
            sorted.replace(ring[step % window], value);
            ring[step % window] = value;
            if step % 10 == 0 {
                let mut wanted = ring.clone();
                wanted.sort_unstable_by(f64::total_cmp);
                let got: Vec<f64> = (0..window).map(|rank| sorted.get(rank)).collect();
                assert_eq!(got, wanted);
                let centre = sorted.median();
                let mut deviations: Vec<f64> = ring.iter().map(|v| (v - centre).abs()).collect();
                deviations.sort_unstable_by(f64::total_cmp);
                let middle = 0.5 * deviations[(window - 1) / 2] + 0.5 * deviations[window / 2];
                assert_eq!(sorted.median_deviation(centre, &mut hint), middle);
            }
        }
    }

    #[test]
    fn stays_sorted() {
        for window in [1, 2, 3, 8, 61, 300, 500, 1000] {
            check(window, window as u64);
        }
    }
}
