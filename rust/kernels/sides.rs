//! What one point is to `calibrate`: the score of the band's member by row.

use super::buckets::{bin_of, HIGHEST};
use super::counts::Counts;
use super::life::{HIGH, SECOND};

#[derive(Clone, Copy, PartialEq)]
pub enum Direction {
    Both,
    Above,
    Below,
}

/// One point: its scores by row, NaN where it has none.
pub struct Sides {
    pub rows: [f64; 2],
    pub bins: [usize; 2],
    /// The score has a direction and a unit, so limits mean something.
    pub signed: bool,
    pub value: f64,
    pub expected: f64,
    /// Where the metric counts something.
    pub counts: Option<Counts>,
}

impl Sides {
    pub fn of(direction: Direction, rows: usize, value: f64, score: f64, expected: f64, scale: f64) -> Sides {
        let signed = scale.is_finite() && scale >= 0.0 && expected.is_finite();
        let rows = if signed {
            // A scale of 0 cannot divide: the detector's own score then says how strange the point is.
            let away = value - expected;
            let z = if scale > 0.0 { away / scale } else { score * away.signum() };
            let z = z.clamp(-HIGHEST, HIGHEST);
            let (above, below) = if z.is_nan() { (z, z) } else { (z.max(0.0), (-z).max(0.0)) };
            match (direction, rows) {
                (Direction::Both, 2) => [above, below],
                (Direction::Both, _) => {
                    [if score.is_nan() { z.abs() } else { score.clamp(0.0, HIGHEST) }, 0.0]
                }
                (Direction::Above, _) => [above, 0.0],
                (Direction::Below, _) => [below, 0.0],
            }
        } else {
            [score.clamp(0.0, HIGHEST), 0.0]
        };
        Sides { rows, bins: rows.map(bin_of), signed, value, expected, counts: None }
    }

    /// Keeps the two highest scores of each row among ordinary points and openings of incidents. The second of them
    /// widens the prior: one incident does not blind for the next, and bursts that come again are soon no news.
    pub fn widen(&self, life: &mut [f64]) {
        for (row, &score) in self.rows.iter().enumerate() {
            let (first, second) = (life[HIGH + row], life[SECOND + row]);
            life[HIGH + row] = first.max(score);
            life[SECOND + row] = second.max(score.min(first));
        }
    }
}
