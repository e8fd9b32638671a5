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
#[derive(Default)]
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
    let threads = thread_count(threads, batch.times.len());
    if batch.rows.windows(2).all(|pair| pair[0] < pair[1]) {
        let mut shares = shares(arrays, batch, outputs, threads);
        return spread(&mut shares, threads, |share| share.fold(kernel));
    }
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
    spread(&mut slices, threads, |slice| kernel.step(slice));
}

/// What is left of one state array, from row `base` on.
struct Rest<'a, T> {
    cells: &'a mut [T],
    width: usize,
    base: usize,
}

impl<'a, T> Rest<'a, T> {
    /// Takes what is before this row.
    fn until(&mut self, row: usize) -> Self {
        let (cells, rest) = std::mem::take(&mut self.cells).split_at_mut((row - self.base) * self.width);
        self.cells = rest;
        Self { cells, width: self.width, base: std::mem::replace(&mut self.base, row) }
    }

    fn row(&mut self, row: usize) -> &'a mut [T] {
        self.until(row);
        self.until(row + 1).cells
    }
}

/// The series of one thread, in ascending order: each is cut out when its turn comes, so that a fleet with a point
/// for each of many series needs no room for all of them at once.
struct Share<'a, 'b> {
    batch: &'b Batch<'a>,
    f64s: Vec<Rest<'a, f64>>,
    f32s: Vec<Rest<'a, f32>>,
    i64s: Vec<Rest<'a, i64>>,
    u16s: Vec<Rest<'a, u16>>,
    outputs: Vec<&'a mut [f64]>,
    slices: std::ops::Range<usize>,
}

fn rests<'a, T>(arrays: Vec<(&'a mut [T], usize)>) -> Vec<Rest<'a, T>> {
    arrays.into_iter().map(|(cells, width)| Rest { cells, width, base: 0 }).collect()
}

fn front<'a>(output: &mut &'a mut [f64], points: usize) -> &'a mut [f64] {
    let (head, tail) = std::mem::take(output).split_at_mut(points);
    *output = tail;
    head
}

fn shares<'a, 'b>(
    arrays: Arrays<'a>,
    batch: &'b Batch<'a>,
    mut outputs: Vec<&'a mut [f64]>,
    threads: usize,
) -> Vec<Share<'a, 'b>> {
    let (mut f64s, mut f32s) = (rests(arrays.f64s), rests(arrays.f32s));
    let (mut i64s, mut u16s) = (rests(arrays.i64s), rests(arrays.u16s));
    let count = batch.rows.len();
    let size = count.div_ceil(threads).max(1);
    let share = |from: usize| {
        let to = count.min(from + size);
        let row = batch.rows[to - 1] as usize + 1;
        let points = (batch.offsets[to] - batch.offsets[from]) as usize;
        Share {
            batch,
            f64s: f64s.iter_mut().map(|rest| rest.until(row)).collect(),
            f32s: f32s.iter_mut().map(|rest| rest.until(row)).collect(),
            i64s: i64s.iter_mut().map(|rest| rest.until(row)).collect(),
            u16s: u16s.iter_mut().map(|rest| rest.until(row)).collect(),
            outputs: outputs.iter_mut().map(|output| front(output, points)).collect(),
            slices: from..to,
        }
    };
    (0..count).step_by(size).map(share).collect()
}

impl Share<'_, '_> {
    fn fold<K: Kernel>(&mut self, kernel: &K) {
        let batch = self.batch;
        // One for all series: its lists keep their room, unless a kernel takes them away.
        let mut slice = Slice::default();
        for index in self.slices.clone() {
            let row = batch.rows[index] as usize;
            let (from, to) = (batch.offsets[index] as usize, batch.offsets[index + 1] as usize);
            slice.index = index;
            refill(&mut slice.row.f64s, self.f64s.iter_mut().map(|rest| rest.row(row)));
            refill(&mut slice.row.f32s, self.f32s.iter_mut().map(|rest| rest.row(row)));
            refill(&mut slice.row.i64s, self.i64s.iter_mut().map(|rest| rest.row(row)));
            refill(&mut slice.row.u16s, self.u16s.iter_mut().map(|rest| rest.row(row)));
            slice.times = &batch.times[from..to];
            slice.values = &batch.values[from * batch.dims..to * batch.dims];
            refill(&mut slice.columns, batch.columns.iter().map(|column| &column[from..to]));
            refill(&mut slice.outputs, self.outputs.iter_mut().map(|output| front(output, to - from)));
            kernel.step(&mut slice);
        }
    }
}

fn refill<T>(list: &mut Vec<T>, items: impl Iterator<Item = T>) {
    list.clear();
    list.extend(items);
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
