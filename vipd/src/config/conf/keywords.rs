//! What Keepalived's keywords, and vipd's own, mean in keepalived.conf: which key of the TOML form they stand for, and
//! what is written behind them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::suggest;
use super::ignored::{ALWAYS, IGNORED};

/// Where in keepalived.conf a keyword stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Root,
    Global,
    Instance,
    Authentication,
    SyncGroup,
    Script,
    Check,
    File,
    Process,
    GarpGroup,
    Fence,
    Webhook,
    /// Words behind an address.
    Address,
    /// Words behind a unicast peer.
    Peer,
    /// Words behind something tracked.
    Tracked,
    /// Words of a route.
    Route,
    /// Words of a policy rule.
    Rule,
}

impl Scope {
    /// The scope's name in a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Root => "the file outside of blocks",
            Self::Global => "global_defs",
            Self::Instance => "vrrp_instance",
            Self::Authentication => "authentication",
            Self::SyncGroup => "vrrp_sync_group",
            Self::Script => "vrrp_script",
            Self::Check => "vrrp_check",
            Self::File => "track_file",
            Self::Process => "vrrp_track_process",
            Self::GarpGroup => "garp_group",
            Self::Fence => "fence",
            Self::Webhook => "webhook",
            Self::Address => "a line of addresses",
            Self::Peer => "unicast_peer",
            Self::Tracked => "a line of what is tracked",
            Self::Route => "a route",
            Self::Rule => "a rule",
        }
    }
}

/// What is written behind a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One word.
    Word,
    /// Nothing; the keyword alone says `true` or `false`.
    Flag(bool),
    /// Nothing, or a word for on or off.
    Switch,
    /// A command, and perhaps the user and the group that it is run as.
    Command,
    /// A command, or nothing.
    OptionalCommand,
    /// A user, and perhaps a group.
    Account,
    /// A path, and perhaps the user and the group that it belongs to.
    Fifo,
    /// A number and perhaps `reverse`.
    Weight,
    /// A number and perhaps `overwrite`, or nothing.
    FileInit,
    /// A program and its arguments.
    Process,
    /// A host and perhaps a port.
    Server,
    /// `[NAME] [MAC]`.
    Vmac,
    /// What an HTTP or HAProxy probe, or one by ARP, is told: words that stand for these keys, in this order.
    Parts(&'static [&'static str]),
    /// Words on the line, or in a block.
    Words,
    /// A block with a line for each address, route, and so on.
    Lines(Scope),
    /// A block.
    Block(Scope),
    /// A block that can be there more than once.
    Blocks(Scope),
    /// A block with a name that can be there more than once.
    Named(Scope),
    /// `authentication`.
    Authentication,
}

/// A keyword that has a key.
pub(in super::super) struct Keyword {
    pub(super) scope: Scope,
    pub(in super::super) word: &'static str,
    /// Where it goes in the TOML form: a key, or the key of a table and one in it, with a point between them.
    pub(super) key: &'static str,
    pub(super) shape: Shape,
}

const fn keyword(scope: Scope, word: &'static str, key: &'static str, shape: Shape) -> Keyword {
    Keyword { scope, word, key, shape }
}

use Scope::{
    Address, Authentication, Check, Fence, File, GarpGroup, Global, Instance, Peer, Process, Root, Route,
    Rule, Script, SyncGroup, Tracked, Webhook,
};
use Shape::{Account, Blocks, Command, Flag, Lines, Named, Parts, Switch, Words};

