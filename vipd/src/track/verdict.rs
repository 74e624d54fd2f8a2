//! From single results to up and down: Keepalived's `rise`, `fall` and `init_fail`.

use vipd_core::Tracked;

/// What a row of results makes of a check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    rise: u32,
    fall: u32,
    state: Tracked,
    /// Results in a row that speak against the state.
    against: u32,
    /// There was no result yet: the first one decides alone.
    is_first: bool,
}

impl Verdict {
    /// No result so far: the first one decides alone. With `init_fail` it counts as down until then.
    pub(super) fn new(rise: u32, fall: u32, init_fail: bool) -> Self {
        let state = if init_fail { Tracked::Down } else { Tracked::Unknown };
        Self { rise, fall, state, against: 0, is_first: true }
    }

    /// A state that results have led to, or that is taken for granted: the next result is one like any other.
    pub(super) fn resume(rise: u32, fall: u32, state: Tracked) -> Self {
        Self { rise, fall, state, against: 0, is_first: false }
    }

    /// Counts a result, and tells the state that follows.
    pub(super) fn count(&mut self, success: bool) -> Tracked {
        let result = if success { Tracked::Up } else { Tracked::Down };
        let needed = match self.state {
            _ if std::mem::take(&mut self.is_first) => 1,
            Tracked::Up => self.fall,
            _ => self.rise,
        };
        self.against = if result == self.state { 0 } else { self.against + 1 };
        if self.against >= needed.max(1) {
            (self.state, self.against) = (result, 0);
        }
        self.state
    }

    /// The state.
    pub(super) fn state(&self) -> Tracked {
        self.state
    }

    /// How many more results like the last one it takes to change the state; 0 where the last one confirmed it.
    pub(super) fn missing(&self) -> u32 {
        let needed = if self.state == Tracked::Up { self.fall } else { self.rise };
        if self.against == 0 { 0 } else { needed.saturating_sub(self.against) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+` is a success, `-` a failure; the states are told as `?`, `U` and `D`.
    fn states(verdict: &mut Verdict, results: &str) -> String {
        let letter = |state| match state {
            Tracked::Up => 'U',
            Tracked::Down => 'D',
            Tracked::Unknown | Tracked::Value(_) => '?',
        };
        results.chars().map(|result| letter(verdict.count(result == '+'))).collect()
    }

    #[test]
    fn rise_and_fall_count_results_in_a_row() {
        let cases = [
            // rise, fall, init_fail, results, states
            (1, 1, false, "+-+-", "UDUD"),
            // The first result decides alone.
            (3, 3, false, "+--+---++-+++", "UUUUUUDDDDDDU"),
            (3, 3, false, "-++-+++", "DDDDDDU"),
            // init_fail: down before there is any result.
            (2, 2, true, "+--", "UUD"),
            (2, 2, true, "-++", "DDU"),
        ];
        for (rise, fall, init_fail, results, expected) in cases {
            let mut verdict = Verdict::new(rise, fall, init_fail);
            assert_eq!(verdict.state(), if init_fail { Tracked::Down } else { Tracked::Unknown });

            assert_eq!(states(&mut verdict, results), expected, "{results} at rise {rise}, fall {fall}");
        }
    }

    #[test]
    fn a_state_that_was_known_before_takes_as_many_results_to_change_as_ever() {
        assert_eq!(states(&mut Verdict::resume(2, 3, Tracked::Up), "--+---"), "UUUUUD");
        assert_eq!(states(&mut Verdict::resume(2, 3, Tracked::Down), "+-++"), "DDDU");
    }

    #[test]
    fn it_is_told_how_many_results_are_missing() {
        let mut verdict = Verdict::new(2, 3, false);
        let missing: Vec<u32> = "+---++"
            .chars()
            .map(|result| {
                verdict.count(result == '+');
                verdict.missing()
            })
            .collect();
        assert_eq!(missing, [0, 2, 1, 0, 1, 0]);
    }
}
