//! Nothing depends on the order in which a file lists things, but for the order of the addresses in an advert (C-PKT-06):
//! shuffled, it means the same.

use std::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Config;
use super::{accepted, without_lines};

/// A block of a file: its head, and its lines, each of which may hold a block of its own.
#[derive(Clone, Debug)]
struct Block {
    head: String,
    lines: Vec<String>,
    /// Heads of lists with their entries.
    lists: Vec<(&'static str, Vec<String>)>,
}

impl Block {
    fn new(head: String, lines: &[String], lists: &[(&'static str, Vec<String>)]) -> Self {
        Self { head, lines: lines.to_vec(), lists: lists.to_vec() }
    }
}

/// The number-th virtual router, by what is drawn for it.
fn instance(number: usize, drawn: (u8, bool, bool, usize, bool)) -> Block {
    let (priority, preempt, version_3, addresses, unicast) = drawn;
    let mut lines = vec![
        format!("interface eth{}", number % 2),
        format!("virtual_router_id {}", 51 + number / 2),
        format!("priority {priority}"),
        format!("version {}", if version_3 { 3 } else { 2 }),
        format!("garp_master_refresh {number}"),
    ];
    lines.extend((!preempt).then(|| "nopreempt".to_owned()));
    let address = |n: usize| format!("10.0.{number}.{}/24", n + 1);
    let mut lists = vec![("virtual_ipaddress", (0..addresses).map(address).collect())];
    if unicast {
        lists.push((
            "unicast_peer",
            vec!["10.9.9.1".to_owned(), "10.9.9.2".to_owned(), "10.9.9.3".to_owned()],
        ));
    }
    lists.push(("track_script", vec!["a weight 5".to_owned(), "b".to_owned()]));
    Block::new(format!("vrrp_instance VI_{number}"), &lines, &lists)
}

/// The file: a few virtual routers, two of them in a group, what they track, and the definitions for all.
fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let drawn = (1_u8..=254, any::<bool>(), any::<bool>(), 1_usize..5, any::<bool>());
    vec(drawn, 2..7).prop_map(|drawn| {
        let mut blocks: Vec<Block> =
            drawn.into_iter().enumerate().map(|(number, drawn)| instance(number, drawn)).collect();
        let members = vec!["VI_0".to_owned(), "VI_1".to_owned()];
        blocks.push(Block::new("vrrp_sync_group G".to_owned(), &[], &[("group", members)]));
        let globals = ["router_id lb1", "vrrp_garp_master_repeat 2"].map(str::to_owned);
        blocks.push(Block::new("global_defs".to_owned(), &globals, &[]));
        for script in ["a", "b"] {
            let lines = ["script \"/bin/true\"", "interval 3", "fall 2"].map(str::to_owned);
            blocks.push(Block::new(format!("vrrp_script {script}"), &lines, &[]));
        }
        blocks
    })
}

/// A block with everything in it in another order.
fn shuffled(block: Block) -> impl Strategy<Value = String> {
    let Block { head, lines, lists } = block;
    let lists = lists.into_iter().map(|(name, entries)| {
        Just(entries).prop_shuffle().prop_map(move |entries| format!("{name} {{\n{}\n}}", entries.join("\n")))
    });
    (lists.collect::<Vec<_>>(), Just(lines))
        .prop_flat_map(|(lists, lines)| Just([lists, lines].concat()).prop_shuffle())
        .prop_map(move |parts| format!("{head} {{\n{}\n}}\n", parts.join("\n")))
}

/// The same file in two orders.
fn two_orders() -> impl Strategy<Value = (String, String)> {
    let written = |blocks: Vec<Block>| {
        blocks
            .into_iter()
            .map(shuffled)
            .collect::<Vec<_>>()
            .prop_flat_map(|texts| Just(texts).prop_shuffle())
            .prop_map(|texts| texts.concat())
    };
    blocks().prop_flat_map(move |blocks| (written(blocks.clone()), written(blocks)))
}

/// What is listed without an order, in one.
fn sorted(config: Config) -> Config {
    let mut config = without_lines(config);
    config.instances.sort_by(|one, two| one.name.cmp(&two.name));
    for instance in &mut config.instances {
        instance.addresses.sort_by_key(|address| address.ip);
        instance.peers.sort_by_key(|peer| peer.ip);
        instance.track.checks.sort_by(|one, two| one.name.cmp(&two.name));
    }
    config.checks.sort_by(|one, two| one.name.cmp(&two.name));
    config.sync_groups.iter_mut().for_each(|group| group.members.sort());
    config
}

fn listed(config: &Config, name: &str) -> Vec<IpAddr> {
    let instance = config.instances.iter().find(|instance| instance.name == name).expect("it is there");
    instance.addresses.iter().map(|address| address.ip).collect()
}

proptest! {
    /// C-PKT-06
    #[test]
    fn a_shuffled_file_means_the_same((one, two) in two_orders()) {
        let (first, second) = (accepted(&one), accepted(&two));

        prop_assert_eq!(first.warnings.len(), second.warnings.len());
        for (config, text) in [(&first.config, &one), (&second.config, &two)] {
            for instance in &config.instances {
                let places: Vec<_> = listed(config, &instance.name)
                    .iter()
                    .map(|ip| text.find(&format!("\n{ip}/24\n")).expect("it is written there"))
                    .collect();
                prop_assert!(places.is_sorted(), "addresses are listed in the order of the file");
            }
        }
        prop_assert_eq!(sorted(first.config), sorted(second.config));
    }
}
