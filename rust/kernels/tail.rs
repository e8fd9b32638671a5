//! The tail of one row of scores: a decayed log-bucket histogram, and a generalised Pareto averaged over its shape.
//!
//! Buckets stand at fixed absolute ratios, never at the first value seen. The averaged tail is tabulated when it is
//! fitted, so that a score is a look-up and the limit for a wanted probability has a closed form.

use std::sync::LazyLock;

use super::buckets::{bin_of, edge, middle};
use super::pareto::Mixture;

const KNOTS: usize = 33;
const STEP: f64 = 0.125;
const PRIOR_WIDTH: f64 = 2.5;
/// So many points at the top of a tail, counted with their age, are a wonder and not a law: they count no further out than
/// so many times the next.
const WONDERS: f64 = 1.5;
const WONDER_TIMES: f64 = 4.0;
/// Fewer points in the tail than this are not fitted.
const TAIL_LEAST: f64 = 8.0;

/// Scores after which buckets fill, and after which the tail is used.
pub const FILLS: f64 = 100.0;
pub const USED: f64 = 250.0;
const REFIT: f64 = 32.0;
/// The weight of the newest point from which on all weights are made smaller.
pub const GAIN_MAX: f64 = 1e6;

/// Places in `fit`: first bucket of the tail (0: not fitted), its edge, mean excess, highest bucket in use, table.
const START: usize = 0;
const EDGE: usize = 1;
const MEAN: usize = 2;
const TOP: usize = 3;
const TABLE: usize = 4;
pub const FIT: usize = TABLE + KNOTS;

/// Excesses at the knots of the table, in means.
static EXCESSES: LazyLock<[f64; KNOTS]> =
    LazyLock::new(|| std::array::from_fn(|knot| libm::expm1(STEP * knot as f64)));

/// Whether the tail is fitted anew at this point: less often as a point more changes less.
pub fn refits(seen: f64) -> bool {
    let every = match seen {
        seen if seen < 1024.0 => REFIT,
        seen if seen < 4096.0 => 2.0 * REFIT,
        _ => 4.0 * REFIT,
    };
    seen == USED || (seen > USED && seen % every == 0.0)
}

/// One row's histogram and fit. `gain` is the weight of the newest point, `total` the weight of all of them.
pub struct Tail<'a> {
    pub bins: &'a mut [f32],
    pub fit: &'a mut [f64],
    pub gain: f64,
    pub total: f64,
    /// Ln of the side's share of its detector's false alarms.
    pub ln_side: f64,
    /// Width of the prior, >= 1: it grows with the points seen until only the fit counts. Infinite without a scale.
    pub unit: f64,
    /// Ln of the least probability that the prior gives to anything but an equal value.
    pub ln_least: f64,
}

