//! Log lines for debugging. Without the feature `log` they leave no trace in the object: a line costs 30 to 40 ns a frame
//! even where nobody reads it.

#[cfg(feature = "log")]
pub(crate) use aya_log_ebpf::debug;

#[cfg(not(feature = "log"))]
macro_rules! debug {
    ($($part:tt)*) => {};
}
#[cfg(not(feature = "log"))]
pub(crate) use debug;
