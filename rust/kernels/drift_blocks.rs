//! The last blocks of a series, what was counted in each, and what follows from that.

pub const RING: usize = 32;
/// Points that were judged, of these anomalous, how often that began; points with a known coverage, of these outside;
/// mean of the cut-off (as a sum in the present block).
pub const FIELDS: usize = 6;
pub const F_POINTS: usize = 0;
pub const F_ODD: usize = 1;
pub const F_RUNS: usize = 2;
pub const F_KNOWN: usize = 3;
pub const F_OUTSIDE: usize = 4;
pub const F_CUTOFF: usize = 5;
/// Blocks of cut-offs below which their spread says nothing.
const HISTORY: usize = 7;
const SIGMAS: f64 = 3.0;
/// A cut-off that never moved has some room all the same.
const ROOM: f64 = 0.05;

pub struct Blocks<'a> {
    pub ring: &'a [f32],
    /// Blocks that ever were in the ring.
    pub count: usize,
}

impl Blocks<'_> {
    /// The last `most` blocks, the newest first.
    fn last(&self, most: usize) -> impl Iterator<Item = &[f32]> {
        (1..=self.count.min(RING).min(most)).map(|back| {
            let at = (self.count - back) % RING;
            &self.ring[at * FIELDS..(at + 1) * FIELDS]
        })
    }

    /// The mean cut-off of the last block, and mean ± 3 standard deviations of those before. A cut-off is a size: both
    /// are taken of its logarithm, or every heavy tail would drift.
    pub fn cutoff(&self) -> [f64; 3] {
        let mut known = self.last(RING).map(|b| f64::from(b[F_CUTOFF]));
        let last = known.next().unwrap_or(f64::NAN);
        let (mut n, mut mean, mut m2) = (0.0, 0.0, 0.0);
        for x in known.filter(|&x| x > 0.0 && x.is_finite()).map(libm::log) {
            n += 1.0;
            let d = x - mean;
            mean += d / n;
            m2 += d * (x - mean);
        }
        if n < HISTORY as f64 || !last.is_finite() {
            return [last, f64::NAN, f64::NAN];
        }
        let sigma = (m2 / (n - 1.0)).sqrt();
        let room = (widened(SIGMAS, n - 1.0) * sigma * (1.0 + 1.0 / n).sqrt()).max(ROOM);
        [last, libm::exp(mean - room), libm::exp(mean + room)]
    }

    /// How often anomalies began in the last blocks, without the worst of them, in how many points; and how much more than
    /// by chance the counts of blocks differ.
    pub fn counted(&self, blocks: usize) -> (f64, f64, f64) {
        let (mut runs, mut points, mut worst, mut there) = (0.0, 0.0, [0.0, 0.0], 0.0);
        for b in self.last(blocks) {
            let here = [f64::from(b[F_RUNS]), f64::from(b[F_POINTS])];
            if there == 0.0 || here[0] > worst[0] {
                worst = here;
            }
            runs += here[0];
            points += here[1];
            there += 1.0;
        }
        if there < 3.0 {
            return (0.0, 0.0, 1.0);
        }
        let rate = (runs / points).max(0.0);
        let mut clumps = 0.0;
        for b in self.last(blocks) {
            let due = rate * f64::from(b[F_POINTS]);
            let off = f64::from(b[F_RUNS]) - due;
            clumps += if due > 0.0 { off * off / due } else { 0.0 };
        }
        (runs - worst[0], points - worst[1], (clumps / (there - 1.0)).max(1.0))
    }

    /// The share of points within the nominal band over the last blocks, its standard error, and how many blocks tell it.
    pub fn coverage(&self, blocks: usize) -> (f64, f64, usize) {
        let (mut known, mut outside, mut there) = (0.0, 0.0, 0);
        for b in self.last(blocks).filter(|b| b[F_KNOWN] > 0.0) {
            known += f64::from(b[F_KNOWN]);
            outside += f64::from(b[F_OUTSIDE]);
            there += 1;
        }
        if there < 2 {
            return (f64::NAN, f64::NAN, there);
        }
        let share = outside / known;
        let mut spread = 0.0;
        for b in self.last(blocks).filter(|b| b[F_KNOWN] > 0.0) {
            let off = f64::from(b[F_OUTSIDE]) - share * f64::from(b[F_KNOWN]);
            spread += off * off;
        }
        let n = there as f64;
        let clumped = (spread * n / (n - 1.0)).sqrt() / known;
        (1.0 - share, clumped.max((share * (1.0 - share) / known).sqrt()), there)
    }
}

/// So many standard deviations of a normal law, as many of Student's where they are estimated.
pub fn widened(z: f64, degrees: f64) -> f64 {
    let z3 = z * z * z;
    let first = (z3 + z) / (4.0 * degrees);
    z + first + (5.0 * z3 * z * z + 16.0 * z3 + 3.0 * z) / (96.0 * degrees * degrees)
}

#[cfg(test)]
mod tests {
    use super::widened;

    #[test]
    fn fewer_degrees_widen() {
        // Student's quantile of 0.99865 is 4.28 at 7 degrees and 3.27 at 30.
        assert!((widened(3.0, 7.0) - 4.42).abs() < 0.15);
        assert!((widened(3.0, 30.0) - 3.27).abs() < 0.02);
    }
}
