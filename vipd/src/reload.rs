//! Another configuration for an agent that runs: read and checked, and every virtual router that stays in its place.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{self, Config, Datapath, Diagnostics, Instance, Loaded};
use crate::track::{Before, Tracking};
use crate::warden::Will;

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Lines for certain hosts (`@host`) count as they do on this one.
    pub host: String,
    /// What the command line says of the datapath, which wins over the file.
    pub datapath: Option<Datapath>,
}

impl Source {
    /// Reads it.
    ///
    /// # Errors
    /// As for [`config::load`].
    pub fn load(&self) -> Result<Loaded, Diagnostics> {
        let mut loaded = config::load(&self.path, &self.host)?;
        loaded.config.datapath = self.datapath.unwrap_or(loaded.config.datapath);
        Ok(loaded)
    }
}

/// Another configuration that can be used.
pub(crate) struct Prepared {
    pub(crate) config: Arc<Config>,
    pub(crate) tracking: Tracking,
    pub(crate) warnings: Diagnostics,
}

/// Why another configuration is not used.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is wrong.
    Wrong(Diagnostics),
    /// It cannot be used by this agent, or on this host: a sentence.
    Unfit(String),
}

impl Refusal {
    /// It in the form for terminals, a text for each finding.
    pub(crate) fn rendered(&self) -> Vec<String> {
        match self {
            Self::Wrong(diagnostics) => rendered(diagnostics),
            Self::Unfit(sentence) => vec![sentence.clone()],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(diagnostics) => write!(f, "{diagnostics}"),
            Self::Unfit(sentence) => f.write_str(sentence),
        }
    }
}

/// Findings in the form for terminals.
pub(crate) fn rendered(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| diagnostic.render(true)).collect()
}

/// Reads the configuration anew for an agent that has this will and so many places for virtual routers. May hang with a file
/// system.
pub(crate) fn prepare(
    source: &Source,
    before: &Before,
    will: &Will,
    places: usize,
) -> Result<Prepared, Refusal> {
    let Loaded { config, warnings, .. } = source.load().map_err(Refusal::Wrong)?;
    let config = in_places(&before.config, config);
    if let Some(sentence) = needs_restart(&before.config, &config) {
        return Err(Refusal::Unfit(sentence));
    }
    if config.instances.len() > places || !will.fits(&config) {
        let sentence = "this is more than vipd has set aside room for when it started: restart it to use this configuration";
        return Err(Refusal::Unfit(sentence.to_owned()));
    }
    let tracking = Tracking::prepare(&config, Some(before));
    Ok(Prepared { config: Arc::new(config), tracking, warnings })
}

/// What is for the whole process cannot be changed while it runs.
fn needs_restart(before: &Config, after: &Config) -> Option<String> {
    let what = if before.datapath != after.datapath {
        "the datapath"
    } else if before.net_namespace != after.net_namespace {
        "`net_namespace`"
    } else {
        return None;
    };
    Some(format!("{what} cannot be changed while vipd runs: restart it to use this configuration"))
}

