//! From anomaly scores to alerts: policies, the drawn band, and one state machine per series.
//!
//! Whether an alert with limit t is open after point i is decided for every t at once by one number, the envelope:
//! `open(t) == (envelope > t)`, with `envelope = max(raised, min(envelope, recent))`, where `raised` is the
//! least score of the last `consecutive` points and the m-th largest of the last n, and `recent` the largest
//! score of the last `close_after` points over `close_level`. So `alert_score = raised` where `raised > envelope before`, else 0.
//!
//! A point that is not anomalous has the grade of an ensemble as its score, if that is larger. It moves the envelope up
//! to 1 and no further, so that alerts with limit 1 or a higher one are those of the scores alone.
//!
//! State: `window` f64[max(consecutive, n)] and `moments` i64[same], the last scores and their times;
//! `quiet` f64[close_after + flap_hold]; `alert` f64[FLOATS]; `run` i64[INTS].

use std::sync::Mutex;

use super::decide_memory::{
    Memory, Record, ACTIVE, AVERAGED, BEFORE, BEGUN, COOL, DECIDED, ENDED, ENVELOPE, FLAGS, JUDGED, LAPSED,
    LAST, LAST_FLAGS, MEAN, OPEN, OPEN_ENVELOPE, PEAK, PEAK_SCORE, POINTS, SAID, SCORE, SHUT, SIDE, TIMED,
    VALUE,
};
use super::fleet::{Kernel, Slice};
use super::policy::{
    Judged, Limits, Policy, Seen, ADOPTED_LEVEL, BREACHING, CLOSED, COOLING, ENDED_SERIES, ESCALATED, MUTED,
    NO_BAND, OPENED, OUT_OF_RANGE, PATTERN, REOPENED, TIMED_OUT, WAITING,
};

/// From this bit on, flags of an alert hold the members of an ensemble that spoke at its opening.
const MEMBERS: u32 = 32;
/// Points beyond the limit that make the opening.
const OPENING: i64 = 12;

/// Flags of `core/scores.py`: learning is held back; a level that stayed is the new normal; the point moves nothing;
/// no point at all, but the end of the series.
const HELD: i64 = 1;
const ADOPTED: i64 = 2;
const MUTE: i64 = 8;
const END: i64 = 16;
/// Event time of an alert that is not closed.
pub const NEVER: i64 = i64::MIN;

pub struct Decide {
    pub policy: Policy,
    pub limit: f64,
    pub close_level: f64,
    pub close_after: usize,
    pub max_points: i64,
    pub cool_down: i64,
    pub consecutive: usize,
    pub m: usize,
    pub n: usize,
    pub records: Mutex<Vec<Record>>,
}

/// The score, or the grade where nothing is anomalous, no policy spoke and that is larger.
fn rank(judged: &Judged, seen: &Seen) -> f64 {
    let free = judged.score <= 1.0 && judged.score == seen.score;
    if free && seen.grade > judged.score {
        seen.grade.min(1.0)
    } else {
        judged.score
    }
}

impl Decide {
    /// The highest limit at which the last points together raise an alert.
    fn raised(&self, memory: &Memory<'_, '_>, scratch: &mut Vec<f64>) -> f64 {
        let mut least = f64::INFINITY;
        for back in 0..self.consecutive {
            least = least.min(memory.ago(back).0);
        }
        if self.n > 1 {
            scratch.clear();
            scratch.extend((0..self.n).map(|back| memory.ago(back).0));
            scratch.sort_unstable_by(|a, b| b.total_cmp(a));
            least = least.min(scratch[self.m - 1]);
        }
        least
    }

    fn open(&self, memory: &mut Memory<'_, '_>, judged: &Judged, seen: &Seen, time: i64) {
        let ended = memory.run[ENDED];
        memory.run[ACTIVE..=TIMED].copy_from_slice(&[1, 1, 0]);
        memory.run[LAPSED] = 0;
        memory.run[BEGUN] = time;
        memory.run[DECIDED] = time;
        memory.run[SHUT] = NEVER;
        memory.run[POINTS] = 0;
        memory.run[AVERAGED] = 0;
        memory.run[FLAGS] = judged.flags & (OUT_OF_RANGE | BREACHING);
        memory.alert[SCORE] = -1.0;
        memory.alert[PEAK_SCORE] = -1.0;
        memory.alert[BEFORE] = seen.expected;
        // Points before the deciding one that belong to the opening run.
        for back in 1..self.consecutive.max(self.n) {
            let (score, moment) = memory.ago(back);
            if score > self.limit && moment > ended {
                memory.run[BEGUN] = moment;
                memory.run[POINTS] += 1;
            }
        }
    }

