use numpy::PyReadwriteArray2;
use pyo3::prelude::*;

use super::batch::{fold, PointsArgs, StateArgs, Target};
use crate::kernels::fourier::Fourier;
use crate::kernels::spectral_residual::{Extension, SpectralResidual};

#[pyfunction]
fn spectral_residual(
    py: Python<'_>,
    ring: PyReadwriteArray2<'_, f64>,
    head: PyReadwriteArray2<'_, i64>,
    points: PointsArgs<'_>,
    target: Target<'_>,
    sizes: (usize, usize, usize, usize),
    extension: &str,
    centre: bool,
    threads: usize,
) -> PyResult<()> {
    let (length, ahead, back, local) = sizes;
    let extension = if extension == "mean" { Extension::Mean } else { Extension::Slope };
    let fourier = Fourier::new(length);
    let kernel = SpectralResidual { length, ahead, back, extension, local, centre, fourier };
    let state = StateArgs { f64s: vec![ring], i64s: vec![head], ..Default::default() };
    fold(py, kernel, state, &points, target, threads)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(spectral_residual, module)?)
}
