//! Images, profiles and storage pools of a server, as the mirror keeps them.

use chrono::{DateTime, Utc};
use lxd_api::{Image, Profile, StoragePool};
use vms_types::Limits;

use crate::limits::limits_of;

/// An image under one of its aliases. An image without an alias cannot be asked for and is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogImage {
    /// The alias.
    pub alias: String,
    /// What it is.
    pub description: String,
    /// SHA-256.
    pub fingerprint: String,
    /// CPU architecture.
    pub architecture: String,
    /// Bytes.
    pub size_bytes: u64,
    /// When it was built.
    pub created_at: Option<DateTime<Utc>>,
}

/// An image as it is stored on a server, with or without aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// SHA-256.
    pub fingerprint: String,
    /// Its names.
    pub aliases: Vec<String>,
    /// What it is.
    pub description: String,
    /// CPU architecture.
    pub architecture: String,
    /// Bytes.
    pub size_bytes: u64,
    /// When it was built.
    pub created_at: Option<DateTime<Utc>>,
    /// When it came to the server.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Whether the server looks for a newer one by itself.
    pub auto_update: bool,
    /// URL and alias of the image server it came from.
    pub source: Option<(String, String)>,
}

/// Containers only, in the order of their first alias; those without any come last.
pub(crate) fn stored(images: &[Image]) -> Vec<StoredImage> {
    let mut found: Vec<StoredImage> = images
        .iter()
        .filter(|image| image.kind != "virtual-machine")
        .map(|image| {
            let mut aliases: Vec<String> = image.aliases.iter().map(|alias| alias.name.clone()).collect();
            aliases.sort();
            let source = image.update_source.as_ref().filter(|source| !source.server.is_empty());
            StoredImage {
                fingerprint: image.fingerprint.clone(),
                aliases,
                description: image.properties.get("description").cloned().unwrap_or_default(),
                architecture: image.architecture.clone(),
                size_bytes: u64::try_from(image.size).unwrap_or_default(),
                created_at: image.created_at,
                uploaded_at: image.uploaded_at,
                auto_update: image.auto_update,
                source: source.map(|source| (source.server.clone(), source.alias.clone())),
            }
        })
        .collect();
    found.sort_by(|a, b| {
        let place = |image: &StoredImage| (image.aliases.is_empty(), image.aliases.first().cloned());
        place(a).cmp(&place(b)).then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
    found
}

/// Containers only, one entry for each alias, in alphabetical order.
pub(crate) fn images(images: &[Image]) -> Vec<CatalogImage> {
    let mut found: Vec<CatalogImage> = images
        .iter()
        .filter(|image| image.kind != "virtual-machine")
        .flat_map(|image| {
            image.aliases.iter().map(move |alias| CatalogImage {
                alias: alias.name.clone(),
                description: image
                    .properties
                    .get("description")
                    .filter(|d| !d.is_empty())
                    .unwrap_or(&alias.description)
                    .clone(),
                fingerprint: image.fingerprint.clone(),
                architecture: image.architecture.clone(),
                size_bytes: u64::try_from(image.size).unwrap_or_default(),
                created_at: image.created_at,
            })
        })
        .collect();
    found.sort_by(|a, b| a.alias.cmp(&b.alias));
    found
}

/// A storage pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPool {
    /// Its name.
    pub name: String,
    /// `btrfs`, `dir`, `zfs`, …
    pub driver: String,
}

impl CatalogPool {
    /// Whether it keeps a machine from using more disk than its limit says. A `dir` pool is a directory: what lies in it
    /// grows until the host is full. Of a driver that is not known nothing is promised.
    #[must_use]
    pub fn enforces_size(&self) -> bool {
        const ENFORCING: [&str; 10] = [
            "btrfs",
            "zfs",
            "lvm",
            "lvmcluster",
            "ceph",
            "powerflex",
            "pure",
            "alletra",
            "linstor",
            "truenas",
        ];
        ENFORCING.contains(&self.driver.as_str())
    }
}

pub(crate) fn pools(pools: Vec<StoragePool>) -> Vec<CatalogPool> {
    let pool = |pool: StoragePool| CatalogPool { name: pool.name, driver: pool.driver };
    let mut found: Vec<CatalogPool> = pools.into_iter().map(pool).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProfile {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its configuration.
    pub config: lxd_api::Config,
    /// Its devices.
    pub devices: lxd_api::Devices,
    /// What it allows.
    pub limits: Limits,
    /// Number of network interfaces.
    pub interfaces: u32,
}

pub(crate) fn profiles(profiles: &[Profile]) -> Vec<CatalogProfile> {
    let mut found: Vec<CatalogProfile> = profiles
        .iter()
        .map(|profile| CatalogProfile {
            name: profile.name.clone(),
            description: profile.description.clone(),
            config: profile.config.clone(),
            devices: profile.devices.clone(),
            limits: limits_of(&profile.config, &profile.devices),
            interfaces: u32::try_from(
                profile.devices.values().filter(|d| d.get("type").is_some_and(|t| t == "nic")).count(),
            )
            .unwrap_or(u32::MAX),
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
