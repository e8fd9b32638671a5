//! The table of what Python sees. Kernels know nothing of Python; bindings hold no arithmetic.
#![forbid(unsafe_code)]

pub mod bindings;
pub mod kernels;
#[cfg(test)]
mod workload;
#[cfg(test)]
mod workload_light;

use pyo3::prelude::*;

#[pymodule]
fn _kernels(module: &Bound<'_, PyModule>) -> PyResult<()> {
    bindings::calibrate::register(module)?;
    bindings::calibrate_light::register(module)?;
    bindings::crowd::register(module)?;
    bindings::decide::register(module)?;
    bindings::drift::register(module)?;
    bindings::ewma::register(module)?;
    bindings::features::register(module)?;
    bindings::forecast_residual::register(module)?;
    bindings::gap_novelty::register(module)?;
    bindings::half_space_trees::register(module)?;
    bindings::isolation_forest::register(module)?;
    bindings::level_shift::register(module)?;
    bindings::left_discord::register(module)?;
    bindings::light_band::register(module)?;
    bindings::lstm::register(module)?;
    bindings::one::register(module)?;
    bindings::prepare::register(module)?;
    bindings::pulse::register(module)?;
    bindings::random_cut_ask::register(module)?;
    bindings::random_cut_cast::register(module)?;
    bindings::random_cut_forest::register(module)?;
    bindings::random_cut_grade::register(module)?;
    bindings::rolling_median::register(module)?;
    bindings::remote_write::register(module)?;
    bindings::residual::register(module)?;
    bindings::rolling_zscore::register(module)?;
    bindings::seasonal_band::register(module)?;
    bindings::shape_novelty::register(module)?;
    bindings::spectral_residual::register(module)?;
    bindings::standing::register(module)?;
    bindings::threshold::register(module)?;
    bindings::together::register(module)?;
    Ok(())
}
