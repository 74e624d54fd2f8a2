//! The ladder: native XDP, generic XDP, tcx. The packet socket below them is the caller's.

use std::fmt;
use std::io;

use aya::programs::links::{FdLink, LinkOrder, PinnedLink};
use aya::programs::tc::TcAttachOptions;
use aya::programs::xdp::XdpError;
use aya::programs::{ProgramError, TcAttachType, TcError, XdpMode};
use tracing::{debug, info};

use super::kernel::{Kernel, ifindex};
use super::pins::Pins;
use crate::config::Datapath;

/// Lines of a verifier's log that are worth reading.
const VERIFIER_LINES: usize = 40;

/// A place for the kernel half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// XDP in the driver.
    XdpNative,
    /// XDP in front of the network stack.
    XdpGeneric,
    /// A tcx classifier at ingress.
    Tcx,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::XdpNative => "native XDP",
            Self::XdpGeneric => "generic XDP",
            Self::Tcx => "tcx",
        })
    }
}

/// Why a place is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is no such interface in this network namespace.
    #[error("there is no interface {0}")]
    NoInterface(String),
    /// Another program holds it (`EBUSY`), or holds another XDP mode of the interface (`EEXIST`).
    #[error("another program holds it ({0}); `bpftool net` shows which")]
    Taken(#[source] io::Error),
    /// The driver or the kernel has no such place (`EOPNOTSUPP`).
    #[error("not supported here ({0})")]
    Unsupported(#[source] io::Error),
    /// Frames can be too long for the driver's XDP (`ERANGE`).
    #[error("the MTU is too large for it ({0})")]
    Mtu(#[source] io::Error),
    /// The agent lacks `CAP_NET_ADMIN` or `CAP_BPF` (`EPERM`).
    #[error("not permitted ({0})")]
    NotPermitted(#[source] io::Error),
    /// The kernel could attach it only in a way that outlives this process.
    #[error("the kernel is too old to take it away when the agent ends")]
    Lasting,
    /// The kernel's verifier refuses the program.
    #[error("the kernel refuses the program ({0})")]
    Refused(#[source] io::Error),
    /// Anything else.
    #[error(transparent)]
    Other(io::Error),
}

/// A place that was tried in vain.
#[derive(Debug)]
pub struct Step {
    /// The place.
    pub mode: Mode,
    /// Why it is not to be had.
    pub error: AttachError,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.mode, self.error)
    }
}

/// No place that the policy allows is to be had.
#[derive(Debug)]
pub struct Refused {
    /// The places that were tried, in their order; none where the policy is the packet socket.
    pub steps: Vec<Step>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return f.write_str("nothing is to be loaded into the kernel");
        }
        for (place, step) in self.steps.iter().enumerate() {
            write!(f, "{}{step}", if place == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// The kernel half at work on one interface, until this is dropped; longer where it is pinned.
#[derive(Debug)]
pub struct Attached {
    /// Where it is.
    pub mode: Mode,
    /// Better places that were tried in vain.
    pub skipped: Vec<Step>,
    link: Link,
}

/// Closing it, which the kernel does for a process that ends, detaches, unless it is pinned.
#[derive(Debug)]
enum Link {
    Free { _link: FdLink },
    Pinned { link: PinnedLink },
}

impl Attached {
    /// Detaches, whether or not it is pinned. The interface may be gone by now.
    pub(super) fn detach(self) {
        if let Link::Pinned { link } = self.link
            && let Err(error) = link.unpin()
        {
            debug!(%error, "cannot unpin");
        }
    }
}

/// Tries the places that `policy` allows, best first.
pub(super) fn climb(
    kernel: &mut Kernel,
    interface: &str,
    policy: Datapath,
    pins: Option<&Pins>,
) -> Result<Attached, Refused> {
    let mut steps: Vec<Step> = Vec::new();
    for mode in allowed(policy) {
        // One device holds one XDP program, whatever its mode.
        let xdp_taken = steps.last().is_some_and(|step| matches!(step.error, AttachError::Taken(_)));
        if xdp_taken && *mode == Mode::XdpGeneric {
            continue;
        }
        match attach(kernel, interface, *mode, pins) {
            Ok(link) => {
                info!(interface, %mode, "attached");
                return Ok(Attached { mode: *mode, skipped: steps, link });
            }
            Err(error) => {
                debug!(interface, %mode, %error, "cannot attach");
                let hopeless = matches!(error, AttachError::NoInterface(_));
                steps.push(Step { mode: *mode, error });
                if hopeless {
                    break;
                }
            }
        }
    }
    Err(Refused { steps })
}

fn allowed(policy: Datapath) -> &'static [Mode] {
    match policy {
        Datapath::Auto => &[Mode::XdpNative, Mode::XdpGeneric, Mode::Tcx],
        Datapath::XdpNative => &[Mode::XdpNative],
        Datapath::XdpGeneric => &[Mode::XdpGeneric],
        Datapath::Tcx => &[Mode::Tcx],
        Datapath::Socket => &[],
    }
}

fn attach(
    kernel: &mut Kernel,
    interface: &str,
    mode: Mode,
    pins: Option<&Pins>,
) -> Result<Link, AttachError> {
    let index = ifindex(interface).ok_or_else(|| AttachError::NoInterface(interface.to_owned()))?;
    let link = match mode {
        Mode::XdpNative => attach_xdp(kernel, index.get(), XdpMode::Driver),
        Mode::XdpGeneric => attach_xdp(kernel, index.get(), XdpMode::Skb),
        Mode::Tcx => attach_tcx(kernel, interface),
    };
    let link = link.map_err(|error| classify(error, interface))?.ok_or(AttachError::Lasting)?;
    let Some(pins) = pins else { return Ok(Link::Free { _link: link }) };
    let pinned =
        link.pin(pins.link(index.get())).map_err(|error| AttachError::Other(io::Error::other(error)))?;
    Ok(Link::Pinned { link: pinned })
}

/// `None` where the kernel attached it without a link; it is detached again then.
fn attach_xdp(kernel: &mut Kernel, index: u32, mode: XdpMode) -> Result<Option<FdLink>, ProgramError> {
    let program = kernel.xdp()?;
    let id = program.attach_to_if_index(index, mode)?;
    Ok(FdLink::try_from(program.take_link(id)?).ok())
}

fn attach_tcx(kernel: &mut Kernel, interface: &str) -> Result<Option<FdLink>, ProgramError> {
    let program = kernel.tcx()?;
    // First: others may drop or redirect what they see.
    let order = TcAttachOptions::TcxOrder(LinkOrder::first());
    let id = program.attach_with_options(interface, TcAttachType::Ingress, order)?;
    Ok(FdLink::try_from(program.take_link(id)?).ok())
}

/// What an error of attaching means.
fn classify(error: ProgramError, interface: &str) -> AttachError {
    let error = match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            // Its end tells what the verifier did not like; the rest is every step before.
            let log = verifier_log.to_string();
            let lines: Vec<&str> = log.lines().collect();
            debug!(
                "the verifier's last words:\n{}",
                lines[lines.len().saturating_sub(VERIFIER_LINES)..].join("\n")
            );
            return AttachError::Refused(io_error);
        }
        ProgramError::SyscallError(error) => error.io_error,
        ProgramError::XdpError(XdpError::NetlinkError(error)) => {
            error.raw_os_error().map_or_else(|| io::Error::other(error), io::Error::from_raw_os_error)
        }
        ProgramError::TcError(TcError::IoError(error)) => error,
        error => io::Error::other(error),
    };
    match error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST) => AttachError::Taken(error),
        Some(libc::EOPNOTSUPP | libc::EINVAL) => AttachError::Unsupported(error),
        Some(libc::ERANGE) => AttachError::Mtu(error),
        Some(libc::EPERM | libc::EACCES) => AttachError::NotPermitted(error),
        Some(libc::ENODEV) => AttachError::NoInterface(interface.to_owned()),
        _ => AttachError::Other(error),
    }
}
