//! A score that is a distance: how many scales a value lies from what was expected.

use super::fleet::Slice;

/// Score of a value that differs where the past gives no scale at all (a constant window): stranger than any
/// usual score, yet small enough that its square and its sums stay far from overflow downstream.
pub const UNSCALED: f64 = 1e9;

/// Distance of `value` from `expected` in scales; without a scale, equal is 0 and different is `UNSCALED`.
#[inline]
pub fn distance(value: f64, expected: f64, scale: f64) -> f64 {
    let gap = (value - expected).abs();
    if scale > 0.0 {
        (gap / scale).min(f64::MAX)
    } else if gap > 0.0 {
        UNSCALED
    } else {
        0.0
    }
}

/// The values of one series' part of the batch and the columns its answers go to, all of one length.
pub struct Answers<'a> {
    pub values: &'a [f64],
    width: f64,
    score: &'a mut [f64],
    expected: &'a mut [f64],
    lower: &'a mut [f64],
    upper: &'a mut [f64],
    scale: &'a mut [f64],
    pub flags: &'a mut [f64],
}

impl<'a> Answers<'a> {
    /// Takes the outputs out of a slice; `width` is that of the band, in scales.
    pub fn of(slice: &mut Slice<'a>, width: f64) -> Self {
        let values = slice.values;
        let Ok([score, expected, lower, upper, scale, flags]) =
            <[&mut [f64]; 6]>::try_from(std::mem::take(&mut slice.outputs))
        else {
            unreachable!("six outputs")
        };
        Self { values, width, score, expected, lower, upper, scale, flags }
    }

    /// Writes the answer for point `i`: the band always, the score only where the point has a value.
    ///
    /// A scale or centre that overflowed is no opinion, so it stays NaN.
    #[inline]
    pub fn say(&mut self, i: usize, expected: f64, scale: f64) {
        if !(expected.is_finite() && scale.is_finite()) {
            return;
        }
        self.expected[i] = expected;
        self.scale[i] = scale;
        self.lower[i] = expected - self.width * scale;
        self.upper[i] = expected + self.width * scale;
        let value = self.values[i];
        if value.is_finite() {
            self.score[i] = distance(value, expected, scale);
        }
    }
}