/// Has the virtual routers of a configuration in the places that they have already, and those that are new in vacant ones.
/// The places of those that are not in it any more become vacant.
fn in_places(before: &Config, mut after: Config) -> Config {
    let (mut kept, mut added) = (vec![None; before.instances.len()], Vec::new());
    for instance in after.instances {
        match before.instances.iter().position(|before| before.is_same_router(&instance)) {
            Some(place) => kept[place] = Some(instance),
            None => added.push(instance),
        }
    }
    let mut added = added.into_iter();
    let place = |(before, kept): (&Instance, Option<Instance>)| {
        let comes = if kept.is_none() && before.is_vacant() { added.next() } else { None };
        kept.or(comes).unwrap_or_else(|| before.vacated())
    };
    let mut instances: Vec<Instance> = before.instances.iter().zip(kept).map(place).collect();
    instances.extend(added);
    after.instances = instances;
    after
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vipd_core::Version;

    use super::*;
    use crate::config::{Deleted, Notify};

    fn instance(name: &str, vrid: u8) -> Instance {
        let notify = Notify { deleted: Deleted::Deleted, ..Notify::default() };
        Instance { notify, ..Instance::new(name.to_owned(), "eth0".to_owned(), vrid) }
    }

    fn config(instances: Vec<Instance>) -> Config {
        Config { instances, ..Config::default() }
    }

    /// Names in their places; those of vacant places in brackets.
    fn names(config: &Config) -> Vec<String> {
        let name = |instance: &Instance| {
            if instance.is_vacant() { format!("({})", instance.name) } else { instance.name.clone() }
        };
        config.instances.iter().map(name).collect()
    }

    #[test]
    fn who_stays_keeps_its_place_and_who_is_new_gets_one_that_was_vacant_before() {
        let first = config(vec![instance("A", 1), instance("B", 2), instance("C", 3)]);

        let second = in_places(&first, config(vec![instance("D", 4), instance("C", 3), instance("A", 1)]));
        assert_eq!(names(&second), ["A", "(B)", "C", "D"]);

        let third = in_places(&second, config(vec![instance("A", 1), instance("E", 5)]));
        assert_eq!(names(&third), ["A", "E", "(C)", "(D)"]);
    }

    /// Keepalived: what it is on the wire is what counts.
    #[test]
    fn another_name_is_the_same_virtual_router_and_another_identity_another_one() {
        let before = config(vec![instance("A", 1)]);
        let cases = [
            ("name", Instance { name: "Z".to_owned(), ..instance("A", 1) }, vec!["Z"]),
            ("priority", Instance { priority: 7, ..instance("A", 1) }, vec!["A"]),
            ("interface", Instance { interface: "eth1".to_owned(), ..instance("A", 1) }, vec!["(A)", "A"]),
            ("VRID", instance("A", 2), vec!["(A)", "A"]),
            ("version", Instance { version: Version::V3, ..instance("A", 1) }, vec!["(A)", "A"]),
            ("family", Instance { family: config::Family::V6, ..instance("A", 1) }, vec!["(A)", "A"]),
        ];
        for (what, after, expected) in cases {
            assert_eq!(names(&in_places(&before, config(vec![after]))), expected, "{what}");
        }
    }

    #[test]
    fn a_place_that_becomes_vacant_knows_whom_to_tell_until_the_next_reload() {
        let before = config(vec![instance("A", 1)]);

        let vacated = in_places(&before, config(vec![]));
        let again = in_places(&vacated, config(vec![]));

        assert_eq!(vacated.instances[0].notify.deleted, Deleted::Deleted);
        assert_eq!(again.instances[0].notify, Notify::default());
    }

    #[test]
    fn what_is_for_the_whole_process_needs_a_restart() {
        let before = config(vec![]);
        let netns = Config { net_namespace: Some("blue".to_owned()), ..before.clone() };
        let datapath = Config { datapath: Datapath::Tcx, ..before.clone() };

        for (after, what) in [(netns, "net_namespace"), (datapath, "datapath")] {
            let sentence = needs_restart(&before, &after).expect("refused");
            assert!(sentence.contains(what) && sentence.contains("restart"), "{sentence}");
        }
        assert_eq!(needs_restart(&before, &Config { script_security: true, ..before.clone() }), None);
    }

    proptest! {
        /// Nobody moves, nobody is lost, and places do not become more than there were virtual routers at once.
        #[test]
        fn places_are_kept_over_any_row_of_reloads(
            rows in prop::collection::vec(prop::collection::btree_set(1_u8..20, 0..10), 1..10),
        ) {
            let mut now = config(vec![]);
            let mut most = 0;
            for vrids in rows {
                let after = config(vrids.iter().map(|vrid| instance("X", *vrid)).collect());
                most = most.max(vrids.len() + now.instances.iter().filter(|instance| !instance.is_vacant()).count());
                let next = in_places(&now, after);
                let there: std::collections::BTreeSet<u8> =
                    next.instances.iter().filter(|instance| !instance.is_vacant()).map(|instance| instance.vrid).collect();
                prop_assert_eq!(there, vrids);
                for (before, after) in now.instances.iter().zip(&next.instances) {
                    prop_assert!(before.is_vacant() || after.is_vacant() || before.vrid == after.vrid);
                }
                prop_assert!(next.instances.len() <= most, "{} places", next.instances.len());
                now = next;
            }
        }
    }
}
