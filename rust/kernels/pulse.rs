//! Pulse: whether a series still reports, and whether what it reports still moves.
//!
//! State of a series: `moments` i64 and `rhythm` f64, see the `M_` and `R_` constants. `NEVER` where there is none.

pub const NEVER: i64 = i64::MIN;
/// In `M_SILENT`: the silence lasted so long that the series is taken as ended.
const ENDED: i64 = i64::MAX;

/// Time of the last reading, begin of the run of equal values, begin of the silence and of the run that are told.
const M_LAST: usize = 0;
const M_RUN: usize = 1;
const M_SILENT: usize = 2;
const M_STUCK: usize = 3;
const M_READINGS: usize = 4;
/// When each of the two was known.
const M_SILENT_KNOWN: usize = 5;
const M_STUCK_KNOWN: usize = 6;
/// Nobody is to blame for what is not there before this time.
const M_EXCUSED: usize = 7;
/// How far the watermark was when readings last arrived behind a new one, and how often that was.
const M_HEARD: usize = 8;
const M_ROUNDS: usize = 9;
/// Number of the source that gave the series last.
const M_OWNER: usize = 10;
/// Readings that were zero, readings while the value was known to stand still, silences that were told.
const M_ZEROS: usize = 11;
const M_STOOD: usize = 12;
const M_SILENCES: usize = 13;
pub const MOMENTS: usize = 14;

/// Usual distance of two readings, ns.
const R_STEP: usize = 0;
/// Longest distance that is usual, ns, and one that was told and would be usual if it came again.
const R_GAP: usize = 1;
const R_GAP_RARE: usize = 2;
const R_VALUE: usize = 3;
/// Readings in the present run of equal values; the longest run that is usual, and one that was told.
const R_RUN: usize = 4;
const R_LONG: usize = 5;
const R_LONG_RARE: usize = 6;
/// Share of readings that differ from the one before, and what it was when the run began.
const R_MOVES: usize = 7;
const R_MOVED: usize = 8;
pub const RHYTHM: usize = 9;

/// What is usual is forgotten by half in two weeks: so much of it per nanosecond.
const FORGET: f64 = std::f64::consts::LN_2 / (14.0 * 86_400e9);
/// Factor by which the usual step follows a longer or shorter one: a median by signs.
const FOLLOW: f64 = 1.05;
/// Weight of one reading in the share that moves.
const GAIN: f64 = 1.0 / 200.0;
/// Readings before which nothing is told of silence; fewer are enough where their distance hardly varies.
const KNOWN: i64 = 16;
const KNOWN_REGULAR: i64 = 4;
const REGULAR: f64 = 1.5;
/// Arrivals behind a new watermark before silence is told: how long readings are under way is part of the rhythm.
const ROUNDS: i64 = 3;
/// Readings before which nothing is told of a value that stands still.
const KNOWN_MOVES: i64 = 200;
/// A told gap makes a like one usual from this share of it on.
const ALIKE: f64 = 0.5;
const ROOM: f64 = 2.0;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum What {
    Silence = 0,
    Stuck = 1,
    /// A silence that is over because the series is taken as ended.
    Ended = 2,
}

/// Something to tell: `since` is where it begins, `known` when that was known, `over` when it ended or `NEVER`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Finding {
    pub row: i32,
    pub what: What,
    pub since: i64,
    pub known: i64,
    pub over: i64,
    pub value: f64,
}

pub struct Pulse {
    /// Missed steps after which silence is told; 0 for never.
    pub missed: f64,
    /// Silence shorter than this is none, ns.
    pub least: f64,
    /// Silence longer than this, or than two steps, is told whatever `missed` says, ns.
    pub most: f64,
    /// Equal readings in a row that are told where values move; 0 for never.
    pub equal: f64,
    /// So long after a silence was known the series is taken as ended, ns; 0 for never.
    pub ends: f64,
}

/// State of one series on its way through a batch.
pub struct Series<'a> {
    pub row: i32,
    pub moments: &'a mut [i64],
    pub rhythm: &'a mut [f64],
}

fn between(from: i64, to: i64) -> f64 {
    (to as i128 - from as i128) as f64
}

fn later(time: i64, by: f64) -> i64 {
    time.saturating_add(by as i64)
}

impl Series<'_> {
    fn told(&self, what: What, over: i64, value: f64) -> Finding {
        let (since, known) = match what {
            What::Stuck => (M_STUCK, M_STUCK_KNOWN),
            _ => (M_SILENT, M_SILENT_KNOWN),
        };
        let (since, known) = (self.moments[since], self.moments[known]);
        Finding { row: self.row, what, since, known, over, value }
    }

    fn silent(&self) -> bool {
        self.moments[M_SILENT] != NEVER && self.moments[M_SILENT] != ENDED
    }
}

