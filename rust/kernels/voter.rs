//! A further member of an ensemble in `calibrate`: one tail on its score, with its own count of what was heard of it.
//!
//! State beside the tail: VOTER numbers of `life`, behind those of the series.

use super::buckets::{bin_of, HIGHEST};
use super::calibrate::nats_max;
use super::tail::{refits, Tail, FILLS, GAIN_MAX, USED};

/// Places in a voter's part of `life`: as those of the series, and its score and weight at the opening.
const GAIN: usize = 0;
const TOTAL: usize = 1;
const SEEN: usize = 2;
const OPENING_SCORE: usize = 3;
const OPENING_GAIN: usize = 4;
pub const VOTER: usize = 5;

/// Most that a score by itself may take away or add, in nats.
const STANDING_LEAST: f64 = 4.0;
const STANDING_MOST: f64 = 0.5;

pub struct Voter<'a> {
    pub tail: Tail<'a>,
    pub life: &'a mut [f64],
    /// Nats for each e-fold of the score: how much more a score says that is high by any series' measure.
    strength: f64,
    /// Of the present point, NaN where it has none.
    score: f64,
    bin: usize,
}

impl<'a> Voter<'a> {
    pub fn new(tail: Tail<'a>, life: &'a mut [f64], strength: f64) -> Voter<'a> {
        Voter { tail, life, strength, score: f64::NAN, bin: 0 }
    }

    pub fn hear(&mut self, score: f64) {
        self.score = score.clamp(0.0, HIGHEST);
        self.bin = if score.is_nan() { 0 } else { bin_of(self.score) };
        self.tail.gain = if self.life[GAIN] > 0.0 { self.life[GAIN] } else { 1.0 };
        self.tail.total = self.life[TOTAL];
        // The unit of the score is unknown, and so is the prior.
        self.tail.unit = f64::INFINITY;
        self.tail.ln_least = f64::NEG_INFINITY;
    }

    pub fn seen(&self) -> f64 {
        self.life[SEEN]
    }

    pub fn silent(&self) -> bool {
        self.score.is_nan()
    }

    /// Enough was heard of it to say anything.
    pub fn ready(&self) -> bool {
        self.life[SEEN] >= USED && self.tail.fitted()
    }

    /// -ln p of level 1 before its share of the false alarms (NaN: nothing can be said).
    pub fn alone(&self) -> f64 {
        if self.silent() || !self.ready() {
            return f64::NAN;
        }
        self.standing() - self.tail.ln_p(self.score, self.bin)
    }

    /// The same after its share.
    pub fn shared(&self, nats: f64, ln_share: f64) -> f64 {
        if nats.is_nan() {
            return nats;
        }
        (nats + ln_share).max(0.0).min(nats_max(self.life[SEEN]))
    }

    /// What the score says by itself, whatever the past of this series. The second level then counts what comes of it.
    fn standing(&self) -> f64 {
        if self.strength == 0.0 {
            return 0.0;
        }
        (self.strength * libm::log(self.score.max(f64::MIN_POSITIVE))).clamp(-STANDING_LEAST, STANDING_MOST)
    }

    pub fn count(&mut self) {
        if !self.silent() {
            self.life[SEEN] += 1.0;
        }
    }

    /// An incident opens: what this point teaches may be taken back.
    pub fn note(&mut self) {
        self.life[OPENING_SCORE] = if self.silent() { 0.0 } else { self.score };
        self.life[OPENING_GAIN] = 0.0;
    }

    pub fn learn(&mut self, grows: f64, weight: f64, opens: bool) {
        let seen = self.life[SEEN];
        if self.silent() || seen <= FILLS {
            return;
        }
        self.life[GAIN] = if self.life[GAIN] > 0.0 { self.life[GAIN] * grows } else { 1.0 };
        self.life[TOTAL] += self.life[GAIN] * weight;
        (self.tail.gain, self.tail.total) = (self.life[GAIN], self.life[TOTAL]);
        self.tail.learn(self.bin, weight);
        if opens {
            self.life[OPENING_GAIN] = self.life[GAIN];
        }
        if refits(seen) {
            self.tail.refit();
        }
        if self.life[GAIN] > GAIN_MAX {
            let factor = 1.0 / self.life[GAIN];
            self.tail.shrink(factor);
            self.life[TOTAL] *= factor;
            self.life[OPENING_GAIN] *= factor;
            self.life[GAIN] = 1.0;
        }
    }

    /// The incident was an outage: what its opening taught is taken back.
    pub fn undo(&mut self) {
        let gain = self.life[OPENING_GAIN];
        if gain == 0.0 {
            return;
        }
        self.tail.unlearn(self.life[OPENING_SCORE], gain);
        self.life[TOTAL] -= gain;
        self.life[OPENING_GAIN] = 0.0;
        self.tail.total = self.life[TOTAL];
        if self.life[SEEN] > USED {
            self.tail.refit();
        }
    }
}

/// The members' shares of the false alarms: the weights of those that cannot speak yet go to those that can.
pub struct Shares {
    weights: Vec<f64>,
    /// Which members could speak when `ln` was made.
    ready: u32,
    pub ln: Vec<f64>,
}

impl Shares {
    pub fn of(weights: &[f64]) -> Shares {
        Shares { weights: weights.to_vec(), ready: 0, ln: vec![0.0; weights.len()] }
    }

    /// `ready` has a bit for each member.
    pub fn update(&mut self, ready: u32) {
        if ready == self.ready {
            return;
        }
        self.ready = ready;
        let speaks = |member: usize| ready >> member & 1 == 1;
        let whole: f64 = (0..self.weights.len()).filter(|&m| speaks(m)).map(|m| self.weights[m]).sum();
        for member in 0..self.weights.len() {
            let alone = !speaks(member) || ready.count_ones() == 1;
            self.ln[member] = if alone { 0.0 } else { libm::log(self.weights[member] / whole) };
        }
    }
}
