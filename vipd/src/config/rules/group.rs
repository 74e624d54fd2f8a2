//! Groups of instances.

use super::super::read::quoted;
use super::super::suggest;
use super::Judge;

impl Judge<'_> {
    /// Members exist, and a group has more than one.
    pub(super) fn group(&mut self, index: usize) {
        let group = &self.config.sync_groups[index];
        let names = || self.config.instances.iter().map(|instance| instance.name.as_str());
        for (at, member) in
            group.members.iter().enumerate().filter(|(_, member)| !names().any(|name| name == *member))
        {
            let span = self.places.near(&format!("sync_group[{index}].members[{at}]"));
            let help = match suggest::nearest(member, names()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "name an instance of this file, or remove it".to_owned(),
            };
            self.findings.error(span, format!("there is no instance called {}", quoted(member)), help);
        }
        if group.members.len() == 1 {
            let span = self.places.near(&format!("sync_group[{index}]"));
            let message =
                format!("group {} has one member only, which moves as it would without", quoted(&group.name));
            self.findings.warn(span, message, "add the other instances, or remove the group");
        }
    }
}
