//! Who may choose which profile and image, and which one a machine gets that names none. Decided here and nowhere else:
//! for the lists that people choose from, and for the machine that is made of what they chose.

use std::collections::BTreeMap;

use vms_authz::{
    Actor, Allowed, Catalog,
    action::{ManageAudience, ViewAudience},
};
use vms_types::{Audience, CatalogKind, Chooser, FieldError};

use crate::error::CoreError;
use crate::vms::Vms;

/// Most names that one list of an audience holds.
const MAX_NAMES: usize = 1000;
/// Longest short name of a group or login name, in characters.
const MAX_NAME: usize = 128;

/// What there is of one kind, with what was stated about it.
pub(crate) struct Choices {
    /// On the servers, and not left out by the configuration.
    names: Vec<String>,
    stated: BTreeMap<String, Audience>,
    configured: Option<String>,
}

impl Choices {
    /// Whether there is one of this name that the person may choose.
    pub fn admit(&self, name: &str, who: Chooser<'_>) -> bool {
        self.names.iter().any(|known| known == name) && self.may(name, who)
    }

    fn may(&self, name: &str, who: Chooser<'_>) -> bool {
        self.stated.get(name).is_none_or(|audience| audience.admits(who))
    }

    /// What the person gets who names none: the most specific default that there is, then the configured one. If they may
    /// not use that one, or none is configured, the first that they may. A configured one that is on no server is a mistake
    /// to be told of, and not to be covered with something else.
    pub fn default_of(&self, who: Chooser<'_>) -> Option<&str> {
        let names = || self.names.iter().map(String::as_str).filter(|name| self.may(name, who));
        let level = |name: &str| self.stated.get(name).and_then(|audience| audience.default_level(who));
        // Of two groups' defaults the first by name: `max_by_key` would give the last.
        let own = names().rev().filter_map(|name| Some((level(name)?, name))).max_by_key(|(level, _)| *level);
        let unowned = || match &self.configured {
            Some(name) if !self.names.contains(name) => None,
            Some(name) if self.may(name, who) => Some(name.as_str()),
            _ => names().next(),
        };
        own.map(|(_, name)| name).or_else(unowned)
    }

    /// What was stated about it.
    pub fn stated(&self, name: &str) -> Audience {
        self.stated.get(name).cloned().unwrap_or_default()
    }
}

/// The person behind a request, as somebody who chooses.
pub(crate) fn chooser(actor: &Actor) -> Chooser<'_> {
    Chooser { username: actor.username(), role: actor.role(), groups: actor.groups() }
}

impl Vms {
    /// What there is of a kind, with who may use it. The servers' part is from memory.
    pub(crate) async fn choices(&self, kind: CatalogKind) -> Result<Choices, CoreError> {
        let stated = self.parts.db.audiences(kind).await?;
        let (servers, settings) = (self.parts.fleet.servers(), &self.parts.settings);
        let (mut names, configured): (Vec<String>, _) = match kind {
            CatalogKind::Profile => {
                let all = servers.flat_map(|server| server.profiles()).map(|profile| profile.name);
                (all.collect(), Some(settings.default_profile.clone()))
            }
            CatalogKind::Image => {
                let all = servers.flat_map(|server| server.images()).map(|image| image.alias);
                (all.filter(|alias| settings.allows_image(alias)).collect(), settings.default_image.clone())
            }
        };
        names.sort_unstable();
        names.dedup();
        Ok(Choices { names, stated, configured })
    }

    /// Who may use a profile or an image.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] if no server has it, or the configuration lets nobody use it.
    pub async fn audience(
        &self,
        _proof: &Allowed<Catalog, ViewAudience>,
        kind: CatalogKind,
        name: &str,
    ) -> Result<Audience, CoreError> {
        let choices = self.known(kind, name).await?;
        Ok(choices.stated(name))
    }

    /// States who may use a profile or an image, and whose default it is. It counts from the next request on; machines
    /// that exist stay as they are.
    ///
    /// # Errors
    /// As for [`Vms::audience`]; [`CoreError::Invalid`] for names that cannot be names, and too many of them.
    pub async fn put_audience(
        &self,
        proof: &Allowed<Catalog, ManageAudience>,
        kind: CatalogKind,
        name: &str,
        mut audience: Audience,
    ) -> Result<Audience, CoreError> {
        self.known(kind, name).await?;
        audience.tidy();
        check(&audience)?;
        self.parts.db.put_audience(proof, kind, name, audience.clone()).await?;
        Ok(audience)
    }

