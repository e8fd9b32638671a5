//! The nearest shingle that each random cut tree knows, some values of the point asked about being unknown.
//!
//! A point goes down by the cuts as ever; where a cut is in a value that it does not have, both sides are tried. The
//! leaf with the smallest sum of distances over the values it has is the tree's answer.

use std::hint::select_unpredictable;

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
    /// Trees (upper half) and their nodes (lower half) that the point has come to, and will come to next; the leaves it may lie in.
    here: Vec<u32>,
    next: Vec<u32>,
    leaves: Vec<u32>,
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
}

impl Search {
    /// Finds the leaves that the point may lie in, in all trees at once: while one waits for memory the others move.
    fn reach(&mut self, trees: &[Tree<'_>], point: &Padded, known: &Padded) {
        self.here.clear();
        let rooted = trees.iter().enumerate().filter(|(_, tree)| *tree.root >= 0);
        self.here.extend(rooted.map(|(t, tree)| (t as u32) << 16 | *tree.root as u32));
        let (mut count, mut found) = (self.here.len(), 0);
        while count > 0 {
            self.next.resize(self.next.len().max(2 * count + 1), 0);
            self.leaves.resize(self.leaves.len().max(found + count), 0);
            let mut ahead = 0;
            // No branch: whether this is a leaf, and which way it goes on, would be foreseen badly.
            for &at in &self.here[..count] {
                let (tree, id) = (&trees[(at >> 16) as usize], (at & 0xFFFF) as usize);
                let inner = id < tree.samples;
                let node = tree.nodes[id.min(tree.samples - 1)];
                let both = known[usize::from(dim_of(node))] == 0.0;
                let first = select_unpredictable(both, left_of(node), child(node, point) as usize);
                self.next[ahead] = at & 0xFFFF_0000 | first as u32;
                ahead += usize::from(inner);
                self.next[ahead] = at & 0xFFFF_0000 | right_of(node) as u32;
                ahead += usize::from(inner & both);
                self.leaves[found] = at;
                found += usize::from(!inner);
            }
            std::mem::swap(&mut self.here, &mut self.next);
            count = ahead;
        }
        self.leaves.truncate(found);
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// Asks every tree for its nearest shingle; `known` is 1 where the point has a value and 0 where not.
    pub(super) fn seek(&mut self, point: &Padded, known: &Padded) {
        self.search.reach(&self.trees, point, known);
        let ring = ring!(self);
        let Search { near, bound, leaves, distances, .. } = &mut self.search;
        let (kernel, written) = (self.kernel, self.head[0]);
        let age = |start: u16| written - kernel.born(start, written);
        near.clear();
        near.resize(self.trees.len(), Near { start: NONE, distance: f32::INFINITY });
        for &at in leaves.iter() {
            let (t, leaf) = ((at >> 16) as usize, (at & 0xFFFF) as usize);
            let start = self.trees[t].newest(leaf, age);
            let distance = apart(ring.point(start), point, known);
            let best = &mut near[t];
            // Of equally near ones the newest.
            if best.start == NONE
                || distance < best.distance
                || distance == best.distance && age(start) < age(best.start)
            {
                *best = Near { start, distance };
            }
        }
        near.retain(|n| n.start != NONE);
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
