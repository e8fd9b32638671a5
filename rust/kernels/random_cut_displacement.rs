//! Collusive displacement: how many points a newcomer would push down, for each that it would come to lie with.
//!
//! Where a cut sets the point apart at depth `j`, the largest ratio of sibling to own side on its way up is its displacement;
//! the answer is the mean over the cuts, each with its chance. The tree is not changed and no cut is drawn.

use super::random_cut_tree::{Trail, Tree};

/// Expected collusive displacement of a point whose trail is climbed.
pub fn displacement(tree: &Tree<'_>, trail: &Trail) -> f64 {
    let mass = |depth: usize| f64::from(tree.masses[usize::from(trail.path[depth])]);
    let (mut largest, mut expected, mut left) = (0.0f64, 0.0, 1.0);
    for depth in 0..=trail.depth {
        if depth > 0 {
            // The point is with the side on its way, the other side is its sibling.
            largest = largest.max((mass(depth - 1) - mass(depth)) / (mass(depth) + 1.0));
        }
        if depth >= trail.inside && !trail.equal {
            let chance = trail.chances[depth];
            expected += left * chance * largest.max(mass(depth));
            left *= 1.0 - chance;
        }
    }
    if trail.equal {
        largest
    } else {
        expected
    }
}
