//! The band of expected values: level, trend, seasons, short-term dynamics, robust scales, quantiles, hold.
//!
//! State: `core` f64 (see `seasonal_band_core`), `clock` i64[3] = (first time, last time, start of the run),
//! `tables` f32 (see `seasonal_band_season`), `tail` f32 (see `seasonal_band_tail`).

use super::fleet::{Kernel, Slice};
use super::seasonal_band_calendar::{Calendar, Moment};
use super::seasonal_band_core::{clip, Core, HEAD};
use super::seasonal_band_hold::{is_followed, judge, stays_away, Hold, Verdict};
use super::seasonal_band_level as level;
use super::seasonal_band_season::{is_striking, recall, Learns, Season};
use super::seasonal_band_tail::Tail;

const HELD: f64 = 1.0;
const ADOPTED: f64 = 2.0;
const WARMING: f64 = 4.0;
/// Distances beyond the gate are not believed. It lies this many times as far out as one value in a hundred.
const GATE_SHARE: f64 = 0.01;
const GATE_TIMES: f64 = 1.5;
const GATE_MIN: f64 = 5.0;
const GATE_MAX: f64 = 20.0;
/// That many values in a row beyond this share of the gate are not believed either.
const STREAK: f64 = 3.0;
const GATE_STREAK: f64 = 0.6;
/// How often the gate is moved.
const GATE_EVERY: u64 = 16;
/// Values during which nothing is rejected.
const TRUSTING: f64 = 20.0;
/// Values until the warm-up ends; the scale is widened by 1 + this / values seen before the root.
const WARM_UP: f64 = 32.0;
const WIDENING: f64 = 12.0;
/// What a value that is not believed counts for where it counts.
const DISBELIEVED: f64 = 0.1;
/// Scales a value counts for the scales at most, and where runs are usual.
const MOST: f64 = 4.0;
const MOST_USUAL: f64 = 8.0;
/// Values of a run that the tail counts at all.
const COUNTED: u64 = 6;
const DAY: f64 = 86_400.0;
/// Seconds over which the unknown shape of a day may matter in full.
const SHAPE: f64 = 10_800.0;
/// Values beyond this are treated as this when something learns from them.
const HUGE: f64 = 1e100;

pub struct SeasonalBand {
    pub calendar: Calendar,
    pub coverage: f64,
    pub range_low: f64,
    pub range_high: f64,
    pub hold: Hold,
    pub tail: Tail,
}

/// What is expected of a moment.
struct Outlook {
    moment: Moment,
    season: Season,
    short: f64,
    /// Level + season, and that + the short-term forecast within the logical range.
    long: f64,
    expected: f64,
    near: f64,
    scale: f64,
}

impl SeasonalBand {
    fn outlook(&self, core: &Core, cells: &[f32], clock: &[i64]) -> Outlook {
        let moment = self.calendar.at(clock[1]);
        let season = Season::at(core, cells, &moment);
        // Between neighbours the season counts for what it is worth there; far ahead, in full.
        let short = level::short_term(core) - (1.0 - season.worth) * (1.0 - core.doubt) * season.news;
        let long = core.level + season.total;
        let expected = self.in_range(core, long + short);
        let near = core.near * season.spread;
        // While less than a day is known, the day's shape is not: hours after the last value the scale is wider.
        let young = (1.0 - (clock[1] - clock[0]) as f64 * 1e-9 / DAY).max(0.0);
        let far = (core.far * (1.0 + 2.0 * young * (core.since / SHAPE).min(1.0))).max(near);
        let mut square = near * near + (far * far - near * near) * core.doubt;
        square += season.unsure;
        square *= 1.0 + WIDENING / core.seen.max(1.0);
        if core.whole > 0.99 && core.level >= 0.0 && core.level < 1e6 {
            square = square.max(counts(core, expected));
        }
        Outlook { moment, season, short, long, expected, near, scale: square.sqrt().max(level::floor(core)) }
    }

    fn edges(&self, core: &Core, tail: &[f32], o: &Outlook) -> (f64, f64) {
        let p = 0.5 * (1.0 - self.coverage);
        let lower = o.expected + o.scale * self.tail.quantile(core, tail, p, -1.0);
        let upper = o.expected + o.scale * self.tail.quantile(core, tail, p, 1.0);
        (self.in_range(core, lower.min(o.expected)), self.in_range(core, upper.max(o.expected)))
    }

