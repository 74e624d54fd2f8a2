//! "Authentication password is set": nobody is shown it.

use vipd_tests::guide::{Conf, PATH};
use vipd_tests::{Datapath, Pair, start_vipd_by, vipd_binary};

use crate::{SOON, VIPD, shell};

/// Promise 6, at the finest log level, while another node sends another password.
#[test]
fn promise_6_the_password_is_in_no_log_no_status_no_finding_and_no_list_of_processes() {
    // Arrange
    const SECRETS: [&str; 2] = ["MySecret", "An0ther"];
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let vipd = vipd_binary().expect("built").display().to_string();
    let command = ["sh", "-c", "exec \"$0\" \"$@\" --log-level trace", &vipd];
    let lb1 = start_vipd_by(&command, host, &Conf::lb1(), Datapath::Auto).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let other = Conf::lb2().password("An0ther");
    let lb2 = pair.lb2.start(VIPD, &other).expect("vipd");
    lb2.wait_for_state("MASTER", SOON).expect("it hears nobody");
    lb1.process()
        .wait_for_line("vrrpStatsAuthFailures", SOON)
        .expect("the other password is said to be wrong");
    host.write_file("/etc/keepalived/other.conf", other.text(), 0o600).expect("writable");

    // Act
    let said = [
        ("status", format!("{vipd} status; {vipd} status --json")),
        ("findings", format!("{vipd} check {PATH} --peer /etc/keepalived/other.conf 2>&1")),
        ("ps", "ps -A -ww -o args=".to_owned()),
    ];
    let mut said = said.map(|(place, line)| (place, shell(host, &line))).to_vec();
    for (place, node) in [("lb1's log", &lb1), ("lb2's log", &lb2)] {
        let lines = node.process().lines().into_iter().map(|line| line.text);
        said.push((place, lines.collect::<Vec<_>>().join("\n")));
    }

    // Assert
    for (place, text) in said {
        assert!(text.lines().count() > 1, "{place} says something: {text}");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {place}:\n{text}");
        }
    }
}
