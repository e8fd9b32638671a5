use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::contiguous;
use crate::kernels::lstm::{Autoencoder, Layer};

/// `inputs`, `hidden` and `bias` of a layer.
type LayerArgs<'py> = (PyReadonlyArray2<'py, f64>, PyReadonlyArray2<'py, f64>, PyReadonlyArray1<'py, f64>);

fn fits(layer: &LayerArgs<'_>, inputs: usize, size: usize) -> bool {
    layer.0.as_array().dim() == (inputs, 4 * size)
        && layer.1.as_array().dim() == (size, 4 * size)
        && layer.2.as_array().len() == 4 * size
}

fn layer<'a>(args: &'a LayerArgs<'_>) -> PyResult<Layer<'a>> {
    Ok(Layer {
        inputs: args.0.as_slice().map_err(contiguous)?,
        hidden: args.1.as_slice().map_err(contiguous)?,
        bias: args.2.as_slice().map_err(contiguous)?,
    })
}

/// Windows float64[n, steps * columns] written again by an autoencoder.
#[pyfunction]
fn lstm_reconstruct(
    py: Python<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    found: PyReadwriteArray2<'_, f64>,
    encoder: LayerArgs<'_>,
    decoder: LayerArgs<'_>,
    output: (PyReadonlyArray2<'_, f64>, PyReadonlyArray1<'_, f64>),
    steps: usize,
) -> PyResult<()> {
    let mut found = found;
    let (size, columns) = output.0.as_array().dim();
    let whole = size > 0 && columns > 0 && output.1.as_array().len() == columns;
    let wide = rows.as_array().dim().1 == steps * columns && found.as_array().dim() == rows.as_array().dim();
    if !(whole && wide && fits(&encoder, columns, size) && fits(&decoder, size, size)) {
        return Err(PyValueError::new_err(
            "the layers of an autoencoder and its windows do not fit together",
        ));
    }
    let autoencoder = Autoencoder {
        encoder: layer(&encoder)?,
        decoder: layer(&decoder)?,
        output: output.0.as_slice().map_err(contiguous)?,
        output_bias: output.1.as_slice().map_err(contiguous)?,
        steps,
    };
    let rows = rows.as_slice().map_err(contiguous)?;
    let found = found.as_slice_mut().map_err(contiguous)?;
    py.detach(|| autoencoder.reconstruct(rows, found));
    Ok(())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(lstm_reconstruct, module)?)
}
