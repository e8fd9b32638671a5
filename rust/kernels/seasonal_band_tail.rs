//! Quantiles of the signed distances so far: a decayed histogram whose cells widen geometrically.

use super::seasonal_band_core::Core;

/// Cells on each side of zero.
pub const SIDE: usize = 64;
pub const CELLS: usize = 2 * SIDE;
const FIRST_EDGE: f64 = 0.02;
const RATIO: f64 = 1.12;
/// A count is worth half after this many values.
const HALF_LIFE: f64 = 2_000.0;
/// Values that the prior, a Student law of four degrees of freedom, is worth.
const PRIOR_WEIGHT: f64 = 30.0;

/// Upper edges of the cells of one side and the prior's mass in each of them.
pub struct Tail {
    edges: [f64; SIDE],
    prior: [f64; SIDE],
    growth: f64,
    log_ratio: f64,
}

/// Distribution function of Student's t with four degrees of freedom.
fn student4(x: f64) -> f64 {
    let s = x / (1.0 + x * x / 4.0).sqrt();
    0.5 + 0.375 * s * (1.0 - s * s / 12.0)
}

impl Default for Tail {
    fn default() -> Self {
        Self::new()
    }
}

impl Tail {
    pub fn new() -> Self {
        let mut edges = [0.0; SIDE];
        let mut prior = [0.0; SIDE];
        let (mut edge, mut below) = (FIRST_EDGE, 0.5);
        for k in 0..SIDE {
            edges[k] = edge;
            // Its mean distance is 1; the scale is 1.2533 times the mean distance, hence the factor.
            let here = if k + 1 == SIDE { 1.0 } else { student4(edge * 1.2533) };
            prior[k] = here - below;
            below = here;
            edge *= RATIO;
        }
        Tail { edges, prior, growth: libm::exp2(1.0 / HALF_LIFE), log_ratio: libm::log(RATIO) }
    }

    fn cell(&self, size: f64) -> usize {
        if size < FIRST_EDGE {
            return 0;
        }
        let k = libm::log(size / FIRST_EDGE) / self.log_ratio;
        if k >= (SIDE - 2) as f64 {
            SIDE - 1
        } else {
            k as usize + 1
        }
    }

    /// Count a distance with a weight of at most 1.
    pub fn learn(&self, core: &mut Core, cells: &mut [f32], distance: f64, weight: f64) {
        core.tail_unit = if core.tail_unit == 0.0 { 1.0 } else { core.tail_unit * self.growth };
        if core.tail_unit > 1e6 {
            for cell in cells.iter_mut() {
                *cell = (f64::from(*cell) * 1e-6) as f32;
            }
            core.tail_unit *= 1e-6;
            core.tail_sum *= 1e-6;
        }
        let k = self.cell(distance.abs());
        let add = weight * core.tail_unit;
        // Exactly as expected says nothing of a side: half to each.
        let (above, below) = match distance.partial_cmp(&0.0) {
            Some(std::cmp::Ordering::Greater) => (add, 0.0),
            Some(std::cmp::Ordering::Less) => (0.0, add),
            _ => (add / 2.0, add / 2.0),
        };
        cells[SIDE + k] = (f64::from(cells[SIDE + k]) + above) as f32;
        cells[SIDE - 1 - k] = (f64::from(cells[SIDE - 1 - k]) + below) as f32;
        core.tail_sum += add;
    }

    /// The distance beyond which lies the share `p` of the values, seen from above (`sign` 1) or below (-1).
    pub fn quantile(&self, core: &Core, cells: &[f32], p: f64, sign: f64) -> f64 {
        let unit = if core.tail_unit == 0.0 { 1.0 } else { core.tail_unit };
        let mut left = p * (core.tail_sum / unit + PRIOR_WEIGHT);
        for i in (0..CELLS).rev() {
            let at = if sign > 0.0 { i } else { CELLS - 1 - i };
            let k = if i >= SIDE { i - SIDE } else { SIDE - 1 - i };
            let mass = f64::from(cells[at]) / unit + PRIOR_WEIGHT * self.prior[k];
            if mass >= left {
                let (outer, inner) = (self.edges[k], if k == 0 { 0.0 } else { self.edges[k - 1] });
                let share = if mass > 0.0 { left / mass } else { 0.0 };
                let size = if i >= SIDE {
                    outer - (outer - inner) * share
                } else {
                    -(inner + (outer - inner) * share)
                };
                return sign * size;
            }
            left -= mass;
        }
        0.0
    }
}