impl Pulse {
    /// How long a series may be silent, ns; infinite while its rhythm is not known.
    fn patience(&self, series: &Series<'_>, arriving: bool) -> f64 {
        let (moments, rhythm) = (&series.moments, &series.rhythm);
        let regular = rhythm[R_GAP] <= REGULAR * rhythm[R_STEP];
        let known = moments[M_READINGS] >= if regular { KNOWN_REGULAR } else { KNOWN };
        // Where no watermark was ever heard of, there is no way to learn how long readings are under way.
        let heard = moments[M_ROUNDS] >= ROUNDS || (arriving && moments[M_HEARD] == NEVER);
        if self.missed == 0.0 || !known || !heard {
            return f64::INFINITY;
        }
        let steps = (self.missed * rhythm[R_STEP]).min((2.0 * rhythm[R_STEP]).max(self.most));
        steps.max(ROOM * rhythm[R_GAP]).max(self.least)
    }

    /// The silence of a series if it lasts beyond `now`: it begins where the next reading was due.
    fn silence(&self, series: &mut Series<'_>, now: i64, arriving: bool, found: &mut Vec<Finding>) {
        let last = series.moments[M_LAST];
        if last == NEVER || series.moments[M_SILENT] == ENDED {
            return;
        }
        if series.moments[M_SILENT] == NEVER {
            let base = last.max(series.moments[M_EXCUSED]);
            let patience = self.patience(series, arriving);
            if between(base, now) <= patience {
                return;
            }
            series.moments[M_SILENT] = later(base, series.rhythm[R_STEP]);
            series.moments[M_SILENT_KNOWN] = later(base, patience);
            series.moments[M_SILENCES] = series.moments[M_SILENCES].saturating_add(1);
            found.push(series.told(What::Silence, NEVER, series.rhythm[R_VALUE]));
        }
        let known = series.moments[M_SILENT_KNOWN];
        if self.ends > 0.0 && between(known, now) > self.ends {
            let over = later(known, self.ends);
            found.push(series.told(What::Ended, over, series.rhythm[R_VALUE]));
            series.moments[M_SILENT] = ENDED;
            if series.moments[M_STUCK] != NEVER {
                found.push(series.told(What::Stuck, over, series.rhythm[R_VALUE]));
                series.moments[M_STUCK] = NEVER;
            }
        }
    }

    /// One reading; those without a value are none. `seen` is how far the watermark was before it arrived.
    pub fn reading(
        &self,
        series: &mut Series<'_>,
        time: i64,
        value: f64,
        seen: i64,
        found: &mut Vec<Finding>,
    ) {
        let last = series.moments[M_LAST];
        if value.is_nan() || (last != NEVER && time <= last) {
            return;
        }
        let waited = arrived(series, seen);
        if last == NEVER {
            series.moments[M_RUN] = time;
            series.rhythm[R_VALUE] = value;
            series.rhythm[R_RUN] = 1.0;
        } else {
            self.silence(series, time, true, found);
            self.rhythm(series, time, value, waited, found);
            self.value(series, time, value, found);
        }
        series.moments[M_LAST] = time;
        series.moments[M_READINGS] = series.moments[M_READINGS].saturating_add(1);
        let (zero, stands) = (value == 0.0, series.moments[M_STUCK] != NEVER);
        series.moments[M_ZEROS] = series.moments[M_ZEROS].saturating_add(i64::from(zero));
        series.moments[M_STOOD] = series.moments[M_STOOD].saturating_add(i64::from(stands));
    }

    /// Learns from the distance to the last reading, and ends a silence.
    fn rhythm(&self, series: &mut Series<'_>, time: i64, value: f64, waited: f64, found: &mut Vec<Finding>) {
        let last = series.moments[M_LAST];
        let excused = series.moments[M_EXCUSED] > last;
        let gap = between(last, time);
        let size = gap.max(waited);
        if series.silent() {
            let over = time.max(series.moments[M_SILENT_KNOWN]);
            found.push(series.told(What::Silence, over, value));
        }
        let told = series.moments[M_SILENT] != NEVER;
        series.moments[M_SILENT] = NEVER;
        if excused {
            return;
        }
        if told {
            rare(series.rhythm, [R_GAP, R_GAP_RARE], size);
        } else {
            series.rhythm[R_GAP] = kept(series.rhythm[R_GAP], gap).max(size);
        }
        let step = series.rhythm[R_STEP];
        series.rhythm[R_STEP] = match series.moments[M_READINGS] {
            1 => gap,
            _ if gap > step => (step * FOLLOW).min(gap),
            _ => (step / FOLLOW).max(gap),
        };
    }

