//! Checks never disturb the election.

use std::time::Duration;

use vipd_tests::{Frame, Pair, Settings, Tap};

use super::{SOON, VIPD, conf};

/// 200 scripts a second on each of two nodes, beside 10 ms adverts: nobody changes its role.
#[test]
fn two_hundred_scripts_a_second_beside_10_ms_adverts_cost_no_role_change() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let names: Vec<String> = (1..=20).map(|number| format!("chk{number}")).collect();
    let scripts: Vec<String> = names
        .iter()
        .map(|name| {
            format!("vrrp_script {name} {{\nscript /bin/true\ninterval 0.1\ntimeout 30\nweight 1\n}}\n")
        })
        .collect();
    let scripts = scripts.concat();
    let tracked = format!("track_script {{\n{}\n}}", names.join("\n"));
    let conf =
        |priority| conf(Settings::v3(priority).interval(Duration::from_millis(10)), &scripts, &tracked);
    let lb1 = pair.lb1.start(VIPD, &conf(110)).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &conf(100)).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
    let states = || {
        let entering = |line: &vipd_tests::Line| line.text.contains("Entering ");
        [&lb1, &lb2].map(|node| node.process().lines().into_iter().filter(entering).count())
    };
    let before = states();

    // Act: as many adverts as take about ten seconds.
    let tap = Tap::open(pair.switch.host()).expect("tap");
    for _ in 0..1000 {
        let from_lb1 = |frame: &Frame| frame.advert().filter(|_| frame.came_from(&pair.lb1.port));
        let advert = tap.wait_for(SOON, from_lb1).expect("an advert");
        assert_ne!(advert.priority, 0, "it resigns");
    }

    // Assert
    assert_eq!(states(), before, "a role has changed");
    for (node, priority) in [(&lb1, 130), (&lb2, 120)] {
        assert_eq!(
            node.status().expect("status")["instances"][0]["priority"],
            priority,
            "every check succeeds"
        );
    }
}
