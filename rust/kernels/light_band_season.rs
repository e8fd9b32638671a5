//! The seasons of `light_band`: tables of the day's and the week's hours, and a factor of the scale for each hour.

use super::light_band::{Core, CLIP_SCALE, DAY, FAR_SECONDS, LEVEL_SECONDS, NEAR_POINTS, PER_MEAN};
use super::seasonal_band_calendar::Calendar;
use super::seasonal_band_core::clip;

const HOURS: usize = 24;
const WEEK: usize = 168;
const NODES: usize = HOURS + WEEK;
pub const TABLES: usize = 2 * NODES + HOURS;
/// What a node holds at most.
const NODE_MAX: f64 = 1e37;
/// What is remembered: by a node in visits, by the weights of the tables.
const VISITS: f32 = 12.0;
const WORTH_SECONDS: f64 = 14.0 * DAY;
const HOUR: f64 = 3_600.0;

/// Where a moment stands between two nodes of each table, and what they say together.
pub struct Season {
    /// First node of each pair, second one, share of the second.
    hour: (usize, usize),
    week: (usize, usize),
    part: f64,
    /// What each table says, already weighted, and unweighted.
    pub said: f64,
    of_hour: f64,
    of_week: f64,
    weight: f64,
    pub spread: f64,
}

/// Seconds since the last point, and what follows from them alone.
pub struct Step {
    pub seconds: f64,
    /// In shares of what the level and the far scale remember, the latter no more than the near one's.
    pub of_level: f64,
    pub of_far: f64,
    /// No more than an hour, in seconds and in hours, and what is left of the tables' worth after it.
    counted: f64,
    visit: f64,
    keeps: f64,
}

impl Step {
    pub fn of(seconds: f64) -> Step {
        let counted = seconds.min(HOUR);
        let of_far = (seconds / FAR_SECONDS).min(1.0 / NEAR_POINTS);
        Step {
            seconds,
            of_level: seconds / LEVEL_SECONDS,
            of_far,
            counted,
            visit: counted / HOUR,
            keeps: 1.0 - counted / WORTH_SECONDS,
        }
    }
}

fn node(tables: &[f32; TABLES], at: usize) -> f64 {
    // A visit does not foretell itself.
    if tables[NODES + at] > 0.75 {
        f64::from(tables[at])
    } else {
        0.0
    }
}

impl Season {
    pub fn at(calendar: &Calendar, core: &Core, tables: &[f32; TABLES], time: i64) -> Season {
        let (second, i, weekday) = calendar.of_week(time);
        let part = second / HOUR - i as f64;
        let hour = (i, (i + 1) % HOURS);
        let at = weekday * HOURS + i;
        let week = (HOURS + at, HOURS + (at + 1) % WEEK);
        let between = |(a, b): (usize, usize)| (1.0 - part) * node(tables, a) + part * node(tables, b);
        let (of_hour, of_week) = (between(hour), between(week));
        let square = core.far * core.far;
        // Half is believed at first, against two hours of noise; the days of the week against two days.
        let weigh = |xy: f64, xx: f64, prior: f64, start: f64| {
            if xx + prior > 0.0 {
                ((xy + start * prior) / (xx + prior)).clamp(0.0, 1.0)
            } else {
                0.0
            }
        };
        let weight = weigh(core.hour_xy, core.hour_xx, 7_200.0 * square, 0.5);
        let weight_week = weigh(core.week_xy, core.week_xx, 2.0 * DAY * square, 0.0);
        let factors = &tables[2 * NODES..];
        let factor = (1.0 - part) * f64::from(factors[hour.0]) + part * f64::from(factors[hour.1]);
        let said = weight * of_hour + weight_week * of_week;
        Season { hour, week, part, said, of_hour, of_week, weight, spread: 1.0 + factor }
    }
}

pub fn learn_season(core: &mut Core, tables: &mut [f32; TABLES], season: &Season, rest: f64, step: &Step) {
    let (seconds, keeps) = (step.counted, step.keeps);
    // What each table should have said, given the other: its own part and what was left over.
    let of_day = rest + season.weight * season.of_hour;
    core.hour_xy = keeps * core.hour_xy + seconds * season.of_hour * of_day;
    core.hour_xx = keeps * core.hour_xx + seconds * season.of_hour * season.of_hour;
    let of_week = season.said + rest - season.weight * season.of_hour;
    core.week_xy = keeps * core.week_xy + seconds * season.of_week * of_week;
    core.week_xx = keeps * core.week_xx + seconds * season.of_week * season.of_week;
    let visit = step.visit as f32;
    let mut teach = |at: usize, part: f64, wanted: f64| {
        let part = part as f32 * visit;
        let count = (tables[NODES + at] + part).min(VISITS);
        if count > 0.0 {
            let value = f64::from(tables[at]);
            let gain = f64::from(part / count);
            tables[at] = clip(value + gain * (wanted - value), NODE_MAX) as f32;
            tables[NODES + at] = count;
        }
    };
    teach(season.hour.0, 1.0 - season.part, of_day);
    teach(season.hour.1, season.part, of_day);
    teach(season.week.0, 1.0 - season.part, of_week);
    teach(season.week.1, season.part, of_week);
}

pub fn learn_factor(tables: &mut [f32; TABLES], season: &Season, near: f64, away: f64, step: &Step) {
    if near <= 0.0 {
        return;
    }
    let ratio = (PER_MEAN * away / near).clamp(0.1, CLIP_SCALE) - 1.0;
    for (at, part) in [(season.hour.0, 1.0 - season.part), (season.hour.1, season.part)] {
        // The factors are visited with the hours.
        let gain = part * step.visit / (1.0 + f64::from(tables[NODES + at]));
        let factor = &mut tables[2 * NODES + at];
        let value = f64::from(*factor);
        *factor = (value + gain * (ratio - value)).max(-0.9) as f32;
    }
}
