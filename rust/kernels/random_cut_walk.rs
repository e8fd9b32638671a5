//! One point through several random cut trees at once: down to the leaves, and back up until boxes hold the point.
//!
//! While one tree waits for memory the others move; each tree's part is the same as alone.

use std::hint::select_unpredictable;

use super::random_cut_box::{begin, grow, separation, Width};
use super::random_cut_tree::{child, left_of, right_of, Desk, Padded, Ring, Trail, Tree, NONE};

/// Trees that walk together.
pub const LANES: usize = 10;

/// The ways of one point through the trees of a group; rows are depths, columns are trees.
pub struct Walk {
    paths: Vec<[u16; LANES]>,
    chances: Vec<[f64; LANES]>,
    /// One over the depth below each depth: the score of a point that is set apart there.
    shares: Vec<f64>,
    depth: [usize; LANES],
    inside: [usize; LANES],
    equal: [bool; LANES],
    pub scores: [f64; LANES],
}

impl Walk {
    pub fn new(samples: usize) -> Self {
        Walk {
            paths: vec![[0; LANES]; samples + 1],
            chances: vec![[0.0; LANES]; samples + 1],
            shares: (0..samples + 1).map(|depth| 1.0 / (depth as f64 + 1.0)).collect(),
            depth: [0; LANES],
            inside: [0; LANES],
            equal: [false; LANES],
            scores: [0.0; LANES],
        }
    }

    /// Goes down to the leaves of the chosen trees, at most `LANES`, none of them empty.
    #[inline]
    pub fn descend(&mut self, trees: &[Tree<'_>], chosen: &[usize], point: &Padded) {
        let samples = trees[chosen[0]].samples;
        // Lanes that are not needed walk the first tree once more.
        let tree = |lane: usize| &trees[chosen[if lane < chosen.len() { lane } else { 0 }]];
        let nodes: [&[i64]; LANES] = std::array::from_fn(|lane| &tree(lane).nodes[..samples]);
        let mut at: [usize; LANES] = std::array::from_fn(|lane| *tree(lane).root as usize);
        let mut depth = [0; LANES];
        for row in &mut self.paths {
            let mut moving = 0;
            for lane in 0..LANES {
                let id = at[lane];
                row[lane] = id as u16;
                // Leaves stay where they are; no branch tells them apart, for it would be foreseen badly.
                let inner = usize::from(id < samples);
                let next = child(nodes[lane][id.min(samples - 1)], point);
                at[lane] = select_unpredictable(id < samples, next, id);
                depth[lane] += inner;
                moving |= inner;
            }
            if moving == 0 {
                break;
            }
        }
        self.depth = depth;
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
        let mut active = [0usize; LANES];
        let mut count = 0;
        for (lane, &tree) in chosen.iter().enumerate() {
            active[count] = lane;
            count += usize::from(self.leave(lane, &trees[tree], width, ring, point, desk));
        }
        while count > 0 {
            let mut kept = 0;
            for k in 0..count {
                let lane = active[k];
                let at = self.inside[lane] - 1;
                let tree = &trees[chosen[lane]];
                let bounds = tree.bounds(width, ring, usize::from(self.paths[at][lane]), &mut desk.room);
                let chance = separation(width, bounds, point);
                self.chances[at][lane] = chance;
                // A chance of 0 leaves the score as it is, bit for bit.
                self.scores[lane] = (1.0 - chance) * self.scores[lane] + chance * self.shares[at];
                let outside = usize::from(chance > 0.0);
                self.inside[lane] -= outside;
                active[kept] = lane;
                kept += outside & usize::from(at > 0);
            }
            count = kept;
        }
        for (score, &tree) in self.scores.iter_mut().zip(chosen) {
            *score *= desk.log(trees[tree].entries() as u16);
        }
    }

    /// The first steps up: the leaf, and the nodes above it that keep no box. True if there are others to look at.
    #[inline(always)]
    fn leave<W: Width>(
        &mut self,
        lane: usize,
        tree: &Tree<'_>,
        width: W,
        ring: Ring<'_>,
        point: &Padded,
        desk: &mut Desk,
    ) -> bool {
        let depth = self.depth[lane];
        let leaf = usize::from(self.paths[depth][lane]);
        let here = ring.point(tree.refs[leaf - tree.samples]);
        self.equal[lane] = here == &point[..ring.length];
        self.inside[lane] = depth;
        if self.equal[lane] {
            let mass = tree.masses[leaf];
            let damp = 1.0 - f64::from(mass) / (2.0 * tree.entries() as f64);
            self.scores[lane] = damp / (depth as f64 + desk.log(mass));
            return false;
        }
        self.chances[depth][lane] = 1.0;
        let mut score = self.shares[depth];
        let mut rising = false;
        let mut begun = false;
        while self.inside[lane] > 0 {
            let at = self.inside[lane] - 1;
            let id = usize::from(self.paths[at][lane]);
            if tree.slots[id] != NONE {
                rising = true;
                break;
            }
            if !begun {
                begin(width, &mut desk.room[..2 * width.padded()], here);
                begun = true;
            }
            let (left, right) = (left_of(tree.nodes[id]), right_of(tree.nodes[id]));
            let other = if left == usize::from(self.paths[at + 1][lane]) { right } else { left };
            if other >= tree.samples {
                grow(width, &mut desk.room, ring.point(tree.refs[other - tree.samples]));
            } else {
                tree.add(width, ring, other, &mut desk.room);
            }
            let chance = separation(width, &desk.room, point);
            if chance == 0.0 {
                break;
            }
            self.chances[at][lane] = chance;
            score = (1.0 - chance) * score + chance * self.shares[at];
            self.inside[lane] = at;
        }
        self.scores[lane] = score;
        rising
    }

    /// Copies one tree's way.
    pub fn trail(&self, lane: usize, into: &mut Trail) {
        into.depth = self.depth[lane];
        into.inside = self.inside[lane];
        into.equal = self.equal[lane];
        for at in 0..=into.depth {
            into.path[at] = self.paths[at][lane];
            into.chances[at] = self.chances[at][lane];
        }
    }
}
