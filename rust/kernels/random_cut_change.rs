//! Points that come into a random cut tree and points that leave it.

use super::random_cut_box::{cut_at, grow, replace, within, Width};
use super::random_cut_sample::{mix, unit};
use super::random_cut_tree::{
    child, cut_of, dim_of, left_of, pack, right_of, Bounds, Desk, Padded, Ring, Trail, Tree, BOX_ENTRIES,
    FREE, NONE,
};

impl Tree<'_> {
    /// Adds a point by a trail that was climbed in the tree as it is now; `bits` are the point's random bits for this
    /// tree. Gives the new entry.
    pub fn insert<W: Width>(
        &mut self,
        width: W,
        ring: Ring<'_>,
        start: u16,
        point: &Padded,
        desk: &mut Desk,
        bits: u64,
    ) -> u16 {
        let (trail, room) = (&desk.trail, &mut desk.room);
        let entry = self.take_entry(start);
        *self.counts.entries() += 1;
        let leaf = self.samples + usize::from(entry);
        self.leaders[usize::from(entry)] = entry;
        if *self.root < 0 {
            *self.root = leaf as i64;
            self.masses[leaf] = 1;
            return entry;
        }
        if trail.equal {
            for &id in &trail.path[..=trail.depth] {
                self.masses[usize::from(id)] += 1;
            }
            self.leaders[usize::from(entry)] = trail.path[trail.depth] - self.samples as u16;
            return entry;
        }
        self.masses[leaf] = 1;
        let (at, share) = place(trail, bits);
        let id = usize::from(trail.path[at]);
        match id < self.samples && self.slots[id] != NONE {
            true => room[..2 * width.padded()].copy_from_slice(self.kept(width, self.slots[id])),
            false => self.gather(width, ring, id, room),
        }
        let (dim, cut) = cut_at(width, room, &point[..ring.length], share);
        let (left, right) = if point[dim] <= cut { (leaf, id) } else { (id, leaf) };
        let node = self.take_node(pack(cut, dim, left, right));
        self.masses[node] = self.masses[id] + 1;
        self.relink(trail, at, node);
        grow(width, room, &point[..ring.length]);
        self.keep(width, node, room);
        self.widen(width, ring, point, trail, at, room);
        entry
    }

    /// Counts a point in and grows the boxes of the first `until` nodes of a trail.
    fn widen<W: Width>(
        &mut self,
        width: W,
        ring: Ring<'_>,
        point: &Padded,
        trail: &Trail,
        until: usize,
        room: &mut Bounds,
    ) {
        for at in (0..until).rev() {
            let id = usize::from(trail.path[at]);
            self.masses[id] += 1;
            if self.slots[id] == NONE {
                if self.masses[id] >= BOX_ENTRIES && *self.counts.boxes() > 0 {
                    self.gather(width, ring, id, room);
                    self.keep(width, id, room);
                }
            } else if at >= trail.inside {
                let from = usize::from(self.slots[id]) * 2 * width.padded();
                grow(width, &mut self.boxes[from..], &point[..ring.length]);
            }
        }
    }

    /// Takes an entry's point out of the tree.
    pub fn delete<W: Width>(&mut self, width: W, ring: Ring<'_>, entry: u16, desk: &mut Desk) {
        let Desk { trail, room, point, .. } = desk;
        point[..ring.length].copy_from_slice(ring.point(self.refs[usize::from(entry)]));
        let mut id = *self.root as usize;
        let mut depth = 0;
        while id < self.samples {
            trail.path[depth] = id as u16;
            self.masses[id] -= 1;
            id = child(self.nodes[id], point) as usize;
            depth += 1;
        }
        trail.path[depth] = id as u16;
        self.masses[id] -= 1;
        trail.depth = depth;
        if self.masses[id] > 0 {
            self.hand_over(entry, id, trail);
        } else if depth == 0 {
            *self.root = -1;
        } else {
            let parent = usize::from(trail.path[depth - 1]);
            let node = self.nodes[parent];
            let sibling = if left_of(node) == id { right_of(node) } else { left_of(node) };
            self.relink(trail, depth - 1, sibling);
            self.release(parent);
            self.nodes[parent] = FREE;
            let only = *self.counts.nodes() == self.samples as i64;
            *self.counts.nodes() -= 1;
            *self.counts.node() = if only { parent as i64 } else { (*self.counts.node()).min(parent as i64) };
            self.narrow(width, ring, &point[..ring.length], trail, room);
        }
        self.refs[usize::from(entry)] = NONE;
        // Where it is the only free one the next search begins and ends there.
        let only = self.entries() == self.refs.len();
        *self.counts.entry() =
            if only { i64::from(entry) } else { (*self.counts.entry()).min(i64::from(entry)) };
        *self.counts.entries() -= 1;
    }

    /// Shrinks the boxes above a removed leaf, until one is as it was.
    fn narrow<W: Width>(
        &mut self,
        width: W,
        ring: Ring<'_>,
        point: &[f32],
        trail: &Trail,
        room: &mut Bounds,
    ) {
        for at in (0..trail.depth - 1).rev() {
            let id = usize::from(trail.path[at]);
            let slot = self.slots[id];
            if slot == NONE {
                continue;
            }
            if self.masses[id] < BOX_ENTRIES {
                self.release(id);
                continue;
            }
            if within(width, self.kept(width, slot), point) {
                return;
            }
            self.gather(width, ring, id, room);
            let from = usize::from(slot) * 2 * width.padded();
            if !replace(width, &mut self.boxes[from..], room) {
                return;
            }
        }
    }

    /// An entry leaves a leaf that stands for others too: the first of them takes its place.
    fn hand_over(&mut self, entry: u16, leaf: usize, trail: &Trail) {
        if self.leaders[usize::from(entry)] != entry {
            return;
        }
        let follows = |e: usize, this: &Self| {
            this.leaders[e] == entry && this.refs[e] != NONE && e != usize::from(entry)
        };
        let Some(next) = (0..self.refs.len()).find(|&e| follows(e, self)) else { return };
        for e in next..self.refs.len() {
            if follows(e, self) {
                self.leaders[e] = next as u16;
            }
        }
        self.masses[self.samples + next] = std::mem::take(&mut self.masses[leaf]);
        self.relink(trail, trail.depth, self.samples + next);
    }

    /// Puts another id where the trail has its `at`-th.
    fn relink(&mut self, trail: &Trail, at: usize, id: usize) {
        if at == 0 {
            *self.root = id as i64;
            return;
        }
        let parent = usize::from(trail.path[at - 1]);
        let node = self.nodes[parent];
        let (left, right) = match left_of(node) == usize::from(trail.path[at]) {
            true => (id, right_of(node)),
            false => (left_of(node), id),
        };
        self.nodes[parent] = pack(cut_of(node), usize::from(dim_of(node)), left, right);
    }

    /// Keeps a box for a node, if it is large enough and there is room.
    pub fn keep<W: Width>(&mut self, width: W, id: usize, bounds: &Bounds) {
        self.slots[id] = NONE;
        if self.masses[id] < BOX_ENTRIES || *self.counts.boxes() == 0 {
            return;
        }
        *self.counts.boxes() -= 1;
        let slot = self.free[*self.counts.boxes() as usize];
        self.slots[id] = slot;
        let from = usize::from(slot) * 2 * width.padded();
        self.boxes[from..][..2 * width.padded()].copy_from_slice(&bounds[..2 * width.padded()]);
    }

    /// Gives a node's box back.
    fn release(&mut self, id: usize) {
        let slot = std::mem::replace(&mut self.slots[id], NONE);
        if slot != NONE {
            self.free[*self.counts.boxes() as usize] = slot;
            *self.counts.boxes() += 1;
        }
    }

    /// The lowest free entry, now with this point.
    fn take_entry(&mut self, start: u16) -> u16 {
        let from = *self.counts.entry() as usize;
        let entry = from + self.refs[from..].iter().position(|&r| r == NONE).expect("one entry is spare");
        self.refs[entry] = start;
        *self.counts.entry() = entry as i64 + 1;
        entry as u16
    }

    /// The lowest free node, now this one.
    fn take_node(&mut self, node: i64) -> usize {
        let from = *self.counts.node() as usize;
        let id = from + self.nodes[from..].iter().position(|&n| n == FREE).expect("one node is spare");
        self.nodes[id] = node;
        *self.counts.node() = id as i64 + 1;
        *self.counts.nodes() += 1;
        id
    }
}

/// The topmost depth at which a cut separates the point, and where in the part outside of the box it lies (0 to 1).
fn place(trail: &Trail, bits: u64) -> (usize, f64) {
    for at in trail.inside..trail.depth {
        let number = unit(mix(bits.wrapping_add(at as u64)));
        if number < trail.chances[at] {
            return (at, number / trail.chances[at]);
        }
    }
    (trail.depth, unit(mix(bits.wrapping_add(trail.depth as u64))))
}
