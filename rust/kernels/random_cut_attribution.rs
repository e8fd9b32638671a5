//! Which values of a shingle make it strange, and in which direction: the score, shared out where it arises.
//!
//! At each depth the chance of separation is the sum of the parts by which values lie above and below the box; the
//! score that comes from there is shared out by them. All shares together are the score.

use super::random_cut_box::{outside, Width};
use super::random_cut_tree::{Bounds, Padded, Ring, Trail, Tree};

/// Adds one tree's shares to `sums`: above, then below, each by value. `shares` is room of the same length.
pub fn attribute<W: Width>(
    tree: &Tree<'_>,
    width: W,
    ring: Ring<'_>,
    point: &Padded,
    trail: &Trail,
    room: &mut Bounds,
    log: f64,
    shares: &mut [f64],
    sums: &mut [f64],
) {
    if trail.equal {
        return;
    }
    shares.fill(0.0);
    let (above, below) = shares.split_at_mut(ring.length);
    for depth in (trail.inside..=trail.depth).rev() {
        let id = usize::from(trail.path[depth]);
        let bounds = tree.bounds_or_leaf(width, ring, id, room);
        let (beyond, size) = outside(width, bounds, point);
        let whole = f64::from(beyond) + f64::from(size);
        let kept = 1.0 - trail.chances[depth];
        let (lows, highs) = bounds.split_at(width.padded());
        for k in 0..ring.length {
            let up = f64::from((point[k] - highs[k]).max(0.0)) / whole;
            let down = f64::from((lows[k] - point[k]).max(0.0)) / whole;
            above[k] = above[k] * kept + up / (depth as f64 + 1.0);
            below[k] = below[k] * kept + down / (depth as f64 + 1.0);
        }
    }
    for (sum, share) in sums.iter_mut().zip(shares) {
        *sum += *share * log;
    }
}