    fn value(&self, series: &mut Series<'_>, time: i64, value: f64, found: &mut Vec<Finding>) {
        if value != series.rhythm[R_VALUE] {
            let run = series.rhythm[R_RUN];
            if series.moments[M_STUCK] != NEVER {
                found.push(series.told(What::Stuck, time, value));
                series.moments[M_STUCK] = NEVER;
                rare(series.rhythm, [R_LONG, R_LONG_RARE], run);
            } else {
                let lasted = between(series.moments[M_RUN], time);
                series.rhythm[R_LONG] = kept(series.rhythm[R_LONG], lasted).max(run);
            }
            series.rhythm[R_MOVES] += GAIN * (1.0 - series.rhythm[R_MOVES]);
            series.rhythm[R_MOVED] = series.rhythm[R_MOVES];
            series.rhythm[R_VALUE] = value;
            series.rhythm[R_RUN] = 1.0;
            series.moments[M_RUN] = time;
            return;
        }
        let rhythm = &mut *series.rhythm;
        rhythm[R_MOVES] -= GAIN * rhythm[R_MOVES];
        rhythm[R_RUN] += 1.0;
        let moved = series.moments[M_READINGS] >= KNOWN_MOVES && rhythm[R_MOVED] > 0.5;
        // Zero is what a metric says that has nothing to do: a value like any other, and no sign of a dead sensor.
        let stands = self.equal > 0.0 && moved && value != 0.0 && series.moments[M_STUCK] == NEVER;
        let excused = series.moments[M_EXCUSED] > time;
        if stands && !excused && rhythm[R_RUN] > self.equal.max(3.0 * rhythm[R_LONG]) {
            series.moments[M_STUCK] = series.moments[M_RUN];
            series.moments[M_STUCK_KNOWN] = time;
            found.push(series.told(What::Stuck, NEVER, value));
        }
    }

    /// Time has passed for the series of one source, or of all (`source` -1): nothing older than `now` will come.
    pub fn watermark(
        &self,
        moments: &mut [i64],
        rhythm: &mut [f64],
        source: i64,
        now: i64,
        found: &mut Vec<Finding>,
    ) {
        let rows = moments.chunks_exact_mut(MOMENTS).zip(rhythm.chunks_exact_mut(RHYTHM));
        for (row, (moments, rhythm)) in rows.enumerate() {
            if source < 0 || moments[M_OWNER] == source {
                let mut series = Series { row: row as i32, moments, rhythm };
                self.silence(&mut series, now, false, found);
            }
        }
    }
}

/// Counts an arrival behind a watermark that was not known at the one before; how long it was waited for, ns.
fn arrived(series: &mut Series<'_>, seen: i64) -> f64 {
    if seen <= series.moments[M_HEARD] {
        return 0.0;
    }
    series.moments[M_HEARD] = seen;
    series.moments[M_ROUNDS] = series.moments[M_ROUNDS].saturating_add(1);
    let last = series.moments[M_LAST];
    if last == NEVER {
        0.0
    } else {
        between(last, seen).max(0.0)
    }
}

/// What is left of something usual after so many nanoseconds.
fn kept(usual: f64, after: f64) -> f64 {
    usual * (1.0 - (FORGET * after).min(0.5))
}

/// What was told once is rare; what comes like it again is usual. So a night that is silent is told once or twice.
fn rare(rhythm: &mut [f64], [usual, told]: [usize; 2], size: f64) {
    if rhythm[told] >= ALIKE * size {
        rhythm[usual] = rhythm[usual].max(size);
    }
    rhythm[told] = size;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_where_patience_ends() {
        let pulse = Pulse { missed: 5.0, least: 0.0, most: 1e9, equal: 0.0, ends: 1000.0 };
        let mut moments = [NEVER; MOMENTS];
        for place in [M_READINGS, M_ROUNDS, M_OWNER, M_ZEROS, M_STOOD, M_SILENCES] {
            moments[place] = 0;
        }
        let mut rhythm = [0.0; RHYTHM];
        let mut found = Vec::new();
        for i in 0..40 {
            let mut series = Series { row: 0, moments: &mut moments, rhythm: &mut rhythm };
            pulse.reading(&mut series, i * 10, i as f64, i * 10 - 5, &mut found);
        }
        for (now, told) in [(440, 0), (441, 1), (900, 1), (1440, 1), (1441, 2), (9999, 2)] {
            pulse.watermark(&mut moments, &mut rhythm, 0, now, &mut found);
            assert_eq!(found.len(), told);
        }
        let first = Finding { row: 0, what: What::Silence, since: 400, known: 440, over: NEVER, value: 39.0 };
        assert_eq!(found, [first, Finding { what: What::Ended, over: 1440, ..first }]);
        let mut series = Series { row: 0, moments: &mut moments, rhythm: &mut rhythm };
        pulse.reading(&mut series, 20_000, 1.0, 9999, &mut found);
        assert_eq!((found.len(), moments[M_SILENT]), (2, NEVER));
    }
}
