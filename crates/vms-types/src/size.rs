//! LXD's limits, which are words such as `256MiB` or `0-3`, as numbers.

/// Reads a size: a number with an optional unit, binary (`KiB`…) or decimal (`kB`…). `None` for anything else,
/// such as a percentage of the host's memory. Source: `units.ParseByteSizeString` of LXD.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        // As the thesis writes it. LXD has come to refuse the bare letter, so that none is sent: see `spell_sizes`.
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Reads `limits.cpu`: a number of CPUs, or a set of them (`0-3`, `0,2`).
#[must_use]
pub fn parse_cpus(text: &str) -> Option<u32> {
    if let Ok(count) = text.trim().parse::<u32>() {
        return Some(count);
    }
    text.split(',').try_fold(0_u32, |sum, part| {
        let count = match part.trim().split_once('-') {
            Some((first, last)) => {
                last.parse::<u32>().ok()?.checked_sub(first.parse::<u32>().ok()?)?.checked_add(1)?
            }
            None => part.trim().parse::<u32>().ok().map(|_| 1)?,
        };
        sum.checked_add(count)
    })
}

/// Writes a size as LXD reads it, with the largest binary unit that loses nothing.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    [("TiB", 40_u32), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, shift)| bytes != 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("256MiB"), Some(268_435_456));
        assert_eq!(parse_size("256MB"), Some(256_000_000));
        assert_eq!(parse_size("10"), Some(10));
        assert_eq!(parse_size("50%"), None);
        assert_eq!(parse_size(""), None);
        assert_eq!(parse_size("99999999999999999999GB"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for bytes in [0, 1, 1023, 1024, 1536, 256 << 20, (256 << 20) + 1, 10 << 30, 3 << 40, u64::MAX] {
            assert_eq!(parse_size(&format_size(bytes)), Some(bytes));
        }
        assert_eq!(format_size(256 << 20), "256MiB");
        assert_eq!(format_size(10 << 30), "10GiB");
    }

    #[test]
    fn cpus() {
        assert_eq!(parse_cpus("2"), Some(2));
        assert_eq!(parse_cpus("0-3"), Some(4));
        assert_eq!(parse_cpus("0,2,4-5"), Some(4));
        assert_eq!(parse_cpus("3-1"), None);
        assert_eq!(parse_cpus("x"), None);
    }
}
