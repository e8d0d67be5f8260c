//! How Go's habits on the wire become Rust's: `null` for an empty collection, a zero time for "never".

use serde::{Deserialize, Deserializer};

/// Reads `null` as the type's default. Go encodes a nil slice or map as `null`, and LXD sends many.
pub(crate) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// `#[serde(with = "wire::zero_time")]`: an `Option<DateTime<Utc>>` whose `None` is Go's zero time.
pub(crate) mod zero_time {
    use chrono::{DateTime, Datelike, TimeZone, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes `None` as `0001-01-01T00:00:00Z`.
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(time) => serializer.collect_str(&time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            None => serializer.serialize_str("0001-01-01T00:00:00Z"),
        }
    }

    /// Reads year 1, the Unix epoch and `null` as `None`. LXD uses all three for "never".
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let time = Option::<DateTime<Utc>>::deserialize(deserializer)?;
        let epoch = Utc.timestamp_opt(0, 0).single();
        Ok(time.filter(|t| t.year() > 1 && Some(*t) != epoch))
    }
}

/// For `skip_serializing_if`.
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
