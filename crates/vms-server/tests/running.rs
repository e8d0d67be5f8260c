//! The real `vms` between a simulated LXD and a directory: what it counts, what it logs, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lxd_sim::{Action, Fault, Nth, SimHandle, Simulator, Timing};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::directory::{Directory, DirectoryServer};

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Portal {
    dir: TempDir,
    sim: SimHandle,
    _people: DirectoryServer,
    base: String,
    http: Client,
    process: Option<Child>,
}

impl Portal {
    async fn start(timing: Timing, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = Simulator::builder()
            .socket(dir.path().join("lxd.socket"))
            .timing(timing)
            .image("debian-12", "Debian 12")
            .start()
            .await
            .unwrap();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let people = DirectoryServer::start(Directory::school(), loopback).await.unwrap();
        let listen = TcpListener::bind(loopback).unwrap().local_addr().unwrap();
        let text = format!(
            "[http]\nlisten = \"{listen}\"\n[log]\nformat = \"json\"\nlevel = \"info,lxd_client=debug,vms_api=debug\"\n\
             [database]\nurl = \"sqlite://{0}/vms.db\"\n[tokens]\nsigning_key_file = \"{0}/key.pem\"\n\
             [[lxd]]\nname = \"lxd1\"\nendpoint = \"{1}\"\n{2}\n{more}",
            dir.path().display(),
            sim.endpoint(),
            people.vms_config(),
        );
        std::fs::write(dir.path().join("vms.toml"), text).unwrap();
        // Plain HTTP only, yet the client wants to know how it would speak TLS.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = Client::builder().timeout(PATIENCE).build().unwrap();
        let base = format!("http://{listen}");
        let mut portal = Self { dir, sim, _people: people, base, http, process: None };
        portal.start_again().await;
        portal
    }

