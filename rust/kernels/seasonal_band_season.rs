//! Seasons of the band: tables over local time that are linear between their nodes, each weighted by how well it
//! has foretold so far.

use super::seasonal_band_calendar::Moment;
use super::seasonal_band_core::{clip, Core};
use super::seasonal_band_level::{FAST_GAIN, HUBER};
use super::seasonal_band_table::{Between, Table};

pub const HOUR: Table = Table { at: 0, nodes: 24, visit: 3_600.0, memory: 14.0 };
/// Five minutes of a day from Monday to Friday, and of a day of the weekend.
pub const FINE: Table = Table { at: 48, nodes: 576, visit: 300.0, memory: 20.0 };
pub const WEEKDAY: Table = Table { at: 1200, nodes: 7, visit: 86_400.0, memory: 6.0 };
pub const WEEK: Table = Table { at: 1214, nodes: 336, visit: 1_800.0, memory: 6.0 };
/// 31 days of the month, last day, first and last business day, holiday.
pub const FACTOR: Table = Table { at: 1886, nodes: 35, visit: 86_400.0, memory: 12.0 };
/// One-step distances by hour, relative to the one-step scale.
pub const SPREAD: Table = Table { at: 1956, nodes: 24, visit: 3_600.0, memory: 14.0 };
pub const WIDTH: usize = 2004;

const LAST_DAY: usize = 31;
const FIRST_BUSINESS_DAY: usize = 32;
const LAST_BUSINESS_DAY: usize = 33;
const HOLIDAY: usize = 34;
const SUNDAY: usize = 6;
/// Visits a factor must have before it counts half.
const FACTOR_PRIOR: f64 = 3.0;
const SPREAD_PRIOR: f64 = 2.0;
/// Evidence, in hours at the far scale, that the prior of a table's weight is worth.
const WEIGHT_PRIOR_HOURS: f64 = 2.0;
/// The same for the worth of the season as a whole, in hours at the one-step scale.
const WORTH_PRIOR_HOURS: f64 = 3.0;
const DAY: f64 = 86_400.0;
/// What recurs against the tables is taken over quickly.
const RECURRENCE_MEMORY: f64 = 2.0;
/// Square of the distance, in scales of the distance from the last hours' mean, at which a five-minute node counts half whatever its table is worth.
const CLEAR: f64 = 25.0;
const LOCAL_SECONDS: f64 = 7_200.0;
const WEIGHT_MEMORY: f64 = 14.0 * 86_400.0;

/// 0 before a node has been seen through once, 1 from then on: a visit does not foretell itself.
fn ready(visits: f64) -> f64 {
    ((visits - 0.5) / 0.45).clamp(0.0, 1.0)
}

/// Which tables learn from a value.
#[derive(Clone, Copy, PartialEq)]
pub enum Learns {
    All,
    /// Five minutes of the day.
    Moment,
    Daily,
    Weekly,
}

/// Striking values by place in the day and in the week, NaN where the last visit had none: what is strange today and
/// was there yesterday, or a week ago, is a season.
pub const ECHO_DAY: usize = 288;
pub const ECHO_WIDTH: usize = ECHO_DAY + 336;
/// Striking values are the same if they differ by no more than this share of their distance.
const SAME: f64 = 0.35;

/// A value whose last bit says whether it had been there the time before, too.
fn marked(value: f64, again: bool) -> f32 {
    f32::from_bits((value as f32).to_bits() & !1 | u32::from(again))
}

fn is_marked(value: f32) -> bool {
    value.to_bits() & 1 == 1
}

/// Whether a value stands out: beyond the gate, far from level + season, or from the last hours' distance from them.
pub fn is_striking(core: &Core, outside: bool, rest: f64) -> bool {
    outside || rest.abs() > HUBER * core.far || (rest - core.local).abs() > HUBER * core.ripple
}

