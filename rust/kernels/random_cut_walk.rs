//! One point through several random cut trees at once: down to the leaves, and back up until boxes hold the point.
//!
//! While one tree waits for memory the others move; each tree's part is the same as alone.

use std::hint::select_unpredictable;

use super::random_cut_box::{begin, chance, grow, holds, parts, same, Parts, Width};
use super::random_cut_tree::{
    child, left_of, right_of, Bounds, Desk, Padded, Ring, Trail, Tree, NONE, SAMPLES_MAX,
};

/// Trees that walk together.
pub const LANES: usize = 10;
/// Trees and a few more, so that a row fills registers.
const ROW: usize = 16;
/// Steps up that most ways have at most.
const FEW: usize = 8;
/// Of the first so many of `FEW` numbers all bits.
const FIRST: [[u64; FEW]; FEW + 1] = first();

const fn first() -> [[u64; FEW]; FEW + 1] {
    let mut masks = [[0; FEW]; FEW + 1];
    let mut count = 0;
    while count <= FEW {
        let mut at = 0;
        while at < count {
            masks[count][at] = u64::MAX;
            at += 1;
        }
        count += 1;
    }
    masks
}

/// One over the depth below each depth, the score of a point that is set apart there; the depth after `FEW` zeros.
static SHARES: [f64; FEW + SAMPLES_MAX + 1] = shares();

const fn shares() -> [f64; FEW + SAMPLES_MAX + 1] {
    let mut shares = [0.0; FEW + SAMPLES_MAX + 1];
    let mut depth = 0;
    while depth <= SAMPLES_MAX {
        shares[FEW + depth] = 1.0 / (depth as f64 + 1.0);
        depth += 1;
    }
    shares
}

/// The ways of one point through the trees of a group.
#[derive(Default)]
pub struct Walk {
    /// Ids of nodes; rows are depths, columns are trees.
    paths: Vec<[u16; ROW]>,
    /// Of all boxes looked at, tree by tree and upwards.
    parts: Vec<Parts>,
    chances: Vec<f64>,
    /// Where each tree begins in them.
    begins: [usize; LANES + 1],
    depth: [usize; LANES],
    equal: [bool; LANES],
    pub scores: [f64; LANES],
}

