//! `vipd convert`: a configuration and its TOML form are one and the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use vipd_core::{Interval, Version};

use super::super::model::*;
use super::super::{load_str, to_toml};
use super::without_lines;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_./=:-]{1,12}",
        "[ -~]{1,12}",
        Just("two words".to_owned()),
        Just("it's \"quoted\" \\ ${X} #".to_owned()),
        Just("grün\tü".to_owned()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    word().prop_filter("printable", |name| !name.contains(char::is_control))
}

fn interface() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9.]{0,13}[a-z0-9]"
}

fn path() -> impl Strategy<Value = PathBuf> {
    "(/[a-zA-Z0-9_. -]{1,10}){1,3}".prop_map(PathBuf::from)
}

fn micros(most: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..=most).prop_map(Duration::from_secs),
        (0..=most * 1_000_000).prop_map(Duration::from_micros)
    ]
}

fn interval() -> impl Strategy<Value = Duration> {
    micros(4000).prop_map(|time| time.max(Duration::from_millis(1)))
}

fn seconds() -> impl Strategy<Value = Duration> {
    (0_u64..=86_400).prop_map(Duration::from_secs)
}

/// An address of a family, of the network with this number, so that those of two instances differ.
fn address(family: Family, network: u8) -> impl Strategy<Value = IpAddr> {
    (0_u8..=255, 1_u8..=254).prop_map(move |(third, last)| match family {
        Family::V4 => Ipv4Addr::new(10, network, third, last).into(),
        Family::V6 => Ipv6Addr::new(0xfd00, network.into(), 0, 0, 0, 0, third.into(), last.into()).into(),
    })
}

fn host() -> impl Strategy<Value = IpAddr> {
    prop_oneof![address(Family::V4, 200), address(Family::V6, 200)]
}

fn account() -> BoxedStrategy<Account> {
    ("[a-z][a-z0-9_-]{0,8}", option::of("[a-z0-9]{1,8}"))
        .prop_map(|(user, group)| Account { user, group })
        .boxed()
}

fn command() -> BoxedStrategy<Command> {
    let program = word().prop_filter("a program", |word| !word.is_empty());
    (program, vec(prop_oneof![word(), Just(String::new())], 0..3), option::of(account()))
        .prop_map(|(program, words, account)| Command { argv: [vec![program], words].concat(), account })
        .boxed()
}

fn weight(most: i16) -> BoxedStrategy<Weight> {
    (-most..=most, any::<bool>()).prop_map(|(value, reverse)| Weight { value, reverse }).boxed()
}

fn probe() -> BoxedStrategy<Probe> {
    let port = 1_u16..;
    prop_oneof![
        command().prop_map(Probe::Script),
        (host(), port.clone()).prop_map(|(ip, port)| Probe::Tcp(SocketAddr::new(ip, port))),
        (host(), port, "(/[a-z0-9?=&-]{1,8}){1,2}", 100_u16..=599, option::of(word())).prop_map(
            |(ip, port, path, status, body)| {
                let server = SocketAddr::new(ip, port);
                Probe::Http(HttpProbe { server, host: server.to_string(), path, status, body })
            }
        ),
        "[a-z][a-z0-9_-]{0,14}".prop_map(Probe::Process),
        (path(), option::of(name())).prop_map(|(socket, backend)| Probe::Haproxy { socket, backend }),
        host().prop_map(Probe::Icmp),
        (host(), interface()).prop_map(|(host, interface)| Probe::Arp { host, interface }),
    ]
    .boxed()
}

fn check(index: usize) -> BoxedStrategy<Check> {
    let times = (interval(), option::of(interval()));
    (name(), probe(), times, 1_u32..9, 1_u32..9, weight(253), any::<bool>())
        .prop_map(move |(name, probe, (interval, timeout), rise, fall, weight, init_fail)| Check {
            name: format!("{index}{name}"),
            probe,
            interval,
            timeout: timeout.unwrap_or(interval),
            rise,
            fall,
            weight,
            init_fail,
        })
        .boxed()
}

