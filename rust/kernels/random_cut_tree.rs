//! One tree of a random cut forest: its nodes, its boxes, its bookkeeping.
//!
//! A node is 64 bits: the cut (f32), its dimension (8 bits), the children (12 bits each). Ids below `samples` are inner
//! nodes, the others are `samples` + the entry a leaf stands for. Nodes, root and the entries' points are the state;
//! masses, boxes, representatives and the heap follow from them and are kept for speed only.

use std::hint::select_unpredictable;

use super::random_cut_box::{begin, grow, unite, Width, DIMS_MAX};
use super::random_cut_sample::Heap;

/// No point, no box.
pub const NONE: u16 = u16::MAX;
/// A node not in use.
pub const FREE: i64 = -1;
/// Nodes of fewer entries keep no box: looking at two or three points costs as much.
pub const BOX_ENTRIES: u16 = 4;
/// Most samples a tree can have: ids have twelve bits.
pub const SAMPLES_MAX: usize = 2000;

/// Boxes that a tree keeps at most; a random tree has half as many nodes of `BOX_ENTRIES` as it has leaves.
pub fn boxes_of(samples: usize) -> usize {
    samples * 5 / 8
}

/// Derived 16-bit numbers of one tree: masses, boxes of nodes, representatives, free boxes, entries of the heap.
pub fn links_of(samples: usize) -> usize {
    (2 * samples + 1) + samples + (samples + 1) + boxes_of(samples) + (samples + 1)
}

/// A padded point and room for a box, in one place so that dimensions need no check.
pub type Padded = [f32; DIMS_MAX];
pub type Bounds = [f32; 2 * DIMS_MAX];

/// Where the values are: `values[start * dims..][..length]` is the shingle that begins at `start`.
#[derive(Clone, Copy)]
pub struct Ring<'a> {
    pub values: &'a [f32],
    pub dims: usize,
    pub length: usize,
}

impl<'a> Ring<'a> {
    #[inline(always)]
    pub fn point(&self, start: u16) -> &'a [f32] {
        &self.values[usize::from(start) * self.dims..][..self.length]
    }
}

/// What is counted beside a tree; nothing of it changes an answer.
pub struct Counts<'a>(pub &'a mut [i64]);

/// One line of the cache a tree.
pub const COUNTS: usize = 8;

impl Counts<'_> {
    /// Entries held.
    pub fn entries(&mut self) -> &mut i64 {
        &mut self.0[0]
    }
    /// Boxes not in use.
    pub fn boxes(&mut self) -> &mut i64 {
        &mut self.0[1]
    }
    /// No entry is older than this point.
    pub fn oldest(&mut self) -> &mut i64 {
        &mut self.0[2]
    }
    /// No entry below this one is free.
    pub fn entry(&mut self) -> &mut i64 {
        &mut self.0[3]
    }
    /// Nodes in use.
    pub fn nodes(&mut self) -> &mut i64 {
        &mut self.0[5]
    }
    /// No node below this one is free.
    pub fn node(&mut self) -> &mut i64 {
        &mut self.0[4]
    }
    /// The gate of the sample, see `random_cut_sample::gate`, and the last point that it holds for.
    pub fn gate(&mut self) -> (&mut i64, &mut i64) {
        let [bound, until] = &mut self.0[6..8] else { unreachable!("two of eight") };
        (bound, until)
    }
    /// What the gate says holds no longer.
    pub fn open_gate(&mut self) {
        self.0[7] = i64::MIN;
    }
}

pub struct Tree<'a> {
    pub samples: usize,
    pub nodes: &'a mut [i64],
    pub root: &'a mut i64,
    pub refs: &'a mut [u16],
    pub masses: &'a mut [u16],
    /// Number of the box of each node.
    pub slots: &'a mut [u16],
    /// The entry in whose leaf an entry is: itself, or one with an equal point.
    pub leaders: &'a mut [u16],
    pub free: &'a mut [u16],
    pub heap: Heap<'a>,
    pub boxes: &'a mut [f32],
    pub counts: Counts<'a>,
}

/// A node from its parts.
pub fn pack(cut: f32, dim: usize, left: usize, right: usize) -> i64 {
    (u64::from(cut.to_bits()) << 32 | (dim as u64) << 24 | (left as u64) << 12 | right as u64) as i64
}

#[inline(always)]
pub fn left_of(node: i64) -> usize {
    (node as u64 >> 12 & 0xFFF) as usize
}

