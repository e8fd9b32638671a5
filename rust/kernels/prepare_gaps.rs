//! The last part of `prepare`: the interval of a series, missing slots and missing values.

use super::prepare::{clock, count, value, Gap, Prepare, Series, NEVER};

/// Steps after which the interval is first known.
pub const LEARNED_FROM: usize = 32;
/// Steps in a row that must disagree before another interval is taken.
pub const DISAGREEING: usize = 64;
/// More than any run of imputed points: nothing is imputed until a value is known again.
const EXHAUSTED: i64 = i64::MAX / 2;

/// Whether a step is the interval, give or take a quarter of it.
fn on_interval(step: i64, interval: i64) -> bool {
    step.saturating_sub(interval).abs() <= interval / 4
}

/// Slots between two points that are `step` apart: none up to one and a half intervals.
pub fn missing_slots(step: i64, interval: i64) -> i64 {
    if interval <= 0 || step <= interval.saturating_add(interval / 2) {
        return 0;
    }
    step.saturating_add(interval / 2) / interval - 1
}

/// The middle step, the lower one of two.
fn median(steps: &[i64]) -> i64 {
    let mut sorted = steps.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) / 2]
}

impl Prepare {
    /// Whether the gaps of this series are gaps: an interval that was given, or learned and mostly kept.
    fn gridded(&self, s: &Series<'_>) -> bool {
        let kept = s.counts[count::STEPS_ON] * 10 >= s.counts[count::STEPS] * 9;
        s.counts[count::INTERVAL] > 0 && (self.given() > 0 || kept)
    }

    fn given(&self) -> i64 {
        if self.resample > 0 {
            self.resample
        } else {
            self.interval
        }
    }

    /// Slots missing between the last point that left and `time`; 0 where the series has no grid.
    fn slots(&self, s: &Series<'_>, time: i64) -> i64 {
        let left = s.clock[clock::LEFT];
        if left == NEVER || !self.gridded(s) {
            return 0;
        }
        missing_slots(time.saturating_sub(left), s.counts[count::INTERVAL])
    }

    /// Points that the gap policy puts before a point at `time`. Changes nothing.
    pub fn slots_to_fill(&self, s: &Series<'_>, time: i64) -> i64 {
        let slots = self.slots(s, time);
        let too_many = s.counts[count::RUN].saturating_add(slots) > self.gap_limit;
        if self.gap == Gap::Ignore || too_many {
            0
        } else {
            slots
        }
    }

    /// Lets a point leave, after the points that fill the gap before it. Returns its ordinal.
    pub fn emit(&self, s: &mut Series<'_>, time: i64, value: f64) -> i64 {
        if s.counts[count::INTERVAL] == 0 {
            s.counts[count::INTERVAL] = self.given();
        }
        let left = s.clock[clock::LEFT];
        if left != NEVER {
            self.fill(s, left, time, value);
            self.learn(s, time.saturating_sub(left));
        }
        s.clock[clock::LEFT] = time;
        let ordinal = *s.points_seen;
        if !value.is_nan() {
            s.counts[count::RUN] = 0;
            s.values[value::KNOWN] = value;
            push(s, time, value, false);
            return ordinal;
        }
        let stand_in = match self.gap {
            Gap::Zero => 0.0,
            Gap::Fixed => self.gap_value,
            // The next value is not known yet, so a line has nowhere to go: the last known value stands in.
            Gap::Previous | Gap::Linear => s.values[value::KNOWN],
            Gap::Ignore | Gap::Model => f64::NAN,
        };
        let nothing = self.gap == Gap::Ignore || (self.gap != Gap::Model && stand_in.is_nan());
        let imputed = !nothing && s.counts[count::RUN] < self.gap_limit;
        s.counts[count::RUN] = s.counts[count::RUN].saturating_add(1);
        s.counts[count::IMPUTED] += i64::from(imputed);
        push(s, time, if imputed { stand_in } else { f64::NAN }, imputed);
        ordinal
    }

    fn fill(&self, s: &mut Series<'_>, left: i64, time: i64, next: f64) {
        let slots = self.slots(s, time);
        if slots == 0 {
            return;
        }
        s.counts[count::GAPS] += 1;
        s.counts[count::MISSING_SLOTS] += slots;
        if self.slots_to_fill(s, time) == 0 {
            s.counts[count::UNFILLED] += 1;
            s.counts[count::RUN] = EXHAUSTED;
            return;
        }
        let interval = s.counts[count::INTERVAL];
        let known = s.values[value::KNOWN];
        for slot in 1..=slots {
            let at = left + slot * interval;
            let stand_in = match self.gap {
                Gap::Zero => 0.0,
                Gap::Fixed => self.gap_value,
                Gap::Linear if !next.is_nan() => {
                    between(known, next, (at - left) as f64 / (time - left) as f64)
                }
                Gap::Previous | Gap::Linear => known,
                Gap::Ignore | Gap::Model => f64::NAN,
            };
            push(s, at, stand_in, true);
        }
        s.counts[count::IMPUTED] += slots;
        s.counts[count::RUN] += slots;
    }

    /// Takes in the length of a step: the interval, and how well it is kept.
    fn learn(&self, s: &mut Series<'_>, step: i64) {
        s.counts[count::LONGEST_STEP] = s.counts[count::LONGEST_STEP].max(step);
        let interval = s.counts[count::INTERVAL];
        let held = s.counts[count::HELD_STEPS] as usize;
        if interval > 0 {
            let on = on_interval(step, interval);
            s.counts[count::STEPS] += 1;
            s.counts[count::STEPS_ON] += i64::from(on);
            if self.given() > 0 {
                return;
            }
            if on {
                s.counts[count::HELD_STEPS] = 0;
                return;
            }
        }
        s.steps[held] = step;
        s.counts[count::HELD_STEPS] += 1;
        let enough = if interval > 0 { DISAGREEING } else { LEARNED_FROM };
        if held + 1 == enough {
            self.settle(s, interval == 0);
        }
    }

    /// Takes the median of the held steps as the interval. The first time, gaps so far are counted in hindsight.
    fn settle(&self, s: &mut Series<'_>, first: bool) {
        let held = s.counts[count::HELD_STEPS] as usize;
        let interval = median(&s.steps[..held]);
        s.counts[count::INTERVAL] = interval;
        s.counts[count::STEPS] = held as i64;
        s.counts[count::STEPS_ON] =
            s.steps[..held].iter().filter(|&&step| on_interval(step, interval)).count() as i64;
        s.counts[count::HELD_STEPS] = 0;
        if first && self.gridded(s) {
            for at in 0..held {
                let slots = missing_slots(s.steps[at], interval);
                s.counts[count::GAPS] += i64::from(slots > 0);
                s.counts[count::MISSING_SLOTS] += slots;
                s.counts[count::UNFILLED] += i64::from(slots > 0);
            }
        }
    }
}

/// The value part of the way from `from` to `to`; equal ends give exactly that value.
fn between(from: f64, to: f64, part: f64) -> f64 {
    let way = to - from;
    if way.is_infinite() {
        return from * (1.0 - part) + to * part;
    }
    from + way * part
}

fn push(s: &mut Series<'_>, time: i64, value: f64, imputed: bool) {
    s.out.times.push(time);
    s.out.values.push(value);
    s.out.imputed.push(imputed);
    s.out.ordinal.push(*s.points_seen);
    s.out.interval.push(s.counts[count::INTERVAL]);
    *s.points_seen += 1;
}
