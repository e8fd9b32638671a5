//! Time-decayed reservoir sampling: each tree keeps the points with the smallest weights.
//!
//! The weight of point `n` in a tree is `ln(-ln(u)) - n / memory` with `u` a pure function of seed, tree and `n`, so that
//! neither weights nor a generator are part of a state; a heap of the weights is kept while it is current.

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

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
    ((bits >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
}

/// The weight of a point: the smaller, the longer it is kept.
pub fn weight(bits: u64, number: i64, decay: f64) -> f64 {
    libm::log(-libm::log(unit(bits))) - decay * number as f64
}

/// Points for which one gate holds.
const GATE_POINTS: i64 = 64;

/// A bound that `unit(bits)` of every point up to `number + GATE_POINTS` exceeds if its weight is below `largest`.
/// It spares nearly all points two logarithms; those that pass are judged by their weight.
pub fn gate(largest: f64, number: i64, decay: f64) -> (f64, i64) {
    let until = number + GATE_POINTS;
    let bound = libm::exp(-libm::exp(largest + decay * until as f64));
    (bound * (1.0 - 1e-9) - 1e-15, until)
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
    fn swap(&mut self, a: usize, b: usize) {
        self.weights.swap(a, b);
        self.entries.swap(a, b);
    }

    fn rise(&mut self, mut at: usize) {
        while at > 0 && self.weights[at] > self.weights[(at - 1) / 2] {
            self.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn sink(&mut self, mut at: usize, size: usize) {
        loop {
            let mut child = 2 * at + 1;
            if child >= size {
                return;
            }
            if child + 1 < size && self.weights[child + 1] > self.weights[child] {
                child += 1;
            }
            if self.weights[child] <= self.weights[at] {
                return;
            }
            self.swap(at, child);
            at = child;
        }
    }

    /// Adds to a heap of `size`.
    pub fn push(&mut self, size: usize, weight: f64, entry: u16) {
        self.weights[size] = weight;
        self.entries[size] = entry;
        self.rise(size);
    }

    /// Puts a new weight in the place of the largest one of a heap of `size`.
    pub fn replace(&mut self, size: usize, weight: f64, entry: u16) {
        self.weights[0] = weight;
        self.entries[0] = entry;
        self.sink(0, size);
    }

    /// Takes out an entry of a heap of `size`.
    pub fn remove(&mut self, size: usize, entry: u16) {
        let at = self.entries[..size].iter().position(|&e| e == entry).unwrap_or(size - 1);
        self.swap(at, size - 1);
        if at < size - 1 {
            self.rise(at);
            self.sink(at, size - 1);
        }
    }
}