/// Keep a striking value in mind for the next day and week; where it recurs, say which tables learn from it.
/// It must have been there twice before, or `once` where runs are common. `lasted`: seconds of the run, this value
/// included. One that is longer than a day would meet itself in yesterday's echo.
pub fn recall(
    core: &mut Core,
    echo: &mut [f32],
    m: &Moment,
    striking: bool,
    value: f64,
    rest: f64,
    lasted: f64,
    once: bool,
) -> Option<Learns> {
    let day = (m.second / 300.0) as usize % ECHO_DAY;
    let week = m.weekday * 48 + (m.second / 1_800.0) as usize % 48;
    // A visit is written down when it is over: it must not recognise itself.
    if core.day_node != day as f64 {
        echo[core.day_node as usize] = core.day_value as f32;
        (core.day_node, core.day_value) = (day as f64, f64::NAN);
    }
    if core.week_node != week as f64 {
        echo[ECHO_DAY + core.week_node as usize] = core.week_value as f32;
        (core.week_node, core.week_value) = (week as f64, f64::NAN);
    }
    if !striking {
        return None;
    }
    let near = |before: f32| (value - f64::from(before)).abs() <= SAME * rest.abs();
    core.day_value = f64::from(marked(value, near(echo[day])));
    core.week_value = f64::from(marked(value, near(echo[ECHO_DAY + week])));
    let near = |before: f32| (once || is_marked(before)) && near(before);
    // A burst of five minutes teaches five minutes: hours learn from what lasts that long.
    if lasted < 0.9 * DAY && near(echo[day]) {
        Some(if lasted < HOUR.visit { Learns::Moment } else { Learns::Daily })
    } else if (WEEK.visit..6.9 * DAY).contains(&lasted) && near(echo[ECHO_DAY + week]) {
        Some(Learns::Weekly)
    } else {
        None
    }
}

fn fine_on(weekday: usize, second: f64) -> Between {
    Between::at(second / 300.0, 288).moved(if weekday < 5 { 0 } else { 288 })
}

fn half_hours(weekday: usize, hours: f64) -> Between {
    Between::at((weekday as f64 * 24.0 + hours) * 2.0, 336)
}

/// Days of the week are nodes at noon: their difference is not a step at midnight.
fn noon_to_noon(weekday: usize, hours: f64) -> Between {
    Between::at((weekday as f64 + 6.5 + hours / 24.0) % 7.0, 7)
}

/// One table's word on a moment.
#[derive(Clone, Copy, Default)]
pub struct Part {
    /// What it holds, whatever it is worth.
    raw: f64,
    ready: f64,
    weight: f64,
}

impl Part {
    fn used(&self) -> f64 {
        self.raw * self.ready * self.weight
    }
}

/// All tables' words on a moment.
pub struct Season {
    hour_at: Between,
    fine_at: Between,
    week_at: Between,
    day_at: Between,
    holiday: bool,
    hour: Part,
    fine: Part,
    day: Part,
    week: Part,
    /// On a holiday: how the same hour of a Sunday differs.
    sunday: Part,
    /// Day of the month, last day, business days, holiday, together.
    factors: Part,
    active: [Option<usize>; 5],
    /// Sum of what is used: the season's distance from the level.
    pub total: f64,
    /// What of it the last values do not tell already, and what that is worth one step ahead.
    pub news: f64,
    pub worth: f64,
    /// Variance of not knowing yet whether a holiday is like a Sunday.
    pub unsure: f64,
    /// Relative scale of the hour.
    pub spread: f64,
}

fn weight(xy: f64, xx: f64, ridge: f64, prior: f64) -> f64 {
    ((xy + ridge * prior) / (xx + ridge)).clamp(0.0, 1.0)
}

fn part(table: Table, cells: &[f32], b: Between, weight: f64) -> Part {
    Part { raw: table.read(cells, b), ready: ready(table.visits(cells, b)), weight }
}

/// An edge or a job stands far out of what is usual within hours: it is not shrunk by what the rest of its table is worth.
fn clear(part: Part, ripple: f64) -> Part {
    let (signal, noise) = (part.raw * part.raw, CLEAR * ripple * ripple);
    Part { weight: part.weight.max(signal / (signal + noise + f64::MIN_POSITIVE)), ..part }
}

