//! Adverts: judge, count, remember, and tell user space of what changes something.

use vipd_common::abi::{Event, Rules, Seen, Stamp, kind};
use vipd_common::wait::{self, Sign};
use vipd_common::wire::eth::Place;
use vipd_common::wire::ip::Family;
use vipd_common::wire::{Advert, L3, L3_MAX, Packet, judge};

use crate::budget::Topic;
use crate::frame::Frame;
use crate::log::debug;
use crate::maps::{INSTANCES, SCRATCH, SEEN, WATCH};
use crate::stats::Stats;
use crate::table::Interface;
use crate::watch::Told;
use crate::{event, lease, timer};

/// Takes an advert, and says whether its frame may go on (C-XDP-04).
#[inline(always)]
pub(crate) fn passes<A: Family, F: Frame>(frame: &F, place: Place) -> bool {
    let Some(scratch) = SCRATCH.get_ptr_mut(0) else { return true };
    // SAFETY: the buffer is this CPU's, and no one else runs on it until the program ends.
    let l3: &mut L3 = unsafe { &mut *scratch };
    let length = frame.length().wrapping_sub(place.at);
    let count = if length > L3_MAX { L3_MAX } else { length };
    if count < A::HEADER || !frame.copy(place.at, count, l3) {
        return true;
    }
    let table = Interface { ifindex: frame.ifindex(), family: A::NUMBER };
    let verdict = judge::<A, _>(&Packet { l3, length, vlan: place.vlan }, &table);
    let stats = Stats::of(verdict.instance);
    verdict.count(|reason| stats.raise(reason));
    debug!(
        frame.context(),
        "vlan {} family {} vrid {}: reason {}",
        place.vlan,
        A::NUMBER,
        l3.0[A::HEADER + 1],
        verdict.reason().index()
    );
    if let (Some(instance), Ok(advert)) = (verdict.instance, &verdict.advert) {
        remember(frame, instance, advert, &stats);
    }
    verdict.pass
}

/// Stamps SEEN, and has silence watched for; sends a record if the advert differs from what was told last, resigns, or comes
/// while we are Master.
#[inline(always)]
fn remember<F: Frame>(frame: &F, instance: u32, advert: &Advert, stats: &Stats) {
    let (Some(rules), Some(seen), Some(watch)) =
        (INSTANCES.get(instance), SEEN.get_ptr_mut(instance), WATCH.get_ptr_mut(instance))
    else {
        return;
    };
    // SAFETY: a map's value stays where it is; what two CPUs do to it at once is told where it is declared.
    let (seen, watch) = unsafe { (&mut *seen, &mut *watch) };
    let at = timer::now();
    let first = seen.last.at == 0;
    let sign = stamp(seen, rules, advert, at);
    if rules.master != 0 && sign == Sign::Alive {
        lease::end(instance);
    }
    // Before the record: user space leaves the waiting to the kernel when it reads it.
    seen.watched = watch.over(rules, seen, sign != Sign::None).into();
    let known = if watch.told.source == advert.source { watch.told.forms } else { 0 };
    let news = Told {
        source: advert.source,
        interval_cs: advert.interval_cs,
        priority: advert.priority,
        forms: known | 1 << (advert.checksum & 7),
        watched: seen.watched,
        reserved: [0; 3],
    };
    let topic = match (advert.priority, sign) {
        (0, _) => Topic::Resignation,
        (_, Sign::Alive) => Topic::Ruling,
        _ => Topic::Losing,
    };
    let tells = first || watch.told != news || advert.priority == 0 || rules.master != 0;
    if tells && watch.budget.allows(topic, at, stats) {
        let event = Event {
            at,
            since: 0,
            instance,
            kind: kind::ADVERT,
            priority: advert.priority,
            interval_cs: advert.interval_cs,
            addr: advert.source,
            mac: frame.read(6).unwrap_or_default(),
            checksum: advert.checksum,
            watched: seen.watched,
        };
        // What was lost or held back is still news when the next advert comes.
        if event::send(event, stats) {
            watch.told = news;
        }
    }
}

#[inline(always)]
fn stamp(seen: &mut Seen, rules: &Rules, advert: &Advert, at: u64) -> Sign {
    seen.last = Stamp {
        at,
        source: advert.source,
        interval_cs: advert.interval_cs,
        priority: advert.priority,
        checksum: advert.checksum,
        reserved: [0; 4],
    };
    seen.count += 1;
    let sign = wait::sign(rules, advert.priority, &advert.source);
    if sign != Sign::None {
        let followed = if seen.sign.at == 0 { rules.interval_cs } else { seen.sign.interval_cs };
        seen.sign = seen.last;
        if sign == Sign::Resigned {
            seen.sign.interval_cs = followed;
        }
        seen.yielded = rules.master;
    }
    sign
}
