//! The nearest shingle that each random cut tree knows, some values of the point asked about being unknown.
//!
//! A point goes down by the cuts as ever; where a cut is in a value that it does not have, both sides are tried. The
//! leaf with the smallest sum of distances over the values it has is the tree's answer.

use super::random_cut_box::Width;
use super::random_cut_forest::Fold;
use super::random_cut_intake::ring;
use super::random_cut_tree::{child, dim_of, left_of, right_of, Padded, Ring, Tree, NONE};

/// A shingle, by where it begins in the ring, and its distance.
#[derive(Clone, Copy)]
pub struct Near {
    pub start: u16,
    pub distance: f32,
}

/// Room for questions: the answer of each tree, and what is on the way there.
#[derive(Default)]
pub struct Search {
    pub near: Vec<Near>,
    /// Distance of the nearer half of the answers: those beyond it say little.
    pub bound: f32,
    stack: Vec<u16>,
    distances: Vec<f32>,
    values: Vec<f64>,
}

/// Sum of distances over the values that are known, over four lanes that are added at the end.
#[inline(always)]
fn apart(here: &[f32], point: &Padded, known: &Padded) -> f32 {
    let mut lanes = [0f32; 4];
    for (part, from) in here.chunks(4).zip((0..).step_by(4)) {
        for (k, &x) in part.iter().enumerate() {
            lanes[k] += (x - point[from + k]).abs() * known[from + k];
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

impl Tree<'_> {
    /// Where the newest of the equal shingles of a leaf begins.
    fn newest(&self, leaf: usize, age: impl Fn(u16) -> i64) -> u16 {
        let entry = leaf - self.samples;
        if self.masses[leaf] == 1 {
            return self.refs[entry];
        }
        let beside = |e: &usize| usize::from(self.leaders[*e]) == entry && self.refs[*e] != NONE;
        let starts = (0..self.refs.len()).filter(beside).map(|e| self.refs[e]);
        starts.min_by_key(|&start| age(start)).unwrap_or(self.refs[entry])
    }

    /// The nearest of the shingles that the point may come to lie with; of equally near ones the newest by `age`.
    fn nearest(
        &self,
        ring: Ring<'_>,
        point: &Padded,
        known: &Padded,
        stack: &mut Vec<u16>,
        age: impl Fn(u16) -> i64,
    ) -> Option<Near> {
        if *self.root < 0 {
            return None;
        }
        let mut best: Option<Near> = None;
        stack.push(*self.root as u16);
        while let Some(id) = stack.pop() {
            let mut id = usize::from(id);
            while id < self.samples {
                let node = self.nodes[id];
                if known[usize::from(dim_of(node))] > 0.0 {
                    id = child(node, point) as usize;
                } else {
                    stack.push(right_of(node) as u16);
                    id = left_of(node);
                }
            }
            let start = self.newest(id, &age);
            let distance = apart(ring.point(start), point, known);
            let nearer =
                |b: Near| distance < b.distance || distance == b.distance && age(start) < age(b.start);
            if best.is_none_or(nearer) {
                best = Some(Near { start, distance });
            }
        }
        best
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Asks every tree for its nearest shingle; `known` is 1 where the point has a value and 0 where not.
    pub(super) fn seek(&mut self, point: &Padded, known: &Padded) {
        let ring = ring!(self);
        let Search { near, bound, stack, distances, .. } = &mut self.search;
        near.clear();
        let (kernel, written) = (self.kernel, self.head[0]);
        let age = |start: u16| written - kernel.born(start, written);
        near.extend(self.trees.iter().filter_map(|tree| tree.nearest(ring, point, known, stack, age)));
        distances.clear();
        distances.extend(near.iter().map(|n| n.distance));
        *bound = f32::INFINITY;
        if !distances.is_empty() {
            let half = (distances.len() - 1) / 2;
            *bound = *distances.select_nth_unstable_by(half, f32::total_cmp).1;
        }
    }

    /// Points from the last value of a shingle to the newest value: 0 for the newest shingle itself.
    pub(super) fn ago(&self, start: u16) -> i64 {
        let kernel = self.kernel;
        self.head[0] - kernel.shingle as i64 - kernel.born(start, self.head[0])
    }

    /// The middle of what the nearer half of the shingles found have at a place. NaN if there is none.
    pub(super) fn middle_at(&mut self, place: usize) -> f64 {
        let ring = ring!(self);
        let Search { near, bound, values, .. } = &mut self.search;
        values.clear();
        let nearer = near.iter().filter(|n| n.distance <= *bound);
        values.extend(nearer.map(|n| f64::from(ring.point(n.start)[place])));
        middle(values)
    }
}

/// The median, which reorders; NaN of nothing.
pub fn middle(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return f64::NAN;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    if count % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + upper) / 2.0
}