    async fn known(&self, kind: CatalogKind, name: &str) -> Result<Choices, CoreError> {
        let choices = self.choices(kind).await?;
        if choices.names.iter().any(|known| known == name) {
            Ok(choices)
        } else {
            Err(CoreError::NotFound(kind.as_str()))
        }
    }

    /// The profile or image of a new machine: what was asked for if `actor` may have it, else the owner's default.
    /// `None` if there is no such thing, or not for them: who may not learns nothing more.
    pub(crate) async fn choose(
        &self,
        kind: CatalogKind,
        asked: Option<&str>,
        actor: Chooser<'_>,
        owner: Chooser<'_>,
    ) -> Result<Option<String>, CoreError> {
        let choices = self.choices(kind).await?;
        let chosen = match asked {
            Some(name) => Some(name).filter(|name| choices.admit(name, actor)),
            None => choices.default_of(owner),
        };
        Ok(chosen.map(str::to_owned))
    }
}

fn check(audience: &Audience) -> Result<(), CoreError> {
    let defaults = &audience.default_for;
    let mut errors = Vec::new();
    for (field, names) in [
        ("groups", &audience.groups),
        ("users", &audience.users),
        ("default_for.groups", &defaults.groups),
        ("default_for.users", &defaults.users),
    ] {
        if names.len() > MAX_NAMES {
            errors.push(FieldError::new(field, "length", format!("has more than {MAX_NAMES} names")));
        }
        let valid = |name: &String| {
            (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains(char::is_control)
        };
        if !names.iter().all(valid) {
            let message = format!("must be names of 1 to {MAX_NAME} characters, without control characters");
            errors.push(FieldError::new(field, "character", message));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(CoreError::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use vms_types::{DefaultFor, Role};

    use super::*;

    fn default_for(roles: &[Role], groups: &[&str], users: &[&str]) -> Audience {
        let words = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
        let default_for = DefaultFor { roles: roles.to_vec(), groups: words(groups), users: words(users) };
        Audience { default_for, ..Audience::default() }
    }

    fn choices(names: &[&str], stated: &[(&str, Audience)], configured: Option<&str>) -> Choices {
        Choices {
            names: names.iter().map(|&name| name.into()).collect(),
            stated: stated.iter().map(|(name, audience)| ((*name).into(), audience.clone())).collect(),
            configured: configured.map(str::to_owned),
        }
    }

    #[test]
    fn the_most_specific_default_that_there_is_wins() {
        let groups = ["turma-a".to_owned(), "turma-b".to_owned()];
        let bruno = Chooser { username: "bruno", role: Role::Student, groups: &groups };
        let stated = [
            ("a", default_for(&[Role::Student], &[], &[])),
            ("b", default_for(&[], &["turma-b"], &[])),
            ("c", default_for(&[], &["turma-a"], &[])),
            ("d", default_for(&[], &[], &["bruno"])),
        ];
        let of = |names: &[&str]| choices(names, &stated, Some("e")).default_of(bruno).map(str::to_owned);
        assert_eq!(of(&["a", "b", "c", "d", "e"]).as_deref(), Some("d"));
        assert_eq!(of(&["a", "b", "c", "e"]).as_deref(), Some("b"), "of two groups the first by name");
        assert_eq!(of(&["a", "e"]).as_deref(), Some("a"));
        assert_eq!(of(&["0", "e"]).as_deref(), Some("e"));
        assert_eq!(of(&["1", "2"]), None, "the configured one is missing");
        assert_eq!(choices(&["1", "2"], &stated, None).default_of(bruno), Some("1"));
    }

    #[test]
    fn what_one_may_not_use_is_no_default() {
        let bruno = Chooser { username: "bruno", role: Role::Student, groups: &[] };
        let closed = Audience { everyone: false, ..Audience::default() };
        let stated = [("closed", closed)];
        let there = choices(&["closed", "open"], &stated, Some("closed"));
        assert_eq!(there.default_of(bruno), Some("open"));
        assert!(!there.admit("closed", bruno) && there.admit("open", bruno) && !there.admit("gone", bruno));
    }
}
