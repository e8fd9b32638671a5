//! Values that a shingle does not have, as the trees would have them: of what the nearer half of the nearest shingles have
//! there, the middle.

use super::random_cut_box::{Width, DIMS_MAX};
use super::random_cut_forest::Fold;
use super::random_cut_transform::{held, Transform};
use super::random_cut_tree::Padded;

impl<W: Width> Fold<'_, '_, W> {
    /// True if the trees have seen enough to say what a value would be: a quarter of their samples.
    pub(super) fn versed(&self) -> bool {
        let kernel = self.kernel;
        self.head[3] == kernel.shingle as i64
            && self.head[0] >= (kernel.shingle + kernel.samples / 4) as i64
            && self.trees.iter().any(|tree| *tree.root >= 0)
    }

    /// The shingle as it stands, all of it known.
    pub(super) fn present(&self) -> (Padded, Padded) {
        let (mut point, mut known) = ([0.0; DIMS_MAX], [0.0; DIMS_MAX]);
        point[..self.shingle.len()].copy_from_slice(self.shingle);
        known[..self.shingle.len()].fill(1.0);
        (point, known)
    }

    /// Gives values to what the newest point does not have: imputed, or as they were last.
    pub(super) fn stand_in(&mut self, values: &[f64]) {
        let kernel = self.kernel;
        let from = self.shingle.len() - kernel.dims;
        let missing = |k: &usize| !values[*k].is_finite();
        for k in (0..kernel.inputs).filter(missing) {
            let differs = kernel.transform == Transform::Difference;
            self.shingle[from + k] = match from.checked_sub(kernel.dims) {
                _ if differs => 0.0,
                Some(before) => self.shingle[before + k],
                // A shingle of one point: what was there is still there.
                None => self.shingle[from + k],
            };
        }
        if kernel.imputes && self.versed() {
            let (point, mut known) = self.present();
            (0..kernel.inputs).filter(missing).for_each(|k| known[from + k] = 0.0);
            self.seek(&point, &known);
            for k in (0..kernel.inputs).filter(missing) {
                self.shingle[from + k] = held(self.middle_at(from + k));
            }
        }
        for k in (0..kernel.inputs).filter(missing) {
            self.assume(k, self.shingle[from + k]);
        }
    }

    /// What the trees expect of the newest point by the points before it.
    pub(super) fn foresee(&mut self) {
        self.foreseen.fill(f64::NAN);
        if !self.versed() {
            return;
        }
        let from = self.shingle.len() - self.kernel.dims;
        let (point, mut known) = self.present();
        known[from..][..self.kernel.inputs].fill(0.0);
        self.seek(&point, &known);
        for k in 0..self.kernel.inputs {
            let number = self.middle_at(from + k);
            self.foreseen[k] = self.leave(from + k, number);
        }
    }
}
