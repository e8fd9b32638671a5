//! What a window of time says: moments, a slope, and its values in order.
//!
//! Moments are made anew at every point from the values themselves, newest first: nothing is ever subtracted that left,
//! so that nothing drifts and a spike that left is gone to the last bit. One walk serves all windows that begin at the
//! same slot: a shorter one is a prefix of a longer one. Sums are of distances from the newest value, which is one of
//! the window's own, so that a large level costs no digits and equal values give exactly zero: the mean is at most
//! sqrt(n) deviations away from it, which bounds the relative error of the fourth moment by some n² roundings.

use super::features_slots::Slots;

/// Windows of one column that begin `from` slots before the newest; lengths ascend.
pub struct Group {
    pub column: usize,
    pub from: usize,
    pub lengths: Vec<usize>,
    pub slope: bool,
}

/// Of the known values of a window: how many, mean, sums of powers of the distances from it, change a slot.
#[derive(Clone, Copy, Default, Debug)]
pub struct Moments {
    pub count: usize,
    pub mean: f64,
    pub m2: f64,
    pub m3: f64,
    pub m4: f64,
    pub std: f64,
    pub slope: f64,
}

/// Sums over known values: of powers of the distance from the anchor; of slots back, their squares, and products.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: usize,
    anchor: f64,
    powers: [f64; 4],
    back: [f64; 3],
}

impl Sums {
    fn moments(&self) -> Moments {
        if self.count == 0 {
            return Moments::default();
        }
        let n = self.count as f64;
        let [s1, s2, s3, s4] = self.powers;
        let u = s1 / n;
        let m2 = s2 - s1 * u;
        // Not max(): an overflow is NaN here and must stay so.
        let m2 = if m2 < 0.0 { 0.0 } else { m2 };
        let [t, tt, td] = self.back;
        Moments {
            count: self.count,
            mean: self.anchor + u,
            m2,
            m3: s3 - 3.0 * u * s2 + 2.0 * n * u * u * u,
            m4: s4 - 4.0 * u * s3 + 6.0 * u * u * s2 - 3.0 * n * u * u * u * u,
            std: (m2 / (n - 1.0)).sqrt(),
            slope: -(td - t * u) / (tt - t * t / n),
        }
    }

    /// Adds cells from newer to older; the last of them is `back` slots before the window's first, and so on.
    #[inline]
    fn add<const SLOPE: bool>(&mut self, cells: &[f64], mut back: usize) {
        // In registers while the cells are walked.
        let Sums { mut count, mut anchor, mut powers, back: mut slots } = *self;
        for &value in cells.iter().rev() {
            if value.is_finite() {
                if count == 0 {
                    anchor = value;
                }
                let d = value - anchor;
                let square = d * d;
                count += 1;
                for (sum, term) in powers.iter_mut().zip([d, square, square * d, square * square]) {
                    *sum += term;
                }
                if SLOPE {
                    let ago = back as f64;
                    for (sum, term) in slots.iter_mut().zip([ago, ago * ago, ago * d]) {
                        *sum += term;
                    }
                }
            }
            back += 1;
        }
        *self = Sums { count, anchor, powers, back: slots };
    }
}

impl Group {
    /// Appends the moments of each window to `into`.
    pub fn walk(&self, slots: &Slots<'_>, into: &mut Vec<Moments>) {
        if self.slope {
            self.walk_with::<true>(slots, into);
        } else {
            self.walk_with::<false>(slots, into);
        }
    }

    fn walk_with<const SLOPE: bool>(&self, slots: &Slots<'_>, into: &mut Vec<Moments>) {
        let (newer, older) = slots.pieces(self.column);
        // The ring unrolled, from newest to oldest: the first `split` slots back are in `newer`.
        let split = newer.len();
        let mut sums = Sums::default();
        let mut done = self.from;
        for &length in &self.lengths {
            let end = self.from + length;
            if done < split {
                let near = end.min(split);
                sums.add::<SLOPE>(&newer[split - near..split - done], done - self.from);
                done = near;
            }
            if done < end {
                let (first, last) = (done - split, end - split);
                sums.add::<SLOPE>(&older[older.len() - last..older.len() - first], done - self.from);
                done = end;
            }
            into.push(sums.moments());
        }
    }
}

/// Up to so many values are counted and not searched: no branch depends on them.
const SHORT: usize = 32;

/// The known values of one window, ascending.
pub struct Ordered {
    pub column: usize,
    pub from: usize,
    pub length: usize,
    pub cells: Vec<f64>,
}

impl Ordered {
    pub fn new(column: usize, from: usize, length: usize) -> Self {
        Self { column, from, length, cells: Vec::with_capacity(length) }
    }

