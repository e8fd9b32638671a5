//! Half-space trees: how many of the last values lie in the same small part of the space, in many random partitions.
//!
//! The partition is known before any value is: node `i` of a tree (root 1, children `2 i` and `2 i + 1`) halves the
//! range that it has left of one attribute, both pure functions of (seed, tree, node or attribute), in units of the
//! attribute's own range. A `Plan` holds that; it is made once for a detector and shared by all of its series.
//!
//! Windows of so many points follow each other. In each, the masses (points seen by each node) of the next reference
//! are counted, values are scored by the masses of the window before, and ranges are learned for the window after.
//! So masses are counted and read with the same ranges, and everything is forgotten after three windows.
//!
//! State: `masses` u16[2 trees 2^(height+1)] (reference, then latest), `ranges` f64[4 dims] = columns (start and width
//! for the reference, start and width for the latest), `low` f64[2 dims] (smallest and second smallest of this window),
//! `high` f64[2 dims] (largest, second largest), `head` i64[2] = (points of this window, windows).

use super::fleet::{Kernel, Slice};
use super::random_cut_sample::{draw, mix, unit};

/// Attribute and cut of every node, tree after tree, and the first of each unused.
pub struct Plan {
    pub attributes: Vec<u16>,
    pub cuts: Vec<f64>,
}

/// What a random number is for, beside all that the forest draws.
const RANGE: u64 = 101;
const ATTRIBUTE: u64 = 102;

impl Plan {
    pub fn new(trees: usize, height: usize, dims: usize, seed: u64) -> Plan {
        let inner = 1 << height;
        let mut plan = Plan { attributes: Vec::with_capacity(trees * inner), cuts: vec![] };
        plan.cuts.reserve(trees * inner);
        for tree in 0..trees as u64 {
            let key =
                |purpose: u64| mix(mix(seed.wrapping_add(purpose)) ^ mix(tree.wrapping_add(purpose << 32)));
            let (ranges, choices) = (key(RANGE), key(ATTRIBUTE));
            let first = plan.cuts.len();
            plan.attributes.push(0);
            plan.cuts.push(0.0);
            for node in 1..inner {
                let attribute = ((u128::from(draw(choices, node as u64)) * dims as u128) >> 64) as u16;
                let centre = unit(draw(ranges, u64::from(attribute)));
                let far = 2.0 * centre.max(1.0 - centre);
                let (mut low, mut high) = (centre - far, centre + far);
                // What the nodes above have left of it, from the root down.
                for up in (1..=node.ilog2()).rev() {
                    let above = node >> up;
                    if plan.attributes[first + above] == attribute {
                        let cut = plan.cuts[first + above];
                        if node >> (up - 1) & 1 == 0 {
                            high = cut;
                        } else {
                            low = cut;
                        }
                    }
                }
                plan.attributes.push(attribute);
                plan.cuts.push(0.5 * (low + high));
            }
        }
        plan
    }
}

pub struct HalfSpaceTrees<'a> {
    pub attributes: &'a [u16],
    pub cuts: &'a [f64],
    pub trees: usize,
    pub height: usize,
    pub dims: usize,
    pub window: i64,
    /// Points of the first window, which only learns ranges.
    pub first: i64,
    /// A node with so little mass is not looked into.
    pub limit: u16,
}

/// Ranges end here, so that none overflows.
const LARGEST: f64 = 1e300;
const LANES: usize = 8;
/// Smallest range against the size of the values: what is left of rounding.
const RESOLUTION: f64 = 1e-12;

/// First column of `ranges` that is of the latest window.
const LATEST: usize = 2;

/// The state of one series, unpacked.
struct Masses<'a> {
    reference: &'a mut [u16],
    latest: &'a mut [u16],
    ranges: &'a mut [f64],
    low: &'a mut [f64],
    high: &'a mut [f64],
}

#[inline(always)]
fn finite(value: f64) -> bool {
    value.abs() <= f64::MAX
}

/// Which child a value goes to: 0 or 1; a missing one follows the mass.
#[inline(always)]
fn side(value: f64, start: f64, width: f64, cut: f64, masses: &[u16], left: usize) -> usize {
    if !finite(value) {
        return usize::from(masses[left] < masses[left + 1]);
    }
    usize::from(value >= start + cut * width)
}

/// Whether any of eight values is outside its limits; a missing one never is.
#[inline(always)]
fn news(values: &[f64], low: &[f64], high: &[f64]) -> bool {
    let (Ok(values), Ok(low), Ok(high)) =
        (<&[f64; LANES]>::try_from(values), <&[f64; LANES]>::try_from(low), <&[f64; LANES]>::try_from(high))
    else {
        return true;
    };
    (0..LANES).fold(false, |any, k| any | (values[k] < low[k]) | (values[k] > high[k]))
}