impl Walk {
    /// Goes down to the leaves of the chosen trees, at most `LANES`, none of them empty.
    pub fn descend(&mut self, trees: &[Tree<'_>], chosen: &[usize], point: &Padded) {
        // With their usual number known to the compiler, nodes need no check of their index.
        match trees[chosen[0]].samples {
            256 => self.drop::<256>(trees, chosen, point),
            _ => self.drop::<0>(trees, chosen, point),
        }
    }

    /// `N` is the number of nodes of a tree, 0 if any.
    fn drop<const N: usize>(&mut self, trees: &[Tree<'_>], chosen: &[usize], point: &Padded) {
        let samples = if N > 0 { N } else { trees[chosen[0]].samples };
        // Lanes that are not needed walk the first tree once more.
        let tree = |lane: usize| &trees[chosen[if lane < chosen.len() { lane } else { 0 }]];
        let nodes: [&[i64]; LANES] = std::array::from_fn(|lane| &tree(lane).nodes[..samples]);
        let mut at: [u32; LANES] = std::array::from_fn(|lane| *tree(lane).root as u32);
        let mut rows = 0;
        loop {
            if rows == self.paths.len() {
                self.paths.push([0; ROW]);
            }
            let row = &mut self.paths[rows];
            let mut inner = 0;
            for lane in 0..LANES {
                let id = at[lane];
                row[lane] = id as u16;
                let index = if N > 0 { id as usize % samples } else { (id as usize).min(samples - 1) };
                let below = child(nodes[lane][index], point);
                // Leaves stay where they are; no branch tells them apart, for it would be foreseen badly.
                at[lane] = select_unpredictable(id < samples as u32, below, id);
                inner |= id.wrapping_sub(samples as u32);
            }
            rows += 1;
            if inner as i32 >= 0 {
                break;
            }
        }
        let mut depth = [0i16; ROW];
        for row in &self.paths[..rows] {
            depth = std::array::from_fn(|lane| depth[lane] + i16::from((row[lane] as i16) < samples as i16));
        }
        self.depth = std::array::from_fn(|lane| depth[lane] as usize);
    }

    /// Goes back up, in each tree until the point is inside a box: fills the chances and the expected scores.
    #[inline]
    pub fn climb<W: Width>(
        &mut self,
        trees: &[Tree<'_>],
        chosen: &[usize],
        width: W,
        ring: Ring<'_>,
        point: &Padded,
        desk: &mut Desk,
    ) {
        self.parts.clear();
        for (lane, &tree) in chosen.iter().enumerate() {
            self.begins[lane] = self.parts.len();
            let (tree, depth) = (&trees[tree], self.depth[lane]);
            let leaf = usize::from(self.paths[depth][lane]);
            let here = ring.point(tree.refs[leaf - tree.samples]);
            self.equal[lane] = same(width, here, point);
            if !self.equal[lane] {
                let way = Way { tree, width, ring, point };
                way.rise(&self.paths[..=depth], lane, &mut self.parts, here, &mut desk.room);
            }
        }
        self.begins[chosen.len()] = self.parts.len();
        self.chances.clear();
        self.chances.extend(self.parts.iter().map(|&parts| chance(parts)));
        self.chances.extend([0.0; FEW]);
        for (lane, &tree) in chosen.iter().enumerate() {
            self.scores[lane] = self.score(lane, &trees[tree], desk);
        }
    }

    /// The expected score of one tree, of which all chances are known.
    #[inline(always)]
    fn score(&self, lane: usize, tree: &Tree<'_>, desk: &mut Desk) -> f64 {
        let depth = self.depth[lane];
        let mut score = SHARES[FEW + depth];
        if self.equal[lane] {
            let mass = tree.masses[usize::from(self.paths[depth][lane])];
            let damp = 1.0 - f64::from(mass) / (2.0 * tree.entries() as f64);
            score = damp / (depth as f64 + desk.log(mass));
        }
        let (from, to) = (self.begins[lane], self.begins[lane + 1]);
        // A chance of zero leaves the score as it is, bit for bit: so there is no branch that would be foreseen badly.
        let masks = &FIRST[(to - from).min(FEW)];
        let shares = &SHARES[depth..][..FEW];
        for (k, &chance) in self.chances[from..][..FEW].iter().enumerate() {
            let chance = f64::from_bits(chance.to_bits() & masks[k]);
            score = (1.0 - chance) * score + chance * shares[FEW - 1 - k];
        }
        for at in from + FEW..to {
            let chance = self.chances[at];
            score = (1.0 - chance) * score + chance * SHARES[FEW + depth - 1 - (at - from)];
        }
        score * desk.log(tree.entries() as u16)
    }

    /// Copies one tree's way.
    pub fn trail(&self, lane: usize, into: &mut Trail) {
        let chances = &self.chances[self.begins[lane]..self.begins[lane + 1]];
        into.depth = self.depth[lane];
        into.inside = into.depth - chances.len();
        into.equal = self.equal[lane];
        for at in 0..=into.depth {
            into.path[at] = self.paths[at][lane];
        }
        into.chances[into.depth] = 1.0;
        for (into, &chance) in into.chances[into.inside..into.depth].iter_mut().rev().zip(chances) {
            *into = chance;
        }
    }
}

/// One point on its way through one tree.
struct Way<'a, 't, W> {
    tree: &'a Tree<'t>,
    width: W,
    ring: Ring<'a>,
    point: &'a Padded,
}

impl<W: Width> Way<'_, '_, W> {
    /// The way up: looks at boxes from that of the leaf's parent on until one holds the point, and notes the others.
    #[inline(always)]
    fn rise(
        &self,
        path: &[[u16; ROW]],
        lane: usize,
        found: &mut Vec<Parts>,
        here: &[f32],
        room: &mut Bounds,
    ) {
        let Way { tree, width, ring, point } = *self;
        let id_of = |row: &[u16; ROW]| usize::from(row[lane % ROW]);
        let Some((leaf, mut above)) = path.split_last() else { return };
        let (mut first, mut below) = (true, id_of(leaf));
        // The nodes above the leaf that keep no box.
        while let Some((row, rest)) = above.split_last() {
            let id = id_of(row);
            if tree.slots[id] != NONE {
                break;
            }
            if first {
                begin(width, room, here);
            }
            let (left, right) = (left_of(tree.nodes[id]), right_of(tree.nodes[id]));
            let other = select_unpredictable(left == below, right, left);
            if other >= tree.samples {
                grow(width, room, ring.point(tree.refs[other - tree.samples]));
            } else {
                tree.add(width, ring, other, room);
            }
            let parts = parts(width, room, point);
            if holds(&parts) {
                return;
            }
            found.push(parts);
            (first, below, above) = (false, id, rest);
        }
        for row in above.iter().rev() {
            let parts = parts(width, tree.bounds(width, ring, id_of(row), room), point);
            if holds(&parts) {
                return;
            }
            found.push(parts);
        }
    }
}
