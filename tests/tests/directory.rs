//! Login against real OpenLDAP: what a directory written by ourselves could not prove.
//!
//! Each test starts a slapd of its own (half a second) and looks at one thing. The same code also runs against the
//! in-process directory, in `crates/vms-auth/tests/directory.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::net::TcpListener;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use vms_auth::{AuthError, Authenticator as _, Identity, LdapDirectory, Presence, Role};
use xtask::directory::Directory;
use xtask::lab::slapd::{ServerCertificate, Slapd, SlapdOptions};

/// Starts slapd, or ends the test (loudly) where there is none.
macro_rules! slapd {
    ($options:expr) => {{
        if !xtask::lab::need("slapd") {
            return;
        }
        Slapd::start($options).unwrap()
    }};
}

fn school() -> SlapdOptions {
    SlapdOptions {
        people: Directory::school().with_person("visita", "Vera", "Souza"),
        ..SlapdOptions::default()
    }
}

/// A certificate for these names, by an authority made for this test alone.
fn certificate_for(names: &[&str]) -> ServerCertificate {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    ServerCertificate { ca, certificate, key: key.serialize_pem() }
}

fn with_tls(names: &[&str]) -> SlapdOptions {
    SlapdOptions { tls: Some(certificate_for(names)), ..school() }
}

/// The directory that this `[directory]` section describes, with more keys of that section.
fn configured(section: &str, more: &str) -> LdapDirectory {
    let text = section.replacen("[directory]\n", &format!("[directory]\n{more}\n"), 1);
    let mut table: toml::Table = toml::from_str(&text).unwrap();
    LdapDirectory::new(table.remove("directory").unwrap().try_into().unwrap()).unwrap()
}

/// The usual section, at other URLs.
fn at(people: &Directory, urls: &[&str], more: &str) -> LdapDirectory {
    let list = urls.iter().map(|url| format!("\"{url}\"")).collect::<Vec<_>>().join(", ");
    configured(&people.vms_config("URL").replace("\"URL\"", &format!("[{list}]")), more)
}

async fn login(directory: &LdapDirectory, username: &str) -> Identity {
    directory.authenticate(username, username).await.unwrap()
}

#[tokio::test]
async fn roles_by_member_of() {
    let slapd = slapd!(school());
    let directory = configured(&slapd.vms_config(), "");
    directory.health().await.unwrap();
    assert_eq!(
        login(&directory, "bruno").await,
        Identity {
            username: "bruno".into(),
            display_name: "Bruno Rizzetti".into(),
            email: Some("bruno@escola.example".into()),
            groups: vec!["alunos".into()],
            role: Role::Student,
        }
    );
    assert_eq!(login(&directory, "prof").await.role, Role::Teacher);
    assert_eq!(login(&directory, "admin").await.role, Role::Admin);
    let visita = directory.authenticate("visita", "visita").await;
    assert_eq!(visita, Err(AuthError::NotAllowed { username: "visita".into() }));
}

#[tokio::test]
async fn roles_by_group_of_names_and_by_posix_group() {
    let slapd = slapd!(school());
    let people = slapd.people();
    for base in [people.groups_dn(), people.unix_dn()] {
        let text = format!(
            "[directory]\nurl = '{}'\nbase_dn = '{}'\ngroup_base_dn = '{base}'\ndefault_role = 'none'\n\
             [directory.roles]\nadmin = ['cn=administradores,{base}']\nteacher = ['CN=Professores, {base}']\n\
             [directory.attributes]\nmember_of = ''",
            slapd.url(),
            people.people_dn(),
        );
        let directory = configured(&text, "");
        let prof = login(&directory, "prof").await;
        assert_eq!((prof.role, prof.groups), (Role::Teacher, vec!["professores".to_owned()]), "{base}");
        assert_eq!(login(&directory, "admin").await.role, Role::Admin, "{base}");
        assert!(matches!(directory.authenticate("bruno", "bruno").await, Err(AuthError::NotAllowed { .. })));
    }
}

#[tokio::test]
async fn wrong_empty_and_unknown_get_one_answer() {
    let slapd = slapd!(school());
    let directory = configured(&slapd.vms_config(), "");
    for (username, password) in [
        ("bruno", "wrong"),
        ("bruno", "BRUNO"),
        ("bruno", ""),
        ("nobody", "nobody"),
        ("nobody", ""),
        ("", "bruno"),
        ("", ""),
    ] {
        let outcome = directory.authenticate(username, password).await;
        assert_eq!(outcome, Err(AuthError::InvalidCredentials), "{username:?} {password:?}");
    }
    assert_eq!(login(&directory, "bruno").await.username, "bruno");
}

