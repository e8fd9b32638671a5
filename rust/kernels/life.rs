//! Places in calibrate's state array `life`: what is known of a series besides its tails.

pub const GAIN: usize = 0;
pub const TOTAL: usize = 1;
pub const SEEN: usize = 2;
pub const HIGH: usize = 3;
pub const HOLD_OPEN: usize = 5;
pub const HOLD_QUIET: usize = 6;
pub const INCIDENTS: usize = 7;
pub const EXCESS: usize = 8;
pub const ARMED: usize = 9;
pub const PEAK: usize = 10;
pub const PEAK_QUIET: usize = 11;
pub const COUNT: usize = 12;
pub const MEAN: usize = 13;
pub const SQUARES: usize = 14;
pub const CUT: usize = 15;
pub const SECOND: usize = 16;
pub const LIVELY: usize = 18;
/// Outages whose opening was taken back, counted with their age, and the point at which the last one was.
pub const TAKEN: usize = 19;
pub const TAKEN_AT: usize = 20;
/// From here on: the opening of the present incident, see `opening`.
pub const OPENING: usize = 21;
pub const OPENING_WIDTH: usize = 8;
/// From here on: what is known of a metric that counts, see `counts`.
pub const COUNTED: usize = OPENING + OPENING_WIDTH;
pub const LIFE: usize = COUNTED + super::counts::COUNTS;
