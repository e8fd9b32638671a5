//! Left discord: how far the last `length` values are, in shape, from the most similar stretch of the past.
//!
//! Windows are known by their last point. The sum of products of two centred windows moves along with them (the form
//! of Zimmerman et al. 2019, which never subtracts large products of levels):
//!
//! ```text
//! c(i, j) = c(i-1, j-1) + step(i) sum(j) + step(j) sum(i)
//! step(i) = (x(i) - x(i-m)) / 2        sum(i) = (x(i) - mean(i)) + (x(i-m) - mean(i-1))
//! correlation(i, j) = c(i, j) norm(i) norm(j)        norm(i) = 1 / sqrt(sum of squared deviations)
//! distance(i, j) = sqrt(2 m (1 - correlation))
//! ```
//!
//! The covariances are kept by lag, so they are updated where they stand, and the only reduction is a maximum, which
//! is the same in any order: vectors of any width give the same bits. Mean and deviations of a new window are summed
//! anew, in eight lanes written down in `lanes`. Point `t` also sums the covariance of one lag, number `t` modulo
//! their number, anew: rounding lives for one round at most, and the schedule knows the point number only.
//!
//! A missing value is replaced by the one before it, so that the sums go on; windows that hold it have the norm NaN,
//! which loses every comparison. Flat windows have the norm 0.
//!
//! State: `values` f64[window + length], `steps`, `sums`, `norms` f64[window], rings by point number; `covariances`
//! f64[window - exclusion + 1], the oldest window first; `last` f64[2] = (mean of the last window, last value);
//! `head` i64[5] = (points, values without a gap up to `length`, flat windows and all windows that can be compared
//! with, 1 after the first value).

use super::fleet::{Kernel, Slice};

pub struct LeftDiscord {
    pub length: usize,
    pub window: usize,
    pub exclusion: usize,
    pub warm_up: i64,
}

/// Larger values would overflow when they are squared and summed; they count as missing.
const VALUE_MAX: f64 = 1e100;
/// A window whose standard deviation is this little beside its level holds one value and rounding.
const FLAT: f64 = 4e-15;
/// A flat window and one that is not are sqrt(length) apart, which is what a correlation of a half gives.
const FLAT_CORRELATION: f64 = 0.5;

const LANES: usize = 8;
const POINTS: usize = 0;
const RUN: usize = 1;
const FLATS: usize = 2;
const WINDOWS: usize = 3;
const STARTED: usize = 4;
const MEAN: usize = 0;
const VALUE: usize = 1;

/// Sum of `term(a, b)` over two equally long slices: lane `k` takes every eighth from the `k`-th on, the lanes are
/// added in pairs, the rest that fills no eight goes one by one into the first lane.
fn lanes(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lane = [0.0f64; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = (a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        for k in 0..LANES {
            lane[k] += term(a[k], b[k]);
        }
    }
    for (&a, &b) in rest.0.iter().zip(rest.1) {
        lane[0] += term(a, b);
    }
    ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]))
}

/// Takes the mean from a window; gives it and the sum of the squared deviations. Equal values give exactly 0.
fn centre(window: &mut [f64]) -> (f64, f64) {
    let anchor = window[0];
    let mean = anchor + lanes(window, window, |x, _| x - anchor) / window.len() as f64;
    for x in window.iter_mut() {
        *x -= mean;
    }
    (mean, lanes(window, window, |x, _| x * x))
}

/// Copies a stretch of a ring that begins at `from`.
fn gather(ring: &[f64], from: usize, into: &mut [f64]) {
    let first = into.len().min(ring.len() - from);
    let (head, tail) = into.split_at_mut(first);
    head.copy_from_slice(&ring[from..from + first]);
    tail.copy_from_slice(&ring[..tail.len()]);
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    // Not max(): NaN in `a` must lose, and this is one instruction.
    if a > b {
        a
    } else {
        b
    }
}

/// Moves the covariances of consecutive windows on by one point; `best` keeps the largest covariance times norm.
fn sweep(
    covariances: &mut [f64],
    steps: &[f64],
    sums: &[f64],
    norms: &[f64],
    (step, sum): (f64, f64),
    best: &mut [f64; LANES],
) {
    let moved = |c: f64, s: f64, m: f64| c + (step * m + s * sum);
    let mut c = covariances.chunks_exact_mut(LANES);
    let (s, m, n) = (steps.chunks_exact(LANES), sums.chunks_exact(LANES), norms.chunks_exact(LANES));
    let rest = (s.remainder(), m.remainder(), n.remainder());
    for (((c, s), m), n) in c.by_ref().zip(s).zip(m).zip(n) {
        for k in 0..LANES {
            c[k] = moved(c[k], s[k], m[k]);
            best[k] = larger(c[k] * n[k], best[k]);
        }
    }
    for (k, c) in c.into_remainder().iter_mut().enumerate() {
        *c = moved(*c, rest.0[k], rest.1[k]);
        best[k] = larger(*c * rest.2[k], best[k]);
    }
}

/// The state of one series, and room for two windows.
struct Past<'a> {
    values: &'a mut [f64],
    steps: &'a mut [f64],
    sums: &'a mut [f64],
    norms: &'a mut [f64],
    covariances: &'a mut [f64],
    last: &'a mut [f64],
    head: &'a mut [i64],
    centred: Vec<f64>,
    other: Vec<f64>,
}

