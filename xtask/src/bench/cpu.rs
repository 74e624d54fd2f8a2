//! What all cores of the machine have done together (`/proc/stat`). Counted by clock ticks of 10 ms, so only long spans
//! tell anything.

use std::fs;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(10);

/// Time of all cores together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cpu {
    /// Neither idle nor waiting for a disk.
    pub(super) busy: Duration,
    /// Of that, hard and soft interrupts, where frames are handled.
    pub(super) interrupts: Duration,
}

impl Cpu {
    /// Since the machine was started.
    pub(super) fn now() -> Self {
        Self::read(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(earlier.busy),
            interrupts: self.interrupts.saturating_sub(earlier.interrupts),
        }
    }

    fn read(stat: &str) -> Self {
        let all = stat.lines().find_map(|line| line.strip_prefix("cpu "));
        let ticks: Vec<u32> =
            all.unwrap_or_default().split_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal.
        let sum = |places: &[usize]| TICK * places.iter().filter_map(|place| ticks.get(*place)).sum::<u32>();
        Self { busy: sum(&[0, 1, 2, 5, 6]), interrupts: sum(&[5, 6]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_all_but_idle_disk_and_stolen_time() {
        let read = Cpu::read("cpu  100 10 50 9999 777 3 7 55 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n");

        assert_eq!(read, Cpu { busy: TICK * 170, interrupts: TICK * 10 });
    }
}
