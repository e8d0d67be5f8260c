//! Login through real LDAP messages over a real socket, against the in-process directory of the demo. What only a
//! real OpenLDAP can show is in the `directory` suite of the tests package.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vms_auth::{AuthError, Authenticator as _, Identity, LdapDirectory, Presence, Role};
use xtask::directory::{Asked, Directory, DirectoryServer, SERVICE_PASSWORD};

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

async fn start(people: Directory) -> DirectoryServer {
    DirectoryServer::start(people, anywhere()).await.unwrap()
}

async fn school() -> DirectoryServer {
    start(Directory::school().with_person("visita", "Vera", "Souza")).await
}

/// A directory that is configured by this section, with keys of `[directory]` added in front.
fn configured(section: &str, more: &str) -> LdapDirectory {
    let text = section.replacen("[directory]\n", &format!("[directory]\n{more}\n"), 1);
    let mut table: toml::Table = toml::from_str(&text).unwrap();
    LdapDirectory::new(table.remove("directory").unwrap().try_into().unwrap()).unwrap()
}

fn of(server: &DirectoryServer) -> LdapDirectory {
    configured(&server.vms_config(), "")
}

async fn login(directory: &LdapDirectory, username: &str) -> Identity {
    directory.authenticate(username, username).await.unwrap()
}

#[tokio::test]
async fn everybody_gets_in_with_their_role() {
    let server = school().await;
    let directory = of(&server);
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
    server.stop().await;
}

#[tokio::test]
async fn one_person_has_one_name_however_it_is_typed() {
    let server = school().await;
    for typed in ["bruno", "BRUNO", " Bruno "] {
        assert_eq!(of(&server).authenticate(typed, "bruno").await.unwrap().username, "bruno");
    }
    // Also when the filter accepts several names for a person.
    let by_mail = configured(&server.vms_config(), "user_filter = '(|(uid={username})(mail={username}))'");
    assert_eq!(by_mail.authenticate("ANA@escola.example", "ana").await.unwrap().username, "ana");
}

#[tokio::test]
async fn who_is_there_and_who_is_gone() {
    let server = school().await;
    let searching = of(&server);
    let people = Directory::school().people_dn();
    let template = format!("user_dn_template = 'uid={{username}},{people}'");
    let direct = configured(&server.vms_config(), &template);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, SERVICE_PASSWORD).unwrap();
    let service = Directory::school().service_dn();
    let keys = format!("{template}\nbind_dn = '{service}'\nbind_password_file = '{}'", file.display());
    let with_service = configured(&server.vms_config(), &keys);
    for (name, presence) in [
        ("bruno", Presence::Present),
        ("visita", Presence::Present),
        ("saiu", Presence::Absent),
        ("b*", Presence::Absent),
        ("bruno)(uid=*", Presence::Absent),
    ] {
        assert_eq!(searching.presence(name).await, Ok(presence), "{name}");
        assert_eq!(with_service.presence(name).await, Ok(presence), "{name}");
        assert_eq!(direct.presence(name).await, Ok(Presence::Untold), "{name}");
    }
    server.stop().await;
    assert!(matches!(searching.presence("bruno").await, Err(AuthError::Unavailable { .. })));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_cost_and_say_the_same() {
    let server = school().await;
    let directory = of(&server);
    let mut costs = Vec::new();
    for (username, password) in [("bruno", "wrong"), ("nobody", "wrong")] {
        let before = server.asked();
        assert_eq!(directory.authenticate(username, password).await, Err(AuthError::InvalidCredentials));
        let after = server.asked();
        costs.push(Asked { binds: after.binds - before.binds, searches: after.searches - before.searches });
    }
    assert_eq!(costs, [Asked { binds: 1, searches: 1 }, Asked { binds: 1, searches: 1 }]);
}

