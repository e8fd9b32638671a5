//! Bounding boxes of a random cut tree: `lows` then `highs`, each padded with zeros to a multiple of four.
//!
//! Sums go over four lanes that are added at the end, in an order that never depends on the data: a box is a pure
//! function of the points beneath it, and so is everything computed from it.

/// Most values a point of a tree may have: one byte names a dimension.
pub const DIMS_MAX: usize = 256;

/// Number of values of a point, and with padding; known to the compiler where it pays off.
pub trait Width: Copy + Sync {
    fn length(self) -> usize;
    fn padded(self) -> usize;
}

/// So many values, a multiple of four.
#[derive(Clone, Copy)]
pub struct Fixed<const P: usize>;

/// So many values.
#[derive(Clone, Copy)]
pub struct Any(pub usize);

impl<const P: usize> Width for Fixed<P> {
    #[inline(always)]
    fn length(self) -> usize {
        P
    }

    #[inline(always)]
    fn padded(self) -> usize {
        P
    }
}

impl Width for Any {
    #[inline(always)]
    fn length(self) -> usize {
        self.0
    }

    #[inline(always)]
    fn padded(self) -> usize {
        padded(self.0)
    }
}

/// A multiple of four that holds `dims` values.
#[inline(always)]
pub fn padded(dims: usize) -> usize {
    dims.next_multiple_of(4)
}

#[inline(always)]
fn lower(a: f32, b: f32) -> f32 {
    if a < b {
        a
    } else {
        b
    }
}

#[inline(always)]
fn higher(a: f32, b: f32) -> f32 {
    if a > b {
        a
    } else {
        b
    }
}

/// Four values at a time, in a form the compiler keeps in one register.
pub type Lanes = [f32; 4];

#[inline(always)]
fn each(a: Lanes, b: Lanes, what: impl Fn(f32, f32) -> f32) -> Lanes {
    [what(a[0], b[0]), what(a[1], b[1]), what(a[2], b[2]), what(a[3], b[3])]
}

/// The lows and the highs of a box, four dimensions at a time.
#[inline(always)]
fn sides<W: Width>(width: W, bounds: &[f32]) -> (&[Lanes], &[Lanes]) {
    let (lows, highs) = bounds[..2 * width.padded()].split_at(width.padded());
    (lows.as_chunks().0, highs.as_chunks().0)
}

/// How far a point lies outside of a box, and the size of the box, each in four lanes that are yet to be added.
pub type Parts = [Lanes; 2];

#[inline(always)]
pub fn parts<W: Width>(width: W, bounds: &[f32], point: &[f32]) -> Parts {
    let (lows, highs) = sides(width, bounds);
    let point: &[Lanes] = point[..width.padded()].as_chunks().0;
    let (mut beyond, mut size) = ([0f32; 4], [0f32; 4]);
    for ((&low, &high), &x) in lows.iter().zip(highs).zip(point) {
        // Of the two at most one is above zero.
        let out = each(each(low, x, |l, x| l - x), each(x, high, |x, h| x - h), higher);
        beyond = each(beyond, each(out, [0.0; 4], higher), |b, a| b + a);
        size = each(size, each(high, low, |h, l| h - l), |b, a| b + a);
    }
    [beyond, size]
}

/// True if nothing lies outside.
#[inline(always)]
pub fn holds([beyond, _]: &Parts) -> bool {
    !beyond.iter().fold(false, |out, &lane| out | (lane > 0.0))
}

