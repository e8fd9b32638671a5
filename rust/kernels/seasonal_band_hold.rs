//! Runs of values outside: an outage is not learned, a level that stays becomes the new normal.

use super::seasonal_band_core::{clip, Core};
use super::seasonal_band_level::floor;
use super::seasonal_band_season::multiply;

/// Values outside after which a run is held, and values inside in a row that end it.
const HELD_FROM: f64 = 3.0;
const BACK_AFTER: f64 = 4.0;
/// Holds after which a level is adopted even if it was there before: longer than a weekend.
const KNOWN_TIMES: f64 = 2.1;
/// Values of a run that are counted as they are; later ones no further from the mean than this many mean distances.
const FREE: f64 = 8.0;
const AWAY: f64 = 4.0;
/// Values of a run that the scales known before are worth when it is adopted.
const SCALES_COUNT: f64 = 6.0;
/// Values count no further than this: their squares must stay finite.
const HUGE: f64 = 1e100;

/// So many held runs of late make runs usual. A run is forgotten over this time, or this many values.
const OFTEN: f64 = 2.5;
const OFTEN_SECONDS: f64 = 14.0 * 86_400.0;
const OFTEN_VALUES: f64 = 3_000.0;
/// Values after which such a metric is followed.
const FOLLOWED_FROM: f64 = 4.0;

/// Values outside from which on a run is an outage for sure: what is expected then may come near its values, by night for
/// instance, and that ends nothing. Only a value that leaves the last of them does: one nearer to it than this share of
/// its own way to what is expected has not, while that way is so many scales.
const SURE_FROM: f64 = 12.0;
const LEFT_SHARE: f64 = 0.5;
const LEFT_SCALES: f64 = 1.5;

/// How long a level must stay.
pub struct Hold {
    pub seconds: f64,
    pub points: f64,
}

impl Hold {
    /// Whether the metric has so many runs that they are part of it: then they are learned and none is held.
    pub fn is_used_to_runs(&self, core: &Core) -> bool {
        self.seconds.is_finite() && core.often > OFTEN
    }
}

/// What a run came to at a point.
#[derive(Clone, Copy, PartialEq)]
pub enum Verdict {
    Calm,
    Held,
    Adopted,
}

/// Count a value of the run. `x` is what the day's season says, `u` what it should have said.
fn count(core: &mut Core, x: f64, u: f64) {
    let mut u = clip(u, HUGE);
    if core.run > 0.0 {
        let mean = core.run_u / core.run;
        if core.run >= FREE {
            // A few bursts within the run are not its level.
            u = mean + clip(u - mean, AWAY * (core.run_away / core.run + core.near));
        }
        core.run_away += (u - mean).abs();
        core.run_step += (u - core.run_last).abs();
    }
    core.run += 1.0;
    core.run_x += x;
    core.run_u += u;
    core.run_xx += x * x;
    core.run_xu += x * u;
    core.run_uu += u * u;
    core.run_last = u;
}

/// Whether a value goes on with a sure run, though it is no longer beyond the gate. `away` is its distance from what is
/// expected, `distance` the same in scales.
pub fn stays_away(core: &Core, distance: f64, away: f64, u: f64) -> bool {
    let moved = (clip(u, HUGE) - core.run_last).abs();
    core.run_out >= SURE_FROM
        && core.run_in == 0.0
        && distance.abs() > LEFT_SCALES
        && moved < LEFT_SHARE * away.abs()
}

fn end(core: &mut Core) {
    (core.run, core.run_out, core.run_in, core.run_known) = (0.0, 0.0, 0.0, 0.0);
    (core.run_x, core.run_u, core.run_xx) = (0.0, 0.0, 0.0);
    (core.run_xu, core.run_uu, core.run_step, core.run_last) = (0.0, 0.0, 0.0, 0.0);
    core.run_away = 0.0;
}

/// Take a value into account; `clock` is (first, last, start of the run) in nanoseconds.
pub fn judge(
    core: &mut Core,
    cells: &mut [f32],
    clock: &mut [i64],
    hold: &Hold,
    outside: bool,
    known_before: bool,
    x: f64,
    u: f64,
) -> Verdict {
    if core.run == 0.0 {
        if !outside {
            return Verdict::Calm;
        }
        clock[2] = clock[1];
    }
    count(core, x, u);
    core.run_out += f64::from(outside);
    core.run_known += f64::from(outside && known_before);
    core.run_in = if outside { 0.0 } else { core.run_in + 1.0 };
    if core.run_in >= BACK_AFTER {
        end(core);
        return Verdict::Calm;
    }
    let lasted = (clock[1] - clock[2]) as f64 * 1e-9;
    let known = (clock[2] - clock[0]) as f64 * 1e-9;
    // A level known for an hour has no right to be held for a day: at most half as long as it is known.
    let needed = hold.seconds.min(known / 2.0);
    // What was there a day or a week ago is left to the seasons, for a while.
    let news = core.run_out - core.run_known >= core.run_known || lasted >= KNOWN_TIMES * needed;
    if outside && news && core.run_out >= hold.points && lasted >= needed && hold.seconds.is_finite() {
        adopt(core, cells);
        return Verdict::Adopted;
    }
    if core.run_out >= HELD_FROM {
        Verdict::Held
    } else {
        Verdict::Calm
    }
}

/// Count the runs of late; true once this one is to be followed, because the metric does this all the time.
pub fn is_followed(core: &mut Core, outside: bool, usual: bool, seconds: f64) -> bool {
    core.often *= 1.0 - (seconds / OFTEN_SECONDS).clamp(1.0 / OFTEN_VALUES, 1.0);
    if outside && core.run_out == HELD_FROM {
        core.often += 1.0;
    }
    if !(outside && usual && core.run_out >= FOLLOWED_FROM) {
        return false;
    }
    end(core);
    true
}

/// Make the run's level, swing and scales the new normal.
fn adopt(core: &mut Core, cells: &mut [f32]) {
    let n = core.run;
    let (mean_x, mean_u) = (core.run_x / n, core.run_u / n);
    let var_x = (core.run_xx / n - mean_x * mean_x).max(0.0);
    let covariance = core.run_xu / n - mean_x * mean_u;
    // Unless the season swings during the run, its size stays as it was.
    let ridge = core.near * core.near;
    let swing = ((covariance + ridge) / (var_x + ridge)).clamp(0.0, 2.0);
    let var_u = (core.run_uu / n - mean_u * mean_u).max(0.0);
    let rest = (var_u - swing * (2.0 * covariance - swing * var_x)).max(0.0);
    core.level += mean_u - swing * mean_x;
    core.slope = 0.0;
    multiply(cells, swing);
    if core.level < 0.0 {
        core.negative = 1.0;
    }
    let least = floor(core);
    // A few values say little of scales: what was known counts as much as some more of them.
    core.far = ((n * rest + SCALES_COUNT * core.far * core.far) / (n + SCALES_COUNT)).sqrt().max(least);
    let step = (0.886 * core.run_step + SCALES_COUNT * core.near) / (n - 1.0 + SCALES_COUNT);
    core.near = step.min(core.far).max(0.1 * core.far).max(least);
    let last = clip(core.run_last - (mean_u - swing * mean_x), 3.0 * core.far);
    (core.lag1, core.lag2, core.fast) = (last, last, last);
    core.doubt = 1.0;
    core.since = 0.0;
    end(core);
}
