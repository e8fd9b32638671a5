//! From raw readings to prepared points, one series at a time: order, repeats, counters, buckets.
//!
//! What comes after (the interval, gaps, missing values) is in `prepare_gaps.rs`. The number of points that leave
//! differs from the number of rows that arrive, so this kernel has its own output and its own threads; the state of
//! a series is of fixed size: `counts` i64, `clock` i64 (times), `values` f64, `steps` i64 (the last step lengths).

use super::fleet::{cut, pick, spread, thread_count};

/// A time before every time.
pub const NEVER: i64 = i64::MIN;

/// Cells of `counts`, in the order in which `pipeline/prepare.py` reads them.
pub mod count {
    pub const ROWS: usize = 0;
    pub const NAN: usize = 1;
    pub const INFINITE: usize = 2;
    pub const DUPLICATES: usize = 3;
    pub const OUT_OF_ORDER: usize = 4;
    pub const LATE: usize = 5;
    pub const GAPS: usize = 6;
    pub const MISSING_SLOTS: usize = 7;
    pub const UNFILLED: usize = 8;
    pub const IMPUTED: usize = 9;
    pub const LONGEST_STEP: usize = 10;
    pub const RESETS: usize = 11;
    pub const INTERVAL: usize = 12;
    pub const STEPS: usize = 13;
    pub const STEPS_ON: usize = 14;
    pub const HELD_STEPS: usize = 15;
    pub const RUN: usize = 16;
    pub const LAST_ORDINAL: usize = 17;
    pub const IN_BUCKET: usize = 18;
    pub const WIDTH: usize = 19;
}

/// Cells of `clock`: the last point that left, the open bucket, the last known reading of a counter.
pub mod clock {
    pub const LEFT: usize = 0;
    pub const BUCKET: usize = 1;
    pub const COUNTER: usize = 2;
    pub const WIDTH: usize = 3;
}

/// Cells of `values`: the last known value, the range, the last reading of a counter, the bucket's total.
pub mod value {
    pub const KNOWN: usize = 0;
    pub const MINIMUM: usize = 1;
    pub const MAXIMUM: usize = 2;
    pub const COUNTER: usize = 3;
    pub const BUCKET: usize = 4;
    pub const WIDTH: usize = 5;
}

#[derive(Clone, Copy, PartialEq)]
pub enum Aggregate {
    Mean,
    Sum,
    Max,
    Last,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Gap {
    Ignore,
    Zero,
    Fixed,
    Previous,
    Linear,
    Model,
}

pub struct Prepare {
    /// 0: learn it.
    pub interval: i64,
    /// 0: leave the readings as they are.
    pub resample: i64,
    pub aggregate: Aggregate,
    pub gap: Gap,
    pub gap_value: f64,
    pub gap_limit: i64,
}

/// The points of one series that leave; all columns have the same length.
#[derive(Default)]
pub struct Prepared {
    pub times: Vec<i64>,
    pub values: Vec<f64>,
    pub imputed: Vec<bool>,
    pub ordinal: Vec<i64>,
    pub interval: Vec<i64>,
}

impl Prepared {
    pub fn reserve(&mut self, points: usize) {
        self.times.reserve(points);
        self.values.reserve(points);
        self.imputed.reserve(points);
        self.ordinal.reserve(points);
        self.interval.reserve(points);
    }

    pub fn append(&mut self, other: &mut Prepared) {
        self.times.append(&mut other.times);
        self.values.append(&mut other.values);
        self.imputed.append(&mut other.imputed);
        self.ordinal.append(&mut other.ordinal);
        self.interval.append(&mut other.interval);
    }
}

/// One series: its state, its part of the batch, and what leaves.
pub struct Series<'a> {
    pub counts: &'a mut [i64],
    pub clock: &'a mut [i64],
    pub values: &'a mut [f64],
    pub steps: &'a mut [i64],
    pub points_seen: &'a mut i64,
    pub last_time: &'a mut i64,
    pub times: &'a [i64],
    pub readings: &'a [f64],
    pub row_ordinal: &'a mut [i64],
    /// Its readings only count up.
    pub counter: bool,
    pub out: Prepared,
}

