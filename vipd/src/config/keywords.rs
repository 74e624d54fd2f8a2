//! What Keepalived's keywords mean to vipd: those it acts on, and what follows from not acting on the others.

use super::pending::PENDING;
use super::suggest;

/// Where in keepalived.conf a keyword stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Root,
    Global,
    Instance,
    Authentication,
    /// Words behind a virtual address.
    Address,
    /// Words behind a unicast peer.
    Peer,
}

impl Scope {
    /// The scope's name in a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Root => "the file outside of blocks",
            Self::Global => "global_defs",
            Self::Instance => "vrrp_instance",
            Self::Authentication => "authentication",
            Self::Address => "virtual_ipaddress",
            Self::Peer => "unicast_peer",
        }
    }
}

/// Keywords that mean the same to vipd.
pub(super) struct Group {
    scope: Scope,
    /// Separated by white space; one that ends in `*` stands for every keyword that begins so.
    keywords: &'static str,
    /// What follows from not acting on them; `None` where vipd acts on them.
    consequence: Option<&'static str>,
}

const fn acted_on(scope: Scope, keywords: &'static str) -> Group {
    Group { scope, keywords, consequence: None }
}

pub(super) const fn unused(scope: Scope, consequence: &'static str, keywords: &'static str) -> Group {
    Group { scope, keywords, consequence: Some(consequence) }
}

use Scope::{Address, Authentication, Global, Instance, Root};

/// Every keyword of Keepalived 2.4 that can stand where vipd reads.
const GROUPS: &[Group] = &[
    acted_on(Root, "global_defs vrrp_instance"),
    unused(
        Root,
        "servers behind the virtual address are not managed",
        "virtual_server virtual_server_group SSL",
    ),
    unused(Root, "paths are not watched by BFD", "bfd_instance"),
    unused(Root, "its addresses, routes and rules are not put in place", "track_group"),
    unused(
        Root,
        "vipd stays in the network namespace that it is started in",
        "net_namespace_ipvs namespace_with_ipsets",
    ),
    unused(Root, "announcements are not paced", "garp_group"),
    unused(
        Root,
        "the kernel reports links, and changes are acted on at once",
        "linkbeat_use_polling linkbeat_interfaces interface_up_down_delays",
    ),
    unused(
        Root,
        "vipd has no child processes and no process id files",
        "instance use_pid_dir child_wait_time",
    ),
    acted_on(
        Global,
        "router_id vrrp_version vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh
         vrrp_garp_master_refresh_repeat",
    ),
    unused(
        Global,
        "no script is run",
        "set_supplementary_groups startup_script startup_script_timeout shutdown_script
         shutdown_script_timeout",
    ),
    unused(Global, "no event is written to a pipe", "fifo_write_vrrp_states_on_reload"),
    unused(Global, "no mail is sent", "smtp_alert_checker no_checker_emails"),
    unused(
        Global,
        "vipd chooses its own scheduling and memory locking",
        "vrrp_priority vrrp_rt_priority vrrp_rlimit_rttime vrrp_rlimit_rtime vrrp_no_swap
         vrrp_cpu_affinity max_auto_priority min_auto_priority_delay process_names process_name
         vrrp_process_name",
    ),
    unused(
        Global,
        "adverts are judged and answered as RFC 9568 and RFC 3768 say",
        "vrrp_strict vrrp_owner_ignore_adverts vrrp_skip_check_adv_addr",
    ),
    unused(Global, "unicast adverts are taken from configured peers only", "vrrp_check_unicast_src"),
    unused(
        Global,
        "announcements are sent by vrrp_garp_master_delay, _repeat and _refresh only",
        "vrrp_min_garp vrrp_garp_extra_if vrrp_vmac_garp_intvl",
    ),
    unused(Global, "vipd takes part as soon as it is started", "vrrp_delay_after_boot"),
    unused(Global, "every instance names its own interface", "default_interface dynamic_interfaces"),
    unused(Global, "no firewall rule is set", "nftables* vrrp_iptables vrrp_ipsets disable_local_igmp"),
    unused(
        Global,
        "buffers have the sizes that vipd needs",
        "vrrp_netlink_cmd_rcv_bufs* vrrp_netlink_monitor_rcv_bufs* process_monitor_rcv_bufs*
         vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier",
    ),
    unused(
        Global,
        "neither SNMP nor D-Bus is served",
        "snmp_* enable_snmp_* enable_traps enable_dbus dbus_service_name dbus_no_interface_name",
    ),
    unused(
        Global,
        "a configuration is always checked before it is used",
        "reload_check_config reload_file reload_repeat reload_time_file include_check
         tmp_config_directory config_save_dir",
    ),
    unused(
        Global,
        "no state is dumped to files",
        "data_use_instance state_dump_file stats_dump_file json_dump_file json_version",
    ),
    unused(Global, "IPVS and BFD are not managed", "lvs_* checker_* bfd_* rs_init_notifies"),
    unused(Global, "adverts of unknown virtual routers are counted, not logged", "log_unknown_vrids"),
    unused(Global, "no virtual MAC is used", "vmac_prefix vmac_addr_prefix"),
    unused(
        Global,
        "it has no counterpart in vipd",
        "umask random_seed use_symlink_paths iproute_usr_dir iproute_etc_dir use_pid_dir child_wait_time
         instance net_namespace net_namespace_ipvs namespace_with_ipsets linkbeat_use_polling",
    ),
    acted_on(
        Instance,
        "state interface virtual_router_id priority version advert_int authentication virtual_ipaddress
         nopreempt preempt preempt_delay garp_master_delay garp_master_repeat garp_master_refresh
         garp_master_refresh_repeat mcast_src_ip unicast_src_ip unicast_peer",
    ),
    unused(Instance, "health checks do not change the priority", "track_bfd"),
    unused(Instance, "adverts are not signed, and signatures are not checked", "auth_hmac"),
    unused(Instance, "at least one address is needed all the same", "no_virtual_ipaddress"),
    unused(Instance, "no virtual MAC is used: the interface keeps its own", "use_vmac_addr use_ipvlan"),
    unused(Instance, "adverts are sent and received on the interface itself", "vrf"),
    unused(
        Instance,
        "unicast adverts are taken from configured peers only",
        "check_unicast_src unicast_fault_no_peer",
    ),
    unused(
        Instance,
        "both forms are accepted, and adverts carry the one with pseudo-header",
        "old_unicast_checksum",
    ),
    unused(
        Instance,
        "announcements are sent by garp_master_delay, _repeat and _refresh only",
        "garp_extra_if vmac_garp_intvl",
    ),
    unused(
        Instance,
        "adverts are judged and answered as RFC 9568 and RFC 3768 say",
        "owner_ignore_adverts skip_check_adv_addr strict_mode timer_expired_backup thread_timer_expired",
    ),
    unused(
        Instance,
        "it has no counterpart in vipd",
        "kernel_rx_buf_size debug native_ipv6 linkbeat_use_polling lvs_sync_daemon_interface",
    ),
    unused(
        Global,
        "both forms are accepted, and adverts carry the one with pseudo-header",
        "v3_checksum_as_v2",
    ),
    unused(
        Instance,
        "both forms are accepted, and adverts carry the one with pseudo-header",
        "v3_checksum_as_v2",
    ),
    unused(Address, "no virtual MAC is used: the interface keeps its own", "use_vmac"),
    acted_on(Authentication, "auth_type auth_pass"),
    acted_on(Address, "dev label brd scope"),
    unused(
        Address,
        "the address is added without it",
        "peer home -nodad mngtmpaddr noprefixroute autojoin preferred_lft",
    ),
];

