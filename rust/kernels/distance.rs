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

/// What follows from what was expected of values; a function of its own, so that it is compiled for several at a time.
#[inline(never)]
fn follow(
    width: f64,
    values: &[f64],
    expected: &mut [f64],
    scale: &mut [f64],
    score: &mut [f64],
    lower: &mut [f64],
    upper: &mut [f64],
) {
    let n = values.len();
    let (expected, scale, score) = (&mut expected[..n], &mut scale[..n], &mut score[..n]);
    let (lower, upper) = (&mut lower[..n], &mut upper[..n]);
    for i in 0..n {
        // Zero, or NaN where one of the two is not finite: a scale or centre that overflowed is no opinion.
        let nothing = expected[i] * 0.0 + scale[i] * 0.0;
        let centre = if nothing == 0.0 { expected[i] } else { f64::NAN };
        let unit = if nothing == 0.0 { scale[i] } else { f64::NAN };
        let gap = (values[i] - centre).abs();
        let without = if gap > 0.0 { UNSCALED } else { 0.0 };
        let far = gap / unit;
        let far = if far > f64::MAX { f64::MAX } else { far };
        let far = if unit > 0.0 { far } else { without };
        score[i] = if nothing + values[i] * 0.0 == 0.0 { far } else { f64::NAN };
        expected[i] = centre;
        scale[i] = unit;
        lower[i] = centre - width * unit;
        upper[i] = centre + width * unit;
    }
}

/// The values of one series' part of the batch and the columns its answers go to, all of one length.
///
/// Every point is answered, by `say` or by `pass`: the columns hold anything before, but for flags, which are zero.
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
        // Drained, not taken: the list is used again for the next series.
        let mut outputs = slice.outputs.drain(..);
        let [score, expected, lower, upper, scale, flags] = std::array::from_fn(|_| {
            let Some(output) = outputs.next() else { unreachable!("six outputs") };
            output
        });
        drop(outputs);
        Self { values, width, score, expected, lower, upper, scale, flags }
    }

    /// Writes the answer for point `i`: the band always, the score only where the point has a value.
    ///
    /// A scale or centre that overflowed is no opinion.
    #[inline(always)]
    pub fn say(&mut self, i: usize, expected: f64, scale: f64) {
        if !(expected.is_finite() && scale.is_finite()) {
            return self.pass(i);
        }
        let value = self.values[i];
        self.score[i] = if value.is_finite() { distance(value, expected, scale) } else { f64::NAN };
        self.expected[i] = expected;
        self.lower[i] = expected - self.width * scale;
        self.upper[i] = expected + self.width * scale;
        self.scale[i] = scale;
    }

    /// Answers all points, stretch by stretch, while it is in the cache: `expect` folds values and leaves what it
    /// expected and the scale of each, NaN for no opinion; the rest follows for many points at a time.
    pub fn say_all(&mut self, mut expect: impl FnMut(&[f64], &mut [f64], &mut [f64])) {
        const STRETCH: usize = 256;
        let width = self.width;
        for from in (0..self.values.len()).step_by(STRETCH) {
            let part = from..self.values.len().min(from + STRETCH);
            let values = &self.values[part.clone()];
            let [score, expected, lower, upper, scale] =
                [&mut self.score, &mut self.expected, &mut self.lower, &mut self.upper, &mut self.scale]
                    .map(|column| &mut column[part.clone()]);
            expect(values, expected, scale);
            follow(width, values, expected, scale, score, lower, upper);
        }
    }

    /// Writes that there is no opinion on point `i`.
    pub fn pass(&mut self, i: usize) {
        for column in [&mut self.score, &mut self.expected, &mut self.lower, &mut self.upper, &mut self.scale]
        {
            column[i] = f64::NAN;
        }
    }
}
