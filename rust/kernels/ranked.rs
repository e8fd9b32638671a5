//! A window that moves over many points at once: all values of a stretch are ranked together, after which a value
//! that enters or leaves is one bit, and the median is a cursor that moves to a neighbouring bit.
//!
//! A stretch is the window and the values that are to enter it. Each has a slot, its place in the order of all of
//! them; a bit says whether it is in the window now. Slots 0 and last are guards, always set, at minus and plus
//! infinity. Nothing here is kept between batches: `sorted.rs` holds the same window in the state.

use super::sorted::half;

/// Values that are ranked together, at least; longer windows take as many as they hold.
const STRETCH_MIN: usize = 1024;
/// Low bits of a sorting key that hold the place of the value instead of its last digits.
const PLACE: u64 = (1 << 16) - 1;

pub struct Ranked {
    window: usize,
    /// Values in order of time: those that left, those of the window, those to come.
    values: Vec<f64>,
    /// Slot of each of them.
    slots: Vec<u32>,
    /// By slot: the value, and its place in `values`.
    sorted: Vec<f64>,
    places: Vec<u32>,
    /// By slot, 64 to a word: in the window or not.
    present: Vec<u64>,
    /// How many left.
    gone: usize,
    /// Slot of the (lower) median, and of the first and last of the half of the window nearest to it.
    median: usize,
    low: usize,
    high: usize,
    /// Rank of `low` within the window.
    start: usize,
}

/// Places of the values in ascending order of value.
fn ranking(values: &[f64]) -> Vec<u64> {
    let key = |(place, value): (usize, &f64)| {
        let bits = value.to_bits();
        let ascending = bits ^ (((bits as i64 >> 63) as u64) | 1 << 63);
        (ascending & !PLACE) | place as u64
    };
    let mut keys: Vec<u64> = values.iter().enumerate().map(key).collect();
    keys.sort_unstable();
    // What is equal but for its last digits is told apart by all of them.
    for run in keys.chunk_by_mut(|a, b| a ^ b <= PLACE) {
        if run.len() > 1 {
            let value = |key: &u64| values[(key & PLACE) as usize];
            run.sort_unstable_by(|a, b| value(a).total_cmp(&value(b)));
        }
    }
    keys.iter_mut().for_each(|key| *key &= PLACE);
    keys
}

impl Ranked {
    /// The window of these values, in order of time, and nothing to come.
    pub fn new(window: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = window.collect();
        let n = values.len();
        let start = (n / 4).min(n - half(n));
        let mut ranked = Self {
            window: n,
            values,
            slots: Vec::new(),
            sorted: Vec::new(),
            places: Vec::new(),
            present: Vec::new(),
            gone: 0,
            median: 0,
            low: 0,
            high: 0,
            start,
        };
        let live: Vec<u32> = ranking(&ranked.values).into_iter().map(|place| place as u32).collect();
        let cursors = [(n - 1) / 2, start, start + half(n) - 1].map(|rank| live[rank] as usize);
        ranked.merge(&live, cursors);
        ranked
    }

    /// Values that pay off to be ranked together for a window of so many.
    pub fn stretch(window: usize) -> usize {
        window.max(STRETCH_MIN)
    }

    /// The values that are to enter next, when all before have.
    pub fn expect(&mut self, fresh: impl Iterator<Item = f64>) {
        let gone = self.gone as u32;
        let live: Vec<u32> = self.slots_present().map(|slot| self.places[slot] - gone).collect();
        let cursors = [self.median, self.low, self.high].map(|slot| (self.places[slot] - gone) as usize);
        self.values.drain(..self.gone);
        self.values.extend(fresh);
        self.gone = 0;
        self.merge(&live, cursors);
    }

    /// Gives every value its slot; `live` is the order of the window, `cursors` are places.
    fn merge(&mut self, live: &[u32], cursors: [usize; 3]) {
        let (window, total) = (self.window, self.values.len());
        let fresh = ranking(&self.values[window..]);
        self.slots.resize(total, 0);
        self.sorted.resize(total + 2, 0.0);
        self.places.resize(total + 2, 0);
        self.present.clear();
        self.present.resize((total + 2).div_ceil(64), 0);
        let value_of =
            |list_value: Option<usize>| list_value.map_or(f64::INFINITY, |place| self.values[place]);
        let (mut i, mut j) = (0, 0);
        let mut old = value_of(live.first().map(|&place| place as usize));
        let mut new = value_of(fresh.first().map(|&place| window + place as usize));
        for slot in 1..=total {
            // All are finite, so that a list at its end never comes first.
            let from_live = old <= new;
            let place = if from_live { live[i] as usize } else { window + fresh[j] as usize };
            self.sorted[slot] = if from_live { old } else { new };
            self.places[slot] = place as u32;
            self.slots[place] = slot as u32;
            self.present[slot >> 6] |= u64::from(from_live) << (slot & 63);
            if from_live {
                i += 1;
                old = value_of(live.get(i).map(|&place| place as usize));
            } else {
                j += 1;
                new = value_of(fresh.get(j).map(|&place| window + place as usize));
            }
        }
        self.sorted[0] = f64::NEG_INFINITY;
        self.sorted[total + 1] = f64::INFINITY;
        self.present[0] |= 1;
        self.present[(total + 1) >> 6] |= 1 << ((total + 1) & 63);
        [self.median, self.low, self.high] = cursors.map(|place| self.slots[place] as usize);
    }