fn file(index: usize) -> BoxedStrategy<FileTracker> {
    let init = (any::<i32>(), any::<bool>()).prop_map(|(value, overwrite)| FileInit { value, overwrite });
    (name(), path(), weight(254), option::of(init))
        .prop_map(move |(name, path, weight, init)| FileTracker {
            name: format!("{index}{name}"),
            path,
            weight,
            init,
        })
        .boxed()
}

fn process(index: usize) -> BoxedStrategy<ProcessTracker> {
    let words = || vec(word(), 0..3);
    let parameters = prop_oneof![
        Just(Parameters::Any),
        words().prop_map(Parameters::Exact),
        words().prop_map(Parameters::Partial),
        words().prop_map(Parameters::Initial),
    ];
    let counts = (1_u16.., option::of(any::<u16>()));
    (name(), word(), parameters, any::<bool>(), weight(254), counts, micros(3600), micros(3600))
        .prop_map(
            move |(
                name,
                process,
                parameters,
                full,
                weight,
                (quorum, quorum_max),
                fork_delay,
                terminate_delay,
            )| {
                ProcessTracker {
                    name: format!("{index}{name}"),
                    process,
                    full_command: full || parameters != Parameters::Any,
                    parameters,
                    weight,
                    quorum,
                    quorum_max,
                    fork_delay,
                    terminate_delay,
                }
            },
        )
        .boxed()
}

fn tracked(names: Vec<String>, most: i16) -> BoxedStrategy<Vec<Tracked>> {
    let count = names.len();
    vec(weight(most), count)
        .prop_map(move |weights| {
            names.iter().cloned().zip(weights).map(|(name, weight)| Tracked { name, weight }).collect()
        })
        .boxed()
}

fn trackers(names: [Vec<String>; 3]) -> BoxedStrategy<Trackers> {
    let [checks, files, processes] = names;
    let some = |names: Vec<String>| proptest::sample::subsequence(names.clone(), 0..=names.len());
    let interfaces = proptest::collection::btree_set("if[0-9]{1,3}", 0..3).prop_map(Vec::from_iter);
    (interfaces, some(checks), some(files), some(processes))
        .prop_flat_map(|(interfaces, checks, files, processes)| {
            (tracked(interfaces, 253), tracked(checks, 253), tracked(files, 254), tracked(processes, 254))
                .prop_map(|(interfaces, checks, files, processes)| Trackers {
                    interfaces,
                    checks,
                    files,
                    processes,
                })
        })
        .boxed()
}

fn notify() -> BoxedStrategy<Notify> {
    let one = || option::of(command());
    let deleted =
        prop_oneof![Just(Deleted::Fault), Just(Deleted::Deleted), command().prop_map(Deleted::Command)];
    ((one(), one(), one(), one()), deleted, one(), one(), any::<bool>(), any::<bool>())
        .prop_map(|((master, backup, fault, stop), deleted, any, rx_lower_pri, priority_changes, mail)| {
            Notify { master, backup, fault, stop, deleted, any, rx_lower_pri, priority_changes, mail }
        })
        .boxed()
}

/// Virtual addresses of a family and network, each once.
fn addresses(
    family: Family,
    network: u8,
    count: std::ops::Range<usize>,
) -> BoxedStrategy<Vec<VirtualAddress>> {
    let one = (address(family, network), 1_u8..=32, option::of(interface()), option::of("[a-z0-9:]{1,15}"));
    let rest = (any::<bool>(), select(&[0_u8, 253, 42][..]), any::<bool>());
    vec((one, rest), count)
        .prop_map(move |list| {
            let mut seen = Vec::new();
            let made =
                list.into_iter().map(|((ip, prefix, dev, label), (brd, scope, no_track))| VirtualAddress {
                    ip,
                    prefix,
                    dev,
                    label: label.filter(|_| ip.is_ipv4()),
                    broadcast: (brd && ip.is_ipv4()).then(|| Ipv4Addr::new(10, 9, 8, 255).into()),
                    scope,
                    no_track,
                });
            made.filter(|address| {
                !seen.contains(&address.ip) && {
                    seen.push(address.ip);
                    true
                }
            })
            .collect()
        })
        .boxed()
}

