//! What is derived of a random cut tree, made anew from its nodes, its entries and the points.

use super::random_cut_box::{Width, DIMS_MAX};
use super::random_cut_forest::Fold;
use super::random_cut_intake::{ring, VALUE_MAX};
use super::random_cut_tree::{child, left_of, right_of, Ring, Tree, BOX_ENTRIES, FREE, NONE};

impl Tree<'_> {
    /// Masses, representatives, boxes, heap and counts. `weight_of` and `born` tell the weight of an entry's point and
    /// the number of its first value.
    pub fn rebuild<W: Width>(
        &mut self,
        width: W,
        ring: Ring<'_>,
        weight_of: impl Fn(i64) -> f64,
        born: impl Fn(u16) -> i64,
    ) {
        self.masses.fill(0);
        self.slots.fill(NONE);
        for (number, slot) in self.free.iter_mut().enumerate() {
            *slot = number as u16;
        }
        self.counts.0.fill(0);
        self.counts.open_gate();
        *self.counts.boxes() = self.free.len() as i64;
        *self.counts.oldest() = i64::MAX;
        *self.counts.nodes() = self.nodes.iter().filter(|&&n| n != FREE).count() as i64;
        for entry in 0..self.refs.len() {
            let start = self.refs[entry];
            if start == NONE {
                continue;
            }
            let number = born(start);
            let size = self.entries();
            self.heap.push(size, weight_of(number), entry as u16);
            *self.counts.entries() += 1;
            *self.counts.oldest() = (*self.counts.oldest()).min(number);
            self.count_in(ring, entry);
        }
        if *self.root >= 0 {
            self.furnish(width, ring, *self.root as usize);
        }
    }

    /// Counts an entry in on its way down and notes whose leaf it is in.
    fn count_in(&mut self, ring: Ring<'_>, entry: usize) {
        let mut point = [0.0; DIMS_MAX];
        point[..ring.length].copy_from_slice(ring.point(self.refs[entry]));
        let mut id = *self.root as usize;
        while id < self.samples {
            self.masses[id] += 1;
            id = child(self.nodes[id], &point) as usize;
        }
        self.masses[id] += 1;
        self.leaders[entry] = (id - self.samples) as u16;
    }

    /// Gives boxes to a node and those beneath it, to the upper ones first while there are some.
    fn furnish<W: Width>(&mut self, width: W, ring: Ring<'_>, id: usize) {
        if id >= self.samples || self.masses[id] < BOX_ENTRIES {
            return;
        }
        let mut room = [0.0; 2 * DIMS_MAX];
        self.keep(width, id, &room);
        let (left, right) = (left_of(self.nodes[id]), right_of(self.nodes[id]));
        self.furnish(width, ring, left);
        self.furnish(width, ring, right);
        if self.slots[id] != NONE {
            self.gather(width, ring, id, &mut room);
            let from = usize::from(self.slots[id]) * 2 * width.padded();
            self.boxes[from..][..2 * width.padded()].copy_from_slice(&room[..2 * width.padded()]);
        }
    }

    /// True if the tree can be walked: every entry in a leaf or beside one of equal point, every node used once.
    pub fn sound(&self, ring: Ring<'_>, starts: usize) -> bool {
        let used = self.refs.iter().filter(|&&r| r != NONE).count();
        let known = self.refs.iter().all(|&r| r == NONE || usize::from(r) < starts);
        if *self.root < 0 || used == 0 || used > self.samples || !known {
            return *self.root == -1 && used == 0 && self.nodes.iter().all(|&n| n == FREE);
        }
        let mut seen = vec![false; 2 * self.samples + 1];
        let mut stack = vec![*self.root as usize];
        let mut inner = 0;
        while let Some(id) = stack.pop() {
            if id >= seen.len() || std::mem::replace(&mut seen[id], true) {
                return false;
            }
            if id >= self.samples {
                if self.refs[id - self.samples] == NONE {
                    return false;
                }
            } else if self.nodes[id] == FREE {
                return false;
            } else {
                inner += 1;
                stack.extend([left_of(self.nodes[id]), right_of(self.nodes[id])]);
            }
        }
        let nodes_used = self.nodes.iter().filter(|&&n| n != FREE).count();
        nodes_used == inner && self.reached(ring)
    }

    /// True if every entry's point leads to a leaf with an equal point.
    fn reached(&self, ring: Ring<'_>) -> bool {
        let mut point = [0.0; DIMS_MAX];
        (0..self.refs.len()).filter(|&e| self.refs[e] != NONE).all(|entry| {
            point[..ring.length].copy_from_slice(ring.point(self.refs[entry]));
            let mut id = *self.root as usize;
            while id < self.samples {
                id = child(self.nodes[id], &point) as usize;
            }
            ring.point(self.refs[id - self.samples]) == &point[..ring.length]
        })
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// True if every tree can be walked: what was read is what some forest wrote.
    pub(super) fn sound(&self) -> bool {
        let (ring, kernel) = (ring!(self), self.kernel);
        (0..i64::MAX / 2).contains(&self.head[0])
            && (0..=kernel.shingle as i64).contains(&self.head[3])
            && self.continues()
            && self.measured()
            && self.ring.iter().chain(&*self.shingle).all(|v| v.abs() <= VALUE_MAX as f32)
            && self.trees.iter().all(|tree| tree.sound(ring, kernel.span) && self.timely(tree))
    }

    /// True if the ring ends with the shingle, where it is said to.
    fn continues(&self) -> bool {
        let (kernel, written) = (self.kernel, self.head[0]);
        let held = self.head[3].min(written);
        self.head[1] != 1
            || held == self.head[3]
                && (0..held).all(|back| {
                    let at = (written - 1 - back).rem_euclid(kernel.span as i64) as usize * kernel.dims;
                    let from = self.shingle.len() - (back as usize + 1) * kernel.dims;
                    self.ring[at..][..kernel.dims] == self.shingle[from..][..kernel.dims]
                })
    }

    /// True if every entry's values have been written and none is about to be overwritten.
    fn timely(&self, tree: &Tree<'_>) -> bool {
        let (kernel, written) = (self.kernel, self.head[0]);
        tree.refs.iter().filter(|&&start| start != NONE).all(|&start| {
            let first = kernel.born(start, written);
            first >= 0 && first + kernel.shingle as i64 <= written
        })
    }
}
