//! Random Cut Forest: how near to the root of random cut trees a shingle of values would come to lie.
//!
//! State of a series: `head` i64[4] = (values written, 1 if the ring ends with the shingle, missing mask of the last 64
//! points, values in the shingle), `roots` i64[trees], `nodes` i64[trees * samples], `refs` u16[trees * (samples + 1)],
//! `ring` f32, `shingle` f32. Derived, rebuilt where `counts` does not say that they are current: `boxes`, `links`,
//! `weights`, `counts`.

use super::fleet::{Kernel, Slice};
use super::random_cut_attribution::attribute;
use super::random_cut_box::Width;
use super::random_cut_displacement::displacement;
use super::random_cut_intake::ring;
use super::random_cut_near::Search;
use super::random_cut_open::{open, Work};
use super::random_cut_sample::{draw, gate, passes, unit, weight, welcome};
use super::random_cut_transform::Transform;
use super::random_cut_tree::{Desk, Padded, Ring, Tree};
use super::random_cut_walk::{Walk, LANES};

/// Outputs of every detector; shares come behind them.
const ANSWERS: usize = 6;

pub struct RandomCutForest {
    pub trees: usize,
    pub samples: usize,
    pub shingle: usize,
    /// Values of a point as the trees hold it.
    pub dims: usize,
    /// Values of a point as it comes: one less where the time is a value.
    pub inputs: usize,
    pub timed: bool,
    pub transform: Transform,
    /// What fades of a moving mean with each point.
    pub fade: f64,
    /// Missing values are imputed by the trees, or stand as they were last.
    pub imputes: bool,
    /// Answer with the expected value as well.
    pub expects: bool,
    pub seed: u64,
    /// What a weight falls by with each point.
    pub decay: f64,
    /// Values kept; a point leaves every tree before its first value is overwritten.
    pub span: usize,
    pub warm_up: i64,
    pub frozen: bool,
    /// Answer with the displacement in place of the expected depth turned over.
    pub displaces: bool,
    /// Share out scores from this one on, in outputs behind the others.
    pub attributes: Option<f64>,
}

/// The stream of random numbers of each tree, by use.
pub struct Keys {
    pub(super) weight: Vec<u64>,
    pub(super) entry: Vec<u64>,
    pub(super) cut: Vec<u64>,
}

/// A tree that takes a point, the weight that it has there, and whether the largest weight leaves.
#[derive(Clone, Copy)]
pub struct Taken {
    pub tree: usize,
    pub evicts: bool,
    pub weight: f64,
}

/// One series while it is folded.
pub struct Fold<'a, 'k, W> {
    pub(super) kernel: &'k RandomCutForest,
    pub(super) width: W,
    pub(super) keys: Keys,
    pub(super) head: &'a mut [i64],
    pub(super) ring: &'a mut [f32],
    pub(super) shingle: &'a mut [f32],
    pub(super) moments: &'a mut [f64],
    /// Mean and deviation by which each value of the newest point was measured.
    pub(super) units: Vec<(f64, f64)>,
    /// What was expected of the newest point.
    pub(super) foreseen: Vec<f64>,
    pub(super) search: Search,
    /// Scores from this one on are shared out.
    pub(super) above: Option<f64>,
    /// They are explained as well, in `told`.
    pub(super) explains: bool,
    pub(super) told: Vec<f64>,
    pub(super) trees: Vec<Tree<'a>>,
    pub(super) walk: Walk,
    pub(super) point: Padded,
    /// Trees that take the point.
    pub(super) taken: Vec<Taken>,
    /// Trees that the point walks through.
    pub(super) chosen: Vec<usize>,
    pub(super) desk: Desk,
    /// Shares of one tree, and of all: above, then below, each by value of the shingle.
    pub(super) shares: Vec<f64>,
    pub(super) sums: Vec<f64>,
}

impl Work for RandomCutForest {
    fn forest(&self) -> &RandomCutForest {
        self
    }

