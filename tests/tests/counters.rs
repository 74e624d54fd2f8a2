//! What `vipd status` counts and tells, by the names of RFC 8347.

use std::time::Duration;

use serde_json::Value;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Pair};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

/// Counters for all virtual routers together.
const GLOBAL: [&str; 4] = ["checksum-errors", "version-errors", "vrid-errors", "ip-ttl-errors"];
/// Counters for one virtual router.
const OWN: [&str; 9] = [
    "master-transitions",
    "advertisement-rcvd",
    "advertisement-sent",
    "interval-errors",
    "priority-zero-pkts-rcvd",
    "priority-zero-pkts-sent",
    "invalid-type-pkts-rcvd",
    "address-list-errors",
    "packet-length-errors",
];

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

fn counter(status: &Value, name: &str) -> u64 {
    status["instances"][0]["statistics"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {status:#}"))
}

/// C-CNT-01, C-CNT-02, C-CNT-03, C-CNT-08
#[test]
fn status_has_the_counters_and_the_state_of_rfc_8347_by_their_names() {
    let pair = Pair::new().expect("lab");
    let lb1 = pair.lb1.start(Agent::Vipd(Datapath::Auto), &quick(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(Agent::Vipd(Datapath::Auto), &quick(Conf::lb2())).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    lb1.process().stop().expect("SIGTERM");
    lb2.wait_for_state("MASTER", SOON).expect("takeover after resignation");

    let status = lb2.status().expect("status");

    for name in OWN {
        counter(&status, name);
    }
    for name in GLOBAL {
        assert!(status["statistics"][name].is_u64(), "no {name} in {status:#}");
    }
    assert!(status["discontinuity-datetime"].is_string(), "{status:#}");
    assert_eq!(counter(&status, "master-transitions"), 1, "becoming BACKUP is none: {status:#}");
    assert!(counter(&status, "advertisement-rcvd") >= 1, "{status:#}");
    assert_eq!(counter(&status, "priority-zero-pkts-rcvd"), 1, "{status:#}");
    let own = &status["instances"][0];
    assert_eq!((&own["state"], &own["is-owner"]), (&"MASTER".into(), &false.into()), "{own:#}");
    assert_eq!(own["last-adv-source"], "192.168.1.10", "{own:#}");
    assert!(own["up-datetime"].is_string(), "{own:#}");
    assert_eq!(own["new-master-reason"], "priority", "the better one has resigned: {own:#}");
    // Three intervals of 200 ms and 156/256 of one.
    assert_eq!((&own["skew-time-us"], &own["master-down-interval-us"]), (&121_875.into(), &721_875.into()));
    assert!(own["last-event"].as_str().is_some_and(|event| event.contains("resigned")), "{own:#}");
}
