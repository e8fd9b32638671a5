//! Isolation Forest: how few random cuts set a row apart from a sample of others.
//!
//! A tree is made from `samples` rows drawn without replacement: an attribute is drawn among those that still differ, a
//! cut evenly between its smallest and largest value, until a row is alone, all that are left are equal, or the depth
//! that a balanced tree would have is reached. All random numbers are pure functions of (seed, tree, number of the
//! draw). Trees stand one after the other in flat arrays; of the two children of a node the right one follows the left.
//!
//! ```text
//! score(x) = 2 ^ (-sum over trees of path(x) / (trees c(samples)))        path(x) = cuts + c(rows in the leaf)
//! c(n) = 2 (ln(n - 1) + euler) - 2 (n - 1) / n        c(2) = 1        c(1) = 0
//! ```

use super::random_cut_sample::{draw, mix, unit};

const EULER: f64 = 0.577_215_664_901_532_9;
const TREE: u64 = 201;
/// Rows that walk one tree before the next tree is fetched.
const BLOCK: usize = 256;
pub const LEAF: i32 = -1;

/// Cuts that set one of `n` rows apart in a random tree, in the mean.
pub fn path(n: i64) -> f64 {
    match n {
        ..=1 => 0.0,
        2 => 1.0,
        _ => {
            let n = n as f64;
            2.0 * (libm::log(n - 1.0) + EULER) - 2.0 * (n - 1.0) / n
        }
    }
}

/// Trees as they are kept: of an inner node attribute, cut and left child; of a leaf `LEAF` and its path length.
pub struct Trees<'a> {
    pub attributes: &'a [i32],
    pub cuts: &'a [f64],
    pub lefts: &'a [i32],
    pub sizes: &'a [i32],
    pub roots: &'a [i64],
    /// Values are compared in single precision, as the trees of scikit-learn were made.
    pub single: bool,
}

/// Trees as they are made.
#[derive(Default)]
pub struct Made {
    pub attributes: Vec<i32>,
    pub cuts: Vec<f64>,
    pub lefts: Vec<i32>,
    pub sizes: Vec<i32>,
    pub roots: Vec<i64>,
}

/// The random numbers of one tree.
struct Dice {
    key: u64,
    drawn: u64,
}

impl Dice {
    fn roll(&mut self) -> u64 {
        self.drawn += 1;
        draw(self.key, self.drawn)
    }

    /// A whole number below `n`.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.roll()) * n as u128) >> 64) as usize
    }
}

struct Builder<'a> {
    rows: &'a [f64],
    dims: usize,
    depth_max: u32,
    dice: Dice,
    made: &'a mut Made,
    differ: Vec<(usize, f64, f64)>,
}

impl Builder<'_> {
    /// A node without children; its number.
    fn open(&mut self) -> usize {
        self.made.attributes.push(LEAF);
        self.made.cuts.push(0.0);
        self.made.lefts.push(0);
        self.made.sizes.push(0);
        self.made.cuts.len() - 1
    }

    /// The attributes in which these rows differ, with their ends.
    fn spread(&mut self, members: &[u32]) {
        self.differ.clear();
        for attribute in 0..self.dims {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for &row in members {
                let value = self.rows[row as usize * self.dims + attribute];
                low = low.min(value);
                high = high.max(value);
            }
            if low < high {
                self.differ.push((attribute, low, high));
            }
        }
    }

    /// The cut of these rows, if they can be cut: an attribute and what goes to the left.
    fn cut(&mut self, members: &[u32], depth: u32) -> Option<(usize, f64)> {
        if members.len() < 2 || depth >= self.depth_max {
            return None;
        }
        self.spread(members);
        if self.differ.is_empty() {
            return None;
        }
        let chosen = self.dice.below(self.differ.len());
        let (attribute, low, high) = self.differ[chosen];
        let share = unit(self.dice.roll());
        // Of two neighbouring numbers the mean may be the larger: then the smaller is the cut.
        let cut = low * (1.0 - share) + high * share;
        Some((attribute, if cut < high { cut.max(low) } else { low }))
    }

    fn grow(&mut self, node: usize, members: &mut [u32], depth: u32) {
        self.made.sizes[node] = members.len() as i32;
        let Some((attribute, cut)) = self.cut(members, depth) else {
            self.made.cuts[node] = f64::from(depth) + path(members.len() as i64);
            return;
        };
        let left = self.open();
        self.open();
        self.made.attributes[node] = attribute as i32;
        self.made.cuts[node] = cut;
        self.made.lefts[node] = left as i32;
        let mut from = 0;
        for i in 0..members.len() {
            if self.rows[members[i] as usize * self.dims + attribute] <= cut {
                members.swap(i, from);
                from += 1;
            }
        }
        let (low, high) = members.split_at_mut(from);
        self.grow(left, low, depth + 1);
        self.grow(left + 1, high, depth + 1);
    }
}

