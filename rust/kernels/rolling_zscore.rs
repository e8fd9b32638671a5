//! Rolling mean and standard deviation over the last `window` finite values.
//!
//! State: `ring` f64[window], `head` i64[2] = (values held, next place to write).

use super::fleet::{Kernel, Slice};

pub struct RollingZscore {
    pub window: usize,
    pub ddof: usize,
    pub inclusive: bool,
    pub width: f64,
}

/// Mean and deviation of what the ring holds, summed in the order of the ring's cells.
fn moments(values: &[f64], ddof: usize) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (mean, (squares / (n - ddof as f64)).sqrt())
}

impl RollingZscore {
    fn push(&self, ring: &mut [f64], head: &mut [i64], value: f64) {
        ring[head[1] as usize] = value;
        head[0] = (head[0] + 1).min(self.window as i64);
        head[1] = (head[1] + 1) % self.window as i64;
    }
}

impl Kernel for RollingZscore {
    fn step(&self, slice: &mut Slice<'_>) {
        let [ring] = &mut slice.row.f64s[..] else { unreachable!("one f64 array") };
        let [head] = &mut slice.row.i64s[..] else { unreachable!("one i64 array") };
        let [score, expected, lower, upper, scale, _flags] = &mut slice.outputs[..] else {
            unreachable!("six outputs")
        };
        for (i, &value) in slice.values.iter().enumerate() {
            let known = value.is_finite();
            if self.inclusive && known {
                self.push(ring, head, value);
            }
            if head[0] == self.window as i64 {
                let (mean, deviation) = moments(ring, self.ddof);
                expected[i] = mean;
                scale[i] = deviation;
                lower[i] = mean - self.width * deviation;
                upper[i] = mean + self.width * deviation;
                if known {
                    // A constant window has no scale: equal is 0, different is infinitely strange, capped.
                    let gap = (value - mean).abs();
                    score[i] = if deviation > 0.0 {
                        gap / deviation
                    } else if gap > 0.0 {
                        f64::MAX
                    } else {
                        0.0
                    };
                }
            }
            if !self.inclusive && known {
                self.push(ring, head, value);
            }
        }
    }
}
