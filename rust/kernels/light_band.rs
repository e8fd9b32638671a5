//! A slim band of expected values for very many series: level, hours of the day and of the week, one lag, robust scales,
//! and a hold for outages. The same ideas as in `seasonal_band`, each in its smallest form.
//!
//! State: `core` f64 (see below), `clock` i64[3] = (first time, last time, start of the run), `tables` f32 = (24 hours of
//! the day and 168 of the week, what each node says; how often each was visited; 24 factors of the scale).

use super::distance::Answers;
use super::fleet::{Kernel, Slice};
use super::light_band_season::{learn_factor, learn_season, Season, Step, TABLES};
use super::quantum::{self, is_whole};
use super::seasonal_band_calendar::Calendar;
use super::seasonal_band_core::{clip, core_numbers};

core_numbers! {
    /// Values learned from, and seconds between points (clipped running mean).
    seen, interval,
    /// Slow level, and the last distance from level + season.
    level, rest,
    /// Sums behind the weight of that distance in the forecast.
    lag_xy, lag_xx,
    /// One-step scale, scale of the distance from level + season, share of the way between them.
    near, far, doubt,
    /// About the 99 % quantile of scores.
    usual,
    /// Sums behind the weight of each table.
    hour_xy, hour_xx, week_xy, week_xx,
    /// Scores beyond the gate's share in a row on one side, with that side's sign.
    streak,
    /// A run of values outside: values, outside ones, inside ones in a row; sums of what the level would be, of its
    /// steps and of its distances from the mean so far; its last.
    run, run_out, run_in, run_sum, run_step, run_away, run_last,
    /// Small step between different values, how many such steps, the last value.
    quantum, changes, last,
    /// Running share of whole numbers, 1 once a value was below zero.
    whole, negative,
    /// First values, kept until there are enough for a robust start.
    head0, head1, head2, head3, head4, head5, head6, head7,
}

const HEAD: usize = 8;
pub const WIDTH: usize = Core::WIDTH;

const HELD: f64 = 1.0;
const ADOPTED: f64 = 2.0;
const WARMING: f64 = 4.0;
const WARM_UP: f64 = 32.0;
const TRUSTING: f64 = 20.0;
/// The scale is widened by 1 + this / values seen before the root.
const WIDENING: f64 = 12.0;
/// Values beyond this are treated as this when something learns from them.
const HUGE: f64 = 1e100;
pub(super) const DAY: f64 = 86_400.0;
/// What is remembered: by the level, by the scales, by the lag.
pub(super) const LEVEL_SECONDS: f64 = 7.0 * DAY;
pub(super) const NEAR_POINTS: f64 = 125.0;
pub(super) const FAR_SECONDS: f64 = 2.0 * DAY;
const LAG_POINTS: f64 = 500.0;
/// Residuals count no further than this many scales.
const CLIP: f64 = 3.0;
pub(super) const CLIP_SCALE: f64 = 4.0;
/// Turns the mean absolute deviation of a normal law into its standard deviation.
pub(super) const PER_MEAN: f64 = 1.2533141373155003;
const PER_MEDIAN: f64 = 1.4826;
/// A value is not believed beyond the gate, or in a streak beyond a share of it.
const GATE_TIMES: f64 = 1.5;
const GATE_MIN: f64 = 5.0;
const GATE_MAX: f64 = 20.0;
const GATE_STREAK: f64 = 0.6;
const STREAK: f64 = 3.0;
/// The quantile goes up by this where a score is beyond it, and down by a 99th of that where not.
const USUAL_STEP: f64 = 0.2;
const HELD_FROM: f64 = 3.0;
const BACK_AFTER: f64 = 4.0;
const DISBELIEVED: f64 = 0.1;
const FORGOTTEN: f64 = 36.0;
/// Scales below this part of the level are rounding, not noise.
const RESOLUTION: f64 = 1e-4;
/// So are those below this part of the usual small step, once that many were seen if a step is no small part of the level.
const STEP_SHARE: f64 = 0.3;
const STEP_LITTLE: f64 = 0.1;
const STEPS_KNOWN: f64 = 8.0;

