//! Where the kernel enters.

use aya_ebpf::bindings::{__sk_buff, TC_ACT_SHOT, TC_ACT_UNSPEC, xdp_action, xdp_md};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use vipd_common::wire::eth::Place;
use vipd_common::wire::ip::{V4, V6};

use crate::classify::{self, Taken};
use crate::frame::{SkbFrame, XdpFrame};
use crate::{advert, neighbour};

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

/// Global functions that take a frame of a program's, by its context and its [`Place`].
macro_rules! taken {
    ($frame:ident, $context:ident, $raw:ty, $advert4:ident, $advert6:ident, $advertisement:ident) => {
        impl Taken for $frame<'_> {
            #[inline(always)]
            fn advert4(&self, place: Place) -> bool {
                $advert4(self.raw(), place.at as u32, place.vlan.into()) != 0
            }

            #[inline(always)]
            fn advert6(&self, place: Place) -> bool {
                $advert6(self.raw(), place.at as u32, place.vlan.into()) != 0
            }

            #[inline(always)]
            fn advertisement(&self, place: Place) {
                $advertisement(self.raw(), place.at as u32, place.vlan.into());
            }
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn $advert4(ctx: *mut $raw, at: u32, vlan: u32) -> u32 {
            advert::passes::<V4, _>(&$frame::new(&$context::new(ctx)), place(at, vlan)).into()
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn $advert6(ctx: *mut $raw, at: u32, vlan: u32) -> u32 {
            advert::passes::<V6, _>(&$frame::new(&$context::new(ctx)), place(at, vlan)).into()
        }

        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn $advertisement(ctx: *mut $raw, at: u32, vlan: u32) -> u32 {
            neighbour::note(&$frame::new(&$context::new(ctx)), place(at, vlan));
            0
        }
    };
}

taken!(XdpFrame, XdpContext, xdp_md, xdp_advert4, xdp_advert6, xdp_advertisement);
taken!(SkbFrame, TcContext, __sk_buff, tcx_advert4, tcx_advert6, tcx_advertisement);

#[inline(always)]
fn place(at: u32, vlan: u32) -> Place {
    Place { at: at as usize, vlan: vlan as u16 }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Never compiled in: the verifier refuses a program that could come here.
    loop {}
}
