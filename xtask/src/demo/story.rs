//! One chapter of the demo: a fault, what followed from it and when, and the repair.

use std::env;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use anyhow::{Result, bail};
use vipd_tests::Moment;
use vipd_tests::http::Account;

use super::fault::Fault;
use super::guide;
use super::site::{LIMIT, Node, Site};
use super::watch::{Event, Watch};

/// Events of different observers that are this close are put in order before they are shown.
const BATCH: Duration = Duration::from_millis(30);

/// The priority of `lb1` while all is well.
const BASE: u8 = 110;

/// What a chapter comes to.
pub(super) struct Chapter {
    /// What went wrong.
    pub(super) fault: Fault,
    /// Whether everything that makes a takeover was seen.
    pub(super) came: bool,
    /// From the fault to the first advert of the new master.
    pub(super) advert: Option<Duration>,
    /// From the fault to its first gratuitous ARP.
    pub(super) claim: Option<Duration>,
    /// From the fault to the first answer through it.
    pub(super) answer: Option<Duration>,
    /// The client's requests.
    pub(super) account: Account,
    /// Who held the address when the takeover was complete.
    pub(super) holders: Vec<Node>,
}

/// Colours, where somebody sees them.
#[derive(Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// Paints only on a terminal, and not against `NO_COLOR`.
    pub(super) fn for_terminal() -> Self {
        Self(stdout().is_terminal() && env::var_os("NO_COLOR").is_none())
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.wrap("31", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Lets the fault happen, shows what follows, and repairs it.
pub(super) fn tell(site: &mut Site, fault: Fault, paint: Paint) -> Result<Chapter> {
    println!("\n{}", paint.bold(fault.headline()));
    let usual = fault.confs().map(|confs| site.reconfigure(confs)).transpose()?;
    let watch = Watch::start(site)?;
    let mut timeline = Timeline::new(fault.successor(), paint);
    wait_until_at_work(&watch, &mut timeline)?;
    fault.prepare(site)?;
    timeline.begin(Moment::now());
    fault.strike(site)?;
    timeline.follow(&watch);
    let holders = site.holders()?;
    let account = watch.account();
    timeline.close(&holders, &account);
    let chapter = timeline.chapter(fault, account, holders);
    if fault.is_in_the_guide() {
        guide::print(&chapter, timeline.struck, &site.agent(Node::Lb1)?.process().lines());
    }
    drop(watch);
    if chapter.came {
        fault.repair(site)?;
        site.wait_until_settled()?;
        println!("  repaired; lb1 holds the address again");
        usual.map(|confs| site.reconfigure(confs)).transpose()?;
    }
    Ok(chapter)
}

/// Every chapter starts with a client that is served and a backup that hears the master.
fn wait_until_at_work(watch: &Watch, timeline: &mut Timeline) -> Result<()> {
    let deadline = Moment::now() + LIMIT;
    let mut served = false;
    let mut heard = false;
    while let Some((at, event)) = watch.next(deadline) {
        timeline.note(at, event);
        served |= event == Event::Answer(Node::Lb1);
        heard |= event == Event::Heard(Node::Lb2);
        if served && heard {
            return Ok(());
        }
    }
    bail!("lb1 is not at work: client served: {served}, lb2 hears adverts: {heard}")
}

/// What has been seen of one takeover.
struct Timeline {
    successor: Node,
    paint: Paint,
    struck: Option<Moment>,
    /// When the successor last heard an advert.
    heard: Option<Moment>,
    /// What has been shown, in the order of its first occurrence after the fault.
    shown: Vec<(Moment, Event)>,
}

impl Timeline {
    fn new(successor: Node, paint: Paint) -> Self {
        Self { successor, paint, struck: None, heard: None, shown: Vec::new() }
    }

    fn begin(&mut self, struck: Moment) {
        self.struck = Some(struck);
    }

    /// Takes note of what matters before the fault, too.
    fn note(&mut self, at: Moment, event: Event) {
        if event == Event::Heard(self.successor) {
            self.heard = Some(at);
        }
    }

    /// Shows events until the takeover is complete, or the limit is over.
    fn follow(&mut self, watch: &Watch) {
        let deadline = Moment::now() + LIMIT;
        while let Some(first) = watch.next(deadline) {
            let mut batch = vec![first];
            let batch_ends = Moment::now() + BATCH;
            while let Some(more) = watch.next(batch_ends) {
                batch.push(more);
            }
            batch.sort_by_key(|(at, _)| *at);
            for (at, event) in batch {
                self.take(at, event);
            }
            if self.is_complete() {
                return;
            }
        }
    }

    fn take(&mut self, at: Moment, event: Event) {
        self.note(at, event);
        let Some(struck) = self.struck.filter(|struck| at >= *struck) else { return };
        let Some(text) = self.describe(at, event) else { return };
        if !self.shown.iter().any(|(_, shown)| *shown == event) {
            println!("  {}  {text}", stamp(at.since(struck)));
            self.shown.push((at, event));
        }
    }

    /// What an event means for this takeover; `None` for those that mean nothing.
    fn describe(&self, at: Moment, event: Event) -> Option<String> {
        Some(match event {
            Event::Advert(node, 0) => format!("{node} resigns: an advert with priority 0"),
            Event::Advert(Node::Lb1, priority @ 1..BASE) => {
                format!("lb1 says priority {priority}: a check has failed")
            }
            Event::Advert(node, priority) if node == self.successor => {
                let silence =
                    self.heard.map(|heard| format!(", {} after the last it heard", millis(at.since(heard))));
                format!("{node} speaks: an advert, priority {priority}{}", silence.unwrap_or_default())
            }
            Event::Claim(node) if node == self.successor => {
                format!("{node} claims the address by gratuitous ARP")
            }
            Event::AddressAdded(node) => format!("{node} holds the address"),
            Event::AddressRemoved(node) => format!("{node} has given the address up"),
            // Before that, the table only says again what it said all the time.
            Event::ArpMoved(node) if node == self.successor && self.spoke().is_some() => {
                format!("the client's ARP table leads to {node}")
            }
            Event::Answer(node) if node == self.successor => format!("{node} serves: the first good answer"),
            _ => return None,
        })
    }

    /// From the fault to the first event of this kind.
    fn after(&self, wanted: impl Fn(&Event) -> bool) -> Option<Duration> {
        let (at, _) = self.shown.iter().find(|(_, event)| wanted(event))?;
        Some(at.since(self.struck?))
    }

    /// From the fault to the first advert of the new master.
    fn spoke(&self) -> Option<Duration> {
        self.after(|event| matches!(event, Event::Advert(node, 1..) if *node == self.successor))
    }

    fn is_complete(&self) -> bool {
        let new = self.successor;
        let needed = [Event::Claim(new), Event::AddressAdded(new), Event::Answer(new)];
        self.spoke().is_some() && needed.iter().all(|needed| self.after(|event| event == needed).is_some())
    }

    fn close(&self, holders: &[Node], account: &Account) {
        if !self.is_complete() {
            println!("  {}", self.paint.bad(&format!("the takeover did not come within {LIMIT:?}")));
        }
        let lost = format!(
            "{} of {} requests lost, longest outage {} ms",
            account.lost,
            account.sent,
            account.longest_outage.as_millis()
        );
        println!("  the client: {lost}");
        let held = show_holders(holders);
        println!(
            "  the address: {}",
            if holders.len() == 1 { self.paint.good(&held) } else { self.paint.bad(&held) }
        );
    }

    fn chapter(&self, fault: Fault, account: Account, holders: Vec<Node>) -> Chapter {
        let new = self.successor;
        Chapter {
            fault,
            came: self.is_complete(),
            advert: self.spoke(),
            claim: self.after(|event| *event == Event::Claim(new)),
            answer: self.after(|event| *event == Event::Answer(new)),
            account,
            holders,
        }
    }
}

/// Nodes as a list for people.
pub(super) fn show_holders(holders: &[Node]) -> String {
    match holders {
        [] => "nobody".to_owned(),
        [one] => one.to_string(),
        [one, other] => format!("{one} and {other}"),
        more => format!("{more:?}"),
    }
}

/// A time since the fault, such as `T+ 3612.345 ms`.
fn stamp(since: Duration) -> String {
    format!("T+{:>12}", millis(since))
}

/// A time, such as `3612.345 ms`.
pub(super) fn millis(span: Duration) -> String {
    format!("{}.{:03} ms", span.as_millis(), span.as_micros() % 1000)
}
