//! Every keyword means in keepalived.conf what its key means in TOML, and changes the model as Keepalived's
//! documentation says (promise 8). A keyword that has no case here fails the test.

use super::super::conf::KEYWORDS;
use super::super::{Config, load_str};
use super::without_lines;

/// Where the lines of a case stand.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Root,
    Global,
    Instance,
}
use At::{Global, Instance, Root};

/// The keywords of a case, where they stand, the lines in both languages, and what the model then holds.
type Case = (&'static str, At, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    // global_defs
    ("router_id", Global, "router_id LB1", "router_id = 'LB1'", "router_id: Some(\"LB1\")"),
    ("datapath", Global, "datapath tcx", "datapath = 'tcx'", "datapath: Tcx"),
    ("net_namespace", Global, "net_namespace blue", "net_namespace = 'blue'", "net_namespace: Some(\"blue\")"),
    ("net_namespace", Root, "net_namespace blue", "net_namespace = 'blue'", "net_namespace: Some(\"blue\")"),
    ("vrrp_startup_delay", Global, "vrrp_startup_delay 2.5", "startup_delay = 2.5", "startup_delay: 2.5s"),
    ("script_user", Global, "script_user nobody daemon\n}\nvrrp_script a {\nscript /bin/a",
        "script_user = { user = 'nobody', group = 'daemon' }\n[[check]]\nname = 'a'\nscript = '/bin/a'",
        "account: Some(Account { user: \"nobody\", group: Some(\"daemon\") })"),
    ("enable_script_security", Global, "enable_script_security", "enable_script_security = true", "script_security: true"),
    ("default_interface static_ipaddress", Global, "default_interface eth7\n}\nstatic_ipaddress {\n10.9.0.1/24\n10.9.0.2/24 dev eth8",
        "default_interface = 'eth7'\nstatic_ipaddress = ['10.9.0.1/24', { ip = '10.9.0.2/24', dev = 'eth8' }]",
        "StaticAddress { dev: \"eth7\", address: VirtualAddress { ip: 10.9.0.1"),
    ("notify_fifo notify_fifo_script", Global, "notify_fifo /run/f root adm\nnotify_fifo_script \"/bin/read it\" nobody",
        "[[fifo]]\npath = '/run/f'\nuser = 'root'\ngroup = 'adm'\nscript = { command = '/bin/read it', user = 'nobody' }",
        "Fifo { path: \"/run/f\", owner: Some(Account { user: \"root\", group: Some(\"adm\") }), script: Some(Command { argv: [\"/bin/read\", \"it\"]"),
    ("vrrp_notify_fifo vrrp_notify_fifo_script", Global, "vrrp_notify_fifo /run/v\nvrrp_notify_fifo_script /bin/v\nnotify_fifo /run/f",
        "[[fifo]]\npath = '/run/v'\nscript = '/bin/v'\n[[fifo]]\npath = '/run/f'", "Fifo { path: \"/run/v\", owner: None, script: Some"),
    ("notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout no_email_faults", Global,
        "notification_email {\na@example.com\nb@example.com\n}\nnotification_email_from c@example.com\nsmtp_server mail.example.com 2525\nsmtp_helo_name lb1\nsmtp_connect_timeout 7\nno_email_faults",
        "[mail]\nto = ['a@example.com', 'b@example.com']\nfrom = 'c@example.com'\nserver = 'mail.example.com'\nport = 2525\nhelo = 'lb1'\ntimeout = 7\nno_faults = true",
        "Mail { to: [\"a@example.com\", \"b@example.com\"], from: Some(\"c@example.com\"), server: \"mail.example.com\", port: 2525, helo: Some(\"lb1\"), timeout: 7s, no_faults: true }"),
    ("smtp_alert", Global, "smtp_alert", "[defaults]\nsmtp_alert = true", "mail: true"),
    ("smtp_alert_vrrp", Global, "smtp_alert_vrrp on", "[defaults]\nsmtp_alert = true", "mail: true"),
    ("vrrp_version", Global, "vrrp_version 3", "[defaults]\nversion = 3", "version: V3"),
    ("vrrp_strict", Global, "vrrp_strict", "[defaults]\nstrict_mode = true", "lower_prio_no_advert: true"),
    ("vrrp_mcast_group4 vrrp_mcast_group6", Global, "vrrp_mcast_group4 224.0.0.99\nvrrp_mcast_group6 ff02::99",
        "[defaults]\nmcast_group4 = '224.0.0.99'\nmcast_group6 = 'ff02::99'", "group: 224.0.0.99"),
    ("vrrp_garp_master_delay", Global, "vrrp_garp_master_delay 7", "[defaults]\ngarp_master_delay = 7", "Garp { delay: 7s"),
    ("vrrp_garp_master_repeat", Global, "vrrp_garp_master_repeat 7", "[defaults]\ngarp_master_repeat = 7", "repeat: 7"),
    ("vrrp_garp_master_refresh", Global, "vrrp_garp_master_refresh 7", "[defaults]\ngarp_master_refresh = 7", "refresh: 7s"),
    ("vrrp_garp_master_refresh_repeat", Global, "vrrp_garp_master_refresh_repeat 7", "[defaults]\ngarp_master_refresh_repeat = 7", "refresh_repeat: 7"),
    ("vrrp_garp_lower_prio_delay", Global, "vrrp_garp_lower_prio_delay 7", "[defaults]\ngarp_lower_prio_delay = 7", "lower_prio_delay: 7s"),
    ("vrrp_garp_lower_prio_repeat", Global, "vrrp_garp_lower_prio_repeat 0", "[defaults]\ngarp_lower_prio_repeat = 0", "lower_prio_repeat: 0"),
    ("vrrp_garp_interval", Global, "vrrp_garp_interval 0.001", "[defaults]\ngarp_interval = 0.001", " interval: 1ms"),
    ("vrrp_gna_interval", Global, "vrrp_gna_interval 0.000001", "[defaults]\ngna_interval = 0.000001", "gna_interval: 1µs"),
    ("vrrp_min_garp", Global, "vrrp_min_garp", "[defaults]\nmin_garp = true", "Garp { delay: 0ns, repeat: 1,"),
    ("vrrp_down_timer_adverts", Global, "vrrp_down_timer_adverts 5", "[defaults]\ndown_timer_adverts = 5", "down_timer_adverts: 5"),
    ("vrrp_lower_prio_no_advert", Global, "vrrp_lower_prio_no_advert", "[defaults]\nlower_prio_no_advert = true", "lower_prio_no_advert: true"),
    ("vrrp_higher_prio_send_advert", Global, "vrrp_higher_prio_send_advert no", "[defaults]\nhigher_prio_send_advert = false", "higher_prio_send_advert: false"),
    ("vrrp_notify_priority_changes", Global, "vrrp_notify_priority_changes true", "[defaults]\nnotify_priority_changes = true", "priority_changes: true"),
    ("v3_checksum_as_v2", Global, "v3_checksum_as_v2", "[defaults]\nv3_checksum_as_v2 = true", "checksum: Message"),
    // vrrp_instance
    ("state", Instance, "state MASTER\npriority 9", "state = 'MASTER'\npriority = 9", "state: Master, priority: 9"),
    ("interface", Instance, "", "", "interface: \"eth0\""),
    ("virtual_router_id", Instance, "", "", "vrid: 51"),
    ("priority", Instance, "priority 7", "priority = 7", "priority: 7"),
    ("version", Instance, "version 3", "version = 3", "version: V3"),
    ("advert_int", Instance, "version 3\nadvert_int 0.25", "version = 3\nadvert_int = 0.25", "interval: Interval(25)"),
    ("authentication auth_type auth_pass", Instance, "authentication {\nauth_type PASS\nauth_pass secret\n}", "auth_pass = 'secret'", "password: Some(Password(hidden))"),
    ("virtual_ipaddress dev label brd scope no_track", Instance, "virtual_ipaddress {\n10.0.0.8/24 dev eth1 label eth1:x brd + scope link no_track\n}",
        "", "VirtualAddress { ip: 10.0.0.8, prefix: 24, dev: Some(\"eth1\"), label: Some(\"eth1:x\"), broadcast: Some(10.0.0.255), scope: 253, no_track: true }"),
    ("broadcast", Instance, "virtual_ipaddress_excluded {\n10.0.0.8/24 broadcast 10.0.0.7\n}",
        "virtual_ipaddress_excluded = [{ ip = '10.0.0.8/24', brd = '10.0.0.7' }]", "broadcast: Some(10.0.0.7)"),
    ("virtual_ipaddress_excluded", Instance, "virtual_ipaddress_excluded {\n10.0.0.8/24\n10.0.0.9\n}",
        "virtual_ipaddress_excluded = ['10.0.0.8/24', '10.0.0.9']", "excluded: [VirtualAddress { ip: 10.0.0.8, prefix: 24"),
    ("virtual_routes to via dev src scope table metric proto mtu onlink", Instance,
        "virtual_routes {\nsrc 10.0.0.100 to 10.1.0.0/16 via 10.0.0.9 dev eth0 scope link table 7 metric 5 proto static mtu 1400 onlink no_track\n}",
        "virtual_routes = [{ src = '10.0.0.100', to = '10.1.0.0/16', via = '10.0.0.9', dev = 'eth0', scope = 'link', table = 7, metric = 5, proto = 'static', mtu = 1400, onlink = true, no_track = true }]",
        "Route { to: Prefix { ip: 10.1.0.0, len: 16 }, kind: Unicast, via: Some(10.0.0.9), dev: Some(\"eth0\"), src: Some(10.0.0.100), scope: Some(253), table: 7, metric: Some(5), protocol: Some(4), mtu: Some(1400), onlink: true, no_track: true }"),
    ("gw oif from priority protocol", Instance, "virtual_routes {\nfrom 10.0.0.100 default gw 10.0.0.9 oif eth0 priority 5 protocol 7\n}",
        "virtual_routes = [{ src = '10.0.0.100', to = 'default', via = '10.0.0.9', dev = 'eth0', metric = 5, proto = 7 }]", "to: Prefix { ip: 0.0.0.0, len: 0 }"),
    ("gateway preference", Instance, "virtual_routes {\n10.1.0.0/16 gateway 10.0.0.9 preference 5\nblackhole 10.2.0.0/16\n}",
        "virtual_routes = [{ to = '10.1.0.0/16', via = '10.0.0.9', metric = 5 }, { to = '10.2.0.0/16', type = 'blackhole' }]", "kind: Blackhole"),
    ("virtual_rules from to iif oif fwmark table priority", Instance, "virtual_rules {\nfrom 10.1.0.0/16 to 10.2.0.0/16 iif eth0 oif eth1 fwmark 0x1/0xff table 7 priority 9 no_track\n}",
        "virtual_rules = [{ from = '10.1.0.0/16', to = '10.2.0.0/16', iif = 'eth0', oif = 'eth1', fwmark = '1/255', table = 7, priority = 9, no_track = true }]",
        "fwmark: Some((1, 255)), priority: Some(9), action: Table(7), no_track: true"),
    ("lookup preference", Instance, "virtual_rules {\nfrom all lookup main preference 9\n}", "virtual_rules = [{ from = 'all', table = 'main', priority = 9 }]", "action: Table(254)"),
    ("order dev", Instance, "virtual_rules {\nto 10.2.0.0/16 blackhole order 9 dev eth0\n}", "virtual_rules = [{ to = '10.2.0.0/16', type = 'blackhole', priority = 9, iif = 'eth0' }]", "iif: Some(\"eth0\")"),
    ("pref", Instance, "virtual_rules {\nto 10.2.0.0/16 prohibit pref 9\n}", "virtual_rules = [{ to = '10.2.0.0/16', type = 'prohibit', priority = 9 }]", "action: Prohibit"),
    ("promote_secondaries", Instance, "promote_secondaries", "promote_secondaries = true", "promote_secondaries: true"),
    ("unicast_src_ip unicast_peer min_ttl max_ttl", Instance, "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n10.0.0.3 min_ttl 250 max_ttl 254\n10.0.0.4 max_ttl 9\n}",
        "unicast_src_ip = '10.0.0.1'\nunicast_peer = ['10.0.0.2', { ip = '10.0.0.3', min_ttl = 250, max_ttl = 254 }, { ip = '10.0.0.4', max_ttl = 9 }]",
        "peers: [Peer { ip: 10.0.0.2, min_ttl: 255, max_ttl: 255 }, Peer { ip: 10.0.0.3, min_ttl: 250, max_ttl: 254 }, Peer { ip: 10.0.0.4, min_ttl: 0, max_ttl: 9 }]"),
    ("mcast_src_ip", Instance, "mcast_src_ip 10.0.0.1", "mcast_src_ip = '10.0.0.1'", "source: Some(10.0.0.1)"),
    ("mcast_dst_ip", Instance, "mcast_dst_ip 224.0.0.19", "mcast_dst_ip = '224.0.0.19'", "group: 224.0.0.19"),
    ("unicast_ttl", Instance, "unicast_ttl 9", "unicast_ttl = 9", "unicast_ttl: 9"),
    ("track_src_ip", Instance, "mcast_src_ip 10.0.0.1\ntrack_src_ip", "mcast_src_ip = '10.0.0.1'\ntrack_src_ip = true", "track_source: true"),
    ("preempt", Instance, "preempt", "preempt = true", "preempt: true"),
    ("nopreempt", Instance, "nopreempt", "preempt = false", "preempt: false"),
    ("preempt_delay", Instance, "preempt_delay 4.12", "preempt_delay = 4.12", "preempt_delay: 4.12s"),
    ("garp_master_delay", Instance, "garp_master_delay 0", "garp_master_delay = 0", "lower_prio_delay: 0ns"),
    ("garp_master_repeat", Instance, "garp_master_repeat 7", "garp_master_repeat = 7", "lower_prio_repeat: 7"),
    ("garp_master_refresh", Instance, "garp_master_refresh 7", "garp_master_refresh = 7", "refresh: 7s"),
    ("garp_master_refresh_repeat", Instance, "garp_master_refresh_repeat 7", "garp_master_refresh_repeat = 7", "refresh_repeat: 7"),
    ("garp_lower_prio_delay", Instance, "garp_lower_prio_delay 7", "garp_lower_prio_delay = 7", "lower_prio_delay: 7s"),
    ("garp_lower_prio_repeat", Instance, "garp_lower_prio_repeat 7", "garp_lower_prio_repeat = 7", "lower_prio_repeat: 7"),
    ("garp_group garp_interval gna_interval interface", Root, "garp_group {\ninterface eth0\ngarp_interval 0.5\ngna_interval 0.25\n}",
        "[[garp_group]]\ninterfaces = ['eth0']\ngarp_interval = 0.5\ngna_interval = 0.25", "interval: 500ms, gna_interval: 250ms"),
    ("interfaces", Root, "garp_group {\ninterfaces {\neth1\neth0\n}\ngarp_interval 0.5\n}",
        "[[garp_group]]\ninterfaces = ['eth1', 'eth0']\ngarp_interval = 0.5", " interval: 500ms"),
    ("down_timer_adverts", Instance, "down_timer_adverts 5", "down_timer_adverts = 5", "down_timer_adverts: 5"),
    ("lower_prio_no_advert", Instance, "lower_prio_no_advert", "lower_prio_no_advert = true", "lower_prio_no_advert: true"),
    ("higher_prio_send_advert", Instance, "higher_prio_send_advert off", "higher_prio_send_advert = false", "higher_prio_send_advert: false"),
    ("v3_checksum_as_v2", Instance, "v3_checksum_as_v2", "v3_checksum_as_v2 = true", "checksum: Message"),
    ("checksum", Instance, "checksum pseudo", "checksum = 'pseudo'", "checksum: Pseudo"),
    ("strict_mode", Instance, "strict_mode", "strict_mode = true", "accept: false"),
    ("accept", Instance, "strict_mode\naccept", "strict_mode = true\naccept = true", "accept: true"),
    ("no_accept", Instance, "no_accept", "accept = false", "accept: false"),
    ("use_vmac", Instance, "use_vmac", "use_vmac = true", "vmac: Some(Vmac { name: \"vrrp.51\", xmit_base: false })"),
    ("use_vmac vmac_xmit_base", Instance, "use_vmac vip0\nvmac_xmit_base", "use_vmac = 'vip0'\nvmac_xmit_base = true", "vmac: Some(Vmac { name: \"vip0\", xmit_base: true })"),
    ("dont_track_primary", Instance, "dont_track_primary", "dont_track_primary = true", "dont_track_primary: true"),
    ("fence gateway peers anchors quorum interval timeout", Instance, "fence {\ngateway 10.0.0.9\npeers 10.0.0.2\nanchors 8.8.8.8 9.9.9.9\nquorum 2\ninterval 0.5\ntimeout 0.25\n}",
        "fence = { gateway = '10.0.0.9', peers = ['10.0.0.2'], anchors = ['8.8.8.8', '9.9.9.9'], quorum = 2, interval = 0.5, timeout = 0.25 }",
        "Fence { gateway: Some(10.0.0.9), peers: [10.0.0.2], anchors: [8.8.8.8, 9.9.9.9], quorum: 2, interval: 500ms, timeout: 250ms }"),
    // what is tracked, and who is told
    ("track_interface weight reverse noreverse", Instance, "track_interface {\neth1\neth2 weight -30\neth3 weight 5 reverse\neth4 weight 6 noreverse\n}",
        "track_interface = ['eth1', { name = 'eth2', weight = -30 }, { name = 'eth3', weight = 5, reverse = true }, { name = 'eth4', weight = 6, reverse = false }]",
        "Tracked { name: \"eth3\", weight: Weight { value: 5, reverse: true } }"),
    ("vrrp_script script interval timeout weight rise fall user init_fail track_script", Root,
        "vrrp_script a {\nscript \"/bin/a 'b c'\"\ninterval 2\ntimeout 1\nweight -20 reverse\nrise 3\nfall 4\nuser nobody daemon\ninit_fail\n}\nvrrp_instance X {\ninterface eth5\nvirtual_router_id 5\nvirtual_ipaddress {\n10.5.0.1\n}\ntrack_script {\na\n}\n}",
        "[[check]]\nname = 'a'\nscript = ['/bin/a', 'b c']\ninterval = 2\ntimeout = 1\nweight = -20\nreverse = true\nrise = 3\nfall = 4\nuser = 'nobody'\ngroup = 'daemon'\ninit_fail = true\n[[instance]]\nname = 'X'\ninterface = 'eth5'\nvirtual_router_id = 5\nvirtual_ipaddress = ['10.5.0.1']\ntrack_check = ['a']",
        "Check { name: \"a\", probe: Script(Command { argv: [\"/bin/a\", \"b c\"], account: Some(Account { user: \"nobody\", group: Some(\"daemon\") }) }), interval: 2s, timeout: 1s, rise: 3, fall: 4, weight: Weight { value: -20, reverse: true }, init_fail: true }"),
    ("vrrp_check tcp track_check", Root, "vrrp_check a {\ntcp 127.0.0.1:80\ninterval 0.05\ntimeout 0.02\nrise 2\nfall 2\nweight 0\ninit_fail\n}\nvrrp_instance X {\ninterface eth5\nvirtual_router_id 5\nvirtual_ipaddress {\n10.5.0.1\n}\ntrack_check {\na weight -9\n}\n}",
        "[[check]]\nname = 'a'\ntcp = '127.0.0.1:80'\ninterval = 0.05\ntimeout = 0.02\nrise = 2\nfall = 2\ninit_fail = true\n[[instance]]\nname = 'X'\ninterface = 'eth5'\nvirtual_router_id = 5\nvirtual_ipaddress = ['10.5.0.1']\ntrack_check = [{ name = 'a', weight = -9 }]",
        "checks: [Tracked { name: \"a\", weight: Weight { value: -9, reverse: false } }]"),
    ("http status body", Root, "vrrp_check a {\nhttp http://localhost:81/health?x=1\nstatus 204\nbody \"all well\"\n}",
        "[[check]]\nname = 'a'\nhttp = 'http://localhost:81/health?x=1'\nstatus = 204\nbody = 'all well'",
        "Http(HttpProbe { server: 127.0.0.1:81, host: \"localhost:81\", path: \"/health?x=1\", status: 204, body: Some(\"all well\") })"),
    ("process", Root, "vrrp_check a {\nprocess haproxy\n}", "[[check]]\nname = 'a'\nprocess = 'haproxy'", "probe: Process(\"haproxy\")"),
    ("haproxy", Root, "vrrp_check a {\nhaproxy /run/haproxy/admin.sock web_servers\n}", "[[check]]\nname = 'a'\nhaproxy = '/run/haproxy/admin.sock'\nbackend = 'web_servers'",
        "Haproxy { socket: \"/run/haproxy/admin.sock\", backend: Some(\"web_servers\") }"),
    ("icmp", Root, "vrrp_check a {\nicmp 8.8.8.8\n}", "[[check]]\nname = 'a'\nicmp = '8.8.8.8'", "probe: Icmp(8.8.8.8)"),
    ("arp", Root, "vrrp_check a {\narp 10.0.0.9 eth0\n}", "[[check]]\nname = 'a'\narp = '10.0.0.9'\ninterface = 'eth0'", "Arp { host: 10.0.0.9, interface: \"eth0\" }"),
    ("script user", Root, "vrrp_check a {\nscript /bin/a\nuser nobody\n}", "[[check]]\nname = 'a'\nscript = '/bin/a'\nuser = 'nobody'", "user: \"nobody\", group: None"),
    ("track_file file weight init_file", Root, "track_file a {\nfile /etc/a\nweight -100\ninit_file 5 overwrite\n}\nvrrp_instance X {\ninterface eth5\nvirtual_router_id 5\nvirtual_ipaddress {\n10.5.0.1\n}\ntrack_file {\na weight 3 reverse\n}\n}",
        "[[file]]\nname = 'a'\nfile = '/etc/a'\nweight = -100\ninit_file = { value = 5, overwrite = true }\n[[instance]]\nname = 'X'\ninterface = 'eth5'\nvirtual_router_id = 5\nvirtual_ipaddress = ['10.5.0.1']\ntrack_file = [{ name = 'a', weight = 3, reverse = true }]",
        "FileTracker { name: \"a\", path: \"/etc/a\", weight: Weight { value: -100, reverse: false }, init: Some(FileInit { value: 5, overwrite: true }) }"),
    ("vrrp_track_file", Root, "vrrp_track_file a {\nfile /etc/a\ninit_file\n}", "[[file]]\nname = 'a'\nfile = '/etc/a'\ninit_file = {}",
        "weight: Weight { value: 1, reverse: false }, init: Some(FileInit { value: 0, overwrite: false })"),
    ("vrrp_track_process process weight param_match quorum quorum_max fork_delay terminate_delay full_command track_process", Root,
        "vrrp_track_process a {\nprocess haproxy -f x\nweight 7\nparam_match partial\nquorum 2\nquorum_max 3\nfork_delay 0.5\nterminate_delay 0.25\nfull_command\n}\nvrrp_instance X {\ninterface eth5\nvirtual_router_id 5\nvirtual_ipaddress {\n10.5.0.1\n}\ntrack_process {\na\n}\n}",
        "[[process]]\nname = 'a'\nprocess = ['haproxy', '-f', 'x']\nweight = 7\nparam_match = 'partial'\nquorum = 2\nquorum_max = 3\nfork_delay = 0.5\nterminate_delay = 0.25\nfull_command = true\n[[instance]]\nname = 'X'\ninterface = 'eth5'\nvirtual_router_id = 5\nvirtual_ipaddress = ['10.5.0.1']\ntrack_process = ['a']",
        "ProcessTracker { name: \"a\", process: \"haproxy\", parameters: Partial([\"-f\", \"x\"]), full_command: true, weight: Weight { value: 7, reverse: false }, quorum: 2, quorum_max: Some(3), fork_delay: 500ms, terminate_delay: 250ms }"),
    ("delay", Root, "vrrp_track_process a {\nprocess haproxy\ndelay 2\n}", "[[process]]\nname = 'a'\nprocess = 'haproxy'\ndelay = 2", "fork_delay: 2s, terminate_delay: 2s"),
    ("notify_master notify_backup notify_fault notify_stop", Instance, "notify_master /bin/m\nnotify_backup \"/bin/b x\" nobody\nnotify_fault /bin/f\nnotify_stop /bin/s",
        "notify_master = '/bin/m'\nnotify_backup = { command = ['/bin/b', 'x'], user = 'nobody' }\nnotify_fault = '/bin/f'\nnotify_stop = '/bin/s'",
        "backup: Some(Command { argv: [\"/bin/b\", \"x\"], account: Some(Account { user: \"nobody\", group: None }) })"),
    ("notify notify_master_rx_lower_pri", Instance, "notify /bin/n\nnotify_master_rx_lower_pri /bin/l", "notify = '/bin/n'\nnotify_master_rx_lower_pri = '/bin/l'",
        "any: Some(Command { argv: [\"/bin/n\"], account: None }), rx_lower_pri: Some(Command { argv: [\"/bin/l\"]"),
    ("notify_deleted", Instance, "notify_deleted", "notify_deleted = true", "deleted: Deleted"),
    ("notify_deleted", Instance, "notify_deleted /bin/d", "notify_deleted = '/bin/d'", "deleted: Command(Command { argv: [\"/bin/d\"]"),
    ("notify_priority_changes", Instance, "notify_priority_changes on", "notify_priority_changes = true", "priority_changes: true"),
    ("smtp_alert", Instance, "smtp_alert", "smtp_alert = true", "mail: true"),
    ("vrrp_sync_group group sync_group_tracking_weight", Root, "vrrp_sync_group G {\ngroup {\nVI_1\nX\n}\nsync_group_tracking_weight\n}\nvrrp_instance X {\ninterface eth5\nvirtual_router_id 5\nvirtual_ipaddress {\n10.5.0.1\n}\n}",
        "[[sync_group]]\nname = 'G'\nmembers = ['VI_1', 'X']\nsync_group_tracking_weight = true\n[[instance]]\nname = 'X'\ninterface = 'eth5'\nvirtual_router_id = 5\nvirtual_ipaddress = ['10.5.0.1']",
        "members: [\"VI_1\", \"X\"], track: Trackers { interfaces: [], checks: [], files: [], processes: [] }, tracking_weight: true"),
    ("track_interface track_script track_check track_file track_process notify_master notify_backup notify_fault notify_stop notify notify_priority_changes smtp_alert", Root,
        "vrrp_script c {\nscript /bin/c\n}\nvrrp_check d {\ntcp 127.0.0.1:80\n}\ntrack_file f {\nfile /f\n}\nvrrp_track_process p {\nprocess p\n}\nvrrp_sync_group G {\ngroup { VI_1 }\ntrack_interface { eth0 }\ntrack_script { c }\ntrack_check { d }\ntrack_file { f }\ntrack_process { p }\nnotify_master /m\nnotify_backup /b\nnotify_fault /f\nnotify_stop /s\nnotify /n\nnotify_priority_changes\nsmtp_alert\n}",
        "[[check]]\nname = 'c'\nscript = '/bin/c'\n[[check]]\nname = 'd'\ntcp = '127.0.0.1:80'\n[[file]]\nname = 'f'\nfile = '/f'\n[[process]]\nname = 'p'\nprocess = 'p'\n[[sync_group]]\nname = 'G'\nmembers = ['VI_1']\ntrack_interface = ['eth0']\ntrack_check = ['c', 'd']\ntrack_file = ['f']\ntrack_process = ['p']\nnotify_master = '/m'\nnotify_backup = '/b'\nnotify_fault = '/f'\nnotify_stop = '/s'\nnotify = '/n'\nnotify_priority_changes = true\nsmtp_alert = true",
        "interfaces: [Tracked { name: \"eth0\""),
    ("static_routes static_rules", Root, "static_routes {\n10.1.0.0/16 dev eth0\n}\nstatic_rules {\nfrom 10.1.0.0/16 table 5 priority 5\n}",
        "static_routes = [{ to = '10.1.0.0/16', dev = 'eth0' }]\nstatic_rules = [{ from = '10.1.0.0/16', table = 5, priority = 5 }]", "static_rules: [Rule { family: V4"),
    ("webhook url format token timeout retries", Root, "webhook {\nurl https://example.com/x\nformat slack\ntoken abc\ntimeout 2.5\nretries 9\n}",
        "[[webhook]]\nurl = 'https://example.com/x'\nformat = 'slack'\ntoken = 'abc'\ntimeout = 2.5\nretries = 9",
        "Webhook { url: Secret(hidden), format: Slack, token: Some(Secret(hidden)), timeout: 2.5s, retries: 9 }"),
    ("global_defs vrrp_instance", Root, "", "", "name: \"VI_1\""),
];

