use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::kernels::remote_write::{decode, Columns, Limits, Refused};

type Table<'py> = (
    Bound<'py, PyList>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<i64>>,
);

fn told(refused: Refused) -> PyErr {
    PyValueError::new_err(match refused {
        Refused::Malformed(found) => format!("{} (byte {})", found.what, found.at),
        Refused::Version => "it is of another version than its Content-Type says".to_owned(),
        Refused::Points => "points".to_owned(),
        Refused::Series => "series".to_owned(),
        Refused::Labels => "labels".to_owned(),
    })
}

fn table<'py>(py: Python<'py>, found: Columns) -> PyResult<Table<'py>> {
    let starts = std::iter::once(0).chain(found.label_ends.iter().copied());
    let texts = starts.zip(&found.label_ends).map(|(from, &to)| PyBytes::new(py, &found.labels[from..to]));
    let labels = PyList::new(py, texts.collect::<Vec<_>>())?;
    Ok((
        labels,
        PyArray1::from_vec(py, found.ends),
        PyArray1::from_vec(py, found.times),
        PyArray1::from_vec(py, found.values),
        PyArray1::from_vec(py, found.histograms),
        PyArray1::from_vec(py, found.status),
        PyArray1::from_vec(py, found.lost),
    ))
}

/// Series of an inflated request: labels of each, where its samples end, times, values, histograms, status, losses.
#[pyfunction]
fn remote_write<'py>(
    py: Python<'py>,
    body: &Bound<'py, PyBytes>,
    second: bool,
    limits: (usize, usize, usize, usize, usize),
) -> PyResult<Table<'py>> {
    let (points, series, labels, text, bytes) = limits;
    let limits = Limits { points, series, labels, text, bytes };
    let data = body.as_bytes();
    let found = py.detach(|| decode(data, second, &limits)).map_err(told)?;
    table(py, found)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(remote_write, module)?)
}
