//! Fixed pieces of work for kernels, without Python around them: `tools/instructions.py` counts the instructions of what is
//! called `counted`, `make memcheck` looks over every access to memory. Sums of scores are compared with recorded ones.

use crate::kernels::fleet::{Kernel, Row, Slice};
use crate::kernels::random_cut_forest::RandomCutForest;
use crate::kernels::random_cut_open::widths;
use crate::kernels::random_cut_sample::{draw, unit};
use crate::kernels::random_cut_transform::Transform;

const SAMPLES: usize = 256;
const SHINGLE: usize = 8;
const SPAN: usize = 15_360;
/// Points that are learned before, and points that are counted.
const BEFORE: usize = 800;
const COUNTED: usize = 200;

/// One series: its arrays, and the points that come.
struct Series {
    kernel: RandomCutForest,
    i64s: Vec<Vec<i64>>,
    f32s: Vec<Vec<f32>>,
    u16s: Vec<Vec<u16>>,
    f64s: Vec<Vec<f64>>,
    seen: usize,
}

impl Series {
    fn new(kernel: RandomCutForest) -> Self {
        let [head, roots, nodes, refs, ring, shingle, boxes, links, weights, counts] =
            widths(kernel.trees, kernel.samples, kernel.shingle, kernel.dims, kernel.span);
        Series {
            kernel,
            i64s: vec![vec![0; head], vec![-1; roots], vec![-1; nodes], vec![0; counts]],
            f32s: vec![vec![0.0; ring], vec![0.0; shingle], vec![0.0; boxes]],
            u16s: vec![vec![u16::MAX; refs], vec![0; links]],
            f64s: vec![vec![0.0; weights], Vec::new()],
            seen: 0,
        }
    }

    /// Folds so many further points and gives the sum of their scores.
    fn fold(&mut self, points: usize, step: impl Fn(&RandomCutForest, &mut Slice<'_>)) -> f64 {
        let dims = self.kernel.dims;
        let values: Vec<f64> = (0..points * dims).map(|k| value(self.seen + k / dims, k % dims)).collect();
        let times: Vec<i64> = (0..points).map(|i| (self.seen + i) as i64).collect();
        let mut outputs = vec![vec![f64::NAN; points]; 6];
        self.seen += points;
        step(
            &self.kernel,
            &mut Slice {
                index: 0,
                row: Row {
                    f64s: self.f64s.iter_mut().map(Vec::as_mut_slice).collect(),
                    f32s: self.f32s.iter_mut().map(Vec::as_mut_slice).collect(),
                    i64s: self.i64s.iter_mut().map(Vec::as_mut_slice).collect(),
                    u16s: self.u16s.iter_mut().map(Vec::as_mut_slice).collect(),
                },
                times: &times,
                values: &values,
                columns: Vec::new(),
                outputs: outputs.iter_mut().map(Vec::as_mut_slice).collect(),
            },
        );
        outputs[0].iter().filter(|score| score.is_finite()).sum()
    }
}

/// A season of 288 points with its second harmonic, noise and a few spikes; values of a point are shifted in phase.
fn value(point: usize, dim: usize) -> f64 {
    let phase = std::f64::consts::TAU * (point + 37 * dim) as f64 / 288.0;
    let noise: f64 = (0..6).map(|k| unit(draw(k, (point * 256 + dim) as u64)) - 0.5).sum();
    let spike = if unit(draw(9, (point * 256 + dim) as u64)) < 0.002 { 15.0 } else { 0.0 };
    10.0 * libm::sin(phase) + 4.0 * libm::sin(2.0 * phase) + 0.7 * noise + spike
}

/// What is counted. A function of its own, which tools find by its name.
#[inline(never)]
fn counted(kernel: &RandomCutForest, slice: &mut Slice<'_>) {
    kernel.step(slice);
}

/// The sum of the scores of the counted points.
fn forest(dims: usize, scores: bool) -> f64 {
    let kernel = RandomCutForest {
        trees: 50,
        samples: SAMPLES,
        shingle: SHINGLE,
        dims,
        inputs: dims,
        timed: false,
        transform: Transform::Plain,
        fade: 0.0,
        imputes: false,
        expects: false,
        seed: 0,
        decay: 6.0 / SPAN as f64,
        span: SPAN,
        warm_up: if scores { 64 } else { i64::MAX },
        frozen: false,
        displaces: false,
        attributes: None,
    };
    let mut series = Series::new(kernel);
    series.fold(BEFORE, |kernel, slice| kernel.step(slice));
    series.fold(COUNTED, counted)
}

#[test]
fn forest_scores() {
    assert_eq!(forest(1, true), 172.81634550380033);
}

#[test]
fn forest_learns() {
    assert_eq!(forest(1, false), 0.0);
}

#[test]
fn forest_scores_eight_values() {
    assert_eq!(forest(8, true), 156.52881212114613);
}
