//! All servers together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lxd_client::Client;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use crate::sampler;
use crate::server::Server;
use crate::view::InstanceView;
use crate::watcher;

/// Something on a server changed. Without an instance: the server itself, or much at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetChange {
    /// The server.
    pub server: String,
    /// The instance.
    pub instance: Option<String>,
}

/// All configured servers. The watchers end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    servers: BTreeMap<String, Arc<Server>>,
    changes: broadcast::Sender<FleetChange>,
    /// Dropped with the fleet, which ends the tasks: the watchers, and the samplers once they were asked for.
    tasks: Mutex<JoinSet<()>>,
}

impl Fleet {
    /// Starts watching these servers (name and client). Returns at once: servers that do not answer are tried until
    /// they do. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(servers: impl IntoIterator<Item = (String, Client)>) -> Self {
        let (changes, _) = broadcast::channel(4096);
        let servers: BTreeMap<String, Arc<Server>> = servers
            .into_iter()
            .map(|(name, client)| (name.clone(), Arc::new(Server::new(name, client, changes.clone()))))
            .collect();
        let mut watchers = JoinSet::new();
        for server in servers.values() {
            watchers.spawn(watcher::watch(Arc::clone(server)));
        }
        Self { inner: Arc::new(Inner { servers, changes, tasks: Mutex::new(watchers) }) }
    }

    /// Begins to ask every server what it and its machines use, not more often than once in `interval`. To be called
    /// once, by who runs for long: a look from the command line has no use for it.
    pub fn sample(&self, interval: Duration) {
        let mut tasks = self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for server in self.servers() {
            tasks.spawn(sampler::sample(Arc::clone(server), interval));
        }
    }

    /// A server by its name in the configuration.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&Arc<Server>> {
        self.inner.servers.get(name)
    }

    /// All servers, by name.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.inner.servers.values()
    }

    /// An instance as last seen.
    #[must_use]
    pub fn instance(&self, server: &str, name: &str) -> Option<Arc<InstanceView>> {
        self.server(server)?.instance(name)
    }

    /// Tells what changes from now on. Who is too slow sees `Lagged` and must look at everything again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<FleetChange> {
        self.inner.changes.subscribe()
    }

    /// Where a new machine from `image` with `profile` goes: the answering server with the fewest running machines that
    /// has both.
    #[must_use]
    pub fn place(&self, image: &str, profile: &str) -> Option<&Arc<Server>> {
        self.servers()
            .filter(|server| server.is_connected())
            .filter(|server| {
                let seen = server.read();
                seen.images.iter().any(|known| known.alias == image)
                    && seen.profiles.iter().any(|known| known.name == profile)
            })
            .min_by_key(|server| {
                let seen = server.read();
                seen.instances.values().filter(|i| i.status == vms_types::MachineStatus::Running).count()
            })
    }
}
