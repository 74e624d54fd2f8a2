//! Keywords of Keepalived 2.4 that vipd has no use for, with what follows from that.

use super::keywords::Scope::{self, Address, Global, Instance, Root, Route, Rule, SyncGroup};

/// Keywords whose wish vipd fulfils without being asked: no word is lost about them.
pub(super) const ALWAYS: &[(Scope, &str)] = &[
    (Global, "reload_check_config dynamic_interfaces vrrp_check_unicast_src vrrp_skip_check_adv_addr"),
    (Instance, "check_unicast_src unicast_fault_no_peer skip_check_adv_addr no_virtual_ipaddress"),
    // Blocks and switches of Keepalived's IPVS half that say nothing of virtual routers.
    (Global, "include_check no_checker_emails smtp_alert_checker"),
];

/// Keywords that vipd does not act on: one warning each.
pub(super) const IGNORED: &[(Scope, &str, &str)] = &[
    (Root, "servers behind the virtual address are not managed", "virtual_server virtual_server_group SSL"),
    (Root, "paths are not watched by BFD", "bfd_instance"),
    (Root, "static objects put no instance into BACKUP", "track_group"),
    (Root, "IPVS is not managed, and ipsets are not used", "net_namespace_ipvs namespace_with_ipsets"),
    (
        Root,
        "the kernel reports links, and changes are acted on at once",
        "linkbeat_use_polling linkbeat_interfaces interface_up_down_delays",
    ),
    (Root, "vipd has one process, and one run directory for each agent", "instance use_pid_dir child_wait_time"),
    (Global, "scripts have the groups that their user has", "set_supplementary_groups"),
    (
        Global,
        "nothing is run before the start or after the end; let systemd do it (ExecStartPre=, ExecStopPost=)",
        "startup_script startup_script_timeout shutdown_script shutdown_script_timeout",
    ),
    (Global, "states are not written to pipes again after a reload", "fifo_write_vrrp_states_on_reload"),
    (
        Global,
        "vipd chooses its own scheduling and memory locking",
        "vrrp_priority vrrp_rt_priority vrrp_rlimit_rttime vrrp_rlimit_rtime vrrp_no_swap vrrp_cpu_affinity
         max_auto_priority min_auto_priority_delay process_names process_name vrrp_process_name",
    ),
    (Global, "the owner of the addresses reads adverts as every other node does", "vrrp_owner_ignore_adverts"),
    (Global, "announcements go to the interfaces that carry the addresses", "vrrp_garp_extra_if vrrp_vmac_garp_intvl"),
    (Global, "nothing waits for the time since boot; use vrrp_startup_delay", "vrrp_delay_after_boot"),
    (Global, "no firewall is needed for what they are for", "nftables* vrrp_iptables vrrp_ipsets disable_local_igmp"),
    (
        Global,
        "buffers have the sizes that vipd needs",
        "vrrp_netlink_cmd_rcv_bufs* vrrp_netlink_monitor_rcv_bufs* process_monitor_rcv_bufs* vrrp_rx_bufs_policy
         vrrp_rx_bufs_multiplier",
    ),
    (
        Global,
        "neither SNMP nor D-Bus is served",
        "snmp_* enable_snmp_* enable_traps enable_dbus dbus_service_name dbus_no_interface_name",
    ),
    (
        Global,
        "reloads come by SIGHUP or `vipd reload`",
        "reload_file reload_repeat reload_time_file tmp_config_directory config_save_dir",
    ),
    (
        Global,
        "`vipd status --json` tells the state; nothing is dumped to files",
        "data_use_instance state_dump_file stats_dump_file json_dump_file json_version",
    ),
    (Global, "IPVS and BFD are not managed", "lvs_* checker_* bfd_* rs_init_notifies"),
    (Global, "adverts of unknown virtual routers are counted, not logged", "log_unknown_vrids"),
    (Global, "virtual MAC interfaces are named by `use_vmac NAME`", "vmac_prefix vmac_addr_prefix"),
    (
        Global,
        "it has no counterpart in vipd",
        "umask random_seed use_symlink_paths iproute_usr_dir iproute_etc_dir use_pid_dir child_wait_time instance
         net_namespace_ipvs namespace_with_ipsets linkbeat_use_polling",
    ),
    (Instance, "BFD does not change the priority", "track_bfd"),
    (Instance, "adverts are not signed, and signatures are not checked", "auth_hmac"),
    (Instance, "addresses on other interfaces have the MAC of these", "use_vmac_addr"),
    (Instance, "adverts and addresses are on the interface itself", "use_ipvlan vrf"),
    (Instance, "the form with group address in the pseudo-header is never accepted", "old_unicast_checksum"),
    (Instance, "announcements go to the interfaces that carry the addresses", "garp_extra_if vmac_garp_intvl"),
    (
        Instance,
        "the owner of the addresses reads adverts as every other node does",
        "owner_ignore_adverts timer_expired_backup thread_timer_expired",
    ),
    (
        Instance,
        "it has no counterpart in vipd",
        "kernel_rx_buf_size debug native_ipv6 linkbeat_use_polling lvs_sync_daemon_interface",
    ),
    (SyncGroup, "BFD does not change the priority", "track_bfd"),
    (SyncGroup, "the group tracks what its own blocks name", "global_tracking"),
    (SyncGroup, "a group is never deleted", "notify_deleted"),
    (Address, "the address is on the interface itself", "use_vmac"),
    (Address, "the address is added without it", "peer home -nodad mngtmpaddr noprefixroute autojoin preferred_lft"),
    (Address, "the address stays whatever happens to it", "track_group"),
    (
        Route,
        "the route is added without it",
        "advmss congctl cwnd expires fastopen_no_cookie features hoplimit initcwnd initrwnd pref quickack reordering
         rto_min rtt rttvar ssthresh track_group inet inet6",
    ),
    (
        Route,
        LEFT_OUT,
        "add append as encap nexthop or prepend realms tos dsfield ttl-propagate vrf weight local broadcast multicast
         nat anycast",
    ),
    (Rule, "the rule is added without it", "track_group inet inet6"),
    (
        Rule,
        LEFT_OUT,
        "tos dsfield goto nop nat realms ipproto sport dport uidrange l3mdev protocol suppress_prefixlength
         suppress_ifgroup tun_id tunnel-id not",
    ),
];

/// What follows from a word without which a line would mean something else.
pub(super) const LEFT_OUT: &str =
    "without it the line would mean something else, so the whole line is left out";
