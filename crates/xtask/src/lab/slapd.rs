//! Real OpenLDAP: a slapd of our own in a temporary directory, on free ports of 127.0.0.1, with the same people as
//! the [in-process directory](crate::directory).

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::open_dir;
use super::reaper::Reaper;
use crate::directory::{Directory, SERVICE_PASSWORD};
use crate::proc;

const ROOT_PASSWORD: &str = "lab";

/// What a TLS server needs, in PEM.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    /// The authority that signed it.
    pub ca: String,
    /// The certificate; it has to name `127.0.0.1`.
    pub certificate: String,
    /// Its private key (PKCS#8).
    pub key: String,
}

/// How to start slapd.
#[derive(Debug, Clone)]
pub struct SlapdOptions {
    /// Who is in it.
    pub people: Directory,
    /// With a certificate it offers StartTLS, and LDAPS on a port of its own.
    pub tls: Option<ServerCertificate>,
    /// Refuse whoever binds without TLS.
    pub require_tls: bool,
    /// Let people search without a bind. Without it, only the service account finds anybody.
    pub anonymous_search: bool,
}

impl Default for SlapdOptions {
    fn default() -> Self {
        Self { people: Directory::school(), tls: None, require_tls: false, anonymous_search: true }
    }
}

/// A running slapd. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct Slapd {
    dir: PathBuf,
    people: Directory,
    port: u16,
    tls_port: Option<u16>,
    process: Child,
    reaper: Option<Reaper>,
}

impl Slapd {
    /// Starts it and adds the people. Takes about half a second.
    ///
    /// # Errors
    /// When slapd is not installed, or does not come up; the message carries its log.
    pub fn start(options: SlapdOptions) -> Result<Self> {
        let program = proc::which("slapd")
            .context("OpenLDAP is not installed (Debian's packages: slapd ldap-utils)")?;
        let dir = open_dir("vms-slapd-")?;
        let reaper = Reaper::arm(&dir, "end_ours slapd")?;
        let program = unconfined(program, &dir)?;
        std::fs::create_dir(dir.join("db"))?;
        std::fs::write(dir.join("slapd.conf"), configuration(&options, &dir))?;
        std::fs::write(dir.join("people.ldif"), options.people.ldif())?;
        std::fs::write(dir.join("service.password"), format!("{SERVICE_PASSWORD}\n"))?;
        if let Some(tls) = &options.tls {
            std::fs::write(dir.join("ca.pem"), &tls.ca)?;
            std::fs::write(dir.join("server.pem"), &tls.certificate)?;
            std::fs::write(dir.join("server.key"), &tls.key)?;
        }
        let port = proc::free_port()?;
        let tls_port = options.tls.as_ref().map(|_| proc::free_port()).transpose()?;
        let process = spawn(&program, &dir, port, tls_port)?;
        let mut slapd = Self { dir, people: options.people, port, tls_port, process, reaper: Some(reaper) };
        slapd.wait_ready()?;
        slapd.add_people()?;
        Ok(slapd)
    }

    /// `ldap://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// `ldaps://127.0.0.1:port`, when it was started with a certificate.
    #[must_use]
    pub fn ldaps_url(&self) -> Option<String> {
        self.tls_port.map(|port| format!("ldaps://127.0.0.1:{port}"))
    }

    /// The authority to trust; the file exists when it was started with a certificate.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// A file with the password of the service account.
    #[must_use]
    pub fn service_password_file(&self) -> PathBuf {
        self.dir.join("service.password")
    }

    /// Its directory: configuration, data, log.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Who is in it.
    #[must_use]
    pub const fn people(&self) -> &Directory {
        &self.people
    }

    /// The `[directory]` section of a `vms.toml` that logs in here.
    #[must_use]
    pub fn vms_config(&self) -> String {
        self.people.vms_config(&self.url())
    }

    fn log(&self) -> PathBuf {
        self.dir.join("slapd.log")
    }

