//! Which names and configuration LXD accepts, in its own words.

use lxd_api::{Config, Devices};

/// A valid instance name is a host name.
pub(crate) fn check_instance(name: &str) -> Result<(), String> {
    if name.contains('/') {
        return Err("The character \"/\" is reserved for snapshots".into());
    }
    let invalid = |why: &str| Err(format!("Invalid instance name: {why}"));
    if name.is_empty() || name.len() > 63 {
        return invalid("Name must be 1-63 characters long");
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return invalid("Name must not start with a number");
    }
    if name.starts_with('-') {
        return invalid("Name must not start with \"-\" character");
    }
    if name.ends_with('-') {
        return invalid("Name must not end with \"-\" character");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return invalid("Name can only contain alphanumeric and hyphen characters");
    }
    Ok(())
}

/// What LXD only finds out within the operation.
pub(crate) fn check_snapshot(name: &str) -> Result<(), String> {
    if name.contains(' ') || name.contains('/') {
        return Err("Invalid instance snapshot name: Cannot contain space or / characters".into());
    }
    Ok(())
}

/// Namespaces of configuration keys that LXD knows.
const KNOWN: &[&str] = &[
    "boot.",
    "cloud-init.",
    "cluster.",
    "environment.",
    "image.",
    "limits.",
    "linux.",
    "migration.",
    "nvidia.",
    "raw.",
    "security.",
    "snapshots.",
    "user.",
    "volatile.",
];

/// Keys and the values of the limits.
pub(crate) fn check_config(config: &Config) -> Result<(), String> {
    for (key, value) in config {
        if !KNOWN.iter().any(|known| key.starts_with(known)) {
            return Err(format!("Unknown configuration key: {key}"));
        }
        match key.as_str() {
            _ if value.is_empty() => {}
            "limits.memory" if bytes(value).is_none() && percent(value).is_none() => {
                return Err(format!("Invalid value: {value}"));
            }
            "limits.cpu" if !value.split([',', '-']).all(|part| part.parse::<u32>().is_ok()) => {
                return Err("Invalid CPU limit syntax".into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Types of devices that LXD knows.
const DEVICES: &[&str] = &[
    "none",
    "nic",
    "disk",
    "unix-char",
    "unix-block",
    "usb",
    "gpu",
    "infiniband",
    "proxy",
    "unix-hotplug",
    "tpm",
    "pci",
];

/// The first device whose type LXD does not know: its name and type.
pub(crate) fn unknown_device(devices: &Devices) -> Option<(&str, &str)> {
    devices.iter().find_map(|(name, device)| {
        let kind = device.get("type").map_or("", String::as_str);
        (!DEVICES.contains(&kind)).then_some((name.as_str(), kind))
    })
}

fn percent(text: &str) -> Option<u64> {
    text.strip_suffix('%')?.parse().ok()
}

/// A size in bytes: a number with an optional unit, decimal (`MB`) or binary (`MiB`).
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::{bytes, check_config, check_instance};

    #[test]
    fn names_as_lxd_judges_them() {
        assert_eq!(check_instance("vmbrunomaquinaa"), Ok(()));
        for (name, word) in [
            ("", "1-63"),
            ("1a", "number"),
            ("-a", "start"),
            ("a-", "end"),
            ("a_b", "alphanumeric"),
            ("a/b", "reserved"),
        ] {
            let refusal = check_instance(name).err().unwrap_or_default();
            assert!(refusal.contains(word), "{name:?}: {refusal}");
        }
        assert!(check_instance(&"a".repeat(63)).is_ok() && check_instance(&"a".repeat(64)).is_err());
    }

    #[test]
    fn limits_are_checked() {
        let config = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
        assert!(check_config(&config("limits.memory", "256MiB")).is_ok());
        assert!(check_config(&config("limits.memory", "50%")).is_ok());
        assert!(check_config(&config("limits.memory", "abc")).is_err());
        assert!(check_config(&config("limits.cpu", "0-3")).is_ok());
        assert!(check_config(&config("limits.cpu", "x")).is_err());
        assert!(check_config(&config("foo.bar", "1")).is_err());
        assert_eq!(bytes("1GiB"), Some(1 << 30));
    }
}