impl Past<'_> {
    /// The value to go on with, and whether it is one.
    fn take(&mut self, value: f64) -> f64 {
        if value.abs() <= VALUE_MAX {
            if self.head[STARTED] == 0 {
                // As if the past had been this value for ever: windows without deviation, nothing to sum.
                self.values.fill(value);
                self.last[MEAN] = value;
                self.head[STARTED] = 1;
            }
            self.last[VALUE] = value;
            self.head[RUN] = (self.head[RUN].wrapping_add(1)).min(self.centred.len() as i64);
        } else {
            self.head[RUN] = 0;
        }
        self.last[VALUE]
    }

    /// Norm of the newest window, from its mean and sum of squared deviations.
    fn norm(&self, mean: f64, squares: f64) -> f64 {
        let least = FLAT * mean;
        if self.head[RUN] < self.centred.len() as i64 {
            f64::NAN
        } else if squares <= least * least * self.centred.len() as f64 {
            0.0
        } else {
            1.0 / squares.sqrt()
        }
    }

    /// Counts a window among those that can be compared with, or no longer.
    fn count(&mut self, norm: f64, by: i64) {
        if !norm.is_nan() {
            self.head[WINDOWS] = self.head[WINDOWS].wrapping_add(by);
            if norm == 0.0 {
                self.head[FLATS] = self.head[FLATS].wrapping_add(by);
            }
        }
    }

    /// All covariances move on; gives the largest times its window's norm, minus infinity if there is none.
    fn best(&mut self, slot: usize, step: f64, sum: f64) -> f64 {
        let first = self.covariances.len().min(self.norms.len() - slot);
        let (older, newer) = self.covariances.split_at_mut(first);
        let (from, to) = (slot..slot + first, 0..newer.len());
        let mut best = [f64::NEG_INFINITY; LANES];
        let own = (step, sum);
        let (steps, sums, norms) = (&*self.steps, &*self.sums, &*self.norms);
        sweep(older, &steps[from.clone()], &sums[from.clone()], &norms[from], own, &mut best);
        sweep(newer, &steps[to.clone()], &sums[to.clone()], &norms[to], own, &mut best);
        best.into_iter().fold(f64::NEG_INFINITY, |a, b| larger(b, a))
    }

    /// Sums one covariance anew. The centred window sums to 0, so any anchor may be taken from the other.
    fn refresh(&mut self, points: u64, at: usize) {
        let (ring, length) = (self.values.len(), self.centred.len());
        let k = (points % self.covariances.len() as u64) as usize;
        let lag = self.norms.len() - k;
        gather(self.values, (at + 2 * ring + 1 - length - lag) % ring, &mut self.other);
        let anchor = self.other[length - 1];
        self.covariances[k] = lanes(&self.centred, &self.other, |x, y| x * (y - anchor));
    }

    fn score(&self, norm: f64, best: f64, warm_up: i64) -> f64 {
        if norm.is_nan() || self.head[WINDOWS] < warm_up {
            return f64::NAN;
        }
        let flats = self.head[FLATS] > 0;
        let correlation = if norm == 0.0 {
            if flats {
                1.0
            } else {
                FLAT_CORRELATION
            }
        } else {
            larger(best * norm, if flats { FLAT_CORRELATION } else { -1.0 })
        };
        if correlation < 1.0 {
            (1.0 - correlation).sqrt()
        } else {
            0.0
        }
    }

    fn push(&mut self, value: f64, kernel: &LeftDiscord) -> f64 {
        let x = self.take(value);
        let (ring, length, window) = (self.values.len(), kernel.length, kernel.window);
        let points = self.head[POINTS] as u64;
        let (at, slot) = ((points % ring as u64) as usize, (points % window as u64) as usize);
        let gone = self.values[(at + ring - length) % ring];
        self.values[at] = x;
        gather(self.values, (at + ring + 1 - length) % ring, &mut self.centred);
        let (mean, squares) = centre(&mut self.centred);
        let (step, sum) = (0.5 * (x - gone), (x - mean) + (gone - self.last[MEAN]));
        self.last[MEAN] = mean;
        let best = self.best(slot, step, sum);
        self.refresh(points, at);
        self.count(self.norms[(slot + window - kernel.exclusion) % window], 1);
        let norm = self.norm(mean, squares);
        let score = self.score(norm, best, kernel.warm_up);
        self.count(self.norms[slot], -1);
        (self.steps[slot], self.sums[slot], self.norms[slot]) = (step, sum, norm);
        self.head[POINTS] = self.head[POINTS].wrapping_add(1);
        score
    }
}

impl Kernel for LeftDiscord {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([values, steps, sums, norms, covariances, last]) = <[&mut [f64]; 6]>::try_from(row.f64s)
        else {
            unreachable!("six f64 arrays")
        };
        let Ok([head]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        let (centred, other) = (vec![0.0; self.length], vec![0.0; self.length]);
        let mut past = Past { values, steps, sums, norms, covariances, last, head, centred, other };
        for (score, &value) in slice.outputs[0].iter_mut().zip(slice.values) {
            *score = past.push(value, self);
        }
    }
}
