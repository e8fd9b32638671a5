//! Incidents: how often scores leave the usual, how far, and how long learning is held back afterwards.

use super::life::{ARMED, EXCESS, HOLD_OPEN, HOLD_QUIET, INCIDENTS, PEAK, PEAK_QUIET};

const LN10: f64 = std::f64::consts::LN_10;
/// Points below the closing level after which an incident is over.
const QUIET: f64 = 12.0;
const HOLD_WEIGHT: f64 = 0.1;
const HOLD_POINTS: f64 = 100.0;

/// The rate and size of incidents, as they stand before the point.
pub struct Rate {
    pub ln_rate: f64,
    pub mean: f64,
    pub k: f64,
    /// By which nats that open no incident are multiplied.
    share: f64,
}

impl Rate {
    pub fn of(life: &[f64]) -> Rate {
        let n = life[INCIDENTS];
        Rate::new(
            libm::log((n + 5.0) / (life[ARMED] + 500.0)),
            ((life[EXCESS] + 10.0) / (n + 10.0)).clamp(0.7, 2.5),
            n + 10.0,
        )
    }

    pub fn new(ln_rate: f64, mean: f64, k: f64) -> Rate {
        Rate { ln_rate, mean, k, share: (-ln_rate / (2.0 * LN10)).min(1.0) }
    }

    /// From -ln p of a point to -ln of the rate of incidents as strange as this.
    pub fn apply(&self, nats: f64) -> f64 {
        let excess = nats - 2.0 * LN10;
        if excess > 0.0 {
            -self.ln_rate + self.k * libm::log1p(excess / (self.mean * self.k))
        } else {
            nats * self.share
        }
    }

    /// The nats above which `apply` exceeds `wanted`.
    pub fn invert(&self, wanted: f64) -> f64 {
        if wanted >= -self.ln_rate {
            return 2.0 * LN10 + self.mean * self.k * libm::expm1((wanted + self.ln_rate) / self.k);
        }
        (wanted / self.share).min(2.0 * LN10)
    }
}

/// Counts incidents of level 1 above 2 (in powers of ten); their peaks say how fast their tail falls.
///
/// `keeps` is what is left of the counts at each point.
pub fn count_incident(life: &mut [f64], nats: f64, keeps: f64) {
    for place in [INCIDENTS, EXCESS, ARMED] {
        life[place] *= keeps;
    }
    let excess = nats - 2.0 * LN10;
    if excess > 0.0 {
        let before = life[PEAK];
        if before == 0.0 {
            life[INCIDENTS] += 1.0;
        }
        life[PEAK] = before.max(excess.min(7.0));
        life[EXCESS] += life[PEAK] - before;
        life[PEAK_QUIET] = 0.0;
    } else if life[PEAK] > 0.0 {
        life[PEAK_QUIET] += 1.0;
        if life[PEAK_QUIET] >= QUIET {
            life[PEAK] = 0.0;
        }
    }
    if life[PEAK] == 0.0 {
        life[ARMED] += 1.0;
    }
}

/// Weight with which the point is learned: the opening of an incident in full, what follows a tenth, for a time.
pub fn hold(life: &mut [f64], nats: f64) -> f64 {
    if life[HOLD_OPEN] == 0.0 {
        if nats >= 3.0 * LN10 {
            life[HOLD_OPEN] = 1.0;
            life[HOLD_QUIET] = 0.0;
        }
        return 1.0;
    }
    life[HOLD_OPEN] += 1.0;
    life[HOLD_QUIET] = if nats < 2.0 * LN10 { life[HOLD_QUIET] + 1.0 } else { 0.0 };
    let weight = if life[HOLD_OPEN] <= HOLD_POINTS + 1.0 { HOLD_WEIGHT } else { 1.0 };
    if life[HOLD_QUIET] >= QUIET {
        life[HOLD_OPEN] = 0.0;
    }
    weight
}
