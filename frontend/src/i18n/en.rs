//! English.

use vms_types::{MachineStatus as S, OperationKind as K, ProblemCode as P};

use super::{Advice, Texts};
use crate::format::{bytes, limit_parts};
use crate::preferences::Theme;
use crate::route::Route;

const fn a(what: &'static str, then: &'static str) -> Advice {
    Advice { what, then }
}

pub(super) const TEXTS: Texts = Texts {
    system_title: "Virtual Machine System",
    skip_to_content: "Skip to content",
    language: "Language",
    theme: |theme| match theme {
        Theme::Auto => "Theme: automatic",
        Theme::Light => "Theme: light",
        Theme::Dark => "Theme: dark",
    },
    loading: "Loading…",
    close: "Close",
    cancel: "Cancel",
    dismiss: "Dismiss",
    try_again: "Try again",
    login_heading: "Log in to your account",
    username: "User name",
    password: "Password",
    log_in: "Log in",
    logging_in: "Logging in…",
    welcome_heading: |title| format!("Welcome to the {title}"),
    fill_both: "Enter your user name and password.",
    contact: "Contact",
    session_over_title: "Your session has ended",
    session_over_text: "Enter your password again to go on where you were. Nothing you typed is lost.",
    log_out: "Log out",
    account: "Account and quota",
    machines: "Machines",
    quota_label: "Machines in use",
    quota_left: |n| match n {
        0 => "None left".to_owned(),
        n => format!("{n} left"),
    },
    quota_full: "You use all of your machines. To create another, delete one you no longer need.",
    new_machine: "New machine",
    column_name: "Virtual machine name",
    column_ip: "IP",
    column_commands: "Commands",
    empty_title: "You have no machines yet",
    empty_text: "Create the first: in a few seconds you have a Linux of your own, with full administrator rights.",
    live: "Live",
    polling: "Up to date",
    connecting: "Connecting…",
    offline: "No connection, trying again…",
    not_started: "Not started!",
    no_address: "No address",
    waiting_address: "Waiting for an address…",
    copy_address: |address| format!("Copy the address {address}"),
    copied: "Address copied.",
    stale: "This machine's server does not answer; this is what was last seen.",
    status: |status| match status {
        S::Creating => "Creating",
        S::Stopped => "Off",
        S::Starting => "Starting",
        S::Running => "Running",
        S::Stopping => "Stopping",
        S::Frozen => "Paused",
        S::Restoring => "Restoring",
        S::Migrating => "Moving",
        S::Deleting => "Deleting",
        S::Error => "Error",
        S::Unknown => "Not found",
    },
    doing: |kind| match kind {
        K::MachineCreate => "Creating the machine…",
        K::MachineStart => "Turning on…",
        K::MachineStop => "Turning off…",
        K::MachineRestart => "Restarting…",
        K::MachineFreeze => "Pausing…",
        K::MachineUnfreeze => "Resuming…",
        K::MachineReset => "Going back to the initial state…",
        K::MachineProfiles => "Changing the profile…",
        K::MachineDelete => "Deleting the machine…",
        K::SnapshotCreate => "Creating the snapshot…",
        K::SnapshotRename => "Renaming the snapshot…",
        K::SnapshotRestore => "Restoring the snapshot…",
        K::SnapshotDelete => "Deleting the snapshot…",
        K::ImageImport => "Importing the image…",
        K::ImagePublish => "Publishing as an image…",
        K::ImageRefresh => "Refreshing the image…",
        K::ImageDelete => "Deleting the image…",
    },
    done: |kind, name| match kind {
        K::MachineCreate => format!("Machine {name} created."),
        K::MachineStart => format!("Machine {name} turned on."),
        K::MachineStop => format!("Machine {name} turned off."),
        K::MachineRestart => format!("Machine {name} restarted."),
        K::MachineFreeze => format!("Machine {name} paused."),
        K::MachineUnfreeze => format!("Machine {name} resumed."),
        K::MachineReset => format!("Machine {name} is as it was created."),
        K::MachineProfiles => format!("Machine {name} has another profile."),
        K::MachineDelete => format!("Machine {name} deleted."),
        K::SnapshotCreate => format!("Snapshot of {name} created."),
        K::SnapshotRename => format!("Snapshot of {name} renamed."),
        K::SnapshotRestore => format!("Machine {name} restored."),
        K::SnapshotDelete => format!("Snapshot of {name} deleted."),
        K::ImageImport => format!("Image {name} imported."),
        K::ImagePublish => format!("Image {name} published."),
        K::ImageRefresh => format!("Image {name} refreshed."),
        K::ImageDelete => format!("Image {name} deleted."),
    },
    failed: |kind| match kind {
        K::MachineCreate => "The machine could not be created.",
        K::MachineStart => "The machine could not be turned on.",
        K::MachineStop => "The machine could not be turned off.",
        K::MachineRestart => "The machine could not be restarted.",
        K::MachineFreeze => "The machine could not be paused.",
        K::MachineUnfreeze => "The machine could not be resumed.",
        K::MachineReset => "The machine could not be reset.",
        K::MachineProfiles => "The machine's profile could not be changed.",
        K::MachineDelete => "The machine could not be deleted.",
        K::SnapshotCreate => "The snapshot could not be created.",
        K::SnapshotRename => "The snapshot could not be renamed.",
        K::SnapshotRestore => "The snapshot could not be restored.",
        K::SnapshotDelete => "The snapshot could not be deleted.",
        K::ImageImport => "The image could not be imported.",
        K::ImagePublish => "The image could not be published.",
        K::ImageRefresh => "The image could not be refreshed.",
        K::ImageDelete => "The image could not be deleted.",
    },
    outcome_unknown: "How the command ended is not known. Look at the machine's state and repeat it if needed.",
    cancelled: "The command was cancelled. Repeat it if you still need it.",
    sending: "Sending the command…",
    turn_on: "Turn on",
    turn_off: "Turn off",
    resume: "Resume",
    restart: "Restart",
    freeze: "Pause",
    force_off: "Force off",
    reset: "Reset to initial state",
    delete: "Delete machine",
    more_commands: |name| format!("More commands for {name}"),
    for_machine: |command, name| format!("{command}: {name}"),
    create_snapshot: "Create snapshot",
    snapshot_name: "Snapshot name",
    snapshot_hint: "Letters, digits, dots, dashes and underscores.",
    snapshots: |n| if n == 0 { "no snapshots".to_owned() } else { format!("snapshots ({n})") },
    snapshots_of: |name| format!("Snapshots of {name}"),
    restore: "Restore",
    remove: "Delete",
    rename: "Rename",
    save: "Save",
    new_name: "New name",
    rename_snapshot: |name| format!("Rename the snapshot {name}"),
    confirm_delete_title: |name| format!("Delete the machine {name}?"),
    confirm_delete_text: "The machine, all that is on it and all of its snapshots cease to exist. This cannot be undone.",
    confirm_reset_title: |name| format!("Reset {name} to its initial state?"),
    confirm_reset_text: "The machine becomes as it was on the day it was created. What was installed or saved on it, and its snapshots, are lost.",
    confirm_force_title: |name| format!("Force {name} off?"),
    confirm_force_text: "It is like pulling the plug: what was not saved is lost. Use it when turning off does not work.",
    confirm_restore_title: |snapshot| format!("Restore the snapshot {snapshot}?"),
    confirm_restore_text: |name| {
        format!("The machine {name} becomes as it was at that moment. What changed since is lost.")
    },
    confirm_remove_title: |snapshot| format!("Delete the snapshot {snapshot}?"),
    confirm_remove_text: |name| {
        format!("The machine {name} stays as it is, but you can no longer go back to that moment.")
    },
    create_title: "New machine",
    name: "Name",
    name_hint: "Lower-case letters, digits and dashes; start with a letter.",
    image: "Image",
    profile: "Profile",
    description: "Description",
    optional: "optional",
    start_after: "Turn it on when it is ready",
    create: "Create machine",
    limits: |limits| limit_parts(&limits, "CPU", "CPUs", "memory", "disk", '.', "No limits of its own"),
    limits_short: |limits| limit_parts(&limits, "CPU", "CPUs", "RAM", "disk", '.', ""),
    quota_numbers: |quota| {
        let (used, allowed) = (quota.used, quota.allowed);
        let sizes = || (bytes(used, '.'), bytes(allowed, '.'));
        match quota.resource.as_str() {
            "running" => format!("Running machines: {used} of {allowed}."),
            "memory_bytes" => format!("Memory: {} of {}.", sizes().0, sizes().1),
            "cpus" => format!("CPUs: {used} of {allowed}."),
            "disk_bytes" => format!("Disk: {} of {}.", sizes().0, sizes().1),
            "snapshots_per_machine" => format!("Snapshots of this machine: {used} of {allowed}."),
            _ => format!("Machines: {used} of {allowed}."),
        }
    },
    quota_rest: |quota| {
        let left = quota.allowed.saturating_sub(quota.used);
        let sizes = || (bytes(left, '.'), bytes(quota.allowed, '.'));
        match quota.resource.as_str() {
            "running" => format!("Running at the same time: {left} of {} left", quota.allowed),
            "memory_bytes" => format!("Memory: {} of {} left", sizes().0, sizes().1),
            "cpus" => format!("CPUs: {left} of {} left", quota.allowed),
            _ => format!("Disk: {} of {} left", sizes().0, sizes().1),
        }
    },
    quota_now: "What is left of your quota",
    pages: "Pages",
    decimal_mark: '.',
    usage: "Usage",
    usage_title: |name| format!("Usage of {name}"),
    usage_none: "Nothing was measured yet. It begins about half a minute after it was turned on.",
    chart_cpu: "CPU",
    chart_memory: "Memory",
    chart_disk: "Disk",
    chart_received: "Received",
    chart_sent: "Sent",
    chart_highest: |highest| format!("max. {highest}"),
    chart_words: |title, now, highest| format!("{title}: now {now}, at most {highest}."),
    page: |route| match route {
        Route::Overview => "Overview",
        Route::Networks => "Networks and certificates",
        Route::Mine => "My machines",
        Route::Students => "My classes' machines",
        Route::AllMachines => "Machines",
        Route::Differences => "Differences",
        Route::Images => "Images",
        Route::Profiles => "Profiles",
        Route::Users => "Users",
        Route::Quotas => "Quotas",
        Route::Audit => "Audit log",
    },
    select_machine: |name| format!("Tick {name}"),
    advice: |code| match code {
        P::MalformedBody | P::MalformedParameter | P::UnsupportedMediaType | P::MethodNotAllowed => {
            a("The server did not understand the request.", "Reload the page and try again.")
        }
        P::InvalidCredentials => a("User name or password is wrong.", "Check both and try again."),
        P::Unauthenticated | P::SessionExpired => a("Your session has ended.", "Log in again."),
        P::Forbidden => a("You are not allowed to do that.", "If you think you should be, ask for support."),
        P::AccountNotAllowed => a("Your account may not use this system.", "Ask the school's support."),
        P::ForeignOrigin => {
            a("The request came from another address.", "Open the system at the school's official address.")
        }
        P::NotFound => a("This no longer exists.", "The list will be up to date in a moment."),
        P::NameTaken => a("This name is in use already.", "Choose another."),
        P::WrongState => {
            a("The machine's state does not allow that now.", "Wait until it has finished, then try again.")
        }
        P::MachineBusy => a(
            "The machine is still busy with another command.",
            "Wait until it has finished, then try again.",
        ),
        P::InUse => a("This is still in use.", "Change or delete what uses it first."),
        P::NotRefreshable => {
            a("This image came from no other server.", "Upload or publish the new one under the same name.")
        }
        P::InvalidImage => {
            a("The file is no image that the server takes.", "Check the file and send it again.")
        }
        P::NotCancellable => a("The command can no longer be cancelled.", "Wait until it has finished."),
        P::PreconditionFailed => {
            a("This changed while you were looking.", "See how it is now and try again.")
        }
        P::PayloadTooLarge => a("The text is too large.", "Make it shorter and try again."),
        P::ValidationFailed => a("Some field is not right.", "Correct what is marked."),
        P::QuotaExceeded => {
            a("You have reached the limit of your quota.", "Delete or turn off what you no longer need.")
        }
        P::IdempotencyKeyReused => {
            a("This request was sent before with other data.", "Close it and start again.")
        }
        P::TooManyAttempts => a("There were too many attempts.", "Wait a few minutes before you try again."),
        P::ServerError => {
            a("The machine server reported an error.", "Try again; if it happens again, ask for support.")
        }
        P::ServerRefused => a("The machine server refused the system.", "Tell the school's support."),
        P::DirectoryUnavailable => {
            a("The school's account service does not answer.", "Try again in a few minutes.")
        }
        P::ServerUnavailable => a(
            "The machine server does not answer.",
            "Your machines are not lost; try again in a few minutes.",
        ),
        P::DatabaseUnavailable | P::Overloaded => {
            a("The system is too busy at the moment.", "Try again in a moment.")
        }
        P::ShuttingDown => a("The system is being restarted.", "Try again in a moment."),
        P::TooManyConnections => {
            a("You have too many connections open.", "Close some tabs or programs and try again.")
        }
        P::Internal | P::UpgradeRequired | P::Other => {
            a("Something went wrong in the system.", "Try again; if it happens again, ask for support.")
        }
    },
    advice_network: a("The system could not be reached.", "Check your connection and try again."),
    advice_unreadable: a("The system gave an unexpected answer.", "Reload the page and try again."),
    field: |code| match code {
        "subnet" => {
            Some("Write the address of the gateway and the size of the network, such as 10.99.0.1/18.")
        }
        "address" => Some("Write ranges such as 10.99.1.0-10.99.1.255, separated by commas."),
        "outside" => Some("An address lies outside of the network."),
        "order" => Some("A range ends before it begins."),
        "gateway" => Some("A range has the gateway's address in it."),
        "overlap" => Some("These addresses belong to another range or network."),
        "not-managed" => Some("LXD does not manage this network."),
        "required" => Some("Fill in this field."),
        "too-long" => Some("Use at most 63 characters."),
        "letter-first" => Some("Start with a letter."),
        "alphanumeric-first" => Some("Start with a letter or a digit."),
        "dash-last" => Some("Do not end with a dash."),
        "host-character" => Some("Use only letters without accents, digits and dashes."),
        "snapshot-character" => {
            Some("Use only letters without accents, digits, dots, dashes and underscores.")
        }
        "alias-character" => Some("Use only letters a-z, digits, dots, slashes, dashes and underscores."),
        "name-taken" => Some("This name is in use already. Choose another."),
        _ => None,
    },
    field_unknown: "This value is not accepted. Choose another.",
    description_long: "Use at most 500 characters.",
};
