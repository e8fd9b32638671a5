//! Where a score stands among the last ones: its distance from their median, in units of the distance of the limit that
//! a given share of them passes. Above 1 it passes the limit itself.
//!
//! State: `ring` f64[window] scores by time, `sorted` f64[window] in order; `head` i64[2] = (scores held, next place).

use super::distance::UNSCALED;
use super::fleet::{Kernel, Slice};

/// Scores that are seen before there is an opinion.
const LEAST: usize = 64;

pub struct Standing {
    pub share: f64,
}

impl Standing {
    /// The score against those held.
    fn of(&self, live: &[f64], score: f64) -> f64 {
        let count = live.len();
        let middle = live[(count - 1) / 2];
        let beyond = (self.share * count as f64) as usize;
        let limit = live[count - 1 - beyond.min(count - 1)];
        let away = (score - middle).max(0.0);
        if limit > middle {
            (away / (limit - middle)).min(UNSCALED)
        } else if away > 0.0 {
            UNSCALED
        } else {
            0.0
        }
    }
}

fn push(ring: &mut [f64], sorted: &mut [f64], head: &mut [i64], score: f64) {
    let window = ring.len();
    let (count, place) = ((head[0] as usize).min(window), head[1] as usize % window);
    let gone = if count == window {
        let old = ring[place];
        sorted.partition_point(|&v| v < old).min(window - 1)
    } else {
        head[0] += 1;
        count
    };
    let live = (head[0] as usize).min(window);
    sorted.copy_within(gone + 1..live.max(gone + 1), gone);
    let to = sorted[..live - 1].partition_point(|&v| v < score);
    sorted.copy_within(to..live - 1, to + 1);
    sorted[to] = score;
    ring[place] = score;
    head[1] = ((place + 1) % window) as i64;
}

impl Kernel for Standing {
    fn step(&self, slice: &mut Slice<'_>) {
        let row = std::mem::take(&mut slice.row);
        let Ok([ring, sorted]) = <[&mut [f64]; 2]>::try_from(row.f64s) else {
            unreachable!("two f64 arrays")
        };
        let Ok([head]) = <[&mut [i64]; 1]>::try_from(row.i64s) else { unreachable!("one i64 array") };
        for (found, &score) in slice.outputs[0].iter_mut().zip(slice.values) {
            if score.is_nan() {
                continue;
            }
            let count = (head[0] as usize).min(ring.len());
            if count >= LEAST.min(ring.len()) {
                *found = self.of(&sorted[..count], score);
            }
            push(ring, sorted, head, score);
        }
    }
}