/// Every keyword that says something to vipd.
pub(in super::super) const KEYWORDS: &[Keyword] = &[
    keyword(Root, "global_defs", "", Shape::Block(Global)),
    keyword(Root, "vrrp_instance", "instance", Named(Instance)),
    keyword(Root, "vrrp_sync_group", "sync_group", Named(SyncGroup)),
    keyword(Root, "vrrp_script", "check", Named(Script)),
    keyword(Root, "vrrp_check", "check", Named(Check)),
    keyword(Root, "track_file", "file", Named(File)),
    keyword(Root, "vrrp_track_file", "file", Named(File)),
    keyword(Root, "vrrp_track_process", "process", Named(Process)),
    keyword(Root, "static_ipaddress", "static_ipaddress", Lines(Address)),
    keyword(Root, "static_routes", "static_routes", Lines(Route)),
    keyword(Root, "static_rules", "static_rules", Lines(Rule)),
    keyword(Root, "garp_group", "garp_group", Blocks(GarpGroup)),
    keyword(Root, "webhook", "webhook", Blocks(Webhook)),
    keyword(Root, "net_namespace", "net_namespace", Shape::Word),
    // global_defs
    keyword(Global, "router_id", "router_id", Shape::Word),
    keyword(Global, "datapath", "datapath", Shape::Word),
    keyword(Global, "net_namespace", "net_namespace", Shape::Word),
    keyword(Global, "default_interface", "default_interface", Shape::Word),
    keyword(Global, "vrrp_startup_delay", "startup_delay", Shape::Word),
    keyword(Global, "script_user", "script_user", Account),
    keyword(Global, "enable_script_security", "enable_script_security", Flag(true)),
    keyword(Global, "notify_fifo", "fifo", Shape::Fifo),
    keyword(Global, "vrrp_notify_fifo", "vrrp_fifo", Shape::Fifo),
    keyword(Global, "notify_fifo_script", "fifo.script", Command),
    keyword(Global, "vrrp_notify_fifo_script", "vrrp_fifo.script", Command),
    keyword(Global, "notification_email", "mail.to", Words),
    keyword(Global, "notification_email_from", "mail.from", Shape::Word),
    keyword(Global, "smtp_server", "mail.server", Shape::Server),
    keyword(Global, "smtp_helo_name", "mail.helo", Shape::Word),
    keyword(Global, "smtp_connect_timeout", "mail.timeout", Shape::Word),
    keyword(Global, "no_email_faults", "mail.no_faults", Flag(true)),
    keyword(Global, "smtp_alert", "defaults.smtp_alert", Switch),
    keyword(Global, "smtp_alert_vrrp", "defaults.smtp_alert", Switch),
    keyword(Global, "vrrp_version", "defaults.version", Shape::Word),
    keyword(Global, "vrrp_strict", "defaults.strict_mode", Switch),
    keyword(Global, "vrrp_mcast_group4", "defaults.mcast_group4", Shape::Word),
    keyword(Global, "vrrp_mcast_group6", "defaults.mcast_group6", Shape::Word),
    keyword(Global, "vrrp_garp_master_delay", "defaults.garp_master_delay", Shape::Word),
    keyword(Global, "vrrp_garp_master_repeat", "defaults.garp_master_repeat", Shape::Word),
    keyword(Global, "vrrp_garp_master_refresh", "defaults.garp_master_refresh", Shape::Word),
    keyword(Global, "vrrp_garp_master_refresh_repeat", "defaults.garp_master_refresh_repeat", Shape::Word),
    keyword(Global, "vrrp_garp_lower_prio_delay", "defaults.garp_lower_prio_delay", Shape::Word),
    keyword(Global, "vrrp_garp_lower_prio_repeat", "defaults.garp_lower_prio_repeat", Shape::Word),
    keyword(Global, "vrrp_garp_interval", "defaults.garp_interval", Shape::Word),
    keyword(Global, "vrrp_gna_interval", "defaults.gna_interval", Shape::Word),
    keyword(Global, "vrrp_min_garp", "defaults.min_garp", Switch),
    keyword(Global, "vrrp_down_timer_adverts", "defaults.down_timer_adverts", Shape::Word),
    keyword(Global, "vrrp_lower_prio_no_advert", "defaults.lower_prio_no_advert", Switch),
    keyword(Global, "vrrp_higher_prio_send_advert", "defaults.higher_prio_send_advert", Switch),
    keyword(Global, "vrrp_notify_priority_changes", "defaults.notify_priority_changes", Switch),
    keyword(Global, "v3_checksum_as_v2", "defaults.v3_checksum_as_v2", Switch),
    // vrrp_instance
    keyword(Instance, "state", "state", Shape::Word),
    keyword(Instance, "interface", "interface", Shape::Word),
    keyword(Instance, "virtual_router_id", "virtual_router_id", Shape::Word),
    keyword(Instance, "priority", "priority", Shape::Word),
    keyword(Instance, "version", "version", Shape::Word),
    keyword(Instance, "advert_int", "advert_int", Shape::Word),
    keyword(Instance, "authentication", "auth_pass", Shape::Authentication),
    keyword(Instance, "virtual_ipaddress", "virtual_ipaddress", Lines(Address)),
    keyword(Instance, "virtual_ipaddress_excluded", "virtual_ipaddress_excluded", Lines(Address)),
    keyword(Instance, "virtual_routes", "virtual_routes", Lines(Route)),
    keyword(Instance, "virtual_rules", "virtual_rules", Lines(Rule)),
    keyword(Instance, "promote_secondaries", "promote_secondaries", Flag(true)),
    keyword(Instance, "unicast_src_ip", "unicast_src_ip", Shape::Word),
    keyword(Instance, "mcast_src_ip", "mcast_src_ip", Shape::Word),
    keyword(Instance, "mcast_dst_ip", "mcast_dst_ip", Shape::Word),
    keyword(Instance, "unicast_peer", "unicast_peer", Lines(Peer)),
    keyword(Instance, "unicast_ttl", "unicast_ttl", Shape::Word),
    keyword(Instance, "track_src_ip", "track_src_ip", Flag(true)),
    keyword(Instance, "preempt", "preempt", Flag(true)),
    keyword(Instance, "nopreempt", "preempt", Flag(false)),
    keyword(Instance, "preempt_delay", "preempt_delay", Shape::Word),
    keyword(Instance, "garp_master_delay", "garp_master_delay", Shape::Word),
    keyword(Instance, "garp_master_repeat", "garp_master_repeat", Shape::Word),
    keyword(Instance, "garp_master_refresh", "garp_master_refresh", Shape::Word),
    keyword(Instance, "garp_master_refresh_repeat", "garp_master_refresh_repeat", Shape::Word),
    keyword(Instance, "garp_lower_prio_delay", "garp_lower_prio_delay", Shape::Word),
    keyword(Instance, "garp_lower_prio_repeat", "garp_lower_prio_repeat", Shape::Word),
    keyword(Instance, "down_timer_adverts", "down_timer_adverts", Shape::Word),
    keyword(Instance, "lower_prio_no_advert", "lower_prio_no_advert", Switch),
    keyword(Instance, "higher_prio_send_advert", "higher_prio_send_advert", Switch),
    keyword(Instance, "v3_checksum_as_v2", "v3_checksum_as_v2", Switch),
    keyword(Instance, "checksum", "checksum", Shape::Word),
    keyword(Instance, "strict_mode", "strict_mode", Switch),
    keyword(Instance, "accept", "accept", Flag(true)),
    keyword(Instance, "no_accept", "accept", Flag(false)),
    keyword(Instance, "use_vmac", "use_vmac", Shape::Vmac),
    keyword(Instance, "vmac_xmit_base", "vmac_xmit_base", Flag(true)),
    keyword(Instance, "dont_track_primary", "dont_track_primary", Flag(true)),
    keyword(Instance, "fence", "fence", Shape::Block(Fence)),
    // authentication
    keyword(Authentication, "auth_type", "auth_type", Shape::Word),
    keyword(Authentication, "auth_pass", "auth_pass", Shape::Word),
    // what instances and groups track, and whom they tell
    keyword(Instance, "track_interface", "track_interface", Lines(Tracked)),
    keyword(Instance, "track_script", "track_check", Lines(Tracked)),
    keyword(Instance, "track_check", "track_check", Lines(Tracked)),
    keyword(Instance, "track_file", "track_file", Lines(Tracked)),
    keyword(Instance, "track_process", "track_process", Lines(Tracked)),
    keyword(Instance, "notify_master", "notify_master", Command),
    keyword(Instance, "notify_backup", "notify_backup", Command),
    keyword(Instance, "notify_fault", "notify_fault", Command),
    keyword(Instance, "notify_stop", "notify_stop", Command),
    keyword(Instance, "notify_deleted", "notify_deleted", Shape::OptionalCommand),
    keyword(Instance, "notify", "notify", Command),
    keyword(Instance, "notify_master_rx_lower_pri", "notify_master_rx_lower_pri", Command),
    keyword(Instance, "notify_priority_changes", "notify_priority_changes", Switch),
    keyword(Instance, "smtp_alert", "smtp_alert", Switch),
    keyword(SyncGroup, "group", "members", Words),
    keyword(SyncGroup, "track_interface", "track_interface", Lines(Tracked)),
    keyword(SyncGroup, "track_script", "track_check", Lines(Tracked)),
    keyword(SyncGroup, "track_check", "track_check", Lines(Tracked)),
    keyword(SyncGroup, "track_file", "track_file", Lines(Tracked)),
    keyword(SyncGroup, "track_process", "track_process", Lines(Tracked)),
    keyword(SyncGroup, "sync_group_tracking_weight", "sync_group_tracking_weight", Flag(true)),
    keyword(SyncGroup, "notify_master", "notify_master", Command),
    keyword(SyncGroup, "notify_backup", "notify_backup", Command),
    keyword(SyncGroup, "notify_fault", "notify_fault", Command),
    keyword(SyncGroup, "notify_stop", "notify_stop", Command),
    keyword(SyncGroup, "notify", "notify", Command),
    keyword(SyncGroup, "notify_priority_changes", "notify_priority_changes", Switch),
    keyword(SyncGroup, "smtp_alert", "smtp_alert", Switch),
    // vrrp_script and vrrp_check
    keyword(Script, "script", "script", Command),
    keyword(Script, "user", "user", Account),
    keyword(Script, "interval", "interval", Shape::Word),
    keyword(Script, "timeout", "timeout", Shape::Word),
    keyword(Script, "weight", "weight", Shape::Weight),
    keyword(Script, "rise", "rise", Shape::Word),
    keyword(Script, "fall", "fall", Shape::Word),
    keyword(Script, "init_fail", "init_fail", Flag(true)),
    keyword(Check, "script", "script", Command),
    keyword(Check, "user", "user", Account),
    keyword(Check, "tcp", "tcp", Shape::Word),
    keyword(Check, "http", "http", Shape::Word),
    keyword(Check, "status", "status", Shape::Word),
    keyword(Check, "body", "body", Shape::Word),
    keyword(Check, "process", "process", Shape::Word),
    keyword(Check, "haproxy", "haproxy", Parts(&["haproxy", "backend"])),
    keyword(Check, "icmp", "icmp", Shape::Word),
    keyword(Check, "arp", "arp", Parts(&["arp", "interface"])),
    keyword(Check, "interval", "interval", Shape::Word),
    keyword(Check, "timeout", "timeout", Shape::Word),
    keyword(Check, "weight", "weight", Shape::Weight),
    keyword(Check, "rise", "rise", Shape::Word),
    keyword(Check, "fall", "fall", Shape::Word),
    keyword(Check, "init_fail", "init_fail", Flag(true)),
    // track_file and vrrp_track_process
    keyword(File, "file", "file", Shape::Word),
    keyword(File, "weight", "weight", Shape::Weight),
    keyword(File, "init_file", "init_file", Shape::FileInit),
    keyword(Process, "process", "process", Shape::Process),
    keyword(Process, "param_match", "param_match", Shape::Word),
    keyword(Process, "weight", "weight", Shape::Weight),
    keyword(Process, "quorum", "quorum", Shape::Word),
    keyword(Process, "quorum_max", "quorum_max", Shape::Word),
    keyword(Process, "fork_delay", "fork_delay", Shape::Word),
    keyword(Process, "terminate_delay", "terminate_delay", Shape::Word),
    keyword(Process, "delay", "delay", Shape::Word),
    keyword(Process, "full_command", "full_command", Flag(true)),
    // the rest
    keyword(GarpGroup, "garp_interval", "garp_interval", Shape::Word),
    keyword(GarpGroup, "gna_interval", "gna_interval", Shape::Word),
    keyword(GarpGroup, "interface", "interfaces", Words),
    keyword(GarpGroup, "interfaces", "interfaces", Words),
    keyword(Fence, "gateway", "gateway", Shape::Word),
    keyword(Fence, "peers", "peers", Words),
    keyword(Fence, "anchors", "anchors", Words),
    keyword(Fence, "quorum", "quorum", Shape::Word),
    keyword(Fence, "interval", "interval", Shape::Word),
    keyword(Fence, "timeout", "timeout", Shape::Word),
    keyword(Webhook, "url", "url", Shape::Word),
    keyword(Webhook, "format", "format", Shape::Word),
    keyword(Webhook, "token", "token", Shape::Word),
    keyword(Webhook, "timeout", "timeout", Shape::Word),
    keyword(Webhook, "retries", "retries", Shape::Word),
    // words on lines of lists
    keyword(Address, "dev", "dev", Shape::Word),
    keyword(Address, "label", "label", Shape::Word),
    keyword(Address, "brd", "brd", Shape::Word),
    keyword(Address, "broadcast", "brd", Shape::Word),
    keyword(Address, "scope", "scope", Shape::Word),
    keyword(Address, "no_track", "no_track", Flag(true)),
    keyword(Peer, "min_ttl", "min_ttl", Shape::Word),
    keyword(Peer, "max_ttl", "max_ttl", Shape::Word),
    keyword(Tracked, "weight", "weight", Shape::Word),
    keyword(Tracked, "reverse", "reverse", Flag(true)),
    keyword(Tracked, "noreverse", "reverse", Flag(false)),
    keyword(Route, "to", "to", Shape::Word),
    keyword(Route, "via", "via", Shape::Word),
    keyword(Route, "gw", "via", Shape::Word),
    keyword(Route, "gateway", "via", Shape::Word),
    keyword(Route, "dev", "dev", Shape::Word),
    keyword(Route, "oif", "dev", Shape::Word),
    keyword(Route, "src", "src", Shape::Word),
    keyword(Route, "from", "src", Shape::Word),
    keyword(Route, "scope", "scope", Shape::Word),
    keyword(Route, "table", "table", Shape::Word),
    keyword(Route, "metric", "metric", Shape::Word),
    keyword(Route, "priority", "metric", Shape::Word),
    keyword(Route, "preference", "metric", Shape::Word),
    keyword(Route, "proto", "proto", Shape::Word),
    keyword(Route, "protocol", "proto", Shape::Word),
    keyword(Route, "mtu", "mtu", Shape::Word),
    keyword(Route, "onlink", "onlink", Flag(true)),
    keyword(Route, "no_track", "no_track", Flag(true)),
    keyword(Rule, "from", "from", Shape::Word),
    keyword(Rule, "to", "to", Shape::Word),
    keyword(Rule, "iif", "iif", Shape::Word),
    keyword(Rule, "dev", "iif", Shape::Word),
    keyword(Rule, "oif", "oif", Shape::Word),
    keyword(Rule, "fwmark", "fwmark", Shape::Word),
    keyword(Rule, "table", "table", Shape::Word),
    keyword(Rule, "lookup", "table", Shape::Word),
    keyword(Rule, "priority", "priority", Shape::Word),
    keyword(Rule, "preference", "priority", Shape::Word),
    keyword(Rule, "pref", "priority", Shape::Word),
    keyword(Rule, "order", "priority", Shape::Word),
    keyword(Rule, "no_track", "no_track", Flag(true)),
];

