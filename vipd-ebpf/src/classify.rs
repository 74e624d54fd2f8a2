//! Sorts frames.

use vipd_common::wire::eth::{self, Class, Place};

use crate::arp;
use crate::frame::Frame;
use crate::neighbour;

/// What takes a frame of a kind that takes long: each is a function that the verifier goes through by itself, once, and not
/// once for every way by which a frame is sorted; and what most frames run stays short.
pub(crate) trait Taken {
    /// Takes an advert over IPv4, and says whether its frame may go on.
    fn advert4(&self, place: Place) -> bool;

    /// Takes an advert over IPv6, and says whether its frame may go on.
    fn advert6(&self, place: Place) -> bool;

    /// Takes a neighbour advertisement for one of our virtual addresses.
    fn advertisement(&self, place: Place);
}

/// Takes from a frame what concerns us, and says whether it may go on. `tag` is a VLAN tag that stands beside the frame.
#[inline(always)]
pub(crate) fn passes<F: Frame + Taken>(frame: &F, tag: Option<u16>) -> bool {
    match eth::classify(frame, tag) {
        Class::Other => true,
        Class::Advert4(place) => frame.advert4(place),
        Class::Advert6(place) => frame.advert6(place),
        Class::Arp(place) => arp::passes(frame, place),
        Class::Neighbour(place) => neighbour::passes(frame, place),
    }
}