/// Makes `trees` trees of `rows`, each from `samples` of them; the rows are finite.
pub fn fit(rows: &[f64], dims: usize, trees: usize, samples: usize, seed: u64) -> Made {
    let count = rows.len() / dims;
    let samples = samples.min(count);
    let mut made = Made::default();
    let mut order: Vec<u32> = (0..count as u32).collect();
    for tree in 0..trees {
        let dice =
            Dice { key: mix(mix(seed.wrapping_add(TREE)) ^ mix(tree as u64 + (TREE << 32))), drawn: 0 };
        let depth_max = usize::BITS - samples.saturating_sub(1).leading_zeros();
        let mut builder = Builder { rows, dims, depth_max, dice, made: &mut made, differ: vec![] };
        for i in 0..samples {
            let j = i + builder.dice.below(count - i);
            order.swap(i, j);
        }
        let root = builder.open();
        builder.grow(root, &mut order[..samples], 0);
        made.roots.push(root as i64);
    }
    made
}

impl Trees<'_> {
    fn value(&self, row: &[f64], node: usize) -> f64 {
        let value = row[self.attributes[node] as usize];
        if self.single {
            f64::from(value as f32)
        } else {
            value
        }
    }

    fn leaf(&self, root: usize, row: &[f64]) -> usize {
        let mut node = root;
        while self.attributes[node] >= 0 {
            node = self.lefts[node] as usize + usize::from(self.value(row, node) > self.cuts[node]);
        }
        node
    }

    /// Scores of rows; one that is not finite gets NaN. `whole` is trees times c(samples).
    pub fn score(&self, rows: &[f64], dims: usize, whole: f64, scores: &mut [f64]) {
        for (block, out) in rows.chunks(BLOCK * dims).zip(scores.chunks_mut(BLOCK)) {
            out.fill(0.0);
            for (row, sum) in block.chunks_exact(dims).zip(out.iter_mut()) {
                if !row.iter().all(|x| x.is_finite()) {
                    *sum = f64::NAN;
                }
            }
            for &root in self.roots {
                for (row, sum) in block.chunks_exact(dims).zip(out.iter_mut()) {
                    if !sum.is_nan() {
                        *sum += self.cuts[self.leaf(root as usize, row)];
                    }
                }
            }
            for sum in out.iter_mut().filter(|sum| !sum.is_nan()) {
                *sum = libm::exp2(if whole > 0.0 { -*sum / whole } else { -1.0 });
            }
        }
    }

    /// By how many cuts each attribute brought the end of the path nearer than a random tree would, summed over trees;
    /// of one row all of it is trees times c(samples), less the sum of its paths.
    pub fn shares(&self, rows: &[f64], dims: usize, shares: &mut [f64]) {
        for (row, share) in rows.chunks_exact(dims).zip(shares.chunks_exact_mut(dims)) {
            if !row.iter().all(|x| x.is_finite()) {
                share.fill(f64::NAN);
                continue;
            }
            share.fill(0.0);
            for &root in self.roots {
                let mut node = root as usize;
                while self.attributes[node] >= 0 {
                    let next =
                        self.lefts[node] as usize + usize::from(self.value(row, node) > self.cuts[node]);
                    share[self.attributes[node] as usize] +=
                        path(i64::from(self.sizes[node])) - 1.0 - path(i64::from(self.sizes[next]));
                    node = next;
                }
            }
        }
    }
}
