//! The promises that configuration keeps, one file for each.

mod convert;
mod guide;
mod ipv6;
mod keywords;
mod language;
mod lint;
mod models;
mod order;
mod refused;
mod rendering;
mod robust;
mod schema;
mod secrets;
mod toml;
mod warned;

use super::{Config, Diagnostic, Diagnostics, Instance, Loaded, load_str};

/// What `text` gives as a keepalived.conf that can be used.
fn accepted(text: &str) -> Loaded {
    load_str("test.conf", text).unwrap_or_else(|found| panic!("refused:\n{}", found.render(false)))
}

/// What is found in `text` as a keepalived.conf that cannot be used.
fn refused(text: &str) -> Diagnostics {
    load_str("test.conf", text).err().unwrap_or_else(|| panic!("accepted:\n{text}"))
}

/// The only virtual router.
fn only(loaded: &Loaded) -> &Instance {
    let [instance] = loaded.config.instances.as_slice() else {
        panic!("{} instances", loaded.config.instances.len())
    };
    instance
}

/// A keepalived.conf with one instance, whose block holds `lines` besides what it needs. They begin on line 5.
fn with(lines: &str) -> String {
    format!(
        "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{ 10.0.0.100/24 }}\n{lines}\n}}\n"
    )
}

/// Line and column.
fn position(diagnostic: &Diagnostic) -> (usize, usize) {
    diagnostic.place.as_ref().map_or((0, 0), |place| (place.line, place.column))
}

/// The configuration without the lines that its parts begin on.
fn without_lines(mut config: Config) -> Config {
    config.instances.iter_mut().for_each(|instance| instance.line = 0);
    config.sync_groups.iter_mut().for_each(|group| group.line = 0);
    config
}
