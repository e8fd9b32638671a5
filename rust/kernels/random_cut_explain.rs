//! What is to be said of a strange point: at which point of the shingle it began, what was expected there, what came in the past.

use super::random_cut_box::Width;
use super::random_cut_forest::{Fold, RandomCutForest};
use super::random_cut_intake::ring;
use super::random_cut_tree::Ring;

/// A value is explained if it has at least this part of the largest share at its point.
const PART: f64 = 0.5;

/// Numbers told of a point: points since it began, points since the past that is most like it, then by value of a point
/// what came, what was expected, what came in that past.
pub fn told(forest: &RandomCutForest) -> usize {
    2 + 3 * forest.inputs
}

impl<W: Width> Fold<'_, '_, W> {
    /// Explains the newest point by its shares.
    pub(super) fn explain(&mut self) {
        let (dims, inputs, shingle) = (self.kernel.dims, self.kernel.inputs, self.kernel.shingle);
        let length = shingle * dims;
        let share = |place: usize| self.sums[place] + self.sums[length + place];
        let strength = |block: usize| (0..dims).map(|k| share(block * dims + k)).sum::<f64>();
        let began = (0..shingle).rev().reduce(|best, block| match strength(block) > strength(best) {
            true => block,
            false => best,
        });
        let from = began.unwrap_or(0) * dims;
        let most = (0..dims).map(|k| share(from + k)).fold(0.0, f64::max);
        let strange: Vec<bool> = (0..inputs).map(|k| share(from + k) >= PART * most).collect();
        self.told.fill(f64::NAN);
        self.told[0] = (shingle - 1 - from / dims) as f64;
        for k in 0..inputs {
            self.told[2 + k] = self.leave(from + k, f64::from(self.shingle[from + k]));
        }
        if !self.versed() {
            return;
        }
        let (point, mut known) = self.present();
        for k in (0..inputs).filter(|&k| strange[k]) {
            known[from + k] = 0.0;
        }
        self.seek(&point, &known);
        for k in (0..inputs).filter(|&k| strange[k]) {
            let number = self.middle_at(from + k);
            self.told[2 + inputs + k] = self.leave(from + k, number);
        }
        let by_distance = |start: u16, distance: f32| (distance, self.ago(start));
        let nearest = self.search.near.iter().min_by(|a, b| {
            let (one, two) = (by_distance(a.start, a.distance), by_distance(b.start, b.distance));
            one.0.total_cmp(&two.0).then(one.1.cmp(&two.1))
        });
        if let Some(start) = nearest.map(|n| n.start) {
            self.told[1] = self.ago(start) as f64;
            for k in 0..inputs {
                let number = f64::from(ring!(self).point(start)[from + k]);
                self.told[2 + 2 * inputs + k] = self.leave(from + k, number);
            }
        }
    }
}