fn factor(cells: &[f32], index: usize) -> f64 {
    let b = Between::only(index);
    let n = FACTOR.visits(cells, b);
    FACTOR.read(cells, b) * n / (n + FACTOR_PRIOR)
}

/// What the season is worth one step ahead. A metric that wanders has something like a season for some days, and it
/// foretells nothing.
fn worth(core: &Core) -> f64 {
    let ridge = WORTH_PRIOR_HOURS * core.near * core.near + f64::MIN_POSITIVE;
    weight(core.worth_xy, core.worth_xx, ridge, 1.0)
}

impl Season {
    pub fn at(core: &Core, cells: &[f32], moment: &Moment) -> Self {
        let ridge = WEIGHT_PRIOR_HOURS * core.far * core.far + f64::MIN_POSITIVE;
        let day_ridge = 24.0 * ridge;
        let hours = moment.second / 3_600.0;
        let hour_at = Between::at(hours, 24);
        let fine_at = fine_on(moment.weekday, moment.second);
        let week_at = half_hours(moment.weekday, hours);
        let day_at = noon_to_noon(moment.weekday, hours);
        let hour = part(HOUR, cells, hour_at, weight(core.hour_xy, core.hour_xx, ridge, 0.5));
        let fine_weight = weight(core.fine_xy, core.fine_xx, ridge, 0.2);
        let ripple = core.near.max(core.ripple);
        let fine = clear(part(FINE, cells, fine_at, fine_weight), ripple);
        let day_weight = weight(core.weekday_xy, core.weekday_xx, day_ridge, 0.3);
        let day = part(WEEKDAY, cells, day_at, day_weight);
        let week_weight = weight(core.week_xy, core.week_xx, ridge, 0.2);
        let week = part(WEEK, cells, week_at, week_weight);
        let mut sunday = Part::default();
        if moment.holiday && moment.weekday != SUNDAY {
            let at = half_hours(SUNDAY, hours);
            let like = part(WEEKDAY, cells, noon_to_noon(SUNDAY, hours), day_weight).used()
                + part(WEEK, cells, at, week_weight).used();
            let fine_like = part(FINE, cells, fine_on(SUNDAY, moment.second), fine_weight);
            let raw = like + clear(fine_like, ripple).used() - day.used() - week.used() - fine.used();
            sunday = Part { raw, ready: 1.0, weight: weight(core.holiday_xy, core.holiday_xx, ridge, 0.5) };
        }
        let half = 0.5 * sunday.raw;
        let unsure = half * half * ridge / (core.holiday_xx + ridge);
        let flags = [
            (true, moment.day_of_month - 1),
            (moment.last_day, LAST_DAY),
            (moment.first_business_day, FIRST_BUSINESS_DAY),
            (moment.last_business_day, LAST_BUSINESS_DAY),
            (moment.holiday, HOLIDAY),
        ];
        let active = flags.map(|(on, index)| on.then_some(index));
        let factors = Part {
            raw: active.iter().flatten().map(|&index| factor(cells, index)).sum(),
            ready: 1.0,
            weight: weight(core.factor_xy, core.factor_xx, day_ridge, 0.0),
        };
        let total = hour.used() + fine.used() + day.used() + week.used() + sunday.used() + factors.used();
        let news = total - (core.w1 * core.said1 + core.w2 * core.said2 + core.w3 * core.said_fast);
        let worth = worth(core);
        let n = SPREAD.visits(cells, hour_at);
        let spread = ((n * SPREAD.read(cells, hour_at) + SPREAD_PRIOR) / (n + SPREAD_PRIOR)).max(0.3);
        let holiday = moment.holiday;
        #[rustfmt::skip]
        let season = Season {
            hour_at, fine_at, week_at, day_at, holiday, hour, fine, day, week, sunday, factors, active, total, news, worth,
            unsure, spread,
        };
        season
    }

    /// What the tables of the day say.
    pub fn daily(&self) -> f64 {
        self.hour.used() + self.fine.used()
    }

