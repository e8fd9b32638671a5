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

/// Writes the answer for point `i`: the band always, the score only where the point has a value.
///
/// A scale or centre that overflowed is no opinion, so it stays NaN.
#[inline]
pub fn say(slice: &mut Slice<'_>, i: usize, expected: f64, scale: f64, width: f64) {
    if !(expected.is_finite() && scale.is_finite()) {
        return;
    }
    let value = slice.values[i];
    let [score, centre, lower, upper, unit, _flags] = &mut slice.outputs[..] else {
        unreachable!("six outputs")
    };
    centre[i] = expected;
    unit[i] = scale;
    lower[i] = expected - width * scale;
    upper[i] = expected + width * scale;
    if value.is_finite() {
        score[i] = distance(value, expected, scale);
    }
}
