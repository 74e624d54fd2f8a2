//! Configuration: keepalived.conf and TOML, read into one typed model.

mod model;

pub use model::{Checksum, Config, Datapath, Instance, Password, VirtualAddress};