    /// Learn what the season is worth one step ahead: the regression of errors on what it adds to what the last values
    /// tell. `error` is NaN where it says nothing.
    pub fn learn_worth(&self, core: &mut Core, error: f64, seconds: f64) {
        if error.is_finite() {
            let hours = (seconds / 3_600.0).min(1.0);
            let keep = 1.0 / (1.0 + seconds / WEIGHT_MEMORY);
            // A step of the season may be confirmed in full, however far out of the noise.
            let due = clip(error, (HUBER * core.near).max(self.news.abs())) + self.worth * self.news;
            core.worth_xy = core.worth_xy * keep + hours * self.news * due;
            core.worth_xx = core.worth_xx * keep + hours * self.news * self.news;
        }
        core.said2 = core.said1;
        core.said1 = self.total;
        core.said_fast += FAST_GAIN * (self.total - core.said_fast);
    }

    /// Learn from the distance of a value from level + season: what is believed clipped and by all tables, what
    /// recurs in full and by the tables of the recurrence only.
    pub fn learn(&self, core: &mut Core, cells: &mut [f32], rest: f64, seconds: f64, which: Learns) {
        let hours = (seconds / 3_600.0).min(1.0);
        let keep = 1.0 / (1.0 + seconds / WEIGHT_MEMORY);
        let weigh = |xy: &mut f64, xx: &mut f64, part: &Part| {
            let x = part.raw * part.ready;
            *xy = *xy * keep + hours * x * (rest + part.used());
            *xx = *xx * keep + hours * x * x;
        };
        let error = |part: &Part| rest + part.used() - part.raw;
        // Five-minute nodes learn what differs from the hours around: what lasts is for the other tables.
        core.local += (seconds / LOCAL_SECONDS).min(1.0) * (clip(rest, HUBER * core.far) - core.local);
        let memory = if which == Learns::All { f64::INFINITY } else { RECURRENCE_MEMORY };
        let weekly = matches!(which, Learns::All | Learns::Weekly);
        let hourly = matches!(which, Learns::All | Learns::Daily);
        let finely = which != Learns::Weekly;
        if hourly {
            weigh(&mut core.hour_xy, &mut core.hour_xx, &self.hour);
        }
        if finely {
            weigh(&mut core.fine_xy, &mut core.fine_xx, &self.fine);
        }
        if self.holiday && which == Learns::All {
            weigh(&mut core.holiday_xy, &mut core.holiday_xx, &self.sunday);
        }
        if hourly && !self.holiday {
            HOUR.learn(cells, self.hour_at, error(&self.hour), seconds, memory);
        }
        if finely && !self.holiday {
            FINE.learn(cells, self.fine_at, error(&self.fine) - core.local, seconds, memory);
        }
        if weekly && !self.holiday {
            weigh(&mut core.weekday_xy, &mut core.weekday_xx, &self.day);
            weigh(&mut core.week_xy, &mut core.week_xx, &self.week);
            WEEKDAY.learn(cells, self.day_at, error(&self.day), seconds, memory);
            WEEK.learn(cells, self.week_at, error(&self.week), seconds, memory);
        }
        if which != Learns::All {
            return;
        }
        weigh(&mut core.factor_xy, &mut core.factor_xx, &self.factors);
        let without = rest + self.factors.used();
        for index in self.active.iter().flatten() {
            // What the other factors of the day explain is not this one's.
            let others = self.factors.raw - factor(cells, *index);
            let b = Between::only(*index);
            FACTOR.learn(cells, b, without - others - FACTOR.read(cells, b), seconds, memory);
        }
    }

    /// Learn the hour's scale from a one-step distance relative to the common one-step scale.
    pub fn learn_spread(&self, cells: &mut [f32], relative: f64, seconds: f64) {
        SPREAD.learn_means(cells, self.hour_at, relative.min(5.0), seconds);
    }
}

/// Scale the tables of the day, when a level is adopted whose daily swing is another.
pub fn multiply(cells: &mut [f32], factor: f64) {
    for table in [HOUR, FINE] {
        table.multiply(cells, factor);
    }
}
