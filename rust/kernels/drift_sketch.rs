//! A distribution in few numbers: shares of points up to fixed edges, block by block, and how far the last blocks lie
//! from the reference.

pub const EDGES: usize = 15;
/// Edges; mean and sum of squares over the reference's blocks; the last blocks; points of the present block up to each.
const MEAN: usize = EDGES;
const M2: usize = 2 * EDGES;
const RECENT: usize = 3 * EDGES;
const BINS: usize = 4 * EDGES;
/// Points of the present block; blocks and points of the reference.
const COUNT: usize = BINS + EDGES + 1;
const BLOCKS: usize = COUNT + 1;
const POINTS: usize = COUNT + 2;
/// Of the sample: how many points each one stands for.
const STRIDE: usize = COUNT + 3;
pub const SKETCH: usize = COUNT + 4;
/// While edges are looked for, the sample stands where the shares will be; an even number of places.
const SAMPLE: usize = COUNT;
/// Weight of the last block.
const GAIN: f64 = 0.5;
/// Kolmogorov's quantile: one distance of a thousand between equal distributions is beyond it.
const KOLMOGOROV: f64 = 1.95;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Rest,
    Sample,
    Refer,
    Watch,
}

pub struct Sketch<'a>(pub &'a mut [f64]);

impl Sketch<'_> {
    pub fn add(&mut self, x: f64, step: Step) {
        if !x.is_finite() {
            return;
        }
        match step {
            Step::Rest => {}
            Step::Sample => self.sample(x),
            Step::Refer | Step::Watch => {
                let bin = self.0[..EDGES].iter().take_while(|&&edge| edge < x).count();
                self.0[BINS + bin] += 1.0;
                self.0[COUNT] += 1.0;
            }
        }
    }

    /// Every point at first, then every second, and so on: what is kept is spread over the whole block.
    fn sample(&mut self, x: f64) {
        let stride = self.0[STRIDE].max(1.0);
        self.0[STRIDE] = stride;
        let count = self.0[COUNT];
        self.0[COUNT] += 1.0;
        if count % stride != 0.0 {
            return;
        }
        let held = (count / stride) as usize;
        if held < SAMPLE {
            self.0[held] = x;
            return;
        }
        for i in 0..SAMPLE / 2 {
            self.0[i] = self.0[2 * i];
        }
        self.0[STRIDE] = 2.0 * stride;
        self.0[SAMPLE / 2] = x;
    }

    /// A block ends: how far it is from the reference, and the limits of that.
    pub fn close(&mut self, step: Step, wanted: f64, least: f64) -> [f64; 3] {
        match step {
            Step::Rest => {}
            Step::Sample => self.edges(),
            Step::Refer => self.refer(),
            Step::Watch => return self.watch(wanted, least),
        }
        [f64::NAN; 3]
    }

    fn edges(&mut self) {
        let (count, stride) = (self.0[COUNT], self.0[STRIDE].max(1.0));
        let held = ((count / stride).ceil() as usize).min(SAMPLE);
        let mut sorted = [f64::NAN; SAMPLE];
        sorted[..held].copy_from_slice(&self.0[..held]);
        sorted[..held].sort_by(f64::total_cmp);
        self.0.fill(0.0);
        for k in 0..EDGES {
            // Without a point there is no edge, and nothing is ever said.
            self.0[k] = if held > 0 { sorted[(k + 1) * held / (EDGES + 1)] } else { f64::NAN };
        }
    }

    fn refer(&mut self) {
        let n = self.0[COUNT];
        if n > 0.0 {
            self.0[BLOCKS] += 1.0;
            self.0[POINTS] += n;
            let blocks = self.0[BLOCKS];
            let mut up_to = 0.0;
            for k in 0..EDGES {
                up_to += self.0[BINS + k];
                let off = up_to / n - self.0[MEAN + k];
                self.0[MEAN + k] += off / blocks;
                self.0[M2 + k] += off * (up_to / n - self.0[MEAN + k]);
                self.0[RECENT + k] = self.0[MEAN + k];
            }
        }
        self.0[BINS..=COUNT].fill(0.0);
    }

    fn watch(&mut self, wanted: f64, least: f64) -> [f64; 3] {
        let (n, blocks) = (self.0[COUNT], self.0[BLOCKS]);
        let (mut distance, mut up_to) = (0.0f64, 0.0);
        if n > 0.0 {
            for k in 0..EDGES {
                up_to += self.0[BINS + k];
                self.0[RECENT + k] += GAIN * (up_to / n - self.0[RECENT + k]);
                distance = distance.max((self.0[RECENT + k] - self.0[MEAN + k]).abs());
            }
        }
        self.0[BINS..=COUNT].fill(0.0);
        if n <= 0.0 || blocks < 0.5 * wanted || blocks < 3.0 || self.0[0].is_nan() {
            return [f64::NAN; 3];
        }
        let size = (self.0[POINTS] / blocks).min(n);
        let worth = size / self.clumps(size);
        let share = GAIN / (2.0 - GAIN) + 1.0 / blocks;
        let limit = super::drift_blocks::widened(KOLMOGOROV, 2.0 * (blocks - 1.0)) * (share / worth).sqrt();
        [distance, 0.0, limit.max(least)]
    }

    /// How many points of a block are worth one that is independent of the others: how much more than by chance the
    /// blocks of the reference differ.
    fn clumps(&self, size: f64) -> f64 {
        let blocks = self.0[BLOCKS];
        let (mut seen, mut chance) = (0.0, 0.0);
        for k in 0..EDGES {
            let share = self.0[MEAN + k];
            seen += self.0[M2 + k] / (blocks - 1.0);
            chance += share * (1.0 - share) / size;
        }
        if chance > 0.0 {
            (seen / chance).max(1.0)
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_the_block() {
        let mut state = vec![0.0; SKETCH];
        let mut sketch = Sketch(&mut state);
        for i in 0..100_000 {
            sketch.add(f64::from(i), Step::Sample);
        }
        sketch.close(Step::Sample, 14.0, 0.1);
        for (k, found) in state[..EDGES].iter().enumerate() {
            let want = 100_000.0 * (k + 1) as f64 / (EDGES + 1) as f64;
            assert!((found - want).abs() < 5000.0, "{k}: {found} instead of {want}");
        }
    }
}