fn prefix(family: Family) -> BoxedStrategy<Prefix> {
    (0_u8..=32, any::<u128>())
        .prop_map(move |(len, bits)| match family {
            Family::V4 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                Prefix {
                    ip: Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap_or_default() & mask).into(),
                    len,
                }
            }
            Family::V6 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
                // Not an IPv4-mapped address.
                Prefix { ip: Ipv6Addr::from_bits(bits & mask).into(), len }
            }
        })
        .boxed()
}

fn family() -> impl Strategy<Value = Family> {
    select(&[Family::V4, Family::V6][..])
}

fn route() -> BoxedStrategy<Route> {
    family()
        .prop_flat_map(|family| {
            let kinds = [RouteKind::Unicast, RouteKind::Blackhole, RouteKind::Throw, RouteKind::Prohibit];
            let ends = (option::of(address(family, 1)), interface(), option::of(address(family, 2)));
            let numbers =
                (1_u32.., option::of(any::<u32>()), option::of(any::<u8>()), option::of(68_u32..=65535));
            (
                prefix(family),
                select(kinds.to_vec()),
                ends,
                option::of(any::<u8>()),
                numbers,
                any::<bool>(),
                any::<bool>(),
            )
                .prop_map(
                    |(to, kind, (via, dev, src), scope, (table, metric, protocol, mtu), onlink, no_track)| {
                        Route {
                            to,
                            kind,
                            via,
                            dev: Some(dev),
                            src,
                            scope,
                            table,
                            metric,
                            protocol,
                            mtu,
                            onlink,
                            no_track,
                        }
                    },
                )
        })
        .boxed()
}

fn rule() -> BoxedStrategy<Rule> {
    family()
        .prop_flat_map(|family| {
            let action = prop_oneof![
                (1_u32..).prop_map(RuleAction::Table),
                Just(RuleAction::Blackhole),
                Just(RuleAction::Prohibit)
            ];
            let networks = (option::of(prefix(family)), option::of(prefix(family)));
            let links = (option::of(interface()), option::of(interface()));
            let mark = option::of((any::<u32>(), any::<u32>()));
            (networks, links, mark, option::of(any::<u32>()), action, any::<bool>()).prop_map(
                move |((from, to), (iif, oif), fwmark, priority, action, no_track)| Rule {
                    family,
                    from,
                    to,
                    iif,
                    oif,
                    fwmark,
                    priority,
                    action,
                    no_track,
                },
            )
        })
        .boxed()
}

fn garp() -> BoxedStrategy<Garp> {
    let sets = (seconds(), 1_u8.., seconds(), 1_u8..);
    (sets, option::of(seconds()), option::of(any::<u8>()), micros(86_400), micros(86_400))
        .prop_map(
            |(
                (delay, repeat, refresh, refresh_repeat),
                lower_delay,
                lower_repeat,
                interval,
                gna_interval,
            )| {
                Garp {
                    delay,
                    repeat,
                    refresh,
                    refresh_repeat,
                    lower_prio_delay: lower_delay.unwrap_or(delay),
                    lower_prio_repeat: lower_repeat.unwrap_or(repeat),
                    interval,
                    gna_interval,
                }
            },
        )
        .boxed()
}

fn fence() -> BoxedStrategy<Fence> {
    let hosts = (option::of(host()), vec(host(), 1..3), vec(host(), 0..3));
    (hosts, 1_u16..=2, interval(), option::of(interval()))
        .prop_map(|((gateway, peers, anchors), quorum, interval, timeout)| {
            let fence = Fence { gateway, peers, anchors, quorum: 1, interval, timeout: interval };
            let timeout = timeout.unwrap_or(Duration::from_millis(100)).min(interval);
            Fence { quorum: quorum.min(fence.asked()), timeout, ..fence }
        })
        .boxed()
}

