use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::batch::{contiguous, guarded, PointsArgs};
use crate::kernels::features::Features;
use crate::kernels::features_fleet::{run, Arrays};
use crate::kernels::features_slots::{MARKS, RECENT};
use crate::kernels::seasonal_band_calendar::Calendar;

/// The state arrays: marks, ring, recent.
type State<'py> = (PyReadwriteArray2<'py, i64>, PyReadwriteArray2<'py, f64>, PyReadwriteArray2<'py, f64>);
/// Instants and offsets of a time zone, holidays.
type Zone<'py> = (PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, i64>);

#[pyfunction]
fn features(
    py: Python<'_>,
    state: State<'_>,
    points: PointsArgs<'_>,
    program: PyReadonlyArray2<'_, i64>,
    ranges: PyReadonlyArray2<'_, f64>,
    zone: Zone<'_>,
    settings: (i64, f64),
    mut out: PyReadwriteArray2<'_, f64>,
    threads: usize,
) -> PyResult<()> {
    let (interval, share) = settings;
    let (mut marks, mut ring, mut recent) = state;
    let columns = points.3.as_array().shape()[1];
    let width = ring.as_array().shape()[1];
    let table = program.as_slice().map_err(contiguous)?;
    if columns == 0
        || width == 0
        || width % columns != 0
        || program.as_array().shape()[1] != 4
        || ranges.as_array().shape() != [columns, 2]
        || marks.as_array().shape()[1] != MARKS
        || recent.as_array().shape()[1] != RECENT * columns
        || out.as_array().shape() != [points.2.as_array().len(), table.len() / 4]
    {
        return Err(PyValueError::new_err(
            "features wants arrays that fit its columns, slots and operations",
        ));
    }
    let table: Vec<[i64; 4]> = table.chunks_exact(4).map(|op| [op[0], op[1], op[2], op[3]]).collect();
    let mut kernel = Features::new(&table, columns, share);
    kernel.capacity = width / columns;
    kernel.interval = interval;
    kernel.ranges = ranges.as_slice().map_err(contiguous)?.chunks_exact(2).map(|r| (r[0], r[1])).collect();
    kernel.calendar = Calendar {
        zone_from: zone.0.as_slice().map_err(contiguous)?.to_vec(),
        zone_offset: zone.1.as_slice().map_err(contiguous)?.to_vec(),
        holidays: zone.2.as_slice().map_err(contiguous)?.to_vec(),
    };
    let arrays = Arrays {
        marks: marks.as_slice_mut().map_err(contiguous)?,
        ring: ring.as_slice_mut().map_err(contiguous)?,
        recent: recent.as_slice_mut().map_err(contiguous)?,
        rows: points.0.as_slice().map_err(contiguous)?,
        offsets: points.1.as_slice().map_err(contiguous)?,
        times: points.2.as_slice().map_err(contiguous)?,
        values: points.3.as_slice().map_err(contiguous)?,
        out: out.as_slice_mut().map_err(contiguous)?,
    };
    guarded(py, || run(&kernel, arrays, threads))
}

/// Whole numbers a series in `marks`, and points in `recent`.
#[pyfunction]
fn features_widths() -> (usize, usize) {
    (MARKS, RECENT)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(features, module)?)?;
    module.add_function(wrap_pyfunction!(features_widths, module)?)
}
