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