    /// The first slot after this one that is in the window, or the guard.
    #[inline]
    fn next(&self, slot: usize) -> usize {
        let mut word = (slot + 1) >> 6;
        let mut bits = self.present[word] & (!0 << ((slot + 1) & 63));
        while bits == 0 {
            word += 1;
            bits = self.present[word];
        }
        (word << 6) + bits.trailing_zeros() as usize
    }

    /// The last slot before this one that is in the window, or the guard.
    #[inline]
    fn previous(&self, slot: usize) -> usize {
        let mut word = (slot - 1) >> 6;
        let mut bits = self.present[word] & (!0 >> (63 - ((slot - 1) & 63)));
        while bits == 0 {
            word -= 1;
            bits = self.present[word];
        }
        (word << 6) + 63 - bits.leading_zeros() as usize
    }

    /// Where a cursor goes that keeps its rank when `old` has left and `new` has entered.
    #[inline]
    fn settled(&self, cursor: usize, old: usize, new: usize) -> usize {
        if new < cursor && old >= cursor {
            self.previous(cursor)
        } else if new > cursor && old <= cursor {
            self.next(cursor)
        } else {
            cursor
        }
    }

    /// The next value enters, the oldest leaves.
    #[inline]
    pub fn advance(&mut self) {
        let (old, new) = (self.slots[self.gone] as usize, self.slots[self.gone + self.window] as usize);
        self.gone += 1;
        self.present[old >> 6] &= !(1 << (old & 63));
        self.present[new >> 6] |= 1 << (new & 63);
        self.median = self.settled(self.median, old, new);
        self.low = self.settled(self.low, old, new);
        self.high = self.settled(self.high, old, new);
    }

    /// As `Sorted::median`.
    #[inline]
    pub fn median(&self) -> f64 {
        let lower = self.sorted[self.median];
        let upper = if self.window % 2 == 1 { lower } else { self.sorted[self.next(self.median)] };
        0.5 * lower + 0.5 * upper
    }

    /// As `Sorted::median_deviation`; the half of the values nearest to the centre moves on from where it was.
    #[inline]
    pub fn median_deviation(&mut self, centre: f64) -> f64 {
        let last = self.window - half(self.window);
        let (mut before, mut after) = (self.previous(self.low), self.next(self.high));
        while self.start < last && centre - self.sorted[self.low] > self.sorted[after] - centre {
            self.start += 1;
            (before, self.low) = (self.low, self.next(self.low));
            (self.high, after) = (after, self.next(after));
        }
        while self.start > 0 && centre - self.sorted[before] <= self.sorted[self.high] - centre {
            self.start -= 1;
            (after, self.high) = (self.high, self.previous(self.high));
            (self.low, before) = (before, self.previous(before));
        }
        let inner = (centre - self.sorted[self.low]).max(self.sorted[self.high] - centre);
        if self.window % 2 == 1 {
            return inner;
        }
        let left = if self.start > 0 { centre - self.sorted[before] } else { f64::INFINITY };
        let right = if self.start < last { self.sorted[after] - centre } else { f64::INFINITY };
        0.5 * inner + 0.5 * left.min(right)
    }

    /// As `Sorted::mean_deviation`, summed in the same order.
    pub fn mean_deviation(&self, centre: f64) -> f64 {
        let mut sum = 0.0;
        let mut slot = self.next(0);
        while self.sorted[slot] < centre {
            sum += centre - self.sorted[slot];
            slot = self.next(slot);
        }
        slot = self.previous(self.sorted.len() - 1);
        while self.sorted[slot] > centre {
            sum += self.sorted[slot] - centre;
            slot = self.previous(slot);
        }
        sum / self.window as f64
    }

    /// Slots of the window, ascending.
    fn slots_present(&self) -> impl Iterator<Item = usize> + '_ {
        let guard = self.sorted.len() - 1;
        std::iter::successors(Some(self.next(0)), move |&slot| (slot < guard).then(|| self.next(slot)))
            .take_while(move |&slot| slot < guard)
    }

    /// The window in order of value.
    pub fn ascending(&self) -> impl Iterator<Item = f64> + '_ {
        self.slots_present().map(|slot| self.sorted[slot])
    }
}
