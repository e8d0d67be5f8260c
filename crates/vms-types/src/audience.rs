//! Audiences: who may make machines with a profile or from an image, and whose default it is.
//!
//! As long as nothing is stated everybody may. Administrators always may: an audience is a rule they make for others. The
//! most specific default wins, as with quotas: the person's own, that of a group, that of their role, and at last the
//! configuration's.

use serde::{Deserialize, Serialize};

use crate::user::Role;

/// What people choose from when they make a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CatalogKind {
    /// Profiles, by name.
    Profile,
    /// Images, by alias.
    Image,
}

impl CatalogKind {
    /// The word used in the database, and for the field that names one in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Image => "image",
        }
    }
}

/// Who may choose a profile or an image (`GET` and `PUT /profiles/{profile}/audience`, `/images/{image}/audience`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// Whether everybody may. The lists beside it are kept, and count once it is `false`.
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub everyone: bool,
    /// Who has one of these roles may.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!(["teacher"])))]
    pub roles: Vec<Role>,
    /// Who is in one of these groups of the directory, by their short names, may.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!(["turma-a"])))]
    pub groups: Vec<String>,
    /// These people, by their login names, may.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!(["ana"])))]
    pub users: Vec<String>,
    /// Whose machines get it when they name none. They may choose it, too.
    #[serde(default)]
    pub default_for: DefaultFor,
}

/// Whose default a profile or an image is. One subject has one default of a kind: to say it here takes it from the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DefaultFor {
    /// Of who has one of these roles.
    #[cfg_attr(feature = "openapi", schema(example = json!([])))]
    pub roles: Vec<Role>,
    /// Of who is in one of these groups of the directory.
    #[cfg_attr(feature = "openapi", schema(example = json!(["turma-a"])))]
    pub groups: Vec<String>,
    /// Of these people.
    #[cfg_attr(feature = "openapi", schema(example = json!([])))]
    pub users: Vec<String>,
}

impl Default for Audience {
    /// As long as nothing is stated.
    fn default() -> Self {
        Self {
            everyone: true,
            roles: Vec::new(),
            groups: Vec::new(),
            users: Vec::new(),
            default_for: DefaultFor::default(),
        }
    }
}

/// The person who chooses.
#[derive(Debug, Clone, Copy)]
pub struct Chooser<'a> {
    /// Login name.
    pub username: &'a str,
    /// The role in force.
    pub role: Role,
    /// Short names of the directory's groups.
    pub groups: &'a [String],
}

impl Audience {
    /// Whether this person may choose it.
    #[must_use]
    pub fn admits(&self, who: Chooser<'_>) -> bool {
        who.role == Role::Admin
            || self.everyone
            || self.roles.contains(&who.role)
            || self.users.iter().any(|name| name == who.username)
            || self.groups.iter().any(|group| who.groups.contains(group))
            || self.default_level(who).is_some()
    }

    /// How specifically it is this person's default; of two the larger one wins. `None` if it is not.
    #[must_use]
    pub fn default_level(&self, who: Chooser<'_>) -> Option<u8> {
        let DefaultFor { roles, groups, users } = &self.default_for;
        if users.iter().any(|name| name == who.username) {
            Some(3)
        } else if groups.iter().any(|group| who.groups.contains(group)) {
            Some(2)
        } else if roles.contains(&who.role) {
            Some(1)
        } else {
            None
        }
    }

    /// Sorts every list and leaves out what stands in it twice, so that one rule has one form.
    pub fn tidy(&mut self) {
        let defaults = &mut self.default_for;
        for roles in [&mut self.roles, &mut defaults.roles] {
            roles.sort_unstable();
            roles.dedup();
        }
        for names in [&mut self.groups, &mut self.users, &mut defaults.groups, &mut defaults.users] {
            names.sort_unstable();
            names.dedup();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who<'a>(username: &'a str, role: Role, groups: &'a [String]) -> Chooser<'a> {
        Chooser { username, role, groups }
    }

    #[test]
    fn everybody_may_until_something_is_stated_and_administrators_always() {
        let groups = ["turma-a".to_owned()];
        let (bruno, ana) = (who("bruno", Role::Student, &groups), who("ana", Role::Student, &[]));
        let (prof, admin) = (who("prof", Role::Teacher, &[]), who("admin", Role::Admin, &[]));
        assert!(Audience::default().admits(ana));
        let nobody = Audience { everyone: false, ..Audience::default() };
        assert!(!nobody.admits(bruno) && !nobody.admits(prof) && nobody.admits(admin));
        let teachers = Audience { roles: vec![Role::Teacher], ..nobody.clone() };
        assert!(teachers.admits(prof) && !teachers.admits(ana));
        let class = Audience { groups: vec!["turma-a".into()], ..nobody.clone() };
        assert!(class.admits(bruno) && !class.admits(ana));
        let one = Audience { users: vec!["ana".into()], ..nobody.clone() };
        assert!(one.admits(ana) && !one.admits(bruno));
        let default_for = DefaultFor { groups: vec!["turma-a".into()], ..DefaultFor::default() };
        let default = Audience { default_for, ..nobody };
        assert!(default.admits(bruno) && !default.admits(ana), "what is given unasked may be asked for");
    }

    #[test]
    fn the_most_specific_default_counts() {
        let groups = ["turma-a".to_owned()];
        let bruno = who("bruno", Role::Student, &groups);
        let mut audience = Audience::default();
        assert_eq!(audience.default_level(bruno), None);
        audience.default_for.roles = vec![Role::Student];
        assert_eq!(audience.default_level(bruno), Some(1));
        audience.default_for.groups = vec!["turma-a".into()];
        assert_eq!(audience.default_level(bruno), Some(2));
        audience.default_for.users = vec!["bruno".into()];
        assert_eq!(audience.default_level(bruno), Some(3));
    }

    #[test]
    fn everyone_must_be_said_and_one_rule_has_one_form() {
        assert!(serde_json::from_str::<Audience>("{}").is_err());
        let mut read: Audience = serde_json::from_str(
            r#"{"everyone": false, "users": ["b", "a", "b"], "roles": ["teacher", "student"]}"#,
        )
        .unwrap();
        read.tidy();
        assert_eq!(
            (read.users, read.roles),
            (vec!["a".into(), "b".into()], vec![Role::Student, Role::Teacher])
        );
    }
}