    fn work<W: Width>(&self, fold: &mut Fold<'_, '_, W>, slice: &mut Slice<'_>) {
        fold.explains = slice.outputs.len() > ANSWERS + fold.sums.len();
        for i in 0..slice.times.len() {
            fold.sums.fill(f64::NAN);
            fold.told.fill(f64::NAN);
            let values = &slice.values[i * self.inputs..][..self.inputs];
            slice.outputs[0][i] = fold.point(slice.times[i], values);
            if self.expects {
                slice.outputs[1][i] = fold.foreseen[0];
            }
            for (output, &share) in
                slice.outputs[ANSWERS..].iter_mut().zip(fold.sums.iter().chain(&fold.told))
            {
                output[i] = share;
            }
        }
    }
}

impl Kernel for RandomCutForest {
    fn step(&self, slice: &mut Slice<'_>) {
        open(self, slice);
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Scores a point, then learns from it.
    pub(super) fn point(&mut self, time: i64, values: &[f64]) -> f64 {
        let Some(known) = self.push(time, values) else { return f64::NAN };
        let kernel = self.kernel;
        let shingle = kernel.shingle as i64;
        if kernel.frozen {
            // The ring keeps what the trees point at; what passes meanwhile is in the shingle only.
            self.head[1] = 0;
        } else {
            self.write();
        }
        let full = self.head[3] == shingle;
        let mask = u64::MAX >> (64 - kernel.shingle);
        let missing = (self.head[2] as u64 & mask).count_ones() as usize;
        let learns = !kernel.frozen && full && known && missing * 2 <= kernel.shingle;
        let before = self.head[0] - shingle + i64::from(kernel.frozen);
        let scores = full && known && before >= kernel.warm_up;
        self.taken.clear();
        if learns {
            self.offer();
        }
        self.point[..self.shingle.len()].copy_from_slice(self.shingle);
        self.chosen.clear();
        if scores {
            self.chosen.extend(0..kernel.trees);
        } else {
            self.chosen.extend(self.taken.iter().map(|taken| taken.tree));
        }
        if !scores {
            self.visit(true, false);
            return f64::NAN;
        }
        let Some(above) = self.above else { return self.visit(true, false) };
        if above <= 0.0 && !self.explains {
            return self.visit(true, true);
        }
        // Whether shares are wanted is known only when every tree has spoken, and none may have learned by then.
        let score = self.visit(false, false);
        if score >= above {
            self.visit(false, true);
            if self.explains {
                self.explain();
            }
        }
        self.chosen.clear();
        self.chosen.extend(self.taken.iter().map(|taken| taken.tree));
        self.visit(true, false);
        score
    }

    /// Adds the shares of a group of trees whose trails are climbed.
    fn share_out(&mut self, alive: &[usize]) {
        for (lane, &tree) in alive.iter().enumerate() {
            let log = self.desk.log(self.trees[tree].entries() as u16);
            self.walk.trail(lane, &mut self.desk.trail);
            let Desk { trail, room, .. } = &mut self.desk;
            let (tree, shares) = (&self.trees[tree], &mut self.shares);
            attribute(tree, self.width, ring!(self), &self.point, trail, room, log, shares, &mut self.sums);
        }
    }

    /// Makes the shares sum up to the score, where there are some.
    fn even_out(&mut self, score: f64) {
        let whole: f64 = self.sums.iter().sum();
        if whole > 0.0 {
            self.sums.iter_mut().for_each(|share| *share *= score / whole);
        }
    }

    /// Puts displacements in the place of scores.
    fn displace(&mut self, alive: &[usize]) {
        for (lane, &tree) in alive.iter().enumerate() {
            self.walk.trail(lane, &mut self.desk.trail);
            self.walk.scores[lane] = displacement(&self.trees[tree], &self.desk.trail);
        }
    }

    /// Walks the newest point through the chosen trees; shares the score out if asked, takes the point into those trees
    /// that want it if it may. Gives the mean score.
    fn visit(&mut self, learns: bool, shares: bool) -> f64 {
        if shares {
            self.sums.fill(0.0);
        }
        let (mut sum, mut trees) = (0.0, 0);
        let mut taken = 0;
        for first in (0..self.chosen.len()).step_by(LANES) {
            let last = self.chosen.len().min(first + LANES);
            let mut alive = [0; LANES];
            let mut count = 0;
            for &tree in &self.chosen[first..last] {
                alive[count] = tree;
                count += usize::from(*self.trees[tree].root >= 0);
            }
            let alive = &alive[..count];
            if count > 0 {
                self.walk.descend(&self.trees, alive, &self.point);
                self.walk.climb(&self.trees, alive, self.width, ring!(self), &self.point, &mut self.desk);
                if shares {
                    self.share_out(alive);
                }
                if self.kernel.displaces {
                    self.displace(alive);
                }
                self.walk.scores[..count].iter().for_each(|score| sum += score);
                trees += count;
            }
            while learns && taken < self.taken.len() && self.taken[taken].tree <= self.chosen[last - 1] {
                let new = self.taken[taken];
                if let Some(lane) = alive.iter().position(|&tree| tree == new.tree) {
                    self.walk.trail(lane, &mut self.desk.trail);
                }
                self.learn(new);
                taken += 1;
            }
        }
        if trees == 0 {
            return f64::NAN;
        }
        let score = sum / trees as f64;
        if shares {
            self.even_out(score);
        }
        score
    }
}

impl RandomCutForest {
    /// Weight of the point whose last value has this number.
    pub(super) fn weight(&self, key: u64, last: i64) -> f64 {
        weight(draw(key, last as u64), last, self.decay)
    }

