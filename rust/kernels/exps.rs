//! e to the power of many numbers: the algorithm and the bits of `libm::exp`, without branches, for several at a time.

const INV_LN2: f64 = std::f64::consts::LOG2_E;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const P: [f64; 5] = [
    0.16666666666666602,
    -0.0027777777777015593,
    6.613756321437934e-05,
    -1.6533902205465252e-06,
    4.1381367970572385e-08,
];
/// Added and taken away again it rounds to a whole number, whose bits are the last ones of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// Where the argument counts as reduced, and as so small that the result is 1 + x: by its upper 32 bits.
const REDUCED: f64 = f64::from_bits(0x3fd6_2e43_0000_0000);
const TINY: f64 = f64::from_bits(0x3e30_0001_0000_0000);
/// Below this the result loses bits.
const LEAST: f64 = -700.0;

/// For LEAST <= x <= 0 or NaN.
#[inline(always)]
fn exp_negative(x: f64) -> f64 {
    let wanted = INV_LN2 * x - 0.5;
    let rounded = (wanted + ROUND) - ROUND;
    let towards_zero = if rounded < wanted { rounded + 1.0 } else { rounded };
    let k = if x > -REDUCED { 0.0 } else { towards_zero };
    let (high, low) = (x - k * LN2_HIGH, k * LN2_LOW);
    let r = high - low;
    let rr = r * r;
    let c = r - rr * (P[0] + rr * (P[1] + rr * (P[2] + rr * (P[3] + rr * P[4]))));
    let power = f64::from_bits((k + ROUND).to_bits().wrapping_add(1023) << 52);
    let y = (1.0 + (r * c / (2.0 - c) - low + high)) * power;
    if x > -TINY {
        1.0 + x
    } else {
        y
    }
}

/// `found[i]` = exp(`factor` * `values[i]`).
pub fn exps(factor: f64, values: &[f64], found: &mut [f64]) {
    for (values, found) in values.chunks(256).zip(found.chunks_mut(256)) {
        let mut outside = false;
        for (value, found) in values.iter().zip(&mut *found) {
            let x = factor * value;
            // No number at all is inside.
            outside |= x > 0.0;
            outside |= x < LEAST;
            *found = exp_negative(x);
        }
        if outside {
            for (value, found) in values.iter().zip(found) {
                *found = libm::exp(factor * value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::random_cut_sample::{draw, unit};

    #[test]
    fn the_bits_of_libm() {
        let edges = [REDUCED, TINY, 1.0397207, 0.0, 1e-300, 0.5, f64::NAN, 699.9, 700.1, 800.0, -3.0];
        let near = edges.iter().flat_map(|&edge: &f64| {
            (-3i64..=3).map(move |ulps| -f64::from_bits((edge.to_bits() as i64).saturating_add(ulps) as u64))
        });
        // Miri interprets, a thousand times as slowly.
        let many = if cfg!(miri) { 2_000 } else { 200_000 };
        let spread = (0..many).map(|i| {
            let size = [1e-9, 1e-3, 0.4, 2.0, 40.0, 690.0][i as usize % 6];
            -size * unit(draw(3, i))
        });
        let values: Vec<f64> = near.chain(spread).collect();
        let mut found = vec![0.0; values.len()];
        exps(1.0, &values, &mut found);
        for (value, found) in values.iter().zip(&found) {
            let wanted = libm::exp(*value);
            assert!(found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan(), "{value}");
        }
    }
}
