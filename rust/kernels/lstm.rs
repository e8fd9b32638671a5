//! The forward pass of an autoencoder of two LSTM layers, window by window: the one reads the window, the other writes
//! it again from the first one's last state. Sums go in one order and exponentials come from `libm`, so that a window
//! has the same bits beside any others and on every machine.
//!
//! A layer is `inputs`[k, 4 h], `hidden`[h, 4 h] and `bias`[4 h]; its gates stand in the order in, forget, cell, out.

use super::exps::exps;

/// One layer.
pub struct Layer<'a> {
    pub inputs: &'a [f64],
    pub hidden: &'a [f64],
    pub bias: &'a [f64],
}

/// What turns windows into windows: `steps` rows of `columns` features each.
pub struct Autoencoder<'a> {
    pub encoder: Layer<'a>,
    pub decoder: Layer<'a>,
    /// float64[h, columns] and float64[columns]: from a hidden state to features.
    pub output: &'a [f64],
    pub output_bias: &'a [f64],
    pub steps: usize,
}

/// From `falling`, exp(-|x|).
#[inline(always)]
fn sigmoid(x: f64, falling: f64) -> f64 {
    let above = if x > 0.0 { 1.0 } else { falling };
    above / (1.0 + falling)
}

/// From `falling`, exp(-2 |x|).
#[inline(always)]
fn tanh(x: f64, falling: f64) -> f64 {
    ((1.0 - falling) / (1.0 + falling)).copysign(x)
}

/// `sums` += `vector` times `matrix`.
fn add(vector: &[f64], matrix: &[f64], sums: &mut [f64]) {
    for (&factor, row) in vector.iter().zip(matrix.chunks_exact(sums.len())) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += factor * weight;
        }
    }
}

/// The state of a layer: what it says and what it keeps, and room for its gates.
struct Cell {
    hidden: Vec<f64>,
    kept: Vec<f64>,
    gates: Vec<f64>,
    sizes: Vec<f64>,
    falling: Vec<f64>,
}

impl Cell {
    fn new(size: usize) -> Self {
        let [gates, sizes, falling] = std::array::from_fn(|_| vec![0.0; 4 * size]);
        Self { hidden: vec![0.0; size], kept: vec![0.0; size], gates, sizes, falling }
    }

    fn reset(&mut self) {
        self.hidden.fill(0.0);
        self.kept.fill(0.0);
    }

    /// One step; `given` is what the bias and the input add up to.
    fn step(&mut self, layer: &Layer<'_>, given: &[f64]) {
        let size = self.hidden.len();
        self.gates.copy_from_slice(given);
        add(&self.hidden, layer.hidden, &mut self.gates);
        for (place, gate) in self.sizes.iter_mut().zip(&self.gates) {
            *place = -gate.abs();
        }
        // The new content goes through a hyperbolic tangent, the others through a sigmoid.
        self.sizes[2 * size..3 * size].iter_mut().for_each(|place| *place *= 2.0);
        exps(1.0, &self.sizes, &mut self.falling);
        for i in 0..size {
            let [enter, forget, out] = [0, 1, 3].map(|gate| {
                let at = gate * size + i;
                sigmoid(self.gates[at], self.falling[at])
            });
            let fresh = tanh(self.gates[2 * size + i], self.falling[2 * size + i]);
            self.kept[i] = forget * self.kept[i] + enter * fresh;
            self.hidden[i] = out;
        }
        for (place, kept) in self.sizes.iter_mut().zip(&self.kept) {
            *place = -2.0 * kept.abs();
        }
        exps(1.0, &self.sizes[..size], &mut self.falling[..size]);
        for i in 0..size {
            self.hidden[i] *= tanh(self.kept[i], self.falling[i]);
        }
    }
}

impl Autoencoder<'_> {
    /// Writes every window of `rows` again: both are float64[n, steps * columns].
    pub fn reconstruct(&self, rows: &[f64], found: &mut [f64]) {
        let size = self.encoder.bias.len() / 4;
        let columns = self.output_bias.len();
        let (mut encoder, mut decoder) = (Cell::new(size), Cell::new(size));
        let mut given = vec![0.0; 4 * size];
        let length = self.steps * columns;
        for (row, found) in rows.chunks_exact(length).zip(found.chunks_exact_mut(length)) {
            encoder.reset();
            decoder.reset();
            for input in row.chunks_exact(columns) {
                given.copy_from_slice(self.encoder.bias);
                add(input, self.encoder.inputs, &mut given);
                encoder.step(&self.encoder, &given);
            }
            // The same at every step: what the encoder ended with.
            given.copy_from_slice(self.decoder.bias);
            add(&encoder.hidden, self.decoder.inputs, &mut given);
            for output in found.chunks_exact_mut(columns) {
                decoder.step(&self.decoder, &given);
                output.copy_from_slice(self.output_bias);
                add(&decoder.hidden, self.output, output);
            }
        }
    }
}
