//! A tail of the light tier of `calibrate`: a histogram in fixed buckets, and one generalised Pareto fitted to its moments.

use std::sync::LazyLock;

use super::tail::USED;

pub const BINS: usize = 42;
// Places in the fit of a side: where the tail begins, -ln p there, scale, shape and weight of the tail, width of the
// prior, highest score but one, limit.
pub const START: usize = BINS;
pub const NATS: usize = BINS + 1;
pub const SIGMA: usize = BINS + 2;
pub const SHAPE: usize = BINS + 3;
pub const WEIGHT: usize = BINS + 4;
pub const UNIT: usize = BINS + 5;
pub const SECOND: usize = BINS + 6;
pub const LIMIT: usize = BINS + 7;
pub const SIDE: usize = BINS + 8;
const TAIL_LEAST: f64 = 8.0;
/// Where little is known of the shape it is this, worth so many points of the tail.
const SHAPE_PRIOR: f64 = 0.05;
const SHAPE_POINTS: f64 = 40.0;

/// Buckets by the upper 12 bits of a number from 1/2 to 64: eight an octave from 1 to 8, four below and above.
static BUCKETS: [u8; 57] = {
    let mut buckets = [0; 57];
    let mut at = 0;
    while at < 57 {
        buckets[at] = match at {
            0..8 => 1 + at / 2,
            8..32 => 5 + (at - 8),
            32..56 => 29 + (at - 32) / 2,
            _ => BINS - 1,
        } as u8;
        at += 1;
    }
    buckets
};

/// A look-up of bits of the number, no logarithm and no branch.
#[inline]
pub fn bin_of(z: f64) -> usize {
    let bits = (z as f32).to_bits() >> 20;
    let at = (bits.max(0x3f0) - 0x3f0).min(56) as usize;
    if z < 0.5 {
        0
    } else {
        usize::from(BUCKETS[at])
    }
}

/// Lower edges of all buckets, and an upper one of the last.
pub static EDGES: LazyLock<[f64; BINS + 1]> = LazyLock::new(|| {
    std::array::from_fn(|bin| match bin {
        0 => 0.0,
        1..5 => 0.5 + 0.125 * (bin - 1) as f64,
        5..29 => f64::from(1u32 << ((bin - 5) / 8)) * (1.0 + 0.125 * ((bin - 5) % 8) as f64),
        29..41 => f64::from(8u32 << ((bin - 29) / 4)) * (1.0 + 0.25 * ((bin - 29) % 4) as f64),
        41 => 64.0,
        _ => 128.0,
    })
});

/// Logarithms of the edges, and widths in logarithms.
static LOGS: LazyLock<[f64; BINS + 1]> = LazyLock::new(|| EDGES.map(|edge| libm::log(edge.max(0.25))));

/// Where the last bucket, which is open, ends: scores beyond that are new, however often it is filled.
pub fn known(side: &[f32]) -> f64 {
    EDGES[BINS].max(1.25 * f64::from(side[SECOND]))
}

/// Weight of the scores in this bucket and above.
pub fn beyond(side: &[f32], bin: usize) -> f64 {
    f64::from(side[bin.max(1)..BINS].iter().sum::<f32>())
}

/// What was often seen is not news: -ln p is at most this.
pub fn often(g: f64, points: f64) -> f64 {
    let sure = g - 2.0 * g.sqrt();
    if sure > 0.0 {
        libm::log(points / sure)
    } else {
        f64::INFINITY
    }
}

/// The highest bucket that was seen so often that it is no news.
pub fn often_up_to(side: &[f32], points: f64, wanted: f64, ln_side: f64) -> Option<usize> {
    // `often` solved for what is sure; it is asked itself only where the two could differ.
    let enough = points / libm::exp(wanted + ln_side);
    let mut g = 0.0;
    (1..BINS).rev().find(|&bin| {
        g += f64::from(side[bin]);
        let sure = g - 2.0 * g.sqrt();
        if g <= 1.0 || sure < enough * (1.0 - 1e-9) {
            return false;
        }
        sure > enough * (1.0 + 1e-9) || often(g, points) - ln_side < wanted
    })
}

/// -ln of the fitted tail beyond its start.
pub fn tail_nats(side: &[f32], z: f64) -> f64 {
    let [start, nats, sigma, shape, weight] =
        [START, NATS, SIGMA, SHAPE, WEIGHT].map(|at| f64::from(side[at]));
    let y = (z - start) / sigma;
    let plain = if shape.abs() < 1e-3 {
        y
    } else if shape * y <= -0.999 {
        return f64::MAX;
    } else {
        libm::log1p(shape * y) / shape
    };
    nats + weight * libm::log1p(plain / weight)
}

/// The score at which `tail_nats` is this.
pub fn tail_limit(side: &[f32], wanted: f64) -> f64 {
    let [start, nats, sigma, shape, weight] =
        [START, NATS, SIGMA, SHAPE, WEIGHT].map(|at| f64::from(side[at]));
    if wanted <= nats {
        return start;
    }
    let plain = weight * libm::expm1((wanted - nats) / weight);
    let y = if shape.abs() < 1e-3 { plain } else { libm::expm1(shape * plain) / shape };
    start + sigma * y
}

/// Fits the tail of a side anew, and its prior.
pub fn fit(side: &mut [f32], seen: f64, points: f64) {
    side[UNIT] = (f64::from(side[SECOND]) / 3.2).max(1.0) as f32;
    (side[START], side[NATS]) = (0.0, 0.0);
    if seen < USED || points <= 0.0 {
        return;
    }
    let wanted = (0.05 * points).max((0.15 * points).min(50.0));
    let (mut weight, mut start) = (0.0, BINS);
    while start > 1 && weight < wanted {
        start -= 1;
        weight += f64::from(side[start]);
    }
    if weight < TAIL_LEAST {
        return;
    }
    let (ln_start, low) = (LOGS[start], EDGES[start]);
    let (mut first, mut second, mut width) = (0.0, 0.0, 0.0);
    for bin in start..BINS {
        let share = f64::from(side[bin]) / weight;
        let y = 0.5 * (LOGS[bin] + LOGS[bin + 1]) - ln_start;
        first += share * y;
        second += share * y * y;
        width += share * (LOGS[bin + 1] - LOGS[bin]);
    }
    // Within a bucket scores fall off about as fast as the tail does: their mean lies below the middle.
    let rate = width / first;
    let inside = width * (1.0 / rate - 1.0 / libm::expm1(rate) - 0.5);
    second += 2.0 * inside * first + width * width / 12.0;
    first += inside;
    let bend = 1.0 - 0.5 / (1.0 - (first * first / second).min(0.95));
    let shape =
        ((weight * (first + bend) + SHAPE_POINTS * SHAPE_PRIOR) / (weight + SHAPE_POINTS)).clamp(-0.4, 0.8);
    side[START] = low as f32;
    side[NATS] = libm::log(points / weight) as f32;
    side[SHAPE] = shape as f32;
    side[SIGMA] = (low * first * (1.0 - bend.min(0.0))).max(1e-6) as f32;
    side[WEIGHT] = weight as f32;
    let age = (seen / USED).sqrt();
    side[UNIT] = (f64::from(side[UNIT]) * age * age.sqrt()) as f32;
}
