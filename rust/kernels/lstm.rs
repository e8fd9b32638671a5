//! The forward pass of an autoencoder of two LSTM layers, window by window: the one reads the window, the other writes
//! it again from the first one's last state. Sums go in one order and exponentials come from `libm`, so that a window
//! has the same bits beside any others and on every machine.
//!
//! A layer is `inputs`[k, 4 h], `hidden`[h, 4 h] and `bias`[4 h]; its gates stand in the order in, forget, cell, out.

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

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn tanh(x: f64) -> f64 {
    2.0 / (1.0 + libm::exp(-2.0 * x)) - 1.0
}

/// `sums` += `vector` times `matrix`.
fn add(vector: &[f64], matrix: &[f64], sums: &mut [f64]) {
    for (&factor, row) in vector.iter().zip(matrix.chunks_exact(sums.len())) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += factor * weight;
        }
    }
}

/// The state of a layer: what it says and what it keeps.
struct Cell {
    hidden: Vec<f64>,
    kept: Vec<f64>,
    gates: Vec<f64>,
}

impl Cell {
    fn new(size: usize) -> Self {
        Self { hidden: vec![0.0; size], kept: vec![0.0; size], gates: vec![0.0; 4 * size] }
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
        for i in 0..size {
            let (enter, forget) = (sigmoid(self.gates[i]), sigmoid(self.gates[size + i]));
            let (cell, out) = (tanh(self.gates[2 * size + i]), sigmoid(self.gates[3 * size + i]));
            self.kept[i] = forget * self.kept[i] + enter * cell;
            self.hidden[i] = out * tanh(self.kept[i]);
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