pub struct LightBand {
    pub calendar: Calendar,
    pub hold_seconds: f64,
    pub hold_points: f64,
    pub width: f64,
}

/// What is expected of a moment.
struct Outlook {
    season: Season,
    lag: f64,
    expected: f64,
    scale: f64,
}

/// Smallest believable scale.
fn floor(core: &Core) -> f64 {
    let level = core.level.abs();
    let known = if core.quantum <= STEP_LITTLE * level { 1.0 } else { (core.changes / STEPS_KNOWN).min(1.0) };
    greater(RESOLUTION * level, STEP_SHARE * core.quantum * known)
}

/// The lesser of two numbers: `min` in one instruction, as neither is NaN.
fn lesser(a: f64, b: f64) -> f64 {
    if a < b {
        a
    } else {
        b
    }
}

fn greater(a: f64, b: f64) -> f64 {
    if a > b {
        a
    } else {
        b
    }
}

/// 1 / `count`, from `most` on that of `most`: the division that a long life spares.
fn inverse(count: f64, most: f64) -> f64 {
    if count < most {
        1.0 / count
    } else {
        1.0 / most
    }
}

/// Tracks whether values are counts, and the small steps between different values: their lower fifth.
fn learn_quantum(core: &mut Core, value: f64, of_level: f64) {
    let step = (value - core.last).abs();
    let whole = f64::from(u8::from(is_whole(value)));
    core.whole += (whole - core.whole) * inverse(core.seen + 1.0, 200.0);
    core.negative = core.negative.max(f64::from(u8::from(value < 0.0)));
    core.last = value;
    core.changes -= core.changes * of_level.min(1.0);
    if core.seen == 0.0 || step == 0.0 {
        return;
    }
    core.changes += 1.0;
    core.quantum = quantum::after(core.quantum, step);
}

impl LightBand {
    fn outlook(&self, core: &Core, tables: &[f32; TABLES], time: i64) -> Outlook {
        let season = Season::at(&self.calendar, core, tables, time);
        let ridge = 10.0 * core.far * core.far;
        let lag = if ridge > 0.0 { (core.lag_xy / (core.lag_xx + ridge)).clamp(0.0, 1.0) } else { 0.0 };
        let expected = core.level + season.said + lag * core.rest;
        let near = core.near * season.spread;
        let mut square = near * near + (core.far * core.far - near * near).max(0.0) * core.doubt;
        square *= 1.0 + WIDENING / core.seen;
        if core.whole > 0.99 && core.negative == 0.0 && core.far * core.far >= 0.4 * core.level {
            // Least variance of a count: that of a Poisson law.
            square = square.max(expected.max(0.25 * core.level).min(1e6));
        }
        Outlook { season, lag, expected, scale: greater(square.sqrt(), floor(core)) }
    }

    fn is_outside(&self, core: &mut Core, z: f64) -> bool {
        if core.seen < TRUSTING {
            return false;
        }
        let gate = (GATE_TIMES * core.usual).clamp(GATE_MIN, GATE_MAX);
        let far = z.abs() > GATE_STREAK * gate;
        let sign = z.signum();
        core.streak = match far {
            false => 0.0,
            true if core.streak * sign > 0.0 => core.streak + sign,
            true => sign,
        };
        if core.run == 0.0 {
            let step = if z.abs() > core.usual { USUAL_STEP } else { -USUAL_STEP / 99.0 };
            core.usual = (core.usual * (1.0 + step)).clamp(1.0, GATE_MAX);
        }
        z.abs() > gate || far && (core.streak.abs() >= STREAK || core.run_out >= STREAK)
    }

