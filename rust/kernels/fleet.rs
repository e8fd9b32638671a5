//! Runs a kernel over the series of one batch, in threads over series and never over time.
//!
//! A kernel sees one series: its row of every state array, its times and values, its part of every output.
//! Points are folded one by one in time order, so cutting a batch anywhere gives the same bits.

/// The rows of one series in the state arrays, in the order in which the binding lists them.
#[derive(Default)]
pub struct Row<'a> {
    pub f64s: Vec<&'a mut [f64]>,
    pub f32s: Vec<&'a mut [f32]>,
    pub i64s: Vec<&'a mut [i64]>,
    pub u16s: Vec<&'a mut [u16]>,
}

/// One series' part of the batch. `columns` are further per-point inputs, `outputs` the per-point answers.
pub struct Slice<'a> {
    /// Position of this slice in the batch.
    pub index: usize,
    pub row: Row<'a>,
    pub times: &'a [i64],
    /// Values, row by row: `times.len() * dims` of them.
    pub values: &'a [f64],
    pub columns: Vec<&'a [f64]>,
    pub outputs: Vec<&'a mut [f64]>,
}

/// A fold over the points of one series.
pub trait Kernel: Sync {
    fn step(&self, slice: &mut Slice<'_>);
}

/// State arrays of a fleet: each is `series * width` long.
#[derive(Default)]
pub struct Arrays<'a> {
    pub f64s: Vec<(&'a mut [f64], usize)>,
    pub f32s: Vec<(&'a mut [f32], usize)>,
    pub i64s: Vec<(&'a mut [i64], usize)>,
    pub u16s: Vec<(&'a mut [u16], usize)>,
}

/// One batch as `core/points.py` lays it out.
pub struct Batch<'a> {
    pub rows: &'a [i32],
    pub offsets: &'a [i64],
    pub times: &'a [i64],
    pub values: &'a [f64],
    pub dims: usize,
    pub columns: Vec<&'a [f64]>,
}

/// Cuts the chosen rows out of one state array. `sorted` is ascending without repeats.
pub fn pick<'a, T>(data: &'a mut [T], width: usize, sorted: &[usize]) -> Vec<&'a mut [T]> {
    let mut rest = data;
    let mut base = 0;
    let mut picked = Vec::with_capacity(sorted.len());
    for &row in sorted {
        let (_, tail) = rest.split_at_mut((row - base) * width);
        let (head, tail) = tail.split_at_mut(width);
        picked.push(head);
        rest = tail;
        base = row + 1;
    }
    picked
}

/// Cuts an output column at the offsets of the slices.
pub fn cut<'a, T>(data: &'a mut [T], offsets: &[i64]) -> Vec<&'a mut [T]> {
    let mut rest = data;
    let mut parts = Vec::with_capacity(offsets.len().saturating_sub(1));
    for pair in offsets.windows(2) {
        let (head, tail) = rest.split_at_mut((pair[1] - pair[0]) as usize);
        parts.push(head);
        rest = tail;
    }
    parts
}

/// Steps every series of the batch. `threads` 0 means: as many as pay off for this batch.
///
/// The caller has checked (in Python, `Points`) that rows are in range and do not repeat and that offsets
/// ascend from 0 to the number of points.
pub fn run<K: Kernel>(
    kernel: &K,
    arrays: Arrays<'_>,
    batch: &Batch<'_>,
    outputs: Vec<&mut [f64]>,
    threads: usize,
) {
    let mut order: Vec<usize> = (0..batch.rows.len()).collect();
    order.sort_unstable_by_key(|&i| batch.rows[i]);
    let sorted: Vec<usize> = order.iter().map(|&i| batch.rows[i] as usize).collect();
    let mut rows: Vec<Row<'_>> = sorted.iter().map(|_| Row::default()).collect();
    for (data, width) in arrays.f64s {
        for (row, part) in rows.iter_mut().zip(pick(data, width, &sorted)) {
            row.f64s.push(part);
        }
    }
    for (data, width) in arrays.f32s {
        for (row, part) in rows.iter_mut().zip(pick(data, width, &sorted)) {
            row.f32s.push(part);
        }
    }
    for (data, width) in arrays.i64s {
        for (row, part) in rows.iter_mut().zip(pick(data, width, &sorted)) {
            row.i64s.push(part);
        }
    }
    for (data, width) in arrays.u16s {
        for (row, part) in rows.iter_mut().zip(pick(data, width, &sorted)) {
            row.u16s.push(part);
        }
    }
    let mut parts: Vec<Vec<&mut [f64]>> = batch.rows.iter().map(|_| Vec::new()).collect();
    for output in outputs {
        for (part, piece) in parts.iter_mut().zip(cut(output, batch.offsets)) {
            part.push(piece);
        }
    }
    let mut slices: Vec<Slice<'_>> = Vec::with_capacity(rows.len());
    for (row, &index) in rows.into_iter().zip(&order) {
        let (from, to) = (batch.offsets[index] as usize, batch.offsets[index + 1] as usize);
        slices.push(Slice {
            index,
            row,
            times: &batch.times[from..to],
            values: &batch.values[from * batch.dims..to * batch.dims],
            columns: batch.columns.iter().map(|column| &column[from..to]).collect(),
            outputs: std::mem::take(&mut parts[index]),
        });
    }
    let threads = thread_count(threads, batch.times.len());
    spread(&mut slices, threads, |slice| kernel.step(slice));
}

/// Threads for a batch of so many points; `asked` 0 means: as many as pay off.
pub fn thread_count(asked: usize, points: usize) -> usize {
    if asked != 0 {
        return asked;
    }
    // Below some thousand points a thread costs more than it saves; so does asking how many there may be.
    let useful = points / 4096;
    if useful <= 1 {
        return 1;
    }
    useful.min(std::thread::available_parallelism().map_or(1, |n| n.get()))
}

/// Steps every item, in threads over items.
pub fn spread<T: Send>(items: &mut [T], threads: usize, step: impl Fn(&mut T) + Sync) {
    if threads <= 1 || items.len() <= 1 {
        items.iter_mut().for_each(step);
        return;
    }
    let share = items.len().div_ceil(threads);
    let step = &step;
    std::thread::scope(|scope| {
        let parts = items.chunks_mut(share);
        let running: Vec<_> = parts.map(|part| scope.spawn(move || part.iter_mut().for_each(step))).collect();
        for thread in running {
            // A panic keeps its words.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}
