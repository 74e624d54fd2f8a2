//! One virtual router.
