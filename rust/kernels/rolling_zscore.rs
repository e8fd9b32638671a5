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

use super::distance::say;
use super::fleet::{Kernel, Slice};

pub struct RollingZscore {
    pub window: usize,
    pub ddof: usize,
    pub inclusive: bool,
    pub width: f64,
}

/// The state of one series.
struct Window<'a> {
    values: &'a mut [f64],
    squares: &'a mut [f64],
    sums: &'a mut [f64],
    head: &'a mut [i64],
}

impl Window<'_> {
    fn push(&mut self, value: f64) {
        let window = self.values.len();
        let at = self.head[1] as usize;
        if at == 0 {
            self.sums[1] = value;
            self.sums[2] = 0.0;
            self.sums[3] = 0.0;
        }
        let d = value - self.sums[1];
        self.sums[2] += d;
        self.sums[3] += d * d;
        self.values[at] = value;
        self.head[0] = (self.head[0] + 1).min(window as i64);
        self.head[1] = at as i64 + 1;
        if at + 1 == window {
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
        self.sums[0] = anchor;
        self.head[1] = 0;
    }

    /// Mean and sum of squared deviations of a full window.
    fn moments(&self) -> (f64, f64) {
        let n = self.values.len() as f64;
        let at = self.head[1] as usize;
        let (mut anchor, mut sum, mut square) = (self.sums[0], self.values[at], self.squares[at]);
        if at > 0 {
            // The suffix moves from its anchor to that of the current prefix, and joins it.
            let shift = anchor - self.sums[1];
            let count = n - at as f64;
            square += self.sums[3] + shift * (2.0 * sum + count * shift);
            sum += self.sums[2] + count * shift;
            anchor = self.sums[1];
        }
        let mean = sum / n;
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
        let mut window = Window { values, squares, sums, head };
        let divisor = (self.window - self.ddof) as f64;
        for i in 0..slice.values.len() {
            let value = slice.values[i];
            let known = value.is_finite();
            if self.inclusive && known {
                window.push(value);
            }
            if window.head[0] == self.window as i64 {
                let (mean, squares) = window.moments();
                say(slice, i, mean, (squares / divisor).sqrt(), self.width);
            }
            if !self.inclusive && known {
                window.push(value);
            }
        }
    }
}