#[tokio::test]
async fn who_is_there_and_who_is_gone() {
    let slapd = slapd!(school());
    let searching = configured(&slapd.vms_config(), "");
    let template = format!("user_dn_template = 'uid={{username}},{}'", slapd.people().people_dn());
    let direct = configured(&slapd.vms_config(), &template);
    for (name, presence) in [
        ("bruno", Presence::Present),
        ("visita", Presence::Present),
        ("saiu", Presence::Absent),
        ("b*", Presence::Absent),
    ] {
        assert_eq!(searching.presence(name).await, Ok(presence), "{name}");
        assert_eq!(direct.presence(name).await, Ok(Presence::Untold), "{name}");
    }
}

#[tokio::test]
async fn what_is_typed_is_never_part_of_a_filter_or_a_dn() {
    // One account's name is made of what has to be escaped: it is found, and nobody else by it.
    let options = school();
    let slapd =
        slapd!(SlapdOptions { people: options.people.with_person("b*(x)", "Bia", "Asterisco"), ..options });
    let searching = configured(&slapd.vms_config(), "");
    let template = format!("user_dn_template = 'uid={{username}},{}'", slapd.people().people_dn());
    let direct = configured(&slapd.vms_config(), &template);
    for username in [
        "*",
        "b*",
        "bruno*",
        ")(uid=*",
        "bruno)(uid=*",
        "*)(uid=*))(|(uid=*",
        "\\",
        "bruno\\",
        "\\2a",
        "\0",
        "bruno\0",
        "bruno,ou=people",
        "bruno+cn=Bruno Rizzetti",
        "#",
        "\"bruno\"",
        "brunö",
        "бруно",
        "🙂",
        "bruno\u{200b}x",
    ] {
        for directory in [&searching, &direct] {
            let outcome = directory.authenticate(username, "bruno").await;
            assert_eq!(outcome, Err(AuthError::InvalidCredentials), "{username:?}");
        }
    }
    let open = slapd.vms_config().replace("\"none\"", "\"student\"");
    for directory in [configured(&open, ""), configured(&open, &template)] {
        assert_eq!(login(&directory, "b*(x)").await.display_name, "Bia Asterisco");
        assert_eq!(login(&directory, "bruno").await.display_name, "Bruno Rizzetti");
    }
}

#[tokio::test]
async fn one_person_has_one_name_however_it_is_typed() {
    let slapd = slapd!(school());
    let directory = configured(&slapd.vms_config(), "");
    // The last ones are equal for OpenLDAP, by Unicode: full-width letters and circled ones.
    for typed in ["bruno", "BRUNO", " bruno ", "ｂｒｕｎｏ", "ⓑruno"] {
        let outcome = directory.authenticate(typed, "bruno").await;
        assert_eq!(outcome.map(|identity| identity.username), Ok("bruno".to_owned()), "{typed:?}");
    }
}

#[tokio::test]
async fn two_matches_are_no_match() {
    let slapd = slapd!(school());
    let directory = configured(&slapd.vms_config(), "user_filter = '(sn={username})'");
    for password in ["ana", "visita"] {
        assert_eq!(directory.authenticate("Souza", password).await, Err(AuthError::InvalidCredentials));
    }
    assert_eq!(directory.authenticate("Rizzetti", "bruno").await.unwrap().username, "bruno");
}

