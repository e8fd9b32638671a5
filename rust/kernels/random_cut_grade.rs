//! From a forest's scores to anomalies: a threshold that follows the scores, and reasons to let a point pass.
//!
//! State beside the forest's: `grading` f64[6] = (mean, variance and count of scores, share of points with every value, points
//! learned, points since the last anomaly's beginning).

use super::fleet::{Kernel, Slice};
use super::random_cut_box::Width;
use super::random_cut_explain::told;
use super::random_cut_forest::{Fold, RandomCutForest};
use super::random_cut_open::{open, Work};

pub const GRADING: usize = 6;
/// Scores seen before their mean and deviation count in full.
const EARLY: f64 = 32.0;
/// The least that a score must be until then.
const EARLY_LEAST: f64 = 1.5;
/// The deviation of scores is at least this part of their mean.
const DEVIATION_MIN: f64 = 0.02;
/// Long ago.
const NEVER: f64 = 1e9;

/// By how much a value may differ from the expected one and be no anomaly: absolute, and as a share of the expected.
pub struct Margin {
    pub above: (f64, f64),
    pub below: (f64, f64),
}

pub struct Grade {
    pub forest: RandomCutForest,
    /// Deviations of the score over its mean from which a point is an anomaly.
    pub factor: f64,
    /// No lower score is an anomaly.
    pub least: f64,
    /// What fades of the scores' mean with each point.
    pub fade: f64,
    pub margin: Margin,
}

/// The numbers of the state, by name.
struct Grading<'a>(&'a mut [f64]);

impl Grading<'_> {
    fn spread(&self) -> f64 {
        self.0[1].sqrt().max(DEVIATION_MIN * self.0[0])
    }

    fn threshold(&self, grade: &Grade) -> f64 {
        let usual = self.0[0] + grade.factor * self.spread();
        usual.max(if self.0[2] < EARLY { EARLY_LEAST.max(grade.least) } else { grade.least })
    }

    /// Learns a score; one beyond the threshold no more than as if it were there.
    fn learn(&mut self, score: f64, threshold: f64, fade: f64) {
        let [mean, variance, count, ..] = self.0 else { unreachable!("six numbers") };
        let rate = (1.0 / (*count + 1.0)).max(fade);
        let delta = score.min(threshold) - *mean;
        *mean += rate * delta;
        *variance = (1.0 - rate) * (*variance + rate * delta * delta);
        *count = (*count + 1.0).min(NEVER);
    }
}

impl Margin {
    /// True if a value is as near to the expected one as it may be.
    fn holds(&self, value: f64, expected: f64) -> bool {
        let size = expected.abs();
        value <= expected + self.above.0.max(self.above.1 * size)
            && value >= expected - self.below.0.max(self.below.1 * size)
    }

    fn none(&self) -> bool {
        [self.above.0, self.above.1, self.below.0, self.below.1].iter().all(|&m| m == 0.0)
    }
}

impl Kernel for Grade {
    fn step(&self, slice: &mut Slice<'_>) {
        open(self, slice);
    }
}

impl Grade {
    /// True if what is strange is news: it began after the last anomaly did, and is not near what was expected.
    fn is_news(&self, told: &[f64], since: f64) -> bool {
        let inputs = self.forest.inputs;
        let (came, expected) = (&told[2..2 + inputs], &told[2 + inputs..2 + 2 * inputs]);
        let mut explained = came.iter().zip(expected).filter(|(_, e)| e.is_finite()).peekable();
        let near = !self.margin.none()
            && explained.peek().is_some()
            && explained.all(|(&c, &e)| self.margin.holds(c, e));
        told[0] < since && !near
    }

    /// Share of trust in what is said: how full the sample is, times the share of points that had every value.
    fn confidence(&self, grading: &Grading<'_>) -> f64 {
        (grading.0[4] / self.forest.samples as f64).min(1.0) * grading.0[3]
    }
}

impl Work for Grade {
    fn forest(&self) -> &RandomCutForest {
        &self.forest
    }

    /// Outputs: grade; then, where asked for, score, threshold and confidence, the shares, and what is told.
    fn work<W: Width>(&self, fold: &mut Fold<'_, '_, W>, slice: &mut Slice<'_>) {
        let Some(numbers) = slice.row.f64s.pop() else { unreachable!("one array beside the forest's") };
        let mut grading = Grading(numbers);
        let inputs = self.forest.inputs;
        fold.explains = true;
        for i in 0..slice.times.len() {
            let values = &slice.values[i * inputs..][..inputs];
            let threshold = grading.threshold(self);
            fold.above = Some(threshold);
            fold.sums.fill(f64::NAN);
            fold.told.fill(f64::NAN);
            let score = fold.point(slice.times[i], values);
            let whole = values.iter().all(|v| v.is_finite());
            // No longer kept than a window of samples is.
            let rate = (1.0 / (grading.0[4] + 1.0)).max(1.0 / self.forest.samples as f64);
            grading.0[3] += rate * (f64::from(u8::from(whole)) - grading.0[3]);
            grading.0[4] = (grading.0[4] + f64::from(u8::from(whole))).min(NEVER);
            grading.0[5] = (grading.0[5] + 1.0).min(NEVER);
            let mut grade = f64::NAN;
            if score.is_finite() {
                grade = 0.0;
                if score > threshold && self.is_news(&fold.told, grading.0[5]) {
                    grade = ((score - threshold) / (self.factor * grading.spread())).clamp(1e-6, 1.0);
                    grading.0[5] = fold.told[0];
                }
                grading.learn(score, threshold, self.fade);
            }
            let confidence = self.confidence(&grading);
            self.answer(fold, slice, i, [grade, score, threshold, confidence]);
        }
    }
}

impl Grade {
    fn answer<W: Width>(&self, fold: &Fold<'_, '_, W>, slice: &mut Slice<'_>, i: usize, numbers: [f64; 4]) {
        let [grade, rest @ ..] = numbers;
        slice.outputs[0][i] = grade;
        if grade > 0.0 && fold.told[0] == 0.0 {
            slice.outputs[1][i] = fold.told[2 + self.forest.inputs];
        }
        const ANSWERS: usize = 6;
        let told = &fold.told[..told(&self.forest)];
        let answers = rest.iter().chain(&fold.sums).chain(told);
        for (output, &answer) in slice.outputs[ANSWERS..].iter_mut().zip(answers) {
            output[i] = answer;
        }
    }
}
