//! What comes next: what came after the nearest shingle of each tree, of the nearer half.
//!
//! Each such shingle is one way that things went on; its values follow it in the ring. At each step ahead the answer is the
//! middle of the ways that are known so far, and a quantile of them on either side.

use super::random_cut_box::Width;
use super::random_cut_forest::Fold;
use super::random_cut_near::middle;

/// The ways, reused: values of the metric by step and value of a point, one way after the other.
#[derive(Default)]
pub struct Ahead {
    ways: Vec<Vec<f64>>,
    /// Middle, lower and upper quantile by step and value of a point.
    pub middles: Vec<f64>,
    pub lowers: Vec<f64>,
    pub uppers: Vec<f64>,
}

/// A quantile between the two sorted values around it; NaN of nothing.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let below = at as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

impl<W: Width> Fold<'_, '_, W> {
    /// Values of so many steps after the newest point, if asked with the quantiles that leave `tail` out on each side. All
    /// NaN before the trees know enough.
    pub(super) fn look_ahead(&mut self, horizon: usize, tail: Option<f64>, ahead: &mut Ahead) {
        let (inputs, steps) = (self.kernel.inputs, horizon * self.kernel.inputs);
        for list in [&mut ahead.middles, &mut ahead.lowers, &mut ahead.uppers] {
            list.clear();
            list.resize(steps, f64::NAN);
        }
        if !self.versed() {
            return;
        }
        let (point, known) = self.present();
        self.seek(&point, &known);
        ahead.ways.resize(steps, Vec::new());
        ahead.ways.iter_mut().for_each(Vec::clear);
        self.follow_all(horizon, &mut ahead.ways);
        for (at, way) in ahead.ways.iter_mut().enumerate() {
            if way.is_empty() {
                // No way is known to go on so far: things stay as they are.
                let before = at.checked_sub(inputs);
                let stays = |list: &[f64]| before.map_or_else(|| self.newest(at), |b| list[b]);
                (ahead.middles[at], ahead.lowers[at], ahead.uppers[at]) =
                    (stays(&ahead.middles), stays(&ahead.lowers), stays(&ahead.uppers));
                continue;
            }
            ahead.middles[at] = middle(way);
            let Some(tail) = tail else { continue };
            way.sort_unstable_by(f64::total_cmp);
            (ahead.lowers[at], ahead.uppers[at]) = (quantile(way, tail), quantile(way, 1.0 - tail));
        }
    }

    /// Follows what came after each of the nearer shingles, as far as it is known.
    fn follow_all(&self, horizon: usize, ways: &mut [Vec<f64>]) {
        let (kernel, written) = (self.kernel, self.head[0]);
        let mut values: Vec<f64> = Vec::with_capacity(kernel.inputs);
        for near in self.search.near.iter().filter(|n| n.distance <= self.search.bound) {
            let next = kernel.born(near.start, written) + kernel.shingle as i64;
            values.clear();
            values.extend((0..kernel.inputs).map(|k| self.newest(k)));
            for step in 0..horizon.min((written - next) as usize) {
                let at = ((next + step as i64) % kernel.span as i64) as usize * kernel.dims;
                for (k, value) in values.iter_mut().enumerate() {
                    *value = self.follow(k, *value, f64::from(self.ring[at + k]));
                    ways[step * kernel.inputs + k].push(*value);
                }
            }
        }
    }
}
