//! C-FSM-12: equal priorities are settled by the sender's address, unsigned and in network order.

use std::net::IpAddr;

use vipd_core::{Input, Spec, State};

use crate::support::{Node, advert, ms, v3};

/// Whether a Master of address `own` makes way for `rival`.
fn gives_way(own: &str, rival: &str) -> bool {
    let mut node = Node::master(Spec { source: ip(own), ..v3(100) }, ms(4_000));
    node.hear(advert(ip(rival), 100, ms(4_100)));
    node.state() == State::Backup
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn c_fsm_12_the_greater_address_wins() {
    let pairs = [
        ("10.0.0.200", "9.255.255.255"),
        ("192.0.2.1", "10.0.0.200"),
        ("192.0.2.12", "192.0.2.11"),
        ("10.0.1.0", "10.0.0.255"),
        ("fe80::200", "fe80::1ff"),
        ("fe80::8000:0:0:0", "fe80::7fff:ffff:ffff:ffff"),
    ];
    for (greater, smaller) in pairs {
        assert!(gives_way(smaller, greater), "{greater} beats {smaller}");
        assert!(!gives_way(greater, smaller), "{smaller} does not beat {greater}");
    }
}

#[test]
fn c_fsm_12_a_changed_source_is_the_one_compared() {
    let mut node = Node::master(Spec { source: ip("192.0.2.12"), ..v3(100) }, ms(4_000));

    let actions = node.tell(Input::SourceChanged(ip("192.0.2.99")), ms(4_050));
    node.hear(advert(ip("192.0.2.50"), 100, ms(4_100)));

    assert_eq!(actions, []);
    assert_eq!(node.state(), State::Master);
    assert_eq!(node.status().source, ip("192.0.2.99"));
}

#[test]
fn c_fsm_12_a_source_that_changed_before_startup_counts() {
    let mut node = Node::new(v3(100));
    node.tell(Input::SourceChanged(ip("192.0.2.99")), ms(0));
    node.tell(Input::Startup, ms(0));
    node.fire();

    node.hear(advert(ip("192.0.2.50"), 100, ms(4_100)));

    assert_eq!(node.state(), State::Master);
}
