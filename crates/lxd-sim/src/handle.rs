//! The simulator from the outside: build it, serve it, disturb it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lxd_api::{Instance, Profile, StatusCode};
use serde_json::Map;
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    api::{
        self,
        states::{switch_off, switch_on},
    },
    engine::Core,
    fault::Fault,
    http_server,
    spec::{InstanceSpec, add_image, add_instance, fresh},
    state::{State, instance_path},
    timing::Timing,
    tls::Identity,
};

/// Why the simulator does not start, or cannot do what it is told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The socket cannot be bound.
    #[error("cannot listen on {path}: {source}")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else answers there.
    #[error("{0} is already served by another process; choose another path or stop that process")]
    InUse(PathBuf),
    /// The HTTPS port cannot be bound.
    #[error("cannot listen for HTTPS on {address}: {source}")]
    Https {
        /// Its address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate cannot be made or read.
    #[error("TLS: {0}")]
    Tls(String),
    /// What it shall begin with contradicts itself.
    #[error("the simulated server cannot be set up: {0}")]
    Setup(String),
    /// The instance does not exist.
    #[error("there is no simulated instance {0}")]
    NoInstance(String),
}

/// Says what the server begins with, where it listens, and how fast it is.
#[derive(Debug, Default)]
pub struct SimBuilder {
    socket: Option<PathBuf>,
    https: bool,
    timing: Timing,
    members: Vec<String>,
    images: Vec<(String, String)>,
    profiles: Vec<Profile>,
    instances: Vec<InstanceSpec>,
    extensions: Vec<(String, bool)>,
    trusted: Vec<String>,
}

impl SimBuilder {
    /// Listen on this unix socket.
    #[must_use]
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.socket = Some(path.into());
        self
    }

    /// Listen for HTTPS too, on a free port of 127.0.0.1 (see [`SimHandle::https_url`]).
    #[must_use]
    pub fn https(mut self) -> Self {
        self.https = true;
        self
    }

    /// How fast it is; [`Timing::instant`] when nothing is said.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// A cluster with these members; the first one answers.
    #[must_use]
    pub fn members<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.members = names.into_iter().map(Into::into).collect();
        self
    }

    /// An image with this alias and description.
    #[must_use]
    pub fn image(mut self, alias: impl Into<String>, description: impl Into<String>) -> Self {
        self.images.push((alias.into(), description.into()));
        self
    }

    /// A profile beside `default` (or in its place).
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profiles.push(profile);
        self
    }

    /// An instance that is there from the beginning.
    #[must_use]
    pub fn instance(mut self, spec: InstanceSpec) -> Self {
        self.instances.push(spec);
        self
    }

    /// Switches an API extension on that LXD 5.0.2 lacks (`instances_rebuild`, `instance_create_start`).
    #[must_use]
    pub fn extension(mut self, name: impl Into<String>) -> Self {
        self.extensions.push((name.into(), true));
        self
    }

    /// Hides an API extension, as an older LXD would.
    #[must_use]
    pub fn without_extension(mut self, name: impl Into<String>) -> Self {
        self.extensions.push((name.into(), false));
        self
    }

    /// Trusts this client certificate (PEM) over HTTPS.
    #[must_use]
    pub fn trust(mut self, pem: impl Into<String>) -> Self {
        self.trusted.push(pem.into());
        self
    }

    /// Starts serving.
    ///
    /// # Errors
    /// When the socket or port cannot be bound, or when what it shall begin with contradicts itself.
    pub async fn start(self) -> Result<SimHandle, SimError> {
        let identity = Identity::generate()?;
        let mut state = fresh();
        state.members = self.members;
        for (name, on) in self.extensions {
            state.extensions.retain(|extension| *extension != name);
            if on {
                state.extensions.push(name);
            }
        }
        for (alias, description) in &self.images {
            add_image(&mut state, alias, description);
        }
        for profile in self.profiles {
            state.profiles.insert(profile.name.clone(), profile);
        }
        let core = Core::new(state, self.timing, identity.pem.clone());
        for spec in self.instances {
            add_instance(&core, &mut core.lock(), spec).map_err(SimError::Setup)?;
        }
        let tls = self.https.then(|| TlsAcceptor::from(identity.config));
        let inner = Inner { core, socket: self.socket, tls, tasks: Mutex::default() };
        let handle = SimHandle { inner: Arc::new(inner) };
        for pem in &self.trusted {
            handle.trust(pem)?;
        }
        handle.start().await?;
        Ok(handle)
    }
}