/// Adds up lanes.
#[inline(always)]
fn total(lanes: Lanes) -> f32 {
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

/// Chance that a random cut of the box grown by the point separates the two.
#[inline(always)]
pub fn chance([beyond, size]: Parts) -> f64 {
    // Never 0 / 0: a box with a cut through it has a size.
    let beyond = f64::from(total(beyond));
    beyond / (beyond + f64::from(total(size)))
}

/// How far a point lies outside of a box, and the size of the box, each summed over the dimensions.
#[inline(always)]
pub fn outside<W: Width>(width: W, bounds: &[f32], point: &[f32]) -> (f32, f32) {
    // Seen through a box of its own the last sum stays what it is, and the loop keeps its four lanes.
    let [beyond, size] = std::hint::black_box(parts(width, bounds, point));
    (total(beyond), total(size))
}

/// True if two points are equal.
#[inline(always)]
pub fn same<W: Width>(width: W, one: &[f32], two: &[f32]) -> bool {
    one[..width.length()].iter().zip(&two[..width.length()]).fold(true, |same, (a, b)| same & (a == b))
}

/// The box of one point.
#[inline(always)]
pub fn begin<W: Width>(width: W, bounds: &mut [f32], point: &[f32]) {
    let point = &point[..width.length()];
    bounds[..width.length()].copy_from_slice(point);
    bounds[width.padded()..][..width.length()].copy_from_slice(point);
}

/// Grows a box by a point without padding.
#[inline(always)]
pub fn grow<W: Width>(width: W, bounds: &mut [f32], point: &[f32]) {
    let (lows, highs) = bounds[..2 * width.padded()].split_at_mut(width.padded());
    for ((low, high), &x) in lows.iter_mut().zip(highs).zip(&point[..width.length()]) {
        *low = lower(*low, x);
        *high = higher(*high, x);
    }
}

/// Grows a box by another one.
#[inline(always)]
pub fn unite<W: Width>(width: W, bounds: &mut [f32], other: &[f32]) {
    let (lows, highs) = bounds[..2 * width.padded()].split_at_mut(width.padded());
    let (others_low, others_high) = other[..2 * width.padded()].split_at(width.padded());
    for (low, &x) in lows.iter_mut().zip(others_low) {
        *low = lower(*low, x);
    }
    for (high, &x) in highs.iter_mut().zip(others_high) {
        *high = higher(*high, x);
    }
}

/// True if the point touches no side: the box would be the same without it.
#[inline(always)]
pub fn within<W: Width>(width: W, bounds: &[f32], point: &[f32]) -> bool {
    let (lows, highs) = bounds[..2 * width.padded()].split_at(width.padded());
    let mut inside = true;
    for ((&low, &high), &x) in lows.iter().zip(highs).zip(&point[..width.length()]) {
        inside &= (low < x) & (x < high);
    }
    inside
}

/// Puts another box in the place of one; tells whether they differ.
#[inline(always)]
pub fn replace<W: Width>(width: W, bounds: &mut [f32], other: &[f32]) -> bool {
    let bounds = &mut bounds[..2 * width.padded()];
    let mut differs = false;
    for (old, &new) in bounds.iter_mut().zip(&other[..2 * width.padded()]) {
        differs |= *old != new;
        *old = new;
    }
    differs
}

/// Where a share of the part of a point outside of a box lies: the dimension and the cut between the two.
///
/// Values up to the cut go left. The cut is at least the lower end and below the upper one, whatever the rounding.
pub fn cut_at<W: Width>(width: W, bounds: &[f32], point: &[f32], share: f64) -> (usize, f32) {
    let highs = &bounds[width.padded()..];
    let beyond = |k: usize| f64::from(higher(bounds[k] - point[k], 0.0) + higher(point[k] - highs[k], 0.0));
    let mut rest = share * (0..point.len()).map(beyond).sum::<f64>();
    let mut chosen = 0;
    for k in 0..point.len() {
        let here = beyond(k);
        if here > 0.0 {
            chosen = k;
            if rest < here {
                break;
            }
            rest -= here;
        }
    }
    let (start, end) = if point[chosen] < bounds[chosen] {
        (point[chosen], bounds[chosen])
    } else {
        (highs[chosen], point[chosen])
    };
    let cut = (f64::from(start) + rest.min(beyond(chosen))) as f32;
    (chosen, if cut < end { higher(cut, start) } else { start })
}