    async fn start_again(&mut self) {
        let log = File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vms"));
        command.arg("serve").arg("--config").arg(self.dir.path().join("vms.toml"));
        self.process = Some(command.stdin(Stdio::null()).stderr(log).spawn().unwrap());
        self.eventually("it is ready", async |portal| {
            let url = format!("{}/readyz", portal.base);
            portal.http.get(url).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    async fn eventually(&self, what: &str, mut wanted: impl AsyncFnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self).await {
            assert!(Instant::now() < deadline, "waited in vain until {what}:\n{}", self.text_of_log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn terminate(&self) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for the end of the process.
    async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().unwrap();
        tokio::task::spawn_blocking(move || process.wait()).await.unwrap().unwrap()
    }

    fn text_of_log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    fn log(&self) -> Vec<Value> {
        let text = self.text_of_log();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    async fn log_in(&self, name: &str) -> String {
        let body = json!({ "username": name, "password": name });
        let (status, answer) = self.send(Method::POST, "/api/v1/auth/login", None, "login", Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        id: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).header("X-Request-Id", id);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// Creates a machine of bruno's and gives the operation.
    async fn create(&self, token: &str, name: &str, id: &str) -> String {
        let body = json!({ "name": name });
        let (status, answer) = self.send(Method::POST, "/api/v1/machines", Some(token), id, Some(body)).await;
        assert_eq!(status, 202, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn wait(&self, token: &str, operation: &str) -> Value {
        let path = format!("/api/v1/operations/{operation}/wait?timeout_seconds=20");
        let (status, answer) = self.send(Method::GET, &path, Some(token), "wait", None).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn metrics(&self) -> String {
        let answer = self.http.get(format!("{}/metrics", self.base)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill().expect("the server cannot be ended");
            process.wait().expect("the server cannot be waited for");
        }
    }
}

/// The sum of the series of a metric that have all these labels.
fn sum(page: &str, metric: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |line: &&str| {
        let name = line.split(['{', ' ']).next();
        name == Some(metric) && labels.iter().all(|(key, value)| line.contains(&format!("{key}=\"{value}\"")))
    };
    let values =
        page.lines().filter(has).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap());
    values.sum()
}

/// What a line says about a field, wherever it stands: in the event, or in a span around it.
fn field<'a>(line: &'a Value, name: &str) -> Option<&'a str> {
    let spans = line["spans"].as_array().into_iter().flatten();
    std::iter::once(line).chain(spans).find_map(|part| part[name].as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted_and_names_nobody() {
    let portal = Portal::start(Timing::instant(), "").await;
    let bruno = portal.log_in("bruno").await;
    let before = portal.metrics().await;
    let operation = portal.create(&bruno, "maquinaa", "a").await;
    assert_eq!(portal.wait(&bruno, &operation).await["status"], "succeeded");
    for _ in 0..3 {
        portal.send(Method::GET, "/api/v1/machines/vmbrunomaquinaa", Some(&bruno), "b", None).await;
    }
    portal.send(Method::GET, "/api/v1/machines/vmbrunonone", Some(&bruno), "c", None).await;
    portal.send(Method::GET, "/api/v1/bruno/is/here", Some(&bruno), "d", None).await;
    let body = json!({ "username": "bruno", "password": "wrong" });
    portal.send(Method::POST, "/api/v1/auth/login", None, "e", Some(body)).await;
    let after = portal.metrics().await;

    let rose =
        |metric: &str, labels: &[(&str, &str)]| sum(&after, metric, labels) - sum(&before, metric, labels);
    let route = ("route", "/api/v1/machines/{machine}");
    let requests = "vms_http_requests_total";
    assert_eq!(rose(requests, &[("method", "GET"), route, ("status", "2xx")]), 3.0, "{after}");
    assert_eq!(rose(requests, &[("method", "GET"), route, ("status", "4xx")]), 1.0, "{after}");
    assert_eq!(rose(requests, &[("route", "unknown")]), 1.0, "{after}");
    assert_eq!(rose("vms_http_request_duration_seconds_count", &[("method", "GET"), route]), 4.0, "{after}");
    let creation = [("method", "POST"), ("endpoint", "/1.0/instances"), ("result", "ok")];
    assert_eq!(rose("vms_lxd_requests_total", &creation), 1.0, "{after}");
    assert_eq!(rose("vms_lxd_request_duration_seconds_count", &creation[..2]), 1.0, "{after}");
    let created = [("kind", "machine.create"), ("status", "succeeded")];
    assert_eq!(rose("vms_operations_total", &created), 1.0, "{after}");
    assert_eq!(rose("vms_operation_duration_seconds_count", &created[..1]), 1.0, "{after}");
    assert_eq!(
        rose("vms_lxd_events_total", &[("kind", "instance-created"), ("server", "lxd1")]),
        1.0,
        "{after}"
    );
    assert_eq!(rose("vms_logins_total", &[("result", "invalid-credentials")]), 1.0, "{after}");
    assert_eq!(rose("vms_problems_total", &[("code", "not-found")]), 2.0, "{after}");
    assert_eq!(sum(&after, "vms_lxd_connected", &[("server", "lxd1")]), 1.0, "{after}");
    assert_eq!(sum(&after, "vms_mirror_instances", &[]), 1.0, "{after}");
    assert_eq!(sum(&after, "vms_operations_under_way", &[]), 0.0, "{after}");
    assert!(sum(&after, "process_resident_memory_bytes", &[]) > 1e6, "{after}");
    for line in after.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(!line.contains("bruno") && !line.contains(&operation), "{line}");
        let metric = line.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|end| metric.strip_suffix(end));
        let described = |name: &str| after.contains(&format!("# HELP {name} "));
        assert!(described(metric) || base.is_some_and(described), "{metric} has no words");
    }

    // What a proxy passes on, which is not known to be ours, is not for it.
    let passed_on =
        portal.http.get(format!("{}/metrics", portal.base)).header("X-Forwarded-For", "127.0.0.1");
    assert_eq!(passed_on.send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_leads_from_the_request_to_lxds_operation_and_errors_stand_there_once() {
    let portal = Portal::start(Timing::instant(), "").await;
    let bruno = portal.log_in("bruno").await;
    let operation = portal.create(&bruno, "good", "the-good-one").await;
    assert_eq!(portal.wait(&bruno, &operation).await["status"], "succeeded");
    portal.sim.inject(
        Fault::on("POST", "/1.0/instances", Action::FailOperationMidway("disk full".into()))
            .nth(Nth::Only(1)),
    );
    let failed = portal.create(&bruno, "bad", "the-bad-one").await;
    assert_eq!(portal.wait(&bruno, &failed).await["status"], "failed");
    portal.sim.stop().await;
    portal
        .eventually("LXD is away", async |portal| {
            let (status, _) = portal.send(Method::GET, "/readyz", None, "look", None).await;
            status == 503
        })
        .await;
    let body = json!({ "name": "refused" });
    let (status, _) =
        portal.send(Method::POST, "/api/v1/machines", Some(&bruno), "the-refused-one", Some(body)).await;
    assert_eq!(status, 503);

    let log = portal.log();
    let of = |id: &str| -> Vec<&Value> {
        log.iter().filter(|line| field(line, "request_id") == Some(id)).collect()
    };
    let said =
        |lines: &[&Value], message: &str| lines.iter().filter(|line| line["message"] == message).count();
    let loud = |lines: &[&Value]| {
        lines.iter().filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").count()
    };

    let good = of("the-good-one");
    assert_eq!(
        (said(&good, "answered"), said(&good, "operation succeeded"), loud(&good)),
        (1, 1, 0),
        "{good:#?}"
    );
    let end = good.iter().find(|line| line["message"] == "operation succeeded").unwrap();
    assert_eq!(field(end, "operation"), Some(operation.as_str()), "{end:#}");
    let took: Vec<_> = good.iter().filter(|line| line["message"] == "LXD took a command").collect();
    assert_eq!(took.len(), 2, "made, and turned on: {good:#?}");
    for line in took {
        assert_eq!(field(line, "operation"), Some(operation.as_str()), "{line:#}");
        assert!(field(line, "lxd_operation").is_some_and(|id| id.len() == 36), "{line:#}");
    }
    let bad = of("the-bad-one");
    assert_eq!(
        (said(&bad, "answered"), said(&bad, "operation did not succeed"), loud(&bad)),
        (1, 1, 1),
        "{bad:#?}"
    );
    let refused = of("the-refused-one");
    assert_eq!((said(&refused, "answered"), loud(&refused)), (1, 1), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_what_is_under_way_and_the_next_start_goes_on() {
    let slow = Timing { create: Duration::from_secs(2), ..Timing::instant() };
    let mut portal = Portal::start(slow, "").await;
    let bruno = portal.log_in("bruno").await;
    let operation = portal.create(&bruno, "a", "create").await;
    // On a connection of its own, as a script in another terminal.
    let path = format!("{}/api/v1/operations/{operation}/wait?timeout_seconds=60", portal.base);
    let waiting = Client::new().get(path).bearer_auth(&bruno);
    let waiting = tokio::spawn(async move { waiting.send().await?.text().await });
    portal
        .eventually("the wait is under way", async |portal| {
            // This very request, and the other.
            sum(&portal.metrics().await, "vms_http_requests_in_flight", &[]) >= 2.0
        })
        .await;
    portal.terminate();
    let answer: Value = serde_json::from_str(&waiting.await.unwrap().expect("answered completely")).unwrap();
    assert_eq!(answer["id"], operation.as_str());
    assert!(answer["finished_at"].is_null(), "it ended early, with the operation as it is: {answer:#}");
    let status = portal.ended().await;
    assert_eq!(status.code(), Some(0), "{}", portal.text_of_log());

    portal.start_again().await;
    assert_eq!(portal.wait(&bruno, &operation).await["status"], "succeeded");
    assert_eq!(portal.sim.instances().len(), 1);
}
