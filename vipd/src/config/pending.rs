//! What the model holds and the agent does not act on yet: **the one table of it**. Each keyword gives one warning,
//! with its line and what follows. Who makes the agent act on something deletes its words here, and nothing else.

use super::keywords::Scope::{Address, Global, Instance, Peer, Root};
use super::keywords::{Group, unused};

/// The keywords, by where they stand.
pub(super) const PENDING: &[Group] = &[
    unused(Root, "health checks are not run", "vrrp_script vrrp_track_process track_file vrrp_track_file"),
    unused(
        Root,
        "its addresses, routes and rules are not put in place",
        "static_ipaddress static_routes static_rules",
    ),
    unused(Root, "vipd stays in the network namespace that it is started in", "net_namespace"),
    unused(Global, "no script is run", "script_user enable_script_security"),
    unused(
        Global,
        "no event is written to a pipe",
        "notify_fifo vrrp_notify_fifo notify_fifo_script vrrp_notify_fifo_script
         vrrp_notify_priority_changes",
    ),
    unused(
        Global,
        "no mail is sent",
        "notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout
         smtp_alert smtp_alert_vrrp no_email_faults",
    ),
    unused(Global, "adverts go to the standard group", "vrrp_mcast_group4 vrrp_mcast_group6"),
    unused(Global, "vipd takes part as soon as it is started", "vrrp_startup_delay"),
    unused(Instance, "health checks do not change the priority", "track_script track_file track_process"),
    unused(
        Instance,
        "only the state of the instance's own interface counts",
        "track_interface dont_track_primary",
    ),
    unused(Instance, "a missing source address is not watched for", "track_src_ip"),
    unused(
        Instance,
        "no script is run",
        "notify notify_master notify_backup notify_fault notify_stop notify_deleted
         notify_master_rx_lower_pri notify_priority_changes",
    ),
    unused(Instance, "no mail is sent", "smtp_alert"),
    unused(Instance, "these addresses are not put on an interface", "virtual_ipaddress_excluded"),
    unused(Instance, "its routes and rules are not put in place", "virtual_routes virtual_rules"),
    unused(Instance, "the sysctl stays as it is", "promote_secondaries"),
    unused(Instance, "no virtual MAC is used: the interface keeps its own", "use_vmac vmac_xmit_base"),
    unused(Instance, "unicast adverts leave with TTL 255", "unicast_ttl"),
    unused(Instance, "adverts go to the standard group", "mcast_dst_ip"),
    unused(Instance, "the master accepts traffic to its addresses", "accept no_accept"),
    unused(Address, "the address is put back when somebody takes it away", "no_track"),
    unused(Peer, "unicast adverts must arrive with TTL 255", "min_ttl max_ttl"),
];
