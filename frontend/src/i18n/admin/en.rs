//! English.

use vms_types::AuditOutcome;

use super::AdminTexts;

pub(crate) const TEXTS: AdminTexts = AdminTexts {
    all: "Any",
    search: "Search",
    state: "State",
    server: "Server",
    load_more: "Load more",
    shown: |n, more| match (n, more) {
        (1, false) => "1 machine".to_owned(),
        (n, false) => format!("{n} machines"),
        (n, true) => format!("the first {n} machines"),
    },
    machines_none_fit: "No machine fits the filters.",
    bulk: "Commands to the ticked machines",
    selected: |n| if n == 0 { "None ticked".to_owned() } else { format!("{n} ticked") },
    bulk_stop_title: |n| {
        if n == 1 { "Turn off 1 machine?".to_owned() } else { format!("Turn off {n} machines?") }
    },
    bulk_stop_text: "Whoever uses these machines loses the connection to them.",
    bulk_delete_title: |n| {
        if n == 1 { "Delete 1 machine?".to_owned() } else { format!("Delete {n} machines?") }
    },
    bulk_delete_text: "The machines, everything on them and all of their snapshots cease to exist. This cannot be undone.",
    audit_empty: "No entry fits the filters.",
    audit_file: "audit",
    export: |format| format!("Export {format}"),
    from_day: "From",
    until_day: "Until",
    column_when: "When",
    column_person: "Person",
    column_action: "Action",
    column_target: "Target",
    column_outcome: "Outcome",
    action: |word| {
        Some(match word {
            "auth.login" => "Log in",
            "auth.logout" => "Log out",
            "auth.refresh" => "Renew the session",
            "machine.create" => "Create machine",
            "machine.edit" => "Change machine",
            "machine.power" => "Turn on or off",
            "machine.reset" => "Reset machine",
            "machine.delete" => "Delete machine",
            "machine.bulk" => "Command to many",
            "snapshot.create" => "Take snapshot",
            "snapshot.rename" => "Rename snapshot",
            "snapshot.restore" => "Restore snapshot",
            "snapshot.delete" => "Delete snapshot",
            "operation.cancel" => "Cancel operation",
            "user.edit" => "Change user",
            "user.sign_out" => "End sessions",
            "quota.put" => "Set quota",
            "quota.delete" => "Remove quota",
            "profile.create" => "Create profile",
            "profile.update" => "Change profile",
            "profile.delete" => "Delete profile",
            "token.create" => "Make token",
            "token.delete" => "End token",
            _ => return None,
        })
    },
    outcome: |outcome| match outcome {
        AuditOutcome::Ok => "Taken",
        AuditOutcome::Refused => "Refused",
    },
    detail_action: "Action in the API",
    detail_answer: "Answer",
    detail_address: "Client address",
    detail_request: "Request id",
    detail_asked: "Request",
};
