//! The small step between different values of a metric: its resolution, where it has one.

/// The running small step after one more step > 0: about the lower fifth of them; 0 before the first.
pub fn after(quantum: f64, step: f64) -> f64 {
    if quantum == 0.0 {
        step
    } else if step < quantum {
        (0.8 * quantum).max(step).min(16.0 * step)
    } else {
        (1.05 * quantum).min(step)
    }
}

/// Whether a finite value is a whole number, without the call that `floor` is where there is no instruction for it.
#[inline(always)]
pub fn is_whole(value: f64) -> bool {
    // Adding this leaves no room for a fraction.
    const LARGE: f64 = 4_503_599_627_370_496.0;
    let size = value.abs();
    size >= LARGE || (size + LARGE) - LARGE == size
}
