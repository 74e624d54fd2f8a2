//! Webhooks: JSON is posted to a real server, by HTTP and HTTPS.

use serde_json::{Value, json};
use vipd_tests::guide::Conf;
use vipd_tests::receivers::{https_server, webhook_server};
use vipd_tests::{Pair, vipd_binary};

use crate::{SOON, VIPD, conf, logged, text, wait_for_counts, wait_for_log};

fn webhook(url: &str, more: &str) -> String {
    format!("webhook {{\nurl \"{url}\"\n{more}\n}}\n")
}

#[test]
fn promise_7_each_change_is_posted_with_its_reason() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let server = webhook_server(&pair.client, 8080, &[]).expect("server");
    let hook = webhook("http://192.168.1.50:8080/vipd?node=1", "token t0ken");

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", "", &hook)).expect("vipd");

    // Assert
    let posted = server.next("\"to\": \"MASTER\"", SOON).expect("MASTER");
    assert_eq!(posted["path"], "/vipd?node=1");
    assert_eq!(posted["Host"], "192.168.1.50:8080");
    assert_eq!(posted["Authorization"], "Bearer t0ken");
    assert_eq!(posted["Content-Type"], "application/json");
    let body = &posted["body"];
    assert_eq!(
        ["router_id", "instance", "from", "to"].map(|key| text(&body[key])),
        ["LB1", "VI_1", "BACKUP", "MASTER"]
    );
    assert_eq!(body["priority"], 110);
    assert!(text(&body["reason"]).starts_with("no advert for "), "{body}");
    assert!(text(&body["time"]).ends_with('Z'), "{body}");
    lb1.process().stop().expect("SIGTERM");
    let last = server.next("\"to\": \"STOP\"", SOON).expect("STOP");
    assert_eq!(last["body"]["reason"], "told to stop");
    lb1.process().wait(SOON).expect("it ends");
}

/// The server answers 500 first, then is there; the next event waits behind the first.
#[test]
fn what_is_not_taken_is_posted_again_in_order_and_the_trouble_is_said_once() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let server = webhook_server(&pair.client, 8080, &[500, 503, 200, 404]).expect("server");
    let hook = webhook("http://192.168.1.50:8080/", "");

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", "", &hook)).expect("vipd");
    server.next("\"status\": 404", SOON).expect("MASTER is refused");

    // Assert
    let posted: Vec<Value> = server.all().expect("requests");
    let states: Vec<_> =
        posted.iter().map(|request| (text(&request["body"]["to"]), &request["status"])).collect();
    let expected = [("BACKUP", 500), ("BACKUP", 503), ("BACKUP", 200), ("MASTER", 404)];
    assert_eq!(
        states,
        expected.map(|(state, status)| (state, json!(status))).each_ref().map(|(s, v)| (*s, v))
    );
    lb1.process().wait_for_line("webhook 1 (json): works again, after 2 failures", SOON).expect("said");
    lb1.process().wait_for_line("it refused with status 404", SOON).expect("said");
    assert_eq!(logged(&lb1, &["WARN", "webhook 1 (json): "]), 2, "once for each outage");
    wait_for_counts(&lb1, "webhook 1 (json)", [1, 1, 0]);
}

/// Slack and PagerDuty, by HTTPS, with a certificate that the host trusts.
#[test]
fn slack_and_pagerduty_are_served_by_https() {
    // Arrange
    let pair = Pair::new().expect("lab");
    pair.lb2
        .host
        .write_file("/etc/hosts", "127.0.0.1 localhost\n192.168.1.50 hooks.lab\n", 0o644)
        .expect("write");
    let server = https_server(&pair.client, &pair.lb2.host, "hooks.lab", 8443, &[]).expect("server");
    let hooks = [
        webhook("https://hooks.lab:8443/services/T0/B0/x", "format slack"),
        webhook("https://hooks.lab:8443/v2/enqueue", "format pagerduty\ntoken r0utingkey"),
    ];

    // Act: lb2 is not the usual master.
    let lb2 = pair.lb2.start(VIPD, &conf(Conf::lb2(), "", "", &hooks.concat())).expect("vipd");

    // Assert
    let pagerduty = server.next("\"trigger\"", SOON).expect("an incident");
    assert_eq!(pagerduty["path"], "/v2/enqueue");
    assert_eq!(pagerduty["Authorization"], Value::Null);
    let body = &pagerduty["body"];
    assert_eq!((text(&body["routing_key"]), text(&body["dedup_key"])), ("r0utingkey", "vipd/LB2/VI_1"));
    assert_eq!(body["payload"]["severity"], "warning");
    lb2.process().stop().expect("SIGTERM");
    lb2.process().wait(SOON).expect("it ends");
    let posted = server.all().expect("requests");
    let slack: Vec<_> = posted.iter().filter(|request| request["path"] == "/services/T0/B0/x").collect();
    let says = |n: usize, words: &str| text(&slack[n]["body"]["text"]).contains(words);
    assert!(
        slack.len() == 3 && says(1, "LB2 is now MASTER for VI_1 (was BACKUP): no advert for "),
        "{slack:?}"
    );
    let actions: Vec<_> =
        posted.iter().filter_map(|request| request["body"]["event_action"].as_str()).collect();
    assert_eq!(actions, ["resolve", "trigger", "resolve"]);
}

