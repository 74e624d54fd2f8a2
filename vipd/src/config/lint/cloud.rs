//! Networks that carry no multicast.

use std::path::Path;

use super::Linter;

/// Fields of `/sys/class/dmi/id`, what they begin with, and whose machine it is then.
const CLOUDS: &[(&str, &str, &str)] = &[
    ("sys_vendor", "Amazon EC2", "AWS"),
    ("bios_vendor", "Amazon EC2", "AWS"),
    ("bios_version", "4.11.amazon", "AWS"),
    ("board_vendor", "Amazon EC2", "AWS"),
    ("sys_vendor", "Google", "Google Cloud"),
    ("board_vendor", "Google", "Google Cloud"),
    ("sys_vendor", "DigitalOcean", "DigitalOcean"),
    // Hyper-V outside of Azure has another asset tag.
    ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "Azure"),
];

impl Linter<'_> {
    /// Multicast does not leave a virtual machine in these clouds: both nodes become Master.
    pub(super) fn cloud(&mut self, root: &Path) {
        let read = |field: &str| std::fs::read_to_string(root.join("sys/class/dmi/id").join(field));
        let is_it = |(field, beginning, _): &&(&str, &str, &str)| {
            read(field).is_ok_and(|text| text.trim().starts_with(beginning))
        };
        let Some((_, _, cloud)) = CLOUDS.iter().find(is_it) else { return };
        for (index, instance) in self.config.instances.iter().enumerate() {
            if instance.peers.is_empty() {
                let span = self.near(&format!("instance[{index}].interface"));
                let message = format!(
                    "adverts of `{}` go to a multicast group, and {cloud} carries none",
                    instance.name
                );
                let help = "add `unicast_src_ip` and `unicast_peer` on every node; else both become MASTER";
                self.findings.warn(span, message, help);
            }
        }
    }
}