#[tokio::test]
async fn an_empty_password_or_an_impossible_name_never_reaches_the_directory() {
    let server = school().await;
    let directory = of(&server);
    let long = "a".repeat(65);
    for (username, password) in [
        ("bruno", ""),
        ("", "bruno"),
        ("  ", "bruno"),
        ("bru\0no", "bruno"),
        ("bruno\n", "bruno"),
        (long.as_str(), "x"),
    ] {
        let outcome = directory.authenticate(username, password).await;
        assert_eq!(outcome, Err(AuthError::InvalidCredentials), "{username:?}");
    }
    assert_eq!(server.asked(), Asked { binds: 0, searches: 0 });
}

#[tokio::test]
async fn what_is_typed_is_never_part_of_a_filter_or_a_dn() {
    let server = school().await;
    let searching = of(&server);
    let direct = configured(
        &server.vms_config(),
        &format!("user_dn_template = 'uid={{username}},{}'", Directory::school().people_dn()),
    );
    for username in [
        "*",
        "b*",
        "bruno)(uid=*",
        "*)(uid=*))(|(uid=*",
        "bruno,ou=people",
        "bruno\\",
        "\\2a",
        "bruno+cn=x",
        "brunö",
        "#",
        "ⓑruno",
    ] {
        for directory in [&searching, &direct] {
            let outcome = directory.authenticate(username, "bruno").await;
            assert_eq!(outcome, Err(AuthError::InvalidCredentials), "{username:?}");
        }
    }
    assert_eq!(login(&direct, "bruno").await, login(&searching, "bruno").await);
}

#[tokio::test]
async fn two_matches_are_no_match() {
    let server = school().await;
    // Ana Souza and Vera Souza: it must not be the first that counts.
    let directory = configured(&server.vms_config(), "user_filter = '(sn={username})'");
    for password in ["ana", "visita"] {
        assert_eq!(directory.authenticate("Souza", password).await, Err(AuthError::InvalidCredentials));
    }
    assert_eq!(directory.authenticate("Rizzetti", "bruno").await.unwrap().username, "bruno");
}

#[tokio::test]
async fn groups_come_from_member_and_from_member_uid_as_well() {
    let people = Directory::school();
    let server = school().await;
    for base in [people.groups_dn(), people.unix_dn()] {
        let text = format!(
            "[directory]\nurl = '{}'\nbase_dn = '{}'\ngroup_base_dn = '{base}'\ndefault_role = 'none'\n\
             [directory.roles]\nteacher = ['CN=Professores, {base}']\n[directory.attributes]\nmember_of = ''",
            server.url(),
            people.people_dn(),
        );
        let directory = configured(&text, "");
        let prof = login(&directory, "prof").await;
        assert_eq!((prof.role, prof.groups), (Role::Teacher, vec!["professores".to_owned()]), "{base}");
        assert!(matches!(directory.authenticate("bruno", "bruno").await, Err(AuthError::NotAllowed { .. })));
    }
}

