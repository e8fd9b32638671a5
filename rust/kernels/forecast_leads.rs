//! What made values depart from their forecasts: the last spells of such values, and the parts of each spell's first error.
//!
//! State: `spells` i64[2 * SPELLS], first and last time of each; `spell` i64[2], 0 while none is open, else 1 and the usual
//! points in turn, then spells so far; `leads` f64[2 * LEADS * SPELLS], number and share of the largest parts.

/// Scales from which on an error belongs to a spell.
pub const ODD: f64 = 3.0;
/// Usual points in turn after which a spell is over.
const CALM: i64 = 12;
pub const LEADS: usize = 3;

pub struct Spells<'a> {
    pub spells: &'a mut [i64],
    pub spell: &'a mut [i64],
    pub leads: &'a mut [f64],
}

impl Spells<'_> {
    /// A point whose error is odd or not; whether a spell begins with it.
    pub fn step(&mut self, time: i64, odd: bool) -> bool {
        let open = self.spell[0] != 0;
        if !odd {
            // What no run wrote is over as well.
            let calm = self.spell[0].clamp(0, CALM);
            self.spell[0] = if open && calm < CALM { calm + 1 } else { 0 };
            return false;
        }
        if !open {
            self.spell[1] = self.spell[1].wrapping_add(1);
            self.spells[2 * self.place()] = time;
        }
        self.spell[0] = 1;
        self.spells[2 * self.place() + 1] = time;
        !open
    }

    fn place(&self) -> usize {
        self.spell[1].rem_euclid((self.spells.len() / 2) as i64) as usize
    }

    /// Keeps the largest of the parts that have the sign of the `error` that they add up to, by number, as shares.
    pub fn note(&mut self, parts: &[f64], error: f64) {
        let with = |part: f64| if part * error.signum() > 0.0 { part.abs() } else { 0.0 };
        let mut whole = 0.0;
        for &part in parts {
            whole += with(part);
        }
        let place = self.place();
        let lead = &mut self.leads[2 * LEADS * place..][..2 * LEADS];
        lead.fill(f64::NAN);
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by(|&a, &b| with(parts[b]).total_cmp(&with(parts[a])));
        for (to, &number) in order.iter().take(LEADS).enumerate() {
            let share = with(parts[number]) / whole;
            if share > 0.0 {
                lead[2 * to] = number as f64;
                lead[2 * to + 1] = share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_lasts_until_it_is_calm() {
        let (mut times, mut open, mut kept) = ([i64::MIN; 4], [0; 2], [f64::NAN; 12]);
        let mut spells = Spells { spells: &mut times, spell: &mut open, leads: &mut kept };
        assert!(spells.step(10, true));
        spells.note(&[3.0, -9.0, 1.0], 4.0);
        for time in 11..20 {
            assert!(!spells.step(time, false));
        }
        assert!(!spells.step(20, true));
        for time in 21..40 {
            spells.step(time, false);
        }
        assert!(spells.step(40, true));
        spells.note(&[0.0, -1.0], -1.0);
        assert_eq!(times, [40, 40, 10, 20]);
        assert_eq!(kept[..2], [1.0, 1.0]);
        assert_eq!(kept[6..10], [0.0, 0.75, 2.0, 0.25]);
    }
}
