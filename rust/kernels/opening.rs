//! The opening point of an incident is learned in full; it is taken back when the detector says that it began an outage.
//!
//! Noise must be learned with its extremes, or every extreme stays news. An outage is no noise: once the detector holds
//! back learning, what its opening taught is undone and the rest of it is not learned, so that the next outage is news
//! again. Only so many in a half-life: a series whose outages come all the time is a bursty one, and its bursts are
//! what is usual.

use super::life::{EXCESS, HIGH, INCIDENTS, OPENING, PEAK, PEAK_QUIET, SECOND, SEEN, TAKEN, TAKEN_AT, TOTAL};
use super::tail::Tail;

/// Outages of a half-life that leave no trace.
const TAKEN_MAX: f64 = 3.0;

// Places in the cells of an opening: its stage, the weight it was learned with, its scores by row, and the two highest
// scores of each row before it.
const STAGE: usize = OPENING;
const GAIN: usize = OPENING + 1;
const SCORES: usize = OPENING + 2;
const BEFORE: usize = OPENING + 4;

const NONE: f64 = 0.0;
const OPEN: f64 = 1.0;
const OUTAGE: f64 = 2.0;

/// An incident opens with these scores; called before they are learned.
pub fn note(life: &mut [f64], scores: [f64; 2]) {
    life[STAGE] = OPEN;
    life[GAIN] = 0.0;
    // Where the band's member is silent nothing is learned of it.
    life[SCORES..BEFORE].copy_from_slice(&scores.map(|score| if score.is_nan() { 0.0 } else { score }));
    life.copy_within(HIGH..HIGH + 2, BEFORE);
    life.copy_within(SECOND..SECOND + 2, BEFORE + 2);
}

/// The opening went into the buckets with this weight.
pub fn learned(life: &mut [f64], gain: f64) {
    life[GAIN] = gain;
}

/// The incident may still turn out to be an outage.
pub fn is_open(life: &[f64]) -> bool {
    life[STAGE] == OPEN
}

/// The incident is over.
pub fn forget(life: &mut [f64]) {
    life[STAGE] = NONE;
}

pub fn shrink(life: &mut [f64], factor: f64) {
    life[GAIN] *= factor;
}

/// The detector holds this point back. True if it is part of an outage that leaves no trace; the opening is then
/// undone. False if it is to be learned like any other.
pub fn outage(tails: &mut [Tail<'_>], life: &mut [f64], half_life: f64, used: f64) -> bool {
    if life[STAGE] != OPEN {
        return life[STAGE] == OUTAGE;
    }
    let taken = life[TAKEN] * libm::exp2((life[TAKEN_AT] - life[SEEN]) / half_life);
    if taken + 1.0 > TAKEN_MAX {
        life[STAGE] = NONE;
        return false;
    }
    (life[TAKEN], life[TAKEN_AT]) = (taken + 1.0, life[SEEN]);
    life[STAGE] = OUTAGE;
    life.copy_within(BEFORE..BEFORE + 2, HIGH);
    life.copy_within(BEFORE + 2..BEFORE + 4, SECOND);
    for (row, tail) in tails.iter_mut().enumerate() {
        tail.unlearn(life[SCORES + row], life[GAIN]);
    }
    life[TOTAL] -= life[GAIN];
    if life[PEAK] > 0.0 {
        life[INCIDENTS] = (life[INCIDENTS] - 1.0).max(0.0);
        life[EXCESS] = (life[EXCESS] - life[PEAK]).max(0.0);
        life[PEAK] = 0.0;
        life[PEAK_QUIET] = 0.0;
    }
    if life[SEEN] > used {
        for tail in tails.iter_mut() {
            tail.total = life[TOTAL];
            tail.refit();
        }
    }
    true
}