impl HalfSpaceTrees<'_> {
    fn nodes(&self) -> usize {
        2 << self.height
    }

    /// Columns `at` (start) and `at + 1` (width) of the ranges.
    fn range<'a>(&self, ranges: &'a [f64], at: usize) -> (&'a [f64], &'a [f64]) {
        ranges[at * self.dims..(at + 2) * self.dims].split_at(self.dims)
    }

    /// Sum over trees of the mass of the last node that is looked into, times two for each level above it.
    fn density(&self, point: &[f64], held: &Masses<'_>) -> f64 {
        let (start, width) = self.range(held.ranges, 0);
        let inner = 1 << self.height;
        let mut sum = 0.0;
        for tree in 0..self.trees {
            let (attributes, cuts) =
                (&self.attributes[tree * inner..][..inner], &self.cuts[tree * inner..][..inner]);
            let masses = &held.reference[tree * self.nodes()..][..self.nodes()];
            let mut node = 1;
            while node < inner && masses[node] > self.limit {
                let a = usize::from(attributes[node]);
                node = 2 * node + side(point[a], start[a], width[a], cuts[node], masses, 2 * node);
            }
            sum += f64::from(masses[node]) * (1u64 << node.ilog2()) as f64;
        }
        sum
    }

    fn learn(&self, point: &[f64], held: &mut Masses<'_>) {
        let (start, width) = self.range(held.ranges, LATEST);
        let inner = 1 << self.height;
        for tree in 0..self.trees {
            let (attributes, cuts) =
                (&self.attributes[tree * inner..][..inner], &self.cuts[tree * inner..][..inner]);
            let masses = &mut held.latest[tree * self.nodes()..][..self.nodes()];
            let mut node = 1;
            while node < inner {
                masses[node] = masses[node].saturating_add(1);
                let a = usize::from(attributes[node]);
                node = 2 * node + side(point[a], start[a], width[a], cuts[node], masses, 2 * node);
            }
            masses[node] = masses[node].saturating_add(1);
        }
    }

    /// The two smallest and the two largest values of each attribute.
    fn learn_ranges(&self, point: &[f64], held: &mut Masses<'_>) {
        let (low, lower) = held.low.split_at_mut(self.dims);
        let (high, higher) = held.high.split_at_mut(self.dims);
        for from in (0..self.dims).step_by(LANES) {
            let to = (from + LANES).min(self.dims);
            // Few values are among the extremes of their window, so eight at a time are asked whether any is.
            if to - from == LANES && !news(&point[from..to], &lower[from..to], &higher[from..to]) {
                continue;
            }
            for a in from..to {
                if !finite(point[a]) {
                    continue;
                }
                let value = point[a].clamp(-LARGEST, LARGEST);
                if value < lower[a] {
                    (low[a], lower[a]) = if value < low[a] { (value, low[a]) } else { (low[a], value) };
                }
                if value > higher[a] {
                    (high[a], higher[a]) = if value > high[a] { (value, high[a]) } else { (high[a], value) };
                }
            }
        }
    }

    /// A window is over: its masses are the reference, with their ranges, and new ones are counted with new ranges.
    fn turn(&self, held: &mut Masses<'_>) {
        held.reference.copy_from_slice(held.latest);
        held.latest.fill(0);
        let dims = self.dims;
        held.ranges.copy_within(LATEST * dims.., 0);
        for a in 0..dims {
            // The second of each, so that one value far out makes no range; unless they are all there is.
            let second = (held.low[dims + a], held.high[dims + a]);
            let (low, high) = if second.0 < second.1 { second } else { (held.low[a], held.high[a]) };
            if low <= high {
                let size = low.abs().max(high.abs());
                let width = (high - low).max(RESOLUTION * size).max(f64::MIN_POSITIVE);
                held.ranges[LATEST * dims + a] = 0.5 * low + 0.5 * high - 0.5 * width;
                held.ranges[(LATEST + 1) * dims + a] = width;
            }
        }
        held.low.fill(f64::INFINITY);
        held.high.fill(f64::NEG_INFINITY);
    }

    /// How many times the densest possible place is denser, as a power of two; at most what no mass at all gives.
    fn score(&self, density: f64) -> f64 {
        let whole = self.trees as f64 * self.window as f64;
        let most = (1u64 << self.height) as f64;
        libm::log2(most * whole / (density + 0.5)).max(0.0)
    }
}

impl Kernel for HalfSpaceTrees<'_> {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([masses]) = <[&mut [u16]; 1]>::try_from(row.u16s) else { unreachable!("one u16 array") };
        let Ok([ranges, low, high]) = <[&mut [f64]; 3]>::try_from(row.f64s) else {
            unreachable!("three f64 arrays")
        };
        let Ok([head]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        let (reference, latest) = masses.split_at_mut(self.trees * self.nodes());
        let mut held = Masses { reference, latest, ranges, low, high };
        for (score, point) in slice.outputs[0].iter_mut().zip(slice.values.chunks_exact(self.dims)) {
            if point.iter().any(|&value| finite(value)) {
                if head[1] >= 2 {
                    *score = self.score(self.density(point, &held));
                }
                if head[1] >= 1 {
                    self.learn(point, &mut held);
                }
                self.learn_ranges(point, &mut held);
            }
            head[0] = head[0].wrapping_add(1);
            if head[0] >= if head[1] == 0 { self.first } else { self.window } {
                self.turn(&mut held);
                head[0] = 0;
                head[1] = head[1].saturating_add(1).min(2);
            }
        }
    }
}