/// The lines in a file that is complete without them.
fn keepalived(at: At, lines: &str) -> String {
    let [root, global, instance] = [Root, Global, Instance].map(|place| if at == place { lines } else { "" });
    let addresses = if lines.contains("virtual_ipaddress {") && at == Instance {
        ""
    } else {
        "virtual_ipaddress {\n10.0.0.100/24\n}"
    };
    format!(
        "global_defs {{\n{global}\n}}\n{root}\nvrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\n{addresses}\n{instance}\n}}\n"
    )
}

fn toml(at: At, keepalived: &str, lines: &str) -> String {
    let (root, instance) = if at == Instance { ("", lines) } else { (lines, "") };
    let addresses = if keepalived.contains("virtual_ipaddress {") && at == Instance {
        "virtual_ipaddress = [{ ip = '10.0.0.8/24', dev = 'eth1', label = 'eth1:x', brd = '+', scope = 'link', no_track = true }]"
    } else {
        "virtual_ipaddress = ['10.0.0.100/24']"
    };
    format!(
        "{root}\n[[instance]]\nname = 'VI_1'\ninterface = 'eth0'\nvirtual_router_id = 51\n{addresses}\n{instance}\n"
    )
}

/// The model, with instances in the order of their names: the languages have them in different places.
fn model(name: &str, text: &str) -> Config {
    let loaded = load_str(name, text).unwrap_or_else(|found| panic!("{}\n{text}", found.render(false)));
    let mut config = without_lines(loaded.config);
    config.instances.sort_by(|one, other| one.name.cmp(&other.name));
    config
}

#[test]
fn every_keyword_means_the_same_in_both_languages_and_what_is_documented() {
    for (keywords, at, conf, key, expected) in CASES {
        let from_conf = model("test.conf", &keepalived(*at, conf));
        let from_toml = model("test.toml", &toml(*at, conf, key));

        assert_eq!(from_conf, from_toml, "{keywords}");
        let shown = format!("{from_conf:?}");
        assert!(shown.contains(expected), "{keywords}: no {expected} in\n{shown}");
    }
}

#[test]
fn every_keyword_has_a_case() {
    let named: Vec<&str> = CASES.iter().flat_map(|(keywords, ..)| keywords.split(' ')).collect();
    for keyword in KEYWORDS {
        assert!(named.contains(&keyword.word), "{} has no case", keyword.word);
        let written = CASES.iter().any(|(keywords, _, conf, ..)| {
            keywords.split(' ').any(|word| word == keyword.word)
                && (conf.is_empty() || conf.split_whitespace().any(|word| word == keyword.word))
        });
        assert!(written, "{} is named by a case that does not write it", keyword.word);
    }
}
