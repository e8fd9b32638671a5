//! Features of series: a table of operations, each of which fills one column of a row for every point.
//!
//! An operation is four whole numbers: what, column, second column (or, of a window, the slots before the newest at
//! which it begins), and slots. Everything that several operations need (sums of a window, its values in order, the
//! moment) is made once a point. Values are read from a ring of slots by time; see `features_slots.rs`.

use super::features_moment::Place;
use super::features_slots::{Moved, Slots};
use super::features_window::{Group, Moments, Ordered};
use super::seasonal_band_calendar::Calendar;

pub const VALUE: i64 = 0;
pub const LAG: i64 = 1;
pub const DIFFERENCE: i64 = 2;
pub const CHANGE: i64 = 3;
pub const RATE: i64 = 4;
pub const ACCELERATION: i64 = 5;
pub const HELD: i64 = 6;
const WINDOW: std::ops::Range<i64> = 10..30;
const ROLLING_RATE: i64 = 17;
const CROSS: std::ops::Range<i64> = 30..50;
const MOMENT: std::ops::Range<i64> = 50..70;

#[derive(Clone, Copy)]
struct Op {
    code: i64,
    a: usize,
    b: usize,
    n: usize,
    /// Where its moments and its ordered window stand in the lists of the point.
    moments: usize,
    ordered: usize,
    /// Fewest known values of its window.
    least: usize,
}

pub struct Features {
    ops: Vec<Op>,
    groups: Vec<Group>,
    asks_moment: bool,
    ordered: Vec<(usize, usize, usize)>,
    pub columns: usize,
    pub capacity: usize,
    /// Nanoseconds; 0: learned.
    pub interval: i64,
    /// Values outside are none.
    pub ranges: Vec<(f64, f64)>,
    pub calendar: Calendar,
}

/// One series of the batch.
pub struct Item<'a> {
    pub slots: Slots<'a>,
    pub times: &'a [i64],
    pub values: &'a [f64],
    pub out: &'a mut [f64],
}

/// What is worked on while a batch is folded; nothing of it is kept.
struct Desk {
    ordered: Vec<Ordered>,
    moments: Vec<Moments>,
    values: Vec<f64>,
    /// What was in the newest slot before the point.
    newest: Vec<f64>,
}

/// Whether an operation on a window asks for its values in order.
fn in_order(code: i64) -> bool {
    matches!(code, 12..=14 | 18..=20 | 22 | 25..=27)
}

