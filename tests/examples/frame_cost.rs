//! What the kernel half costs: instructions that the verifier walks, time to load, and nanoseconds a frame by
//! `BPF_PROG_TEST_RUN`, beside an empty program in the same run.
//!
//! `cargo run --package vipd-tests --example frame_cost`, as root, after `cargo xtask build`. Each figure is the least
//! of several rounds: what disturbs a round only adds to it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vipd::datapath::Kernel;
use vipd_common::abi::{InstanceKey, Rules, Stamp, checksum, kind};
use vipd_common::wait;
use vipd_common::wire::vrrp::{AdvertFrame, FRAME_MAX};
use vipd_common::wire::{arp, eth, from_ip, ip, ipv4, ipv6, nd};

const ROUNDS: u32 = 25;
const REPEAT: u32 = 100_000;
/// Silences that are timed.
const SILENCES: usize = 100;
/// Test runs come from the loopback interface.
const IFINDEX: u32 = 1;
const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const VIP6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 5, 1));

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut kernel = Kernel::load()?;
    let start = Instant::now();
    kernel.xdp()?;
    let xdp_ms = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    kernel.tcx()?;
    let tcx_ms = start.elapsed().as_secs_f64() * 1e3;
    let (xdp, tcx) = (kernel.xdp()?.info()?, kernel.tcx()?.info()?);
    for (name, info, load_ms) in [("xdp", xdp, xdp_ms), ("tcx", tcx, tcx_ms)] {
        println!(
            "{name}: {} instructions verified, {} octets translated, loaded in {load_ms:.1} ms",
            info.verified_instruction_count().unwrap_or(0),
            info.size_translated().unwrap_or(0)
        );
    }
    for (number, family, vip) in [(0, 4, VIP), (1, 6, VIP6)] {
        let key = InstanceKey { ifindex: IFINDEX, vlan: 0, family, vrid: 51 };
        let vips = [(IFINDEX, from_ip(vip))];
        kernel.publish(number, key, &rules(vip), &vips, &[])?;
    }
    let empty = [empty_program(6, 2)?, empty_program(3, -1)?];
    println!("{:<34}{:>8}{:>8}", "ns a frame", "xdp", "tcx");
    for (name, frame) in frames() {
        let xdp = cost(kernel.xdp()?.fd()?.as_fd(), &frame)?;
        let tcx = cost(kernel.tcx()?.fd()?.as_fd(), &frame)?;
        println!("{name:<34}{xdp:>8}{tcx:>8}");
    }
    let frame = &frames()[0].1;
    println!(
        "{:<34}{:>8}{:>8}",
        "an empty program",
        cost(empty[0].as_fd(), frame)?,
        cost(empty[1].as_fd(), frame)?
    );
    let late = lateness(&mut kernel)?;
    println!(
        "silence is noticed after its deadline: median {:.1} us, worst of {SILENCES} {:.1} us",
        late[SILENCES / 2],
        late[SILENCES - 1]
    );
    Ok(())
}

/// How late the kernel half notices silence, in microseconds, sorted.
fn lateness(kernel: &mut Kernel) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let mut events = kernel.events().ok_or("the ring is taken")?;
    while events.take().is_some() {}
    let frame = advert(&[VIP], checksum::PSEUDO, 1);
    let mut late = Vec::new();
    while late.len() < SILENCES {
        cost_of(kernel.xdp()?.fd()?.as_fd(), &frame, 1)?;
        let event = loop {
            match events.take() {
                Some(event) if event.kind == kind::SILENT => break event,
                Some(_) => {}
                None => drop(poll(&mut [PollFd::new(events.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?),
            }
        };
        let sign = Stamp {
            at: event.since,
            interval_cs: event.interval_cs,
            priority: event.priority,
            ..Stamp::default()
        };
        let nanos = event.at.saturating_sub(wait::deadline(&rules(VIP), &sign));
        late.push(Duration::from_nanos(nanos).as_secs_f64() * 1e6);
    }
    late.sort_by(f64::total_cmp);
    Ok(late)
}

fn rules(vip: IpAddr) -> Rules {
    Rules {
        own: from_ip(host(vip, 12)),
        group: from_ip(group(vip)),
        list_digest: vipd_common::wire::address_digest(&from_ip(vip)),
        interval_cs: 100,
        version: 3,
        priority: 100,
        checksum: checksum::EITHER,
        local_first: u8::from(vip.is_ipv6()),
        list_len: 1,
        alive_from: 100,
        down_adverts: 3,
        ..Rules::default()
    }
}

/// A host on the network of an address.
fn host(vip: IpAddr, number: u8) -> IpAddr {
    match vip {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, number).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number.into()).into(),
    }
}

