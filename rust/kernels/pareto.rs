//! A generalised Pareto tail averaged over its shape.

use std::sync::LazyLock;

const THETAS: usize = 20;
/// Ratios of the twelve heavier tails, from 1 to 200.
static HEAVIER: LazyLock<[f64; 12]> =
    LazyLock::new(|| std::array::from_fn(|j| libm::exp(j as f64 / 11.0 * libm::log(200.0))));

/// Generalised Pareto tails (1 + theta y)^(-1/xi), weighted by how well they explain the excesses.
pub struct Mixture {
    parts: Vec<(f64, f64, f64)>,
}

impl Mixture {
    /// `tail`: share and excess of each bucket; `k` points; `mean` of the excesses.
    pub fn of(tail: &[(f64, f64)], k: f64, mean: f64) -> Mixture {
        let highest = tail.last().map_or(mean, |&(_, y)| y);
        let mut parts = Vec::with_capacity(THETAS);
        for theta in thetas(highest, mean) {
            let xi: f64 = tail.iter().map(|(share, y)| share * libm::log1p(theta * y)).sum();
            let deviation = (xi - 0.1) / 0.3;
            let ln_weight = -k * (libm::log(xi / theta) + xi + 1.0) - 0.5 * deviation * deviation;
            parts.push((theta, xi, ln_weight));
        }
        let best = parts.iter().map(|p| p.2).fold(f64::NEG_INFINITY, f64::max);
        // One tail without an end always stays, so that no score is impossible.
        let mut index = 0;
        parts.retain(|p| {
            index += 1;
            index == 8 || p.2 > best - 12.0
        });
        let ln_sum = libm::log(parts.iter().map(|p| libm::exp(p.2 - best)).sum::<f64>()) + best;
        for part in &mut parts {
            part.2 = (part.2 - ln_sum).max(-60.0);
        }
        Mixture { parts }
    }

    pub fn ln_tail(&self, y: f64) -> f64 {
        let mut terms = [f64::NEG_INFINITY; THETAS];
        for (term, &(theta, xi, ln_weight)) in terms.iter_mut().zip(&self.parts) {
            if theta * y > -1.0 {
                *term = ln_weight - libm::log1p(theta * y) / xi;
            }
        }
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What is below e^-40 of the largest adds nothing.
        let near = terms.iter().map(|t| t - largest).filter(|&t| t > -40.0);
        let sum: f64 = near.map(|t| if t == 0.0 { 1.0 } else { libm::exp(t) }).sum();
        (libm::log(sum) + largest).min(0.0)
    }
}

/// Seven ends beyond the highest excess, the exponential, and twelve heavier tails.
fn thetas(highest: f64, mean: f64) -> [f64; THETAS] {
    let mut found = [0.0; THETAS];
    for (j, theta) in found.iter_mut().enumerate() {
        *theta = match j {
            0..=6 => -0.97 / highest * (j as f64 + 1.0) / 7.0,
            7 => 1e-4 / mean,
            _ => 0.03 / mean * HEAVIER[j - 8],
        };
    }
    found
}