    pub fn fill(&mut self, slots: &Slots<'_>) {
        self.cells.clear();
        for back in self.from..self.from + self.length {
            let value = slots.at(self.column, back);
            if value.is_finite() {
                self.cells.push(value);
            }
        }
        self.cells.sort_unstable_by(f64::total_cmp);
    }

    /// The ring has moved on by so many slots, fewer than the window is long.
    pub fn follow(&mut self, slots: &Slots<'_>, by: usize) {
        for back in (0..by).rev() {
            self.replace(
                slots.at(self.column, self.from + self.length + back),
                slots.at(self.column, self.from + back),
            );
        }
    }

    /// Number of values before `value` in order.
    #[inline]
    fn below(&self, value: f64) -> usize {
        if self.cells.len() <= SHORT {
            return self.cells.iter().map(|cell| usize::from(cell.total_cmp(&value).is_lt())).sum();
        }
        self.cells.partition_point(|cell| cell.total_cmp(&value).is_lt())
    }

    /// One value for another; either may be unknown. Only what lies between the two moves.
    #[inline]
    pub fn replace(&mut self, old: f64, new: f64) {
        match (old.is_finite(), new.is_finite()) {
            (true, true) => {
                let (from, to) = (self.below(old), self.below(new));
                if to > from {
                    self.cells.copy_within(from + 1..to, from);
                    self.cells[to - 1] = new;
                } else {
                    self.cells.copy_within(to..from, to + 1);
                    self.cells[to] = new;
                }
            }
            (true, false) => {
                let place = self.below(old);
                self.cells.remove(place);
            }
            (false, true) => {
                let place = self.below(new);
                self.cells.insert(place, new);
            }
            (false, false) => {}
        }
    }

    /// The quantile between two neighbours in proportion; NaN of nothing.
    pub fn quantile(&self, share: f64) -> f64 {
        let Some(last) = self.cells.len().checked_sub(1) else { return f64::NAN };
        let at = share * last as f64;
        let low = (at as usize).min(last);
        let (a, b) = (self.cells[low], self.cells[(low + 1).min(last)]);
        a + (b - a) * (at - low as f64)
    }

    pub fn least(&self) -> f64 {
        self.cells.first().copied().unwrap_or(f64::NAN)
    }

    pub fn most(&self) -> f64 {
        self.cells.last().copied().unwrap_or(f64::NAN)
    }

    /// Share of values below, those that are equal counted half.
    pub fn share_below(&self, value: f64) -> f64 {
        let below = self.cells.partition_point(|&cell| cell < value);
        let equal = self.cells[below..].partition_point(|&cell| cell <= value);
        (below as f64 + 0.5 * equal as f64) / self.cells.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::features_slots::{Moved, MARKS, RECENT};
    use super::*;

    const CAPACITY: usize = 23;

    fn number(at: u64) -> f64 {
        let mixed = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        // Few different values, and some that are missing.
        if mixed.is_multiple_of(7) {
            f64::NAN
        } else {
            (mixed % 11) as f64 - 4.0
        }
    }

    /// Windows that follow a ring over its end say what windows made anew say.
    #[test]
    fn windows_follow_the_ring() {
        let (mut marks, mut ring) = ([0; MARKS], [f64::NAN; CAPACITY]);
        let mut recent = [f64::NAN; RECENT];
        let mut follows = Ordered::new(0, 1, 9);
        let group = Group { column: 0, from: 1, lengths: vec![2, 5, 9], slope: true };
        let (mut time, mut past) = (0, Vec::new());
        for at in 0..400_u64 {
            let steps = if at.is_multiple_of(13) { 3 } else { 1 };
            time += steps * 60;
            let value = number(at);
            past.extend((1..steps).map(|_| f64::NAN));
            past.push(value);
            let mut slots = Slots {
                marks: &mut marks,
                ring: &mut ring,
                recent: &mut recent,
                columns: 1,
                capacity: CAPACITY,
            };
            match slots.take(time, &[value], 60) {
                Moved::By(by) => follows.follow(&slots, by),
                _ => follows.fill(&slots),
            }
            let mut anew = Ordered::new(0, 1, 9);
            anew.fill(&slots);
            assert_eq!(follows.cells, anew.cells);
            let mut said = Vec::new();
            group.walk(&slots, &mut said);
            for (moments, length) in said.iter().zip([2, 5, 9]) {
                let known = past.iter().rev().skip(1).take(length).filter(|v| v.is_finite());
                let (count, sum) = known.fold((0, 0.0), |(count, sum), v| (count + 1, sum + v));
                assert_eq!(moments.count, count);
                assert!(count == 0 || (moments.mean - sum / f64::from(count as u32)).abs() < 1e-12);
            }
        }
    }
}