#[inline(always)]
pub fn right_of(node: i64) -> usize {
    (node as u64 & 0xFFF) as usize
}

#[inline(always)]
pub fn dim_of(node: i64) -> u8 {
    (node as u64 >> 24) as u8
}

#[inline(always)]
pub fn cut_of(node: i64) -> f32 {
    f32::from_bits((node as u64 >> 32) as u32)
}

/// The child on whose side of the cut a point is.
#[inline(always)]
pub fn child(node: i64, point: &Padded) -> u32 {
    // No branch: it would be foreseen half of the time.
    let left = point[usize::from(dim_of(node))] <= cut_of(node);
    select_unpredictable(left, node as u32 >> 12, node as u32) & 0xFFF
}

/// The way of one point through one tree.
#[derive(Default)]
pub struct Trail {
    /// Ids from the root to the leaf.
    pub path: Vec<u16>,
    /// Chance of separation at each depth from `inside` on.
    pub chances: Vec<f64>,
    /// Depth of the leaf.
    pub depth: usize,
    /// Number of depths from the root whose boxes hold the point.
    pub inside: usize,
    /// The leaf's point equals this one.
    pub equal: bool,
}

/// Logarithms looked up, room for one box and one point, and one trail. Padding stays zero.
pub struct Desk {
    logs: Vec<f64>,
    pub room: Bounds,
    pub point: Padded,
    pub trail: Trail,
}

impl Desk {
    pub fn new(samples: usize) -> Self {
        Desk {
            logs: vec![f64::NAN; samples + 2],
            room: [0.0; 2 * DIMS_MAX],
            point: [0.0; DIMS_MAX],
            trail: Trail {
                path: vec![0; samples + 1],
                chances: vec![0.0; samples + 1],
                ..Default::default()
            },
        }
    }

    /// `log2(1 + mass)`.
    pub fn log(&mut self, mass: u16) -> f64 {
        let slot = &mut self.logs[usize::from(mass)];
        if slot.is_nan() {
            *slot = libm::log2(1.0 + f64::from(mass));
        }
        *slot
    }
}

impl Tree<'_> {
    pub fn entries(&self) -> usize {
        self.counts.0[0] as usize
    }

    /// The box of a node: the one kept, or made in `room` from the points beneath.
    #[inline(always)]
    pub fn bounds<'b, W: Width>(
        &'b self,
        width: W,
        ring: Ring<'_>,
        id: usize,
        room: &'b mut Bounds,
    ) -> &'b [f32] {
        let slot = self.slots[id];
        if slot != NONE {
            return self.kept(width, slot);
        }
        self.gather(width, ring, id, room);
        &room[..2 * width.padded()]
    }

    /// The box of a node or of a leaf.
    pub fn bounds_or_leaf<'b, W: Width>(
        &'b self,
        width: W,
        ring: Ring<'_>,
        id: usize,
        room: &'b mut Bounds,
    ) -> &'b [f32] {
        if id < self.samples {
            return self.bounds(width, ring, id, room);
        }
        self.gather(width, ring, id, room);
        &room[..2 * width.padded()]
    }

    #[inline(always)]
    pub fn kept<W: Width>(&self, width: W, slot: u16) -> &[f32] {
        &self.boxes[usize::from(slot) * 2 * width.padded()..][..2 * width.padded()]
    }

    /// Makes the box of a node or leaf from what is beneath it.
    pub fn gather<W: Width>(&self, width: W, ring: Ring<'_>, id: usize, room: &mut Bounds) {
        if id >= self.samples {
            begin(width, &mut room[..2 * width.padded()], ring.point(self.refs[id - self.samples]));
            return;
        }
        let (left, right) = (left_of(self.nodes[id]), right_of(self.nodes[id]));
        if left < self.samples && self.slots[left] != NONE {
            room[..2 * width.padded()].copy_from_slice(self.kept(width, self.slots[left]));
        } else {
            self.gather(width, ring, left, room);
        }
        self.add(width, ring, right, room);
    }

    /// Adds a node or leaf to a box.
    pub fn add<W: Width>(&self, width: W, ring: Ring<'_>, id: usize, room: &mut Bounds) {
        if id >= self.samples {
            grow(width, room, ring.point(self.refs[id - self.samples]));
        } else if self.slots[id] != NONE {
            unite(width, room, self.kept(width, self.slots[id]));
        } else {
            self.add(width, ring, left_of(self.nodes[id]), room);
            self.add(width, ring, right_of(self.nodes[id]), room);
        }
    }
}
