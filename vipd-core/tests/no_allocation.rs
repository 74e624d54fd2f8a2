//! The deciding thread allocates nothing in the steady state, so that it never waits for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use vipd_core::{Advert, Announcing, Input, InstanceId, Instant, Interval, Router, Spec, State, Version};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread asks of it.
struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract; the counter neither
// allocates (it is const-initialised and has no destructor) nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and all memory comes from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const COUNT: u16 = 1_000;
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 11));

fn centis(cs: u16) -> Interval {
    Interval::from_centis(cs).expect("an interval above zero")
}

/// Many started virtual routers that announce as keepalived does, and refresh every second.
fn router() -> Router {
    let spec = Spec {
        version: Version::V3,
        priority: 100,
        interval: centis(10),
        preempt: true,
        preempt_delay: Duration::ZERO,
        down_adverts: 3,
        mute_to_losers: false,
        last_word: false,
        group: None,
        fenced: false,
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 12)),
        announcing: Announcing {
            repeat: 5,
            delay: Duration::from_secs(5),
            refresh: Duration::from_secs(1),
            refresh_repeat: 2,
            losing_repeat: 1,
            losing_delay: Duration::ZERO,
        },
    };
    let mut router = Router::new(vec![spec; usize::from(COUNT)]);
    for id in (0..COUNT).map(InstanceId) {
        router.handle(id, Input::Startup, Instant::default());
        while router.poll_action().is_some() {}
    }
    router
}

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

fn expire_next(router: &mut Router) -> usize {
    let due = router.next_deadline().expect("a timer runs");
    router.expire(due);
    std::iter::from_fn(|| router.poll_action()).count()
}

#[test]
fn the_count_is_a_real_one() {
    assert_eq!(allocations_of(|| drop(std::hint::black_box(Box::new(1_u64)))), 1);
}

#[test]
fn masters_take_over_advertise_and_announce_without_allocating() {
    let mut router = router();
    let mut actions = 0;

    let allocations = allocations_of(|| {
        for _ in 0..100 {
            actions += expire_next(&mut router);
        }
    });

    assert_eq!(allocations, 0);
    assert!(actions > 100 * usize::from(COUNT), "only {actions} actions");
}

#[test]
fn backups_follow_their_master_without_allocating() {
    let mut router = router();

    let allocations = allocations_of(|| {
        for turn in 1..=50 {
            let at = Instant::from_nanos(turn * 100_000_000);
            for id in (0..COUNT).map(InstanceId) {
                let advert = Advert { source: PEER, priority: 200, interval: centis(10), at };
                router.handle(id, Input::AdvertSeen(advert), at);
            }
            router.expire(at);
        }
    });

    assert_eq!(allocations, 0);
    assert!((0..COUNT).all(|id| router.state(InstanceId(id)) == State::Backup));
}