#[tokio::test]
async fn a_service_account_finds_whom_others_may_not_see() {
    let slapd = slapd!(SlapdOptions { anonymous_search: false, ..school() });
    let anonymous = configured(&slapd.vms_config(), "");
    match anonymous.authenticate("bruno", "bruno").await {
        Err(AuthError::Misconfigured { detail }) => assert!(detail.contains("bind_dn"), "{detail}"),
        other => unreachable!("{other:?}"),
    }
    assert!(anonymous.health().await.is_err());

    let account = |password_file: &std::path::Path| {
        format!(
            "bind_dn = '{}'\nbind_password_file = '{}'",
            slapd.people().service_dn(),
            password_file.display()
        )
    };
    let directory = configured(&slapd.vms_config(), &account(&slapd.service_password_file()));
    directory.health().await.unwrap();
    assert_eq!(login(&directory, "prof").await.role, Role::Teacher);
    assert_eq!(directory.authenticate("bruno", "wrong").await, Err(AuthError::InvalidCredentials));

    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("password");
    std::fs::write(&wrong, "not-it").unwrap();
    let directory = configured(&slapd.vms_config(), &account(&wrong));
    match directory.authenticate("bruno", "bruno").await {
        Err(AuthError::Misconfigured { detail }) => {
            assert!(detail.contains("bind_password_file"), "{detail}");
        }
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn starttls_and_ldaps_are_verified() {
    let slapd = slapd!(SlapdOptions { require_tls: true, ..with_tls(&["127.0.0.1", "localhost"]) });
    let people = slapd.people();
    let ldaps = slapd.ldaps_url().unwrap();
    let trusted = format!("ca_file = '{}'", slapd.ca_file().display());

    let starttls = at(people, &[&slapd.url()], &format!("start_tls = true\n{trusted}"));
    starttls.health().await.unwrap();
    assert_eq!(login(&starttls, "bruno").await.username, "bruno");
    let by_ldaps = at(people, &[&ldaps], &trusted);
    assert_eq!(login(&by_ldaps, "prof").await.role, Role::Teacher);

    // This slapd refuses passwords in the clear, and we say what to do.
    match at(people, &[&slapd.url()], "").authenticate("bruno", "bruno").await {
        Err(AuthError::Misconfigured { detail }) => assert!(detail.contains("start_tls = true"), "{detail}"),
        other => unreachable!("{other:?}"),
    }

    // Another authority, and the system's.
    let dir = tempfile::tempdir().unwrap();
    let other_ca = dir.path().join("ca.pem");
    std::fs::write(&other_ca, certificate_for(&["127.0.0.1"]).ca).unwrap();
    for trust in [format!("ca_file = '{}'", other_ca.display()), String::new()] {
        for directory in [
            at(people, &[&slapd.url()], &format!("start_tls = true\n{trust}")),
            at(people, &[&ldaps], &trust),
        ] {
            match directory.authenticate("bruno", "bruno").await {
                Err(AuthError::Unavailable { detail }) => assert!(detail.contains("not trusted"), "{detail}"),
                other => unreachable!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let slapd = slapd!(with_tls(&["ldap.escola.example"]));
    let trusted = format!("ca_file = '{}'", slapd.ca_file().display());
    for directory in [
        at(slapd.people(), &[&slapd.url()], &format!("start_tls = true\n{trusted}")),
        at(slapd.people(), &[&slapd.ldaps_url().unwrap()], &trusted),
    ] {
        match directory.authenticate("bruno", "bruno").await {
            Err(AuthError::Unavailable { detail }) => assert!(detail.contains("not trusted"), "{detail}"),
            other => unreachable!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_directory_that_goes_down_is_said_at_once_and_the_next_one_is_asked() {
    let slapd = slapd!(school());
    let people = slapd.people().clone();
    let gone = slapd.url();
    let directory = at(&people, &[&gone], "timeout_seconds = 60");
    assert_eq!(login(&directory, "bruno").await.username, "bruno");
    drop(slapd);

    let fails = async {
        match directory.authenticate("bruno", "bruno").await {
            Err(AuthError::Unavailable { detail }) => assert!(detail.contains(&gone), "{detail}"),
            other => unreachable!("{other:?}"),
        }
        assert!(directory.health().await.is_err());
    };
    tokio::time::timeout(Duration::from_secs(30), fails).await.expect("it waited for its timeout");

    let second = slapd!(school());
    let both = at(&people, &[&gone, &second.url()], "");
    assert_eq!(login(&both, "bruno").await.username, "bruno");
    assert_eq!(both.authenticate("bruno", "wrong").await, Err(AuthError::InvalidCredentials));
    both.health().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_hangs_costs_one_timeout() {
    // Accepts connections (the kernel does) and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slapd = slapd!(school());
    let url = format!("ldap://{}", silent.local_addr().unwrap());
    let alone = at(slapd.people(), &[&url], "timeout_seconds = 1");
    let outcome = tokio::time::timeout(Duration::from_secs(30), alone.authenticate("bruno", "bruno")).await;
    assert!(matches!(outcome, Ok(Err(AuthError::Unavailable { .. }))), "{outcome:?}");
    let both = at(slapd.people(), &[&url, &slapd.url()], "timeout_seconds = 1");
    assert_eq!(login(&both, "bruno").await.username, "bruno");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_logs_in_at_once() {
    let slapd =
        slapd!(SlapdOptions { people: Directory::school().with_people(300), ..SlapdOptions::default() });
    let directory = configured(&slapd.vms_config(), "");
    let mut logins = tokio::task::JoinSet::new();
    for number in 1..=300 {
        let directory = directory.clone();
        logins.spawn(async move { (number, login(&directory, &format!("aluno{number:04}")).await) });
    }
    while let Some(done) = logins.join_next().await {
        let (number, identity) = done.unwrap();
        assert_eq!((identity.username, identity.role), (format!("aluno{number:04}"), Role::Student));
    }
}
