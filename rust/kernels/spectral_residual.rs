//! Spectral residual: how much a point stands out when what the spectrum of its window has in every part is taken away.
//!
//! ```text
//! A(f) = |F(f)|     S = | inverse F(f) / cbrt(A(f - 1) A(f) A(f + 1)) |      score = S(last) / mean of S before it
//! ```
//!
//! which is exp(log A - mean of log A over three frequencies) with the phase of F: no logarithm is needed. Behind the
//! window stand `ahead` estimated points, since the newest one would otherwise lie at the edge.
//!
//! Everything is made anew of the window for each point: nothing drifts, and what left the window is forgotten to the
//! bit.
//!
//! State: `ring` f64[length - ahead], values by point number, NaN where missing; `head` i64[1] = points seen.

use super::distance::{distance, UNSCALED};
use super::fleet::{Kernel, Slice};
use super::fourier::{Complex, Fourier};

/// What stands behind the window.
#[derive(Clone, Copy, PartialEq)]
pub enum Extension {
    /// The mean of the points before the newest.
    Mean,
    /// The point so many before and all slopes from it to the last one before the newest.
    Slope,
}

pub struct SpectralResidual {
    pub length: usize,
    pub ahead: usize,
    /// Points from which the extension is estimated.
    pub back: usize,
    pub extension: Extension,
    /// Points whose mean saliency the newest is compared with; 0 is the whole window.
    pub local: usize,
    /// Take the median of the window away before.
    pub centre: bool,
    pub fourier: Fourier,
}

/// Values are clamped to this, so that no sum overflows.
const LARGEST: f64 = 1e150;
/// Squared amplitude below which a frequency is rounding, against the largest.
const RESOLUTION: f64 = 1e-16;

/// Room for one window.
struct Work {
    window: Vec<f64>,
    work: Vec<Complex>,
    spectrum: Vec<Complex>,
    power: Vec<f64>,
    sorted: Vec<f64>,
}

impl SpectralResidual {
    fn work(&self) -> Work {
        let half = self.length / 2;
        Work {
            window: vec![0.0; self.length],
            work: vec![(0.0, 0.0); half],
            spectrum: vec![(0.0, 0.0); half + 1],
            power: vec![0.0; half + 1],
            sorted: vec![0.0; self.length - self.ahead],
        }
    }

    /// The window in order of time: a missing value is the one before it, the first ones the first that is known.
    /// False where fewer than half are known.
    fn unroll(&self, ring: &[f64], next: usize, window: &mut [f64]) -> bool {
        let (newer, older) = ring.split_at(next);
        let mut known = 0;
        let mut last = f64::NAN;
        for (place, &value) in window.iter_mut().zip(older.iter().chain(newer)) {
            if !value.is_nan() {
                known += 1;
                last = value;
            }
            *place = last;
        }
        if 2 * known < ring.len() {
            return false;
        }
        let first = window.iter().copied().find(|value| !value.is_nan()).unwrap_or(0.0);
        window.iter_mut().take_while(|value| value.is_nan()).for_each(|value| *value = first);
        true
    }

    /// What is put behind the window of so many values.
    fn estimate(&self, window: &[f64]) -> f64 {
        let end = window.len() - 1;
        let before = &window[..end];
        let last = before[end - 1];
        if self.extension == Extension::Mean {
            let mut away = 0.0;
            for value in &before[end - self.back..] {
                away += value - last;
            }
            return last + away / self.back as f64;
        }
        let mut slopes = 0.0;
        for k in 1..=self.back {
            slopes += (last - before[end - 1 - k]) / k as f64;
        }
        before[end - self.back] + slopes
    }

    /// Takes the median away and brings the largest value to 1. False where nothing is left.
    fn level(&self, window: &mut [f64], sorted: &mut [f64]) -> bool {
        if self.centre {
            // Not the mean: of that a spike keeps something at every other point.
            sorted.copy_from_slice(&window[..sorted.len()]);
            let middle = (sorted.len() - 1) / 2;
            let (_, &mut median, _) = sorted.select_nth_unstable_by(middle, f64::total_cmp);
            window.iter_mut().for_each(|value| *value -= median);
        }
        let most = window.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        window.iter_mut().for_each(|value| *value /= most);
        most > 0.0
    }

    /// Divides every frequency by the geometric mean of three amplitudes.
    fn whiten(&self, spectrum: &mut [Complex], power: &mut [f64]) {
        let half = spectrum.len() - 1;
        let mut most = 0.0;
        for (power, number) in power.iter_mut().zip(&*spectrum) {
            *power = number.0 * number.0 + number.1 * number.1;
            most = power.max(most);
        }
        let least = RESOLUTION * most;
        power.iter_mut().for_each(|power| *power = power.max(least));
        if self.centre {
            // A level that is nearly all taken away must not blow up its neighbour.
            power[0] = power[0].max(power[1]);
        }
        for k in 0..=half {
            let before = power[if k == 0 { 1 } else { k - 1 }];
            let after = power[if k == half { half - 1 } else { k + 1 }];
            let factor = 1.0 / libm::cbrt((before * power[k] * after).sqrt());
            spectrum[k].0 *= factor;
            spectrum[k].1 *= factor;
        }
    }

    fn score(&self, ring: &[f64], next: usize, work: &mut Work) -> Option<f64> {
        let points = ring.len();
        if !self.unroll(ring, next, &mut work.window[..points]) {
            return None;
        }
        let estimate = self.estimate(&work.window[..points]);
        work.window[points..].fill(estimate);
        if !self.level(&mut work.window, &mut work.sorted) {
            return Some(0.0);
        }
        self.fourier.forward(&work.window, &mut work.work, &mut work.spectrum);
        self.whiten(&mut work.spectrum, &mut work.power);
        self.fourier.backward(&work.spectrum, &mut work.work, &mut work.window);
        let last = work.window[points - 1].abs();
        let others = if self.local == 0 { 0..points } else { points - 1 - self.local..points - 1 };
        let count = others.len() as f64;
        let mut sum = 0.0;
        for value in &work.window[others] {
            sum += value.abs();
        }
        let most = work.window[..points].iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        // Beside a spike in what stood still the others are nothing but rounding.
        Some(distance(last, 0.0, (sum / count).max(most / UNSCALED)))
    }
}

impl Kernel for SpectralResidual {
    fn step(&self, slice: &mut Slice<'_>) {
        let Some(ring) = slice.row.f64s.first_mut() else { unreachable!("one f64 array") };
        let Some(head) = slice.row.i64s.first_mut() else { unreachable!("one i64 array") };
        let points = self.length - self.ahead;
        let mut work = self.work();
        for (score, &raw) in slice.outputs[0].iter_mut().zip(slice.values) {
            let known = raw.is_finite();
            let next = (head[0] as u64 % points as u64) as usize;
            ring[next] = if known { raw.clamp(-LARGEST, LARGEST) } else { f64::NAN };
            head[0] = head[0].wrapping_add(1);
            if known && head[0] >= points as i64 {
                if let Some(found) = self.score(ring, (next + 1) % points, &mut work) {
                    *score = found;
                }
            }
        }
    }
}
