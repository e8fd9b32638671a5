//! Rolling mean and standard deviation over the last `window` finite values, in constant time a point and without
//! ever subtracting what leaves: a spike is gone, to the last bit, when it has left the window.
//!
//! The stream is cut into blocks of `window` values. The window is a suffix of the finished block and a prefix of
//! the current one. Sums of the prefix grow with each value; sums of all suffixes are made once, when a block is
//! full. Sums are of distances from an anchor that is itself one of the summed values, so that a large level costs
//! no digits and equal values give exactly zero.
//!
//! State: `values` f64[window] (the first `position` cells: values of the current block; the rest: sums of the
//! finished block's suffixes), `squares` f64[window] (sums of squares of the suffixes), `sums` f64[4] = (anchor of
//! the finished block, anchor of the current one, its sum, its sum of squares), `head` i64[2] = (values held,
//! position in the current block).

use super::distance::Answers;
use super::fleet::{Kernel, Slice};

pub struct RollingZscore {
    pub window: usize,
    pub ddof: usize,
    pub inclusive: bool,
    pub width: f64,
}

/// The state of one series; the two short arrays are unpacked while a batch is folded.
struct Window<'a> {
    values: &'a mut [f64],
    squares: &'a mut [f64],
    finished_anchor: f64,
    anchor: f64,
    sum: f64,
    square: f64,
    held: usize,
    position: usize,
    count: f64,
    per_count: f64,
}

impl<'a> Window<'a> {
    fn load(values: &'a mut [f64], squares: &'a mut [f64], sums: &[f64], head: &[i64]) -> Self {
        let count = values.len() as f64;
        Self {
            values,
            squares,
            finished_anchor: sums[0],
            anchor: sums[1],
            sum: sums[2],
            square: sums[3],
            held: head[0] as usize,
            position: head[1] as usize,
            count,
            per_count: 1.0 / count,
        }
    }

    fn save(&self, sums: &mut [f64], head: &mut [i64]) {
        sums.copy_from_slice(&[self.finished_anchor, self.anchor, self.sum, self.square]);
        head.copy_from_slice(&[self.held as i64, self.position as i64]);
    }

    #[inline]
    fn push(&mut self, value: f64) {
        if self.position == 0 {
            self.anchor = value;
            self.sum = 0.0;
            self.square = 0.0;
        }
        let d = value - self.anchor;
        self.sum += d;
        self.square += d * d;
        self.values[self.position] = value;
        self.position += 1;
        if self.held < self.values.len() {
            self.held += 1;
        }
        if self.position == self.values.len() {
            self.finish();
        }
    }

    /// The block is full: its values become the sums of its suffixes.
    fn finish(&mut self) {
        let anchor = self.values[self.values.len() - 1];
        let (mut sum, mut square) = (0.0, 0.0);
        for (value, into) in self.values.iter_mut().zip(self.squares.iter_mut()).rev() {
            let d = *value - anchor;
            sum += d;
            square += d * d;
            *value = sum;
            *into = square;
        }
        self.finished_anchor = anchor;
        self.position = 0;
    }

    /// Mean and sum of squared deviations of a full window.
    #[inline]
    fn moments(&self) -> (f64, f64) {
        let at = self.position;
        let (mut anchor, mut sum, mut square) = (self.finished_anchor, self.values[at], self.squares[at]);
        if at > 0 {
            // The suffix moves from its anchor to that of the current prefix, and joins it.
            let shift = anchor - self.anchor;
            let count = self.count - at as f64;
            square += self.square + shift * (2.0 * sum + count * shift);
            sum += self.sum + count * shift;
            anchor = self.anchor;
        }
        let mean = sum * self.per_count;
        let squares = square - sum * mean;
        // Not max(): an overflow is NaN here and must stay so.
        (anchor + mean, if squares < 0.0 { 0.0 } else { squares })
    }
}

impl Kernel for RollingZscore {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([values, squares, sums]) = <[&mut [f64]; 3]>::try_from(row.f64s) else {
            unreachable!("three f64 arrays")
        };
        let Ok([head]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        let mut window = Window::load(values, squares, sums, head);
        let per_free = 1.0 / (self.window - self.ddof) as f64;
        let mut answers = Answers::of(slice, self.width);
        answers.say_all(|values, expected, scale| {
            for ((&value, expected), scale) in values.iter().zip(expected).zip(scale) {
                let known = value.is_finite();
                if self.inclusive && known {
                    window.push(value);
                }
                (*expected, *scale) = (f64::NAN, f64::NAN);
                if window.held == self.window {
                    let (mean, squares) = window.moments();
                    (*expected, *scale) = (mean, (squares * per_free).sqrt());
                }
                if !self.inclusive && known {
                    window.push(value);
                }
            }
        });
        window.save(sums, head);
    }
}
