//! The configuration that vipd was born from: two load balancers as a Keepalived guide for users prints them
//! (`tests/fixtures/guide`), and ways to vary it.

use anyhow::Result;

use crate::host::Host;

/// The virtual address of the guide.
pub const VIP: &str = "192.168.1.100";
/// The label of the virtual address.
pub const LABEL: &str = "eth0:vip";
/// Virtual router id of the guide.
pub const VRID: u8 = 51;
/// Where keepalived looks for its configuration.
pub const PATH: &str = "/etc/keepalived/keepalived.conf";

const LB1: &str = include_str!("../fixtures/guide/lb1.conf");
const LB2: &str = include_str!("../fixtures/guide/lb2.conf");
/// The guide's check scripts, by the name of their file without `.sh`.
pub const CHECKS: [(&str, &str); 4] = [
    ("check_http", include_str!("../fixtures/guide/check_http.sh")),
    ("check_haproxy_backends", include_str!("../fixtures/guide/check_haproxy_backends.sh")),
    ("check_nginx", include_str!("../fixtures/guide/check_nginx.sh")),
    ("check_fence", include_str!("../fixtures/guide/check_fence.sh")),
];
const NOTIFY: &str = include_str!("../fixtures/guide/notify.sh");

/// A `keepalived.conf` that starts as printed and takes changes one by one.
#[derive(Clone, Debug)]
pub struct Conf(String);

/// Another configuration, for what the guide does not have.
impl From<String> for Conf {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Conf {
    /// The guide's master, priority 110.
    #[must_use]
    pub fn lb1() -> Self {
        Self(LB1.to_owned())
    }

    /// The guide's backup, priority 100.
    #[must_use]
    pub fn lb2() -> Self {
        Self(LB2.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// With another `advert_int`, in seconds, such as `0.1`.
    #[must_use]
    pub fn advert(self, seconds: &str) -> Self {
        self.replace("advert_int 1", &format!("advert_int {seconds}"))
    }

    /// With VRRP version 3, which knows no passwords.
    #[must_use]
    pub fn version_3(self) -> Self {
        self.without_block("authentication").with_line("version 3")
    }

    /// With `nopreempt`, for which the guide has both nodes start as BACKUP.
    #[must_use]
    pub fn nopreempt(self) -> Self {
        Self(self.0.replace("state MASTER", "state BACKUP")).with_line("nopreempt")
    }

    /// With another password.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        self.replace("MySecret123", password)
    }

    /// Without health checks, notify scripts and mail: what is left depends on adverts and links alone.
    #[must_use]
    pub fn without_scripts(self) -> Self {
        let bare = self.without_block("vrrp_script chk_haproxy").without_block("vrrp_script chk_http");
        let bare = bare.without_block("track_script");
        let kept =
            bare.0.lines().filter(|line| !line.starts_with("notify_") && !line.starts_with("smtp_alert"));
        Self(kept.flat_map(|line| [line, "\n"]).collect())
    }

    /// With one more line in the `vrrp_instance` block.
    #[must_use]
    pub fn with_line(self, line: &str) -> Self {
        self.replace("virtual_router_id 51", &format!("virtual_router_id 51\n{line}"))
    }

    /// With one more line in `global_defs`.
    #[must_use]
    pub fn with_global_line(self, line: &str) -> Self {
        self.replace("global_defs {\n", &format!("global_defs {{\n{line}\n"))
    }

    /// With this text behind everything else.
    #[must_use]
    pub fn with_block(self, text: &str) -> Self {
        Self(format!("{}{text}\n", self.0))
    }

    /// With one text in place of another.
    ///
    /// # Panics
    /// If the text to be replaced is not there: a change that changes nothing would make a test say nothing.
    #[must_use]
    pub fn replace(self, old: &str, new: &str) -> Self {
        assert!(self.0.contains(old), "{old:?} is not in\n{}", self.0);
        Self(self.0.replace(old, new))
    }

    fn without_block(self, head: &str) -> Self {
        let opening = format!("\n{head} {{\n");
        let start = self.0.find(&opening).unwrap_or_else(|| panic!("no block {head:?} in\n{}", self.0)) + 1;
        let end = block_end(&self.0, start);
        Self(format!("{}{}", &self.0[..start], &self.0[end..]))
    }

    /// Puts the configuration and the guide's scripts where they belong on a host.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn install(&self, host: &Host) -> Result<()> {
        host.write_file(PATH, &self.0, 0o644)?;
        for (name, script) in CHECKS {
            host.write_file(&format!("/etc/keepalived/{name}.sh"), script, 0o755)?;
        }
        host.write_file("/etc/keepalived/notify.sh", NOTIFY, 0o755)
    }
}

/// Where the line behind the closing brace of the block at `start` begins.
fn block_end(text: &str, start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        at += line.len();
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_nodes_differ_in_role_priority_and_name_only() {
        let as_lb2 = Conf::lb1()
            .replace("on LB1", "on LB2")
            .replace("router_id LB1", "router_id LB2")
            .replace("state MASTER", "state BACKUP")
            .replace("priority 110", "priority 100")
            .replace("# Smtp notifications (optional)\n", "");

        assert_eq!(as_lb2.text(), Conf::lb2().text());
    }

    #[test]
    fn without_scripts_leaves_whole_blocks() {
        let bare = Conf::lb1().without_scripts();

        assert_eq!(bare.text().matches('{').count(), bare.text().matches('}').count());
        for gone in ["vrrp_script", "track_script", "notify_", "smtp_alert"] {
            assert!(!bare.text().contains(gone), "{gone} is left in\n{}", bare.text());
        }
        assert!(bare.text().contains("track_interface {\neth0 weight -50\n}\n"));
    }
}
