//! Features of the moment itself: where it stands in the day, the week, the month and the year of a time zone.

use std::f64::consts::TAU;

use super::seasonal_band_calendar::{civil, month_length, Calendar, Moment, DAY};

/// A moment with what only long seasons ask for.
pub struct Place {
    moment: Moment,
    hour: f64,
    /// Since 1970, local.
    days: i64,
    year: i64,
    month: i64,
    month_length: i64,
    /// From 0.
    day_of_year: i64,
    year_length: i64,
}

fn days_before(year: i64, month: i64) -> i64 {
    (1..month).map(|m| month_length(year, m)).sum()
}

/// Days from one 1 January to that of the year before or after.
fn days_between(year: i64, other: i64) -> i64 {
    if other > year {
        days_before(year, 13)
    } else {
        -days_before(other, 13)
    }
}

impl Place {
    pub fn of(calendar: &Calendar, nanos: i64) -> Self {
        let moment = calendar.at(nanos);
        let days = calendar.days(nanos);
        let (year, month, day) = civil(days);
        Self {
            hour: (moment.second / 3_600.0).floor(),
            days,
            year,
            month,
            month_length: month_length(year, month),
            day_of_year: days_before(year, month) + day - 1,
            year_length: days_before(year, 13),
            moment,
        }
    }

    /// Share of the local day that is over.
    fn of_day(&self) -> f64 {
        self.moment.second / DAY as f64
    }

    fn of_week(&self) -> f64 {
        (self.moment.weekday as f64 + self.of_day()) / 7.0
    }

    fn of_month(&self) -> f64 {
        (self.moment.day_of_month as f64 - 1.0 + self.of_day()) / self.month_length as f64
    }

    fn of_year(&self) -> f64 {
        (self.day_of_year as f64 + self.of_day()) / self.year_length as f64
    }

    /// ISO 8601: a week belongs to the year of its Thursday.
    fn week(&self) -> f64 {
        let (year, _, _) = civil(self.days + 3 - self.moment.weekday as i64);
        let first =
            self.days - self.day_of_year + if year == self.year { 0 } else { days_between(self.year, year) };
        ((self.days + 3 - self.moment.weekday as i64 - first) / 7 + 1) as f64
    }

    /// The feature of this code; see `features.rs`.
    pub fn say(&self, code: i64) -> f64 {
        let yes = |is: bool| f64::from(u8::from(is));
        match code {
            50 => self.hour,
            51 => self.moment.weekday as f64,
            52 => self.moment.day_of_month as f64,
            53 => yes(self.moment.weekday >= 5),
            54 => yes(self.moment.weekday < 5 && (9.0..17.0).contains(&self.hour)),
            55 => libm::sin(TAU * self.of_day()),
            56 => libm::cos(TAU * self.of_day()),
            57 => libm::sin(TAU * self.of_week()),
            58 => libm::cos(TAU * self.of_week()),
            59 => libm::sin(TAU * self.of_month()),
            60 => libm::cos(TAU * self.of_month()),
            61 => self.month as f64,
            62 => ((self.month + 2) / 3) as f64,
            63 => self.day_of_year as f64 + 1.0,
            64 => self.week(),
            65 => yes(self.moment.day_of_month == 1),
            66 => yes(self.moment.last_day),
            67 => yes(self.moment.holiday),
            68 => libm::sin(TAU * self.of_year()),
            69 => libm::cos(TAU * self.of_year()),
            _ => f64::NAN,
        }
    }
}
