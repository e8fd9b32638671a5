//! A window kept sorted: replace one value, read any rank in constant time.
//!
//! The cells are cut into blocks of a power of two. Each full block is a ring with its own head, so a value that
//! leaves low and one that enters high move whole blocks on by one step of their heads, not by their cells. With
//! one block (`FLAT`) this is a plain sorted array, which is fastest up to about two thousand values.

use std::ops::Range;

/// Windows up to this many values are one block.
pub const FLAT_MAX: usize = 2048;
const SHIFT: u32 = 7;
const MASK: usize = (1 << SHIFT) - 1;

/// Blocks that a window of `window` values needs.
pub fn blocks(window: usize) -> usize {
    if window <= FLAT_MAX {
        1
    } else {
        window.div_ceil(MASK + 1)
    }
}

pub struct Sorted<'a, const FLAT: bool> {
    pub cells: &'a mut [f64],
    pub heads: &'a mut [i64],
}

impl<const FLAT: bool> Sorted<'_, FLAT> {
    /// Starts anew from these values, in any order.
    pub fn fill(&mut self, values: &[f64]) {
        self.cells.copy_from_slice(values);
        self.cells.sort_unstable_by(f64::total_cmp);
        self.heads.fill(0);
    }

    /// Where in the cells the value of this rank is.
    #[inline]
    fn cell(&self, rank: usize) -> usize {
        if FLAT {
            rank
        } else {
            (rank & !MASK) | ((rank + self.heads[rank >> SHIFT] as usize) & MASK)
        }
    }

    #[inline]
    pub fn get(&self, rank: usize) -> f64 {
        self.cells[self.cell(rank)]
    }

    #[inline]
    fn set(&mut self, rank: usize, value: f64) {
        let cell = self.cell(rank);
        self.cells[cell] = value;
    }

    /// Number of values below `value`: counts samples at a wide stride, then at narrower ones between two samples.
    /// Loads do not wait for each other and no branch depends on the data, unlike in a search by halves.
    #[inline]
    fn rank(&self, value: f64) -> usize {
        let mut range = 0..self.cells.len();
        if FLAT {
            range = self.narrow::<256>(range, value);
            range = self.narrow::<16>(range, value);
            let below: usize = self.cells[range.clone()].iter().map(|&v| usize::from(v < value)).sum();
            return range.start + below;
        }
        range = self.narrow::<{ 8 << SHIFT }>(range, value);
        range = self.narrow::<{ 1 << SHIFT }>(range, value);
        range = self.narrow::<16>(range, value);
        range.start + range.map(|rank| usize::from(self.get(rank) < value)).sum::<usize>()
    }

    /// The part of a range of ranks, less than `STRIDE` wide, in which the first value not below `value` is.
    #[inline]
    fn narrow<const STRIDE: usize>(&self, range: Range<usize>, value: f64) -> Range<usize> {
        let below: usize = if FLAT {
            let chunks = self.cells[range.clone()].chunks_exact(STRIDE);
            chunks.map(|chunk| usize::from(chunk[STRIDE - 1] < value)).sum()
        } else {
            let samples = (range.start + STRIDE - 1..range.end).step_by(STRIDE);
            samples.map(|rank| usize::from(self.get(rank) < value)).sum()
        };
        let start = range.start + below * STRIDE;
        start..range.end.min(start + STRIDE - 1)
    }

    /// Takes one `old` out, which must be there, and puts `new` in.
    pub fn replace(&mut self, old: f64, new: f64) {
        let (from, to) = (self.rank(old), self.rank(new));
        if to > from {
            self.move_down(from, to - 1);
            self.set(to - 1, new);
        } else {
            self.move_up(to, from);
            self.set(to, new);
        }
    }

    /// The values of ranks `from + 1..=to` each go down by one rank; rank `to` is free afterwards.
    fn move_down(&mut self, from: usize, to: usize) {
        if FLAT {
            self.cells.copy_within(from + 1..to + 1, from);
            return;
        }
        let (first, last) = (from >> SHIFT, to >> SHIFT);
        if first == last {
            return self.within_down(first, from & MASK, to & MASK);
        }
        self.within_down(first, from & MASK, MASK);
        // The front of each block moves into the free cell of the block before and leaves its own cell free: the
        // last of its block, once the head has moved on.
        let mut free = self.cell((first << SHIFT) | MASK);
        for block in first + 1..=last {
            let front = (block << SHIFT) | self.heads[block] as usize;
            self.cells[free] = self.cells[front];
            free = front;
            if block < last {
                self.heads[block] = (self.heads[block] + 1) & MASK as i64;
            }
        }
        self.within_down(last, 0, to & MASK);
    }

    /// The values of ranks `to..from` each go up by one rank; rank `to` is free afterwards.
    fn move_up(&mut self, to: usize, from: usize) {
        if FLAT {
            self.cells.copy_within(to..from, to + 1);
            return;
        }
        let (first, last) = (to >> SHIFT, from >> SHIFT);
        if first == last {
            return self.within_up(first, to & MASK, from & MASK);
        }
        self.within_up(last, 0, from & MASK);
        let mut free = self.cell(last << SHIFT);
        for block in (first..last).rev() {
            let head = (self.heads[block] - 1) & MASK as i64;
            let back = (block << SHIFT) | head as usize;
            self.cells[free] = self.cells[back];
            free = back;
            if block > first {
                self.heads[block] = head;
            }
        }
        self.within_up(first, to & MASK, MASK);
    }

    /// `move_down` inside one block: the cells may wrap around its end.
    fn within_down(&mut self, block: usize, from: usize, to: usize) {
        let head = self.heads[block] as usize;
        let (a, b) = ((from + head) & MASK, (to + head) & MASK);
        let base = block << SHIFT;
        if a <= b {
            self.cells.copy_within(base + a + 1..base + b + 1, base + a);
        } else {
            self.cells.copy_within(base + a + 1..base + MASK + 1, base + a);
            self.cells[base + MASK] = self.cells[base];
            self.cells.copy_within(base + 1..base + b + 1, base);
        }
    }

    /// `move_up` inside one block.
    fn within_up(&mut self, block: usize, to: usize, from: usize) {
        let head = self.heads[block] as usize;
        let (a, b) = ((to + head) & MASK, (from + head) & MASK);
        let base = block << SHIFT;
        if a <= b {
            self.cells.copy_within(base + a..base + b, base + a + 1);
        } else {
            self.cells.copy_within(base..base + b, base + 1);
            self.cells[base] = self.cells[base + MASK];
            self.cells.copy_within(base + a..base + MASK, base + a + 1);
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
        let half = (n - 1) / 2 + 1;
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

    fn check<const FLAT: bool>(window: usize, seed: u64) {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            // Few distinct values: ties are what goes wrong.
            ((state >> 33) % 97) as f64 - ((state >> 50) % 3) as f64 * 0.25
        };
        let mut ring: Vec<f64> = (0..window).map(|_| next()).collect();
        let (mut cells, mut heads) = (vec![0.0; window], vec![0; window.div_ceil(MASK + 1)]);
        let mut sorted = Sorted::<FLAT> { cells: &mut cells, heads: &mut heads };
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
    fn stays_sorted_in_one_block() {
        for window in [1, 2, 3, 8, 61, 500] {
            check::<true>(window, window as u64);
        }
    }

    #[test]
    fn stays_sorted_in_many_blocks() {
        for window in [1, 127, 128, 129, 256, 300, 1000] {
            check::<false>(window, window as u64);
        }
    }
}
