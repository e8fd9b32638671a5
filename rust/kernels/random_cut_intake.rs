//! How points come into a series of a random cut forest: the shingle, the ring of values, the end of old points.

use super::random_cut_box::Width;
use super::random_cut_forest::Fold;
use super::random_cut_tree::{Ring, NONE};

/// Values are cut off here, so that sums over 256 dimensions stay finite in f32.
pub const VALUE_MAX: f64 = 1e35;

/// A view of the ring that borrows nothing else.
macro_rules! ring {
    ($fold:expr) => {
        Ring {
            values: &*$fold.ring,
            dims: $fold.kernel.dims,
            length: $fold.kernel.shingle * $fold.kernel.dims,
        }
    };
}
pub(super) use ring;

impl<W: Width> Fold<'_, '_, W> {
    /// Takes a point into the shingle; tells whether it was whole. None before the first whole point.
    pub(super) fn push(&mut self, time: i64, values: &[f64]) -> Option<bool> {
        let known = values.iter().all(|v| v.is_finite());
        let first = self.head[3] == 0;
        if first && !known {
            return None;
        }
        let kernel = self.kernel;
        self.shingle.copy_within(kernel.dims.., 0);
        let from = self.shingle.len() - kernel.dims;
        self.head[2] = ((self.head[2] as u64) << 1 | u64::from(!known)) as i64;
        self.head[3] = (self.head[3] + 1).min(kernel.shingle as i64);
        if kernel.timed {
            self.shingle[from + kernel.inputs] = self.enter_time(time, first);
        }
        self.measure();
        for (k, &value) in values.iter().enumerate() {
            if value.is_finite() {
                self.shingle[from + k] = self.enter(k, value, first);
            }
        }
        if !known {
            self.stand_in(values);
        }
        if kernel.expects {
            self.foresee();
        }
        Some(known)
    }

    /// Writes the newest values to the ring, or the whole shingle if the ring does not hold what is before them.
    pub(super) fn write(&mut self) {
        let dims = self.kernel.dims;
        let count = if self.head[1] == 1 { 1 } else { self.head[3] as usize };
        for back in (0..count).rev() {
            let from = self.shingle.len() - (back + 1) * dims;
            self.expire();
            let (span, shingle) = (self.kernel.span, self.kernel.shingle);
            let at = (self.head[0] % span as i64) as usize;
            self.ring[at * dims..][..dims].copy_from_slice(&self.shingle[from..][..dims]);
            if at < shingle - 1 {
                // The beginning stands behind the end once more, so that every shingle is in one piece.
                self.ring[(span + at) * dims..][..dims].copy_from_slice(&self.shingle[from..][..dims]);
            }
            self.head[0] += 1;
        }
        self.head[1] = 1;
    }

    /// Takes the points out whose first value is about to be overwritten.
    fn expire(&mut self) {
        let (span, written) = (self.kernel.span as i64, self.head[0]);
        if written < span {
            return;
        }
        for t in 0..self.trees.len() {
            if *self.trees[t].counts.oldest() > written - span {
                continue;
            }
            let start = (written % span) as u16;
            for entry in 0..self.trees[t].refs.len() {
                if self.trees[t].refs[entry] == start {
                    let size = self.trees[t].entries();
                    self.trees[t].heap.remove(size, entry as u16);
                    self.trees[t].counts.open_gate();
                    let ring = ring!(self);
                    self.trees[t].delete(self.width, ring, entry as u16, &mut self.desk);
                }
            }
            let tree = &mut self.trees[t];
            let held = tree.refs.iter().filter(|&&r| r != NONE);
            // One more is about to be written; the value at `start` is the newest then.
            *tree.counts.oldest() = held.map(|&r| self.kernel.born(r, written)).min().unwrap_or(i64::MAX);
        }
    }
}