    fn count(&self, memory: &mut Memory<'_, '_>, judged: &Judged, seen: &Seen, time: i64) {
        memory.changed = true;
        memory.run[POINTS] += 1;
        memory.run[LAST] = time;
        memory.run[FLAGS] |= judged.flags & (OUT_OF_RANGE | BREACHING);
        if judged.score > self.limit && memory.run[POINTS] <= OPENING {
            memory.run[FLAGS] |= seen.spoke << MEMBERS;
        }
        if seen.value.is_finite() {
            memory.run[AVERAGED] += 1;
            let before = if memory.run[AVERAGED] == 1 { 0.0 } else { memory.alert[MEAN] };
            memory.alert[MEAN] = before + (seen.value - before) / memory.run[AVERAGED] as f64;
        } else if memory.run[AVERAGED] == 0 {
            memory.alert[MEAN] = f64::NAN;
        }
        let most = memory.alert[SCORE].max(judged.score);
        if self.higher(memory, judged) {
            memory.run[PEAK] = time;
            memory.run[FLAGS] = memory.run[FLAGS] & !(PATTERN | NO_BAND) | judged.flags & (PATTERN | NO_BAND);
            // What the alert tells of its value is the band's: it names the band, however late that spoke.
            memory.run[FLAGS] |= (seen.spoke & 1) << MEMBERS;
            memory.alert[VALUE..=SIDE].copy_from_slice(&[
                seen.value,
                seen.expected,
                judged.lower,
                judged.upper,
                judged.score,
                seen.confidence,
                judged.side,
            ]);
            memory.alert[PEAK_SCORE] = judged.score;
        }
        memory.alert[SCORE] = most;
    }

    /// The score decides; but once a value was outside the band, a pattern within it does not take its place.
    fn higher(&self, memory: &Memory<'_, '_>, judged: &Judged) -> bool {
        let peak = memory.alert[PEAK_SCORE];
        let outside = peak > self.limit && memory.run[FLAGS] & PATTERN == 0;
        judged.score > peak && !(outside && judged.flags & PATTERN != 0)
    }

    fn close(&self, memory: &mut Memory<'_, '_>, time: i64) {
        if memory.run[OPEN] == 1 {
            memory.run[SHUT] = time;
            memory.run[OPEN] = 0;
            memory.changed = true;
        }
    }

    /// Ends the run: whatever comes next is another alert.
    fn end(&self, memory: &mut Memory<'_, '_>, time: i64, slice: usize) {
        self.close(memory, time);
        memory.run[ACTIVE] = 0;
        memory.run[ENDED] = time;
        memory.run[COOL] = self.cool_down;
        if memory.changed {
            self.records.lock().expect("no panic while held").push(memory.record(slice));
        }
        memory.changed = false;
    }

    /// Moves the machine on by one judged point; returns what happened and the alert_score.
    fn advance(
        &self,
        memory: &mut Memory<'_, '_>,
        judged: &Judged,
        seen: &Seen,
        time: i64,
        slice: usize,
        scratch: &mut Vec<f64>,
    ) -> (i64, f64) {
        let rank = rank(judged, seen);
        memory.push_window(rank, time);
        // While the detector holds back learning the incident goes on, however wide its band has become: a held point
        // is quiet for those limits only whose alerts are closed.
        let held = if seen.held { memory.alert[ENVELOPE] } else { 0.0 };
        let graded = (rank / self.close_level).min(1.0);
        memory.push_quiet((judged.score / self.close_level).max(graded).max(held));
        let mut raised = self.raised(memory, scratch);
        if judged.flags & (OUT_OF_RANGE | BREACHING) != 0 {
            raised = raised.max(judged.score);
        }
        let before = memory.alert[ENVELOPE];
        let open_before = memory.alert[OPEN_ENVELOPE];
        let active = memory.run[ACTIVE] == 1;
        if !active && memory.run[COOL] > 0 {
            memory.run[COOL] -= 1;
            memory.alert[OPEN_ENVELOPE] = 0.0;
            memory.alert[ENVELOPE] = 0.0;
            return (if raised > self.limit { COOLING } else { 0 }, 0.0);
        }
        let long = memory.recent(memory.quiet.len());
        let short =
            if self.close_after == memory.quiet.len() { long } else { memory.recent(self.close_after) };
        memory.alert[ENVELOPE] = raised.max(before.min(long));
        memory.alert[OPEN_ENVELOPE] = raised.max(open_before.min(short));
        let record = raised > before && raised > 0.0;
        let alert_score = if record { raised } else { 0.0 };
        let mut events = 0;
        if !active && raised > self.limit {
            self.open(memory, judged, seen, time);
            events |= OPENED;
        } else if !active {
            return (if judged.score > self.limit { WAITING } else { 0 }, alert_score);
        } else {
            events |= if record { ESCALATED } else { 0 };
            if raised > memory.alert[SCORE] {
                memory.run[TIMED] = 0;
                memory.run[LAPSED] = 0;
            }
        }
        // A held point within a band that widened is part of the incident; a quiet one is its end.
        let lasting = seen.held && judged.score > self.close_level * self.limit;
        if judged.score > self.limit || events & OPENED != 0 || lasting {
            self.count(memory, judged, seen, time);
        }
        (events | self.keep(memory, time, slice), alert_score)
    }

