//! One file a kernel. A kernel is a function over slices: it has no memory of its own.

pub mod buckets;
pub mod calibrate;
pub mod decide;
pub mod distance;
pub mod ewma;
pub mod fleet;
pub mod incidents;
pub mod life;
pub mod opening;
pub mod pareto;
pub mod policy;
pub mod prepare;
pub mod prepare_gaps;
pub mod residual;
pub mod rolling_median;
pub mod rolling_zscore;
pub mod seasonal_band;
pub mod seasonal_band_calendar;
pub mod seasonal_band_core;
pub mod seasonal_band_hold;
pub mod seasonal_band_level;
pub mod seasonal_band_season;
pub mod seasonal_band_tail;
pub mod sorted;
pub mod tail;
pub mod threshold;