#[tokio::test]
async fn a_service_account_searches_and_a_wrong_one_is_no_fault_of_the_user() {
    let server = school().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let keys = format!(
        "bind_dn = '{}'\nbind_password_file = '{}'",
        Directory::school().service_dn(),
        file.display()
    );
    std::fs::write(&file, format!("{SERVICE_PASSWORD}\n")).unwrap();
    let directory = configured(&server.vms_config(), &keys);
    directory.health().await.unwrap();
    assert_eq!(login(&directory, "bruno").await.username, "bruno");
    assert_eq!(directory.authenticate("bruno", "wrong").await, Err(AuthError::InvalidCredentials));
    std::fs::write(&file, "other").unwrap();
    let directory = configured(&server.vms_config(), &keys);
    for outcome in [directory.health().await, directory.authenticate("bruno", "bruno").await.map(drop)] {
        match outcome {
            Err(AuthError::Misconfigured { detail }) => {
                assert!(detail.contains("bind_password_file"), "{detail}");
            }
            other => unreachable!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_base_that_does_not_exist_and_a_missing_starttls_are_explained() {
    let server = school().await;
    let wrong_base =
        configured(&server.vms_config().replace("\nbase_dn = \"ou=people", "\nbase_dn = \"ou=pessoas"), "");
    let no_tls = configured(&server.vms_config(), "start_tls = true");
    for (directory, word) in [(wrong_base, "ou=pessoas"), (no_tls, "StartTLS")] {
        match directory.authenticate("bruno", "bruno").await {
            Err(AuthError::Misconfigured { detail }) => assert!(detail.contains(word), "{detail}"),
            other => unreachable!("{other:?}"),
        }
        assert!(directory.health().await.is_err());
    }
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    format!("ldap://{}", listener.local_addr().unwrap())
}

fn with_urls(section: &str, urls: &[String]) -> String {
    let list = toml::Value::Array(urls.iter().cloned().map(toml::Value::String).collect());
    section
        .lines()
        .map(|line| if line.starts_with("url = ") { format!("url = {list}\n") } else { format!("{line}\n") })
        .collect()
}

#[tokio::test]
async fn a_directory_that_is_down_is_said_at_once_and_the_next_one_is_asked() {
    let server = school().await;
    let down = nobody().await;
    let config = with_urls(&server.vms_config(), std::slice::from_ref(&down));
    let alone = configured(&config, "timeout_seconds = 60");
    let both_fail = async {
        for outcome in [alone.authenticate("bruno", "bruno").await.map(drop), alone.health().await] {
            match outcome {
                Err(AuthError::Unavailable { detail }) => assert!(detail.contains(&down), "{detail}"),
                other => unreachable!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), both_fail).await.expect("it waited for its timeout");
    let both = configured(&with_urls(&server.vms_config(), &[down, server.url()]), "");
    assert_eq!(login(&both, "bruno").await.username, "bruno");
    both.health().await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_answers_costs_one_timeout_and_only_once() {
    let silent = TcpListener::bind(anywhere()).await.unwrap();
    let server = school().await;
    let urls = [format!("ldap://{}", silent.local_addr().unwrap()), server.url()];
    let (asked, mut connections) = tokio::sync::mpsc::unbounded_channel();
    let accepting = tokio::spawn(async move {
        while let Ok((connection, _)) = silent.accept().await {
            asked.send(connection).unwrap();
        }
    });
    let directory = configured(&with_urls(&server.vms_config(), &urls), "timeout_seconds = 1");
    assert_eq!(login(&directory, "bruno").await.username, "bruno");
    let _first = connections.recv().await.unwrap();
    assert!(connections.try_recv().is_err(), "asked once, and given up");
    // Now the one that answers is asked first.
    assert_eq!(login(&directory, "ana").await.username, "ana");
    assert!(connections.try_recv().is_err(), "the silent one was asked again");
    accepting.abort();
}

#[tokio::test]
async fn a_server_that_talks_nonsense_ends_one_login_and_nothing_else() {
    // Well-formed BER that is no LDAP answer; bytes that are not even BER; a closed connection.
    for nonsense in
        [&[0x30, 0x05, 0x02, 0x01, 0x01, 0x65, 0x00][..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b""]
    {
        let listener = TcpListener::bind(anywhere()).await.unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 512];
                if stream.read(&mut request).await.is_ok() && stream.write_all(nonsense).await.is_err() {
                    break;
                }
            }
        });
        let text = format!("[directory]\nurl = '{url}'\nbase_dn = 'dc=x'\ntimeout_seconds = 1");
        let outcome = configured(&text, "").authenticate("bruno", "bruno").await;
        assert!(matches!(outcome, Err(AuthError::Unavailable { .. })), "{nonsense:?}: {outcome:?}");
        server.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_logs_in_at_once() {
    let server = start(Directory::school().with_people(200)).await;
    let directory = of(&server);
    let mut logins = tokio::task::JoinSet::new();
    for number in 1..=200 {
        let directory = directory.clone();
        logins.spawn(async move { (number, login(&directory, &format!("aluno{number:04}")).await) });
    }
    while let Some(done) = logins.join_next().await {
        let (number, identity) = done.unwrap();
        assert_eq!(identity.username, format!("aluno{number:04}"));
        assert_eq!(identity.role, Role::Student);
    }
}
