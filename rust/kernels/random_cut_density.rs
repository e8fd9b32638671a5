//! Density around a point, by direction: how many shingles lie how near, seen through the cuts that would set it apart.
//!
//! Where a cut in a value would separate the point from a box, that value's direction counts the share of the sample in the
//! box and the width of the box grown by the point, each with its chance. Density is the share counted over the width.

use super::random_cut_box::{outside, Width};
use super::random_cut_forest::Fold;
use super::random_cut_intake::ring;
use super::random_cut_tree::{Bounds, Padded, Ring, Trail, Tree};
use super::random_cut_walk::LANES;

/// By value, above then below: chance of being set apart, share of the sample, width.
#[derive(Default)]
pub struct Density {
    chance: Vec<f64>,
    share: Vec<f64>,
    width: Vec<f64>,
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
            tree.gather_box(width, ring, id, room);
            let (beyond, size) = outside(width, &room[..2 * width.padded()], point);
            let grown = f64::from(beyond) + f64::from(size);
            let share = f64::from(tree.masses[id]) / whole;
            let (lows, highs) = room[..2 * width.padded()].split_at(width.padded());
            for k in 0..ring.length {
                let (low, high, x) = (f64::from(lows[k]), f64::from(highs[k]), f64::from(point[k]));
                let mut count = |at: usize, out: f64| {
                    let chance = left * out / grown;
                    self.chance[at] += chance;
                    self.share[at] += chance * share;
                    self.width[at] += chance * (high.max(x) - low.min(x));
                };
                if x > high {
                    count(k, x - high);
                } else if x < low {
                    count(ring.length + k, low - x);
                }
            }
            left *= 1.0 - trail.chances[depth];
        }
    }

    /// Shares of the density by value, above then below; `power` is the number of dimensions that the shingles fill. All
    /// together they are the density: infinite where every tree holds the point itself.
    fn answer(&self, power: f64, answers: &mut [f64]) {
        let mut room = 0.0;
        for (chance, width) in self.chance.iter().zip(&self.width) {
            if *chance > 0.0 {
                let wide = width / chance;
                room += chance * if power == 1.0 { wide } else { libm::pow(wide, power) };
            }
        }
        let same = self.same / answers.len() as f64;
        for (answer, share) in answers.iter_mut().zip(&self.share) {
            *answer = if self.trees > 0.0 { (share + same) / room } else { f64::NAN };
        }
    }
}

impl Tree<'_> {
    /// The box of a node, kept or made, in `room`.
    fn gather_box<W: Width>(&self, width: W, ring: Ring<'_>, id: usize, room: &mut Bounds) {
        if id < self.samples && self.slots[id] != super::random_cut_tree::NONE {
            room[..2 * width.padded()].copy_from_slice(self.kept(width, self.slots[id]));
        } else {
            self.gather(width, ring, id, room);
        }
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Density around a point, by value, above then below.
    pub(super) fn density(&mut self, point: &Padded, power: f64, density: &mut Density, answers: &mut [f64]) {
        for list in [&mut density.chance, &mut density.share, &mut density.width] {
            list.clear();
            list.resize(answers.len(), 0.0);
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
