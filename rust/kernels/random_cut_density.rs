//! Density around a point, by direction: how many shingles lie how near, seen through the cuts that would set it apart.
//!
//! Where a cut in a value would separate the point from a box, that value's direction counts the share of the sample in the
//! box and the width of the box grown by the point, each with its chance. Density is the share counted over the width.

use super::random_cut_box::{outside, Width};
use super::random_cut_forest::Fold;
use super::random_cut_intake::ring;
use super::random_cut_tree::{Bounds, Padded, Ring, Trail, Tree};
use super::random_cut_walk::LANES;

/// Of one direction: chance of being set apart, and weighed by it share of the sample and width.
#[derive(Clone, Copy, Default)]
struct Way {
    chance: f64,
    share: f64,
    width: f64,
}

impl Way {
    /// Where the chance is 0, so is everything.
    #[inline(always)]
    fn add(&mut self, chance: f64, share: f64, width: f32) {
        self.chance += chance;
        self.share += chance * share;
        self.width += chance * f64::from(width);
    }
}

/// What the trees say, by value.
#[derive(Default)]
pub struct Density {
    above: Vec<Way>,
    below: Vec<Way>,
    /// Share of the sample that equals the point.
    same: f64,
    trees: f64,
}

impl Density {
    /// Adds what one tree says.
    fn add<W: Width>(
        &mut self,
        tree: &Tree<'_>,
        width: W,
        ring: Ring<'_>,
        point: &Padded,
        trail: &Trail,
        room: &mut Bounds,
    ) {
        let whole = tree.entries() as f64;
        self.trees += 1.0;
        if trail.equal {
            self.same += f64::from(tree.masses[usize::from(trail.path[trail.depth])]) / whole;
            return;
        }
        let mut left = 1.0;
        for depth in trail.inside..=trail.depth {
            let id = usize::from(trail.path[depth]);
            let bounds = tree.bounds_or_leaf(width, ring, id, room);
            let (beyond, size) = outside(width, bounds, point);
            let scale = left / (f64::from(beyond) + f64::from(size));
            let share = f64::from(tree.masses[id]) / whole;
            let (lows, highs) = bounds.split_at(width.padded());
            for (k, of) in self.above.iter_mut().enumerate() {
                of.add(scale * f64::from((point[k] - highs[k]).max(0.0)), share, point[k] - lows[k]);
            }
            for (k, of) in self.below.iter_mut().enumerate() {
                of.add(scale * f64::from((lows[k] - point[k]).max(0.0)), share, highs[k] - point[k]);
            }
            left *= 1.0 - trail.chances[depth];
        }
    }

    /// Shares of the density by value, above then below; `power` is the number of dimensions that the shingles fill. All
    /// together they are the density: infinite where every tree holds the point itself.
    fn answer(&self, power: f64, answers: &mut [f64]) {
        let mut room = 0.0;
        for &Way { chance, width, .. } in self.above.iter().chain(&self.below) {
            if chance > 0.0 {
                let wide = width / chance;
                room += chance * if power == 1.0 { wide } else { libm::pow(wide, power) };
            }
        }
        let same = self.same / answers.len() as f64;
        for (answer, of) in answers.iter_mut().zip(self.above.iter().chain(&self.below)) {
            *answer = if self.trees > 0.0 { (of.share + same) / room } else { f64::NAN };
        }
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Density around a point, by value, above then below.
    pub(super) fn density(&mut self, point: &Padded, power: f64, density: &mut Density, answers: &mut [f64]) {
        for list in [&mut density.above, &mut density.below] {
            list.clear();
            list.resize(answers.len() / 2, Way::default());
        }
        (density.same, density.trees) = (0.0, 0.0);
        let every: Vec<usize> = (0..self.trees.len()).filter(|&t| *self.trees[t].root >= 0).collect();
        for alive in every.chunks(LANES) {
            self.walk.descend(&self.trees, alive, point);
            self.walk.climb(&self.trees, alive, self.width, ring!(self), point, &mut self.desk);
            for (lane, &tree) in alive.iter().enumerate() {
                self.walk.trail(lane, &mut self.desk.trail);
                let (tree, ring) = (&self.trees[tree], ring!(self));
                density.add(tree, self.width, ring, point, &self.desk.trail, &mut self.desk.room);
            }
        }
        density.answer(power, answers);
    }
}
