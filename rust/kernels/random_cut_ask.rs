//! Questions asked of the trees of a random cut forest as they are; nothing is learned.
//!
//! What is asked comes as a batch: each of its rows holds one shingle in units of the metric, oldest point first, or no
//! value where the question is about the newest shingle.

use super::fleet::{Kernel, Slice};
use super::random_cut_ahead::Ahead;
use super::random_cut_box::{Width, DIMS_MAX};
use super::random_cut_density::Density;
use super::random_cut_forest::{Fold, RandomCutForest};
use super::random_cut_intake::ring;
use super::random_cut_open::{open, Work};
use super::random_cut_transform::Transform;
use super::random_cut_tree::{Padded, Ring};

pub enum Question {
    /// Values where there are none (NaN): outputs are the values of the shingle.
    Impute,
    /// Density by value of the shingle, above then below; the number is the dimensions that shingles fill.
    Density(f64),
    /// The nearest shingles: for each its distance, the points since, its values. At least so many points ago.
    Neighbours(i64),
    /// Values to come: middles by step and value of a point, then lower, then upper quantiles.
    Ahead(f64),
}

pub struct Ask {
    pub forest: RandomCutForest,
    pub question: Question,
}

impl Kernel for Ask {
    fn step(&self, slice: &mut Slice<'_>) {
        open(self, slice);
    }
}

impl Work for Ask {
    fn forest(&self) -> &RandomCutForest {
        &self.forest
    }

    fn work<W: Width>(&self, fold: &mut Fold<'_, '_, W>, slice: &mut Slice<'_>) {
        let rows = slice.times.len();
        let width = slice.values.len().checked_div(rows).unwrap_or(0);
        let mut ahead = Ahead::default();
        let mut density = Density::default();
        let mut answers = vec![f64::NAN; slice.outputs.len()];
        for i in 0..rows {
            let values = &slice.values[i * width..][..width];
            answers.fill(f64::NAN);
            match self.question {
                Question::Impute => fold.fill_in(values, &mut answers),
                Question::Density(power) => {
                    let (point, known) = fold.asked(values);
                    if fold.versed() && known[..fold.shingle.len()].iter().all(|&k| k > 0.0) {
                        fold.density(&point, power, &mut density, &mut answers);
                    }
                }
                Question::Neighbours(least) => fold.nearest_of_all(values, least, &mut answers),
                Question::Ahead(tail) => {
                    let steps = answers.len() / 3;
                    fold.look_ahead(steps / self.forest.inputs, Some(tail), &mut ahead);
                    answers[..steps].copy_from_slice(&ahead.middles);
                    answers[steps..2 * steps].copy_from_slice(&ahead.lowers);
                    answers[2 * steps..].copy_from_slice(&ahead.uppers);
                }
            }
            for (output, &answer) in slice.outputs.iter_mut().zip(&answers) {
                output[i] = answer;
            }
        }
    }
}

impl<W: Width> Fold<'_, '_, W> {
    /// The shingle asked about and which values it has: the newest one if none is given.
    fn asked(&self, values: &[f64]) -> (Padded, Padded) {
        if values.is_empty() {
            return self.present();
        }
        let (mut point, mut known) = ([0.0; DIMS_MAX], [0.0; DIMS_MAX]);
        self.enter_all(values, &mut point, &mut known);
        (point, known)
    }

    /// Numbers of a shingle in units of the metric, oldest first. Differences are followed from the value that is known
    /// before the shingle, or else go back from the newest value.
    fn values_of(&self, numbers: &[f64], before: Option<&[f64]>, answers: &mut [f64]) {
        let kernel = self.kernel;
        for k in 0..kernel.inputs {
            let moves = || numbers.iter().skip(k).step_by(kernel.dims);
            let mut value = match before {
                Some(values) => values[k],
                None if kernel.transform == Transform::Difference => self.newest(k) - moves().sum::<f64>(),
                None => 0.0,
            };
            for (at, &number) in moves().enumerate() {
                value = self.follow(k, value, number);
                answers[at * kernel.inputs + k] = value;
            }
        }
    }

    /// A shingle with its missing values as the trees would have them.
    fn fill_in(&mut self, values: &[f64], answers: &mut [f64]) {
        let kernel = self.kernel;
        let (point, known) = self.asked(values);
        let missing: Vec<usize> = (0..self.shingle.len()).filter(|&k| known[k] == 0.0).collect();
        let mut numbers: Vec<f64> = point[..self.shingle.len()].iter().map(|&x| f64::from(x)).collect();
        let versed = self.versed();
        if !missing.is_empty() && versed {
            self.seek(&point, &known);
        }
        for place in missing {
            numbers[place] = if versed { self.middle_at(place) } else { f64::NAN };
        }
        let differs = kernel.transform == Transform::Difference;
        let before = differs.then(|| &values[..kernel.inputs]);
        self.values_of(&numbers, before, answers);
        for (answer, &value) in answers.iter_mut().zip(&values[usize::from(differs) * kernel.inputs..]) {
            if value.is_finite() {
                *answer = value;
            }
        }
    }

    /// The nearest shingles over all trees, each once: distance, points since, values.
    fn nearest_of_all(&mut self, values: &[f64], least: i64, answers: &mut [f64]) {
        let (point, known) = self.asked(values);
        if !self.versed() {
            return;
        }
        self.seek(&point, &known);
        let mut found: Vec<(f32, i64, u16)> =
            self.search.near.iter().map(|n| (n.distance, self.ago(n.start), n.start)).collect();
        found.retain(|f| f.1 >= least);
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.dedup_by_key(|f| f.2);
        let width = 2 + self.kernel.shingle * self.kernel.inputs;
        for (answer, (distance, ago, start)) in answers.chunks_exact_mut(width).zip(found) {
            answer[0] = f64::from(distance);
            answer[1] = ago as f64;
            let numbers: Vec<f64> = ring!(self).point(start).iter().map(|&x| f64::from(x)).collect();
            self.values_of(&numbers, None, &mut answer[2..]);
        }
    }
}