/// What becomes of a word.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// It stands for a key.
    Key(&'static Keyword),
    /// What it asks for is so without it.
    Always,
    /// vipd does not do it, and this follows.
    Ignored(&'static str),
    /// Keepalived does not know it either.
    Unknown,
}

/// The fate of every word; of those that end in `*`, of all that begin so.
static FATES: LazyLock<HashMap<(Scope, &str), Fate>> = LazyLock::new(|| {
    let keys = KEYWORDS.iter().map(|keyword| ((keyword.scope, keyword.word), Fate::Key(keyword)));
    let always = ALWAYS.iter().flat_map(|(scope, words)| each(*scope, words, Fate::Always));
    let ignored = IGNORED.iter().flat_map(|(scope, why, words)| each(*scope, words, Fate::Ignored(why)));
    keys.chain(always).chain(ignored).collect()
});

fn each(
    scope: Scope,
    words: &'static str,
    fate: Fate,
) -> impl Iterator<Item = ((Scope, &'static str), Fate)> {
    words.split_whitespace().map(move |word| ((scope, word), fate))
}

/// What becomes of `word` in `scope`.
pub(super) fn fate(scope: Scope, word: &str) -> Fate {
    if let Some(fate) = FATES.get(&(scope, word)) {
        return *fate;
    }
    if scope != Global {
        return Fate::Unknown;
    }
    // Families of keywords are found in global_defs only.
    let beginning =
        |known: &str| known.strip_suffix('*').is_some_and(|beginning| word.starts_with(beginning));
    let family = FATES.iter().find(|((within, known), _)| *within == scope && beginning(known));
    family.map_or(Fate::Unknown, |(_, fate)| *fate)
}

/// Every word with its scope.
fn all() -> impl Iterator<Item = (Scope, &'static str)> {
    let keys = KEYWORDS.iter().map(|keyword| (keyword.scope, keyword.word));
    let always = ALWAYS.iter().map(|(scope, words)| (*scope, *words));
    let ignored = IGNORED.iter().map(|(scope, _, words)| (*scope, *words));
    let words =
        |(scope, words): (Scope, &'static str)| words.split_whitespace().map(move |word| (scope, word));
    keys.chain(always.chain(ignored).flat_map(words))
}

/// The key that stands in TOML for a word of keepalived.conf, where it is another word.
pub(in super::super) fn key_of(word: &str) -> Option<&'static str> {
    let is_it = |keyword: &&Keyword| keyword.word == word && keyword.key != word && !keyword.key.is_empty();
    KEYWORDS.iter().find(is_it).map(|keyword| keyword.key)
}

/// The scope that `word` belongs in.
pub(super) fn home(word: &str) -> Option<Scope> {
    all().find(|(_, known)| *known == word).map(|(scope, _)| scope)
}

/// The word of `scope` that was probably meant.
pub(super) fn nearest(scope: Scope, word: &str) -> Option<&'static str> {
    let known = all().filter(|(within, known)| *within == scope && !known.ends_with('*'));
    suggest::nearest(word, known.map(|(_, known)| known))
}

/// Whether `word` opens a block that stands in no other block.
pub(super) fn is_root_block(word: &str) -> bool {
    ["global_defs", "vrrp_instance", "vrrp_sync_group", "vrrp_script", "virtual_server"].contains(&word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Fate, Scope, all, fate, home, nearest};

    #[test]
    fn no_word_has_two_meanings_in_one_scope() {
        let mut seen = HashSet::new();
        for (scope, word) in all() {
            assert!(seen.insert((scope, word)), "{word} is twice in {}", scope.name());
        }
    }

    #[test]
    fn a_star_stands_for_every_ending() {
        assert!(matches!(
            fate(Scope::Global, "checker_priority"),
            Fate::Ignored("IPVS and BFD are not managed")
        ));
        assert!(matches!(fate(Scope::Instance, "checker_priority"), Fate::Unknown));
        assert_eq!(nearest(Scope::Global, "checkers_"), None);
    }

    #[test]
    fn a_word_is_sent_where_it_belongs() {
        assert_eq!(home("auth_pass"), Some(Scope::Authentication));
        assert_eq!(home("zzz"), None);
        assert_eq!(nearest(Scope::Instance, "prioroty"), Some("priority"));
    }
}
