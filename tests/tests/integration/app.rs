//! A whole school in one value: its own database, its own simulated LXD, its own directory, a free port.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use lxd_api::Profile;
use lxd_sim::{SimHandle, Simulator, Timing};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, RETRY_AFTER, SET_COOKIE};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use vms_authz::{Actor, Fleet, action::ViewAudit};
use vms_db::{AuditEntry, AuditFilter, Datastore};
use vms_server::{Config, Server};
use xtask::directory::{Directory, DirectoryServer};

/// Longest that anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The one image there is.
pub const IMAGE: &str = "debian-12";

/// What differs from one test to another.
pub struct Builder {
    quota: u32,
    timing: Timing,
    http: String,
    profiles: Vec<Profile>,
    sample_seconds: u32,
}

impl Builder {
    /// Machines a person may have.
    pub fn quota(mut self, machines: u32) -> Self {
        self.quota = machines;
        self
    }

    /// How long the simulated LXD takes for what.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// One more profile on the simulated LXD.
    pub fn profile(mut self, name: &str, config: &[(&str, &str)], root: &str) -> Self {
        let device = |keys: &[(&str, &str)]| {
            keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let root = device(&[("type", "disk"), ("path", "/"), ("pool", "default"), ("size", root)]);
        let devices = [("root".to_owned(), root)].into();
        let name = name.to_owned();
        self.profiles.push(Profile { name, config: device(config), devices, ..Profile::default() });
        self
    }

    /// Follows the load of the servers as closely as can be. Else nothing is asked of LXD that nobody asked for, so that
    /// tests may count its requests.
    pub fn sampling(mut self) -> Self {
        self.sample_seconds = 1;
        self
    }

    /// More keys of `[http]`.
    pub fn http(mut self, keys: impl Into<String>) -> Self {
        self.http = keys.into();
        self
    }

    /// Starts everything and waits until it is ready.
    pub async fn start(self) -> TestApp {
        let dir = tempfile::tempdir().unwrap();
        let sim = Simulator::builder()
            .socket(dir.path().join("lxd.socket"))
            .timing(self.timing)
            .image(IMAGE, "Debian 12");
        let sim = self.profiles.into_iter().fold(sim, |sim, profile| sim.profile(profile));
        let sim = sim.start().await.unwrap();
        let school = school();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let people = DirectoryServer::start(school, loopback).await.unwrap();
        let text = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n{}\n[database]\nurl = \"{}\"\n[quota]\nmachines = {}\n\
             [overview]\nsample_seconds = {}\n[tokens]\nsigning_key_file = \"{}\"\n[[lxd]]\nname = \"lxd1\"\nendpoint = \"{}\"\n\n{}",
            self.http,
            database(dir.path()),
            self.quota,
            self.sample_seconds,
            dir.path().join("key.pem").display(),
            sim.endpoint(),
            people.vms_config(),
        );
        let config = Config::parse(&text).unwrap();
        // Plain HTTP only, yet the client wants to know how it would speak TLS.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = Client::builder().timeout(PATIENCE).build().unwrap();
        let mut app = TestApp { dir, sim, people: Some(people), config, server: None, http };
        app.start_server().await;
        app
    }
}

/// Everybody; `bruno` is the teacher's student, `ana` is not.
fn school() -> Directory {
    Directory::school().with_people(1).with_group("turma-a", &["bruno", "prof"])
}

fn database(dir: &Path) -> String {
    format!("sqlite://{}", dir.join("vms.db").display())
}

/// A running portal with all it needs.
pub struct TestApp {
    dir: TempDir,
    /// The simulated LXD.
    pub sim: SimHandle,
    people: Option<DirectoryServer>,
    config: Config,
    server: Option<Server>,
    http: Client,
}

impl TestApp {
    pub fn builder() -> Builder {
        Builder {
            quota: 10,
            timing: Timing::instant(),
            http: String::new(),
            profiles: Vec::new(),
            sample_seconds: 0,
        }
    }

    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts the server (again) and waits until it is ready.
    pub async fn start_server(&mut self) {
        self.start_server_unready().await;
        self.ready().await;
    }

    /// Starts the server (again), whether LXD answers or not.
    pub async fn start_server_unready(&mut self) {
        self.server = Some(Server::start(&self.config).await.unwrap());
    }

    /// Stops the server as SIGTERM would. The database stays.
    pub async fn stop_server(&mut self) {
        self.server.take().unwrap().stop().await.unwrap();
    }

    /// Somebody leaves the school.
    pub fn leave(&self, name: &str) {
        self.people.as_ref().unwrap().replace(&school().without_person(name));
    }

    /// Ends the directory.
    pub async fn stop_directory(&mut self) {
        self.people.take().unwrap().stop().await;
    }

