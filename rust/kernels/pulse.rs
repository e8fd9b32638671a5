//! Pulse: whether a series still reports, and whether what it reports still moves.
//!
//! State of a series: `moments` i64[7] = (time of the last reading, begin of the run of equal values, begin of the
//! silence that is told, begin of the run that is told, readings, when each of the two was known), `rhythm` f64[9] = see the `R_` constants.
//! `NEVER` where there is none.

pub const NEVER: i64 = i64::MIN;

const M_LAST: usize = 0;
const M_RUN: usize = 1;
const M_SILENT: usize = 2;
const M_STUCK: usize = 3;
const M_READINGS: usize = 4;
const M_SILENT_KNOWN: usize = 5;
const M_STUCK_KNOWN: usize = 6;
pub const MOMENTS: usize = 7;

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

/// Half-life of what is usual, in readings: two weeks of minutes.
const FORGET: f64 = 0.999_965_343;
/// Factor by which the usual step follows a longer or shorter one: a median by signs.
const FOLLOW: f64 = 1.05;
/// Weight of one reading in the share that moves.
const GAIN: f64 = 1.0 / 200.0;
/// Readings before which nothing is told: of silence, of a value that stands still.
const KNOWN: i64 = 32;
const KNOWN_MOVES: i64 = 200;
/// A told gap makes a like one usual from this share of it on.
const ALIKE: f64 = 0.5;
const ROOM: f64 = 1.5;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum What {
    Silence = 0,
    Stuck = 1,
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
    /// Equal readings in a row that are told where values move; 0 for never.
    pub equal: f64,
}

pub fn blank_moments() -> [i64; MOMENTS] {
    [NEVER, NEVER, NEVER, NEVER, 0, NEVER, NEVER]
}

impl Pulse {
    /// How long a series may be silent, ns; infinite while its rhythm is not known.
    fn patience(&self, moments: &[i64], rhythm: &[f64]) -> f64 {
        if self.missed == 0.0 || moments[M_READINGS] < KNOWN {
            return f64::INFINITY;
        }
        (self.missed * rhythm[R_STEP]).max(ROOM * rhythm[R_GAP]).max(self.least)
    }

    /// The silence of a series if it lasts beyond `now`: it begins where the next reading was due.
    fn silence(&self, row: i32, moments: &mut [i64], rhythm: &[f64], now: i64, found: &mut Vec<Finding>) {
        let last = moments[M_LAST];
        if last == NEVER || moments[M_SILENT] != NEVER {
            return;
        }
        let patience = self.patience(moments, rhythm);
        if (now as i128 - last as i128) as f64 > patience {
            let since = last.saturating_add(rhythm[R_STEP] as i64);
            moments[M_SILENT] = since;
            let known = last.saturating_add(patience as i64);
            moments[M_SILENT_KNOWN] = known;
            found.push(Finding {
                row,
                what: What::Silence,
                since,
                known,
                over: NEVER,
                value: rhythm[R_VALUE],
            });
        }
    }

    /// One reading; those without a value are none.
    pub fn reading(
        &self,
        row: i32,
        moments: &mut [i64],
        rhythm: &mut [f64],
        time: i64,
        value: f64,
        found: &mut Vec<Finding>,
    ) {
        let last = moments[M_LAST];
        if value.is_nan() || (last != NEVER && time <= last) {
            return;
        }
        if last == NEVER {
            moments[M_RUN] = time;
            rhythm[R_VALUE] = value;
            rhythm[R_RUN] = 1.0;
        } else {
            self.silence(row, moments, rhythm, time, found);
            let gap = (time as i128 - last as i128) as f64;
            if moments[M_SILENT] != NEVER {
                let (since, known) = (moments[M_SILENT], moments[M_SILENT_KNOWN]);
                found.push(Finding { row, what: What::Silence, since, known, over: time, value });
                moments[M_SILENT] = NEVER;
                rare(rhythm, [R_GAP, R_GAP_RARE], gap);
            } else {
                rhythm[R_GAP] = (rhythm[R_GAP] * FORGET).max(gap);
            }
            rhythm[R_STEP] = match moments[M_READINGS] {
                1 => gap,
                _ if gap > rhythm[R_STEP] => (rhythm[R_STEP] * FOLLOW).min(gap),
                _ => (rhythm[R_STEP] / FOLLOW).max(gap),
            };
            self.value(row, moments, rhythm, time, value, found);
        }
        moments[M_LAST] = time;
        moments[M_READINGS] = moments[M_READINGS].saturating_add(1);
    }

