//! Where a moment stands in the calendar of a time zone: pure integer arithmetic over tables that are data.

/// Transition instants of a zone (seconds since 1970, ascending), the offset from UTC that holds from each of
/// them on, and the days (since 1970, local) that are holidays, ascending.
pub struct Calendar {
    pub zone_from: Vec<i64>,
    pub zone_offset: Vec<i64>,
    pub holidays: Vec<i64>,
}

/// What seasons are keyed by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Seconds since local midnight, with the fraction.
    pub second: f64,
    /// 0 is Monday.
    pub weekday: usize,
    /// 1 to 31.
    pub day_of_month: usize,
    pub last_day: bool,
    pub first_business_day: bool,
    pub last_business_day: bool,
    pub holiday: bool,
}

pub const DAY: i64 = 86_400;

/// Year, month and day of a number of days since 1970 (proleptic Gregorian calendar).
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let moved_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * moved_month + 2) / 5 + 1;
    let month = if moved_month < 10 { moved_month + 3 } else { moved_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

impl Calendar {
    fn offset(&self, seconds: i64) -> i64 {
        let after = self.zone_from.partition_point(|&from| from <= seconds);
        self.zone_offset.get(after.saturating_sub(1)).copied().unwrap_or(0)
    }

    fn is_holiday(&self, days: i64) -> bool {
        self.holidays.binary_search(&days).is_ok()
    }

    fn business(&self, days: i64) -> bool {
        weekday(days) < 5 && !self.is_holiday(days)
    }

    /// Seconds since local midnight, the hour they are in, and the day of the week, 0 for Monday: what a slim band needs
    /// of a moment.
    #[inline]
    pub fn of_week(&self, nanos: i64) -> (f64, usize, usize) {
        let seconds = nanos.div_euclid(1_000_000_000);
        let local = seconds + self.offset(seconds);
        let days = local.div_euclid(DAY);
        let whole = local - days * DAY;
        let second = whole as f64 + nanos.wrapping_sub(seconds.wrapping_mul(1_000_000_000)) as f64 * 1e-9;
        (second, (whole / 3_600) as usize, weekday(days) as usize)
    }

    /// Local days since 1970.
    pub fn days(&self, nanos: i64) -> i64 {
        let seconds = nanos.div_euclid(1_000_000_000);
        (seconds + self.offset(seconds)).div_euclid(DAY)
    }

    /// The moment `nanos` after 1970 in UTC.
    pub fn at(&self, nanos: i64) -> Moment {
        let seconds = nanos.div_euclid(1_000_000_000);
        let local = seconds + self.offset(seconds);
        let days = local.div_euclid(DAY);
        let (year, month, day) = civil(days);
        let length = month_length(year, month);
        let business = self.business(days);
        Moment {
            second: local.rem_euclid(DAY) as f64 + nanos.rem_euclid(1_000_000_000) as f64 * 1e-9,
            weekday: weekday(days) as usize,
            day_of_month: day as usize,
            last_day: day == length,
            // The few days before the first and after the last business day are looked at only near the ends.
            first_business_day: business && day <= 7 && !(1..day).any(|back| self.business(days - back)),
            last_business_day: business
                && length - day <= 7
                && !(1..=length - day).any(|ahead| self.business(days + ahead)),
            holiday: self.is_holiday(days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(-1), (1969, 12, 31));
    }

    #[test]
    fn local_time_moves_with_the_zone() {
        let calendar =
            Calendar { zone_from: vec![i64::MIN, 1_000], zone_offset: vec![0, 3_600], holidays: vec![0] };
        assert_eq!(calendar.at(999_500_000_000).second, 999.5);
        assert_eq!(calendar.at(1_000_000_000_000).second, 4_600.0);
        assert!(calendar.at(0).holiday);
        assert_eq!(calendar.at(0).weekday, 3);
    }
}
