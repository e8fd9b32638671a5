//! One file a kernel. A kernel is a function over slices: it has no memory of its own.

pub mod fleet;
pub mod rolling_zscore;
