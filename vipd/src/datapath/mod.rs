//! How adverts come in: through the kernel half, at the best place that an interface offers.

mod events;
mod kernel;
#[cfg(feature = "kernel-log")]
mod kernel_log;
mod ladder;
mod published;

pub use events::Events;
pub use kernel::{Kernel, LoadError, PublishError};
pub use ladder::{AttachError, Attached, Mode, Refused, Step};
