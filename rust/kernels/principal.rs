//! Principal components of rows, by Jacobi's rotations, and what they leave over of a row.

use super::crowd::{whole, SCORE_MAX};

/// Sweeps over all pairs of features; ten are more than enough for hundreds.
const SWEEPS: usize = 30;
/// A pair whose covariance is this little beside the variances counts as uncorrelated.
const SMALL: f64 = 1e-15;

/// Mean of each feature, variances along the components, the largest first, and the components, one after the other.
pub struct Components {
    pub mean: Vec<f64>,
    pub variances: Vec<f64>,
    pub axes: Vec<f64>,
}

/// The components of finite rows; the sums go row by row.
pub fn fit(rows: &[f64], dims: usize) -> Components {
    let count = (rows.len() / dims) as f64;
    let mut mean = vec![0.0; dims];
    for row in rows.chunks_exact(dims) {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / count);
    }
    let mut matrix = vec![0.0; dims * dims];
    let mut centred = vec![0.0; dims];
    for row in rows.chunks_exact(dims) {
        centred.iter_mut().zip(row.iter().zip(&mean)).for_each(|(c, (x, m))| *c = x - m);
        for i in 0..dims {
            let own = centred[i] / (count - 1.0);
            matrix[i * dims..i * dims + i + 1]
                .iter_mut()
                .zip(&centred)
                .for_each(|(cell, c)| *cell += own * c);
        }
    }
    for i in 0..dims {
        for j in 0..i {
            matrix[j * dims + i] = matrix[i * dims + j];
        }
    }
    let axes = rotate(&mut matrix, dims);
    let mut order: Vec<usize> = (0..dims).collect();
    order.sort_by(|&a, &b| matrix[b * dims + b].total_cmp(&matrix[a * dims + a]));
    Components {
        mean,
        variances: order.iter().map(|&i| matrix[i * dims + i].max(0.0)).collect(),
        axes: order.iter().flat_map(|&i| axes[i * dims..(i + 1) * dims].iter().copied()).collect(),
    }
}

/// Makes a symmetric matrix diagonal; gives the rotation, an eigenvector a row.
fn rotate(matrix: &mut [f64], dims: usize) -> Vec<f64> {
    let mut axes = vec![0.0; dims * dims];
    (0..dims).for_each(|i| axes[i * dims + i] = 1.0);
    for _ in 0..SWEEPS {
        let mut still = true;
        for p in 0..dims {
            for q in p + 1..dims {
                let (a, b, c) = (matrix[p * dims + p], matrix[q * dims + q], matrix[p * dims + q]);
                if c * c <= SMALL * SMALL * (a * b).abs() || c == 0.0 {
                    continue;
                }
                still = false;
                let theta = (b - a) / (2.0 * c);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let cos = 1.0 / (t * t + 1.0).sqrt();
                turn(matrix, &mut axes, dims, (p, q), (cos, t * cos));
            }
        }
        if still {
            break;
        }
    }
    axes
}

fn turn(matrix: &mut [f64], axes: &mut [f64], dims: usize, (p, q): (usize, usize), (cos, sin): (f64, f64)) {
    for k in 0..dims {
        let (x, y) = (matrix[k * dims + p], matrix[k * dims + q]);
        matrix[k * dims + p] = cos * x - sin * y;
        matrix[k * dims + q] = sin * x + cos * y;
    }
    for rows in [matrix, axes] {
        let (upper, lower) = rows.split_at_mut(q * dims);
        for (x, y) in upper[p * dims..(p + 1) * dims].iter_mut().zip(&mut lower[..dims]) {
            (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
        }
    }
}

/// The components that are kept, and the mean.
pub struct Kept<'a> {
    pub mean: &'a [f64],
    pub axes: &'a [f64],
    /// What the components leave over of usual rows, as a mean square.
    pub usual: f64,
}

impl Kept<'_> {
    /// What is left of a row, feature by feature.
    fn left(&self, row: &[f64], left: &mut [f64]) {
        left.iter_mut().zip(row.iter().zip(self.mean)).for_each(|(l, (x, m))| *l = x - m);
        // Axes are at right angles: taking one away leaves what lies along the next as it was.
        for axis in self.axes.chunks_exact(row.len()) {
            let along: f64 = axis.iter().zip(&*left).map(|(a, l)| a * l).sum();
            left.iter_mut().zip(axis).for_each(|(l, a)| *l -= along * a);
        }
    }

    /// Root of what is left, beside what usually is.
    pub fn score(&self, rows: &[f64], dims: usize, scores: &mut [f64]) {
        let mut left = vec![0.0; dims];
        for (row, score) in rows.chunks_exact(dims).zip(scores) {
            *score = f64::NAN;
            if whole(row) {
                self.left(row, &mut left);
                *score = (left.iter().map(|x| x * x).sum::<f64>() / self.usual).sqrt().min(SCORE_MAX);
            }
        }
    }

    /// What is left of each feature, squared.
    pub fn shares(&self, rows: &[f64], dims: usize, shares: &mut [f64]) {
        for (row, share) in rows.chunks_exact(dims).zip(shares.chunks_exact_mut(dims)) {
            if whole(row) {
                self.left(row, share);
                share.iter_mut().for_each(|x| *x *= *x);
            } else {
                share.fill(f64::NAN);
            }
        }
    }
}