fn peers(family: Family) -> BoxedStrategy<Vec<Peer>> {
    vec((address(family, 77), any::<u8>(), any::<u8>(), any::<bool>()), 0..4)
        .prop_map(|list| {
            let mut peers: Vec<Peer> = Vec::new();
            for (ip, one, other, limits) in list {
                let (min_ttl, max_ttl) = if limits { (one.min(other), one.max(other)) } else { (255, 255) };
                if peers.iter().all(|peer| peer.ip != ip) {
                    peers.push(Peer { ip, min_ttl, max_ttl });
                }
            }
            peers
        })
        .boxed()
}

fn instance(index: u8, names: [Vec<String>; 3]) -> BoxedStrategy<Instance> {
    (family(), select(&[Version::V2, Version::V3][..]))
        .prop_flat_map(move |(family, version)| {
            let version = if family == Family::V6 { Version::V3 } else { version };
            let interval = match version {
                Version::V2 => (1_u16..=255).prop_map(|seconds| seconds * 100).boxed(),
                Version::V3 => (1_u16..=4095).boxed(),
            };
            let password = option::of("[ -~]{1,10}|[ä-ü]{1,5}|x[ä-ü]{1,5}");
            let election =
                (1_u8..=254, interval, 1_u8..=100, any::<bool>(), micros(1000), any::<bool>(), any::<bool>());
            let wire =
                (password, option::of(address(family, 78)), any::<bool>(), peers(family), 1_u8.., garp());
            let lists = (
                addresses(family, index, 1..4),
                addresses(family, index + 100, 0..3),
                vec(route(), 0..2),
                vec(rule(), 0..2),
            );
            let rest = (
                any::<[bool; 3]>(),
                option::of(("v[a-z0-9]{1,8}", any::<bool>())),
                trackers(names.clone()),
                option::of(fence()),
                notify(),
                select(&[Checksum::Either, Checksum::Message, Checksum::Pseudo][..]),
            );
            (name(), election, wire, lists, rest).prop_map(move |(name, election, wire, lists, rest)| {
            let (priority, centis, down_timer_adverts, preempt, delay, no_advert, send_advert) = election;
            let (password, source, track_source, peers, unicast_ttl, garp) = wire;
            let (addresses, excluded, routes, rules) = lists;
            let ([promote_secondaries, accept, dont_track_primary], vmac, track, fence, notify, checksum) =
                rest;
            Instance {
                family,
                version,
                priority,
                interval: Interval::from_centis(centis).expect("not zero"),
                down_timer_adverts,
                preempt,
                preempt_delay: delay,
                lower_prio_no_advert: no_advert,
                higher_prio_send_advert: send_advert,
                password: password.filter(|_| version == Version::V2).map(|text| {
                    let mut octets = [0; 8];
                    let length = text.len().min(8);
                    octets[..length].copy_from_slice(&text.as_bytes()[..length]);
                    Password(octets)
                }),
                // To a group, adverts over IPv6 come from a link-local address.
                source: source.filter(|source| source.is_ipv4() || !peers.is_empty()),
                track_source,
                group: Instance::standard_group(family),
                peers,
                unicast_ttl,
                checksum,
                addresses,
                excluded,
                routes,
                rules,
                promote_secondaries,
                accept,
                vmac: vmac.map(|(name, xmit_base)| Vmac { name, xmit_base }),
                garp,
                track,
                dont_track_primary,
                fence,
                notify,
                ..Instance::new(format!("{index}{name}"), format!("eth{index}"), index + 1)
            }
        })
        })
        .boxed()
}

