//! A school: real LXD, real OpenLDAP, and the server between them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use toml::Table;
use xtask::directory::Directory;
use xtask::lab::slapd::{Slapd, SlapdOptions};
use xtask::lab::{Lxd, LxdOptions};
use xtask::vms_toml::VmsToml;

use super::forwarder::Forwarder;
use super::http::Api;
use super::server::Server;

/// The name of the LXD server in the configuration.
pub const LXD: &str = "lab";

/// The name of a second one.
pub const SECOND: &str = "anexo";

/// How the school differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct SchoolOptions {
    /// Address of the database; a SQLite file if absent.
    pub database: Option<String>,
    /// Who is in the directory; [`Directory::school`] if absent.
    pub people: Option<Directory>,
    /// Speak to LXD over HTTPS with a client certificate, not over its socket.
    pub https: bool,
    /// Let a machine have several interfaces on LXD's bridge.
    pub many_interfaces: bool,
    /// A second LXD, called [`SECOND`], at its socket.
    pub second: bool,
    /// Speak to LXD through a [`Forwarder`].
    pub forwarded: bool,
    /// Machines a person may have; 10 if absent.
    pub machines: Option<u32>,
    /// Seconds an access token lasts; the server's default if absent.
    pub access_ttl: Option<u32>,
    /// Seconds between two looks at what servers and machines use; the server's default if absent.
    pub sample: Option<u32>,
    /// The built pages.
    pub pages: Option<PathBuf>,
}

/// All of it. Fields are dropped in this order: the server first.
#[derive(Debug)]
pub struct School {
    /// `vms serve`.
    pub server: Server,
    /// What stands before LXD, with [`SchoolOptions::forwarded`].
    pub forwarder: Option<Forwarder>,
    /// LXD, with a tiny image.
    pub lxd: Lxd,
    /// Another one, with [`SchoolOptions::second`].
    pub second: Option<Lxd>,
    /// The directory: bruno, ana (students), prof (teacher), admin; each password is the user name.
    pub slapd: Slapd,
}

impl School {
    /// Starts everything. Takes 5–10 s.
    ///
    /// # Errors
    /// When a part does not start; the message carries its log.
    pub fn open(options: &SchoolOptions) -> Result<Self> {
        let people = options.people.clone().unwrap_or_else(Directory::school);
        let slapd = Slapd::start(SlapdOptions { people, ..SlapdOptions::default() })?;
        let lxd = Lxd::start(LxdOptions {
            https: options.https,
            many_interfaces: options.many_interfaces,
            ..LxdOptions::default()
        })?;
        let second = options.second.then(|| Lxd::start(LxdOptions::default())).transpose()?;
        let forwarder = options.forwarded.then(|| Forwarder::start(&lxd.socket())).transpose()?;
        let endpoint = forwarder.as_ref().map_or_else(|| lxd.endpoint(), Forwarder::endpoint);
        let server = Server::start(|dir, port| {
            let text = VmsToml {
                port,
                static_dir: options.pages.clone(),
                lxd: (LXD, endpoint),
                directory: slapd.vms_config(),
                state: dir,
                defaults: Some((lxd.image_alias(), "default")),
            }
            .text();
            let mut whole: Table = text.parse()?;
            if let Some(url) = &options.database {
                section(&mut whole, "database")?.insert("url".into(), url.clone().into());
            }
            if let Some(machines) = options.machines {
                section(&mut whole, "quota")?.insert("machines".into(), machines.into());
            }
            if let Some(seconds) = options.access_ttl {
                section(&mut whole, "tokens")?.insert("access_ttl_seconds".into(), seconds.into());
            }
            if let Some(seconds) = options.sample {
                section(&mut whole, "overview")?.insert("sample_seconds".into(), seconds.into());
            }
            if let Some(second) = &second {
                let servers =
                    whole.get_mut("lxd").and_then(toml::Value::as_array_mut).context("no [[lxd]]")?;
                let mut entry = Table::new();
                entry.insert("name".into(), SECOND.into());
                entry.insert("endpoint".into(), second.endpoint().into());
                servers.push(entry.into());
            }
            if options.https {
                let server = whole.get_mut("lxd").and_then(|list| list.get_mut(0)).context("no [[lxd]]")?;
                let server = server.as_table_mut().context("[[lxd]] is no table")?;
                over_https(server, &lxd, dir)?;
            }
            Ok(whole.to_string())
        })?;
        Ok(Self { server, forwarder, lxd, second, slapd })
    }

    /// A new session of that person, who logs in for it.
    pub async fn login(&self, username: &str) -> Api {
        Api::login(&self.server.url(), username).await
    }

    /// The names of all instances on LXD, sorted.
    ///
    /// # Panics
    /// When LXD does not answer.
    #[must_use]
    pub fn instances(&self) -> Vec<String> {
        self.column("n")
    }

