//! Sorts frames.

use vipd_common::wire::eth::{self, Class, Place};

use crate::arp;
use crate::frame::Frame;

/// Takes from a frame what concerns us, and says whether it may go on. `tag` is a VLAN tag that stands beside the frame;
/// `advert` takes adverts.
#[inline(always)]
pub(crate) fn passes<F: Frame>(frame: &F, tag: Option<u16>, advert: impl FnOnce(Place) -> bool) -> bool {
    match eth::classify(frame, tag) {
        Class::Other => true,
        Class::Advert(place) => advert(place),
        Class::Arp(place) => arp::passes(frame, place),
    }
}
