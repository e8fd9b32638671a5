//! Opens one series of a random cut forest: its state arrays as trees, what is derived of them made anew where it is not
//! current, damaged ones refused.

use super::fleet::Slice;
use super::random_cut_box::{padded, Any, Fixed, Width, DIMS_MAX};
use super::random_cut_explain::told;
use super::random_cut_forest::{Fold, Keys, RandomCutForest};
use super::random_cut_intake::ring;
use super::random_cut_near::Search;
use super::random_cut_sample::{key, Heap, Use};
use super::random_cut_tree::{boxes_of, links_of, Counts, Desk, Ring, Tree, COUNTS};
use super::random_cut_walk::Walk;

/// What `counts` says of a state that no forest wrote.
const UNSOUND: i64 = -1;
/// Values in a line of the cache.
const LINE: usize = 16;
/// What `counts` says of the derived arrays: one more than the values written, and where the boxes begin.
const MARKS: usize = 2;

/// What is done with a series once it is open.
pub trait Work {
    fn forest(&self) -> &RandomCutForest;
    fn work<W: Width>(&self, fold: &mut Fold<'_, '_, W>, slice: &mut Slice<'_>);
}

/// Widths of the state arrays of one series: head, roots, nodes, refs, ring, shingle; boxes, links, weights, counts.
pub fn widths(trees: usize, samples: usize, shingle: usize, dims: usize, span: usize) -> [usize; 10] {
    let length = shingle * dims;
    [
        4,
        trees,
        trees * samples,
        trees * (samples + 1),
        (span + shingle - 1) * dims,
        length,
        trees * boxes_of(samples) * 2 * padded(length) + LINE,
        trees * links_of(samples),
        trees * (samples + 1),
        MARKS + trees * COUNTS,
    ]
}

/// Opens the series of a slice, does the work and notes what is current. Arrays that are not the forest's stay in the
/// slice for the work.
pub fn open(work: &impl Work, slice: &mut Slice<'_>) {
    let forest = work.forest();
    match forest.shingle * forest.dims {
        4 => opened(work, Fixed::<4>, slice),
        8 => opened(work, Fixed::<8>, slice),
        16 => opened(work, Fixed::<16>, slice),
        64 => opened(work, Fixed::<64>, slice),
        other => opened(work, Any(other), slice),
    }
}

fn take<'a, T>(rest: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let (head, tail) = std::mem::take(rest).split_at_mut(count);
    *rest = tail;
    head
}

/// The first `N` arrays of a row.
fn first<'a, T, const N: usize>(arrays: &mut Vec<&'a mut [T]>) -> [&'a mut [T]; N] {
    let rest = arrays.split_off(N);
    let Ok(found) = <[&mut [T]; N]>::try_from(std::mem::replace(arrays, rest)) else {
        unreachable!("as many as were split off")
    };
    found
}

fn opened<W: Width>(work: &impl Work, width: W, slice: &mut Slice<'_>) {
    let forest = work.forest();
    let mut row = std::mem::take(&mut slice.row);
    let [head, roots, nodes, counts] = first(&mut row.i64s);
    let [ring, shingle, mut boxes] = first(&mut row.f32s);
    let [refs, links] = first(&mut row.u16s);
    let [weights, moments] = first(&mut row.f64s);
    slice.row = row;
    let (marks, counts) = counts.split_at_mut(MARKS);
    // Boxes begin where a line of the cache does; a copy elsewhere in memory is made anew.
    let skip = (boxes.as_ptr() as usize / 4).wrapping_neg() % LINE;
    take(&mut boxes, skip);
    let trees = forest.cut_out(width, nodes, roots, refs, links, weights, boxes, counts);
    let mut fold = Fold {
        kernel: forest,
        width,
        keys: forest.keys(),
        head,
        ring,
        shingle,
        moments,
        units: vec![(0.0, 1.0); forest.inputs],
        foreseen: vec![f64::NAN; forest.inputs],
        search: Search::default(),
        above: forest.attributes,
        explains: false,
        told: vec![f64::NAN; told(forest)],
        trees,
        walk: Walk::default(),
        point: [0.0; DIMS_MAX],
        taken: Vec::with_capacity(forest.trees),
        chosen: Vec::with_capacity(forest.trees),
        desk: Desk::new(forest.samples),
        shares: vec![0.0; 2 * forest.shingle * forest.dims],
        sums: vec![0.0; 2 * forest.shingle * forest.dims],
    };
    if marks[0] != fold.head[0] + 1 || marks[1] != skip as i64 {
        if !fold.sound() {
            marks[0] = UNSOUND;
            return;
        }
        fold.rebuild();
    }
    fold.measure();
    work.work(&mut fold, slice);
    marks[0] = fold.head[0] + 1;
    marks[1] = skip as i64;
}

impl RandomCutForest {
    fn keys(&self) -> Keys {
        let of = |purpose: Use| (0..self.trees).map(|t| key(self.seed, t, purpose)).collect();
        Keys { weight: of(Use::Weight), entry: of(Use::Entry), cut: of(Use::Cut) }
    }

    fn cut_out<'a, W: Width>(
        &self,
        width: W,
        mut nodes: &'a mut [i64],
        mut roots: &'a mut [i64],
        mut refs: &'a mut [u16],
        mut links: &'a mut [u16],
        mut weights: &'a mut [f64],
        mut boxes: &'a mut [f32],
        mut counts: &'a mut [i64],
    ) -> Vec<Tree<'a>> {
        let samples = self.samples;
        let kept = boxes_of(samples);
        let mut trees = Vec::with_capacity(self.trees);
        for _ in 0..self.trees {
            trees.push(Tree {
                samples,
                nodes: take(&mut nodes, samples),
                root: &mut take(&mut roots, 1)[0],
                refs: take(&mut refs, samples + 1),
                masses: take(&mut links, 2 * samples + 1),
                slots: take(&mut links, samples),
                leaders: take(&mut links, samples + 1),
                free: take(&mut links, kept),
                heap: Heap {
                    weights: take(&mut weights, samples + 1),
                    entries: take(&mut links, samples + 1),
                },
                boxes: take(&mut boxes, kept * 2 * width.padded()),
                counts: Counts(take(&mut counts, COUNTS)),
            });
        }
        trees
    }
}

impl<W: Width> Fold<'_, '_, W> {
    fn rebuild(&mut self) {
        let ring = ring!(self);
        let (kernel, written) = (self.kernel, self.head[0]);
        for (tree, &key) in self.trees.iter_mut().zip(&self.keys.weight) {
            tree.rebuild(
                self.width,
                ring,
                |first| kernel.weight(key, first + kernel.shingle as i64 - 1),
                |start| kernel.born(start, written),
            );
        }
    }
}