    /// One column of `lxc list`, sorted.
    ///
    /// # Panics
    /// When LXD does not answer.
    #[must_use]
    pub fn column(&self, column: &str) -> Vec<String> {
        let listed = self.lxc(&["list", "--format", "csv", "--columns", column]);
        let mut lines: Vec<String> = listed.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// Runs `lxc`.
    ///
    /// # Panics
    /// When it fails.
    pub fn lxc(&self, args: &[&str]) -> String {
        self.lxd.lxc(args).unwrap()
    }

    /// Makes a file inside a machine.
    ///
    /// # Panics
    /// When the machine does not run.
    pub fn write_file(&self, instance: &str, path: &str) {
        self.is_up(instance);
        self.lxc(&["exec", instance, "--", "touch", path]);
        assert!(self.has_file(instance, path), "{path} was not written");
    }

    /// Whether a file is inside a machine.
    ///
    /// # Panics
    /// When the machine does not run.
    #[must_use]
    pub fn has_file(&self, instance: &str, path: &str) -> bool {
        self.is_up(instance);
        let test = format!("if [ -e {path} ]; then echo there; else echo gone; fi");
        match self.lxc(&["exec", instance, "--", "sh", "-c", &test]).trim() {
            "there" => true,
            "gone" => false,
            other => panic!("the machine answered {other:?}"),
        }
    }

    /// Waits until a machine has asked for its address itself. Before that its init may not listen yet: a machine that is
    /// asked to shut down then never does, and nothing can be run in it.
    ///
    /// # Panics
    /// When it does not within 30 s.
    pub fn is_up(&self, instance: &str) {
        let filter = format!("^{instance}$");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.lxc(&["list", &filter, "--format", "csv", "--columns", "4"]).contains("(eth0)") {
            assert!(Instant::now() < deadline, "{instance} is not up after 30 s");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What `person` sees is what there is; see [`School::disagreement`].
    ///
    /// # Panics
    /// When it is not so.
    pub async fn assert_nothing_orphaned(&self, person: &Api) {
        if let Some(what) = self.disagreement(&[person]).await {
            panic!("{what}");
        }
    }

    /// Where what these people see differs from what there is: one row for each instance, in the same state and with
    /// the same snapshots, the quota counted right, and nothing else on LXD.
    ///
    /// # Panics
    /// When LXD or the API does not answer.
    pub async fn disagreement(&self, people: &[&Api]) -> Option<String> {
        let mut shown = Vec::new();
        for person in people {
            let machines = person.machines().await;
            let used = person.used().await;
            if used != machines.len() {
                return Some(format!("the quota counts {used}, the list {}", machines.len()));
            }
            shown.extend(machines.iter().map(|machine| Seen {
                name: text(&machine["instance"]),
                status: text(&machine["status"]),
                snapshots: sorted(machine["snapshots"].as_array().unwrap().iter().map(|s| text(&s["name"]))),
            }));
        }
        let there: Value = serde_json::from_str(&self.lxc(&["list", "--format", "json"])).unwrap();
        let mut there: Vec<Seen> = there
            .as_array()
            .unwrap()
            .iter()
            .map(|instance| Seen {
                name: text(&instance["name"]),
                status: text(&instance["status"]).to_lowercase(),
                snapshots: sorted(
                    instance["snapshots"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|snapshot| text(&snapshot["name"]).rsplit('/').next().unwrap().to_owned()),
                ),
            })
            .collect();
        shown.sort();
        there.sort();
        (shown != there).then(|| format!("shown:\n{shown:#?}\nthere:\n{there:#?}"))
    }
}

/// A machine as somebody sees it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    name: String,
    status: String,
    snapshots: Vec<String>,
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn section<'t>(whole: &'t mut Table, name: &str) -> Result<&'t mut Table> {
    whole
        .entry(name)
        .or_insert_with(|| Table::new().into())
        .as_table_mut()
        .with_context(|| format!("[{name}] is no table"))
}

/// A client certificate of our own, trusted by LXD; LXD's certificate, pinned.
fn over_https(server: &mut Table, lxd: &Lxd, dir: &std::path::Path) -> Result<()> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["vms".to_owned()])?.self_signed(&key)?;
    let files = [
        ("client_cert_file", "client.crt", certificate.pem()),
        ("client_key_file", "client.key", key.serialize_pem()),
        ("server_cert_file", "server.crt", lxd.server_cert_pem()?),
    ];
    for (setting, name, text) in files {
        let file = dir.join(name);
        std::fs::write(&file, text)?;
        server.insert(setting.to_owned(), file.display().to_string().into());
    }
    lxd.trust_client_cert(&dir.join("client.crt"))?;
    server.insert("endpoint".into(), lxd.https_url().context("LXD does not listen on HTTPS")?.into());
    Ok(())
}