    fn value(
        &self,
        row: i32,
        moments: &mut [i64],
        rhythm: &mut [f64],
        time: i64,
        value: f64,
        found: &mut Vec<Finding>,
    ) {
        if value != rhythm[R_VALUE] {
            if moments[M_STUCK] != NEVER {
                let (since, known) = (moments[M_STUCK], moments[M_STUCK_KNOWN]);
                found.push(Finding { row, what: What::Stuck, since, known, over: time, value });
                moments[M_STUCK] = NEVER;
                let run = rhythm[R_RUN];
                rare(rhythm, [R_LONG, R_LONG_RARE], run);
            } else {
                rhythm[R_LONG] = (rhythm[R_LONG] * FORGET).max(rhythm[R_RUN]);
            }
            rhythm[R_MOVES] += GAIN * (1.0 - rhythm[R_MOVES]);
            rhythm[R_MOVED] = rhythm[R_MOVES];
            rhythm[R_VALUE] = value;
            rhythm[R_RUN] = 1.0;
            moments[M_RUN] = time;
            return;
        }
        rhythm[R_MOVES] -= GAIN * rhythm[R_MOVES];
        rhythm[R_RUN] += 1.0;
        let moved = moments[M_READINGS] >= KNOWN_MOVES && rhythm[R_MOVED] > 0.5;
        // Zero is what a metric says that has nothing to do: a value like any other, and no sign of a dead sensor.
        let stands = self.equal > 0.0 && moved && value != 0.0 && moments[M_STUCK] == NEVER;
        if stands && rhythm[R_RUN] > self.equal.max(3.0 * rhythm[R_LONG]) {
            moments[M_STUCK] = moments[M_RUN];
            moments[M_STUCK_KNOWN] = time;
            found.push(Finding {
                row,
                what: What::Stuck,
                since: moments[M_RUN],
                known: time,
                over: NEVER,
                value,
            });
        }
    }

    /// Time has passed: nothing older than `now` will come.
    pub fn watermark(&self, moments: &mut [i64], rhythm: &[f64], now: i64, found: &mut Vec<Finding>) {
        let rows = moments.chunks_exact_mut(MOMENTS).zip(rhythm.chunks_exact(RHYTHM));
        for (row, (moments, rhythm)) in rows.enumerate() {
            self.silence(row as i32, moments, rhythm, now, found);
        }
    }
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

    fn feed(pulse: &Pulse, readings: &[(i64, f64)]) -> (Vec<Finding>, [i64; MOMENTS], [f64; RHYTHM]) {
        let (mut moments, mut rhythm, mut found) = (blank_moments(), [0.0; RHYTHM], Vec::new());
        for &(time, value) in readings {
            pulse.reading(0, &mut moments, &mut rhythm, time, value, &mut found);
        }
        (found, moments, rhythm)
    }

    #[test]
    fn silence_is_told_once_where_patience_ends() {
        let pulse = Pulse { missed: 5.0, least: 0.0, equal: 0.0 };
        let mut readings: Vec<(i64, f64)> = (0..40).map(|i| (i * 10, i as f64)).collect();
        let (found, mut moments, rhythm) = feed(&pulse, &readings);
        assert!(found.is_empty());
        let mut late = Vec::new();
        pulse.watermark(&mut moments, &rhythm, 440, &mut late);
        assert!(late.is_empty());
        pulse.watermark(&mut moments, &rhythm, 441, &mut late);
        pulse.watermark(&mut moments, &rhythm, 900, &mut late);
        assert_eq!(
            late,
            [Finding { row: 0, what: What::Silence, since: 400, known: 440, over: NEVER, value: 39.0 }]
        );
        readings.push((1000, 1.0));
        let (found, _, _) = feed(&pulse, &readings);
        assert_eq!(found[0], late[0]);
        assert_eq!((found[1].since, found[1].known, found[1].over), (400, 440, 1000));
    }
}
