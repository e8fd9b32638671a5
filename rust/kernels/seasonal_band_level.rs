//! Level, trend, short-term dynamics and scales of the band.

use super::quantum;
use super::seasonal_band_core::{clip, Core, HEAD};

/// The slow level forgets over a week.
const LEVEL_SECONDS: f64 = 7.0 * 86_400.0;
const LEVEL_GAIN_MAX: f64 = 0.05;
/// Without news the short-term distance shrinks to half over this time.
const RETURN_SECONDS: f64 = 12.0 * 3_600.0;
pub const FAST_GAIN: f64 = 0.2;
const NEAR_GAIN: f64 = 0.008;
/// Errors that stay on one side say that the level moves: gain of their mean, and of the level at most.
const BIAS_GAIN: f64 = 0.1;
const CATCH_UP: f64 = 0.2;
const FAR_SECONDS: f64 = 2.0 * 86_400.0;
const BASE_SECONDS: f64 = 4.0 * 86_400.0;
const FAR_GAIN_MAX: f64 = 0.02;
/// Mean distance to standard deviation, for a normal law.
pub const MEAN_TO_SCALE: f64 = 1.2533;
/// Memory of the short-term weights, and the uncertainty they start with.
const KEEP: f64 = 0.998;
const START_UNCERTAINTY: f64 = 0.1;
/// What a scale never falls below, relative to the level.
const FLOOR: f64 = 1e-4;
/// A scale is at least this share of the usual small step between values, once that many steps were seen.
const STEP_SHARE: f64 = 0.3;
const STEPS_KNOWN: f64 = 8.0;
const STEP_LITTLE: f64 = 0.1;
const GAP_STEPS_MAX: usize = 24;
/// Distances are clipped here before they move anything, in scales.
pub const HUBER: f64 = 3.0;

/// Smallest believable scale: a share of the level, and for whole numbers part of the step between them.
pub fn floor(core: &Core) -> f64 {
    let whole = if core.whole > 0.99 && core.level.abs() < 1e6 { 0.1 } else { 1e-9 };
    // A step that is little beside the level is the metric's resolution; a larger one has to be seen more often.
    let little = core.quantum <= STEP_LITTLE * core.level.abs();
    let known = if little { 1.0 } else { (core.changes / STEPS_KNOWN).min(1.0) };
    let steps = STEP_SHARE * core.quantum * known;
    (FLOOR * core.level.abs()).max(whole).max(steps)
}

/// Track the small steps between different values: their lower fifth.
pub fn learn_quantum(core: &mut Core, value: f64, seconds: f64) {
    let step = (value - core.last).abs();
    core.last = value;
    core.changes /= 1.0 + seconds / LEVEL_SECONDS;
    if core.seen == 0.0 || step == 0.0 {
        return;
    }
    core.changes += 1.0;
    core.quantum = quantum::after(core.quantum, step);
}

/// Start from the median and the spread of the first values.
pub fn begin(core: &mut Core) {
    let head = core.head();
    let mut sorted = head;
    sorted.sort_by(f64::total_cmp);
    core.level = 0.5 * sorted[HEAD / 2 - 1] + 0.5 * sorted[HEAD / 2];
    let mut away = head.map(|v| (v - core.level).abs());
    away.sort_by(f64::total_cmp);
    // The upper of the middle distances: for so few values rather wide than narrow.
    core.far = (1.4826 * away[HEAD / 2]).max(floor(core));
    let mut steps = [0.0; HEAD - 1];
    for (step, pair) in steps.iter_mut().zip(head.windows(2)) {
        *step = (pair[1] - pair[0]).abs();
    }
    steps.sort_by(f64::total_cmp);
    core.near = (MEAN_TO_SCALE * steps[HEAD / 2]).min(core.far).max(0.25 * core.far).max(floor(core));
    (core.base, core.ripple) = (core.near, core.far);
    let rest = |v: f64| clip(v - core.level, HUBER * core.far);
    (core.lag1, core.lag2) = (rest(head[HEAD - 1]), rest(head[HEAD - 2]));
    core.fast = 0.0;
    (core.w1, core.w2, core.w3) = (0.4, 0.0, 0.4);
    (core.day_value, core.week_value) = (f64::NAN, f64::NAN);
    (core.p11, core.p22, core.p33) = (START_UNCERTAINTY, START_UNCERTAINTY, START_UNCERTAINTY);
    core.doubt = 0.0;
    core.since = 0.0;
}