struct Inner {
    core: Arc<Core>,
    socket: Option<PathBuf>,
    tls: Option<TlsAcceptor>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Inner {
    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove_socket(&self) {
        if let Some(path) = &self.socket
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "the socket could not be removed");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut *self.tasks());
        if !tasks.is_empty() {
            self.remove_socket();
        }
        for task in tasks {
            task.abort();
        }
        self.core.drop_event_sockets();
        self.core.forget_operations();
    }
}

/// A simulated server that is running (or was stopped). Cheap to clone; the last one to go ends it.
#[derive(Clone)]
pub struct SimHandle {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for SimHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimHandle").field("socket", &self.inner.socket).finish_non_exhaustive()
    }
}

impl SimHandle {
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.core.lock()
    }

    /// The path of the unix socket, if it has one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.inner.socket.as_deref()
    }

    /// The endpoint as configurations write it: `unix:///…` (or the HTTPS one if it has no socket).
    #[must_use]
    pub fn endpoint(&self) -> String {
        match self.socket() {
            Some(path) => format!("unix://{}", path.display()),
            None => self.https_url().unwrap_or_default(),
        }
    }

    /// `https://127.0.0.1:port`, if it listens there.
    #[must_use]
    pub fn https_url(&self) -> Option<String> {
        let address = *self.inner.core.https.lock().unwrap_or_else(PoisonError::into_inner);
        address.map(|address| format!("https://{address}"))
    }

    /// Its own certificate, PEM, to pin.
    #[must_use]
    pub fn server_cert_pem(&self) -> &str {
        &self.inner.core.certificate
    }

    /// Another image server offers an image; offered again with other words it is a newer one.
    pub fn offer_image(
        &self,
        url: impl Into<String>,
        alias: impl Into<String>,
        description: impl Into<String>,
    ) {
        self.state().offered.insert((url.into(), alias.into()), description.into());
    }

    /// Trusts this client certificate (PEM).
    ///
    /// # Errors
    /// When it is not PEM.
    pub fn trust(&self, pem: &str) -> Result<(), SimError> {
        let der = pem::parse(pem).map_err(|error| SimError::Tls(error.to_string()))?;
        let entry = api::certificate_entry("trusted", der.contents());
        self.state().certificates.insert(entry.fingerprint.clone(), entry);
        Ok(())
    }

    /// Listens again after [`SimHandle::stop`], where it did before. Nothing happens if it already does.
    ///
    /// # Errors
    /// When the socket or the port cannot be bound.
    pub async fn start(&self) -> Result<(), SimError> {
        if !self.inner.tasks().is_empty() {
            return Ok(());
        }
        let mut tasks = Vec::new();
        if let Some(path) = &self.inner.socket {
            if UnixStream::connect(path).await.is_ok() {
                return Err(SimError::InUse(path.clone()));
            }
            self.inner.remove_socket();
            let listener =
                UnixListener::bind(path).map_err(|source| SimError::Socket { path: path.clone(), source })?;
            tasks.push(tokio::spawn(http_server::serve_unix(Arc::clone(&self.inner.core), listener)));
        }
        if let Some(tls) = &self.inner.tls {
            let before = *self.inner.core.https.lock().unwrap_or_else(PoisonError::into_inner);
            let address = before.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
            let failed = |source| SimError::Https { address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let bound = listener.local_addr().map_err(failed)?;
            *self.inner.core.https.lock().unwrap_or_else(PoisonError::into_inner) = Some(bound);
            tasks.push(tokio::spawn(http_server::serve_tls(
                Arc::clone(&self.inner.core),
                listener,
                tls.clone(),
            )));
        }
        *self.inner.tasks() = tasks;
        Ok(())
    }

    /// The daemon goes away as in a crash: connections break, operations are lost. Instances stay as they are,
    /// and the running ones keep running.
    pub async fn stop(&self) {
        let tasks = std::mem::take(&mut *self.inner.tasks());
        for task in tasks {
            task.abort();
            // It was aborted just now: the error says only that.
            let _ = task.await;
        }
        self.inner.remove_socket();
        self.inner.core.drop_event_sockets();
        self.inner.core.forget_operations();
    }

    /// From now on this goes wrong, beside what already does.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// How many requests came for each endpoint: `GET /1.0/instances/{instance}/state`, with `?recursion=N`
    /// where it was asked for.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.state().requests.clone()
    }

    /// How many requests came in all.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.state().requests.values().sum()
    }

    /// Counts from zero again.
    pub fn reset_requests(&self) {
        self.state().requests.clear();
    }

    /// Closes all event websockets, without a closing frame.
    pub fn drop_event_sockets(&self) {
        self.inner.core.drop_event_sockets();
    }

    /// How many event websockets are open.
    #[must_use]
    pub fn event_sockets(&self) -> usize {
        self.inner.core.event_sockets()
    }

    /// How many operations are still going on.
    #[must_use]
    pub fn running_operations(&self) -> usize {
        self.state().operations.values().filter(|record| !record.operation.is_final()).count()
    }

    /// All instances, as `recursion=1` shows them.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        let state = self.state();
        state.instances.values().map(|record| api::instances::render(&state, record)).collect()
    }

    /// One instance.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<Instance> {
        let state = self.state();
        state.instances.get(name).map(|record| api::instances::render(&state, record))
    }

    /// An administrator makes an instance by hand.
    ///
    /// # Errors
    /// When it names an image or a profile that does not exist.
    pub fn create_instance(&self, spec: InstanceSpec) -> Result<(), SimError> {
        let core = &self.inner.core;
        let mut state = core.lock();
        let before: Vec<String> = state.instances.keys().cloned().collect();
        add_instance(core, &mut state, spec).map_err(SimError::Setup)?;
        for record in state.instances.values().filter(|record| !before.contains(&record.name)) {
            core.lifecycle(
                "instance-created",
                instance_path(&record.name),
                Map::new(),
                None,
                &record.location,
            );
        }
        Ok(())
    }

    /// Does something to an instance, then tells of it.
    fn by_hand(&self, name: &str, action: &str, change: impl FnOnce(&mut State)) -> Result<(), SimError> {
        let mut state = self.state();
        if !state.instances.contains_key(name) {
            return Err(SimError::NoInstance(name.to_owned()));
        }
        change(&mut state);
        let location = state.instances.get(name).map(|record| record.location.clone()).unwrap_or_default();
        self.inner.core.lifecycle(action, instance_path(name), Map::new(), None, &location);
        Ok(())
    }

    /// The instance turns itself off (`poweroff` within).
    ///
    /// # Errors
    /// [`SimError::NoInstance`].
    pub fn stop_instance(&self, name: &str) -> Result<(), SimError> {
        self.by_hand(name, "instance-shutdown", |state| switch_off(state, name))
    }

    /// An administrator starts it by hand.
    ///
    /// # Errors
    /// [`SimError::NoInstance`].
    pub fn start_instance(&self, name: &str) -> Result<(), SimError> {
        let core = &self.inner.core;
        self.by_hand(name, "instance-started", |state| switch_on(core, state, name))
    }

    /// An administrator deletes it by hand, running or not.
    ///
    /// # Errors
    /// [`SimError::NoInstance`].
    pub fn delete_instance(&self, name: &str) -> Result<(), SimError> {
        if !self.state().instances.contains_key(name) {
            return Err(SimError::NoInstance(name.to_owned()));
        }
        api::instances::remove(&self.inner.core, name);
        Ok(())
    }

    /// An administrator sets a key of its configuration by hand; an empty value unsets it.
    ///
    /// # Errors
    /// [`SimError::NoInstance`].
    pub fn set_instance_config(&self, name: &str, key: &str, value: &str) -> Result<(), SimError> {
        self.by_hand(name, "instance-updated", |state| {
            if let Some(record) = state.instances.get_mut(name) {
                record.config.insert(key.to_owned(), value.to_owned());
                record.config.retain(|_, value| !value.is_empty());
            }
        })
    }

    /// The instance gets into a state of error (112).
    ///
    /// # Errors
    /// [`SimError::NoInstance`].
    pub fn break_instance(&self, name: &str) -> Result<(), SimError> {
        self.by_hand(name, "instance-updated", |state| {
            if let Some(record) = state.instances.get_mut(name) {
                record.status = StatusCode::ERROR;
            }
        })
    }
}
