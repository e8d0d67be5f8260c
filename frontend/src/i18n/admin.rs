//! What only the administrators' pages say. A value of its own, so that the students' program does not carry it.

pub(super) mod en;
mod images;
pub(super) mod pt;

pub(crate) use images::ImageTexts;

/// All texts of the administrators' pages in one language.
pub(crate) struct AdminTexts {
    pub all: &'static str,
    pub search: &'static str,
    pub state: &'static str,
    pub server: &'static str,
    pub load_more: &'static str,
    pub shown: fn(usize, bool) -> String,
    pub machines_none_fit: &'static str,
    pub bulk: &'static str,
    pub selected: fn(usize) -> String,
    pub bulk_stop_title: fn(usize) -> String,
    pub bulk_stop_text: &'static str,
    pub bulk_delete_title: fn(usize) -> String,
    pub bulk_delete_text: &'static str,
    pub differences_text: &'static str,
    pub differences_none: &'static str,
    pub difference: fn(vms_types::DifferenceKind) -> &'static str,
    pub column_instance: &'static str,
    pub column_kind: &'static str,
    pub column_owner: &'static str,
    pub adopt: &'static str,
    pub adopt_title: fn(&str) -> String,
    pub adopt_text: &'static str,
    pub adopted: fn(&str, &str) -> String,
    pub owner_hint: &'static str,
    pub give_up: &'static str,
    pub give_up_title: fn(&str) -> String,
    pub give_up_text: &'static str,
    pub given_up: fn(&str) -> String,

    pub images: ImageTexts,
    pub memory: &'static str,
    pub cpus: &'static str,
    pub disk: &'static str,
    pub interfaces: &'static str,
    pub processes: &'static str,
    pub pool: &'static str,
    pub nesting: &'static str,
    pub no_limit: &'static str,
    pub bridge: &'static str,
    pub mac_filtering: &'static str,
    pub ipv4_filtering: &'static str,
    pub add_interface: &'static str,
    pub remove_interface: fn(&str) -> String,
    pub size_hint: &'static str,
    pub number_hint: &'static str,
    pub new_profile: &'static str,
    pub profile_title: fn(&str) -> String,
    pub profile_name_hint: &'static str,
    pub profiles_none: &'static str,
    pub profile_saved: fn(&str) -> String,
    pub profile_deleted: fn(&str) -> String,
    pub profile_in_use: fn(&str, &str, usize) -> String,
    pub confirm_profile_title: fn(&str) -> String,
    pub confirm_profile_text: &'static str,
    pub views: &'static str,
    pub view_form: &'static str,
    pub view_raw: &'static str,
    pub bad_line: fn(usize) -> String,
    pub dangerous: &'static str,
    pub dangerous_refused: &'static str,
    pub default: &'static str,
    pub edit: &'static str,
    pub audience: &'static str,
    pub audience_edit: &'static str,
    pub audience_title: fn(&str) -> String,
    pub audience_saved: fn(&str) -> String,
    pub everyone: &'static str,
    pub only_these: &'static str,
    pub administrators_only: &'static str,
    pub default_of: &'static str,
    pub default_hint: &'static str,
    pub role: fn(vms_types::Role) -> &'static str,
    pub groups: &'static str,
    pub people: &'static str,
    pub names_hint: &'static str,
    pub change_profile: &'static str,
    pub change_profile_text: &'static str,
    pub health: &'static str,
    pub database: &'static str,
    pub directory: &'static str,
    pub answers: &'static str,
    pub answers_not: &'static str,
    pub answers_since: fn(&str) -> String,
    pub lost_since: fn(&str) -> String,
    pub machines_running: fn(u32, u32) -> String,
    pub processors: fn(u32) -> String,
    pub load: fn(f64) -> String,
    pub storage_of: fn(&str) -> String,
    pub busiest: &'static str,
    pub by_cpu: &'static str,
    pub by_memory: &'static str,
    pub under_way: fn(u32) -> String,
    pub failed_lately: &'static str,
    pub nothing_here: &'static str,
    pub networks: &'static str,
    pub networks_none: &'static str,
    pub network: &'static str,
    pub subnet: &'static str,
    pub subnet_hint: &'static str,
    pub ranges: &'static str,
    pub ranges_hint: &'static str,
    pub whole_subnet: &'static str,
    pub machines_on: &'static str,
    pub addresses: &'static str,
    pub addresses_of: fn(&str) -> String,
    pub change: &'static str,
    pub change_network: fn(&str) -> String,
    pub change_network_text: &'static str,
    pub network_changed: fn(&str) -> String,
    pub leases_none: &'static str,
    pub lease_address: &'static str,
    pub lease_holder: &'static str,
    pub lease_kind_title: &'static str,
    pub lease_kind: fn(&str) -> Option<&'static str>,
    pub hwaddr: &'static str,
    pub certificates: &'static str,
    pub certificates_none: &'static str,
    pub add_certificate: &'static str,
    pub add: &'static str,
    pub certificate_name: &'static str,
    pub certificate_hint: &'static str,
    pub certificate_kind: &'static str,
    pub certificate_pem: &'static str,
    pub certificate_pem_hint: &'static str,
    pub certificate_removed: &'static str,
    pub fingerprint: &'static str,
    pub own_certificate: &'static str,
    pub remove_certificate_title: fn(&str) -> String,
    pub remove_certificate_text: &'static str,
    pub token_text: &'static str,
    pub audit_empty: &'static str,
    pub audit_file: &'static str,
    pub export: fn(&str) -> String,
    pub from_day: &'static str,
    pub until_day: &'static str,
    pub column_snapshots: &'static str,
    pub students_none: &'static str,
    pub column_when: &'static str,
    pub column_person: &'static str,
    pub column_action: &'static str,
    pub column_target: &'static str,
    pub column_outcome: &'static str,
    pub action: fn(&str) -> Option<&'static str>,
    pub outcome: fn(vms_types::AuditOutcome) -> &'static str,
    pub detail_action: &'static str,
    pub detail_answer: &'static str,
    pub detail_address: &'static str,
    pub detail_request: &'static str,
    pub detail_asked: &'static str,
}

