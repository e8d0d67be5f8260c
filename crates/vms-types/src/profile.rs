//! Profiles as administrators see and write them: LXD's own maps, and a form that is another view of the same.
//!
//! [`ProfileForm`] understands the usual part of a profile. What it does not understand (keys, devices, values such as
//! `50%`) stays as it is when the form is applied, so that form and raw maps can be edited in turn.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::machine::Limits;
use crate::problem::FieldError;
use crate::size::{format_size, parse_cpus, parse_size};

/// LXD's configuration of a profile, or the keys of one device.
pub type Config = BTreeMap<String, String>;
/// Devices by name.
pub type Devices = BTreeMap<String, Config>;

/// A profile with all that is known of it (`GET /profiles/{profile}`), for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileDetail {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "alunos"))]
    pub name: String,
    /// What it is for, in words.
    pub description: String,
    /// LXD's configuration keys.
    #[cfg_attr(feature = "openapi", schema(example = json!({ "limits.memory": "256MiB" })))]
    pub config: Config,
    /// LXD's devices, by name.
    #[cfg_attr(feature = "openapi", schema(example = json!({ "eth0": { "type": "nic", "network": "lxdbr0" } })))]
    pub devices: Devices,
    /// What a machine with it may use.
    pub limits: Limits,
    /// Number of network interfaces.
    pub interfaces: u32,
    /// What carries it, on every server.
    pub used_by: Vec<ProfileUser>,
    /// The servers where it exists.
    pub servers: Vec<String>,
    /// Whether it is missing on a server, or not the same on all.
    pub differs: bool,
    /// Keys that are there and could harm the host, as `config.<key>` or `devices.<device>.<key>`.
    pub dangerous_keys: Vec<String>,
    /// Whether a machine gets it when no profile is named.
    pub default: bool,
}

/// An instance that carries a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileUser {
    /// The machine; `null` for an instance that is none of ours.
    pub id: Option<Uuid>,
    /// The name its owner gave it.
    pub name: Option<String>,
    /// LXD's name.
    #[cfg_attr(feature = "openapi", schema(example = "vmbrunomaquinaa"))]
    pub instance: String,
    /// Whose it is.
    pub owner: Option<String>,
    /// Where it is.
    pub server: String,
}

/// A new profile (`POST /profiles`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    /// Letters, digits, `-`, `_` and `.`; at most 63.
    #[cfg_attr(feature = "openapi", schema(example = "alunos"))]
    pub name: String,
    /// What it is for, in words.
    #[serde(default)]
    pub description: String,
    /// LXD's configuration keys.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!({ "limits.memory": "256MiB" })))]
    pub config: Config,
    /// LXD's devices, by name.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!({ "eth0": { "type": "nic", "network": "lxdbr0" } })))]
    pub devices: Devices,
}

/// The whole of a profile as it shall be (`PUT /profiles/{profile}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfileUpdate {
    /// What it is for, in words.
    pub description: String,
    /// LXD's configuration keys.
    #[cfg_attr(feature = "openapi", schema(example = json!({ "limits.memory": "256MiB" })))]
    pub config: Config,
    /// LXD's devices, by name.
    #[cfg_attr(feature = "openapi", schema(example = json!({ "eth0": { "type": "nic", "network": "lxdbr0" } })))]
    pub devices: Devices,
}

/// The usual part of a profile, as a form shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileForm {
    /// `limits.memory` in bytes; `None` for no limit, or one that is no number of bytes.
    pub memory_bytes: Option<u64>,
    /// Number of CPUs of `limits.cpu`.
    pub cpus: Option<u32>,
    /// `limits.processes`.
    pub processes: Option<u64>,
    /// The disk on `/`.
    pub root: Option<RootDisk>,
    /// Interfaces on a bridge, in the order of their device names.
    pub interfaces: Vec<ProfileInterface>,
    /// `security.nesting`: containers within the machine.
    pub nesting: bool,
}

/// The disk on `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootDisk {
    /// Storage pool.
    pub pool: String,
    /// Quota in bytes; `None` for none.
    pub size_bytes: Option<u64>,
}

/// An interface on a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileInterface {
    /// Name of the device, and for a new one of the interface within the machine.
    pub name: String,
    /// The network or bridge.
    pub network: String,
    /// Frames with another hardware address are dropped.
    pub mac_filtering: bool,
    /// Packets with another IPv4 address are dropped.
    pub ipv4_filtering: bool,
}

