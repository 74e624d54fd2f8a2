//! A received frame, in the driver or behind the network stack.

use aya_ebpf::EbpfContext;
use aya_ebpf::bindings::{__sk_buff, xdp_md};
use aya_ebpf::helpers::generated::{bpf_skb_load_bytes, bpf_xdp_get_buff_len, bpf_xdp_load_bytes};
use aya_ebpf::programs::{TcContext, XdpContext};
use vipd_common::wire::eth::{self, Octets};
use vipd_common::wire::{L3, arp, ipv6, nd};

/// A received frame.
pub(crate) trait Frame: Octets {
    /// The kernel's handle of it.
    #[cfg(feature = "log")]
    fn context(&self) -> &impl EbpfContext;

    /// Interface that received it.
    fn ifindex(&self) -> u32;

    /// Octets of the whole frame, in all its buffers.
    fn length(&self) -> usize;

    /// Copies `count` octets from `at` on, from whichever buffers they are in; `false` if it has not so many. `count` must
    /// be from 1 to [`L3_MAX`](vipd_common::wire::L3_MAX), and the verifier must see that.
    fn copy(&self, at: usize, count: usize, into: &mut L3) -> bool;
}

/// Octets that are read of any frame before the checks copy it: two tags and an ARP message. It is less than data over TCP
/// has before its payload.
const HEAD: u32 = (eth::HEADER + 2 * eth::TAG + arp::LENGTH) as u32;
/// Octets that are read of a short frame: two tags, and the target of a neighbour advertisement.
const SHORT_HEAD: u32 = (eth::HEADER + 2 * eth::TAG + ipv6::HEADER + nd::FIXED) as u32;
/// Octets of a frame that is short: longer neighbour advertisements are not sent.
const SHORT: u32 = 256;

/// The first buffer of a frame, which the program may read directly. All that the checks read before they copy lies in it.
struct Head {
    start: usize,
    end: usize,
}

impl Head {
    #[inline(always)]
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let start = self.start + at;
        if start + N > self.end {
            return None;
        }
        // SAFETY: the N octets from `start` on lie before the end of the buffer, as just checked.
        Some(unsafe { (start as *const [u8; N]).read_unaligned() })
    }
}

/// A frame in the driver.
pub(crate) struct XdpFrame<'a> {
    ctx: &'a XdpContext,
    head: Head,
}

impl<'a> XdpFrame<'a> {
    #[inline(always)]
    pub(crate) fn new(ctx: &'a XdpContext) -> Self {
        Self { ctx, head: Head { start: ctx.data(), end: ctx.data_end() } }
    }

    /// The context that the program was called with.
    #[inline(always)]
    pub(crate) fn raw(&self) -> *mut xdp_md {
        self.ctx.ctx
    }
}

impl Octets for XdpFrame<'_> {
    #[inline(always)]
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.head.read(at)
    }
}

impl Frame for XdpFrame<'_> {
    #[cfg(feature = "log")]
    #[inline(always)]
    fn context(&self) -> &impl EbpfContext {
        self.ctx
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        self.ctx.ingress_ifindex() as u32
    }

    #[inline(always)]
    fn length(&self) -> usize {
        // SAFETY: the context is the one that this program was called with.
        unsafe { bpf_xdp_get_buff_len(self.ctx.ctx) as usize }
    }

    #[inline(always)]
    fn copy(&self, at: usize, count: usize, into: &mut L3) -> bool {
        let target = into.0.as_mut_ptr().cast();
        // SAFETY: the context is this program's, and `count` octets fit into the buffer.
        unsafe { bpf_xdp_load_bytes(self.ctx.ctx, at as u32, target, count as u32) == 0 }
    }
}

/// A frame behind the network stack.
pub(crate) struct SkbFrame<'a> {
    ctx: &'a TcContext,
    head: Head,
}

impl<'a> SkbFrame<'a> {
    #[inline(always)]
    pub(crate) fn new(ctx: &'a TcContext) -> Self {
        let first = (ctx.data_end() - ctx.data()) as u32;
        let head = if ctx.len() < SHORT { SHORT_HEAD } else { HEAD };
        if first < head && first < ctx.len() {
            // A driver may put less than that into the first buffer. If the kernel cannot gather it, the frame passes.
            let _ = ctx.pull_data(if ctx.len() < head { ctx.len() } else { head });
        }
        Self { ctx, head: Head { start: ctx.data(), end: ctx.data_end() } }
    }

    /// The context that the program was called with.
    #[inline(always)]
    pub(crate) fn raw(&self) -> *mut __sk_buff {
        self.ctx.skb.skb
    }

    /// The VLAN tag that was taken off the frame.
    #[inline(always)]
    pub(crate) fn tag(&self) -> Option<u16> {
        // SAFETY: the context is the one that this program was called with.
        let skb = unsafe { &*self.ctx.skb.skb };
        if skb.vlan_present == 0 { None } else { Some(skb.vlan_tci as u16) }
    }
}

impl Octets for SkbFrame<'_> {
    #[inline(always)]
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.head.read(at)
    }
}

impl Frame for SkbFrame<'_> {
    #[cfg(feature = "log")]
    #[inline(always)]
    fn context(&self) -> &impl EbpfContext {
        self.ctx
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        // SAFETY: the context is the one that this program was called with.
        unsafe { (*self.ctx.skb.skb).ifindex }
    }

    #[inline(always)]
    fn length(&self) -> usize {
        self.ctx.len() as usize
    }

    #[inline(always)]
    fn copy(&self, at: usize, count: usize, into: &mut L3) -> bool {
        let target = into.0.as_mut_ptr().cast();
        // SAFETY: the context is this program's, and `count` octets fit into the buffer.
        unsafe { bpf_skb_load_bytes(self.ctx.as_ptr(), at as u32, target, count as u32) == 0 }
    }
}
