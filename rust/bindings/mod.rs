//! One file a kernel: names, types and shapes for Python, the release of the GIL, nothing else.

pub mod batch;
pub mod calibrate;
pub mod calibrate_light;
pub mod decide;
pub mod drift;
pub mod ewma;
pub mod gap_novelty;
pub mod half_space_trees;
pub mod left_discord;
pub mod level_shift;
pub mod light_band;
pub mod one;
pub mod prepare;
pub mod pulse;
pub mod random_cut_ask;
pub mod random_cut_cast;
pub mod random_cut_forest;
pub mod random_cut_grade;
pub mod remote_write;
pub mod residual;
pub mod rolling_median;
pub mod rolling_zscore;
pub mod seasonal_band;
pub mod shape_novelty;
pub mod threshold;
pub mod together;