    /// Learns a value; the flag it is to carry.
    fn learn(&self, s: &mut Series<'_>, o: &Outlook, value: f64) -> f64 {
        let (core, step) = (&mut s.core, &s.step);
        learn_quantum(core, value, step.of_level);
        let z = if o.scale > 0.0 { clip((value - o.expected) / o.scale, HUGE) } else { 0.0 };
        let outside = self.is_outside(core, z);
        let rest = value - core.level - o.season.said;
        let error = rest - o.lag * core.rest;
        let u = value - o.season.said;
        let flag = self.judge(core, s.clock, outside, u);
        core.seen += 1.0;
        if flag == ADOPTED {
            return flag;
        }
        let share = match core.run_out {
            _ if !outside => 1.0,
            out if out <= 2.0 => 1.0,
            out if out <= FORGOTTEN => DISBELIEVED,
            _ => 0.0,
        };
        let bound = CLIP_SCALE * core.far;
        let of_first =
            if core.seen * step.of_far > 1.001 { step.of_far } else { greater(step.of_far, 1.0 / core.seen) };
        let gain = share * of_first;
        let away = if bound > 0.0 { lesser(rest.abs(), bound) } else { rest.abs() };
        core.far += gain * (PER_MEAN * away - core.far);
        let clipped = greater(lesser(rest, CLIP * core.far), -CLIP * core.far);
        if outside {
            // What comes every night is expected after some nights; what comes once teaches little.
            if share > 0.0 {
                learn_season(core, s.tables, &o.season, 0.5 * clipped, step);
            }
            coast(core, o.lag);
            return flag;
        }
        if core.doubt == 0.0 {
            let near = core.near * o.season.spread;
            let away = if near > 0.0 { lesser(error.abs(), CLIP_SCALE * near) } else { error.abs() };
            let gain = inverse(core.seen, NEAR_POINTS);
            core.near += gain * (PER_MEAN * away / o.season.spread - core.near);
            core.near = core.near.min(HUGE);
            learn_factor(s.tables, &o.season, core.near, away, step);
            let last = core.rest;
            core.lag_xy += last * clipped - core.lag_xy / LAG_POINTS;
            core.lag_xx += last * last - core.lag_xx / LAG_POINTS;
        }
        learn_season(core, s.tables, &o.season, clipped, step);
        let known = s.clock[1].saturating_sub(s.clock[0]) as f64 * 1e-9;
        // Less than a week is known at first; points that are further apart move it by their tenth, too.
        let of_known = if known < LEVEL_SECONDS {
            step.seconds / known.max(step.seconds.max(1e-9))
        } else {
            step.of_level
        };
        core.level += of_known.min(0.1) * clipped;
        core.rest = clipped;
        core.doubt = 0.0;
        flag
    }

    /// Runs of values outside: not learned, unless the level stays.
    fn judge(&self, core: &mut Core, clock: &mut [i64; 3], outside: bool, u: f64) -> f64 {
        if core.run == 0.0 {
            if !outside {
                return 0.0;
            }
            clock[2] = clock[1];
        } else {
            core.run_step += (u - core.run_last).abs();
            core.run_away += (u - core.run_sum / core.run).abs();
        }
        core.run += 1.0;
        core.run_sum += u;
        core.run_last = u;
        core.run_out += f64::from(u8::from(outside));
        core.run_in = if outside { 0.0 } else { core.run_in + 1.0 };
        if core.run_in >= BACK_AFTER {
            end(core);
            return 0.0;
        }
        let lasted = clock[1].saturating_sub(clock[2]) as f64 * 1e-9;
        let known = clock[2].saturating_sub(clock[0]) as f64 * 1e-9;
        let finite = self.hold_seconds.is_finite();
        if finite
            && outside
            && core.run_out >= self.hold_points
            && lasted >= self.hold_seconds.min(0.5 * known)
        {
            core.level = core.run_sum / core.run;
            core.near = (0.886 * core.run_step / (core.run - 1.0).max(1.0)).min(HUGE);
            core.far = (PER_MEAN * core.run_away / (core.run - 1.0).max(1.0)).max(core.near).min(HUGE);
            core.rest = clip(u - core.level, CLIP * core.far);
            core.doubt = 1.0;
            end(core);
            return ADOPTED;
        }
        if core.run_out >= HELD_FROM {
            HELD
        } else {
            0.0
        }
    }
}

fn end(core: &mut Core) {
    (core.run, core.run_out, core.run_in, core.run_sum) = (0.0, 0.0, 0.0, 0.0);
    (core.run_step, core.run_away, core.run_last, core.streak) = (0.0, 0.0, 0.0, 0.0);
}

