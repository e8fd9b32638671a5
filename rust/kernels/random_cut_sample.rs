//! Time-decayed reservoir sampling: each tree keeps the points with the smallest weights.
//!
//! The weight of point `n` in a tree is `ln(-ln(u)) - n / memory` with `u` a pure function of seed, tree and `n`, so that
//! neither weights nor a generator are part of a state; a heap of the weights is kept while it is current.

use std::hint::select_unpredictable;

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Bits of a random number between 0 and 1, and how many steps they make.
const FINE: u32 = 53;
const STEPS: f64 = 9_007_199_254_740_992.0;

/// What a random number is for.
#[derive(Clone, Copy)]
pub enum Use {
    Weight = 1,
    Entry = 2,
    Cut = 3,
}

/// Scrambles 64 bits (the finaliser of splitmix64).
#[inline(always)]
pub fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The start of one stream of random numbers.
pub fn key(seed: u64, tree: usize, purpose: Use) -> u64 {
    mix(mix(seed.wrapping_add(STEP)) ^ mix(((tree as u64) << 3 | purpose as u64).wrapping_mul(STEP)))
}

/// Random bits number `at` of a stream.
#[inline(always)]
pub fn draw(key: u64, at: u64) -> u64 {
    mix(key.wrapping_add(at.wrapping_mul(STEP)))
}

/// A number between 0 and 1, both excluded.
#[inline(always)]
pub fn unit(bits: u64) -> f64 {
    // As a signed number, which is converted in one step.
    ((bits >> (64 - FINE)) as i64 as f64 + 0.5) * (1.0 / STEPS)
}

/// The weight of a point: the smaller, the longer it is kept.
pub fn weight(bits: u64, number: i64, decay: f64) -> f64 {
    libm::log(-libm::log(unit(bits))) - decay * number as f64
}

/// Points for which one gate holds.
const GATE_POINTS: i64 = 64;

/// A bound that the leading `FINE` bits of every point up to `number + GATE_POINTS` reach if its weight is below
/// `largest`. It spares nearly all points two logarithms; those that pass are judged by their weight.
pub fn gate(largest: f64, number: i64, decay: f64) -> (i64, i64) {
    let until = number + GATE_POINTS;
    let bound = libm::exp(-libm::exp(largest + decay * until as f64));
    (((bound * (1.0 - 1e-9) - 1e-15) * STEPS) as i64 - 1, until)
}

/// True if a point may pass.
#[inline(always)]
pub fn passes(bits: u64, gate: i64) -> bool {
    (bits >> (64 - FINE)) as i64 >= gate
}

/// Chance to take a point as long as the sample is not full, by its filled share.
pub fn welcome(filled: f64) -> f64 {
    const SURE: f64 = 0.125;
    if filled < SURE {
        1.0
    } else {
        1.0 - (filled - SURE) / (1.0 - SURE)
    }
}

/// A heap with the largest weight on top, each weight with the entry it belongs to.
pub struct Heap<'a> {
    pub weights: &'a mut [f64],
    pub entries: &'a mut [u16],
}

impl Heap<'_> {
    fn put(&mut self, at: usize, weight: f64, entry: u16) {
        self.weights[at] = weight;
        self.entries[at] = entry;
    }

    /// Brings one up from a free place to where it belongs.
    fn rise(&mut self, mut at: usize, weight: f64, entry: u16) {
        while at > 0 && weight > self.weights[(at - 1) / 2] {
            let parent = (at - 1) / 2;
            self.put(at, self.weights[parent], self.entries[parent]);
            at = parent;
        }
        self.put(at, weight, entry);
    }

    /// Brings one down from a free place of a heap of `size` to where it belongs.
    fn sink(&mut self, mut at: usize, size: usize, weight: f64, entry: u16) {
        let weights = &mut self.weights[..size];
        let entries = &mut self.entries[..size];
        loop {
            let mut child = 2 * at + 1;
            if child + 1 < size {
                // No branch: it would be foreseen half of the time.
                child = select_unpredictable(weights[child + 1] > weights[child], child + 1, child);
            }
            if child >= size || weights[child] <= weight {
                break;
            }
            weights[at] = weights[child];
            entries[at] = entries[child];
            at = child;
        }
        self.put(at, weight, entry);
    }

    /// Adds to a heap of `size`.
    pub fn push(&mut self, size: usize, weight: f64, entry: u16) {
        self.rise(size, weight, entry);
    }

    /// Puts a new weight in the place of the largest one of a heap of `size`.
    pub fn replace(&mut self, size: usize, weight: f64, entry: u16) {
        self.sink(0, size, weight, entry);
    }

    /// Takes out an entry of a heap of `size`.
    pub fn remove(&mut self, size: usize, entry: u16) {
        let at = self.entries[..size].iter().position(|&e| e == entry).unwrap_or(size - 1);
        let last = size - 1;
        let (weight, entry) = (self.weights[last], self.entries[last]);
        if at == last {
            return;
        }
        if at > 0 && weight > self.weights[(at - 1) / 2] {
            self.rise(at, weight, entry);
        } else {
            self.sink(at, last, weight, entry);
        }
    }
}