impl Prepare {
    /// Folds the rows of one series; `flush` lets the open bucket leave.
    pub fn step(&self, s: &mut Series<'_>, flush: bool) {
        let n = s.times.len();
        s.out.reserve(if self.resample > 0 { 0 } else { n });
        if s.times.windows(2).all(|pair| pair[0] <= pair[1]) {
            for at in 0..n {
                self.row(s, at);
            }
        } else {
            let mut newest = *s.last_time;
            for &time in s.times {
                // Rows older than the state are late, which is counted when they are folded.
                s.counts[count::OUT_OF_ORDER] += i64::from(time < newest && time >= *s.last_time);
                newest = newest.max(time);
            }
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by_key(|&at| s.times[at]);
            for at in order {
                self.row(s, at);
            }
        }
        if flush {
            self.close(s);
        }
    }

    fn row(&self, s: &mut Series<'_>, at: usize) {
        let time = s.times[at];
        s.counts[count::ROWS] += 1;
        if time <= *s.last_time {
            if time == *s.last_time && time != NEVER {
                s.counts[count::DUPLICATES] += 1;
                s.row_ordinal[at] = s.counts[count::LAST_ORDINAL];
            } else {
                s.counts[count::LATE] += 1;
                s.row_ordinal[at] = -1;
            }
            return;
        }
        *s.last_time = time;
        let reading = self.clean(s, s.readings[at]);
        let value = if s.counter { rate(s, time, reading) } else { reading };
        let ordinal = if self.resample > 0 { self.gather(s, time, value) } else { self.emit(s, time, value) };
        s.counts[count::LAST_ORDINAL] = ordinal;
        s.row_ordinal[at] = ordinal;
    }

    /// Counts what is no number, and the range of what is.
    fn clean(&self, s: &mut Series<'_>, reading: f64) -> f64 {
        if reading.is_finite() {
            // NaN, the start, loses every comparison of min and max.
            s.values[value::MINIMUM] = s.values[value::MINIMUM].min(reading);
            s.values[value::MAXIMUM] = s.values[value::MAXIMUM].max(reading);
            return reading;
        }
        let which = if reading.is_nan() { count::NAN } else { count::INFINITE };
        s.counts[which] += 1;
        f64::NAN
    }

    /// Adds a value to its bucket, after the buckets before have left. Returns the bucket's ordinal, -1 if it has left.
    fn gather(&self, s: &mut Series<'_>, time: i64, value: f64) -> i64 {
        let bucket = time.saturating_sub(time.rem_euclid(self.resample));
        if bucket <= s.clock[clock::LEFT] {
            s.counts[count::LATE] += 1;
            return -1;
        }
        if bucket != s.clock[clock::BUCKET] {
            self.close(s);
            s.clock[clock::BUCKET] = bucket;
            s.counts[count::IN_BUCKET] = 0;
            s.values[value::BUCKET] = f64::NAN;
        }
        if !value.is_nan() {
            let total = s.values[value::BUCKET];
            s.values[value::BUCKET] = match self.aggregate {
                _ if s.counts[count::IN_BUCKET] == 0 => value,
                Aggregate::Mean | Aggregate::Sum => total + value,
                Aggregate::Max => total.max(value),
                Aggregate::Last => value,
            };
            s.counts[count::IN_BUCKET] += 1;
        }
        // The points that will fill the gap before this bucket are known by number already.
        *s.points_seen + self.slots_to_fill(s, bucket)
    }

    /// Lets the open bucket leave, if there is one.
    fn close(&self, s: &mut Series<'_>) {
        let bucket = s.clock[clock::BUCKET];
        if bucket == NEVER {
            return;
        }
        let mut total = s.values[value::BUCKET];
        if self.aggregate == Aggregate::Mean && s.counts[count::IN_BUCKET] > 0 {
            total /= s.counts[count::IN_BUCKET] as f64;
        }
        s.clock[clock::BUCKET] = NEVER;
        // A sum may overflow; an infinity never leaves.
        self.emit(s, bucket, if total.is_finite() { total } else { f64::NAN });
    }
}