impl Group {
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.keywords.split_whitespace()
    }

    fn holds(&self, keyword: &str) -> bool {
        self.words().any(|word| match word.strip_suffix('*') {
            Some(beginning) => keyword.starts_with(beginning),
            None => keyword == word,
        })
    }
}

fn groups() -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().chain(PENDING)
}

/// What follows from vipd not acting on `keyword`; `None` where it acts on it or does not know it.
pub(super) fn consequence(scope: Scope, keyword: &str) -> Option<&'static str> {
    groups().find(|group| group.scope == scope && group.holds(keyword))?.consequence
}

/// Whether `keyword` can stand in `scope`.
pub(super) fn is_known(scope: Scope, keyword: &str) -> bool {
    groups().any(|group| group.scope == scope && group.holds(keyword))
}

/// The scope that `keyword` belongs in.
pub(super) fn home(keyword: &str) -> Option<Scope> {
    groups().find(|group| group.holds(keyword)).map(|group| group.scope)
}

/// The keyword of `scope` that was probably meant.
pub(super) fn nearest(scope: Scope, keyword: &str) -> Option<&'static str> {
    let known = groups().filter(|group| group.scope == scope).flat_map(Group::words);
    suggest::nearest(keyword, known.filter(|word| !word.ends_with('*')))
}

/// Whether `keyword` opens a block that stands in no other block.
pub(super) fn is_root_block(keyword: &str) -> bool {
    ["global_defs", "vrrp_instance", "vrrp_sync_group", "vrrp_script", "virtual_server"].contains(&keyword)
}

/// What follows from vipd not acting on a line that belongs to the language itself, with what the line is called:
/// included files, conditions, definitions and repeated lines.
pub(super) fn language(word: &str) -> Option<(&'static str, &'static str)> {
    let includes = ["include", "includer", "includem", "includew", "includeb", "includea"];
    if includes.contains(&word) {
        Some(("include", "the file is not read"))
    } else if word.starts_with('@') {
        Some(("@", "what it makes conditional is left out"))
    } else if word.starts_with('$') {
        Some(("$", "what it stands for is not put in"))
    } else if word.starts_with("~SEQ") || word.starts_with("~LST") {
        Some(("~", "the lines that it repeats are left out"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Scope, consequence, groups, home, is_known, nearest};

    #[test]
    fn no_keyword_has_two_meanings_in_one_scope() {
        let mut seen = HashSet::new();
        for group in groups() {
            for word in group.words() {
                assert!(seen.insert((group.scope.name(), word)), "{word} is twice in {}", group.scope.name());
            }
        }
    }

    #[test]
    fn a_star_stands_for_every_ending() {
        assert_eq!(consequence(Scope::Global, "checker_priority"), Some("IPVS and BFD are not managed"));
        assert_eq!(consequence(Scope::Instance, "checker_priority"), None);
        assert_eq!(nearest(Scope::Global, "checkers_"), None);
    }

    #[test]
    fn a_keyword_that_is_acted_on_has_no_consequence() {
        assert!(is_known(Scope::Instance, "priority"));
        assert_eq!(consequence(Scope::Instance, "priority"), None);
        assert_eq!(home("auth_pass"), Some(Scope::Authentication));
        assert_eq!(home("zzz"), None);
    }
}
