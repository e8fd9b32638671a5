//! Local Outlier Factor: how much sparser the place of a row is than the places of its nearest neighbours.
//!
//! ```text
//! reach(x, o) = max(distance(x, o), distance of o from its k-th neighbour, floor)
//! density(x) = 1 / (mean reach to its k neighbours + 1e-10)
//! score(x) = mean density of its k neighbours / density(x)
//! ```

use super::crowd::{whole, Crowd, SCORE_MAX};

/// Keeps a density finite where rows are equal.
const LEAST: f64 = 1e-10;

pub struct Neighbourhood<'a> {
    pub crowd: Crowd<'a>,
    /// Of each row, the distance of its k-th neighbour, and its density.
    pub reaches: &'a [f64],
    pub densities: &'a [f64],
    pub neighbours: usize,
    pub floor: f64,
}

/// The nearest of some rows: squared distance and number, the nearest first; of two as near the earlier row.
struct Nearest {
    found: Vec<(f64, usize)>,
    most: usize,
}

impl Nearest {
    fn new(most: usize) -> Self {
        Self { found: Vec::with_capacity(most + 1), most }
    }

    fn of(&mut self, squares: &[f64], but: usize) -> &[(f64, usize)] {
        self.found.clear();
        let mut worst = f64::INFINITY;
        for (number, &square) in squares.iter().enumerate() {
            if square < worst && number != but {
                let at = self.found.partition_point(|&(other, _)| other <= square);
                self.found.insert(at, (square, number));
                self.found.truncate(self.most);
                if self.found.len() == self.most {
                    worst = self.found[self.most - 1].0;
                }
            }
        }
        &self.found
    }
}

/// For each row of the crowd: the distance of its k-th neighbour, and its density.
pub fn fit(crowd: Crowd<'_>, dims: usize, neighbours: usize, floor: f64) -> (Vec<f64>, Vec<f64>) {
    let count = crowd.count;
    let neighbours = neighbours.min(count - 1);
    let (mut squares, mut row) = (vec![0.0; count], vec![0.0; dims]);
    let mut nearest = Nearest::new(neighbours);
    let (mut reaches, mut known) = (vec![0.0; count], Vec::with_capacity(count * neighbours));
    for (number, reach) in reaches.iter_mut().enumerate() {
        for (feature, value) in row.iter_mut().enumerate() {
            *value = crowd.feature(feature)[number];
        }
        crowd.squares(&row, &mut squares);
        let found = nearest.of(&squares, number);
        *reach = found[neighbours - 1].0.sqrt();
        known.extend_from_slice(found);
    }
    let densities = known.chunks_exact(neighbours).map(|found| density(found, &reaches, floor)).collect();
    (reaches, densities)
}

fn density(found: &[(f64, usize)], reaches: &[f64], floor: f64) -> f64 {
    let sum: f64 = found.iter().map(|&(square, other)| square.sqrt().max(reaches[other]).max(floor)).sum();
    1.0 / (sum / found.len() as f64 + LEAST)
}

impl Neighbourhood<'_> {
    pub fn score(&self, rows: &[f64], dims: usize, scores: &mut [f64]) {
        let mut squares = vec![0.0; self.crowd.count];
        let mut nearest = Nearest::new(self.neighbours);
        for (row, score) in rows.chunks_exact(dims).zip(scores) {
            *score = f64::NAN;
            if whole(row) {
                self.crowd.squares(row, &mut squares);
                let found = nearest.of(&squares, usize::MAX);
                let own = density(found, self.reaches, self.floor);
                let sum: f64 = found.iter().map(|&(_, other)| self.densities[other] / own).sum();
                *score = (sum / found.len() as f64).min(SCORE_MAX);
            }
        }
    }

    /// Of each feature its share of the squared distances from the neighbours.
    pub fn shares(&self, rows: &[f64], dims: usize, shares: &mut [f64]) {
        let mut squares = vec![0.0; self.crowd.count];
        let mut nearest = Nearest::new(self.neighbours);
        for (row, share) in rows.chunks_exact(dims).zip(shares.chunks_exact_mut(dims)) {
            share.fill(f64::NAN);
            if whole(row) {
                self.crowd.squares(row, &mut squares);
                let found = nearest.of(&squares, usize::MAX);
                for (feature, share) in share.iter_mut().enumerate() {
                    let values = self.crowd.feature(feature);
                    *share = found.iter().map(|&(_, other)| (row[feature] - values[other]).powi(2)).sum();
                }
            }
        }
    }
}
