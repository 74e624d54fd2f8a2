//! Checks and weights that cannot do what they are there for.

use super::super::model::Config;
use super::Linter;
use super::priority::{Effect, Factor, Standing, factors, group_of, is_script, standing};

impl Linter<'_> {
    pub(super) fn tracking(&mut self, is_pair: bool) {
        for index in 0..self.config.instances.len() {
            self.weights(index, is_pair);
        }
        self.checks();
        self.nobody_tracks();
        self.mail();
    }

    /// Weights that change nothing, whatever the other node has.
    fn weights(&mut self, index: usize, is_pair: bool) {
        let config = self.config;
        let instance = &config.instances[index];
        let factors = factors(config, index);
        let healthy = standing(instance.priority, &factors, |_| false);
        for (at, factor) in factors.iter().enumerate() {
            let span = self.places.near(&factor.path);
            let Factor { what, effect, .. } = factor;
            match effect {
                Effect::Nothing => {
                    let group = group_of(config, instance).map_or("", |(_, group)| &group.name);
                    let message = format!("{what} has a weight, and the group `{group}` counts no weights");
                    let help = "write weight 0, so that the group goes to FAULT, or add `sync_group_tracking_weight`";
                    self.findings.warn(span, message, help);
                }
                Effect::Weight { .. } if instance.priority == 255 => {
                    let message = format!("{what} moves nothing: priority 255 stays 255");
                    self.findings.warn(
                        span,
                        message,
                        "use a priority below 255, or weight 0, which is FAULT",
                    );
                }
                Effect::Weight { .. }
                    if standing(instance.priority, &factors, |down| down == at) == healthy =>
                {
                    let Standing::Priority(fixed) = healthy else { continue };
                    let message = format!(
                        "{what} can never matter: with or without it the priority is held at {fixed}"
                    );
                    let help = "lower the priority or the weights, so that their sum stays within 1 to 254";
                    self.findings.warn(span, message, help);
                }
                Effect::Weight { .. } if !instance.preempt && !is_pair => {
                    let message = format!(
                        "{what} lowers the priority, and a node with `nopreempt` lets a MASTER of lower priority be"
                    );
                    let help =
                        "write weight 0, so that the MASTER goes to FAULT and gives the addresses away";
                    self.findings.warn(span, message, help);
                }
                _ => {}
            }
        }
    }

    /// Runs that overlap.
    fn checks(&mut self) {
        for (index, check) in self.config.checks.iter().enumerate() {
            if check.timeout > check.interval {
                let span = self.places.near(&format!("check[{index}].timeout"));
                let (timeout, interval) = (check.timeout.as_secs_f64(), check.interval.as_secs_f64());
                let message = format!(
                    "a run of `{}` may take {timeout} s, and the next is due after {interval} s",
                    check.name
                );
                let help = format!(
                    "write a timeout of at most {interval}; runs that are due meanwhile are left out"
                );
                self.findings.warn(span, message, help);
            }
        }
    }

    /// What is configured, and moves nothing.
    fn nobody_tracks(&mut self) {
        let Config { checks, files, processes, instances, sync_groups, .. } = self.config;
        let tracks = || {
            instances
                .iter()
                .map(|instance| &instance.track)
                .chain(sync_groups.iter().map(|group| &group.track))
        };
        let mut idle = Vec::new();
        for (index, check) in checks.iter().enumerate() {
            if !tracks().any(|track| track.checks.iter().any(|tracked| tracked.name == check.name)) {
                let what = if is_script(&check.probe) { "script" } else { "check" };
                idle.push((format!("check[{index}]"), what, &check.name, "track_script"));
            }
        }
        for (index, file) in files.iter().enumerate() {
            if !tracks().any(|track| track.files.iter().any(|tracked| tracked.name == file.name)) {
                idle.push((format!("file[{index}]"), "file", &file.name, "track_file"));
            }
        }
        for (index, process) in processes.iter().enumerate() {
            if !tracks().any(|track| track.processes.iter().any(|tracked| tracked.name == process.name)) {
                idle.push((format!("process[{index}]"), "process", &process.name, "track_process"));
            }
        }
        for (path, what, name, key) in idle {
            let span = self.places.near(&path);
            let message = format!("nobody tracks the {what} `{name}`: it moves nothing");
            self.findings.warn(span, message, format!("name it in the `{key}` of an instance, or remove it"));
        }
    }

    /// Mail to nobody.
    fn mail(&mut self) {
        if self.config.mail.is_some() {
            return;
        }
        let instance = self.config.instances.iter().position(|instance| instance.notify.mail);
        if let Some(index) = instance {
            let span = self.places.near(&format!("instance[{index}].smtp_alert"));
            let message = "mail is to be sent, and nobody is named to get it";
            self.findings.warn(
                span,
                message,
                "add `notification_email` in global_defs, or remove `smtp_alert`",
            );
        }
    }
}