/// A counter's rate per second since its last known reading; after a drop it counted up from 0.
fn rate(s: &mut Series<'_>, time: i64, reading: f64) -> f64 {
    if reading.is_nan() {
        return f64::NAN;
    }
    let (before, then) = (s.values[value::COUNTER], s.clock[clock::COUNTER]);
    s.values[value::COUNTER] = reading;
    s.clock[clock::COUNTER] = time;
    if then == NEVER {
        return f64::NAN;
    }
    let reset = reading < before;
    s.counts[count::RESETS] += i64::from(reset);
    let increase = if reset { reading } else { reading - before };
    let rate = increase / (time.saturating_sub(then) as f64 / 1e9);
    if rate.is_finite() {
        rate
    } else {
        f64::NAN
    }
}

/// State arrays of a fleet, each `series * width` long.
pub struct Arrays<'a> {
    pub counts: &'a mut [i64],
    pub clock: &'a mut [i64],
    pub values: &'a mut [f64],
    pub steps: &'a mut [i64],
    pub steps_width: usize,
    pub points_seen: &'a mut [i64],
    pub last_time: &'a mut [i64],
}

/// Raw readings as `Raw` of `pipeline/prepare.py` lays them out.
pub struct Raw<'a> {
    pub rows: &'a [i32],
    pub offsets: &'a [i64],
    pub times: &'a [i64],
    pub values: &'a [f64],
}

/// Folds a batch in threads over series. Returns all points, slice after slice, and the points of each slice.
pub fn run(
    kernel: &Prepare,
    state: Arrays<'_>,
    raw: &Raw<'_>,
    counters: &[bool],
    row_ordinal: &mut [i64],
    flush: bool,
    threads: usize,
) -> (Prepared, Vec<i64>) {
    let mut order: Vec<usize> = (0..raw.rows.len()).collect();
    order.sort_unstable_by_key(|&at| raw.rows[at]);
    let sorted: Vec<usize> = order.iter().map(|&at| raw.rows[at] as usize).collect();
    let mut ordinals: Vec<Option<&mut [i64]>> = cut(row_ordinal, raw.offsets).into_iter().map(Some).collect();
    let mut counts = pick(state.counts, count::WIDTH, &sorted).into_iter();
    let mut clocks = pick(state.clock, clock::WIDTH, &sorted).into_iter();
    let mut values = pick(state.values, value::WIDTH, &sorted).into_iter();
    let mut steps = pick(state.steps, state.steps_width, &sorted).into_iter();
    let mut seen = pick(state.points_seen, 1, &sorted).into_iter();
    let mut last = pick(state.last_time, 1, &sorted).into_iter();
    let mut fleet: Vec<Series<'_>> = Vec::with_capacity(order.len());
    for &at in &order {
        let part = raw.offsets[at] as usize..raw.offsets[at + 1] as usize;
        fleet.push(Series {
            counts: counts.next().expect("a row per slice"),
            clock: clocks.next().expect("a row per slice"),
            values: values.next().expect("a row per slice"),
            steps: steps.next().expect("a row per slice"),
            points_seen: &mut seen.next().expect("a row per slice")[0],
            last_time: &mut last.next().expect("a row per slice")[0],
            times: &raw.times[part.clone()],
            readings: &raw.values[part],
            row_ordinal: ordinals[at].take().expect("slices do not repeat"),
            counter: counters[at],
            out: Prepared::default(),
        });
    }
    let threads = thread_count(threads, raw.times.len());
    spread(&mut fleet, threads, |series| kernel.step(series, flush));
    join(fleet, &order)
}

/// The outputs of all series in the order of the batch's slices.
fn join(fleet: Vec<Series<'_>>, order: &[usize]) -> (Prepared, Vec<i64>) {
    let mut parts: Vec<Prepared> = order.iter().map(|_| Prepared::default()).collect();
    for (series, &at) in fleet.into_iter().zip(order) {
        parts[at] = series.out;
    }
    let lengths: Vec<i64> = parts.iter().map(|part| part.times.len() as i64).collect();
    let mut whole = if parts.is_empty() { Prepared::default() } else { parts.remove(0) };
    whole.reserve(parts.iter().map(|part| part.times.len()).sum());
    for mut part in parts {
        whole.append(&mut part);
    }
    (whole, lengths)
}