    /// Within the logical range; a metric that was never below zero is not expected there.
    fn in_range(&self, core: &Core, value: f64) -> f64 {
        let low = if core.negative == 0.0 { self.range_low.max(0.0) } else { self.range_low };
        value.max(low.min(self.range_high)).min(self.range_high)
    }

    fn learn(&self, s: &mut Series<'_>, o: &Outlook, value: f64, seconds: f64) -> Verdict {
        let core = &mut s.core;
        let value = clip(value, HUGE);
        let away = value - o.expected;
        let distance = away / o.scale;
        // What cannot be is strange however far, and teaches no more than the edge of what can.
        let value = value.max(self.range_low).min(self.range_high);
        let rest = value - o.long;
        let error = rest - o.short;
        let x = o.season.daily();
        let u = value - core.level - (o.season.total - x);
        let gone = self.is_outside(core, distance);
        let fresh = core.doubt == 0.0;
        let often = self.hold.is_used_to_runs(core);
        // What comes at the same hours is the seasons' business.
        let usual = often && 2.0 * core.run_known <= core.run_out;
        let before = if core.run > 0.0 { (s.clock[1] - s.clock[2]) as f64 * 1e-9 } else { 0.0 };
        let striking = is_striking(core, gone, rest);
        let known = recall(core, s.echo, &o.moment, striking, value, rest, before + seconds, often);
        // What was there the day before is the seasons' business, and its end is theirs to see.
        let outside = gone || known.is_none() && stays_away(core, distance, away, u);
        let (share, weight) = credit(core, outside, usual);
        self.tail.learn(core, s.tail, clip(distance, core.gate.max(GATE_MIN)), weight);
        self.learn_habits(core, s.tail, value, seconds);
        let verdict = judge(core, s.tables, s.clock, &self.hold, outside, known.is_some(), x, u);
        if verdict == Verdict::Adopted {
            return verdict;
        }
        core.seen += 1.0;
        let relative = error * core.near / o.near;
        o.season.learn_worth(core, if fresh { error } else { f64::NAN }, seconds);
        let most = if usual { MOST_USUAL } else { MOST };
        level::learn_scales(core, (fresh || usual).then_some(relative), rest, seconds, share, most);
        if is_followed(core, outside, usual, seconds) {
            level::jump(core, rest);
            level::learn_level(core, clip(rest, level::HUBER * core.far), clip(error, core.near), seconds);
            return Verdict::Calm;
        }
        let verdict = if usual { Verdict::Calm } else { verdict };
        if outside {
            level::coast(core, seconds, true);
            if let Some(which) = known {
                o.season.learn(core, s.tables, rest, seconds, which);
            }
            return verdict;
        }
        if value < 0.0 {
            core.negative = 1.0;
        }
        let clipped = clip(rest, level::HUBER * core.far);
        let (taught, which) = known.map_or((clipped, Learns::All), |which| (rest, which));
        level::follow(core, rest, error, o.scale);
        level::learn_ripple(core, clipped, seconds, fresh);
        if fresh {
            let share = level::learn_base(core, error, seconds);
            o.season.learn_spread(s.tables, share, seconds);
        }
        o.season.learn(core, s.tables, taught, seconds, which);
        level::learn_level(core, clipped, error, seconds);
        verdict
    }

    /// Beyond the gate; or nearer, where values stay that far on one side or a run goes on.
    fn is_outside(&self, core: &mut Core, distance: f64) -> bool {
        if core.seen < TRUSTING {
            return false;
        }
        let far = distance.abs() > GATE_STREAK * core.gate;
        let sign = distance.signum();
        core.streak = match far {
            false => 0.0,
            true if core.streak * sign > 0.0 => core.streak + sign,
            true => sign,
        };
        distance.abs() > core.gate || far && (core.streak.abs() >= STREAK || core.run_out >= STREAK)
    }

    fn learn_habits(&self, core: &mut Core, tail: &[f32], value: f64, seconds: f64) {
        let whole = f64::from(value.floor() == value);
        core.whole += (whole - core.whole) * (1.0 / (core.seen + 1.0)).max(0.005);
        level::learn_quantum(core, value, seconds);
        if core.gate == 0.0 || core.run == 0.0 && (core.seen as u64).is_multiple_of(GATE_EVERY) {
            let above = self.tail.quantile(core, tail, GATE_SHARE, 1.0);
            let below = -self.tail.quantile(core, tail, GATE_SHARE, -1.0);
            core.gate = (GATE_TIMES * above.max(below)).clamp(GATE_MIN, GATE_MAX);
        }
    }
}

