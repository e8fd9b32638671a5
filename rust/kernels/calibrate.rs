//! From scores to anomaly scores: a tail per side and further member (level 1), then the rate of incidents (level 2).
//!
//! State, with `rows` the sides of the band's member and the further members: `bins` f32[rows * BINS], `fits`
//! f64[rows * FIT], `life` f64[LIFE + VOTER * further members + TOGETHER of an ensemble]; places in `life` stand in
//! `life.rs`, `voter.rs` and `together.rs`.

use super::buckets::BINS;
use super::counts::{self, Counts};
use super::cut_off::{in_units_of, spread};
use super::fleet::{Kernel, Slice};
use super::incidents::{count_incident, hold, Rate};
use super::life::*;
use super::opening;
pub use super::sides::Direction;
use super::sides::Sides;
use super::tail::{refits, Tail, FILLS, FIT, GAIN_MAX, USED};
use super::together::Together;
use super::voter::{Shares, Voter, VOTER};

/// Opinions after which something may be said.
pub const SPEAKS: f64 = 20.0;
const SURE: f64 = 1000.0;
/// Scores between 0.05 and 12 that prove noise.
const LIVELY_LEAST: f64 = 10.0;
/// A member with a smaller share of the false alarms is there for what is beyond doubt; the grade does not hear it.
const GRADES: f64 = 1e-3;

/// In place of a 1 or 0 for "learn": the detector holds the point back as part of an outage.
const OUTAGE: f64 = -1.0;

/// How anomaly_score is formed.
pub enum Rule {
    /// ln p / ln p_limit.
    Budget,
    /// score / x.
    Cutoff(f64),
    /// score / (mean + k deviations) of past scores; the first `train` of them, 0 for all so far.
    Sigma { k: f64, train: f64, robust: bool },
    /// score / the quantile that a share of past scores exceeds.
    Contamination(f64),
}

pub struct Calibrate {
    pub rule: Rule,
    pub direction: Direction,
    half_life: f64,
    /// What a weight grows by in a point, and what is left of a count of incidents.
    grows: f64,
    keeps: f64,
    /// Of every member, the band's first: its share of the false alarms.
    weights: Vec<f64>,
    /// Of every member: see `Voter`.
    strengths: Vec<f64>,
    /// Of every member: it is heard also where few counts are expected.
    sparse: Vec<bool>,
    /// Of every slice: the probability per point that the budget allows.
    pub p_limit: Vec<f64>,
}

impl Calibrate {
    pub fn new(
        rule: Rule,
        direction: Direction,
        half_life: f64,
        weights: Vec<f64>,
        strengths: Vec<f64>,
        sparse: Vec<bool>,
        p_limit: Vec<f64>,
    ) -> Self {
        let grows = libm::exp2(1.0 / half_life);
        let keeps = libm::exp2(-1.0 / (1.4 * half_life));
        Self { rule, direction, half_life, grows, keeps, weights, strengths, sparse, p_limit }
    }

    /// Tails of the band's member.
    fn rows(&self) -> usize {
        match (&self.rule, self.direction) {
            (Rule::Budget, Direction::Both) => 2,
            _ => 1,
        }
    }

