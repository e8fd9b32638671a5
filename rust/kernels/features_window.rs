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
    pub slope: f64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    count: usize,
    anchor: f64,
    powers: [f64; 4],
    /// Of slots back: sum, sum of squares, sum of products with the distance.
    back: [f64; 3],
}

impl Sums {
    #[inline]
    fn add(&mut self, value: f64) {
        if self.count == 0 {
            self.anchor = value;
        }
        let d = value - self.anchor;
        let square = d * d;
        self.count += 1;
        self.powers[0] += d;
        self.powers[1] += square;
        self.powers[2] += square * d;
        self.powers[3] += square * square;
    }

    #[inline]
    fn add_back(&mut self, back: usize, value: f64) {
        let back = back as f64;
        self.back[0] += back;
        self.back[1] += back * back;
        self.back[2] += back * (value - self.anchor);
    }

    fn moments(&self) -> Moments {
        if self.count == 0 {
            return Moments::default();
        }
        let n = self.count as f64;
        let [s1, s2, s3, s4] = self.powers;
        let u = s1 / n;
        let m2 = s2 - s1 * u;
        let [t, tt, td] = self.back;
        Moments {
            count: self.count,
            mean: self.anchor + u,
            // Not max(): an overflow is NaN here and must stay so.
            m2: if m2 < 0.0 { 0.0 } else { m2 },
            m3: s3 - 3.0 * u * s2 + 2.0 * n * u * u * u,
            m4: s4 - 4.0 * u * s3 + 6.0 * u * u * s2 - 3.0 * n * u * u * u * u,
            slope: -(td - t * u) / (tt - t * t / n),
        }
    }
}

impl Group {
    /// Appends the moments of each window to `into`.
    pub fn walk(&self, slots: &Slots<'_>, into: &mut Vec<Moments>) {
        let mut sums = Sums::default();
        let (newer, older) = slots.pieces(self.column);
        let cells = newer.iter().rev().chain(older.iter().rev()).skip(self.from);
        let mut lengths = self.lengths.iter();
        let mut next = lengths.next().copied().unwrap_or(0);
        for (back, &value) in cells.enumerate() {
            if value.is_finite() {
                sums.add(value);
                if self.slope {
                    sums.add_back(back, value);
                }
            }
            if back + 1 == next {
                into.push(sums.moments());
                let Some(&length) = lengths.next() else { return };
                next = length;
            }
        }
    }
}

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
            self.remove(slots.at(self.column, self.from + self.length + back));
            self.insert(slots.at(self.column, self.from + back));
        }
    }

    fn below(&self, value: f64) -> usize {
        self.cells.partition_point(|cell| cell.total_cmp(&value).is_lt())
    }

    pub fn remove(&mut self, value: f64) {
        if value.is_finite() {
            let place = self.below(value);
            self.cells.remove(place);
        }
    }

    pub fn insert(&mut self, value: f64) {
        if value.is_finite() {
            let place = self.below(value);
            self.cells.insert(place, value);
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
