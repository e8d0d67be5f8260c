//! `[operations]`: how much may be under way at once. The keys themselves are [`vms_core::Limits`].

use super::Problems;

/// What is wrong in this section.
pub(super) fn check(limits: vms_core::Limits, problems: &mut Problems) {
    for (key, value) in [
        ("per_user", limits.per_user),
        ("per_server", limits.per_server),
        ("queue", limits.queue),
        ("queue_per_user", limits.queue_per_user),
    ] {
        if !(1..=100_000).contains(&value) {
            problems.note(&format!("[operations] {key}"), "must be from 1 to 100000");
        }
    }
}
