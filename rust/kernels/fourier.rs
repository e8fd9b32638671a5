//! The discrete Fourier transform of real windows whose length is a power of two, by one complex transform of half
//! the length. Sines come from `libm`, sums have one order: the same bits everywhere.

/// A complex number.
pub type Complex = (f64, f64);

#[inline(always)]
fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// The tables for windows of one length.
pub struct Fourier {
    /// Half of the length.
    half: usize,
    /// `exp(-2 pi i k / length)` for k below half of the length.
    turns: Vec<Complex>,
    /// Where each place of the half goes when its bits are read backwards.
    reversed: Vec<u32>,
    /// The factors of every stage but the first, one after the other.
    stages: Vec<Complex>,
}

impl Fourier {
    /// For windows of `length` numbers, a power of two from 8 on.
    pub fn new(length: usize) -> Self {
        let half = length / 2;
        let turn = |k: usize| {
            let angle = -2.0 * std::f64::consts::PI * k as f64 / length as f64;
            (libm::cos(angle), libm::sin(angle))
        };
        let turns: Vec<Complex> = (0..half).map(turn).collect();
        let bits = half.trailing_zeros();
        let reversed = (0..half as u32).map(|place| place.reverse_bits() >> (32 - bits)).collect();
        let mut stages = Vec::with_capacity(half);
        let mut width = 4;
        while width <= half {
            stages.extend((0..width / 2).map(|k| turns[k * (length / width)]));
            width *= 2;
        }
        Self { half, turns, reversed, stages }
    }

    /// In place: the transform of `half` complex numbers, which stand in the order of `reversed`.
    fn butterflies(&self, numbers: &mut [Complex]) {
        for pair in numbers.chunks_exact_mut(2) {
            let (a, b) = (pair[0], pair[1]);
            pair[0] = (a.0 + b.0, a.1 + b.1);
            pair[1] = (a.0 - b.0, a.1 - b.1);
        }
        let mut from = 0;
        let mut width = 4;
        while width <= self.half {
            let factors = &self.stages[from..from + width / 2];
            for block in numbers.chunks_exact_mut(width) {
                let (low, high) = block.split_at_mut(width / 2);
                for ((a, b), &factor) in low.iter_mut().zip(high).zip(factors) {
                    let turned = times(*b, factor);
                    *b = (a.0 - turned.0, a.1 - turned.1);
                    *a = (a.0 + turned.0, a.1 + turned.1);
                }
            }
            from += width / 2;
            width *= 2;
        }
    }

    /// The transform at the frequencies 0 to half: `spectrum` holds half + 1 numbers.
    pub fn forward(&self, window: &[f64], work: &mut [Complex], spectrum: &mut [Complex]) {
        let half = self.half;
        for (place, &from) in work.iter_mut().zip(&self.reversed) {
            let at = 2 * from as usize;
            *place = (window[at], window[at + 1]);
        }
        self.butterflies(work);
        spectrum[0] = (work[0].0 + work[0].1, 0.0);
        spectrum[half] = (work[0].0 - work[0].1, 0.0);
        for k in 1..half {
            let (a, b) = (work[k], work[half - k]);
            let even = (0.5 * (a.0 + b.0), 0.5 * (a.1 - b.1));
            let odd = (0.5 * (a.1 + b.1), 0.5 * (b.0 - a.0));
            let turned = times(odd, self.turns[k]);
            spectrum[k] = (even.0 + turned.0, even.1 + turned.1);
        }
    }

    /// The inverse of `forward`, times half of the length.
    pub fn backward(&self, spectrum: &[Complex], work: &mut [Complex], window: &mut [f64]) {
        let half = self.half;
        for (place, &from) in work.iter_mut().zip(&self.reversed) {
            let k = from as usize;
            let (a, b) = (spectrum[k], spectrum[half - k]);
            let even = (0.5 * (a.0 + b.0), 0.5 * (a.1 - b.1));
            let away = (0.5 * (a.0 - b.0), 0.5 * (a.1 + b.1));
            let turn = self.turns[k];
            let odd = times(away, (turn.0, -turn.1));
            // Conjugated, so that the forward transform gives the conjugate of the inverse one.
            *place = (even.0 - odd.1, -(even.1 + odd.0));
        }
        self.butterflies(work);
        for (pair, number) in window.chunks_exact_mut(2).zip(work) {
            pair[0] = number.0;
            pair[1] = -number.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition_and_comes_back() {
        for length in [8, 16, 64, 256] {
            let window: Vec<f64> = (0..length).map(|i| ((i * i * 7 + 3 * i) % 23) as f64 - 9.5).collect();
            let fourier = Fourier::new(length);
            let mut work = vec![(0.0, 0.0); length / 2];
            let mut spectrum = vec![(0.0, 0.0); length / 2 + 1];
            fourier.forward(&window, &mut work, &mut spectrum);
            for (k, found) in spectrum.iter().enumerate() {
                let mut wanted = (0.0, 0.0);
                for (i, value) in window.iter().enumerate() {
                    let angle = -2.0 * std::f64::consts::PI * (k * i % length) as f64 / length as f64;
                    wanted.0 += value * libm::cos(angle);
                    wanted.1 += value * libm::sin(angle);
                }
                assert!(
                    (found.0 - wanted.0).abs() < 1e-9 && (found.1 - wanted.1).abs() < 1e-9,
                    "{length} {k}"
                );
            }
            let mut again = vec![0.0; length];
            fourier.backward(&spectrum, &mut work, &mut again);
            for (found, value) in again.iter().zip(&window) {
                assert!((found / (length / 2) as f64 - value).abs() < 1e-12);
            }
        }
    }
}
