//! Distances of a row from many others, which are kept feature by feature.

use super::exps::exps;

/// Scores above it say no more, and would overflow in what follows.
pub const SCORE_MAX: f64 = 1e9;

/// Rows that stand still, feature by feature: `values[feature * count + row]`.
#[derive(Clone, Copy)]
pub struct Crowd<'a> {
    pub values: &'a [f64],
    pub count: usize,
}

impl<'a> Crowd<'a> {
    pub fn feature(&self, feature: usize) -> &'a [f64] {
        &self.values[feature * self.count..(feature + 1) * self.count]
    }

    /// Squared distances of `row` from all, feature by feature in their order: vectors of any width give the same bits.
    pub fn squares(&self, row: &[f64], found: &mut [f64]) {
        found.fill(0.0);
        for (feature, &value) in row.iter().enumerate() {
            for (sum, other) in found.iter_mut().zip(self.feature(feature)) {
                let away = value - other;
                *sum += away * away;
            }
        }
    }
}

/// True if every feature of a row is a number.
pub fn whole(row: &[f64]) -> bool {
    row.iter().all(|x| x.is_finite())
}

/// One-Class SVM with the kernel exp(-gamma d^2): support rows, their weights, which are > 0.
pub struct Support<'a> {
    pub crowd: Crowd<'a>,
    pub weights: &'a [f64],
    pub gamma: f64,
}

impl Support<'_> {
    /// The kernels of a row in `kernels`, each over that of the nearest; gives the smallest squared distance.
    fn kernels(&self, row: &[f64], squares: &mut [f64], kernels: &mut [f64]) -> f64 {
        self.crowd.squares(row, squares);
        let nearest = squares.iter().fold(f64::INFINITY, |a, &b| if b < a { b } else { a });
        squares.iter_mut().for_each(|x| *x -= nearest);
        exps(-self.gamma, squares, kernels);
        nearest
    }

    /// `-ln` of the weighted mean of the kernels: it grows with the distance where the kernels themselves are 0.
    pub fn score(&self, rows: &[f64], dims: usize, scores: &mut [f64]) {
        let (mut squares, mut kernels) = (vec![0.0; self.crowd.count], vec![0.0; self.crowd.count]);
        let all: f64 = self.weights.iter().sum();
        for (row, score) in rows.chunks_exact(dims).zip(scores) {
            *score = f64::NAN;
            if whole(row) {
                let nearest = self.kernels(row, &mut squares, &mut kernels);
                let near: f64 = self.weights.iter().zip(&kernels).map(|(w, k)| w * k).sum();
                *score = (self.gamma * nearest - libm::log(near / all)).clamp(0.0, SCORE_MAX);
            }
        }
    }

    /// Of each feature its share of the squared distances, which count by weight and kernel.
    pub fn shares(&self, rows: &[f64], dims: usize, shares: &mut [f64]) {
        let (mut squares, mut kernels) = (vec![0.0; self.crowd.count], vec![0.0; self.crowd.count]);
        for (row, share) in rows.chunks_exact(dims).zip(shares.chunks_exact_mut(dims)) {
            share.fill(f64::NAN);
            if whole(row) {
                self.kernels(row, &mut squares, &mut kernels);
                for (feature, share) in share.iter_mut().enumerate() {
                    let parts = self.weights.iter().zip(&kernels).zip(self.crowd.feature(feature));
                    *share = parts.map(|((w, k), x)| w * k * ((row[feature] - x) * (row[feature] - x))).sum();
                }
            }
        }
    }
}
