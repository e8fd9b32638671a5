//! What all members of an ensemble found in the last points together: the grade of a point below the limit.
//!
//! A member's opinion counts in nats before its share of the false alarms. Their mean at this point and the slow mean of
//! that are added up, so that a point within a run of mildly odd ones ranks above a lone one. Whether a point is
//! anomalous is not asked here.
//!
//! State: TOGETHER numbers, the last of `life`.

/// Slow mean, and points of which any member had an opinion.
const SLOW: usize = 0;
const HEARD: usize = 1;
pub const TOGETHER: usize = 2;

/// Points that the slow mean remembers, and its part in the grade.
const MEMORY: f64 = 32.0;
const SLOW_PART: f64 = 0.75;
/// Nats that one member's opinion counts at most.
const MOST: f64 = 14.0;
/// Nats of one point that a nat of the mean is worth.
const WORTH: f64 = 3.0;
/// From here on grades crowd below 1.
const KNEE: f64 = 0.8;

/// Mean over the members that have an opinion, NaN where none has.
pub struct Together {
    sum: f64,
    count: f64,
}

impl Together {
    /// The opinion of the first.
    pub fn of(nats: f64) -> Together {
        let mut together = Together { sum: 0.0, count: 0.0 };
        together.hear(nats);
        together
    }

    pub fn hear(&mut self, nats: f64) {
        if !nats.is_nan() {
            self.sum += nats.clamp(0.0, MOST);
            self.count += 1.0;
        }
    }

    /// The grade of the point, 0 to 1 with `-ln p_limit` nats as 1; it is remembered if `learn`.
    pub fn grade(&self, state: &mut [f64], limit: f64, learn: bool) -> f64 {
        if self.count == 0.0 {
            return f64::NAN;
        }
        let now = self.sum / self.count;
        let heard = state[HEARD] + 1.0;
        let slow = state[SLOW] + (now - state[SLOW]) / heard.min(MEMORY);
        if learn {
            state[SLOW] = slow;
            state[HEARD] = heard.min(MEMORY);
        }
        crowd(WORTH * (now + SLOW_PART * (slow - now)) / limit)
    }
}

fn crowd(grade: f64) -> f64 {
    if grade <= KNEE {
        return grade;
    }
    KNEE - (1.0 - KNEE) * libm::expm1((KNEE - grade) / (1.0 - KNEE))
}
