//! Sorts frames.

use vipd_common::wire::eth::{self, Class};

use crate::frame::Frame;
use crate::{advert, arp};

/// Takes from a frame what concerns us, and says whether it may go on. `tag` is a VLAN tag that stands beside the frame.
#[inline(always)]
pub(crate) fn passes<F: Frame>(frame: &F, tag: Option<u16>) -> bool {
    match eth::classify(frame, tag) {
        Class::Other => true,
        Class::Advert(place) => advert::passes(frame, place),
        Class::Arp(place) => {
            arp::note(frame, place);
            true
        }
    }
}