    /// Closes, re-opens or ends the alert that is active.
    fn keep(&self, memory: &mut Memory<'_, '_>, time: i64, slice: usize) -> i64 {
        let was_open = memory.run[OPEN] == 1;
        if memory.alert[ENVELOPE] <= self.limit {
            self.end(memory, time, slice);
            return if was_open { CLOSED } else { 0 };
        }
        memory.run[LAPSED] += 1;
        let mut events = 0;
        if self.max_points > 0 && memory.run[LAPSED] > self.max_points && memory.run[TIMED] == 0 {
            memory.run[TIMED] = 1;
            events |= TIMED_OUT;
        }
        let wanted = memory.run[TIMED] == 0 && memory.alert[OPEN_ENVELOPE] > self.limit;
        if was_open && !wanted {
            self.close(memory, time);
            events |= CLOSED;
        } else if !was_open && wanted {
            memory.run[OPEN] = 1;
            memory.run[SHUT] = NEVER;
            memory.run[LAPSED] = 1;
            memory.changed = true;
            events |= REOPENED;
        }
        events
    }

    /// The alert is over for this reason, and nothing before counts against what follows.
    fn clear(&self, memory: &mut Memory<'_, '_>, time: i64, slice: usize, why: i64) -> i64 {
        memory.window.fill(-1.0);
        memory.quiet.fill(0.0);
        memory.alert[OPEN_ENVELOPE] = 0.0;
        memory.alert[ENVELOPE] = 0.0;
        if memory.run[ACTIVE] == 0 {
            return 0;
        }
        if why == ADOPTED_LEVEL || memory.run[OPEN] == 1 {
            memory.run[FLAGS] |= why;
            memory.changed = true;
        }
        self.end(memory, time, slice);
        why | CLOSED
    }
}

impl Kernel for Decide {
    fn step(&self, slice: &mut Slice<'_>) {
        let [window, quiet, alert] = &mut slice.row.f64s[..] else { unreachable!("three f64 arrays") };
        let [moments, run] = &mut slice.row.i64s[..] else { unreachable!("two i64 arrays") };
        let [out_score, out_alert_score, out_lower, out_upper, out_opened, out_policy] =
            &mut slice.outputs[..]
        else {
            unreachable!("six outputs")
        };
        let [expected, scale, own_lower, own_upper, score, above, below, confidence, flags, spoke, grade] =
            slice.columns[..]
        else {
            unreachable!("eleven columns")
        };
        let mut memory = Memory { window, quiet, alert, moments, run, changed: false };
        let mut scratch = Vec::with_capacity(self.n);
        for (i, (&value, &time)) in slice.values.iter().zip(slice.times).enumerate() {
            let flag = flags[i] as i64;
            if flag & END != 0 {
                out_policy[i] = self.clear(&mut memory, time, slice.index, ENDED_SERIES) as f64;
                continue;
            }
            let seen = Seen {
                value,
                expected: expected[i],
                score: score[i],
                confidence: confidence[i],
                held: flag & HELD != 0,
                spoke: spoke[i] as i64,
                grade: grade[i],
            };
            let limits = Limits {
                scale: scale[i],
                above: above[i],
                below: below[i],
                lower: own_lower[i],
                upper: own_upper[i],
            };
            let judged = self.policy.judge(&seen, &limits);
            let rising = flag & ADOPTED & !memory.run[LAST_FLAGS] != 0;
            memory.run[LAST_FLAGS] = flag;
            memory.run[JUDGED] = memory.run[JUDGED].saturating_add(i64::from(!seen.score.is_nan()));
            let mut events = judged.flags;
            if rising {
                events |= self.clear(&mut memory, time, slice.index, ADOPTED_LEVEL);
            } else if flag & MUTE != 0 {
                events |= MUTED;
            } else if !judged.score.is_nan() && judged.counts {
                let (more, raised) =
                    self.advance(&mut memory, &judged, &seen, time, slice.index, &mut scratch);
                events |= more;
                out_alert_score[i] = raised;
            } else if judged.breaks {
                memory.push_window(-1.0, time);
            }
            let nothing = judged.counts && value.is_nan() && judged.score == 0.0;
            out_score[i] = if nothing { f64::NAN } else { rank(&judged, &seen) };
            out_lower[i] = judged.lower;
            out_upper[i] = judged.upper;
            out_opened[i] =
                f64::from_bits(if memory.run[OPEN] == 1 { memory.run[BEGUN] } else { NEVER } as u64);
            memory.run[SAID] = events;
            out_policy[i] = events as f64;
        }
        if memory.changed {
            let record = memory.record(slice.index);
            self.records.lock().expect("no panic while held").push(record);
        }
    }
}