/// A step without a believed value: the forecast stands in for it, and doubt grows.
fn coast(core: &mut Core, lag: f64) {
    core.rest *= lag;
    core.doubt = (1.0 - (1.0 - core.doubt) * lag * lag).max(1e-3);
}

/// The state of one series while its slice is folded.
struct Series<'a> {
    core: Core,
    clock: &'a mut [i64; 3],
    tables: &'a mut [f32; TABLES],
    step: Step,
}

impl Series<'_> {
    /// Moves the clock: the step since the last point, no more than two usual intervals.
    fn pass(&mut self, time: i64) {
        let seconds = self.seconds(time);
        // Mostly as at the last point, and then what follows from it is known.
        if seconds != self.step.seconds {
            self.step = Step::of(seconds);
        }
    }

    fn seconds(&mut self, time: i64) -> f64 {
        if self.clock[0] == i64::MIN {
            (self.clock[0], self.clock[1]) = (time, time);
            return 0.0;
        }
        let seconds = time.saturating_sub(self.clock[1]) as f64 * 1e-9;
        self.clock[1] = time;
        let core = &mut self.core;
        if core.interval == 0.0 {
            core.interval = seconds;
        }
        let usual = core.interval;
        core.interval += 0.02 * (lesser(seconds, 4.0 * usual) - usual);
        if seconds > 1.5 * usual {
            // Missing points: what is remembered of the last value fades.
            core.doubt = 1.0;
            core.rest = 0.0;
        }
        lesser(seconds, 2.0 * usual)
    }

    fn gather(&mut self, value: f64) {
        let core = &mut self.core;
        let at = core.seen as usize;
        let mut head =
            [core.head0, core.head1, core.head2, core.head3, core.head4, core.head5, core.head6, core.head7];
        head[at] = value;
        learn_quantum(core, value, 0.0);
        [core.head0, core.head1, core.head2, core.head3, core.head4, core.head5, core.head6, core.head7] =
            head;
        core.seen += 1.0;
        if at + 1 < HEAD {
            return;
        }
        head.sort_unstable_by(f64::total_cmp);
        core.level = 0.5 * (head[3] + head[4]);
        let mut away = head.map(|v| (v - core.level).abs());
        away.sort_unstable_by(f64::total_cmp);
        core.far = PER_MEDIAN * 0.5 * (away[3] + away[4]);
        if core.far == 0.0 {
            core.far = PER_MEAN * away.iter().sum::<f64>() / HEAD as f64;
        }
        (core.near, core.rest, core.doubt, core.usual) = (core.far, 0.0, 1.0, 3.0);
    }
}

impl Kernel for LightBand {
    fn step(&self, slice: &mut Slice<'_>) {
        let times = slice.times;
        let mut answers = Answers::of(slice, self.width);
        let [packed] = &mut slice.row.f64s[..] else { unreachable!("one f64 array") };
        let [tables] = &mut slice.row.f32s[..] else { unreachable!("one f32 array") };
        let [clock] = &mut slice.row.i64s[..] else { unreachable!("one i64 array") };
        let Ok(tables) = <&mut [f32; TABLES]>::try_from(&mut **tables) else {
            unreachable!("widths as declared")
        };
        let Ok(clock) = <&mut [i64; 3]>::try_from(&mut **clock) else { unreachable!("widths as declared") };
        let mut s = Series { core: Core::load(packed), clock, tables, step: Step::of(0.0) };
        for (i, &time) in times.iter().enumerate() {
            s.pass(time);
            let value = answers.values[i];
            let known = value.is_finite();
            if s.core.seen < HEAD as f64 {
                answers.pass(i);
                answers.flags[i] = WARMING;
                if known {
                    s.gather(clip(value, HUGE));
                }
                continue;
            }
            let o = self.outlook(&s.core, s.tables, time);
            answers.say(i, o.expected, o.scale);
            answers.flags[i] = if s.core.seen < WARM_UP { WARMING } else { 0.0 };
            if known {
                answers.flags[i] += self.learn(&mut s, &o, clip(value, HUGE));
            } else {
                coast(&mut s.core, o.lag);
                answers.flags[i] += if s.core.run_out >= HELD_FROM { HELD } else { 0.0 };
            }
        }
        s.core.store(packed);
    }
}