    /// Waits until the database and LXD answer.
    pub async fn ready(&self) {
        let nobody = self.nobody();
        eventually("the server to be ready", async || {
            let status = nobody.at(Method::GET, "/readyz").await.status;
            if status == 200 { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.as_ref().unwrap().address())
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> Person {
        Person { base: self.url(), http: self.http.clone(), token: None, headers: HeaderMap::new() }
    }

    /// Somebody who logged in; the password is the name.
    pub async fn log_in(&self, name: &str) -> Person {
        let answer = self.nobody().post("/auth/login", json!({ "username": name, "password": name })).await;
        self.nobody().with_token(answer.expect(200)["access_token"].as_str().unwrap())
    }

    pub async fn as_student(&self, name: &str) -> Person {
        self.log_in(name).await
    }

    pub async fn as_teacher(&self) -> Person {
        self.log_in("prof").await
    }

    pub async fn as_admin(&self) -> Person {
        self.log_in("admin").await
    }

    /// The audit log, newest first.
    pub async fn audit(&self) -> Vec<AuditEntry> {
        let db = Datastore::connect(&database(self.dir.path())).await.unwrap();
        let proof = Actor::system().authorize(Fleet, ViewAudit).unwrap();
        db.audit_page(&proof, &AuditFilter::default(), 500, None).await.unwrap().items
    }
}

/// Asks again and again until the answer is `Ok`, and gives it.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(seen) => assert!(Instant::now() < deadline, "waited for {what} in vain; at last: {seen}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// The body; `null` when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body of an answer with that status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self.body
    }

    /// The body of a problem with that code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.asked,
            self.text
        );
        self.body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The session cookie it sets, as a browser would send it back.
    pub fn cookie(&self) -> String {
        let line = self.headers.get(SET_COOKIE).expect("no cookie").to_str().unwrap();
        line.split(';').next().unwrap().to_owned()
    }

    /// What every answer promises, whatever it is about.
    fn check(&self) {
        let said = || format!("{}: {} {:?} {}", self.asked, self.status, self.headers, self.text);
        for header in ["x-request-id", "content-security-policy", "x-content-type-options", "cache-control"] {
            assert!(!self.header(header).is_empty(), "no {header}: {}", said());
        }
        if self.status < 400 || self.asked.contains("/readyz") {
            return;
        }
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/problem+json", "{}", said());
        for field in ["type", "title", "detail", "code"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}: {}", said());
        }
        assert_eq!(self.body["status"], self.status, "{}", said());
        assert_eq!(self.body["request_id"], self.header("x-request-id"), "{}", said());
        let waits =
            self.headers.get(RETRY_AFTER).map(|seconds| seconds.to_str().unwrap().parse::<u64>().unwrap());
        assert_eq!(self.body["retry_after_seconds"].as_u64(), waits, "{}", said());
        assert_eq!(matches!(self.status, 429 | 503), waits.is_some(), "{}", said());
        assert_eq!(self.status == 401, self.header("www-authenticate") == "Bearer", "{}", said());
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Person {
    base: String,
    http: Client,
    token: Option<String>,
    headers: HeaderMap,
}

impl Person {
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The same with one more header.
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.insert(name, value.parse().unwrap());
        other
    }

    pub fn with_cookie(&self, cookie: &str) -> Self {
        self.with(COOKIE.as_str().to_owned().leak(), cookie)
    }

    /// A request with any body; the path is the whole one.
    pub async fn raw(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let asked = format!("{method} {path}");
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer { asked, status, headers, text, body };
        answer.check();
        answer
    }

    /// A request without a body, to a whole path.
    pub async fn at(&self, method: Method, path: &str) -> Answer {
        self.raw(method, path, None).await
    }

    /// A request below `/api/v1`, with JSON or without a body.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.raw(method, &format!("/api/v1{path}"), body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn power(&self, machine: &str, action: &str) -> Answer {
        let body = json!({ "action": action, "force": true });
        self.send(Method::PUT, &format!("/machines/{machine}/state"), Some(body)).await
    }

    /// Waits for the operation that an accepted command began, and gives it as it ended.
    pub async fn end(&self, accepted: Answer) -> Value {
        let place = accepted.header("location").to_owned();
        let operation = accepted.expect(202);
        assert_eq!(place, format!("/api/v1/operations/{}", operation["id"].as_str().unwrap()));
        self.at(Method::GET, &format!("{place}/wait?timeout_seconds=15")).await.expect(200)
    }

    /// The same, and it must have succeeded.
    pub async fn done(&self, accepted: Answer) -> Value {
        let ended = self.end(accepted).await;
        assert_eq!(ended["status"], "succeeded", "{ended:#}");
        ended
    }

    /// Makes a machine and waits until it runs.
    pub async fn machine(&self, name: &str) -> Value {
        let ended = self.done(self.post("/machines", json!({ "name": name })).await).await;
        let path = format!("/machines/{}", ended["machine"]["id"].as_str().unwrap());
        self.until(&path, "it runs", |machine| machine["status"] == "running").await
    }

    /// Looks until something is as wanted.
    pub async fn until(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || {
            let seen = self.get(path).await.expect(200);
            if wanted(&seen) { Ok(seen) } else { Err(seen.to_string()) }
        })
        .await
    }
}
