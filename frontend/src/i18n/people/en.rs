//! English.

use vms_types::Role;

use super::{PeopleTexts, QuotaWords};

pub(crate) const TEXTS: PeopleTexts = PeopleTexts {
    role: |role| match role {
        Role::Student => "Student",
        Role::Teacher => "Teacher",
        Role::Admin => "Administrator",
    },
    column_role: "Role",
    column_groups: "Groups",
    column_last_login: "Last login",
    users_none_fit: "No user fits the filters.",
    users_shown: |n, more| match (n, more) {
        (1, false) => "1 user".to_owned(),
        (n, false) => format!("{n} users"),
        (n, true) => format!("the first {n} users"),
    },
    overridden: "set here",
    active: "Active",
    disabled: "Locked",
    gone: "Not in the directory",
    login_name: "User name",
    email: "Mail",
    first_login: "First login",
    directory: "Directory",
    in_directory: |there, when| {
        if there {
            format!("In the directory (asked {when})")
        } else {
            format!("No longer in the directory (asked {when})")
        }
    },
    check_directory: "Ask the directory",
    role_of_directory: |role| format!("The directory's: {role}"),
    own_quota: "Quota of their own",
    own_quota_hint: "An empty field leaves it to the groups, the role or the school.",
    saved: "Saved.",
    lock: "Lock",
    unlock: "Unlock",
    lock_title: |name| format!("Lock {name}?"),
    lock_text: "Sessions end now and tokens are refused. The machines stay as they are.",
    sign_out: "End sessions",
    sign_out_title: |name| format!("End all sessions of {name}?"),
    sign_out_text: "They have to log in again everywhere. Their tokens go on.",
    signed_out: "All sessions were ended.",
    changed_meanwhile: "Somebody else changed this user. It was read again; check it and save once more.",
    holds: |n| match n {
        0 => "Has no machines".to_owned(),
        1 => "Has 1 machine".to_owned(),
        n => format!("Has {n} machines"),
    },
    select_all: "Tick all",
    new_owner: "New owner",
    new_owner_hint: "The user name of somebody who has logged in before.",
    owner_unknown: "This person has never logged in. Check the user name.",
    hand_over: "Hand over",
    handed_over: |n, owner| {
        if n == 1 {
            format!("1 machine handed over to {owner}.")
        } else {
            format!("{n} machines handed over to {owner}.")
        }
    },
    quotas_intro: "The most specific level that says something counts: the person, the largest of their groups, the role, the school. What none limits is free.",
    new_quota: "New quota",
    edit_quota: |whose| format!("Quota: {whose}"),
    column_whose: "Whose",
    school: "School (configuration)",
    scope: "Counts for",
    of_role: "Role",
    of_group: "Group",
    group: "Group of the directory",
    group_hint: "The short name, as the directory spells it.",
    group_missing: "Give the name of the group.",
    edit: "Change",
    remove_title: |whose| format!("Take back the quota: {whose}?"),
    remove_text: "The next level decides again. No machine is turned off or deleted.",
    loose_pools: |pools| {
        format!(
            "In these storage pools the size of a disk cannot be enforced, only counted: {pools}. A machine there can use more than the quota."
        )
    },
    number: QuotaWords {
        machines: "Machines",
        running: "Running",
        memory: "Memory",
        cpus: "CPUs",
        disk: "Disk",
        snapshots: "Snapshots per machine",
    },
    not_limited: "not limited",
    in_force: |text| format!("In force: {text}"),
    size_example: "With a unit: 512MiB, 4GiB.",
    number_wrong: "Give a whole number.",
    size_wrong: "Give a size with a unit, such as 512MiB or 4GiB.",
};