/// What a value counts for the scales and for the tail. The first values of a run are counted in full: short bursts are
/// part of what is usual, outages are not, unless there are so many that they are usual, too.
fn credit(core: &Core, outside: bool, usual: bool) -> (f64, f64) {
    if !outside || usual {
        return (1.0, 1.0);
    }
    let run = core.run_out as u64;
    let share = match run {
        0..2 => 1.0,
        2..36 => DISBELIEVED,
        _ => 0.0,
    };
    let weight = match run {
        0 => 1.0,
        1..COUNTED => DISBELIEVED,
        _ => 0.0,
    };
    (share, weight)
}

/// Least variance of a count: that of a Poisson law, unless the values are steadier than that.
fn counts(core: &Core, expected: f64) -> f64 {
    let mean = expected.max(0.25 * core.level).max(0.5 / core.seen);
    if core.far * core.far >= 0.4 * core.level {
        mean
    } else {
        0.0
    }
}

/// The state of one series while its slice is folded.
struct Series<'a> {
    core: Core,
    clock: &'a mut [i64],
    tables: &'a mut [f32],
    tail: &'a mut [f32],
    echo: &'a mut [f32],
}

impl Series<'_> {
    /// Moves the clock; seconds since the last point.
    fn pass(&mut self, time: i64) -> f64 {
        if self.clock[0] == i64::MIN {
            self.clock[0] = time;
            self.clock[1] = time;
            return 0.0;
        }
        let seconds = time.saturating_sub(self.clock[1]) as f64 * 1e-9;
        self.clock[1] = time;
        level::pass(&mut self.core, seconds);
        seconds
    }

    fn gather(&mut self, value: f64, low: f64, high: f64) {
        let value = value.max(low).min(high);
        let at = self.core.seen as usize;
        self.core.set_head(at, clip(value, HUGE));
        let whole = f64::from(value.floor() == value);
        self.core.whole += (whole - self.core.whole) / (at as f64 + 1.0);
        level::learn_quantum(&mut self.core, clip(value, HUGE), 0.0);
        if value < 0.0 {
            self.core.negative = 1.0;
        }
        self.core.seen += 1.0;
        if at + 1 == HEAD {
            level::begin(&mut self.core);
        }
    }
}

impl Kernel for SeasonalBand {
    fn step(&self, slice: &mut Slice<'_>) {
        let [core] = &mut slice.row.f64s[..] else { unreachable!("one f64 array") };
        let [clock] = &mut slice.row.i64s[..] else { unreachable!("one i64 array") };
        let [tables, tail, echo] = &mut slice.row.f32s[..] else { unreachable!("three f32 arrays") };
        let [score, expected, lower, upper, scale, flags] = &mut slice.outputs[..] else {
            unreachable!("six outputs")
        };
        let mut s = Series { core: Core::load(core), clock, tables, tail, echo };
        for (i, (&time, &value)) in slice.times.iter().zip(slice.values).enumerate() {
            let seconds = s.pass(time);
            let known = value.is_finite();
            if (s.core.seen as usize) < HEAD {
                flags[i] = WARMING;
                if known {
                    s.gather(value, self.range_low, self.range_high);
                }
                continue;
            }
            let o = self.outlook(&s.core, s.tables, s.clock);
            (lower[i], upper[i]) = self.edges(&s.core, s.tail, &o);
            (expected[i], scale[i]) = (o.expected, o.scale);
            flags[i] = if s.core.seen < WARM_UP { WARMING } else { 0.0 };
            if known {
                score[i] = ((value - o.expected).abs() / o.scale).min(f64::MAX);
                flags[i] += match self.learn(&mut s, &o, value, seconds) {
                    Verdict::Calm => 0.0,
                    Verdict::Held => HELD,
                    Verdict::Adopted => ADOPTED,
                };
            } else {
                let step = s.core.interval;
                o.season.learn_worth(&mut s.core, f64::NAN, step);
                level::coast(&mut s.core, step, false);
                flags[i] += if s.core.run_out >= 3.0 { HELD } else { 0.0 };
            }
        }
        s.core.store(core);
    }
}
