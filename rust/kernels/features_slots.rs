//! Readings by time: a ring of slots of one interval each, so that a lag or a window is one of time and not of rows.
//!
//! A reading belongs to the slot whose moment is nearest. The moments follow the readings: an eighth of what a reading
//! is off its slot moves the next ones, so that neither jitter nor a clock that is slightly off drops a reading. A slot
//! without a reading holds NaN; of several readings in one slot the last counts.
//!
//! State of a series: `marks` i64 (see the `M_` constants), `ring` f64[columns * capacity], `recent` f64[RECENT *
//! columns], the values of the last points, from which the interval is learned where nobody gives it.

pub const RECENT: usize = 8;
/// The interval, the moment of the newest slot, its place in the ring, slots since the first, points kept in `recent`.
const M_INTERVAL: usize = 0;
const M_MOMENT: usize = 1;
const M_HEAD: usize = 2;
const M_AGE: usize = 3;
const M_COUNT: usize = 4;
const M_TIMES: usize = 5;
pub const MARKS: usize = M_TIMES + RECENT;

/// Share of what a reading is off its slot by which the slots follow.
const FOLLOW: i64 = 8;

pub struct Slots<'a> {
    pub marks: &'a mut [i64],
    pub ring: &'a mut [f64],
    pub recent: &'a mut [f64],
    pub columns: usize,
    pub capacity: usize,
}

/// What a point did to the ring.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Moved {
    /// The interval is not known yet.
    Waits,
    /// So many slots on; 0: the newest slot was written anew.
    By(usize),
    /// Nothing of what was in the ring is left in its place.
    Anew,
}

impl Slots<'_> {
    /// Slots from the first to the newest, both counted.
    pub fn age(&self) -> usize {
        self.marks[M_AGE].max(0) as usize
    }

    /// The value `back` slots before the newest.
    #[inline]
    pub fn at(&self, column: usize, back: usize) -> f64 {
        let head = self.marks[M_HEAD] as usize;
        let place = if head >= back { head - back } else { head + self.capacity - back };
        self.ring[column * self.capacity..(column + 1) * self.capacity][place]
    }

    /// The same as two pieces of the ring, each from older to newer: the newest `head + 1` cells, and those before.
    pub fn pieces(&self, column: usize) -> (&[f64], &[f64]) {
        let (newer, older) = self.ring[column * self.capacity..(column + 1) * self.capacity]
            .split_at(self.marks[M_HEAD] as usize + 1);
        (newer, older)
    }

    /// Takes in one point; `interval` 0: learned from the first points, and anew where the readings keep to another.
    pub fn take(&mut self, time: i64, values: &[f64], interval: i64) -> Moved {
        if interval > 0 {
            self.marks[M_INTERVAL] = interval;
            return self.place(time, values);
        }
        self.remember(time, values);
        if !self.must_learn() {
            return if self.marks[M_INTERVAL] > 0 { self.place(time, values) } else { Moved::Waits };
        }
        self.learn();
        Moved::Anew
    }

    fn remember(&mut self, time: i64, values: &[f64]) {
        let times = &mut self.marks[M_TIMES..];
        times.copy_within(1.., 0);
        times[RECENT - 1] = time;
        self.recent.copy_within(self.columns.., 0);
        self.recent[(RECENT - 1) * self.columns..].copy_from_slice(values);
        self.marks[M_COUNT] = (self.marks[M_COUNT] + 1).clamp(1, RECENT as i64);
    }

    fn steps(&self) -> [i64; RECENT - 1] {
        let times = &self.marks[M_TIMES..];
        std::array::from_fn(|i| times[i + 1].saturating_sub(times[i]).max(1))
    }

    fn median(&self) -> i64 {
        let mut steps = self.steps();
        steps.sort_unstable();
        steps[RECENT / 2 - 1]
    }

    /// There are enough points and no interval yet, or the last steps keep to another one. Steps that keep to none change
    /// nothing: windows would begin anew again and again.
    fn must_learn(&self) -> bool {
        let interval = self.marks[M_INTERVAL];
        if self.marks[M_COUNT] < RECENT as i64 {
            return false;
        }
        let median = self.median();
        interval <= 0
            || ((median - interval).abs() > interval / 4
                && self.steps().iter().all(|step| (step - median).abs() <= median / 4))
    }

    /// The interval is the median of the last steps, and what is known are the last points.
    fn learn(&mut self) {
        self.marks[M_INTERVAL] = self.median();
        self.marks[M_AGE] = 0;
        self.marks[M_COUNT] = 0;
        let recent = self.recent.to_vec();
        for (i, values) in recent.chunks_exact(self.columns).enumerate() {
            self.place(self.marks[M_TIMES + i], values);
        }
    }

    fn place(&mut self, time: i64, values: &[f64]) -> Moved {
        if self.marks[M_AGE] <= 0 {
            self.clear();
            self.marks[M_MOMENT] = time;
            self.marks[M_AGE] = 1;
            self.write(values);
            return Moved::Anew;
        }
        let interval = self.marks[M_INTERVAL];
        let ahead = time.saturating_sub(self.marks[M_MOMENT]);
        let slots = ahead.saturating_add(interval / 2).div_euclid(interval).max(0);
        self.marks[M_AGE] = self.marks[M_AGE].saturating_add(slots);
        if slots >= self.capacity as i64 {
            self.clear();
            self.marks[M_MOMENT] = time;
            self.write(values);
            return Moved::Anew;
        }
        let off = ahead - slots * interval;
        self.marks[M_MOMENT] = self.marks[M_MOMENT] + slots * interval + off / FOLLOW;
        for _ in 0..slots {
            let head = self.marks[M_HEAD] as usize + 1;
            self.marks[M_HEAD] = if head >= self.capacity { 0 } else { head as i64 };
            self.fill(f64::NAN);
        }
        self.write(values);
        Moved::By(slots as usize)
    }

    fn clear(&mut self) {
        self.ring.fill(f64::NAN);
        self.marks[M_HEAD] = 0;
    }

    fn fill(&mut self, value: f64) {
        let head = self.marks[M_HEAD] as usize;
        for cells in self.ring.chunks_exact_mut(self.capacity) {
            cells[head] = value;
        }
    }

    fn write(&mut self, values: &[f64]) {
        let head = self.marks[M_HEAD] as usize;
        for (cells, &value) in self.ring.chunks_exact_mut(self.capacity).zip(values) {
            cells[head] = value;
        }
    }
}
