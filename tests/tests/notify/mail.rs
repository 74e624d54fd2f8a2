//! `smtp_alert`: mail, to a real server.

use serde_json::json;
use vipd_tests::Pair;
use vipd_tests::guide::Conf;
use vipd_tests::receivers::mail_server;

use crate::{SOON, VIPD, conf, logged, text, wait_for_counts};

const MAIL: &str = "notification_email {\nadmin@example.com\nops@example.com\n}\n\
    notification_email_from vipd@example.com\nsmtp_server 127.0.0.1\nsmtp_connect_timeout 10";

/// The subject is Keepalived's, so that filters go on working; the text says why.
#[test]
fn promise_7_a_mail_for_each_change_says_why() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let server = mail_server(&pair.lb1.host, &[]).expect("mail server");

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), MAIL, "smtp_alert", "")).expect("vipd");

    // Assert
    let first = server.next("BACKUP state", SOON).expect("the first BACKUP");
    assert_eq!(first["from"], "vipd@example.com");
    assert_eq!(first["to"], json!(["admin@example.com", "ops@example.com"]));
    assert_eq!(first["helo"], "lb1");
    assert!(
        text(&first["text"]).contains("Subject: [LB1] VRRP Instance VI_1 - Entering BACKUP state"),
        "{first}"
    );
    let second = server.next("MASTER state", SOON).expect("MASTER");
    let second = text(&second["text"]);
    assert!(second.contains("Reason: no advert for ") && second.contains("Before: BACKUP"), "{second}");
    pair.lb1.port.link_down().expect("cable pulled");
    let third = server.next("FAULT state", SOON).expect("FAULT");
    assert!(text(&third["text"]).contains("Reason: interface eth0 is down"), "{third}");
    wait_for_counts(&lb1, "mail", [3, 0, 0]);
}

#[test]
fn no_email_faults_leaves_out_faults() {
    let pair = Pair::new().expect("lab");
    let server = mail_server(&pair.lb1.host, &[]).expect("mail server");
    let global = format!("{MAIL}\nno_email_faults\nsmtp_alert_vrrp");
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), &global, "", "")).expect("vipd");
    server.next("MASTER state", SOON).expect("MASTER");

    pair.lb1.port.link_down().expect("cable pulled");
    lb1.wait_for_state("FAULT", SOON).expect("FAULT");
    pair.lb1.port.link_up().expect("cable back");

    let next = server.next("Entering", SOON).expect("a mail");
    assert!(text(&next["text"]).contains("Entering BACKUP state"), "{next}");
}

/// The server is in trouble at first, and refuses one mail for good; the others arrive, in their order.
#[test]
fn mail_that_is_not_taken_is_tried_again_and_the_trouble_is_said_once() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let replies = ["451 try later", "451 try later", "250 taken", "550 not for us", "250 taken"];
    let server = mail_server(&pair.lb1.host, &replies).expect("mail server");

    // Act
    let global = format!("{MAIL}\nsmtp_helo_name balancer.example.com");
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), &global, "smtp_alert", "")).expect("vipd");
    server.next("550 not for us", SOON).expect("MASTER is refused");
    pair.lb1.port.link_down().expect("cable pulled");
    server.next("FAULT state", SOON).expect("FAULT");

    // Assert
    let offered = server.all().expect("mails");
    let states: Vec<_> = offered.iter().map(|mail| state(text(&mail["text"]))).collect();
    assert_eq!(states, ["BACKUP", "BACKUP", "BACKUP", "MASTER", "FAULT"]);
    assert!(offered.iter().all(|mail| mail["helo"] == "balancer.example.com"), "{offered:?}");
    lb1.process().wait_for_line("mail: works again, after 1 failures", SOON).expect("said");
    wait_for_counts(&lb1, "mail", [2, 1, 0]);
    assert_eq!(logged(&lb1, &["WARN", "mail: "]), 2, "once for each outage");
}

/// The state in a mail's subject.
fn state(mail: &str) -> &str {
    mail.split("Entering ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default()
}
