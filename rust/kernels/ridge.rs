//! Ridge regression of a value on the values before it, with an intercept that is not shrunk.

/// Share of the lags that must be known where a value is learned from.
const KNOWN: f64 = 0.75;

/// Values in order of time, gaps filled with the value before, and whether each was there.
pub struct History<'a> {
    pub filled: &'a [f64],
    pub known: &'a [bool],
}

/// Places to learn from: the value is known, and most of its lags, back to the first.
fn learnable(history: &History<'_>, lags: usize) -> Vec<usize> {
    let History { filled, known } = history;
    let mut found = Vec::with_capacity(filled.len());
    let mut near = known.iter().take(lags).filter(|&&known| known).count();
    for at in lags..filled.len() {
        if known[at] && !filled[at - lags].is_nan() && near as f64 >= KNOWN * lags as f64 {
            found.push(at);
        }
        near = near + usize::from(known[at]) - usize::from(known[at - lags]);
    }
    found
}

/// In place: the lower triangle of a matrix becomes that of its root. False where it has none.
fn cholesky(matrix: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let mut sum = matrix[i * n + j];
            for k in 0..j {
                sum -= matrix[i * n + k] * matrix[j * n + k];
            }
            if i == j {
                if !(sum > 0.0 && sum.is_finite()) {
                    return false;
                }
                matrix[i * n + i] = sum.sqrt();
            } else {
                matrix[i * n + j] = sum / matrix[j * n + j];
            }
        }
    }
    true
}

fn solve(root: &[f64], right: &mut [f64]) {
    let n = right.len();
    for i in 0..n {
        for k in 0..i {
            right[i] -= root[i * n + k] * right[k];
        }
        right[i] /= root[i * n + i];
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            right[i] -= root[k * n + i] * right[k];
        }
        right[i] /= root[i * n + i];
    }
}

/// Fits `weights`: one a lag, the oldest first, then the intercept and the level that both are counted from.
/// `alpha` is in units of the lags' mean variance times the rows: that of a ridge on standardised lags.
/// False, and the weights as they were, where there is too little to learn from.
pub fn fit(history: &History<'_>, alpha: f64, weights: &mut [f64]) -> bool {
    let lags = weights.len() - 2;
    let places = learnable(history, lags);
    if places.len() <= 2 * lags {
        return false;
    }
    let anchor = history.filled[places[0] - lags];
    let rows = places.len() as f64;
    let mut means = vec![0.0; lags + 1];
    for &at in &places {
        for (mean, value) in means.iter_mut().zip(&history.filled[at - lags..=at]) {
            *mean += value - anchor;
        }
    }
    means.iter_mut().for_each(|mean| *mean /= rows);
    let mut gram = vec![0.0; lags * lags];
    let mut right = vec![0.0; lags];
    let mut row = vec![0.0; lags + 1];
    for &at in &places {
        for ((cell, value), mean) in row.iter_mut().zip(&history.filled[at - lags..=at]).zip(&means) {
            *cell = (value - anchor) - mean;
        }
        for i in 0..lags {
            let own = row[i];
            for (sum, other) in gram[i * lags..i * lags + i + 1].iter_mut().zip(&row) {
                *sum += own * other;
            }
            right[i] += own * row[lags];
        }
    }
    let mut trace = 0.0;
    for i in 0..lags {
        trace += gram[i * lags + i];
    }
    let shrink = alpha * trace / (lags as f64 * rows);
    for i in 0..lags {
        gram[i * lags + i] += shrink;
    }
    if trace > 0.0 {
        if !cholesky(&mut gram, lags) {
            return false;
        }
        solve(&gram, &mut right);
    } else {
        right.fill(0.0);
    }
    let mut intercept = means[lags];
    for (weight, mean) in right.iter().zip(&means) {
        intercept -= weight * mean;
    }
    if !right.iter().all(|weight| weight.is_finite()) {
        return false;
    }
    weights[..lags].copy_from_slice(&right);
    weights[lags] = intercept;
    weights[lags + 1] = anchor;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_line() {
        let mut filled = vec![1.0, 3.0];
        for i in 2..200 {
            filled.push(2.0 + 1.6 * filled[i - 1] - 0.9 * filled[i - 2]);
        }
        let mut weights = vec![f64::NAN; 4];
        assert!(fit(&History { filled: &filled, known: &[true; 200] }, 1e-9, &mut weights));
        assert!((weights[1] - 1.6).abs() < 1e-6 && (weights[0] + 0.9).abs() < 1e-6, "{weights:?}");
        assert!(!fit(&History { filled: &filled[..5], known: &[true; 5] }, 1.0, &mut weights));
    }

    #[test]
    fn a_constant_is_told_to_the_bit() {
        let mut weights = vec![f64::NAN; 5];
        assert!(fit(&History { filled: &[0.1; 50], known: &[true; 50] }, 1.0, &mut weights));
        assert_eq!(weights, [0.0, 0.0, 0.0, 0.0, 0.1]);
    }
}