/// Sum in four lanes whose order is written down here, so that it is the same everywhere.
fn sum(bins: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 4];
    let chunks = bins.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &bin) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(bin);
        }
    }
    for &bin in rest {
        lanes[0] += f64::from(bin);
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// Upper edge of a bucket that is not below another one, else 0.
fn above(bin: usize, lowest: usize) -> f64 {
    if bin >= lowest.max(1) {
        edge(bin + 1)
    } else {
        0.0
    }
}

impl Tail<'_> {
    pub fn fitted(&self) -> bool {
        self.fit[START] > 0.0
    }

    fn points(&self) -> f64 {
        self.total / self.gain
    }

    /// Points in this bucket or above, counted with their age.
    fn beyond(&self, bin: usize) -> f64 {
        let top = self.fit[TOP] as usize;
        if bin > top {
            0.0
        } else if bin == 0 {
            self.points()
        } else {
            sum(&self.bins[bin..=top]) / self.gain
        }
    }

    /// What was often seen is not news: with `g` points as high as this one, p is at least (g - 2 sqrt g) / points.
    fn often(&self, g: f64) -> f64 {
        let sure = g - 2.0 * g.sqrt();
        if sure > 0.0 {
            libm::log(sure / self.points())
        } else {
            f64::NEG_INFINITY
        }
    }

    /// Ln of the probability of a score this high or higher. Never rises with the score.
    ///
    /// `bin` is that of the score.
    pub fn ln_p(&self, score: f64, bin: usize) -> f64 {
        let g = self.beyond(bin);
        let z = score / (PRIOR_WIDTH * self.unit);
        let least = if bin > 0 { self.ln_least } else { 0.0 };
        let prior = (self.ln_side - 0.5 * z * z).max(least);
        if !self.fitted() {
            return prior.max(self.often(g)).min(0.0);
        }
        if bin >= self.fit[START] as usize {
            let often = self.often(g);
            return prior.max(often).min(0.0).min(self.ln_p_table(score, often));
        }
        let below = self.below(g, f64::from(self.bins[bin]) / self.gain);
        // A prior that is higher anyway need not know what was seen often: it is not asked.
        if prior >= below && below <= 0.0 {
            return below;
        }
        prior.max(self.often(g)).min(0.0).min(below)
    }

    fn ln_p_table(&self, score: f64, often: f64) -> f64 {
        let s = libm::log1p((score - self.fit[EDGE]).max(0.0) / self.fit[MEAN]);
        self.look_up(s).max(often.min(self.fit[TABLE]))
    }

    /// The same below the tail: from the counts alone.
    fn below(&self, g: f64, own: f64) -> f64 {
        libm::log((g - 0.5 * own + 0.5) / (self.points() + 1.0)).max(self.fit[TABLE])
    }

    fn look_up(&self, s: f64) -> f64 {
        let table = &self.fit[TABLE..TABLE + KNOTS];
        let at = (s / STEP).min((KNOTS - 2) as f64).max(0.0) as usize;
        table[at] + (table[at + 1] - table[at]) * (s / STEP - at as f64)
    }

    /// The score above which `ln_p` is below `wanted`.
    ///
    /// `enough` is that of `wanted`, which all tails of a series share.
    pub fn limit(&self, wanted: f64, enough: f64) -> f64 {
        let often = self.often_up_to(enough);
        let z = (2.0 * (self.ln_side - wanted).max(0.0)).sqrt() * PRIOR_WIDTH * self.unit;
        let prior = if self.ln_least < wanted { z.max(above(often, 1)) } else { f64::INFINITY };
        if self.fitted() {
            prior.min(self.limit_fitted(wanted, often))
        } else {
            prior
        }
    }

    fn limit_fitted(&self, wanted: f64, often: usize) -> f64 {
        let start = self.fit[START] as usize;
        if wanted <= self.fit[TABLE] {
            return self.limit_table(wanted).max(above(often, start));
        }
        let mut g = self.beyond(start);
        for bin in (0..start).rev() {
            let own = f64::from(self.bins[bin]) / self.gain;
            g += own;
            if self.below(g, own) >= wanted {
                return edge(bin + 1);
            }
        }
        0.0
    }

    fn limit_table(&self, wanted: f64) -> f64 {
        let table = &self.fit[TABLE..TABLE + KNOTS];
        let mut at = 0;
        while at < KNOTS - 2 && table[at + 1] >= wanted {
            at += 1;
        }
        let slope = table[at + 1] - table[at];
        if slope >= 0.0 {
            return f64::INFINITY;
        }
        let s = STEP * (at as f64 + (wanted - table[at]) / slope);
        self.fit[EDGE] + self.fit[MEAN] * libm::expm1(s)
    }

    /// Weight from which a bucket and those above it were seen too often for `wanted`: `often` solved for g.
    pub fn enough(&self, wanted: f64) -> f64 {
        let root = 1.0 + (1.0 + self.points() * libm::exp(wanted)).sqrt();
        root * root * self.gain
    }

    /// The highest bucket that was seen too often, 0 without one.
    fn often_up_to(&self, enough: f64) -> usize {
        let mut g = 0.0;
        for bin in (1..=self.fit[TOP] as usize).rev() {
            g += f64::from(self.bins[bin]);
            if g >= enough {
                return bin;
            }
        }
        0
    }

    pub fn learn(&mut self, bin: usize, weight: f64) {
        self.bins[bin] += (self.gain * weight) as f32;
        self.fit[TOP] = self.fit[TOP].max(bin as f64);
    }

    /// Takes back what `learn` with weight 1 added when the gain was `gain`.
    pub fn unlearn(&mut self, score: f64, gain: f64) {
        let bin = &mut self.bins[bin_of(score)];
        *bin = (*bin - gain as f32).max(0.0);
    }

    /// Multiplies all weights, before the gain outgrows what a bucket can hold.
    pub fn shrink(&mut self, factor: f64) {
        self.bins.iter_mut().for_each(|bin| *bin = (f64::from(*bin) * factor) as f32);
    }

    /// The score below which a share of all points lies; NaN when nothing was learned.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = self.total * (1.0 - share);
        let mut g = 0.0;
        for bin in (0..=self.fit[TOP] as usize).rev() {
            let own = f64::from(self.bins[bin]);
            if own > 0.0 && g + own >= wanted {
                let part = ((wanted - g) / own).clamp(0.0, 1.0);
                return edge(bin + 1) + (edge(bin) - edge(bin + 1)) * part;
            }
            g += own;
        }
        f64::NAN
    }

    /// Median distance of all points from a score, by the middles of their buckets.
    pub fn deviation(&self, center: f64) -> f64 {
        let mut found: Vec<(f64, f64)> = (0..=self.fit[TOP] as usize)
            .filter(|&bin| self.bins[bin] > 0.0)
            .map(|bin| ((middle(bin) - center).abs(), f64::from(self.bins[bin])))
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut weight = 0.0;
        for (distance, own) in found {
            weight += own;
            if weight >= 0.5 * self.total {
                return distance;
            }
        }
        f64::NAN
    }

    /// The highest bucket that more than a wonder has reached.
    fn believed(&self, start: usize, top: usize) -> usize {
        let mut g = 0.0;
        for bin in (start..=top).rev() {
            g += f64::from(self.bins[bin]) / self.gain;
            if g > WONDERS {
                return bin;
            }
        }
        start
    }

    /// Fits the tail anew: the top 5 % of the weight, or up to 50 points while that is at most 15 %.
    pub fn refit(&mut self) {
        while self.fit[TOP] > 0.0 && f64::from(self.bins[self.fit[TOP] as usize]) < 1e-6 * self.gain {
            self.bins[self.fit[TOP] as usize] = 0.0;
            self.fit[TOP] -= 1.0;
        }
        let (points, top) = (self.points(), self.fit[TOP] as usize);
        let wanted = (0.05 * points).max((0.15 * points).min(50.0));
        let (mut k, mut start) = (0.0, top + 1);
        while start > 1 && k < wanted {
            start -= 1;
            k += f64::from(self.bins[start]) / self.gain;
        }
        self.fit[START] = 0.0;
        if k < TAIL_LEAST {
            return;
        }
        let low = edge(start);
        let most = WONDER_TIMES * (middle(self.believed(start, top)) - low);
        let tail: Vec<(f64, f64)> = (start..=top)
            .filter(|&bin| self.bins[bin] > 0.0)
            .map(|bin| (f64::from(self.bins[bin]) / self.gain / k, (middle(bin) - low).min(most)))
            .collect();
        let mean: f64 = tail.iter().map(|(share, y)| share * y).sum();
        self.fit[START] = start as f64;
        self.fit[EDGE] = low;
        self.fit[MEAN] = mean;
        self.tabulate(&Mixture::of(&tail, k, mean), k, libm::log(k / points));
    }

    /// The predictive tail ln(k/T) - k ln(1 - ln(tail)/k) at the knots y = mean (e^s - 1).
    fn tabulate(&mut self, mixture: &Mixture, k: f64, ln_share: f64) {
        let mut last = ln_share;
        for knot in 0..KNOTS {
            let y = self.fit[MEAN] * EXCESSES[knot];
            last = last.min(ln_share - k * libm::log1p(-mixture.ln_tail(y) / k));
            self.fit[TABLE + knot] = last;
        }
    }
}