fn config() -> BoxedStrategy<Config> {
    let trackers = (
        vec(Just(()), 0..3).prop_flat_map(|list| (0..list.len()).map(check).collect::<Vec<_>>()),
        vec(Just(()), 0..3).prop_flat_map(|list| (0..list.len()).map(file).collect::<Vec<_>>()),
        vec(Just(()), 0..3).prop_flat_map(|list| (0..list.len()).map(process).collect::<Vec<_>>()),
    );
    trackers
        .prop_flat_map(|(checks, files, processes)| {
            let names = [
                checks.iter().map(|check| check.name.clone()).collect(),
                files.iter().map(|file| file.name.clone()).collect(),
                processes.iter().map(|process| process.name.clone()).collect::<Vec<_>>(),
            ];
            let group_trackers = self::trackers(names.clone());
            let instances: Vec<_> = (0..3).map(|index| instance(index, names.clone())).collect();
            let datapaths = [Datapath::Auto, Datapath::Tcx, Datapath::XdpGeneric];
            let globals =
                (option::of(name()), select(datapaths.to_vec()), micros(86_400), option::of("[a-z]{1,9}"));
            let group = (name(), group_trackers, any::<bool>(), notify());
            let told = (vec(fifo(), 0..3), option::of(mail()), vec(webhook(), 0..3));
            let statics = (vec(static_address(), 0..2), vec(route(), 0..2), vec(rule(), 0..2), any::<bool>());
            (instances, globals, option::of(group), told, statics).prop_map(
                move |(instances, globals, group, told, statics)| {
                    let (router_id, datapath, startup_delay, net_namespace) = globals;
                    let (fifos, mail, webhooks) = told;
                    let (static_addresses, static_routes, static_rules, script_security) = statics;
                    let members = instances.iter().map(|instance| instance.name.clone()).collect();
                    let group = group.map(|(name, track, tracking_weight, notify)| SyncGroup {
                        name,
                        line: 0,
                        members,
                        track,
                        tracking_weight,
                        notify,
                    });
                    Config {
                        router_id,
                        datapath,
                        startup_delay,
                        net_namespace,
                        script_security,
                        checks: checks.clone(),
                        files: files.clone(),
                        processes: processes.clone(),
                        sync_groups: group.into_iter().collect(),
                        fifos,
                        mail,
                        webhooks,
                        static_addresses,
                        static_routes,
                        static_rules,
                        instances,
                    }
                },
            )
        })
        .boxed()
}

fn fifo() -> BoxedStrategy<Fifo> {
    (path(), option::of(account()), option::of(command()))
        .prop_map(|(path, owner, script)| Fifo { path, owner, script })
        .boxed()
}

fn mail() -> BoxedStrategy<Mail> {
    let to = vec("[a-z]{1,5}@[a-z]{1,5}\\.org", 1..3);
    let from = option::of("[a-z]{1,5}@[a-z]{1,5}\\.org");
    (to, from, "[a-z.]{1,9}", 1_u16.., option::of(name()), 1_u64..999, any::<bool>())
        .prop_map(|(to, from, server, port, helo, timeout, no_faults)| Mail {
            to,
            from,
            server,
            port,
            helo,
            timeout: Duration::from_secs(timeout),
            no_faults,
        })
        .boxed()
}

fn webhook() -> BoxedStrategy<Webhook> {
    let formats = [WebhookFormat::Json, WebhookFormat::Slack, WebhookFormat::Pagerduty];
    let token = option::of(name().prop_map(Secret));
    ("https://[a-z]{1,8}/[a-zA-Z0-9]{0,8}", select(formats.to_vec()), token, interval(), 0_u8..=100)
        .prop_map(|(url, format, token, timeout, retries)| Webhook {
            url: Secret(url),
            format,
            token,
            timeout,
            retries,
        })
        .boxed()
}

fn static_address() -> BoxedStrategy<StaticAddress> {
    (interface(), addresses(Family::V4, 99, 1..2))
        .prop_map(|(dev, mut list)| StaticAddress {
            dev,
            address: VirtualAddress { dev: None, ..list.remove(0) },
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..ProptestConfig::default() })]
    #[test]
    fn what_is_written_is_read_back_as_the_same_model(config in config()) {
        let text = to_toml(&config).expect("TOML can hold it");

        let loaded = load_str("converted.toml", &text);

        let loaded = loaded.unwrap_or_else(|found| panic!("refused:\n{}\n{text}", found.render(false)));
        let (read, config) = (format!("{:#?}", without_lines(loaded.config)), format!("{config:#?}"));
        let difference = read.lines().zip(config.lines()).find(|(read, written)| read != written);
        prop_assert!(read == config, "{:?}\n{}", difference, text);
    }
}