/// A FAULT opens an incident, and the return closes it by the same key. The receiver is not reached in between.
#[test]
fn the_incident_of_a_fault_is_resolved_by_the_return() {
    let pair = Pair::new().expect("lab");
    let server = webhook_server(&pair.client, 8080, &[]).expect("server");
    let hook = webhook("http://192.168.1.50:8080/v2/enqueue", "format pagerduty\ntoken r0utingkey");
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", "", &hook)).expect("vipd");
    server.next("is now MASTER", SOON).expect("the usual state");

    pair.lb1.port.link_down().expect("cable pulled");
    lb1.wait_for_state("FAULT", SOON).expect("no carrier");
    pair.lb1.port.link_up().expect("cable back");

    let incident = server.next("is now FAULT", SOON).expect("an incident");
    let end = server.next("is now BACKUP", SOON).expect("its end");
    let told = |posted: &Value| {
        let body = &posted["body"];
        let severity = text(&body["payload"]["severity"]);
        [text(&body["event_action"]), text(&body["dedup_key"]), severity].map(str::to_owned)
    };
    assert_eq!(told(&incident), ["trigger", "vipd/LB1/VI_1", "error"]);
    assert_eq!(told(&end), ["resolve", "vipd/LB1/VI_1", "info"]);
}

/// Nobody answers, the certificate is not trusted, or the name is unknown: vipd stops in time, and says what did not arrive.
#[test]
fn receivers_that_are_away_do_not_keep_an_agent_from_ending() {
    // Arrange: nothing of this is there. The last address is one that nobody has.
    let pair = Pair::new().expect("lab");
    let _server = https_server(&pair.client, &pair.lb2.host, "hooks.lab", 8443, &[]).expect("server");
    let hooks = [
        webhook("http://192.168.1.50:9/", ""),
        webhook("https://192.168.1.50:8443/", ""),
        webhook("http://no-such-host.invalid/", ""),
        webhook("http://192.168.1.99/", "timeout 60"),
    ];
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", "", &hooks.concat())).expect("vipd");
    for why in ["webhook 1 (json): Connection refused", "webhook 2 (json): TLS: ", "webhook 3 (json): "] {
        wait_for_log(&lb1, why);
    }

    // Act
    lb1.process().stop().expect("SIGTERM");

    // Assert
    lb1.process().wait(SOON).expect("it ends");
}

/// Promise 6: secrets stay out of logs, status and `ps`.
#[test]
fn promise_6_addresses_and_tokens_of_webhooks_are_shown_nowhere() {
    const SECRETS: [&str; 3] = ["s3cr3t-path", "s3cr3t-token", "s3cr3t-name"];
    // Arrange: receivers that refuse, are in trouble, are away, cannot be trusted and cannot be found.
    let pair = Pair::new().expect("lab");
    let server = webhook_server(&pair.client, 8080, &[500, 401, 500, 403]).expect("server");
    let _https = https_server(&pair.client, &pair.lb2.host, "other.lab", 8443, &[]).expect("server");
    pair.lb1.host.write_file("/etc/hosts", "192.168.1.50 s3cr3t-name.lab\n", 0o644).expect("write");
    let token = "token s3cr3t-token";
    let hooks = [
        webhook("http://192.168.1.50:8080/s3cr3t-path", token),
        webhook("http://192.168.1.50:9/s3cr3t-path", token),
        webhook("https://s3cr3t-name.lab:8443/s3cr3t-path", token),
        webhook("https://s3cr3t-name.invalid/s3cr3t-path", token),
    ];
    conf(Conf::lb1(), "", "", &hooks.concat()).install(&pair.lb1.host).expect("write");
    let vipd = vipd_binary().expect("built");

    // Act
    let lb1 = pair.lb1.host.spawn(&vipd, &["run", "--log-level", "trace"]).expect("vipd");
    server.next("\"status\": 403", SOON).expect("refused");
    let status = pair.lb1.host.command(&format!("{} status --json", vipd.display())).expect("status");
    let processes = pair.lb1.host.command("ps -A -ww -o args=").expect("ps");
    lb1.stop().expect("SIGTERM");
    lb1.wait(SOON).expect("it ends");

    // Assert
    let lines = lb1.lines();
    let log = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
    for (place, text) in [("the log", &log), ("status", &status), ("ps", &processes)] {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {place}:\n{text}");
        }
    }
    assert!(log.contains("webhook 3 (json): TLS: ") && log.contains("webhook 4 (json): "), "{log}");
    let asked = server.all().expect("requests");
    assert!(asked.iter().all(|request| request["path"] == "/s3cr3t-path"), "they were used");
}
