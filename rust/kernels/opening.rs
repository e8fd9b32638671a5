//! The opening point of an incident is learned in full; it is taken back when the detector says that it began an outage.
//!
//! Noise must be learned with its extremes, or every extreme stays news. An outage is no noise: once the detector holds
//! back learning, what its opening taught is undone, so that the next outage is news again.

/// What was learned from an opening, and what stood before it.
pub struct Opening<'a>(&'a mut [f64]);

const IS_OPEN: usize = 0;
const GAIN: usize = 1;
const SCORES: usize = 2;
const HIGHEST: usize = 4;
pub const WIDTH: usize = 8;

impl<'a> Opening<'a> {
    pub fn of(cells: &'a mut [f64]) -> Opening<'a> {
        Opening(cells)
    }

    /// An incident opens with these scores; `highest` are the two highest of each row before it.
    pub fn note(&mut self, scores: [f64; 2], highest: [f64; 4]) {
        self.0[IS_OPEN] = 1.0;
        self.0[GAIN] = 0.0;
        self.0[SCORES..HIGHEST].copy_from_slice(&scores);
        self.0[HIGHEST..WIDTH].copy_from_slice(&highest);
    }

    /// The point went into the buckets with this weight.
    pub fn learned(&mut self, gain: f64) {
        self.0[GAIN] = gain;
    }

    /// The incident is over and was none to take back.
    pub fn forget(&mut self) {
        self.0[IS_OPEN] = 0.0;
    }

    pub fn shrink(&mut self, factor: f64) {
        self.0[GAIN] *= factor;
    }

    /// Weight, scores and highest scores to undo; None if there is nothing to take back.
    pub fn take(&mut self) -> Option<(f64, [f64; 2], [f64; 4])> {
        if self.0[IS_OPEN] == 0.0 {
            return None;
        }
        self.0[IS_OPEN] = 0.0;
        let c = &self.0;
        Some((
            c[GAIN],
            [c[SCORES], c[SCORES + 1]],
            [c[HIGHEST], c[HIGHEST + 1], c[HIGHEST + 2], c[HIGHEST + 3]],
        ))
    }
}
