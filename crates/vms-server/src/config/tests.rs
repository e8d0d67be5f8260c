//! What a configuration may be, and how it is told what is wrong with it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

const SMALL: &str = r#"
[directory]
url = "ldaps://ldap.school.example"
base_dn = "ou=people,dc=school,dc=example"

[[lxd]]
name = "lxd1"
endpoint = "unix:///var/lib/lxd/unix.socket"
"#;

#[test]
fn a_few_lines_are_enough() {
    let config = Config::parse(SMALL).unwrap();
    assert_eq!(config.problems(), Vec::<String>::new());
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.quota.machines, 10);
    assert_eq!(config.core_settings(), vms_core::Settings::default());
}

#[test]
fn the_example_has_no_problem_but_what_only_the_school_has() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vms.example.toml")).unwrap();
    let config = Config::parse(&text).unwrap();
    assert_eq!(config.problems(), Vec::<String>::new());
}

#[test]
fn an_unknown_key_is_named_with_its_section() {
    for (text, key) in [
        ("[http]\nlisten = \"127.0.0.1:80\"\ncolour = 1\n", "[http]"),
        ("[http]\nlisten = 5\n", "[http] listen"),
        ("[http]\nmetrics_allowed = [\"school\"]\n", "[http] metrics_allowed"),
        ("[quota]\nmachines = \"many\"\n", "[quota] machines"),
        ("[colour]\n", "colour"),
        ("[log]\nformat = \"xml\"\n", "[log] format"),
    ] {
        let error = Config::parse(&format!("{text}\n{SMALL}")).unwrap_err().to_string();
        assert!(error.contains(key), "{text}: {error}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let error = Config::parse("").unwrap_err().to_string();
    assert!(error.contains("directory"), "{error}");
}

#[test]
fn values_that_make_no_sense_are_named_by_key() {
    let text = format!(
        "[site]\ndefault_language = \"tlh\"\nlogo_file = \"/nowhere/logo.svg\"\n[http]\nstatic_dir = \"/nowhere\"\n\
         [machines]\nname_template = \"vm{{user}}\"\ndefault_image = \"a\"\nallowed_images = [\"b\"]\n\
         stop_timeout_seconds = 0\n[operations]\nper_user = 0\n[tokens]\naccess_ttl_seconds = 901\n[log]\nlevel = \"a=b=c\"\n{SMALL}\
         [[lxd]]\nname = \"lxd1\"\nendpoint = \"https://lxd2:8443\"\n"
    );
    let problems = Config::parse(&text).unwrap().problems().join("\n");
    for key in [
        "[site] default_language",
        "[site] logo_file",
        "[http] static_dir",
        "[machines] name_template",
        "[machines] default_image",
        "[machines] stop_timeout_seconds",
        "[operations] per_user",
        "[tokens] access_ttl_seconds",
        "[log] level",
        "[[lxd]] name",
        "client_cert_file is missing",
    ] {
        assert!(problems.contains(key), "{key} is not in:\n{problems}");
    }
}

#[test]
fn a_wrong_directory_is_said_with_its_own_key() {
    let text = SMALL.replace("base_dn", "bind_dn");
    let problems = Config::parse(&text).unwrap().problems();
    assert!(problems[0].starts_with("[directory] "), "{problems:?}");
}

#[test]
fn an_open_port_without_https_is_warned_of() {
    let config = Config::parse(&format!("[http]\nlisten = \"0.0.0.0:80\"\n{SMALL}")).unwrap();
    assert!(config.warnings().iter().any(|w| w.contains("public_url")));
    let text =
        format!("[http]\nlisten = \"0.0.0.0:80\"\npublic_url = \"https://vms.school.example\"\n{SMALL}");
    assert!(!Config::parse(&text).unwrap().warnings().iter().any(|w| w.contains("public_url")));
}
