//! Many virtual routers on two nodes.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::thread;

use anyhow::{Context, Result};
use vipd_tests::frame::read_mac;
use vipd_tests::guide::Conf;
use vipd_tests::{Host, Lab, Port, Switch, Tap, facts};

use super::setting::Interval;

/// Virtual router ids on one interface, 1 to 255.
const VRIDS: u32 = 255;

/// Two nodes with as many interfaces as so many virtual routers need, each at a switch of its own, because a virtual
/// router id is unique on its LAN only.
pub(super) struct Fleet {
    pub(super) nodes: [Node; 2],
    segments: Vec<Segment>,
    _lab: Lab,
}

/// One of the two.
pub(super) struct Node {
    pub(super) host: Host,
    pub(super) conf: Conf,
    /// In the order of the segments.
    pub(super) ports: Vec<Port>,
    macs: Vec<[u8; 6]>,
}

/// A LAN with some of the virtual routers.
struct Segment {
    switch: Switch,
    vips: Vec<Ipv4Addr>,
}

impl Fleet {
    /// Builds the network; nothing runs on it yet.
    pub(super) fn new(instances: u32, interval: Interval) -> Result<Self> {
        let lab = Lab::new()?;
        let number = instances.div_ceil(VRIDS).max(1);
        let mut segments = Vec::new();
        for n in 0..number {
            let share = instances / number + u32::from(n < instances % number);
            let vips = (1..=share).map(|vrid| address(n, 0, vrid)).collect();
            segments.push(Segment { switch: lab.switch(&format!("sw{n}"))?, vips });
        }
        let node = |name: &str, number: u32, priority: u32| -> Result<Node> {
            let host = lab.host(name)?;
            let (mut ports, mut macs) = (Vec::new(), Vec::new());
            for (n, segment) in (0..).zip(&segments) {
                let interface = format!("eth{n}");
                ports.push(lab.connect(
                    &host,
                    &interface,
                    &format!("{}/16", address(n, 255, number)),
                    &segment.switch,
                )?);
                macs.push(read_mac(&facts::mac(&host, &interface)?).context("MAC address")?);
            }
            Ok(Node { host, conf: conf(name, priority, interval, &segments)?, ports, macs })
        };
        Ok(Self { nodes: [node("lb1", 1, 110)?, node("lb2", 2, 100)?], segments, _lab: lab })
    }

    /// A tap on each segment that sees what one node sends.
    pub(super) fn taps(&self, node: &Node) -> Result<Vec<Tap>> {
        self.segments.iter().map(|segment| Tap::arriving_of(segment.switch.host(), &node.macs)).collect()
    }

    /// Frames that have come from a node up to now.
    pub(super) fn frames(&self, node: &Node) -> Result<u64> {
        let mut sum = 0;
        for (segment, port) in self.segments.iter().zip(&node.ports) {
            let file = format!("/sys/class/net/{}/statistics/rx_packets", port.name());
            sum += segment.switch.host().read_file(&file)?.trim().parse::<u64>()?;
        }
        Ok(sum)
    }
}

impl Node {
    /// Cuts it off on all segments at once.
    pub(super) fn cut(&self) -> Result<()> {
        thread::scope(|scope| {
            let cuts: Vec<_> = self.ports.iter().map(|port| scope.spawn(|| port.cut())).collect();
            cuts.into_iter().try_for_each(|cut| cut.join().expect("a cut does not panic"))
        })
    }
}

/// 10.100.0.0/16 for the first segment, 10.101.0.0/16 for the next.
fn address(segment: u32, third: u32, fourth: u32) -> Ipv4Addr {
    Ipv4Addr::from((10 << 24) | ((100 + segment) << 16) | (third << 8) | fourth)
}

fn conf(name: &str, priority: u32, interval: Interval, segments: &[Segment]) -> Result<Conf> {
    let mut text = format!("global_defs {{\nrouter_id {name}\n}}\n");
    for (n, segment) in segments.iter().enumerate() {
        for (vrid, vip) in (1..).zip(&segment.vips) {
            let seconds = interval.seconds();
            write!(
                text,
                "vrrp_instance V{n}_{vrid} {{\nstate BACKUP\ninterface eth{n}\nvirtual_router_id {vrid}\nversion 3\n\
                 priority {priority}\nadvert_int {seconds}\nvirtual_ipaddress {{\n{vip}/16 dev eth{n}\n}}\n}}\n"
            )?;
        }
    }
    Ok(Conf::from(text))
}
