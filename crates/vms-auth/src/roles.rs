//! From groups to one role.

use vms_types::Role;

use crate::config::{DefaultRole, RoleGroups};
use crate::dn::Dn;
use crate::error::ConfigError;

/// Which groups give which role, ready for comparing.
#[derive(Debug)]
pub(crate) struct RoleMap {
    grants: Vec<(Dn, Role)>,
    default: Option<Role>,
}

impl RoleMap {
    /// # Errors
    /// When a group is not written as a DN, or nobody could ever log in.
    pub(crate) fn new(groups: &RoleGroups, default: DefaultRole) -> Result<Self, ConfigError> {
        let mut grants = Vec::new();
        for (key, list, role) in [
            ("roles.admin", &groups.admin, Role::Admin),
            ("roles.teacher", &groups.teacher, Role::Teacher),
            ("roles.student", &groups.student, Role::Student),
        ] {
            for text in list {
                let dn = Dn::parse(text).ok_or_else(|| {
                    ConfigError::new(
                        key,
                        format!("{text:?} is no group DN; write it whole, such as \"cn=alunos,ou=groups,dc=school\""),
                    )
                })?;
                grants.push((dn, role));
            }
        }
        let default = default.role();
        if grants.is_empty() && default.is_none() {
            return Err(ConfigError::new(
                "default_role",
                "is \"none\", and no group has a role: nobody could log in. Fill [directory.roles], or choose a default role",
            ));
        }
        Ok(Self { grants, default })
    }

    /// The highest role that one of the groups gives, else the default, else `None`: not allowed in.
    pub(crate) fn role_of(&self, groups: &[Dn]) -> Option<Role> {
        self.grants
            .iter()
            .filter(|(granting, _)| groups.iter().any(|group| group.same_as(granting)))
            .map(|(_, role)| *role)
            .max()
            .or(self.default)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn map(default: DefaultRole) -> RoleMap {
        let groups = RoleGroups {
            admin: vec!["cn=admins,dc=x".into()],
            teacher: vec!["cn=profs,dc=x".into()],
            student: vec!["cn=alunos,dc=x".into()],
        };
        RoleMap::new(&groups, default).unwrap()
    }

    fn groups(names: &[&str]) -> Vec<Dn> {
        names.iter().map(|name| Dn::parse(name).unwrap()).collect()
    }

    #[test]
    fn the_highest_role_wins_however_it_is_spelled() {
        let map = map(DefaultRole::None);
        assert_eq!(map.role_of(&groups(&["cn=alunos,dc=x", "CN=Admins, DC=X"])), Some(Role::Admin));
        assert_eq!(map.role_of(&groups(&["cn=profs,dc=x", "cn=alunos,dc=x"])), Some(Role::Teacher));
    }

    #[test]
    fn who_is_in_no_group_gets_the_default() {
        assert_eq!(map(DefaultRole::None).role_of(&groups(&["cn=other,dc=x"])), None);
        assert_eq!(map(DefaultRole::Student).role_of(&[]), Some(Role::Student));
    }

    #[test]
    fn short_names_and_locked_doors_are_refused_at_start() {
        let short = RoleGroups { admin: vec!["admins".into()], ..RoleGroups::default() };
        assert_eq!(RoleMap::new(&short, DefaultRole::Student).unwrap_err().key, "roles.admin");
        assert_eq!(RoleMap::new(&RoleGroups::default(), DefaultRole::None).unwrap_err().key, "default_role");
    }
}
