//! Features of many series: cuts the batch into series, in threads over series and never over time.

use super::features::{Features, Item};
use super::features_slots::{Slots, MARKS, RECENT};
use super::fleet::{cut, pick, spread, thread_count};

/// A batch, the states of its series and where the rows go.
pub struct Arrays<'a> {
    pub marks: &'a mut [i64],
    pub ring: &'a mut [f64],
    pub recent: &'a mut [f64],
    pub rows: &'a [i32],
    pub offsets: &'a [i64],
    pub times: &'a [i64],
    pub values: &'a [f64],
    pub out: &'a mut [f64],
}

/// Points that are worth a thread: a row of features costs as much as some points of a detector.
const WORTH: usize = 8;

pub fn run(kernel: &Features, arrays: Arrays<'_>, threads: usize) {
    let (columns, width) = (kernel.columns, kernel.width());
    let mut order: Vec<usize> = (0..arrays.rows.len()).collect();
    order.sort_unstable_by_key(|&i| arrays.rows[i]);
    let sorted: Vec<usize> = order.iter().map(|&i| arrays.rows[i] as usize).collect();
    let scaled: Vec<i64> = arrays.offsets.iter().map(|offset| offset * width as i64).collect();
    let mut outs: Vec<Option<&mut [f64]>> = cut(arrays.out, &scaled).into_iter().map(Some).collect();
    let marks = pick(arrays.marks, MARKS, &sorted);
    let ring = pick(arrays.ring, columns * kernel.capacity, &sorted);
    let recent = pick(arrays.recent, RECENT * columns, &sorted);
    let mut items = Vec::with_capacity(order.len());
    for (((&index, marks), ring), recent) in order.iter().zip(marks).zip(ring).zip(recent) {
        let (from, to) = (arrays.offsets[index] as usize, arrays.offsets[index + 1] as usize);
        items.push(Item {
            slots: Slots { marks, ring, recent, columns, capacity: kernel.capacity },
            times: &arrays.times[from..to],
            values: &arrays.values[from * columns..to * columns],
            out: outs[index].take().unwrap_or_default(),
        });
    }
    let threads = thread_count(threads, arrays.times.len() * WORTH);
    spread(&mut items, threads, |item| kernel.step(item));
}
