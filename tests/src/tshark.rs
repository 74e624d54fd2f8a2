//! A second opinion on frames: Wireshark's dissectors.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::host::Host;
use crate::tap::Frame;

/// What tshark says of a set of frames.
#[derive(Debug)]
pub(crate) struct Report {
    /// Frames that it decodes as VRRP.
    pub(crate) adverts: usize,
    /// A line for each frame that it finds fault with.
    pub(crate) complaints: Vec<String>,
}

/// Its expert remarks that are no fault of a router: that an address has moved to another MAC is what failover is.
const EXPECTED: [&str; 1] = ["Duplicate IP address configured"];

/// Has tshark read `frames` on a host. It knows one form of the checksum of version 3 over IPv4 at a time: a frame is at
/// fault if it is so by both.
///
/// # Errors
/// If tshark is missing or cannot read them.
pub(crate) fn read(host: &Host, frames: &[Frame]) -> Result<Report> {
    let (adverts, mut complaints) = read_by(host, frames, false)?;
    if complaints.iter().any(Option::is_some) {
        let (_, others) = read_by(host, frames, true)?;
        for (complaint, _) in complaints.iter_mut().zip(others).filter(|(_, other)| other.is_none()) {
            *complaint = None;
        }
    }
    Ok(Report { adverts, complaints: complaints.into_iter().flatten().collect() })
}

/// How many frames are adverts, and what is wrong with each frame.
fn read_by(host: &Host, frames: &[Frame], message_only: bool) -> Result<(usize, Vec<Option<String>>)> {
    let capture = host.dir().join(format!("{}.pcap", host.name()));
    fs::write(&capture, pcap(frames)).with_context(|| format!("cannot write {}", capture.display()))?;
    let fields = ["frame.number", "vrrp.type", "_ws.malformed", "_ws.expert.message"];
    let fields: String = fields.iter().flat_map(|field| [" -e ", field]).collect();
    let line = format!(
        "tshark -n -r {} -o ip.check_checksum:TRUE -o vrrp.v3_checksum_as_in_v2:{message_only} -T fields -E separator=| -E aggregator=;{fields}",
        capture.display()
    );
    let table = host.command(&line)?;
    ensure!(table.lines().count() == frames.len(), "tshark has lost frames:\n{table}");
    let (mut adverts, mut complaints) = (0, Vec::new());
    for (row, frame) in table.lines().zip(frames) {
        let mut columns = row.split('|').skip(1);
        let mut next = || columns.next().unwrap_or_default();
        let (advert, malformed, remarks) = (next(), next(), next());
        adverts += usize::from(!advert.is_empty());
        let remarks = remarks
            .split(';')
            .filter(|remark| !remark.is_empty() && !EXPECTED.iter().any(|known| remark.contains(known)));
        let remarks: Vec<&str> = remarks.chain((!malformed.is_empty()).then_some(malformed)).collect();
        complaints.push((!remarks.is_empty()).then(|| {
            let octets: Vec<String> = frame.bytes.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{}: {}", remarks.join("; "), octets.concat())
        }));
    }
    Ok((adverts, complaints))
}

/// The frames as a capture file (pcap, microseconds, Ethernet).
fn pcap(frames: &[Frame]) -> Vec<u8> {
    let header: [u32; 6] = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 65535, 1];
    let mut file: Vec<u8> = header.iter().flat_map(|field| field.to_le_bytes()).collect();
    for (second, frame) in (0_u32..).zip(frames) {
        let length = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        file.extend([second, 0, length, length].iter().flat_map(|field| field.to_le_bytes()));
        file.extend(&frame.bytes);
    }
    file
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::tap::Direction;
    use crate::{Lab, Moment};

    fn frame(corpus: &[Value], name: &str) -> Frame {
        let found = corpus.iter().find(|frame| frame["name"] == name).expect("the corpus has it");
        let hex = found["hex"].as_str().expect("hex");
        let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        let bytes = (0..hex.len()).step_by(2).map(octet).collect();
        Frame { at: Moment::now(), interface: 1, direction: Direction::In, bytes }
    }

    #[test]
    fn tshark_knows_adverts_and_finds_fault_with_bad_ones() {
        let lab = Lab::new().expect("lab");
        let host = lab.host("host").expect("host");
        let corpus: Vec<Value> =
            serde_json::from_str(include_str!("../fixtures/vrrp-packets.json")).expect("JSON");
        let cases = [
            ("v2_pass_8chars", 1, None),
            ("v3_ipv4_1addr_pseudo", 1, None),
            ("v3_ipv4_1addr_msgonly", 1, None),
            ("neg_v3_ipv4_bad_checksum", 1, Some("Bad checksum")),
            ("v3_ipv6_2addrs", 1, None),
            ("garp_request_tha_vmac", 0, None),
            ("neg_v2_bad_checksum", 1, Some("Bad checksum")),
            ("neg_v2_ttl254", 1, Some("Time To Live")),
            ("neg_v3_ipv4_truncated_in_address", 1, Some("Malformed")),
            ("neg_ipv4_header_checksum", 1, Some("Bad checksum")),
        ];
        for (name, adverts, complaint) in cases {
            let report = read(&host, &[frame(&corpus, name)]).expect("tshark");

            assert_eq!(report.adverts, adverts, "{name}");
            assert_eq!(report.complaints.len(), usize::from(complaint.is_some()), "{name}: {report:?}");
            assert!(complaint.is_none_or(|words| report.complaints[0].contains(words)), "{name}: {report:?}");
        }
    }
}
