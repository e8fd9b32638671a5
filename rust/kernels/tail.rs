//! The tail of one row of scores: a decayed log-bucket histogram, and a generalised Pareto averaged over its shape.
//!
//! Buckets stand at fixed absolute ratios, never at the first value seen. The averaged tail is tabulated when it is
//! fitted, so that a score is a look-up and the limit for a wanted probability has a closed form.

pub const BINS: usize = 640;
const LOW: f64 = 1e-4;
/// ln 1.035: coarser buckets (7 %) measurably break the promise on Gaussian noise.
const LN_RATIO: f64 = 0.034_401_426_717_332_37;
/// Scores above this are all equally strange.
pub const HIGHEST: f64 = 1e12;

const KNOTS: usize = 33;
const STEP: f64 = 0.125;
const THETAS: usize = 20;
const PRIOR_WIDTH: f64 = 2.5;
/// Fewer points in the tail than this are not fitted.
const TAIL_LEAST: f64 = 8.0;

/// Places in `fit`: first bucket of the tail (0: not fitted), its edge, mean excess, highest bucket in use, table.
const START: usize = 0;
const EDGE: usize = 1;
const MEAN: usize = 2;
const TOP: usize = 3;
const TABLE: usize = 4;
pub const FIT: usize = TABLE + KNOTS;

/// One row's histogram and fit. `gain` is the weight of the newest point, `total` the weight of all of them.
pub struct Tail<'a> {
    pub bins: &'a mut [f32],
    pub fit: &'a mut [f64],
    pub gain: f64,
    pub total: f64,
    /// Ln of the row's share of the false alarms.
    pub ln_weight: f64,
    /// Width of the prior, >= 1: it grows with the points seen until only the fit counts. Infinite without a scale.
    pub unit: f64,
    /// Ln of the least probability that the prior gives to anything but an equal value.
    pub ln_least: f64,
}

pub fn bin_of(score: f64) -> usize {
    if score <= LOW {
        return 0;
    }
    ((libm::floor(libm::log(score / LOW) / LN_RATIO) as usize) + 1).min(BINS - 1)
}

/// Lower edge of a bucket.
pub fn edge(bin: usize) -> f64 {
    if bin == 0 {
        0.0
    } else {
        LOW * libm::exp((bin as f64 - 1.0) * LN_RATIO)
    }
}

/// A value that stands for its bucket: the middle.
pub fn middle(bin: usize) -> f64 {
    if bin == 0 {
        0.0
    } else {
        0.5 * (edge(bin) + edge(bin + 1))
    }
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
    pub fn ln_p(&self, score: f64) -> f64 {
        let bin = bin_of(score);
        let g = self.beyond(bin);
        let z = score / (PRIOR_WIDTH * self.unit);
        let least = if bin > 0 { self.ln_least } else { 0.0 };
        let prior = (self.ln_weight - 0.5 * z * z).max(self.often(g)).max(least).min(0.0);
        if self.fitted() {
            prior.min(self.ln_p_fitted(score, bin, g))
        } else {
            prior
        }
    }

    fn ln_p_fitted(&self, score: f64, bin: usize, g: f64) -> f64 {
        let ceiling = self.fit[TABLE];
        if bin >= self.fit[START] as usize {
            let s = libm::log1p((score - self.fit[EDGE]).max(0.0) / self.fit[MEAN]);
            return self.look_up(s).max(self.often(g).min(ceiling));
        }
        self.below(g, f64::from(self.bins[bin]) / self.gain)
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
    pub fn limit(&self, wanted: f64) -> f64 {
        let z = (2.0 * (self.ln_weight - wanted).max(0.0)).sqrt() * PRIOR_WIDTH * self.unit;
        let prior = if self.ln_least < wanted { z.max(self.limit_often(wanted, 1)) } else { f64::INFINITY };
        if self.fitted() {
            prior.min(self.limit_fitted(wanted))
        } else {
            prior
        }
    }

    fn limit_fitted(&self, wanted: f64) -> f64 {
        let start = self.fit[START] as usize;
        if wanted <= self.fit[TABLE] {
            return self.limit_table(wanted).max(self.limit_often(wanted, start));
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

    /// Upper edge of the highest bucket that was seen too often for `wanted`: `often` solved for g.
    fn limit_often(&self, wanted: f64, lowest: usize) -> f64 {
        let root = 1.0 + (1.0 + self.points() * libm::exp(wanted)).sqrt();
        let enough = root * root * self.gain;
        let mut g = 0.0;
        for bin in (lowest..=self.fit[TOP] as usize).rev() {
            g += f64::from(self.bins[bin]);
            if g >= enough {
                return edge(bin + 1);
            }
        }
        0.0
    }

    pub fn learn(&mut self, score: f64, weight: f64) {
        let bin = bin_of(score);
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
        let tail: Vec<(f64, f64)> = (start..=top)
            .filter(|&bin| self.bins[bin] > 0.0)
            .map(|bin| (f64::from(self.bins[bin]) / self.gain / k, middle(bin) - low))
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
            let y = self.fit[MEAN] * libm::expm1(STEP * knot as f64);
            last = last.min(ln_share - k * libm::log1p(-mixture.ln_tail(y) / k));
            self.fit[TABLE + knot] = last;
        }
    }
}

/// Generalised Pareto tails (1 + theta y)^(-1/xi), weighted by how well they explain the excesses.
struct Mixture {
    parts: Vec<(f64, f64, f64)>,
}

impl Mixture {
    /// `tail`: share and excess of each bucket; `k` points; `mean` of the excesses.
    fn of(tail: &[(f64, f64)], k: f64, mean: f64) -> Mixture {
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

    fn ln_tail(&self, y: f64) -> f64 {
        let mut terms = [f64::NEG_INFINITY; THETAS];
        for (term, &(theta, xi, ln_weight)) in terms.iter_mut().zip(&self.parts) {
            if theta * y > -1.0 {
                *term = ln_weight - libm::log1p(theta * y) / xi;
            }
        }
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What is below e^-40 of the largest adds nothing.
        let sum: f64 = terms.iter().map(|t| t - largest).filter(|&t| t > -40.0).map(libm::exp).sum();
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
            _ => 0.03 / mean * libm::exp((j as f64 - 8.0) / 11.0 * libm::log(200.0)),
        };
    }
    found
}
