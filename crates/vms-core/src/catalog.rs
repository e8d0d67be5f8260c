//! Images and profiles to choose from: those that the person may use, with their default marked.

use std::collections::BTreeMap;

use vms_authz::{Allowed, Catalog, action::ViewCatalog};
use vms_types::{CatalogKind, Image, Profile, Role};

use crate::audience::chooser;
use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// The images of all servers that may be used, by alias. Administrators are told who may use each.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn images(&self, proof: &Allowed<Catalog, ViewCatalog>) -> Result<Vec<Image>, CoreError> {
        let (who, choices) = (chooser(proof.actor()), self.choices(CatalogKind::Image).await?);
        let default = choices.default_of(who);
        let mut found: BTreeMap<String, Image> = BTreeMap::new();
        for image in self.parts.fleet.servers().flat_map(|s| s.images()) {
            if choices.admit(&image.alias, who) {
                found.entry(image.alias.clone()).or_insert_with(|| Image {
                    default: default == Some(image.alias.as_str()),
                    audience: (who.role == Role::Admin).then(|| choices.stated(&image.alias)),
                    alias: image.alias,
                    description: image.description,
                    fingerprint: image.fingerprint,
                    architecture: image.architecture,
                    size_bytes: image.size_bytes,
                    created_at: image.created_at,
                });
            }
        }
        Ok(found.into_values().collect())
    }

    /// The profiles of all servers that may be used, by name. Administrators are told who may use each, and how many do.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn profiles(&self, proof: &Allowed<Catalog, ViewCatalog>) -> Result<Vec<Profile>, CoreError> {
        let (who, choices) = (chooser(proof.actor()), self.choices(CatalogKind::Profile).await?);
        let default = choices.default_of(who);
        let carried = (who.role == Role::Admin).then(|| self.profiles_carried());
        let mut found: BTreeMap<String, Profile> = BTreeMap::new();
        for profile in self.parts.fleet.servers().flat_map(|s| s.profiles()) {
            if choices.admit(&profile.name, who) {
                found.entry(profile.name.clone()).or_insert_with(|| Profile {
                    default: default == Some(profile.name.as_str()),
                    machines: carried.as_ref().map(|all| all.get(&profile.name).copied().unwrap_or_default()),
                    audience: carried.as_ref().map(|_| choices.stated(&profile.name)),
                    name: profile.name,
                    description: profile.description,
                    limits: profile.limits,
                    interfaces: profile.interfaces,
                });
            }
        }
        Ok(found.into_values().collect())
    }

    /// How many instances carry each profile.
    fn profiles_carried(&self) -> BTreeMap<String, u32> {
        let mut carried = BTreeMap::new();
        for view in self.parts.fleet.servers().flat_map(|server| server.instances()) {
            for name in &view.profiles {
                *carried.entry(name.clone()).or_default() += 1;
            }
        }
        carried
    }
}