    /// Until the socket answers. It is opened after the ports.
    fn wait_ready(&mut self) -> Result<()> {
        let url = socket_url(&self.dir);
        let process = &mut self.process;
        let log = self.dir.join("slapd.log");
        proc::wait_for("slapd", Duration::from_secs(20), || {
            if let Some(status) = process.try_wait()? {
                bail!("slapd ended ({status}): {}", proc::tail(&log, 8));
            }
            let asked = proc::output(
                Command::new("ldapsearch").args(["-x", "-H", &url, "-s", "base", "-b", "", "1.1"]),
            );
            Ok(asked.is_ok().then_some(()))
        })
        .with_context(|| format!("slapd said: {}", proc::tail(&self.log(), 8)))
    }

    /// Over LDAP, not with slapadd: so that the `memberof` overlay sees the groups.
    fn add_people(&self) -> Result<()> {
        proc::output(
            Command::new("ldapadd")
                .args([
                    "-x",
                    "-H",
                    &socket_url(&self.dir),
                    "-D",
                    &root_dn(&self.people),
                    "-w",
                    ROOT_PASSWORD,
                    "-f",
                ])
                .arg(self.dir.join("people.ldif")),
        )
        .map(|_| ())
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        drop(self.reaper.take());
        if let Err(error) = self.process.wait() {
            crate::ui::say(format!("lost track of slapd in {}: {error}", self.dir.display()));
        }
    }
}

fn root_dn(people: &Directory) -> String {
    format!("cn=root,{}", people.base_dn)
}

/// Where AppArmor is on, its profile for `/usr/sbin/slapd` (Ubuntu) keeps it out of temporary directories; profiles go
/// by path, so a copy runs without one.
fn unconfined(program: PathBuf, dir: &Path) -> Result<PathBuf> {
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|text| text.starts_with('Y'));
    if !enabled {
        return Ok(program);
    }
    let copy = dir.join("slapd");
    std::fs::copy(&program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
    Ok(copy)
}

fn socket_url(dir: &Path) -> String {
    format!("ldapi://{}", dir.join("ldapi").display().to_string().replace('/', "%2F"))
}

fn spawn(program: &Path, dir: &Path, port: u16, tls_port: Option<u16>) -> Result<Child> {
    let mut urls = format!("ldap://127.0.0.1:{port}/");
    if let Some(port) = tls_port {
        urls.push_str(&format!(" ldaps://127.0.0.1:{port}/"));
    }
    urls.push_str(&format!(" {}", socket_url(dir)));
    // -d keeps it in the foreground; 0 logs errors only.
    let mut command = Command::new(program);
    command.args(["-h", &urls, "-d", "0", "-f"]).arg(dir.join("slapd.conf")).current_dir("/");
    proc::spawn_logged(&mut command, &dir.join("slapd.log"))
}

fn configuration(options: &SlapdOptions, dir: &Path) -> String {
    let dir = dir.display();
    let base = &options.people.base_dn;
    let root = root_dn(&options.people);
    let service = options.people.service_dn();
    let tls = if options.tls.is_some() {
        format!(
            "TLSCACertificateFile {dir}/ca.pem\nTLSCertificateFile {dir}/server.pem\nTLSCertificateKeyFile {dir}/server.key\n"
        )
    } else {
        String::new()
    };
    // The socket counts as 71 bits: the people can still be added over it.
    let security = if options.require_tls { "security simple_bind=64\n" } else { "" };
    let readers = if options.anonymous_search { "*" } else { "users" };
    format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         include /etc/ldap/schema/nis.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         moduleload memberof\n\
         pidfile {dir}/slapd.pid\n\
         argsfile {dir}/slapd.args\n\
         {tls}{security}\
         database mdb\n\
         suffix \"{base}\"\n\
         rootdn \"{root}\"\n\
         rootpw {ROOT_PASSWORD}\n\
         directory {dir}/db\n\
         maxsize 268435456\n\
         dbnosync\n\
         index objectClass,uid,member,memberUid eq\n\
         overlay memberof\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to * by dn.exact=\"{service}\" read by {readers} read by anonymous auth\n"
    )
}