    /// Number of the value at a place of the ring, when so many have been written.
    pub(super) fn born(&self, start: u16, written: i64) -> i64 {
        let span = self.span as i64;
        let age = (written - 1 - i64::from(start)).rem_euclid(span);
        written - 1 - age
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Finds the trees that take the newest point.
    fn offer(&mut self) {
        let last = self.head[0] - 1;
        let kernel = self.kernel;
        for (t, tree) in self.trees.iter_mut().enumerate() {
            let bits = draw(self.keys.weight[t], last as u64);
            let held = tree.entries();
            if held == kernel.samples {
                let (bound, until) = tree.counts.gate();
                if last > *until {
                    (*bound, *until) = gate(tree.heap.weights[0], last, kernel.decay);
                }
                if passes(bits, *bound) {
                    let weight = weight(bits, last, kernel.decay);
                    if weight < tree.heap.weights[0] {
                        self.taken.push(Taken { tree: t, evicts: true, weight });
                    }
                }
                continue;
            }
            let number = unit(draw(self.keys.entry[t], last as u64));
            let weight = weight(bits, last, kernel.decay);
            if number < welcome(held as f64 / kernel.samples as f64) {
                self.taken.push(Taken { tree: t, evicts: false, weight });
            } else if held > 0 && weight < tree.heap.weights[0] {
                self.taken.push(Taken { tree: t, evicts: true, weight });
            }
        }
    }

    /// Takes the newest point into a tree whose trail is climbed.
    fn learn(&mut self, taken: Taken) {
        let last = self.head[0] - 1;
        let first = last - self.kernel.shingle as i64 + 1;
        let start = (first % self.kernel.span as i64) as u16;
        let bits = draw(self.keys.cut[taken.tree], last as u64);
        let ring = ring!(self);
        let tree = &mut self.trees[taken.tree];
        let held = tree.entries();
        let entry = tree.insert(self.width, ring, start, &self.point, &mut self.desk, bits);
        *tree.counts.oldest() = (*tree.counts.oldest()).min(first);
        if taken.evicts {
            // The largest weight falls, so what the gate keeps out stays out.
            let old = tree.heap.entries[0];
            tree.heap.replace(held, taken.weight, entry);
            tree.delete(self.width, ring, old, &mut self.desk);
        } else {
            tree.heap.push(held, taken.weight, entry);
            tree.counts.open_gate();
        }
    }
}