/// What the audit log can hold, in the order in which one chooses from it; each has its words.
pub(crate) const ACTIONS: &[&str] = &[
    "auth.login",
    "auth.logout",
    "machine.create",
    "machine.edit",
    "machine.power",
    "machine.reset",
    "machine.delete",
    "machine.adopt",
    "machine.bulk",
    "snapshot.create",
    "snapshot.rename",
    "snapshot.restore",
    "snapshot.delete",
    "operation.cancel",
    "user.edit",
    "user.sign_out",
    "user.check",
    "quota.put",
    "quota.delete",
    "profile.create",
    "profile.update",
    "profile.delete",
    "network.edit",
    "certificate.add",
    "certificate.remove",
    "profile.audience_put",
    "image.audience_put",
    "image.upload",
    "image.import",
    "image.publish",
    "image.edit",
    "image.refresh",
    "image.delete",
    "token.create",
    "token.delete",
    "auth.refresh",
];

#[cfg(test)]
mod tests {
    use super::super::Lang;
    use super::*;

    /// The log names actions by the operations of the document.
    #[test]
    fn whatever_the_audit_log_can_hold_has_words_and_can_be_chosen() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../../../openapi/vms.json")).unwrap();
        let mut held = std::collections::BTreeSet::new();
        for operations in document["paths"].as_object().unwrap().values() {
            for (method, operation) in operations.as_object().unwrap() {
                if method != "get" {
                    held.insert(operation["operationId"].as_str().unwrap().replacen('_', ".", 1));
                }
            }
        }
        // A ticket changes nothing and is not written down.
        assert!(held.remove("event.ticket"));
        assert_eq!(held, ACTIONS.iter().map(|&word| word.to_owned()).collect());
        for lang in [Lang::Pt, Lang::En] {
            let missing: Vec<_> =
                held.iter().filter(|word| (lang.admin_texts().action)(word).is_none()).collect();
            assert!(missing.is_empty(), "{missing:?}");
        }
    }
}