impl Features {
    /// `share`: the share of a window's slots that must hold a value.
    pub fn new(table: &[[i64; 4]], columns: usize, share: f64) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut ordered: Vec<(usize, usize, usize)> = Vec::new();
        let windows = table.iter().filter(|op| WINDOW.contains(&op[0]));
        for &[code, a, b, n] in windows {
            let (column, from, length) = (a as usize, b as usize, n as usize);
            let at = groups.iter().position(|g| (g.column, g.from) == (column, from)).unwrap_or_else(|| {
                groups.push(Group { column, from, lengths: Vec::new(), slope: false });
                groups.len() - 1
            });
            let group = &mut groups[at];
            group.slope |= code == ROLLING_RATE;
            if let Err(place) = group.lengths.binary_search(&length) {
                group.lengths.insert(place, length);
            }
            if in_order(code) && !ordered.contains(&(column, from, length)) {
                ordered.push((column, from, length));
            }
        }
        let place = |a: usize, b: usize, n: usize| {
            let at = groups.iter().position(|g| (g.column, g.from) == (a, b)).unwrap_or(0);
            let before: usize = groups[..at].iter().map(|g| g.lengths.len()).sum();
            before + groups.get(at).map_or(0, |g| g.lengths.binary_search(&n).unwrap_or(0))
        };
        let ops = table
            .iter()
            .map(|&[code, a, b, n]| {
                let (a, b, n) = (a as usize, b as usize, n as usize);
                let windowed = WINDOW.contains(&code);
                Op {
                    code,
                    a,
                    b,
                    n,
                    moments: if windowed { place(a, b, n) } else { 0 },
                    ordered: ordered.iter().position(|&key| key == (a, b, n)).unwrap_or(0),
                    least: ((share * n as f64).ceil() as usize).max(2),
                }
            })
            .collect();
        let nothing = Calendar { zone_from: vec![], zone_offset: vec![], holidays: vec![] };
        let asks_moment = table.iter().any(|op| MOMENT.contains(&op[0]));
        Self {
            ops,
            groups,
            asks_moment,
            ordered,
            columns,
            capacity: 1,
            interval: 0,
            ranges: vec![],
            calendar: nothing,
        }
    }

    /// Features a point.
    pub fn width(&self) -> usize {
        self.ops.len()
    }

    pub fn step(&self, item: &mut Item<'_>) {
        let ordered = self.ordered.iter().map(|&(column, from, length)| Ordered::new(column, from, length));
        let mut desk = Desk {
            ordered: ordered.collect(),
            moments: Vec::with_capacity(self.ops.len()),
            values: vec![f64::NAN; self.columns],
            newest: vec![f64::NAN; self.columns],
        };
        for ordered in &mut desk.ordered {
            ordered.fill(&item.slots);
        }
        let rows = item.out.chunks_exact_mut(self.width());
        for ((&time, values), row) in item.times.iter().zip(item.values.chunks_exact(self.columns)).zip(rows)
        {
            for ((into, &value), &(low, high)) in desk.values.iter_mut().zip(values).zip(&self.ranges) {
                *into = if value.is_finite() && value >= low && value <= high { value } else { f64::NAN };
            }
            self.take(&mut item.slots, time, &mut desk);
            self.say(&item.slots, time, &mut desk, row);
        }
    }

    /// The point goes into the ring, and the windows follow.
    fn take(&self, slots: &mut Slots<'_>, time: i64, desk: &mut Desk) {
        for (column, newest) in desk.newest.iter_mut().enumerate() {
            *newest = slots.at(column, 0);
        }
        let moved = slots.take(time, &desk.values, self.interval);
        for ordered in &mut desk.ordered {
            match moved {
                Moved::Waits => {}
                Moved::By(0) if ordered.from == 0 => {
                    ordered.replace(desk.newest[ordered.column], slots.at(ordered.column, 0));
                }
                Moved::By(0) => {}
                Moved::By(slots_on) if ordered.from + ordered.length + slots_on <= self.capacity => {
                    ordered.follow(slots, slots_on);
                }
                _ => ordered.fill(slots),
            }
        }
    }

    fn say(&self, slots: &Slots<'_>, time: i64, desk: &mut Desk, row: &mut [f64]) {
        let age = slots.age();
        desk.moments.clear();
        if age > 0 {
            for group in &self.groups {
                group.walk(slots, &mut desk.moments);
            }
        }
        let place = self.asks_moment.then(|| Place::of(&self.calendar, time));
        for (op, into) in self.ops.iter().zip(row) {
            let said = match op.code {
                code if MOMENT.contains(&code) => place.as_ref().map_or(f64::NAN, |place| place.say(code)),
                code if CROSS.contains(&code) => cross(op, &desk.values),
                VALUE => desk.values[op.a],
                // Before the interval is known there is the present reading only.
                HELD if age == 0 => desk.values[op.a],
                _ if age == 0 => f64::NAN,
                code if WINDOW.contains(&code) => self.window(op, age, desk),
                _ => single(op, slots, age),
            };
            *into = if said.is_finite() { said } else { f64::NAN };
        }
    }

    fn window(&self, op: &Op, age: usize, desk: &Desk) -> f64 {
        let moments = &desk.moments[op.moments];
        if age < op.b + op.n || moments.count < op.least {
            return f64::NAN;
        }
        let value = desk.values[op.a];
        if in_order(op.code) {
            return ordered(op.code, &desk.ordered[op.ordered], value);
        }
        let flat = moments.m2 == 0.0;
        let z = || {
            let away = value - moments.mean;
            if flat && away == 0.0 {
                0.0
            } else {
                away / moments.std
            }
        };
        let n = moments.count as f64;
        match op.code {
            10 => moments.mean,
            11 => moments.std,
            15 if flat => 0.0,
            15 => n.sqrt() * moments.m3 / (moments.m2 * moments.m2.sqrt()),
            16 if flat => 0.0,
            16 => n * moments.m4 / (moments.m2 * moments.m2) - 3.0,
            ROLLING_RATE => moments.slope,
            21 => z(),
            23 => moments.std / moments.mean.abs(),
            24 if z().is_nan() => f64::NAN,
            24 => f64::from(u8::from(z().abs() > 2.0)),
            _ => f64::NAN,
        }
    }
}

fn ordered(code: i64, window: &Ordered, value: f64) -> f64 {
    match code {
        12 => window.least(),
        13 => window.most(),
        14 => window.quantile(0.5),
        18 => window.quantile(0.25),
        19 => window.quantile(0.75),
        20 => window.quantile(0.75) - window.quantile(0.25),
        22 => value - window.quantile(0.5),
        25 if value.is_nan() => f64::NAN,
        25 => window.share_below(value),
        26 => value - window.least(),
        _ => window.most() - value,
    }
}

/// Of one column, at single slots.
fn single(op: &Op, slots: &Slots<'_>, age: usize) -> f64 {
    let at = |back: usize| if back < age { slots.at(op.a, back) } else { f64::NAN };
    let n = op.n as f64;
    match op.code {
        LAG => at(op.n),
        DIFFERENCE => at(0) - at(op.n),
        CHANGE => at(0) / at(op.n) - 1.0,
        RATE => (at(0) - at(op.n)) / n,
        ACCELERATION => ((at(0) - at(op.n)) - (at(op.n) - at(2 * op.n))) / (n * n),
        HELD => (0..op.n).map(at).find(|value| value.is_finite()).unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// Of several columns at the point; NaN where one of them is missing.
fn cross(op: &Op, values: &[f64]) -> f64 {
    let fold = |f: fn(f64, f64) -> f64| values[1..].iter().fold(values[0], |a, &b| f(a, b));
    if op.code >= 33 && values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let n = values.len() as f64;
    let std = || {
        let mean = values[0] + fold_distance(values, |d| d) / n;
        let squares: f64 = values.iter().fold(0.0, |sum, v| sum + (v - mean) * (v - mean));
        (squares / (n - 1.0)).sqrt()
    };
    match op.code {
        30 => values[op.a] / values[op.b],
        31 => values[op.a] * values[op.b],
        32 => values[op.a] - values[op.b],
        33 => fold(|a, b| a * b),
        34 => fold(|a, b| a + b),
        35 => fold(f64::max),
        36 => fold(f64::min),
        37 => fold(f64::max) - fold(f64::min),
        38 => std(),
        39 => std() / (fold(|a, b| a + b) / n).abs(),
        _ => f64::NAN,
    }
}

/// A sum over distances from the first value, in order.
fn fold_distance(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + f(value - values[0]))
}
