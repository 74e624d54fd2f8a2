//! Where the kernel enters.

use aya_ebpf::bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC, xdp_action};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};

use crate::classify;
use crate::frame::{SkbFrame, XdpFrame};

/// Licences under which the kernel lets a program use its helpers.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// XDP, native or generic.
#[xdp(frags)]
pub(crate) fn vipd_xdp(ctx: XdpContext) -> u32 {
    if classify::passes(&XdpFrame::new(&ctx), None) { xdp_action::XDP_PASS } else { xdp_action::XDP_DROP }
}

/// tcx at ingress. A frame that passes goes on to the programs behind this one.
#[classifier]
pub(crate) fn vipd_tcx(ctx: TcContext) -> i32 {
    let frame = SkbFrame::new(&ctx);
    if classify::passes(&frame, frame.tag()) { TC_ACT_UNSPEC } else { TC_ACT_SHOT }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Never compiled in: the verifier refuses a program that could come here.
    loop {}
}