fn value<'a>(map: &'a Config, key: &str) -> &'a str {
    map.get(key).map_or("", String::as_str)
}

/// As LXD's `shared.IsTrue`.
fn is_true(map: &Config, key: &str) -> bool {
    ["true", "1", "yes", "on"].contains(&value(map, key).to_ascii_lowercase().as_str())
}

fn is_root(device: &Config) -> bool {
    value(device, "type") == "disk" && value(device, "path") == "/"
}

/// The bridge of an interface that the form understands.
fn bridge(device: &Config) -> Option<&str> {
    if value(device, "type") != "nic" {
        return None;
    }
    let named = match value(device, "nictype") {
        "bridged" => [value(device, "network"), value(device, "parent")].into_iter().find(|n| !n.is_empty()),
        "" => Some(value(device, "network")),
        _ => None,
    };
    named.filter(|name| !name.is_empty())
}

/// Writes a value unless the one that is there already reads the same.
fn set<T: PartialEq>(
    map: &mut Config,
    key: &str,
    wanted: Option<T>,
    read: impl Fn(&str) -> Option<T>,
    write: impl Fn(&T) -> String,
) {
    if map.get(key).and_then(|text| read(text)) == wanted {
        return;
    }
    match wanted {
        Some(wanted) => map.insert(key.to_owned(), write(&wanted)),
        None => map.remove(key),
    };
}

fn set_flag(map: &mut Config, key: &str, wanted: bool) {
    if is_true(map, key) == wanted {
        return;
    }
    if wanted {
        map.insert(key.to_owned(), "true".to_owned());
    } else {
        map.remove(key);
    }
}

impl ProfileForm {
    /// What the form shows of LXD's maps.
    #[must_use]
    pub fn from_lxd(config: &Config, devices: &Devices) -> Self {
        let root = devices.values().find(|device| is_root(device)).map(|device| RootDisk {
            pool: value(device, "pool").to_owned(),
            size_bytes: parse_size(value(device, "size")),
        });
        let interfaces = devices.iter().filter_map(|(name, device)| {
            Some(ProfileInterface {
                name: name.clone(),
                network: bridge(device)?.to_owned(),
                mac_filtering: is_true(device, "security.mac_filtering"),
                ipv4_filtering: is_true(device, "security.ipv4_filtering"),
            })
        });
        Self {
            memory_bytes: parse_size(value(config, "limits.memory")),
            cpus: parse_cpus(value(config, "limits.cpu")),
            processes: value(config, "limits.processes").parse().ok(),
            root,
            interfaces: interfaces.collect(),
            nesting: is_true(config, "security.nesting"),
        }
    }

    /// Writes the form into LXD's maps. What already reads as the form says is not touched, nor is what the form does
    /// not understand.
    ///
    /// # Errors
    /// Two interfaces of one name, an interface without name or network, or one whose name another device has. Then
    /// nothing was changed.
    pub fn apply(&self, config: &mut Config, devices: &mut Devices) -> Result<(), FieldError> {
        self.check(devices)?;
        set(config, "limits.memory", self.memory_bytes, parse_size, |bytes| format_size(*bytes));
        set(config, "limits.cpu", self.cpus, parse_cpus, ToString::to_string);
        set(config, "limits.processes", self.processes, |text| text.parse().ok(), ToString::to_string);
        set_flag(config, "security.nesting", self.nesting);
        self.apply_interfaces(devices);
        self.apply_root(devices);
        Ok(())
    }

    fn check(&self, devices: &Devices) -> Result<(), FieldError> {
        let mut names = BTreeSet::new();
        for interface in &self.interfaces {
            let wrong = |code, message: &str| {
                Err(FieldError::new(&format!("devices.{}", interface.name), code, message))
            };
            if interface.name.is_empty() || interface.network.is_empty() {
                return wrong("required", "needs a name and a network");
            }
            let other = devices.get(&interface.name).is_some_and(|device| bridge(device).is_none());
            if other || !names.insert(&interface.name) {
                return wrong("taken", "is the name of another device");
            }
        }
        Ok(())
    }

