//! One file a kernel. A kernel is a function over slices: it has no memory of its own.

pub mod calibrate;
pub mod fleet;
pub mod prepare;
pub mod prepare_gaps;
pub mod rolling_zscore;
pub mod tail;
