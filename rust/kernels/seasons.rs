//! What came at the same place of the seasons before: a slot for each, with the time at which it was written.

/// Seasons back to which a slot counts.
const BACK: i64 = 4;
/// How far from a whole number of seasons a slot may lie, in slots.
const BESIDE: i64 = 2;

pub struct Seasons<'a> {
    pub values: &'a mut [f64],
    pub times: &'a mut [i64],
    /// Length of a season, ns; 0 is none.
    pub season: i64,
}

impl Seasons<'_> {
    fn width(&self) -> i64 {
        (self.season / self.values.len() as i64).max(1)
    }

    fn slot(&self, time: i64) -> usize {
        ((time.rem_euclid(self.season) / self.width()) as usize).min(self.values.len() - 1)
    }

    /// What stands nearest to whole seasons before this time: of the last one if there is any, else of those before.
    pub fn before(&self, time: i64) -> Option<f64> {
        if self.season == 0 {
            return None;
        }
        let (slot, count) = (self.slot(time), self.values.len());
        let mut best = (BACK + 1, i64::MAX, f64::NAN);
        for slot in [slot, (slot + 1) % count, (slot + count - 1) % count] {
            let age = time.saturating_sub(self.times[slot]);
            let seasons = age.saturating_add(self.season / 2) / self.season;
            let beside = age.saturating_sub(seasons.saturating_mul(self.season)).saturating_abs();
            let usable = (1..=BACK).contains(&seasons) && beside <= BESIDE * self.width();
            if usable && !self.values[slot].is_nan() && (seasons, beside) < (best.0, best.1) {
                best = (seasons, beside, self.values[slot]);
            }
        }
        (!best.2.is_nan()).then_some(best.2)
    }

    pub fn write(&mut self, time: i64, value: f64) {
        if self.season != 0 {
            let slot = self.slot(time);
            self.values[slot] = value;
            self.times[slot] = time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_season_that_is_known_counts() {
        let (mut values, mut times) = (vec![f64::NAN; 24], vec![0; 24]);
        let mut seasons = Seasons { values: &mut values, times: &mut times, season: 2400 };
        let start = 24_000;
        assert_eq!(seasons.before(start), None);
        seasons.write(start, 5.0);
        assert_eq!(seasons.before(start), None, "no season has passed");
        assert_eq!(seasons.before(start + 2400), Some(5.0));
        assert_eq!(seasons.before(start + 2400 + 150), Some(5.0), "a slot beside it");
        assert_eq!(seasons.before(start + 3 * 2400), Some(5.0));
        assert_eq!(seasons.before(start + 5 * 2400), None, "too long ago");
    }
}
