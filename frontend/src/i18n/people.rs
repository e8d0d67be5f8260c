//! What only the pages about people and what they may use say.

pub(super) mod en;
pub(super) mod pt;

use vms_types::{Quota, Role};

/// All texts of these pages in one language.
pub(crate) struct PeopleTexts {
    pub role: fn(Role) -> &'static str,
    pub column_role: &'static str,
    pub column_groups: &'static str,
    pub column_last_login: &'static str,
    pub users_none_fit: &'static str,
    pub users_shown: fn(usize, bool) -> String,
    pub overridden: &'static str,
    pub active: &'static str,
    pub disabled: &'static str,
    pub gone: &'static str,

    pub login_name: &'static str,
    pub email: &'static str,
    pub first_login: &'static str,
    pub directory: &'static str,
    pub in_directory: fn(bool, &str) -> String,
    pub check_directory: &'static str,
    pub role_of_directory: fn(&str) -> String,
    pub own_quota: &'static str,
    pub own_quota_hint: &'static str,
    pub saved: &'static str,
    pub lock: &'static str,
    pub unlock: &'static str,
    pub lock_title: fn(&str) -> String,
    pub lock_text: &'static str,
    pub sign_out: &'static str,
    pub sign_out_title: fn(&str) -> String,
    pub sign_out_text: &'static str,
    pub signed_out: &'static str,
    pub changed_meanwhile: &'static str,

    pub holds: fn(usize) -> String,
    pub select_all: &'static str,
    pub new_owner: &'static str,
    pub new_owner_hint: &'static str,
    pub owner_unknown: &'static str,
    pub hand_over: &'static str,
    pub handed_over: fn(usize, &str) -> String,

    pub quotas_intro: &'static str,
    pub new_quota: &'static str,
    pub edit_quota: fn(&str) -> String,
    pub column_whose: &'static str,
    pub school: &'static str,
    pub scope: &'static str,
    pub of_role: &'static str,
    pub of_group: &'static str,
    pub group: &'static str,
    pub group_hint: &'static str,
    pub group_missing: &'static str,
    pub edit: &'static str,
    pub remove_title: fn(&str) -> String,
    pub remove_text: &'static str,
    pub loose_pools: fn(&str) -> String,

    pub number: QuotaWords,
    pub not_limited: &'static str,
    pub in_force: fn(&str) -> String,
    pub size_example: &'static str,
    pub number_wrong: &'static str,
    pub size_wrong: &'static str,
}

/// The words for the numbers of a quota.
pub(crate) struct QuotaWords {
    pub machines: &'static str,
    pub running: &'static str,
    pub memory: &'static str,
    pub cpus: &'static str,
    pub disk: &'static str,
    pub snapshots: &'static str,
}

impl QuotaWords {
    /// In the order of [`values`].
    pub(crate) const fn all(&self) -> [&'static str; 6] {
        [self.machines, self.running, self.memory, self.cpus, self.disk, self.snapshots]
    }
}

/// A quota's numbers as they are typed and read, sizes with their unit; `None` where it says nothing.
pub(crate) fn values(quota: &Quota) -> [Option<String>; 6] {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let size = |size: Option<u64>| size.map(vms_types::size::format_size);
    [
        number(quota.machines),
        number(quota.running),
        size(quota.memory_bytes),
        number(quota.cpus),
        size(quota.disk_bytes),
        number(quota.snapshots_per_machine),
    ]
}
