//! A fixed piece of work for the light preset, as `workload.rs`: `light_band` and the light tier of `calibrate`.

use crate::kernels::calibrate::Direction;
use crate::kernels::calibrate_light::{CalibrateLight, CELLS, LIFE};
use crate::kernels::fleet::{Kernel, Row, Slice};
use crate::kernels::light_band::{LightBand, WIDTH};
use crate::kernels::light_band_season::TABLES;
use crate::kernels::random_cut_sample::{draw, unit};
use crate::kernels::seasonal_band_calendar::Calendar;

/// Points that are learned before, and points that are counted.
const BEFORE: usize = 4000;
const COUNTED: usize = 200;
const MINUTES_5: i64 = 300_000_000_000;

struct Series {
    band: LightBand,
    calibrate: CalibrateLight,
    core: Vec<f64>,
    clock: Vec<i64>,
    tables: Vec<f32>,
    cells: Vec<f32>,
    life: Vec<f64>,
    seen: usize,
}

/// A day of 288 points, noise, a few spikes and missing values.
fn value(point: usize) -> f64 {
    let draws = |use_: u64| unit(draw(use_, point as u64));
    let noise: f64 = (0..6).map(|k| draws(k) - 0.5).sum();
    let rare = draws(9);
    let spike = if rare < 0.002 { 15.0 } else { 0.0 };
    if rare > 0.998 {
        return f64::NAN;
    }
    50.0 + 10.0 * libm::sin(std::f64::consts::TAU * point as f64 / 288.0) + 0.7 * noise + spike
}

/// What is counted. A function of its own, which tools find by its name.
#[inline(never)]
fn counted(kernel: &dyn Kernel, slice: &mut Slice<'_>) {
    kernel.step(slice);
}

impl Series {
    fn new() -> Self {
        let calendar = Calendar { zone_from: vec![i64::MIN], zone_offset: vec![0], holidays: Vec::new() };
        Series {
            band: LightBand { calendar, hold_seconds: 86_400.0, hold_points: 36.0, width: 3.0 },
            calibrate: CalibrateLight::new(Direction::Both, 5000.0, vec![1.0 / 2016.0]),
            core: vec![0.0; WIDTH],
            clock: vec![i64::MIN; 3],
            tables: vec![0.0; TABLES],
            cells: vec![0.0; CELLS],
            life: vec![0.0; LIFE],
            seen: 0,
        }
    }

    /// Folds so many further points and gives the sum of their anomaly scores.
    fn fold(&mut self, points: usize, step: impl Fn(&dyn Kernel, &mut Slice<'_>)) -> f64 {
        let values: Vec<f64> = (self.seen..self.seen + points).map(value).collect();
        let times: Vec<i64> = (self.seen..self.seen + points).map(|i| i as i64 * MINUTES_5).collect();
        let mut said = vec![vec![0.0; points]; 6];
        let mut found = vec![vec![0.0; points]; 5];
        self.seen += points;
        step(
            &self.band,
            &mut Slice {
                row: Row {
                    f64s: vec![&mut self.core],
                    f32s: vec![&mut self.tables],
                    i64s: vec![&mut self.clock],
                    u16s: Vec::new(),
                },
                times: &times,
                values: &values,
                outputs: said.iter_mut().map(Vec::as_mut_slice).collect(),
                ..Slice::default()
            },
        );
        step(
            &self.calibrate,
            &mut Slice {
                row: Row { f64s: vec![&mut self.life], f32s: vec![&mut self.cells], ..Row::default() },
                times: &times,
                values: &values,
                columns: vec![&said[0], &said[1], &said[4]],
                outputs: found.iter_mut().map(Vec::as_mut_slice).collect(),
                ..Slice::default()
            },
        );
        found[1].iter().filter(|score| score.is_finite()).sum()
    }
}

#[test]
fn light_scores() {
    let mut series = Series::new();
    series.fold(BEFORE, |kernel, slice| kernel.step(slice));
    assert_eq!(series.fold(COUNTED, counted), 14.619991731692693);
}
