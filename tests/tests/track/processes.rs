//! `vrrp_track_process`. In a lab's host the kernel tells nobody of new processes, so the list is read; ends are told.

use vipd_tests::{Host, Pair, Process, Settings};

use super::{SOON, VIPD, conf, wait_for_priority};

fn sleeper(host: &Host, argument: &str) -> Process {
    host.spawn("sleep", &[argument]).expect("sleep")
}

#[test]
fn vrrp_track_process_counts_living_processes_by_name_and_parameters() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let blocks = "vrrp_track_process any {\nprocess sleep\nweight -10\n}\n\
                  vrrp_track_process two {\nprocess sleep\nquorum 2\nweight 40\n}\n\
                  vrrp_track_process exact {\nprocess sleep 2222\nweight -5\n}\n\
                  vrrp_track_process initial {\nprocess sleep 22\nparam_match initial\nweight -2\n}\n";
    let node = pair
        .lb1
        .start(VIPD, &conf(Settings::v3(100), blocks, "track_process {\nany\ntwo\nexact\ninitial\n}"));
    let node = node.expect("vipd");
    wait_for_priority(&node, 83);

    // Act, assert
    let first = sleeper(host, "1111");
    wait_for_priority(&node, 93);
    let second = sleeper(host, "2222");
    wait_for_priority(&node, 140);
    first.kill().expect("it lives");
    wait_for_priority(&node, 100);
    second.kill().expect("it lives");
    wait_for_priority(&node, 83);
}

#[test]
fn terminate_delay_bridges_a_restart() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let blocks = "vrrp_track_process patient {\nprocess sleep\nterminate_delay 60\nweight -50\n}\n\
                  vrrp_track_process hasty {\nprocess sleep\nweight -1\n}\n";
    let first = sleeper(host, "1111");
    let node = pair.lb1.start(VIPD, &conf(Settings::v3(100), blocks, "track_process {\npatient\nhasty\n}"));
    let node = node.expect("vipd");
    node.wait_for_state("MASTER", SOON).expect("the process lives");

    first.kill().expect("it lives");
    wait_for_priority(&node, 99);
    let _second = sleeper(host, "1111");
    wait_for_priority(&node, 100);
}