    fn tails<'a>(
        &self,
        bins: &'a mut [f32],
        fits: &'a mut [f64],
        life: &'a mut [f64],
    ) -> (Vec<Tail<'a>>, Vec<Voter<'a>>) {
        let ln_side = -libm::log(self.rows() as f64);
        let mut rows: Vec<Tail<'a>> = bins
            .chunks_exact_mut(BINS)
            .zip(fits.chunks_exact_mut(FIT))
            .map(|(bins, fit)| Tail { bins, fit, gain: 1.0, total: 0.0, ln_side, unit: 1.0, ln_least: 0.0 })
            .collect();
        let further = rows.split_off(self.rows());
        let strengths = self.strengths.iter().skip(1).chain(std::iter::repeat(&0.0));
        let voters = further.into_iter().zip(life.chunks_exact_mut(VOTER)).zip(strengths);
        let voter = |((tail, life), &strength)| Voter::new(Tail { ln_side: 0.0, ..tail }, life, strength);
        (rows, voters.map(voter).collect())
    }

    fn heard_of_few(&self, voter: usize) -> bool {
        self.sparse.get(voter + 1).copied().unwrap_or(true)
    }

    /// The band's member can say something.
    fn ready(&self, tails: &[Tail<'_>], sides: &Sides, seen: f64) -> bool {
        if sides.signed {
            seen >= SPEAKS
        } else {
            seen >= USED && tails[0].fitted()
        }
    }

    /// -ln p of level 1 of the band's member before its share of the false alarms (NaN: nothing can be said).
    fn alone(&self, tails: &[Tail<'_>], sides: &Sides, life: &[f64]) -> f64 {
        let seen = life[SEEN];
        if sides.rows[0].is_nan() || !self.ready(tails, sides, seen) {
            return f64::NAN;
        }
        if !sides.signed {
            return -tails[0].ln_p(sides.rows[0], sides.bins[0]);
        }
        let mut least =
            sides.counts.map_or([f64::NEG_INFINITY; 2], |counts| counts.often(life, tails[0].gain));
        if self.direction == Direction::Below {
            least.reverse();
        }
        let scores = sides.rows.into_iter().zip(sides.bins).zip(least);
        let ln_p = |(tail, ((z, bin), least)): (&Tail<'_>, _)| tail.ln_p(z, bin).max(least);
        tails.iter().zip(scores).map(|row| tails[0].ln_side - ln_p(row)).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The same after its share. A score without sides has no ceiling but that of its tail.
    fn shared(nats: f64, signed: bool, seen: f64, ln_share: f64) -> f64 {
        if signed && !nats.is_nan() {
            (nats + ln_share).max(0.0).min(nats_max(seen))
        } else {
            nats + ln_share
        }
    }
}

/// Tells every tail how old the series is and what was seen of it.
fn refresh(tails: &mut [Tail<'_>], life: &[f64], signed: bool) {
    // A series that hardly moves has no noise to judge a jump by: only the length of its history speaks.
    let lively = life[LIVELY] >= LIVELY_LEAST;
    let age = age(life[SEEN]);
    for (row, tail) in tails.iter_mut().enumerate() {
        tail.gain = if life[GAIN] > 0.0 { life[GAIN] } else { 1.0 };
        tail.total = life[TOTAL];
        tail.ln_least = if lively { f64::NEG_INFINITY } else { libm::log(0.1 / (life[SEEN] + 2.0)) };
        // Without a scale the unit of the score is unknown, and so is the prior.
        tail.unit = if signed {
            // And wider where high scores were seen.
            let width = (life[SECOND + row] / 3.2).max(1.0);
            if tail.fitted() {
                width * age.0 * age.1
            } else {
                width
            }
        } else {
            f64::INFINITY
        };
    }
}

/// How much wider the prior is the more points a fit rests on, as two factors. A fit on a few hundred points says little
/// about one point in a hundred thousand, and the prior keeps its band within reason.
fn age(seen: f64) -> (f64, f64) {
    let age = (seen / USED).max(1.0).sqrt();
    (age, age.sqrt())
}

impl Calibrate {
    fn learn(
        &self,
        tails: &mut [Tail<'_>],
        voters: &mut [Voter<'_>],
        life: &mut [f64],
        sides: &Sides,
        nats: f64,
    ) {
        let speaks = !sides.rows[0].is_nan();
        life[SEEN] += if speaks { 1.0 } else { 0.0 };
        voters.iter_mut().for_each(Voter::count);
        let mut weight = 1.0;
        if !nats.is_nan() {
            let was_open = life[HOLD_OPEN] != 0.0;
            weight = hold(life, nats);
            match (was_open, life[HOLD_OPEN] != 0.0) {
                (false, true) => {
                    opening::note(life, sides.rows);
                    voters.iter_mut().for_each(Voter::note);
                }
                (true, false) => opening::forget(life),
                _ => {}
            }
            if heard(life, voters) > USED {
                count_incident(life, nats, self.keeps);
            }
        }
        let opens = life[HOLD_OPEN] == 1.0;
        voters.iter_mut().for_each(|voter| voter.learn(self.grows, weight, opens));
        if speaks {
            self.learn_band(tails, life, sides, weight);
        }
    }

    fn learn_band(&self, tails: &mut [Tail<'_>], life: &mut [f64], sides: &Sides, held: f64) {
        let mut weight = held;
        counts::look(life, sides.value);
        let largest = sides.rows[0].max(sides.rows[1]);
        if largest > 0.05 && largest < 12.0 {
            life[LIVELY] = (life[LIVELY] + 1.0).min(LIVELY_LEAST);
        }
        if weight == 1.0 {
            sides.widen(life);
        }
        if matches!(self.rule, Rule::Sigma { .. } | Rule::Contamination(_)) {
            weight = 1.0;
        } else if life[SEEN] <= FILLS {
            return;
        }
        life[GAIN] = if life[GAIN] > 0.0 { life[GAIN] * self.grows } else { 1.0 };
        life[TOTAL] += life[GAIN] * weight;
        for (tail, bin) in tails.iter_mut().zip(sides.bins) {
            (tail.gain, tail.total) = (life[GAIN], life[TOTAL]);
            tail.learn(bin, weight);
        }
        counts::learn(life, sides.value, sides.expected, life[GAIN] * weight);
        if life[HOLD_OPEN] == 1.0 {
            opening::learned(life, life[GAIN]);
        }
        if refits(life[SEEN]) {
            tails.iter_mut().for_each(Tail::refit);
        }
        self.learn_cut(tails, life, sides.rows[0]);
        if life[GAIN] > GAIN_MAX {
            let factor = 1.0 / life[GAIN];
            tails.iter_mut().for_each(|tail| tail.shrink(factor));
            life[TOTAL] *= factor;
            life[GAIN] = 1.0;
            opening::shrink(life, factor);
            counts::shrink(life, factor);
        }
    }

    fn learn_cut(&self, tails: &[Tail<'_>], life: &mut [f64], score: f64) {
        life[COUNT] += 1.0;
        let before = score - life[MEAN];
        life[MEAN] += before / life[COUNT];
        life[SQUARES] += before * (score - life[MEAN]);
        if let Rule::Sigma { k, train, robust } = self.rule {
            if life[COUNT] == train {
                life[CUT] = spread(&tails[0], life, k, robust);
            }
        }
    }
}

/// However strange a point, a history of n points cannot say of it that it comes once in more than about n^4.
pub fn nats_max(seen: f64) -> f64 {
    4.0 * libm::log(seen + 10.0)
}

/// Hands every further member its score; a bit for each that can speak, the band's is free.
fn hear(voters: &mut [Voter<'_>], score_of: impl Fn(usize) -> f64) -> u32 {
    let mut ready = 0;
    for (k, voter) in voters.iter_mut().enumerate() {
        voter.hear(score_of(k));
        ready |= u32::from(voter.ready()) << (k + 1);
    }
    ready
}

/// Points of which any member had an opinion.
fn heard(life: &[f64], voters: &[Voter<'_>]) -> f64 {
    voters.iter().map(Voter::seen).fold(life[SEEN], f64::max)
}

impl Calibrate {
    /// Limits in units of score above and below, where the combination reaches `wanted` nats.
    fn limits(
        &self,
        tails: &[Tail<'_>],
        sides: &Sides,
        life: &[f64],
        wanted: f64,
        ln_share: f64,
        scale: f64,
    ) -> [f64; 2] {
        let seen = life[SEEN];
        let ready = sides.signed && seen >= SPEAKS;
        let reachable = wanted < nats_max(seen);
        let wanted = tails[0].ln_side + ln_share - wanted;
        let enough = if ready { tails[0].enough(wanted) } else { f64::NAN };
        let limit = |tail: &Tail<'_>| match (ready, reachable) {
            (true, true) => tail.limit(wanted, enough),
            (true, false) => f64::INFINITY,
            _ => f64::NAN,
        };
        let limits = [limit(&tails[0]), limit(tails.last().unwrap_or(&tails[0]))];
        match sides.counts {
            Some(counts) if ready && reachable => counts.limits(life, tails[0].gain, wanted, scale, limits),
            _ => limits,
        }
    }
}

impl Kernel for Calibrate {
    fn step(&self, slice: &mut Slice<'_>) {
        let [fits, life] = &mut slice.row.f64s[..] else { unreachable!("two f64 arrays") };
        let [bins] = &mut slice.row.f32s[..] else { unreachable!("one f32 array") };
        let [score, expected, scale, learn, further @ ..] = &slice.columns[..] else {
            unreachable!("four columns")
        };
        let [p_value, anomaly, above, below, confidence, members @ ..] = &mut slice.outputs[..] else {
            unreachable!("five outputs")
        };
        let dims = slice.values.len() / slice.times.len().max(1);
        let ln_limit = libm::log(self.p_limit[slice.index]);
        let (life, further_life) = life.split_at_mut(LIFE);
        let (further_life, slow) = further_life.split_at_mut(VOTER * (self.weights.len() - 1));
        let (mut tails, mut voters) = self.tails(bins, fits, further_life);
        let mut shares = Shares::of(&self.weights);
        for i in 0..slice.times.len() {
            let value = slice.values[i * dims];
            let mut sides = Sides::of(self.direction, self.rows(), value, score[i], expected[i], scale[i]);
            if sides.signed && matches!(self.rule, Rule::Budget) {
                sides.counts = Counts::of(life, value, expected[i]);
            }
            let seen = life[SEEN];
            refresh(&mut tails, life, sides.signed);
            let few = sides.counts.is_some_and(|counts| counts.few);
            let score_of = |k: usize| if few && !self.heard_of_few(k) { f64::NAN } else { further[k][i] };
            let band_ready = u32::from(self.ready(&tails, &sides, seen));
            shares.update(band_ready | hear(&mut voters, score_of));
            let alone = self.alone(&tails, &sides, life);
            let band = Self::shared(alone, sides.signed, seen, shares.ln[0]);
            let rate = (heard(life, &voters) >= USED).then(|| Rate::of(life));
            let calibrate = |nats: f64| rate.as_ref().map_or(nats, |rate| rate.apply(nats));
            let mut nats = band;
            if let [of_band, of_further @ .., grade] = &mut members[..] {
                of_band[i] = calibrate(band) / -ln_limit;
                let mut together = Together::of(alone);
                for (k, voter) in voters.iter().enumerate() {
                    let alone = voter.alone();
                    together.hear(if self.weights[k + 1] < GRADES { f64::NAN } else { alone });
                    let own = voter.shared(alone, shares.ln[k + 1]);
                    of_further[k][i] = calibrate(own) / -ln_limit;
                    nats = nats.max(own);
                }
                grade[i] = together.grade(slow, -ln_limit, learn[i] != 0.0);
            }
            let calibrated = calibrate(nats);
            let limits = if let Rule::Budget = self.rule {
                anomaly[i] = calibrated / -ln_limit;
                let wanted = rate.as_ref().map_or(-ln_limit, |rate| rate.invert(-ln_limit));
                self.limits(&tails, &sides, life, wanted, shares.ln[0], scale[i])
            } else {
                let cut = self.cut(&tails, life);
                anomaly[i] = in_units_of(cut, sides.rows[0]);
                [if sides.signed { cut } else { f64::NAN }; 2]
            };
            above[i] = if self.direction == Direction::Below { f64::INFINITY } else { limits[0] };
            below[i] = if self.direction == Direction::Above { f64::INFINITY } else { limits[1] };
            p_value[i] = libm::exp(-calibrated);
            confidence[i] = (heard(life, &voters) / SURE).min(1.0);
            let silent = sides.rows[0].is_nan() && voters.iter().all(Voter::silent);
            let held = learn[i] == OUTAGE && matches!(self.rule, Rule::Budget);
            let opened = opening::is_open(life);
            let leaves_no_trace = held && opening::outage(&mut tails, life, self.half_life, USED);
            if leaves_no_trace && opened {
                voters.iter_mut().for_each(Voter::undo);
            }
            if learn[i] != 0.0 && !leaves_no_trace && !silent {
                self.learn(&mut tails, &mut voters, life, &sides, nats);
            }
        }
    }
}