/// The short-term forecast: the last distances and their fast mean, weighted.
pub fn short_term(core: &Core) -> f64 {
    let sum = core.w1 * core.lag1 + core.w2 * core.lag2 + core.w3 * core.fast;
    let bound = 1.5 * core.lag1.abs().max(core.lag2.abs()).max(core.fast.abs());
    clip(sum, bound)
}

/// Share of the short-term distance's square that is left a step later, if near and far scale are right.
fn persistence(core: &Core) -> f64 {
    let ratio = core.near / core.far;
    (1.0 - ratio * ratio).clamp(0.0, 0.9999)
}

fn shift(core: &mut Core, rest: f64) {
    core.lag2 = core.lag1;
    core.lag1 = rest;
    core.fast += FAST_GAIN * (rest - core.fast);
}

/// One step without a believable value: the forecast stands in for it, and doubt grows towards the far scale.
pub fn coast(core: &mut Core, seconds: f64, rejected: bool) {
    let bound = core.lag1.abs().max(core.lag2.abs()).max(core.fast.abs());
    let rest = clip(short_term(core), bound) / (1.0 + seconds / RETURN_SECONDS);
    shift(core, rest);
    let keep = if rejected { persistence(core).min(0.7) } else { persistence(core) };
    core.doubt = 1.0 - (1.0 - core.doubt) * keep;
}

/// Time passes: the trend moves the level, and slots without a point are coasted through.
pub fn pass(core: &mut Core, seconds: f64) {
    core.since += seconds;
    if core.interval == 0.0 {
        core.interval = seconds;
    }
    let steps = (seconds / core.interval + 0.5) as usize;
    let (gain, ratio) = if core.seen < 32.0 { (0.25, 8.0) } else { (0.05, 2.0) };
    core.interval += gain * (seconds.clamp(core.interval / ratio, core.interval * ratio) - core.interval);
    if (core.seen as usize) < HEAD {
        return;
    }
    core.level += core.slope * seconds;
    let missing = steps.saturating_sub(1);
    for _ in 0..missing.min(GAP_STEPS_MAX) {
        coast(core, core.interval, false);
    }
    if missing > GAP_STEPS_MAX {
        let left = 1.0 / (1.0 + (missing - GAP_STEPS_MAX) as f64 * core.interval / RETURN_SECONDS);
        core.lag1 *= left;
        core.lag2 *= left;
        core.fast *= left;
        core.doubt = 1.0 - (1.0 - core.doubt) * left;
    }
}

/// Recursive least squares on the three short-term features, in units of the one-step scale.
fn learn_weights(core: &mut Core, error: f64) {
    let unit = core.near;
    let (x1, x2, x3) = (core.lag1 / unit, core.lag2 / unit, core.fast / unit);
    let g1 = core.p11 * x1 + core.p12 * x2 + core.p13 * x3;
    let g2 = core.p12 * x1 + core.p22 * x2 + core.p23 * x3;
    let g3 = core.p13 * x1 + core.p23 * x2 + core.p33 * x3;
    let norm = KEEP + x1 * g1 + x2 * g2 + x3 * g3;
    let e = error / unit / norm;
    core.w1 += g1 * e;
    core.w2 += g2 * e;
    core.w3 += g3 * e;
    // What is never excited would become uncertain without bound: then nothing is forgotten.
    let keep = if core.p11 + core.p22 + core.p33 > 1.0 { 1.0 } else { KEEP };
    core.p11 = (core.p11 - g1 * g1 / norm) / keep;
    core.p12 = (core.p12 - g1 * g2 / norm) / keep;
    core.p13 = (core.p13 - g1 * g3 / norm) / keep;
    core.p22 = (core.p22 - g2 * g2 / norm) / keep;
    core.p23 = (core.p23 - g2 * g3 / norm) / keep;
    core.p33 = (core.p33 - g3 * g3 / norm) / keep;
}