    fn apply_interfaces(&self, devices: &mut Devices) {
        devices.retain(|name, device| {
            bridge(device).is_none() || self.interfaces.iter().any(|interface| &interface.name == name)
        });
        for interface in &self.interfaces {
            let device = devices.entry(interface.name.clone()).or_insert_with(|| {
                Config::from([
                    ("type".to_owned(), "nic".to_owned()),
                    ("name".to_owned(), interface.name.clone()),
                ])
            });
            if bridge(device) != Some(interface.network.as_str()) {
                device.remove("nictype");
                device.remove("parent");
                device.insert("network".to_owned(), interface.network.clone());
            }
            set_flag(device, "security.mac_filtering", interface.mac_filtering);
            set_flag(device, "security.ipv4_filtering", interface.ipv4_filtering);
        }
    }

    fn apply_root(&self, devices: &mut Devices) {
        let there = devices.iter().find(|(_, device)| is_root(device)).map(|(name, _)| name.clone());
        let Some(root) = &self.root else {
            if let Some(name) = there {
                devices.remove(&name);
            }
            return;
        };
        let free = |name: &String| !devices.contains_key(name);
        let new = || {
            let names = std::iter::once("root".to_owned()).chain((1_u32..).map(|n| format!("root{n}")));
            names.into_iter().find(free).unwrap_or_default()
        };
        let name = there.unwrap_or_else(new);
        let device = devices.entry(name).or_insert_with(|| {
            Config::from([("type".to_owned(), "disk".to_owned()), ("path".to_owned(), "/".to_owned())])
        });
        let pool = Some(root.pool.clone()).filter(|pool| !pool.is_empty());
        set(device, "pool", pool, |text| Some(text.to_owned()).filter(|t| !t.is_empty()), String::clone);
        set(device, "size", root.size_bytes, parse_size, |bytes| format_size(*bytes));
    }
}

/// Spells sizes with a bare letter (`256M`, as the thesis writes it), which LXD refuses, the way it reads them (`256MiB`).
pub fn spell_sizes(config: &mut Config, devices: &mut Devices) {
    let sizes = config.get_mut("limits.memory").into_iter();
    let roots = devices.values_mut().filter(|device| is_root(device));
    for text in sizes.chain(roots.filter_map(|root| root.get_mut("size"))) {
        if text.ends_with(['M', 'G'])
            && let Some(bytes) = parse_size(text)
        {
            *text = format_size(bytes);
        }
    }
}

/// Configuration keys that cannot harm the host: these, and all that begin with one that ends in a dot.
const HARMLESS: &[&str] = &[
    "boot.",
    "cloud-init.",
    "environment.",
    "limits.",
    "user.",
    "security.idmap.isolated",
    "security.nesting",
    "security.protection.delete",
];

fn harmless(key: &str) -> bool {
    HARMLESS.iter().any(|known| if known.ends_with('.') { key.starts_with(known) } else { key == *known })
}

/// Which key of a device could harm the host, and why.
fn device_danger(device: &Config) -> Option<(&str, &'static str)> {
    if let Some(raw) = device.keys().find(|key| key.starts_with("raw.")) {
        return Some((raw, "goes past LXD's checks"));
    }
    match value(device, "type") {
        "none" => None,
        "nic" => match value(device, "nictype") {
            "" | "bridged" => None,
            _ => Some(("nictype", "gives the machine a network of the host past its bridges")),
        },
        "disk" => {
            let source = value(device, "source");
            let volume = !value(device, "pool").is_empty() && !source.contains(['/', ':']);
            (!volume).then_some((
                if device.contains_key("source") { "source" } else { "pool" },
                "must be on a storage pool: a path of the host gives its files away",
            ))
        }
        _ => Some(("type", "gives the machine a device of the host")),
    }
}

/// What of a profile could harm the host, by an allow-list: one error for each key, its field `config.<key>` or
/// `devices.<device>.<key>`.
#[must_use]
pub fn dangers(config: &Config, devices: &Devices) -> Vec<FieldError> {
    let keys = config.keys().filter(|key| !harmless(key)).map(|key| {
        FieldError::new(
            &format!("config.{key}"),
            "dangerous",
            "is not among the keys that cannot harm the host",
        )
    });
    let devices = devices.iter().filter_map(|(name, device)| {
        let (key, why) = device_danger(device)?;
        Some(FieldError::new(&format!("devices.{name}.{key}"), "dangerous", why))
    });
    keys.chain(devices).collect()
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