fn group(vip: IpAddr) -> IpAddr {
    if vip.is_ipv4() { ipv4::GROUP.into() } else { ipv6::GROUP.into() }
}

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let plain = advert(&[VIP], checksum::PSEUDO, 100);
    let changed = |place: usize, octet: u8| {
        let mut frame = plain.clone();
        frame[place] = octet;
        frame
    };
    let mut tcp = changed(eth::HEADER + ipv4::PROTOCOL_AT, 6);
    tcp.resize(74, 0);
    let plain6 = advert(&[VIP6], checksum::EITHER, 100);
    let mut tcp6 = plain6.clone();
    tcp6[eth::HEADER + ipv6::NEXT_AT] = 6;
    let mut echo = plain6.clone();
    echo[eth::HEADER + ipv6::NEXT_AT] = ipv6::ICMP;
    echo[eth::HEADER + ipv6::HEADER] = 128;
    let (IpAddr::V4(address), IpAddr::V6(address6)) = (VIP, VIP6) else { unreachable!("as declared") };
    let mut advertisement = vec![0; nd::FRAME_MAX];
    let mac = [2, 0, 0, 0, 0, 9];
    let announcement = nd::AdvertisementFrame { mac, vlan: 0, address: address6, router: false };
    let length = announcement.emit(&mut advertisement).expect("fits");
    advertisement.truncate(length);
    let mut solicitation = advertisement.clone();
    solicitation[eth::HEADER + ipv6::HEADER] = nd::SOLICITATION;
    let mut not_ours6 = advertisement.clone();
    not_ours6[eth::HEADER + ipv6::HEADER + 23] ^= 1;
    advertisement[length - 1] ^= 1;
    let mut request = vec![0; arp::FRAME_MAX];
    let announcement = arp::GratuitousFrame { mac, vlan: 0, address };
    let length = announcement.emit(&mut request).expect("fits");
    request.truncate(length);
    let mut not_ours = request.clone();
    not_ours[length - 1] ^= 0x40;
    request[length - 14..length - 10].copy_from_slice(&[192, 0, 2, 99]);
    let many: Vec<IpAddr> = (0..255).map(|n| Ipv4Addr::new(10, 9, 0, n).into()).collect();
    let many6: Vec<IpAddr> = (0..90).map(|n| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 5, n).into()).collect();
    vec![
        ("TCP, not ours", tcp),
        ("TCP over IPv6, not ours", tcp6),
        ("ICMPv6, not ours", echo),
        ("ARP request, not ours", not_ours),
        ("ARP request for a VIP", request),
        ("NA, not ours", not_ours6),
        ("NA for a VIP, bad checksum", advertisement),
        ("NS for a VIP", solicitation),
        ("advert, valid, no news", plain.clone()),
        ("the same, message checksum", advert(&[VIP], checksum::MESSAGE, 100)),
        ("the same, 20 addresses", advert(&many[..20], checksum::PSEUDO, 100)),
        ("the same, 255 addresses", advert(&many, checksum::PSEUDO, 100)),
        ("advert over IPv6", plain6),
        ("the same, 90 addresses", advert(&many6, checksum::EITHER, 100)),
        ("dropped: IP checksum", changed(24, 1)),
        ("dropped: TTL", with_header_sum(changed(22, 254))),
        ("dropped: version", changed(34, 0x21)),
        ("dropped: length", changed(37, 9)),
        ("dropped: checksum", changed(40, 1)),
        ("not ours: VRID", changed(35, 52)),
    ]
}

fn advert(addresses: &[IpAddr], checksum: u8, interval_cs: u16) -> Vec<u8> {
    let mut frame = vec![0; FRAME_MAX];
    let (vip, family) = (addresses[0], if addresses[0].is_ipv4() { 4 } else { 6 });
    let advert = AdvertFrame {
        ethernet: eth::Header {
            destination: eth::group_mac(group(vip)),
            source: eth::virtual_mac(family, 51),
            vlan: 0,
        },
        source: host(vip, 11),
        destination: group(vip),
        ttl: ip::TTL,
        version: 3,
        vrid: 51,
        priority: 200,
        interval_cs,
        addresses,
        password: None,
        checksum,
    };
    let length = advert.emit(&mut frame).expect("fits");
    frame.truncate(length);
    frame
}

fn with_header_sum(mut frame: Vec<u8>) -> Vec<u8> {
    frame[24..26].fill(0);
    let sum = vipd_common::wire::checksum::field(vipd_common::wire::checksum::octets(&frame[14..34]));
    frame[24..26].copy_from_slice(&sum);
    frame
}

/// The least mean time of a run, in nanoseconds.
fn cost(program: BorrowedFd<'_>, frame: &[u8]) -> io::Result<u32> {
    (0..ROUNDS).map(|_| cost_of(program, frame, REPEAT)).try_fold(u32::MAX, |least, ns| Ok(least.min(ns?)))
}

/// The mean time of a run, in nanoseconds.
fn cost_of(program: BorrowedFd<'_>, frame: &[u8], repeat: u32) -> io::Result<u32> {
    let mut attr = TestRun {
        program: program.as_raw_fd().cast_unsigned(),
        verdict: 0,
        length: u32::try_from(frame.len()).expect("short"),
        out_length: 0,
        frame: frame.as_ptr() as u64,
        out: 0,
        repeat,
        duration: 0,
    };
    bpf(10, &mut attr)?;
    Ok(attr.duration)
}

/// `return verdict`, as a program of this type.
fn empty_program(kind: u32, verdict: i32) -> io::Result<OwnedFd> {
    let move_to_r0 = 0xb7 | u64::from(verdict.cast_unsigned()) << 32;
    let exit = 0x95;
    let instructions = [move_to_r0, exit];
    let mut attr = Load {
        kind,
        count: 2,
        instructions: instructions.as_ptr() as u64,
        licence: c"GPL".as_ptr() as u64,
        log: [0; 2],
        log_buffer: 0,
    };
    let fd = bpf(5, &mut attr)?;
    // SAFETY: a descriptor that the kernel has just made for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `BPF_PROG_TEST_RUN` of `union bpf_attr`.
#[repr(C)]
struct TestRun {
    program: u32,
    verdict: u32,
    length: u32,
    out_length: u32,
    frame: u64,
    out: u64,
    repeat: u32,
    duration: u32,
}

/// `BPF_PROG_LOAD` of `union bpf_attr`.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log: [u32; 2],
    log_buffer: u64,
}

fn bpf<A>(command: libc::c_int, attr: &mut A) -> io::Result<i32> {
    // SAFETY: the attributes are those of the command, and what they point to lives until the call ends.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<A>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(i32::try_from(result).unwrap_or(0)) }
}