/// Follow a believable value that lies `rest` from level + season and `error` from what was expected.
pub fn follow(core: &mut Core, rest: f64, error: f64, scale: f64) {
    let bounded = clip(error, HUBER * scale);
    if core.doubt == 0.0 {
        learn_weights(core, clip(error, HUBER * core.near));
    }
    shift(core, rest - error + bounded);
    core.doubt = 0.0;
    core.since = 0.0;
}

/// Move level and trend by the clipped distance from level + season, and faster while errors stay on one side.
pub fn learn_level(core: &mut Core, rest: f64, error: f64, seconds: f64) {
    let slow = (seconds / LEVEL_SECONDS).min(LEVEL_GAIN_MAX);
    let gain = slow.max(1.0 / (core.seen + 1.0));
    let bounded = clip(error, HUBER * core.near);
    core.bias += BIAS_GAIN * (bounded - core.bias);
    // Trigg's tracking signal, less what it is by chance.
    let signal = (MEAN_TO_SCALE * core.bias.abs() / core.near).min(1.0);
    let excess = (2.0 * signal - 1.0).max(0.0);
    let moved = gain * rest + CATCH_UP * excess * excess * bounded;
    core.level += moved;
    // The distances are counted from the level: what it takes they give.
    core.lag1 -= moved;
    core.lag2 -= moved;
    core.fast -= moved;
    if gain == slow && seconds > 0.0 {
        core.slope += 0.25 * gain * gain * rest / seconds;
    }
}

/// Learn the scale of the distance from the mean distance of the last hours, which starts anew after doubt.
pub fn learn_ripple(core: &mut Core, rest: f64, seconds: f64, fresh: bool) {
    if !fresh {
        core.local = rest;
        return;
    }
    let gain = (seconds / BASE_SECONDS).min(FAR_GAIN_MAX).max(1.0 / (core.seen + 1.0));
    let size = (MEAN_TO_SCALE * (rest - core.local).abs()).min(4.0 * core.ripple);
    core.ripple = (core.ripple + gain * (size - core.ripple)).max(floor(core));
}

/// A metric that jumps all the time is followed: its distance from level + season is that of the last value.
pub fn jump(core: &mut Core, rest: f64) {
    (core.lag1, core.lag2, core.fast) = (rest, rest, rest);
    (core.doubt, core.since, core.streak) = (0.0, 0.0, 0.0);
}

/// Learn the mean one-step scale; the size of an error relative to it.
pub fn learn_base(core: &mut Core, error: f64, seconds: f64) -> f64 {
    let size = MEAN_TO_SCALE * error.abs().min(4.0 * core.near.max(core.base));
    let gain = (seconds / BASE_SECONDS).min(FAR_GAIN_MAX).max(1.0 / (core.seen + 1.0));
    core.base += gain * (size - core.base);
    core.base = core.base.max(floor(core));
    size / core.base
}

/// Learn both scales; `share` below 1 for values that are not believed, which count up to `most` scales.
pub fn learn_scales(core: &mut Core, error: Option<f64>, rest: f64, seconds: f64, share: f64, most: f64) {
    if let Some(error) = error {
        let gain = share * NEAR_GAIN.max(3.0 / (core.seen + 10.0));
        core.near += gain * (MEAN_TO_SCALE * error.abs().min(most * core.near) - core.near);
    }
    let gain = share * (seconds / FAR_SECONDS).min(FAR_GAIN_MAX).max(1.0 / (core.seen + 1.0));
    core.far += gain * (MEAN_TO_SCALE * rest.abs().min(most * core.far) - core.far);
    let least = floor(core);
    core.near = core.near.max(least);
    core.far = core.far.max(least).max(core.near);
}
