//! What a process must look like (`process`, `param_match`, `full_command`).

use crate::config::{Parameters, ProcessTracker};

/// Octets of a process name that the kernel keeps.
const NAME_MAX: usize = 15;

/// A process as it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// As configured, perhaps with a path.
    program: String,
    /// The name alone, as the kernel would keep it.
    name: String,
    /// The whole command line counts, not the name.
    whole: bool,
    parameters: Parameters,
}

impl Pattern {
    /// Any process of this name.
    pub(super) fn named(name: &str) -> Self {
        let cut = name
            .char_indices()
            .map(|(at, letter)| at + letter.len_utf8())
            .take_while(|end| *end <= NAME_MAX)
            .last();
        Self {
            program: name.to_owned(),
            name: name[..cut.unwrap_or(0)].to_owned(),
            whole: false,
            parameters: Parameters::Any,
        }
    }

    /// As a tracker describes it.
    pub(super) fn of(tracker: &ProcessTracker) -> Self {
        let name = tracker.process.rsplit('/').next().unwrap_or_default();
        Self {
            program: tracker.process.clone(),
            whole: tracker.full_command || tracker.parameters != Parameters::Any,
            parameters: tracker.parameters.clone(),
            ..Self::named(name)
        }
    }

    /// Whether a process with this name, and this command line, is one.
    pub(super) fn matches(&self, name: &str, command_line: impl FnOnce() -> Vec<String>) -> bool {
        if !self.whole {
            return name == self.name;
        }
        let words = command_line();
        let Some((program, given)) = words.split_first() else { return false };
        *program == self.program
            && match &self.parameters {
                Parameters::Any => true,
                Parameters::Exact(wanted) => given == wanted,
                Parameters::Partial(wanted) => given.starts_with(wanted),
                Parameters::Initial(wanted) => is_initial(given, wanted),
            }
    }
}

/// The last wanted word may go on.
fn is_initial(given: &[String], wanted: &[String]) -> bool {
    let Some((last, first)) = wanted.split_last() else { return true };
    given.starts_with(first) && given.get(first.len()).is_some_and(|word| word.starts_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn pattern(program: &str, full_command: bool, parameters: Parameters) -> Pattern {
        Pattern::of(&ProcessTracker {
            name: "t".to_owned(),
            process: program.to_owned(),
            parameters,
            full_command,
            weight: crate::config::Weight::default(),
            quorum: 1,
            quorum_max: None,
            fork_delay: std::time::Duration::ZERO,
            terminate_delay: std::time::Duration::ZERO,
        })
    }

    #[test]
    fn without_parameters_the_name_counts_as_the_kernel_cuts_it() {
        let cases = [
            ("haproxy", "haproxy", true),
            ("/usr/sbin/haproxy", "haproxy", true),
            ("haproxy", "haproxy2", false),
            ("a-very-long-name-indeed", "a-very-long-nam", true),
        ];
        for (program, name, expected) in cases {
            let pattern = pattern(program, false, Parameters::Any);
            let matches = pattern.matches(name, || panic!("the command line is not needed"));
            assert_eq!(matches, expected, "{program}: {name}");
        }
    }

    #[test]
    fn param_match_and_full_command_look_at_the_whole_command_line() {
        let exact = || Parameters::Exact(words("-f a.cfg"));
        let partial = || Parameters::Partial(words("-f a"));
        let initial = || Parameters::Initial(words("-f a"));
        let cases = [
            (Parameters::Any, "p -x", true),
            (Parameters::Any, "/bin/p -x", false),
            (exact(), "p -f a.cfg", true),
            (exact(), "p -f a.cfg -D", false),
            (partial(), "p -f a -D", true),
            (partial(), "p -f a.cfg", false),
            (initial(), "p -f a.cfg -D", true),
            (initial(), "p -g a.cfg", false),
            (initial(), "p -f", false),
            (Parameters::Exact(Vec::new()), "p", true),
            (Parameters::Exact(Vec::new()), "p -x", false),
        ];
        for (parameters, line, expected) in cases {
            let pattern = pattern("p", true, parameters.clone());
            assert_eq!(pattern.matches("other", || words(line)), expected, "{parameters:?}: {line}");
        }
    }
}
