//! Where the kernel enters.

use aya_ebpf::bindings::{__sk_buff, TC_ACT_SHOT, TC_ACT_UNSPEC, xdp_action, xdp_md};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use vipd_common::wire::eth::Place;

use crate::frame::{SkbFrame, XdpFrame};
use crate::{advert, classify};

/// Licences under which the kernel lets a program use its helpers.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// XDP, native or generic.
#[xdp(frags)]
pub(crate) fn vipd_xdp(ctx: XdpContext) -> u32 {
    let advert = |place: Place| xdp_advert(ctx.ctx, place.at as u32, place.vlan.into()) != 0;
    if classify::passes(&XdpFrame::new(&ctx), None, advert) {
        xdp_action::XDP_PASS
    } else {
        xdp_action::XDP_DROP
    }
}

/// tcx at ingress. A frame that passes goes on to the programs behind this one.
#[classifier]
pub(crate) fn vipd_tcx(ctx: TcContext) -> i32 {
    let frame = SkbFrame::new(&ctx);
    let advert = |place: Place| tcx_advert(ctx.skb.skb, place.at as u32, place.vlan.into()) != 0;
    if classify::passes(&frame, frame.tag(), advert) { TC_ACT_UNSPEC } else { TC_ACT_SHOT }
}

/// An advert met by [`vipd_xdp`]. A global function: the verifier goes through it once, not once for every way by which a
/// frame is sorted; and what most frames run stays short.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn xdp_advert(ctx: *mut xdp_md, at: u32, vlan: u32) -> u32 {
    let place = Place { at: at as usize, vlan: vlan as u16 };
    advert::passes(&XdpFrame::new(&XdpContext::new(ctx)), place).into()
}

/// An advert met by [`vipd_tcx`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn tcx_advert(ctx: *mut __sk_buff, at: u32, vlan: u32) -> u32 {
    let place = Place { at: at as usize, vlan: vlan as u16 };
    advert::passes(&SkbFrame::new(&TcContext::new(ctx)), place).into()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Never compiled in: the verifier refuses a program that could come here.
    loop {}
}
