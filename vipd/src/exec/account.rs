//! Who runs a program.

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgrouplist};

use super::Error;
use crate::config::Account;

/// The user that Keepalived runs scripts as where there is such a user and the configuration names none.
const DEFAULT_USER: &str = "keepalived_script";

/// User, group and supplementary groups of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Those of the agent.
    Own(Uid),
    /// Others.
    Other {
        /// The user.
        uid: Uid,
        /// The group.
        gid: Gid,
        /// Every group, the above included.
        groups: Vec<Gid>,
    },
}

impl Identity {
    pub(super) fn uid(&self) -> u32 {
        match self {
            Self::Own(uid) | Self::Other { uid, .. } => uid.as_raw(),
        }
    }

    pub(super) fn ids(&self) -> (u32, u32) {
        match self {
            Self::Own(uid) => (uid.as_raw(), getegid().as_raw()),
            Self::Other { uid, gid, .. } => (uid.as_raw(), gid.as_raw()),
        }
    }
}

/// Looks an account up; [`DEFAULT_USER`], else the agent's own, where none is named.
pub(super) fn resolve(account: Option<&Account>) -> Result<Identity, Error> {
    let Some(account) = account else {
        let default = User::from_name(DEFAULT_USER).ok().flatten();
        return Ok(default.map_or(Identity::Own(geteuid()), |user| identity(&user, user.gid)));
    };
    let unknown = |kind, name: &String| Error::NoAccount { kind, name: name.clone() };
    let user = user(&account.user).ok_or_else(|| unknown("user", &account.user))?;
    let gid = match &account.group {
        None => user.gid,
        Some(name) => group(name).ok_or_else(|| unknown("group", name))?,
    };
    Ok(identity(&user, gid))
}

fn identity(user: &User, gid: Gid) -> Identity {
    if (user.uid, gid) == (geteuid(), getegid()) {
        return Identity::Own(user.uid);
    }
    let name = std::ffi::CString::new(user.name.as_str()).unwrap_or_default();
    let groups = getgrouplist(&name, gid).unwrap_or_else(|_| vec![gid]);
    Identity::Other { uid: user.uid, gid, groups }
}

/// By name or number.
fn user(name: &str) -> Option<User> {
    let named = User::from_name(name).ok().flatten();
    named.or_else(|| User::from_uid(Uid::from_raw(name.parse().ok()?)).ok().flatten())
}

fn group(name: &str) -> Option<Gid> {
    let named = Group::from_name(name).ok().flatten().map(|group| group.gid);
    named.or_else(|| name.parse().ok().map(Gid::from_raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(user: &str, group: Option<&str>) -> Account {
        Account { user: user.to_owned(), group: group.map(str::to_owned) }
    }

    #[test]
    fn an_account_is_named_or_numbered_and_brings_its_groups() {
        if crate::rights::needs_root() {
            return;
        }
        let nobody = User::from_name("nobody").expect("user database").expect("every Linux has it");
        let by_name = resolve(Some(&account("nobody", None))).expect("a user");
        let by_number = resolve(Some(&account(&nobody.uid.to_string(), None))).expect("a user");
        assert_eq!(by_name, by_number);
        let Identity::Other { uid, gid, groups } = by_name else { panic!("tests run as somebody else") };
        assert_eq!((uid, gid), (nobody.uid, nobody.gid));
        assert!(groups.contains(&gid));
    }

    #[test]
    fn a_group_of_its_own_takes_the_place_of_the_users() {
        if crate::rights::needs_root() {
            return;
        }
        let identity = resolve(Some(&account("nobody", Some("0")))).expect("a user");
        assert!(matches!(identity, Identity::Other { gid, .. } if gid.as_raw() == 0), "{identity:?}");
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let error = resolve(Some(&account("nosuchuser", None))).expect_err("no such user");
        assert!(error.to_string().starts_with("there is no user nosuchuser"), "{error}");
        let error = resolve(Some(&account("nobody", Some("nosuchgroup")))).expect_err("no such group");
        assert!(error.to_string().starts_with("there is no group nosuchgroup"), "{error}");
    }
}
