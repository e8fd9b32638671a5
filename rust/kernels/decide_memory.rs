//! What `decide` remembers of a series: where everything stands in its state arrays, and its rings.

// Places in `alert`. From VALUE to SIDE stands the peak: value, expected, lower, upper, score, confidence, side.
pub const OPEN_ENVELOPE: usize = 0;
pub const ENVELOPE: usize = 1;
pub const VALUE: usize = 2;
pub const SCORE: usize = 6;
pub const SIDE: usize = 8;
pub const MEAN: usize = 9;
pub const BEFORE: usize = 10;
/// The score at the peak: less than SCORE where a pattern within the band was stranger than any value.
pub const PEAK_SCORE: usize = 11;
pub const FLOATS: usize = 12;

// Places in `run`.
pub const HEAD: usize = 0;
pub const QUIET_HEAD: usize = 1;
pub const ACTIVE: usize = 2;
pub const OPEN: usize = 3;
pub const TIMED: usize = 4;
pub const LAPSED: usize = 5;
pub const COOL: usize = 6;
pub const ENDED: usize = 7;
pub const LAST_FLAGS: usize = 8;
pub const BEGUN: usize = 9;
pub const DECIDED: usize = 10;
pub const SHUT: usize = 11;
pub const PEAK: usize = 12;
pub const LAST: usize = 13;
pub const POINTS: usize = 14;
pub const FLAGS: usize = 15;
pub const AVERAGED: usize = 16;
/// Points on which there was an opinion.
pub const JUDGED: usize = 17;
/// What happened at the last point: events of `pipeline/policy.py`.
pub const SAID: usize = 18;
pub const INTS: usize = 19;

/// An alert as far as it is known: slice, then `run[BEGUN..=FLAGS]`, then `alert[VALUE..PEAK_SCORE]`.
pub struct Record {
    pub slice: usize,
    pub ints: [i64; FLAGS - BEGUN + 1],
    pub floats: [f64; PEAK_SCORE - VALUE],
}

/// The state of one series.
pub struct Memory<'a, 'b> {
    pub window: &'b mut &'a mut [f64],
    pub quiet: &'b mut &'a mut [f64],
    pub alert: &'b mut &'a mut [f64],
    pub moments: &'b mut &'a mut [i64],
    pub run: &'b mut &'a mut [i64],
    pub changed: bool,
}

impl Memory<'_, '_> {
    /// The score `back` points ago; 0 is the last one.
    pub fn ago(&self, back: usize) -> (f64, i64) {
        let size = self.window.len();
        let at = (self.run[HEAD] as usize + 2 * size - 1 - back) % size;
        (self.window[at], self.moments[at])
    }

    pub fn push_window(&mut self, score: f64, time: i64) {
        let at = self.run[HEAD] as usize;
        self.window[at] = score;
        self.moments[at] = time;
        self.run[HEAD] = ((at + 1) % self.window.len()) as i64;
    }

    pub fn push_quiet(&mut self, score: f64) {
        let at = self.run[QUIET_HEAD] as usize;
        self.quiet[at] = score;
        self.run[QUIET_HEAD] = ((at + 1) % self.quiet.len()) as i64;
    }

    /// Largest of the last `count` scores over `close_level`.
    pub fn recent(&self, count: usize) -> f64 {
        let size = self.quiet.len();
        if count == size {
            return self.quiet.iter().fold(0.0, |most, &s| f64::max(most, s));
        }
        let head = self.run[QUIET_HEAD] as usize;
        (0..count).fold(0.0, |most, back| f64::max(most, self.quiet[(head + 2 * size - 1 - back) % size]))
    }

    pub fn record(&self, slice: usize) -> Record {
        let mut ints = [0; FLAGS - BEGUN + 1];
        let mut floats = [0.0; PEAK_SCORE - VALUE];
        ints.copy_from_slice(&self.run[BEGUN..=FLAGS]);
        floats.copy_from_slice(&self.alert[VALUE..PEAK_SCORE]);
        Record { slice, ints, floats }
    }
}
