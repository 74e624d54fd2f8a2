//! Priority arithmetic through real agents, and what status tells of it.

use serde_json::Value;
use vipd_tests::{Pair, Running, Settings, guide::Conf};

use super::{SOON, VIPD, conf, exists, wait_for_priority};

fn instance(node: &Running) -> Value {
    node.status().expect("status")["instances"][0].clone()
}

/// Names and effects of everything that adds or takes away.
fn parts(instance: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let all = instance["tracking"].as_array().expect("a list");
    let parts = all.iter().map(|tracked| (text(&tracked["name"]), text(&tracked["effect"])));
    parts.filter(|(_, effect)| effect != "+0").collect()
}

/// The guide's table "Weight Calculation": 110 against 100, HAProxy -20, HTTP -30. Its checks only say what the test wants.
#[test]
fn the_guides_weight_table() {
    // Arrange
    let pair = Pair::new().expect("lab");
    for path in ["/run/haproxy", "/run/http"] {
        pair.lb1.host.write_file(path, "", 0o644).expect("writable");
    }
    let blocks = exists("chk_haproxy", "/run/haproxy", "weight -1\nfall 3\nrise 2")
        + &exists("chk_http", "/run/http", "weight -30\nfall 2\nrise 3");
    let tracked =
        "track_script {\nchk_haproxy weight -20\nchk_http\n}\ntrack_interface {\neth0 weight -50\n}";
    let lb1 = pair.lb1.start(VIPD, &conf(Settings::v3(110), &blocks, tracked)).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &conf(Settings::v3(100), "", "")).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    let haproxy = ("chk_haproxy".to_owned(), "-20".to_owned());
    let http = ("chk_http".to_owned(), "-30".to_owned());
    #[rustfmt::skip]
    let rows = [
        // what is down, effective priority, its parts
        (vec!["/run/haproxy"], 90, vec![haproxy.clone()]),
        (vec!["/run/http"], 80, vec![http.clone()]),
        (vec!["/run/haproxy", "/run/http"], 60, vec![haproxy, http]),
    ];
    let healthy = instance(&lb1);
    assert_eq!((healthy["priority"].as_u64(), healthy["base-priority"].as_u64()), (Some(110), Some(110)));

    for (down, priority, expected) in rows {
        // Act
        for path in &down {
            pair.lb1.host.command(&format!("rm {path}")).expect("there");
        }

        // Assert
        wait_for_priority(&lb1, priority);
        lb2.wait_for_state("MASTER", SOON).expect("LB2 takes over");
        pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 alone holds the address");
        let failed = instance(&lb1);
        assert_eq!(failed["priority"].as_u64(), Some(priority.into()));
        assert_eq!(parts(&failed), expected);

        for path in &down {
            pair.lb1.host.write_file(path, "", 0o644).expect("writable");
        }
        wait_for_priority(&lb1, 110);
        lb1.wait_for_state("MASTER", SOON).expect("LB1 is MASTER");
        pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
    }
}

/// Promise 7: the thing that failed is named in the log and in status, with what it said.
#[test]
fn the_reason_names_what_failed_and_how() {
    let pair = Pair::new().expect("lab");
    pair.lb1.host.write_file("/run/a", "", 0o644).expect("writable");
    let blocks = exists("chk_haproxy", "/run/a", "");
    let node = pair.lb1.start(VIPD, &conf(Settings::v3(100), &blocks, "track_script {\nchk_haproxy\n}"));
    let node = node.expect("vipd");
    node.wait_for_state("MASTER", SOON).expect("nobody else is there");

    pair.lb1.host.command("rm /run/a").expect("there");

    let line = node.wait_for_state("FAULT", SOON).expect("a check without a weight is a fault");
    assert!(line.text.ends_with("Entering FAULT STATE: chk_haproxy failed (exit code 1)"), "{}", line.text);
    let instance = instance(&node);
    assert_eq!(instance["last-event"], "chk_haproxy failed (exit code 1)");
    assert_eq!(parts(&instance), [("chk_haproxy".to_owned(), "FAULT".to_owned())]);
}

/// `init_fail`, and what holds before the first result: nothing is decided without knowing.
#[test]
fn before_the_first_result_a_node_waits_and_with_init_fail_it_is_fault() {
    let pair = Pair::new().expect("lab");
    let slow = "vrrp_script slow {\nscript \"/bin/sh -c 'until test -e /run/go; do sleep 0.02; done'\"\n\
                interval 100\ntimeout 60\nMORE\n}\n";
    let run = |more: &str| {
        let blocks = slow.replace("MORE", more);
        let conf: Conf = conf(Settings::v3(100), &blocks, "track_script {\nslow\n}");
        pair.lb1.start(VIPD, &conf).expect("vipd")
    };

    let node = run("");
    node.process().wait_for_line("(VI_1) waits for the first result of slow", SOON).expect("it waits");
    assert_eq!(instance(&node)["state"], "INIT");
    pair.lb1.host.write_file("/run/go", "", 0o644).expect("writable");
    node.wait_for_state("MASTER", SOON).expect("the check succeeded");
    drop(node);

    pair.lb1.host.command("rm /run/go").expect("there");
    let node = run("init_fail");
    let line = node.wait_for_state("FAULT", SOON).expect("down until there is a success");
    assert!(line.text.ends_with("slow failed (no success yet)"), "{}", line.text);
    pair.lb1.host.write_file("/run/go", "", 0o644).expect("writable");
    node.wait_for_state("MASTER", SOON).expect("the check succeeded");
}
