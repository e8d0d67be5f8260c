//! Images and profiles to choose from.

use std::collections::BTreeMap;

use vms_authz::{Allowed, Catalog, action::ViewCatalog};
use vms_types::{Image, Profile};

use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// The images of all servers that may be used, by alias.
    ///
    /// # Errors
    /// None so far; the signature leaves room for visibility kept in the database.
    pub async fn images(&self, _proof: &Allowed<Catalog, ViewCatalog>) -> Result<Vec<Image>, CoreError> {
        let default = self.default_image();
        let mut found: BTreeMap<String, Image> = BTreeMap::new();
        for image in self.parts.fleet.servers().flat_map(|s| s.images()) {
            if self.parts.settings.allows_image(&image.alias) {
                found.entry(image.alias.clone()).or_insert_with(|| Image {
                    default: default.as_ref() == Some(&image.alias),
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

    /// The profiles of all servers, by name.
    ///
    /// # Errors
    /// None so far; as for [`Vms::images`].
    pub async fn profiles(&self, _proof: &Allowed<Catalog, ViewCatalog>) -> Result<Vec<Profile>, CoreError> {
        let mut found: BTreeMap<String, Profile> = BTreeMap::new();
        for profile in self.parts.fleet.servers().flat_map(|s| s.profiles()) {
            found.entry(profile.name.clone()).or_insert_with(|| Profile {
                default: profile.name == self.parts.settings.default_profile,
                name: profile.name,
                description: profile.description,
                limits: profile.limits,
                interfaces: profile.interfaces,
            });
        }
        Ok(found.into_values().collect())
    }

    /// The image of a machine for which none is asked: the configured one, or the first there is.
    pub(crate) fn default_image(&self) -> Option<String> {
        self.parts.settings.default_image.clone().or_else(|| {
            self.parts
                .fleet
                .servers()
                .flat_map(|s| s.images())
                .map(|i| i.alias)
                .filter(|alias| self.parts.settings.allows_image(alias))
                .min()
        })
    }
}
